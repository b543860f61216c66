"""Defects of a DFR write: one model for the domain, and the whole table cleared. (defects.md 1b)

X12 and X13 stand on one published function, so that they go together. Does not model: the published types and return
codes.
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr
from avickit.museum.logical_notes import note_model
from avickit.museum.registry import brings
from avickit.series import logical_table as lt
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.parts import Core
from avickit.xen.parts import Domain, Vcpu, xen

ENTRIES = 60
"""Entries of the logical table that can be used: 15 clusters of 4. (H-TAB-3)"""
FLAT_NIBBLE, ZEROED = 0xF, 0x0

READ_MODE = Site(Kind.CHECK, LOAD, "X5-6", "Xen avic_dfr_mode", "the domain's model as it was last written: {old}")
KEEP_MODE = Site(Kind.UPDATE, STORE, "X5-6", "Xen avic_dfr_mode", "the domain's model is {new}")
FLUSH = Site(Kind.UPDATE, STORE, "X5-6", "Xen clear_domain_page", "empties {place}, whoever it belonged to")


@dataclass(frozen=True)
class DomainModel:
    """Per domain: DFR[31:28] as it was last written by any vCPU, plus 1; 0 if nobody has. (X12, X13)"""

    model: int


@Op
def first_model(w: World) -> Beats[int]:
    """The model before any DFR write: flat, as reset leaves DFR. (H-REG-6; X12)"""
    return FLAT_NIBBLE
    yield


@Op
def lock_flush(w: World, d: Domain) -> Beats[None]:
    """Around the comparison and the clearing, the published code takes the lock. (X5-6; X13)"""
    yield lt.LOCK_TABLE(avic_domain(w, d).lock)


@Op
def unlock_flush(w: World, d: Domain) -> Beats[None]:
    """The table has been cleared. (X5-6; X13)"""
    yield lt.UNLOCK_TABLE(avic_domain(w, d).lock, 0)


def flush_on_change(w: World, core: Core, v: Vcpu, dfr: int) -> Beats[None]:
    """A model other than the domain's last one: clear the whole table, then enter one's own again. (X5-6; X12, X13)"""
    cell = w.objects["domain_model"][v.domain.index].model
    yield from lock_flush(w, v.domain)
    before = (yield READ_MODE(cell)) - 1
    before = before if before >= 0 else (yield from first_model(w))
    changed = before != Dfr.MODEL.of(dfr)
    if changed:
        table = yield lt.FIND_TABLE(avic_domain(w, v.domain).logical_table)
        for index in range(ENTRIES):
            yield FLUSH(table + index, 0)
        yield KEEP_MODE(cell, Dfr.MODEL.of(dfr) + 1)
    yield from unlock_flush(w, v.domain)
    cluster = yield from lt.is_cluster(w, v, dfr)
    last = yield from note_model(w, v, cluster)
    if changed and last:
        yield from lt.move(w, core, v, last, cluster)


def flush_as_published(w: World, by: str) -> None:
    """What X12 and X13 both stand on."""
    xen(w).domain_fields["domain_model"] = DomainModel
    w.replace(lt.avic_dfr_update, flush_on_change, by)


@brings("X12")
def model_starts_at_0(w: World) -> None:
    """The domain's model is zero-initialised, while DFR is flat, Fh. (H-REG-6)"""
    flush_as_published(w, "X12")
    w.replace(first_model, zeroed_model, "X12")


def zeroed_model(w: World) -> Beats[int]:
    """The first write of flat is taken for a change. (H-REG-6; X12)"""
    return ZEROED
    yield


@brings("X13")
def flush_races(w: World) -> None:
    """The whole table is cleared under a lock that those who write entries do not take. (X5-6)"""
    flush_as_published(w, "X13")
    w.replace(lt.take_lock, no_lock, "X13")
    w.replace(lt.drop_lock, no_lock, "X13")


@brings("X13-a1")
def flush_without_a_lock(w: World) -> None:
    """The same in A1, where the flush takes no lock either. (X5-6)"""
    flush_as_published(w, "X13-a1")
    for step in (lt.take_lock, lt.drop_lock, lock_flush, unlock_flush):
        w.replace(step, no_lock, "X13-a1")


def no_lock(w: World, d: Domain) -> Beats[None]:
    """Nobody is kept out. (X5-6; X13)"""
    return
    yield


@brings("X14")
def dfr_compared_raw(w: World) -> None:
    """The page's value is compared with FFFFFFFFh before its low bits have been set. (H-TAB-3)"""
    w.replace(lt.is_cluster, anything_but_all_ones, "X14")


def anything_but_all_ones(w: World, v: Vcpu, dfr: int) -> Beats[int]:
    """F0000000h is flat, and counts as cluster. (X5-6, H-TAB-3; X14)"""
    return int(dfr != Dfr.MODEL.mask | Dfr.ONES.mask)
    yield

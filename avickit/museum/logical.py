"""Defects of the logical APIC ID table's bookkeeping. (defects.md 1b, 1e)

The published code wrote one entry per LDR, cleared the table on a change of model, and kept its notes in several wrong
ways; its parts are cut so that each defect can stand alone and all of a version's can stand together.
Does not model: the published types and return codes.
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr
from avickit.museum.registry import brings
from avickit.series import logical_table as lt
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.parts import Core
from avickit.xen.parts import Domain, Vcpu, xen

ENTRIES = 60
"""Entries of the logical table that can be used: 15 clusters of 4. (H-TAB-3)"""
FLAT_NIBBLE, ZEROED = 0xF, 0x0
MEMBERS = 0xF

READ_MODE = Site(Kind.CHECK, LOAD, "X5-6", "Xen avic_dfr_mode", "the domain's model as it was last written: {old}")
KEEP_MODE = Site(Kind.UPDATE, STORE, "X5-6", "Xen avic_dfr_mode", "the domain's model is {new}")
FLUSH = Site(Kind.UPDATE, STORE, "X5-6", "Xen clear_domain_page", "empties {place}, whoever it belonged to")
READ_LDR = Site(Kind.READ, LOAD, "X5-6", "Xen d->ldr_reg", "the domain's last LDR, whoever wrote it: {old}")
KEEP_LDR = Site(Kind.UPDATE, STORE, "X5-6", "Xen d->ldr_reg", "the domain's last LDR is {new}")


@dataclass(frozen=True)
class DomainModel:
    """Per domain: DFR[31:28] as it was last written by any vCPU, plus 1; 0 if nobody has. (X12, X13)"""

    model: int


@dataclass(frozen=True)
class DomainLdr:
    """Per domain: the last LDR that any vCPU wrote. (X41)"""

    last_ldr: int


@brings("X11")
def inverted_and_gated(w: World) -> None:
    """`if (!ret)` clean up, `else if (last)` note: the last LDR is 0 for ever. (X5-6)"""
    w.replace(lt.rewrite, clean_up_on_success, "X11")


def claim(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[bool]:
    """avic_ldr_write(valid): the entries of the LDR; false if it names none. (X5-6)"""
    indices = yield from lt.named(w, ldr, cluster)
    for index in indices:
        yield from lt.claim_entry(w, v, table, index)
    return bool(indices)


def release(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """avic_ldr_write(invalid): the entries of the LDR go; none for LDR 0. (X5-6)"""
    for index in (yield from lt.named(w, ldr, cluster)):
        yield from lt.release_entry(w, v, table, index)


def note_model(w: World, v: Vcpu, cluster: int) -> Beats[int]:
    """The model is noted in any case, as the page's DFR holds it; answers with the last LDR. (X5-6)"""
    last, _ = yield from lt.remembered(w, v)
    yield from lt.remember(w, v, last, cluster)
    return last


def clean_up_on_success(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """Success runs the clean-up of LDR 0, which is nothing; failure would be noted, were the note not 0. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    elif last:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-polarity")
def polarity_only(w: World) -> None:
    """The test is put right, the note is still kept only if there is one: there never is. (X5-6)"""
    w.replace(lt.rewrite, gated_note, "X11-polarity")


def gated_note(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """`if (ret)` clean up, `else if (last)` note. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if not (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    elif last:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-gating")
def gating_only(w: World) -> None:
    """The note is kept without a condition, but in the branch of the failure. (X5-6)"""
    w.replace(lt.rewrite, note_of_the_rejected, "X11-gating")


def note_of_the_rejected(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """`if (!ret)` clean up, `else` note: what is noted was refused. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    else:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-b1")
def noted_but_not_invalidated(w: World) -> None:
    """`if (ret && last)` clean up, `else` note: the form of A2 and B1. (X5-6)"""
    w.replace(lt.rewrite, note_without_release, "X11-b1")


def note_without_release(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The LDR is noted, also a refused one if none was before; the old entry stays. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if not (yield from claim(w, v, table, ldr, cluster)) and last:
        yield from release(w, v, table, last, cluster)
    else:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-early")
def noted_too_early(w: World) -> None:
    """The note is made before the clean-up that success runs. (X5-6)"""
    w.replace(lt.rewrite, note_then_clean_up, "X11-early")
    publish_entries(w, "X11-early")


def note_then_clean_up(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The clean-up takes the fresh note for the old one, and the fresh entry goes. (X5-6; X11)"""
    done = yield from claim(w, v, table, ldr, cluster)
    yield from lt.remember(w, v, ldr, cluster)
    if done:
        yield from release(w, v, table, ldr, cluster)


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


@brings("X15")
def ldr_0_is_an_error(w: World) -> None:
    """avic_handle_ldr_update fails for LDR 0. (X5-6)"""
    w.replace(lt.no_logical_id, cannot_handle, "X15")


def cannot_handle(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """A legal write is reported as unhandleable. (X5-6; X15)"""
    return False
    yield


def publish_entries(w: World, by: str) -> None:
    """An entry is what the last writer made of it."""
    w.replace(lt.claim_entry, overwrite_entry, by)
    w.replace(lt.release_entry, empty_entry, by)


@brings("X16")
def one_bit_one_owner(w: World) -> None:
    """ffs: only the lowest bit is entered; equal LDRs overwrite one entry. (X5-6)"""
    w.replace(lt.named, lowest_bit, "X16")
    publish_entries(w, "X16")


def lowest_bit(w: World, ldr: int, cluster: int) -> Beats[tuple[int, ...]]:
    """The first of the entries that the LDR names. (X5-6, H-TAB-3; X16)"""
    return lt.entries((yield from lt.looked_up(w, ldr, cluster)), cluster)[:1]


def overwrite_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """The later claim wins. (X5-6; X16)"""
    yield lt.WRITE_ENTRY(table + index, lt.entry_for(v))


def empty_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """Invalid, whoever else wants it. (X5-6; X16)"""
    yield lt.WRITE_ENTRY(table + index, 0)


@brings("X20")
def no_hook_on_init(w: World) -> None:
    """INIT and restore tell the tables nothing. (X5-6)"""
    w.replace(lt.avic_vlapic_reset, init_unnoticed, "X20")


def init_unnoticed(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """LDR in the page is 0, the entry stays valid. (X5-6; X20)"""
    return
    yield


@brings("X41")
def ldr_of_the_domain(w: World) -> None:
    """A1 kept the last LDR per domain: a refused LDR of one takes another's entry. (X5-6)"""
    xen(w).domain_fields["domain_ldr"] = DomainLdr
    w.replace(lt.remembered, last_of_anybody, "X41")
    w.replace(lt.remember, note_for_everybody, "X41")
    w.replace(lt.rewrite, note_without_release, "X41")
    publish_entries(w, "X41")


def last_of_anybody(w: World, v: Vcpu) -> Beats[tuple[int, int]]:
    """The domain's last LDR, with this vCPU's model. (X5-6; X41)"""
    ldr = yield READ_LDR(w.objects["domain_ldr"][v.domain.index].last_ldr)
    return ldr, (yield lt.READ_LAST(lt.avic_vcpu(w, v).last_cluster))


def note_for_everybody(w: World, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
    """The domain's note. (X5-6; X41)"""
    yield KEEP_LDR(w.objects["domain_ldr"][v.domain.index].last_ldr, ldr)
    yield lt.KEEP_LAST(lt.avic_vcpu(w, v).last_cluster, cluster)


@brings("P1")
def every_cluster_is_cluster_0(w: World) -> None:
    """(mda & 0xf0) >> 8 is always 0. (H-TAB-3)"""
    w.replace(lt.looked_up, cluster_0, "P1")


def cluster_0(w: World, ldr: int, cluster: int) -> Beats[int]:
    """The cluster's number is lost: all share the first entries. (X5-6, H-TAB-3; P1)"""
    return ldr & MEMBERS if cluster else ldr
    yield


@brings("P9")
def never_invalidated(w: World) -> None:
    """The prototypes only ever add entries. (X5-6)"""
    w.replace(lt.rewrite, add_only, "P9")


def add_only(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The old entry stays valid. (X5-6; P9)"""
    yield from claim(w, v, table, ldr, cluster)
    yield from lt.remember(w, v, ldr, cluster)

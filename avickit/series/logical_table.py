"""Part of patch 5: keeping the logical APIC ID table in step with the guests' LDR and DFR. (X5-6, H-TAB-3)

An entry stands for one logical ID. It is valid if exactly one vCPU claims that ID; two claims make it invalid, so that
such an IPI exits with ID 2 and is emulated for all. Published differently: X11, X12, X13, X14, X15, X16, X20.
"""

from dataclasses import dataclass

from avickit.beat import LOAD, LOCK, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr, Ldr
from avickit.manual.tables import LogicalEntry, logical_indices
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.parts import Core
from avickit.xen.parts import Domain, Vcpu, vcpus_of, xen

RESET_DFR = 0xFFFF_FFFF
CLUSTER_DFR = 0x0FFF_FFFF


@dataclass(frozen=True)
class AvicVcpu:
    """Per vCPU: the logical IDs it has in the table, as the LDR and the model they were made from."""

    last_ldr: int
    last_cluster: int


LOCK_TABLE = Site(Kind.CHECK, LOCK, "X5-6", "Xen avic_ldr_write", "takes the lock of the logical table")
UNLOCK_TABLE = Site(Kind.UPDATE, STORE, "X5-6", "Xen avic_ldr_write", "drops the lock of the logical table")
READ_LAST = Site(Kind.READ, LOAD, "X5-6", "Xen avic_last_ldr", "reads {place}: {old}")
KEEP_LAST = Site(Kind.UPDATE, STORE, "X5-6", "Xen avic_last_ldr", "remembers {place}: {new}")
FIND_TABLE = Site(Kind.READ, LOAD, "X5-6", "Xen avic_get_logical_id_entry", "where is the logical table?")
WRITE_ENTRY = Site(Kind.UPDATE, STORE, "X5-6", "Xen avic_ldr_write", "writes {place}: {new}")


def avic_vcpu(w: World, v: Vcpu) -> AvicVcpu:
    """The vCPU's cells: no logical ID and the flat model at first, as a reset leaves it. (H-REG-6; X12)"""
    return w.objects["avic_vcpu"][v.guest.index]  # type: ignore[no-any-return]


@Op
def avic_ldr_update(w: World, core: Core, v: Vcpu, ldr: int) -> Beats[None]:
    """The guest wrote LDR: its old entries go, its new ones come; LDR 0 is no logical ID. (X5-6; X11, X16)"""
    _, cluster = yield from remembered(w, v)
    yield from move(w, core, v, Ldr.LOGICAL_ID.of(ldr), cluster)


@Op
def no_logical_id(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Whether LDR 0 can be handled: it is legal, and says that there is no logical ID. (X5-6; X15)"""
    return True
    yield


@Op
def avic_dfr_update(w: World, core: Core, v: Vcpu, dfr: int) -> Beats[None]:
    """The guest wrote DFR: if its model really changed, its own entries move, nobody else's. (X5-6; X12, X13, X14)"""
    cluster = yield from is_cluster(w, v, dfr)
    ldr, before = yield from remembered(w, v)
    if cluster != before:
        yield from move(w, core, v, ldr, cluster)


@Op
def is_cluster(w: World, v: Vcpu, dfr: int) -> Beats[int]:
    """1 for the cluster model, 0 for flat: bits 31:28 say it; the rest may hold anything. (X5-6, H-TAB-3; X14)"""
    return int(Dfr.MODEL.of(dfr) != Dfr.MODEL.max)
    yield


@Op
def avic_vlapic_reset(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """INIT clears LDR and DFR in the page: the table follows. (X5-6; as published it does not: X20)"""
    if not xen(w).flags.get("svm_avic"):
        return
    if any((yield from remembered(w, v))):
        yield from move(w, core, v, 0, 0)


@Op
def move(w: World, core: Core, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
    """Under the lock: remember the new claim, then put right every entry that the old or the new one names."""
    yield from take_lock(w, v.domain)
    table = yield FIND_TABLE(avic_domain(w, v.domain).logical_table)
    yield from rewrite(w, v, table, ldr, cluster)
    yield from drop_lock(w, v.domain)


@Op
def take_lock(w: World, d: Domain) -> Beats[None]:
    """Whoever writes entries of the table takes its lock. (X5-6; X13)"""
    yield LOCK_TABLE(avic_domain(w, d).lock)


@Op
def drop_lock(w: World, d: Domain) -> Beats[None]:
    """Done with the table. (X5-6; X13)"""
    yield UNLOCK_TABLE(avic_domain(w, d).lock, 0)


@Op
def rewrite(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """Remember the new claim; the last one's entries go, the new one's come. (X5-6; X11, X41, P9)"""
    last, model = yield from remembered(w, v)
    old = yield from named(w, last, model)
    yield from remember(w, v, ldr, cluster)
    new = yield from named(w, ldr, cluster)
    for index in sorted({*old, *new}):
        if index in new:
            yield from claim_entry(w, v, table, index)
        else:
            yield from release_entry(w, v, table, index)


@Op
def remembered(w: World, v: Vcpu) -> Beats[tuple[int, int]]:
    """The LDR (its 8 bits) and the model that the vCPU's entries were made from; 0, 0 at first. (X5-6; X41)"""
    cells = avic_vcpu(w, v)
    return (yield READ_LAST(cells.last_ldr)), (yield READ_LAST(cells.last_cluster))


@Op
def remember(w: World, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
    """Note what the vCPU's entries are made from. (X5-6; X41)"""
    cells = avic_vcpu(w, v)
    yield KEEP_LAST(cells.last_ldr, ldr)
    yield KEEP_LAST(cells.last_cluster, cluster)


@Op
def named(w: World, ldr: int, cluster: int) -> Beats[tuple[int, ...]]:
    """The entries that a logical ID names: one for every bit that is set. (X5-6, H-TAB-3; X16)"""
    return entries((yield from looked_up(w, ldr, cluster)), cluster)


@Op
def looked_up(w: World, ldr: int, cluster: int) -> Beats[int]:
    """The logical ID whose entries are computed: all 8 bits, in the cluster model its number too. (H-TAB-3; P1)"""
    return ldr
    yield


@Op
def claim_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """The vCPU wants this entry: it gets it, unless another wants it too. (X5-6; X16)"""
    claims = yield from claimants(w, v.domain, index)
    yield WRITE_ENTRY(table + index, entry_for(claims[0] if claims else v) if len(claims) < 2 else 0)


@Op
def release_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """The vCPU gives this entry up: invalid, or that of the one who wants it still. (X5-6; X16)"""
    claims = yield from claimants(w, v.domain, index)
    yield WRITE_ENTRY(table + index, entry_for(claims[0]) if len(claims) == 1 else 0)


def entry_for(v: Vcpu) -> int:
    """A valid entry: the vCPU's guest physical APIC ID. (H-TAB-3)"""
    return LogicalEntry(VALID=1, GUEST_APIC_ID=v.apic_id).value


@Op
def claimants(w: World, d: Domain, index: int) -> Beats[list[Vcpu]]:
    """The vCPUs whose logical ID has this entry. (X5-6; two of them: X16)"""
    found = []
    for v in vcpus_of(w, d):
        ldr, cluster = yield from remembered(w, v)
        if index in (yield from named(w, ldr, cluster)):
            found.append(v)
    return found


def entries(ldr: int, cluster: int) -> tuple[int, ...]:
    """The entries that a logical ID names in its model; none for LDR 0 and cluster Fh. (H-TAB-3, H-IPI-3a)"""
    return logical_indices(CLUSTER_DFR if cluster else RESET_DFR, ldr) or ()

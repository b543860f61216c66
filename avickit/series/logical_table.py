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
    """The guest wrote LDR: its old entries go, its new ones come; LDR 0 is no logical ID. (X5-6; X11, X15, X16)"""
    cluster = yield READ_LAST(avic_vcpu(w, v).last_cluster)
    yield from move(w, core, v, Ldr.LOGICAL_ID.of(ldr), cluster)


@Op
def avic_dfr_update(w: World, core: Core, v: Vcpu, dfr: int) -> Beats[None]:
    """The guest wrote DFR: if its model really changed, its own entries move, nobody else's. (X5-6; X12, X13, X14)"""
    cluster = int(Dfr.MODEL.of(dfr) != Dfr.MODEL.max)
    cells = avic_vcpu(w, v)
    if cluster != (yield READ_LAST(cells.last_cluster)):
        yield from move(w, core, v, (yield READ_LAST(cells.last_ldr)), cluster)


@Op
def avic_vlapic_reset(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """INIT clears LDR and DFR in the page: the table follows. (X5-6; as published it does not: X20)"""
    if not xen(w).flags.get("svm_avic"):
        return
    cells = avic_vcpu(w, v)
    if (yield READ_LAST(cells.last_ldr)) or (yield READ_LAST(cells.last_cluster)):
        yield from move(w, core, v, 0, 0)


@Op
def move(w: World, core: Core, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
    """Under the lock: remember the new claim, then put right every entry that the old or the new one names."""
    cells, d = avic_vcpu(w, v), avic_domain(w, v.domain)
    yield LOCK_TABLE(d.lock)
    old = entries((yield READ_LAST(cells.last_ldr)), (yield READ_LAST(cells.last_cluster)))
    yield KEEP_LAST(cells.last_ldr, ldr)
    yield KEEP_LAST(cells.last_cluster, cluster)
    table = yield FIND_TABLE(d.logical_table)
    for index in sorted({*old, *entries(ldr, cluster)}):
        claims = yield from claimants(w, v.domain, index)
        valid = len(claims) == 1
        entry = LogicalEntry(VALID=1, GUEST_APIC_ID=claims[0].apic_id).value if valid else 0
        yield WRITE_ENTRY(table + index, entry)
    yield UNLOCK_TABLE(d.lock, 0)


@Op
def claimants(w: World, d: Domain, index: int) -> Beats[list[Vcpu]]:
    """The vCPUs whose logical ID has this entry. (X5-6; two of them: X16)"""
    found = []
    for v in vcpus_of(w, d):
        cells = avic_vcpu(w, v)
        ldr = yield READ_LAST(cells.last_ldr)
        if index in entries(ldr, (yield READ_LAST(cells.last_cluster))):
            found.append(v)
    return found


def entries(ldr: int, cluster: int) -> tuple[int, ...]:
    """The entries that a logical ID names in its model; none for LDR 0 and cluster Fh. (H-TAB-3, H-IPI-3a)"""
    return logical_indices(CLUSTER_DFR if cluster else RESET_DFR, ldr) or ()

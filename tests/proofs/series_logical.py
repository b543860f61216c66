"""Proofs of X5-6: the logical APIC ID table follows the guests' LDR and DFR."""

from avickit.beat import Beats, World
from avickit.lab.handles import DomainHandle
from avickit.manual.tables import LogicalEntry
from avickit.series import logical_table as lt
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.parts import Core
from avickit.xen.parts import Domain, Vcpu, vcpus_of
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import INCOMPLETE, INIT, LOGICAL, exits, ipi, lab, overlay, skip

FLAT, CLUSTER = 0xFFFF_FFFF, 0x0FFF_FFFF


def entries(dom: DomainHandle) -> dict[int, int]:
    """The valid entries: index to guest physical APIC ID."""
    found = {index: entry.value for index, entry in dom.logical_table}
    assert all(value >> 31 for value in found.values())
    return {index: value & 0xFF for index, value in found.items()}


@proves("X5-6")
def a_new_ldr_replaces_the_old(make: Make) -> None:
    """The last LDR's entry is invalidated, every set bit of the new one gets ID and valid. (series.md X5-6)"""
    _, _, dom, (a, b, _) = lab(make, 3)
    a.guest.write("LDR", 0x01 << 24)
    b.guest.write("LDR", 0x06 << 24)
    assert entries(dom) == {0: 0, 1: 2, 2: 2}
    b.guest.write("LDR", 0x0C << 24)
    assert entries(dom) == {0: 0, 2: 2, 3: 2}
    ipi(a, 0x08, LOGICAL | 0x41)
    assert b.guest.taken == {0x41: 1}
    assert exits(a, ipi, a, 0x02, LOGICAL | 0x42) == [INCOMPLETE]
    assert (b.guest.taken, dom.crashed) == ({0x41: 1}, False)


@proves("X5-6")
def ldr_0_is_no_logical_id(make: Make) -> None:
    """LDR 0: only the invalidation, no crash. (series.md X5-6)"""
    _, _, dom, (_, b) = lab(make)
    b.guest.write("LDR", 0)
    assert (entries(dom), dom.crashed) == ({}, False)
    b.guest.write("LDR", 0x02 << 24)
    b.guest.write("LDR", 0)
    assert (entries(dom), dom.crashed, int(b.page["LDR"])) == ({}, False, 0)


@proves("X5-6")
def two_claims_make_an_entry_invalid(make: Make) -> None:
    """A bit claimed by two vCPUs has no valid entry: ID 2, and emulated for all. (series.md X5-6)"""
    _, _, dom, (a, b, c) = lab(make, 3)
    b.guest.write("LDR", 0x02 << 24)
    c.guest.write("LDR", 0x06 << 24)
    assert entries(dom) == {2: 4}
    assert exits(a, ipi, a, 0x02, LOGICAL | 0x41) == [INCOMPLETE]
    assert a.exits[-1].info2 >> 32 == 2
    assert (b.guest.taken, c.guest.taken) == ({0x41: 1}, {0x41: 1})
    c.guest.write("LDR", 0x04 << 24)
    assert entries(dom) == {1: 2, 2: 4}


@proves("X5-6")
def a_new_model_moves_ones_own_entries(make: Make) -> None:
    """If the model really changes, its old entries go and its new ones come; nobody else's. (series.md X5-6)"""
    _, _, dom, (a, b) = lab(make)
    a.guest.write("LDR", 0x01 << 24)
    b.guest.write("LDR", 0x12 << 24)
    assert entries(dom) == {0: 0, 1: 2, 4: 2}
    for same in (FLAT, 0xF000_0000, 0xF123_4567):
        b.guest.write("DFR", same)
        assert entries(dom) == {0: 0, 1: 2, 4: 2}
    b.guest.write("DFR", CLUSTER)
    assert entries(dom) == {0: 0, 5: 2}
    b.guest.write("DFR", 0x0000_0000)
    assert entries(dom) == {0: 0, 5: 2}
    a.guest.write("DFR", CLUSTER)
    ipi(a, 0x12, LOGICAL | 0x41)
    assert b.guest.taken == {0x41: 1}
    b.guest.write("DFR", FLAT)
    assert entries(dom) == {0: 0, 1: 2, 4: 2}


@proves("X5-6")
def after_init_there_is_no_logical_id(make: Make) -> None:
    """INIT clears LDR and DFR: nothing of the vCPU stays in the table. (series.md X5-6, defects.md X20)"""
    _, _, dom, (a, b) = lab(make)
    b.guest.write("LDR", 0x02 << 24)
    ipi(a, 2, INIT | 0x4000)
    assert (int(b.page["LDR"]), entries(dom)) == (0, {})


@breaks("X5-6")
def the_old_entry_stays(w: World) -> None:
    def added(w: World, core: Core, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
        table = w.at[avic_domain(w, v.domain).logical_table]
        old = {place: w.at[place] for place in range(table, table + 64) if w.at[place]}
        yield from lt.move.fn(w, core, v, ldr, cluster)
        for place, entry in old.items():
            if not w.at[place]:
                yield lt.WRITE_ENTRY(place, entry)

    overlay(w, lt.move, added)


@breaks("X5-6")
def only_the_lowest_bit_counts(w: World) -> None:
    def lowest(w: World, core: Core, v: Vcpu, ldr: int) -> Beats[None]:
        yield from lt.avic_ldr_update.fn(w, core, v, (ldr >> 24 & -(ldr >> 24)) << 24)

    overlay(w, lt.avic_ldr_update, lowest)


@breaks("X5-6")
def ldr_0_changes_nothing(w: World) -> None:
    def unless_0(w: World, core: Core, v: Vcpu, ldr: int) -> Beats[None]:
        if ldr:
            yield from lt.avic_ldr_update.fn(w, core, v, ldr)

    overlay(w, lt.avic_ldr_update, unless_0)


@breaks("X5-6")
def the_first_claim_wins(w: World) -> None:
    def one(w: World, d: Domain, index: int) -> Beats[list[Vcpu]]:
        return (yield from lt.claimants.fn(w, d, index))[:1]

    overlay(w, lt.claimants, one)


@breaks("X5-6")
def every_dfr_write_clears_the_table(w: World) -> None:
    def cleared(w: World, core: Core, v: Vcpu, dfr: int) -> Beats[None]:
        for other in vcpus_of(w, v.domain):
            yield from lt.move(w, core, other, 0, int(dfr >> 28 != 0xF))

    overlay(w, lt.avic_dfr_update, cleared)


@breaks("X5-6")
def dfr_is_compared_raw(w: World) -> None:
    def raw(w: World, core: Core, v: Vcpu, dfr: int) -> Beats[None]:
        yield from lt.avic_dfr_update.fn(w, core, v, FLAT if dfr == FLAT else CLUSTER)

    overlay(w, lt.avic_dfr_update, raw)


@breaks("X5-6")
def dfr_is_not_followed(w: World) -> None:
    skip(w, lt.avic_dfr_update)


@breaks("X5-6")
def init_is_not_followed(w: World) -> None:
    skip(w, lt.avic_vlapic_reset)


@breaks("X5-6")
def entries_are_not_valid(w: World) -> None:
    def dead(w: World, core: Core, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
        yield from lt.move.fn(w, core, v, ldr, cluster)
        table = w.at[avic_domain(w, v.domain).logical_table]
        for place in range(table, table + 64):
            if w.at[place]:
                yield lt.WRITE_ENTRY(place, w.at[place] & ~LogicalEntry.VALID.mask)

    overlay(w, lt.move, dead)

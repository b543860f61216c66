"""Proofs of X0-5 and X0-5a: the emulated ICR, seen by a guest that has no AVIC."""

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.silicon.parts import Core
from avickit.xen import vlapic_init, vlapic_ipi, vlapic_irq, vlapic_match
from avickit.xen.parts import DOWN, Vcpu, vcpus_of
from avickit.xen.vlapic_state import vlapic_enabled, vlapic_get_ppr
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    ALL,
    ALL_BUT_SELF,
    ASSERT,
    EXTINT,
    INIT,
    LEVEL,
    LOGICAL,
    LOWEST,
    NMI,
    REMOTE,
    SELF,
    SMI,
    STARTUP,
    cell,
    changed,
    ipi,
    lab,
    overlay,
    said,
    skip,
)

FLAT, CLUSTER = 0xFFFF_FFFF, 0x0FFF_FFFF


def reached(vcpus: tuple[VcpuHandle, ...], vector: int = 0x41) -> set[int]:
    """Who has taken the vector."""
    return {v.vcpu.vcpu_id for v in vcpus if vector in v.guest.taken}


@proves("X0-5")
def shorthand_physical_or_logical(make: Make) -> None:
    """Matching: shorthand, physical ID or FFh, logical flat (DFR F) or cluster (DFR 0). (series.md X0-5)"""
    _, _, _, vcpus = lab(make, 3, patches=0)
    for n, v in enumerate(vcpus):
        v.guest.write("LDR", 1 << n << 24)
    cases = [
        (SELF, 0x77, {1}),
        (ALL, 0x77, {0, 1, 2}),
        (ALL_BUT_SELF, 0x77, {0, 2}),
        (0, 4, {2}),
        (0, 1, set()),
        (0, 0xFF, {0, 1, 2}),
        (LOGICAL, 0x05, {0, 2}),
        (LOGICAL, 0x08, set()),
    ]
    for vector, (mode, destination, who) in enumerate(cases, 0x41):
        ipi(vcpus[1], destination, mode | vector)
        assert reached(vcpus, vector) == who
        for v in vcpus:
            v.guest.eoi()
    for v, ldr in zip(vcpus, (0x11, 0x12, 0x21), strict=True):
        v.guest.write("DFR", CLUSTER)
        v.guest.write("LDR", ldr << 24)
    for vector, destination, who in ((0x61, 0x13, {0, 1}), (0x62, 0x2F, {2}), (0x63, 0x31, set())):
        ipi(vcpus[0], destination, LOGICAL | vector)
        assert reached(vcpus, vector) == who


@proves("X0-5")
def init_and_startup_pause_the_sender(make: Make) -> None:
    """INIT and STARTUP pause the sender and act on all matching vCPUs. (series.md X0-5)"""
    m, _, _, vcpus = lab(make, 3, patches=0)
    a, b, c = vcpus
    for kind, flag in ((INIT, True), (STARTUP | 0x10, False)):
        first = len(m.trace)
        ipi(a, 0, kind | ASSERT | ALL_BUT_SELF)
        assert [bool(cell(v, "waits_for_sipi")) for v in vcpus] == [False, flag, flag]
        assert [bool(cell(v, "pause_flags") & DOWN) for v in vcpus] == [False, flag, flag]
        words = ["d1v0 pause_flags: the sender is paused", *(f"{v.name} waits_for_sipi: the target" for v in (b, c))]
        words.append("d1v0 pause_flags: the sender may go on")
        assert said(m, first, *words) == words
    assert cell(b, "sipi_vector") == cell(c, "sipi_vector") == 0x10


@proves("X0-5")
def lowest_priority_goes_round(make: Make) -> None:
    """Lowest priority picks the matching enabled vCPU with the lowest PPR, round robin. (series.md X0-5)"""
    _, _, _, vcpus = lab(make, 4, patches=0)
    for v, tpr in zip(vcpus, (0x20, 0x30, 0x10, 0x00), strict=True):
        v.guest.write("TPR", tpr)
    vcpus[3].guest.write("SVR", 0xFF)
    ipi(vcpus[0], 0, ALL | LOWEST | 0x41)
    assert reached(vcpus) == {2}
    _, _, _, vcpus = lab(make, 3, patches=0)
    for vector in (0x41, 0x42, 0x43):
        ipi(vcpus[0], 0, ALL | LOWEST | vector)
        for v in vcpus:
            v.guest.eoi()
    assert sorted(list(v.guest.taken) for v in vcpus) == [[0x41], [0x42], [0x43]]


@proves("X0-5")
def a_vector_below_16_is_the_senders_error(make: Make) -> None:
    """Fixed with vector < 16 sets ESR send-illegal (bit 5). (series.md X0-5)"""
    _, _, _, (a, b) = lab(make, patches=0)
    ipi(a, 2, 0x0F)
    assert (a.guest.read("ESR"), b.guest.read("ESR"), b.guest.taken) == (1 << 5, 0, {})


@proves("X0-5")
def an_nmi_is_pending_and_wakes(make: Make) -> None:
    """NMI sets nmi_pending and wakes. (series.md X0-5)"""
    _, xen, _, (a, b) = lab(make, patches=0)
    b.guest.cli()
    b.guest.hlt()
    assert b.state == "down"
    ipi(a, 2, NMI)
    assert (cell(b, "nmi_pending"), b.state) == (1, "runnable")
    xen.run(b, 1)
    assert (cell(b, "nmi_pending"), b.guest.taken) == (0, {2: 1})


@proves("X0-5")
def smi_and_remote_read_are_ignored(make: Make) -> None:
    """SMI and remote read are ignored with a warning. (series.md X0-5)"""
    _, xen, dom, (a, b) = lab(make, patches=0)
    before = b.exit_count
    for kind in (SMI, REMOTE):
        lines = len(xen.console)
        ipi(a, 2, kind)
        assert len(xen.console) == lines + 1
    assert (b.exit_count, b.state, dom.crashed, cell(b, "nmi_pending")) == (before, "guest mode", False, 0)


@breaks("X0-5")
def ff_is_nobody(w: World) -> None:
    changed(w, vlapic_match.vlapic_match_physical_id, lambda target, dest: (target, 0xFE if dest == 0xFF else dest))


@breaks("X0-5")
def cluster_is_read_as_flat(w: World) -> None:
    def flat(w: World, target: Vcpu, dest: int) -> Beats[bool]:
        return bool((yield vlapic_match.READ_LDR(target.page + 0xD)) >> 24 & dest)

    overlay(w, vlapic_match.vlapic_match_logical_addr, flat)


@breaks("X0-5")
def the_sender_goes_on(w: World) -> None:
    skip(w, vlapic_init.vlapic_pause_sender)


@breaks("X0-5")
def init_reaches_the_first_only(w: World) -> None:
    def first(w: World, core: Core, v: Vcpu, icrl: int, dest: int) -> Beats[None]:
        yield from vlapic_init.vlapic_pause_sender(w, core, v)
        for target in vcpus_of(w, v.domain):
            if (yield from vlapic_ipi.matches(w, target, v, icrl, dest)):
                yield from vlapic_init.vlapic_init_sipi_one(w, core, target, icrl)
                break
        yield from vlapic_init.vlapic_unpause_sender(w, core, v)

    overlay(w, vlapic_ipi.send_init_sipi, first)


@breaks("X0-5")
def priority_does_not_matter(w: World) -> None:
    skip(w, vlapic_get_ppr, 0)


@breaks("X0-5")
def no_round_robin(w: World) -> None:
    def from_the_start(
        w: World, core: Core, source: Vcpu, shorthand: int, dest: int, logical: bool
    ) -> Beats[Vcpu | None]:
        yield vlapic_match.SET_LAST(source.domain.cells.last_lowest, 0)
        return (yield from vlapic_match.vlapic_lowest_prio.fn(w, core, source, shorthand, dest, logical))

    overlay(w, vlapic_match.vlapic_lowest_prio, from_the_start)


@breaks("X0-5")
def small_vectors_are_sent(w: World) -> None:
    overlay(w, vlapic_ipi.send_fixed, vlapic_ipi.send_to_all.fn)


@breaks("X0-5")
def an_nmi_does_not_wake(w: World) -> None:
    def only_pending(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        yield vlapic_ipi.PEND_NMI(target.cells.nmi_pending, 1)

    overlay(w, vlapic_ipi.accept_nmi, only_pending)


@breaks("X0-5")
def an_smi_is_an_nmi(w: World) -> None:
    overlay(w, vlapic_ipi.accept_smi, vlapic_ipi.accept_nmi.fn)


@proves("X0-5a")
def only_enabled_apics_hear(make: Make) -> None:
    """Fixed and lowest priority reach only APICs enabled in hardware and by SVR. (series.md X0-5a)"""
    _, _, _, vcpus = lab(make, 4, patches=0)
    a, b, _c, d = vcpus
    b.guest.write("SVR", 0xFF)
    d.guest.wrmsr(0x1B, d.guest.rdmsr(0x1B) & ~0x800)
    for kind in (0, LOWEST):
        for v in (b, d):
            ipi(a, v.apic_id, kind | 0x41)
            assert (v.page.irr, v.guest.taken) == (set(), {})
    ipi(a, 0xFF, 0x41)
    assert reached(vcpus) == {0, 2}


@proves("X0-5a")
def every_ipi_is_edge_triggered(make: Make) -> None:
    """Always with trig = 0, so a level-triggered IPI also clears TMR. (series.md X0-5a)"""
    _, xen, _, (a, b) = lab(make, patches=0)
    xen.set_irq(b, 0x41, level=True)
    assert b.page.tmr == {0x41}
    ipi(a, 2, LEVEL | ASSERT | 0x41)
    assert (b.page.tmr, b.page.irr) == (set(), {0x41})


@proves("X0-5a")
def lowest_priority_below_16_is_an_error_too(make: Make) -> None:
    """Vector < 16 sets ESR bit 5 for lowest priority too. (series.md X0-5a)"""
    _, _, _, (a, b) = lab(make, patches=0)
    ipi(a, 2, LOWEST | 0x0F)
    assert (a.guest.read("ESR"), b.guest.read("ESR"), b.guest.taken) == (1 << 5, 0, {})


@proves("X0-5a")
def extint_crashes_the_domain(make: Make) -> None:
    """ExtINT to a matching vCPU crashes the domain. (series.md X0-5a)"""
    _, _, dom, (a, _) = lab(make, patches=0)
    ipi(a, 8, EXTINT)
    assert not dom.crashed
    ipi(a, 2, EXTINT)
    assert dom.crashed


@proves("X0-5a")
def init_deassert_does_nothing(make: Make) -> None:
    """INIT de-assert does nothing. (series.md X0-5a)"""
    _, _, _, (a, b) = lab(make, patches=0)
    ipi(a, 2, INIT | LEVEL)
    assert (b.state, cell(b, "waits_for_sipi"), int(b.page["SVR"])) == ("guest mode", 0, 0x1FF)


@proves("X0-5a")
def the_targets_registers_decide(make: Make) -> None:
    """Matching uses the *target's* LDR and DFR; FFh is broadcast in physical mode only. (series.md X0-5a)"""
    _, _, _, vcpus = lab(make, 3, patches=0)
    a, b, c = vcpus
    a.guest.write("DFR", CLUSTER)
    b.guest.write("LDR", 0x12 << 24)
    ipi(a, 0x10, LOGICAL | 0x41)
    assert reached(vcpus) == {1}
    c.guest.write("DFR", CLUSTER)
    c.guest.write("LDR", 0x12 << 24)
    ipi(a, 0x20, LOGICAL | 0x52)
    assert reached(vcpus, 0x52) == set()
    b.guest.write("LDR", 0)
    ipi(b, 0xFF, LOGICAL | 0x63)
    assert reached(vcpus, 0x63) == set()


@breaks("X0-5a")
def disabled_apics_hear(w: World) -> None:
    def anybody(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        yield from vlapic_irq.vlapic_set_irq(w, core, target, icrl & 0xFF, 0)

    overlay(w, vlapic_ipi.accept_vector, anybody)


@breaks("X0-5a")
def a_level_ipi_is_level_triggered(w: World) -> None:
    def as_sent(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        if (yield from vlapic_enabled(w, core, target)):
            yield from vlapic_irq.vlapic_set_irq(w, core, target, icrl & 0xFF, icrl >> 15 & 1)

    overlay(w, vlapic_ipi.accept_vector, as_sent)


@breaks("X0-5a")
def lowest_priority_takes_any_vector(w: World) -> None:
    changed(w, vlapic_ipi.send_lowest, lambda core, v, icrl, dest: (core, v, icrl | 0x10, dest))


@breaks("X0-5a")
def extint_is_ignored(w: World) -> None:
    skip(w, vlapic_ipi.accept_unknown)


@breaks("X0-5a")
def deassert_is_an_init(w: World) -> None:
    def any_level(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        yield from vlapic_init.vlapic_init_sipi_one.fn(w, core, target, icrl | ASSERT)

    overlay(w, vlapic_init.vlapic_init_sipi_one, any_level)


@breaks("X0-5a")
def logical_ff_is_a_broadcast(w: World) -> None:
    def everybody(w: World, target: Vcpu, dest: int) -> Beats[bool]:
        return dest == 0xFF or (yield from vlapic_match.vlapic_match_logical_addr.fn(w, target, dest))

    overlay(w, vlapic_match.vlapic_match_logical_addr, everybody)

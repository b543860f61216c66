"""Proofs of X0-5a: whom the emulated ICR reaches, and how."""

from avickit.beat import Beats, World
from avickit.silicon.parts import Core
from avickit.xen import vlapic_ipi, vlapic_irq, vlapic_match, vlapic_sipi
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_state import vlapic_enabled
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_ipi import CLUSTER, reached
from tests.proofs.xen_tools import (
    ASSERT,
    EXTINT,
    INIT,
    LEVEL,
    LOGICAL,
    LOWEST,
    cell,
    changed,
    ipi,
    lab,
    overlay,
    skip,
)


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
        yield from vlapic_sipi.vlapic_init_sipi_one.fn(w, core, target, icrl | ASSERT)

    overlay(w, vlapic_sipi.vlapic_init_sipi_one, any_level)


@breaks("X0-5a")
def logical_ff_is_a_broadcast(w: World) -> None:
    def everybody(w: World, target: Vcpu, dest: int) -> Beats[bool]:
        return dest == 0xFF or (yield from vlapic_match.vlapic_match_logical_addr.fn(w, target, dest))

    overlay(w, vlapic_match.vlapic_match_logical_addr, everybody)

"""Proofs of X0-2 and X0-3: what an interrupt costs without AVIC."""

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.silicon.guest import Insn, retire
from avickit.silicon.parts import Core
from avickit.xen import intr, sched, svm, vlapic_irq
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_state import at
from avickit.xen.vmcb import inject_event
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import INTR, NPF, VINTR, exits, field, ipi, lab, overlay, said, skip


def taken(v: VcpuHandle, *vectors: int) -> list[str]:
    """The places that count these vectors, for `said`."""
    return [f"{v.name} taken {vector:02x}h" for vector in vectors]


@proves("X0-2")
def every_access_is_a_nested_page_fault(make: Make) -> None:
    """Without AVIC every access to the APIC page is intercepted (exit 400h) and emulated. (series.md X0-2)"""
    _, _, _, (a,) = lab(make, 1, patches=0)
    assert exits(a, a.guest.write, "TPR", 0x20) == [NPF]
    assert a.exits[-1].info2 == 0xFEE0_0080
    assert exits(a, a.guest.read, "TPR") == [NPF]
    assert (a.guest.read("TPR"), a.page.tpr, a.guest.read_cr8()) == (0x20, 0x20, 2)
    for name in ("ID", "VERSION", "LVT_TIMER", "ICRH", "SVR"):
        assert exits(a, a.guest.read, name) == [NPF]


@proves("X0-2")
def an_ipi_costs_four_steps(make: Make) -> None:
    """Each IPI: the ICR-write exit, a kick that is an exit, injection at VMRUN, an EOI-write exit. (series.md X0-2)"""
    m, _, _, (a, b) = lab(make, patches=0)
    a.guest.write("ICRH", 2 << 24)
    before = b.exit_count
    first = len(m.trace)
    assert exits(a, a.guest.write, "ICRL", 0x41) == [NPF]
    assert [int(e.code) for e in b.exits[before - b.exit_count :]] == [INTR]
    order = ["VMCB EVENTINJ: Xen writes", "is there an event to inject", *taken(b, 0x41)]
    assert said(m, first, *order, actor="core 1") == order
    assert said(m, first, "physical IPI to core 1", actor="core 0") == ["physical IPI to core 1"]
    assert (b.page.isr, b.page.irr, b.guest.taken) == ({0x41}, set(), {0x41: 1})
    assert exits(b, b.guest.eoi) == [NPF]


@proves("X0-2")
def who_cannot_take_it_gets_a_window(make: Make) -> None:
    """With IF = 0 an interrupt waits for the window: V_IRQ, and exit 064h when it opens. (series.md X0-2)"""
    _, _, _, (a, b) = lab(make, patches=0)
    b.guest.cli()
    assert exits(b, ipi, a, 2, 0x41) == [INTR]
    assert field(b, "VINTR", "V_IRQ") == 1
    assert field(b, "INTERCEPT_EXCEPTIONS_MISC1", "VINTR") == 1
    assert b.guest.taken == {}
    assert exits(b, b.guest.execute, (Insn("sti"), Insn("nop"))) == [VINTR]
    assert (b.guest.taken, field(b, "VINTR", "V_IRQ"), field(b, "INTERCEPT_EXCEPTIONS_MISC1", "VINTR")) == (
        {0x41: 1},
        0,
        0,
    )


@proves("X0-2")
def the_window_is_for_the_highest(make: Make) -> None:
    """The window opens for the vector that waits, also if it came behind a lower one. (series.md X0-2)"""
    _, xen, _, (a,) = lab(make, 1, patches=0)
    a.guest.write_cr8(15)
    xen.set_irq(a, 0x31)
    xen.set_irq(a, 0x61)
    assert exits(a, a.guest.write_cr8, 4) == [VINTR]
    assert (a.guest.taken, a.page.irr) == ({0x61: 1}, {0x31})


@breaks("X0-2")
def an_old_window_is_kept(w: World) -> None:
    def kept(w: World, core: Core, v: Vcpu, source: intr.Source, vector: int) -> Beats[None]:
        if not w.at[v.guest.vmcb + (VmcbOffset.VINTR >> 3)] & VIntr.V_IRQ.mask:
            yield from intr.enable_intr_window.fn(w, core, v, source, vector)

    overlay(w, intr.enable_intr_window, kept)


@breaks("X0-2")
def nobody_emulates(w: World) -> None:
    def step_over(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from retire(w, v.guest, 0)

    overlay(w, svm.exit_npf, step_over)


@breaks("X0-2")
def nobody_injects(w: World) -> None:
    skip(w, inject_event)


@breaks("X0-2")
def the_target_is_not_kicked(w: World) -> None:
    overlay(w, sched.vcpu_kick, sched.vcpu_unblock.fn)


@breaks("X0-2")
def no_window_is_asked_for(w: World) -> None:
    skip(w, intr.enable_intr_window)


@proves("X0-3")
def an_illegal_vector_is_an_error(make: Make) -> None:
    """vec < 16: ESR receive-illegal (bit 6) and the LVT error interrupt. (series.md X0-3)"""
    _, xen, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("LVT_ERROR", 0x33)
    xen.set_irq(a, 15)
    assert a.guest.read("ESR") == 1 << 6
    assert (a.guest.taken, a.page.isr, a.page.irr) == ({0x33: 1}, {0x33}, set())


@proves("X0-3")
def tmr_follows_the_trigger_mode(make: Make) -> None:
    """Set or clear the vector's TMR bit by trig. (series.md X0-3)"""
    _, xen, _, (a,) = lab(make, 1, patches=0)
    xen.set_irq(a, 0x41, level=True)
    xen.set_irq(a, 0x42)
    assert a.page.tmr == {0x41}
    xen.set_irq(a, 0x41)
    assert a.page.tmr == set()


@proves("X0-3")
def a_kick_if_it_was_not_set(make: Make) -> None:
    """No hook: set IRR, and kick if it was not set before. With the hook: deliver_posted_intr. (series.md X0-3)"""
    _, xen, _, (a,) = lab(make, 1, patches=0)
    a.guest.cli()
    assert exits(a, xen.set_irq, a, 0x41) == [INTR]
    assert exits(a, xen.set_irq, a, 0x41) == []
    assert a.page.irr == {0x41}
    _, xen, _, (a,) = lab(make, 1, patches=10)
    assert exits(a, xen.set_irq, a, 0x41) == []
    assert (a.guest.taken, a.stats["post_intr"]) == ({0x41: 1}, 1)


@breaks("X0-3")
def an_illegal_vector_is_the_senders_error(w: World) -> None:
    def other_bit(w: World, core: Core, v: Vcpu, errmask: int) -> Beats[None]:
        yield from vlapic_irq.vlapic_error.fn(w, core, v, 1 << 5)

    overlay(w, vlapic_irq.vlapic_error, other_bit)


@breaks("X0-3")
def no_error_interrupt(w: World) -> None:
    def quiet(w: World, core: Core, v: Vcpu, errmask: int) -> Beats[None]:
        yield vlapic_irq.SET_ESR(at(v, 0x280), errmask)

    overlay(w, vlapic_irq.vlapic_error, quiet)


@breaks("X0-3")
def tmr_is_never_cleared(w: World) -> None:
    def only_set(w: World, core: Core, v: Vcpu, vec: int, trig: int) -> Beats[None]:
        if trig:
            yield from vlapic_irq.vlapic_set_tmr.fn(w, core, v, vec, trig)

    overlay(w, vlapic_irq.vlapic_set_tmr, only_set)


@breaks("X0-3")
def a_kick_each_time(w: World) -> None:
    def always_new(w: World, core: Core, v: Vcpu, vec: int) -> Beats[bool]:
        yield from vlapic_irq.vlapic_test_and_set_irr.fn(w, core, v, vec)
        return False

    overlay(w, vlapic_irq.vlapic_test_and_set_irr, always_new)

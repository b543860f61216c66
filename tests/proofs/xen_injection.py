"""Proofs of X0-6 and X0-9: how an interrupt gets into the guest without AVIC."""

from avickit.beat import Beats, World
from avickit.silicon.parts import INTR as INTR_SIGNAL
from avickit.silicon.parts import Core
from avickit.silicon.vmrun import vmrun
from avickit.xen import intr, svm, vlapic_irq
from avickit.xen.intr import Source
from avickit.xen.parts import Vcpu, pcpu, vcpu_of
from avickit.xen.vlapic_state import at, vlapic_find_highest_irr
from avickit.xen.vmcb import before_vmrun
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_costs import taken
from tests.proofs.xen_tools import INTR, exits, lab, overlay, said


@proves("X0-6")
def irr_is_compared_with_isr(make: Make) -> None:
    """vlapic_has_pending_irq compares the highest IRR with the highest ISR, by class. (series.md X0-6)"""
    _, xen, _, (a,) = lab(make, 1, patches=0)
    xen.set_irq(a, 0x62)
    xen.set_irq(a, 0x6F)
    xen.set_irq(a, 0x51)
    assert (a.page.isr, a.page.irr) == ({0x62}, {0x6F, 0x51})
    xen.set_irq(a, 0x70)
    assert (a.page.isr, a.page.irr) == ({0x62, 0x70}, {0x6F, 0x51})
    a.guest.eoi()
    a.guest.eoi()
    assert (a.page.isr, a.page.irr) == ({0x6F}, {0x51})


@proves("X0-6")
def software_acknowledges(make: Make) -> None:
    """vlapic_ack_pending_irq moves the vector from IRR to ISR in software, before VMRUN. (series.md X0-6)"""
    m, xen, _, (a,) = lab(make, 1, patches=0)
    first = len(m.trace)
    xen.set_irq(a, 0x41)
    words = ("software sets the ISR", "software clears the IRR", "VMRUN reads the clean", *taken(a, 0x41))
    assert said(m, first, *words) == list(words)


@breaks("X0-6")
def isr_is_not_looked_at(w: World) -> None:
    def highest(w: World, core: Core, v: Vcpu) -> Beats[int]:
        return (yield from vlapic_find_highest_irr(w, core, v))

    overlay(w, vlapic_irq.vlapic_has_pending_irq, highest)


@breaks("X0-6")
def the_vector_is_not_acknowledged(w: World) -> None:
    def only_clear(w: World, core: Core, v: Vcpu, vector: int) -> Beats[bool]:
        yield vlapic_irq.CLEAR_IRR(at(v, 0x200), ~(1 << vector))
        return True

    overlay(w, vlapic_irq.vlapic_ack_pending_irq, only_clear)


@proves("X0-9")
def the_order_of_sources(make: Make) -> None:
    """NMI, callback vector, PIC, LAPIC. (series.md X0-9; machine checks are not modelled)"""
    m, xen, _, (a,) = lab(make, 1, patches=0)
    xen.deschedule(a)
    xen.set_irq(a, 0x80)
    xen.extint(a, 0x72)
    xen.callback(a, 0x71)
    xen.nmi(a)
    first = len(m.trace)
    xen.run(a, 0)
    words = taken(a, 2, 0x71, 0x72, 0x80)
    assert said(m, first, *words) == words


@proves("X0-9")
def a_softirq_starts_the_loop_over(make: Make) -> None:
    """svm_intr_assist; a softirq pending -> run it and start over; VMRUN; exit handler. (series.md X0-9)"""
    m, _, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("LVT_TIMER", 0x40)
    a.guest.write("TMICT", 1000)
    first = len(m.trace)
    assert exits(a, m.advance, 100_000) == [INTR]
    assert a.guest.taken == {0x40: 1}
    begin = ["event in nmi_pending", "a softirq pending? 4", "takes the softirqs"]
    again = ["sets the IRR bit", "event in nmi_pending", "VMCB EVENTINJ: Xen writes"]
    end = ["a softirq pending? 0", "VMRUN reads the clean", *taken(a, 0x40)]
    told = said(m, first, *begin, *again, *end)
    told = [word for n, word in enumerate(told) if word != told[n - 1]]
    assert told == [*begin, *again, "event in nmi_pending", *end]


@breaks("X0-9")
def the_lapic_comes_first(w: World) -> None:
    def lapic_first(w: World, core: Core, v: Vcpu) -> Beats[tuple[Source, int]]:
        vector = yield from vlapic_irq.vlapic_has_pending_irq(w, core, v)
        return (Source.LAPIC, vector) if vector >= 0 else (yield from intr.has_pending_irq.fn(w, core, v))

    overlay(w, intr.has_pending_irq, lapic_first)


@breaks("X0-9")
def softirqs_do_not_start_over(w: World) -> None:
    def straight_on(w: World, core: Core, exited: bool) -> Beats[bool]:
        p = pcpu(w, core)
        if exited:
            yield from svm.vmexit_handler(w, core, vcpu_of(w, w.see[p.current] - 1))
        yield svm.TAKE_INTERRUPT(core.signals, ~INTR_SIGNAL)
        if w.see[p.current]:
            yield from intr.intr_assist(w, core, vcpu_of(w, w.see[p.current] - 1))
        if (yield svm.READ_SOFTIRQ(p.softirq)):
            yield from svm.do_softirq(w, core)
        if not w.see[p.current]:
            return False
        v = vcpu_of(w, w.see[p.current] - 1)
        yield from before_vmrun(w, core, v)
        return (yield from vmrun(w, core, v.guest)) is None

    overlay(w, svm.hypervisor, straight_on)

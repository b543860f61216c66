"""Proofs of X7-2 and X7-3: the interrupt window and V_TPR, and what it was before."""

import pytest

from avickit.beat import Beats, World, drive
from avickit.lab.handles import VcpuHandle
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.silicon import run
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core, Exit, Guest
from avickit.xen import intr, svm
from avickit.xen.parts import Vcpu, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.series_posted import BELL, KICK
from tests.proofs.xen_tools import (
    INTR,
    VINTR,
    Lab,
    exits,
    field,
    lab,
    overlay,
    poke,
    said,
    skip,
)

TPR = 8
"""The slot of TPR in the page."""


def v_tpr(v: VcpuHandle) -> int:
    """V_TPR in the VMCB."""
    return int(field(v, "VINTR", "V_TPR"))


@proves("X7-2")
def no_window_is_asked_for(make: Make) -> None:
    """svm_enable_intr_window returns at once with AVIC on. (series.md X7-2)"""
    for patches, avic, asked in ((6, True, 1), (7, True, 0), (10, True, 0), (10, False, 1)):
        _, xen_, _, (a,) = lab(make, 1, patches=patches, avic=avic)
        a.guest.cli()
        xen_.callback(a, 0x71)
        assert (field(a, "VINTR", "V_IRQ"), field(a, "INTERCEPT_EXCEPTIONS_MISC1", "VINTR")) == (asked, asked)


@proves("X7-2")
def a_window_exit_is_a_bug(make: Make) -> None:
    """A VINTR exit with AVIC on -> log, crash the domain. (series.md X7-2)"""
    for avic in (True, False):
        m, xen_, dom, (a,) = lab(make, 1, avic=avic)
        handler = xen(m.world).vmexits[VINTR]
        drive(m.world, handler(m.world, m.world.objects["cores"][0], a.vcpu))
        assert (dom.crashed, any("AVIC VINTR:" in line for line in xen_.console)) == (avic, avic)


@proves("X7-2")
def two_of_three_tpr_copies_go(make: Make) -> None:
    """V_TPR to page at exit and page to V_TPR in svm_do_resume go; at the end of each exit it stays. (X7-2)"""
    for patches, in_page, resumed in ((6, 0x00, 3), (7, 0x50, 0), (10, 0x50, 0)):
        m, xen_, _, (a,) = lab(make, 1, patches=patches)
        poke(m, a.vcpu.page + TPR, 0x50)
        a.guest.write("TDCR", 0xB)
        assert (a.page.tpr, v_tpr(a)) == (in_page, in_page >> 4)
        a.guest.write("TPR", 0)
        xen_.deschedule(a)
        poke(m, a.vcpu.page + TPR, 0x30)
        first = len(m.trace)
        xen_.run(a, 0)
        assert v_tpr(a) == resumed
        assert said(m, first, "Xen reads the page's TPR") == (["Xen reads the page's TPR"] if resumed else [])


@breaks("X7-2")
def the_window_is_still_asked_for(w: World) -> None:
    overlay(w, intr.enable_intr_window, intr.enable_intr_window.fn)


@breaks("X7-2", patch=True)
def a_window_exit_is_taken_as_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p07, "vintr_is_a_bug", svm.exit_vintr)


@breaks("X7-2")
def v_tpr_is_still_copied_at_exit(w: World) -> None:
    overlay(w, svm.v_tpr_to_page, svm.v_tpr_to_page.fn)


@breaks("X7-2")
def tpr_is_still_reflected(w: World) -> None:
    overlay(w, svm.reflect_tpr, svm.reflect_tpr.fn)


@breaks("X7-2")
def the_last_copy_goes_too(w: World) -> None:
    skip(w, svm.page_to_v_tpr)


def dead_window(make: Make, patches: int) -> Lab:
    """A guest with IF = 0 that Xen has an interrupt for."""
    on = lab(make, 1, patches=patches)
    on.vcpus[0].guest.cli()
    on.xen.set_irq(on.vcpus[0], 0x41)
    return on


@proves("X7-3")
def before_it_each_interrupt_costs_an_exit(make: Make) -> None:
    """N = 6: Xen sets IRR and kicks: a physical IPI and an exit for each interrupt. (series.md X7-3)"""
    for patches, cost in ((6, [INTR]), (7, [])):
        m, xen_, _, (_, b) = lab(make, patches=patches)
        first = len(m.trace)
        assert exits(b, xen_.set_irq, b, 0x41) == cost
        assert (said(m, first, KICK, BELL), b.guest.taken) == ([KICK if cost else BELL], {0x41: 1})


@proves("X7-3")
def v_irq_lies_dead(make: Make) -> None:
    """With IF = 0: V_IRQ stays as written, no VINTR exit comes, LAPIC vectors still arrive. (series.md X7-3)"""
    for patches, asked in ((6, 1), (7, 0)):
        _, _, _, (a,) = dead_window(make, patches)
        assert (field(a, "VINTR", "V_IRQ"), a.page.irr, a.guest.taken) == (asked, {0x41}, {})
        assert exits(a, a.guest.execute, (Insn("sti"), Insn("nop"))) == []
        assert (field(a, "VINTR", "V_IRQ"), a.page.isr, a.guest.taken) == (asked, {0x41}, {0x41: 1})


@proves("X7-3")
def who_waits_for_the_window_starves(make: Make) -> None:
    """ExtINT and callback vectors wait for some exit, before the patch and after it. (series.md X7-3, X23)"""
    for patches in (6, 7, 10):
        for pending in ("callback", "extint"):
            _, xen_, _, (a,) = lab(make, 1, patches=patches)
            a.guest.cli()
            getattr(xen_, pending)(a, 0x71)
            assert exits(a, a.guest.execute, (Insn("sti"), Insn("nop"), Insn("nop"))) == []
            assert a.guest.taken == {}
            a.guest.write("TDCR", 0xB)
            assert a.guest.taken == {0x71: 1}
            xen_.nmi(a)
            assert a.guest.taken == {0x71: 1, 2: 1}


@breaks("X7-3", patch=True)
def the_doorbell_comes_with_patch_6(patch: pytest.MonkeyPatch) -> None:
    def both(w: World) -> None:
        p06_apply(w)
        xen(w).start.append(p07.start)

    p06_apply = p06.apply
    patch.setattr(p06, "apply", both)


@breaks("X7-3")
def the_window_opens(w: World) -> None:
    def opens(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        latch = w.see[core.latch]
        yield run.SET_IF(core.latch, latch._replace(enabled=False))
        found = yield from run.virtual_interrupt.fn(w, core, guest)
        yield run.SET_IF(core.latch, latch)
        return found

    overlay(w, run.virtual_interrupt, opens)


@breaks("X7-3")
def nobody_starves(w: World) -> None:
    def blind(w: World, core: Core, v: Vcpu, source: intr.Source, vector: int) -> Beats[bool]:
        found = yield from intr.interrupt_blocked.fn(w, core, v, source, vector)
        return found and source in (intr.Source.LAPIC, intr.Source.NMI)

    overlay(w, intr.interrupt_blocked, blind)

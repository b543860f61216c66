"""Proofs of X7-1 .. X7-3: an interrupt is an IRR bit and a doorbell, and what it was before."""

import pytest

from avickit.beat import Beats, World, drive
from avickit.lab.handles import VcpuHandle
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.silicon import run
from avickit.silicon.doorbell import write_doorbell_msr
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core, Exit, Guest
from avickit.xen import intr, sched, svm
from avickit.xen.parts import Vcpu, pcpu, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    INTR,
    NPF,
    VINTR,
    Lab,
    exits,
    field,
    lab,
    overlay,
    poke,
    said,
    skip,
    stop_inside,
)

BELL, KICK, UNBLOCK = "rings the doorbell of core 1", "sends a physical IPI to core 1", "clears blocked"
TPR = 8
"""The slot of TPR in the page."""


def v_tpr(v: VcpuHandle) -> int:
    """V_TPR in the VMCB."""
    return int(field(v, "VINTR", "V_TPR"))


@proves("X7-1")
def a_running_vcpu_gets_a_doorbell(make: Make) -> None:
    """Set IRR; unblock; running on another core -> the doorbell MSR with its core's APIC ID. (series.md X7-1)"""
    for patches in (7, 10):
        m, xen_, _, (_, b) = lab(make, patches=patches, host_ids=(5, 6, 7))
        first = len(m.trace)
        assert exits(b, xen_.set_irq, b, 0x41) == []
        told = said(m, first, "Xen sets the IRR bit of vector 41h", UNBLOCK, BELL, KICK)
        assert told == ["Xen sets the IRR bit of vector 41h", UNBLOCK, BELL]
        assert b.guest.taken == {0x41: 1}


@proves("X7-1")
def already_set_is_done(make: Make) -> None:
    """Already set -> done: no doorbell, no kick. (series.md X7-1)"""
    m, xen_, _, (_, b) = lab(make)
    b.guest.cli()
    xen_.set_irq(b, 0x41)
    first = len(m.trace)
    xen_.set_irq(b, 0x41)
    assert said(m, first, BELL, KICK, UNBLOCK) == []
    b.guest.execute((Insn("sti"), Insn("nop")))
    assert b.guest.taken == {0x41: 1}


@proves("X7-1")
def who_does_not_run_is_kicked(make: Make) -> None:
    """Else vcpu_kick: a sleeper is unblocked, nobody's doorbell rings. (series.md X7-1)"""
    m, xen_, _, (_, b) = lab(make)
    b.guest.hlt()
    first = len(m.trace)
    xen_.set_irq(b, 0x41)
    assert (b.state, said(m, first, "rings the doorbell")) == ("runnable", [])
    xen_.run(b, 1)
    assert b.guest.taken == {0x41: 1}


@proves("X7-1")
def unblocking_comes_always(make: Make) -> None:
    """Unblock v always, also where is_running is still 1 and a doorbell is rung. (series.md X7-1, defects.md X02)"""
    beats, inside = 0, True
    while inside:
        m, xen_, _, (_, b) = lab(make)
        inside = stop_inside(m, beats, "execute", b.vcpu.guest.index, m.instruction(Insn("hlt")))
        xen_.set_irq(b, 0x41, core=2)
        if inside:
            m.finish()
        assert 0x41 in b.guest.taken or b.state in ("guest mode", "runnable"), f"asleep after beat {beats}"
        beats += 1
    assert beats > 30


@proves("X7-1")
def with_avic_off_it_is_irr_and_a_kick(make: Make) -> None:
    """AVIC off for v -> set IRR, kick if newly set. (series.md X7-1)"""
    m, xen_, _, (_, b) = lab(make, patches=7)
    xen_.deschedule(b)
    for offset, value in ((VmcbOffset.VINTR, VIntr(V_INTR_MASKING=1).value), (VmcbOffset.CLEAN, 0)):
        poke(m, b.vcpu.guest.vmcb + (offset >> 3), value)
    xen_.run(b, 1)
    assert exits(b, b.guest.read, "ID") == [NPF]
    first = len(m.trace)
    assert exits(b, xen_.set_irq, b, 0x41) == [INTR]
    assert (said(m, first, BELL, KICK), b.guest.taken) == ([KICK], {0x41: 1})
    b.guest.cli()
    assert exits(b, xen_.set_irq, b, 0x52) == [INTR]
    assert exits(b, xen_.set_irq, b, 0x52) == []


@breaks("X7-1")
def a_runner_is_not_unblocked(w: World) -> None:
    def published(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if (yield p07.IS_RUNNING(v.cells.is_running)) and w.see(pcpu(w, core).current) != v.guest.index + 1:
            yield from write_doorbell_msr(
                w, core, w.objects["cores"][(yield p07.WHERE(v.cells.processor))].host_apic_id
            )
        else:
            yield from sched.vcpu_kick(w, core, v)

    overlay(w, p07.notify, published)


@breaks("X7-1")
def everybody_is_kicked(w: World) -> None:
    overlay(w, p07.notify, sched.vcpu_kick.fn)


@breaks("X7-1")
def the_doorbell_is_always_rung(w: World) -> None:
    def always(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
        yield p07.SET_IRR(v.page + p07.IRR, 1 << vector)
        yield from p07.notify(w, core, v)

    overlay(w, p07.svm_avic_deliver_posted_intr, always)


@breaks("X7-1")
def the_doorbell_is_the_cores_number(w: World) -> None:
    def number(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from sched.vcpu_unblock(w, core, v)
        if (yield p07.IS_RUNNING(v.cells.is_running)):
            yield from write_doorbell_msr(w, core, (yield p07.WHERE(v.cells.processor)))

    overlay(w, p07.notify, number)


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
        latch = w.see(core.latch)
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

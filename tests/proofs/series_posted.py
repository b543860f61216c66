"""Proofs of X7-1: an interrupt is an IRR bit and a doorbell."""

from avickit.beat import Beats, World
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.series import p07_interrupts as p07
from avickit.silicon.doorbell import write_doorbell_msr
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import Vcpu, pcpu
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    INTR,
    NPF,
    exits,
    lab,
    overlay,
    poke,
    said,
    stop_inside,
)

BELL, KICK, UNBLOCK = "rings the doorbell of core 1", "sends a physical IPI to core 1", "clears blocked"


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
        if (yield p07.IS_RUNNING(v.cells.is_running)) and w.see[pcpu(w, core).current] != v.guest.index + 1:
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

"""Proofs of X8-1 and X8-2: acknowledging becomes the hardware's work."""

from typing import Any

import pytest

from avickit.beat import Beats, World, drive
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.series import p08_hooks as p08
from avickit.silicon.guest import Insn, write
from avickit.silicon.parts import Core
from avickit.xen import intr, vlapic, vlapic_irq
from avickit.xen.parts import Vcpu, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import Lab, exits, ipi, lab, overlay, poke, said

PPR, ISR, IRR = 0xA, 0x10, 0x20
SOFTWARE = ["VMCB EVENTINJ: Xen writes", "software sets the ISR", "software clears the IRR"]
FLAG = "virtual_intr_delivery_enabled"


@proves("X8-1")
def the_flag_follows_the_variable(make: Make) -> None:
    """virtual_intr_delivery_enabled = svm_avic. (series.md X8-1)"""
    for patches, avic, flag in ((7, True, False), (8, True, True), (8, False, False), (10, True, True)):
        on = lab(make, 1, patches=patches, avic=avic)
        assert xen(on.m.world).flags.get(FLAG, False) is flag


@proves("X8-1")
def isr_is_not_compared_nor_written(make: Make) -> None:
    """The highest IRR vector without comparing ISR; ack no longer moves IRR to ISR. (series.md X8-1)"""
    for patches, pending, isr, irr in ((7, -1, {0x41, 0x80}, set()), (8, 0x41, {0x80}, {0x41})):
        on = lab(make, 1, patches=patches)
        m, (a,) = on.m, on.vcpus
        poke(m, a.vcpu.page + ISR, 1 << 0x80)
        poke(m, a.vcpu.page + IRR, 1 << 0x41)
        core = m.world.objects["cores"][0]
        assert drive(m.world, vlapic.vlapic_has_pending_irq(m.world, core, a.vcpu)) == pending
        assert drive(m.world, vlapic.vlapic_ack_pending_irq(m.world, core, a.vcpu, 0x41))
        assert (a.page.isr, a.page.irr) == (isr, irr)


@proves("X8-1")
def before_it_two_parties_acknowledge(make: Make) -> None:
    """N = 5..7: software moves the bit and injects with EVENTINJ; PPR in the page is stale meanwhile. (X8-1)"""
    for patches in (5, 6, 7, 8, 10):
        on = lab(make, 2, patches=patches)
        m, (a, b) = on.m, on.vcpus
        b.guest.hlt()
        ipi(a, 2, 0x41)
        first = len(m.trace)
        on.xen.run(b, 1)
        assert b.guest.taken == {0x41: 1}
        assert (b.page.isr, b.page.irr, b.page.ppr) == ({0x41}, set(), 0x40)
        assert set(said(m, first, *SOFTWARE)) == (set(SOFTWARE) if patches < 8 else set())
        if patches < 8:
            beats = (n for n in range(first, len(m.trace)) if SOFTWARE[0] in f"{m.trace[n].place}: {m.trace[n].say}")
            state = m.trace.state(next(beats))
            assert (state[b.vcpu.page + ISR], state[b.vcpu.page + PPR]) == (1 << 0x41, 0)


@proves("X8-1")
def software_acknowledges_where_avic_is_off(make: Make) -> None:
    """With the flag set, a vCPU whose own AVIC is off: one EVENTINJ, ISR by software, IRR empty. (X8-1, X7-1)"""
    for patches in (8, 10):
        on = lab(make, 2, patches=patches, budget=100_000)
        m, (a, b) = on.m, on.vcpus
        on.xen.deschedule(b, sync=True)
        vintr, clean = (b.vcpu.guest.vmcb + (offset >> 3) for offset in (VmcbOffset.VINTR, VmcbOffset.CLEAN))
        poke(m, vintr, m.world.at[vintr] & ~VIntr.AVIC_ENABLE.mask)
        poke(m, clean, 0)
        on.xen.run(b, 1)
        first = len(m.trace)
        on.xen.set_irq(b, 0x41)
        assert (b.guest.taken, b.page.isr, b.page.irr) == ({0x41: 1}, {0x41}, set())
        assert said(m, first, *SOFTWARE)[:3] == [SOFTWARE[1], SOFTWARE[2], SOFTWARE[0]]
        on.xen.set_irq(b, 0x42)
        assert (b.guest.taken, b.page.irr) == ({0x41: 1}, {0x42})
        on.xen.set_irq(a, 0x43)
        assert a.guest.taken == {0x43: 1}


@breaks("X8-1")
def one_flag_for_all_vcpus(w: World) -> None:
    op = vlapic_irq.vlapic_virtual_intr_delivery_enabled
    overlay(w, op, op.fn)


@breaks("X8-1", patch=True)
def the_flag_is_never_set(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p08, "start", lambda w: None)


@breaks("X8-1", patch=True)
def the_flag_is_always_set(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p08, "start", lambda w: xen(w).flags.update({FLAG: True}))


@breaks("X8-1")
def software_acknowledges_too(w: World) -> None:
    def moves(w: World, core: Core, v: Vcpu, vector: int) -> Beats[bool]:
        yield vlapic_irq.SET_ISR(v.page + ISR, 1 << vector)
        yield vlapic_irq.CLEAR_IRR(v.page + IRR, ~(1 << vector))
        return True

    overlay(w, vlapic_irq.vlapic_ack_pending_irq, moves)


@breaks("X8-1")
def software_never_acknowledges(w: World) -> None:
    def leaves(w: World, core: Core, v: Vcpu, vector: int) -> Beats[bool]:
        return True
        yield

    overlay(w, vlapic_irq.vlapic_ack_pending_irq, leaves)


def ticking(make: Make, patches: int) -> Lab:
    """A guest with a periodic timer and a handler that ends each tick."""
    on = lab(make, 1, patches=patches)
    (a,) = on.vcpus
    a.guest.on(0x40, [write("EOI", 0)])
    a.guest.write("TDCR", 0xB)
    a.guest.write("LVT_TIMER", 1 << 17 | 0x40)
    a.guest.write("TMICT", 1000)
    return on


@proves("X8-2")
def it_arrives_once(make: Make) -> None:
    """svm_intr_assist leaves LAPIC vectors to the hardware: it arrives once. (series.md X8-2; X22)"""
    on = lab(make, 2)
    a, b = on.vcpus
    b.guest.on(0x41, [write("EOI", 0)])
    b.guest.hlt()
    ipi(a, 2, 0x41)
    on.xen.run(b, 1)
    b.guest.cli()
    on.xen.set_irq(b, 0x41, core=1)
    b.guest.write("TDCR", 0xB)
    b.guest.execute((Insn("sti"), Insn("nop")))
    b.guest.write("TDCR", 0xB)
    assert (b.guest.taken, b.page.isr, b.page.irr) == ({0x41: 2}, set(), set())
    assert "VMCB EVENTINJ: Xen writes" not in said(on.m, 0, "VMCB EVENTINJ: Xen writes")


@proves("X8-2")
def others_are_still_injected(make: Make) -> None:
    """Only LAPIC vectors are left to the hardware. (series.md X8-2)"""
    on = lab(make, 1)
    (a,) = on.vcpus
    on.xen.callback(a, 0x71)
    on.xen.extint(a, 0x72)
    on.xen.nmi(a)
    assert a.guest.taken == {0x71: 1, 0x72: 1, 2: 1}


@proves("X8-2")
def periodic_timers_keep_ticking(make: Make) -> None:
    """The timer bookkeeping (pt_intr_post) is kept, whatever else is pending. (series.md X8-2)"""
    for patches in (0, 8, 10):
        on = ticking(make, patches)
        (a,) = on.vcpus
        on.m.advance(55_000)
        assert a.guest.taken == {0x40: 5}
    a.guest.on(0x80, [write("EOI", 0)])
    a.guest.cli()
    a.guest.write("ICRL", 0x4_0080)
    on.m.advance(15_000)
    a.guest.execute((Insn("sti"), Insn("nop")))
    before = a.guest.taken[0x40]
    assert exits(a, on.m.advance, 50_000)
    assert a.guest.taken[0x40] >= before + 4


@breaks("X8-2")
def it_is_injected_as_well(w: World) -> None:
    overlay(w, intr.pending_for_injection, intr.pending_for_injection.fn)


def leave_it(w: World, core: Core, v: Vcpu) -> Any:
    """The repair that comes to mind first: LAPIC vectors are left alone, and so is the timer."""
    source, vector = yield from intr.has_pending_irq(w, core, v)
    if source is intr.Source.LAPIC and xen(w).flags.get(FLAG):
        return intr.Source.NONE, 0
    return source, vector


@breaks("X8-2")
def the_timer_is_forgotten(w: World) -> None:
    overlay(w, intr.pending_for_injection, leave_it)


@breaks("X8-2")
def the_timer_is_posted_only_if_it_is_the_highest(w: World) -> None:
    def highest(w: World, core: Core, v: Vcpu) -> Any:
        source, vector = yield from intr.has_pending_irq(w, core, v)
        if source is intr.Source.LAPIC and xen(w).flags.get(FLAG):
            yield from vlapic.pt_intr_post(w, core, v, vector)
            return intr.Source.NONE, 0
        return source, vector

    overlay(w, intr.pending_for_injection, highest)


@breaks("X8-2")
def nothing_is_injected(w: World) -> None:
    def nobody(w: World, core: Core, v: Vcpu) -> Any:
        found = yield from leave_it(w, core, v)
        return (intr.Source.NONE, 0) if xen(w).flags.get(FLAG) else found

    overlay(w, intr.pending_for_injection, nobody)

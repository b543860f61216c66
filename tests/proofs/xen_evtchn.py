"""Proofs of X0-11 and X0-12: event channels, the interrupt that goes past the local APIC."""

from avickit.beat import Beats, World
from avickit.lab.evtchn import bind
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import evtchn, hypercall, sched
from avickit.xen.hypercall import EINVAL, ENOSYS, EVENT_CHANNEL_OP, send, set_callback, vmmcall
from avickit.xen.parts import Vcpu
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import INTR, exits, lab, overlay, said, skip

VMMCALL, UPCALL = 0x81, 0xF3


@proves("X0-11")
def each_step_only_if_the_one_before_was_new(make: Make) -> None:
    """Pending bit, selector, upcall_pending, upcall: a second event for who has not looked stops early. (X0-11)"""
    m, _, _, (a, b) = lab(make, patches=0)
    ports = [bind(b, UPCALL) for _ in range(70)]
    assert ports == list(range(1, 71))
    b.guest.cli()
    shared, mine = evtchn.shared_info(m.world, b.vcpu.domain), evtchn.vcpu_info(m.world, b.vcpu)
    steps = ["bit in evtchn_pending", "selects the port's word", "an upcall is due"]
    for port, expected in ((1, 3), (1, 1), (2, 2), (65, 3)):
        first = len(m.trace)
        assert exits(a, a.guest.execute, (send(port),)) == [VMMCALL]
        assert said(m, first, *steps) == steps[:expected]
    assert m.world.at[shared.evtchn_pending] == 1 << 1 | 1 << 2 | 1 << 65
    assert (m.world.at[mine.evtchn_pending_sel], m.world.at[mine.evtchn_upcall_pending]) == (0b11, 1)
    b.guest.execute((Insn("sti"), Insn("nop")))
    assert (b.guest.taken, m.world.at[shared.evtchn_pending]) == ({UPCALL: 1}, 0)
    assert (m.world.at[mine.evtchn_pending_sel], m.world.at[mine.evtchn_upcall_pending]) == (0, 0)


@proves("X0-11")
def a_masked_port_is_pending_and_silent(make: Make) -> None:
    """A masked port's event is pending; nobody is told. (X0-11)"""
    m, _, _, (a, b) = lab(make, patches=0)
    port = bind(b, UPCALL)
    shared = evtchn.shared_info(m.world, b.vcpu.domain)
    m.world.at[shared.evtchn_mask] = 1 << port
    assert exits(b, a.guest.execute, (send(port),)) == []
    assert (m.world.at[shared.evtchn_pending], b.guest.taken) == (1 << port, {})


@proves("X0-11")
def what_xen_does_not_know_it_refuses(make: Make) -> None:
    """VMMCALL answers: -EINVAL for a port nobody bound, -ENOSYS for another hypercall; RIP moves on. (X0-11)"""
    m, _, _, (a, _) = lab(make, patches=0)
    for insn, answer in ((send(3), EINVAL), (vmmcall(99, 0, 0), ENOSYS), (vmmcall(EVENT_CHANNEL_OP, 0, 0), ENOSYS)):
        assert exits(a, a.guest.execute, (insn,)) == [VMMCALL]
        assert m.world.at[a.vcpu.guest.answer] == answer
    assert not m.world.at[a.vcpu.guest.frames]


@breaks("X0-11")
def nobody_looks_whether_it_was_new(w: World) -> None:
    def always(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield evtchn.MARK(evtchn.vcpu_info(w, v).evtchn_upcall_pending, 1)
        yield from evtchn.hvm_assert_evtchn_irq(w, core, v)

    def straight(w: World, core: Core, v: Vcpu, port: int) -> Beats[None]:
        yield evtchn.SET_PENDING(evtchn.shared_info(w, v.domain).evtchn_pending, 1 << port)
        yield from evtchn.vcpu_mark_events_pending(w, core, v)

    overlay(w, evtchn.vcpu_mark_events_pending, always)
    overlay(w, evtchn.evtchn_2l_set_pending, straight)


@breaks("X0-11")
def a_mask_is_ignored(w: World) -> None:
    def unmasked(w: World, core: Core, v: Vcpu, port: int) -> Beats[None]:
        w.at[evtchn.shared_info(w, v.domain).evtchn_mask] = 0
        yield from evtchn.evtchn_2l_set_pending.fn(w, core, v, port)

    overlay(w, evtchn.evtchn_2l_set_pending, unmasked)


@breaks("X0-11")
def any_hypercall_is_done(w: World) -> None:
    def yes(w: World, core: Core, v: Vcpu, insn: Insn) -> Beats[int]:
        yield from hypercall.hvm_hypercall.fn(w, core, v, insn)
        return 0

    overlay(w, hypercall.hvm_hypercall, yes)


@proves("X0-12")
def an_upcall_goes_past_the_apic(make: Make) -> None:
    """A kick and an injected vector: no IRR, no ISR, no EOI, no doorbell, with AVIC and without. (X0-12, X0-8)"""
    for patches, avic in ((0, False), (10, False), (10, True)):
        m, _, _, (a, b) = lab(make, patches=patches, avic=avic)
        port = bind(b, UPCALL)
        first = len(m.trace)
        assert exits(b, a.guest.execute, (send(port),)) == [INTR]
        assert (b.guest.taken, b.page.irr, b.page.isr, b.page.ppr) == ({UPCALL: 1}, set(), set(), 0)
        assert said(m, first, "IRR bit", "ISR bit", "rings the doorbell") == []
        assert said(m, first, "physical IPI to core 1", actor="core 0") == ["physical IPI to core 1"]


@proves("X0-12")
def the_vector_is_the_whole_domains(make: Make) -> None:
    """HVM_PARAM_CALLBACK_IRQ: one vector for all vCPUs; without one nobody is kicked. (X0-12)"""
    m, _, _, (a, b) = lab(make, patches=0)
    port = bind(b, UPCALL)
    a.guest.execute((set_callback(0x55),))
    assert exits(b, a.guest.execute, (send(port),)) == [INTR]
    assert b.guest.taken == {0x55: 1}
    m.world.at[evtchn.shared_info(m.world, b.vcpu.domain).callback_vector] = 0
    m.world.at[evtchn.shared_info(m.world, b.vcpu.domain).evtchn_pending] = 0
    m.world.at[evtchn.vcpu_info(m.world, b.vcpu).evtchn_pending_sel] = 0
    m.world.at[evtchn.vcpu_info(m.world, b.vcpu).evtchn_upcall_pending] = 0
    assert exits(b, a.guest.execute, (send(port),)) == []


@breaks("X0-12")
def nobody_is_kicked(w: World) -> None:
    skip(w, sched.vcpu_kick)


@breaks("X0-12")
def the_first_vector_stays(w: World) -> None:
    def first(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
        if not w.at[evtchn.shared_info(w, v.domain).callback_vector]:
            yield from evtchn.hvm_set_callback_via.fn(w, core, v, vector)

    overlay(w, evtchn.hvm_set_callback_via, first)


@proves("X0-11")
def the_plain_form_does_the_same(make: Make) -> None:
    """Unrecorded and in the plain form, a hypercall and its upcall leave the same state. (X0-11, X0-12)"""
    states = []
    for how in ({"record": True}, {"record": False}, {"record": False, "fast": True}):
        m, _, _, (a, b) = lab(make, **how)
        a.guest.execute((send(bind(b, UPCALL)),))
        assert b.guest.taken == {UPCALL: 1}
        states.append([x for x in m.world.at if isinstance(x, int)])
    assert states[0] == states[1] == states[2]

"""Event channels between the vCPUs of one guest, the paravirtual way to interrupt each other. (X0-11, X0-12)

Names and order are Xen's (common/event_channel.c, event_2l.c, arch/x86/hvm/irq.c). The callback vector goes past the
local APIC, so AVIC has no part in it. Does not model: channels between domains, VIRQs and PIRQs, unmasking, pollers,
the FIFO ABI, the limit of 4096 ports, per-vCPU upcall vectors, callbacks by GSI or PCI; upcall_pending is not looked at
again once injected.
"""

from dataclasses import dataclass
from typing import Any

from avickit.beat import LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.silicon.parts import Core
from avickit.xen.intr import CALLBACK_SHIFT
from avickit.xen.parts import Domain, Vcpu
from avickit.xen.sched import vcpu_kick

PORTS_A_WORD = 64
"""Ports that one bit of the selector stands for: BITS_PER_EVTCHN_WORD of a 64-bit guest."""


@dataclass(frozen=True)
class EvtchnDomain:
    """shared_info: a bit a port in `pending` and `mask`; Xen's own: `ports`, the vCPU of each; the callback vector."""

    evtchn_pending: int
    evtchn_mask: int
    ports: int
    callback_vector: int


@dataclass(frozen=True)
class EvtchnVcpu:
    """vcpu_info: whether an upcall is due, and in which words of `evtchn_pending` to look."""

    evtchn_upcall_pending: int
    evtchn_pending_sel: int


READ_PORTS = Site(Kind.READ, LOAD, "X0-11", "Xen evtchn_from_port", "whose is the port?")
BIND_PORT = Site(Kind.UPDATE, STORE, "X0-11", "Xen evtchn_bind_ipi", "binds a port to the calling vCPU")
SET_PENDING = Site(Kind.UPDATE, OR, "X0-11", "Xen evtchn_2l_set_pending", "sets the port's bit in evtchn_pending")
READ_MASK = Site(Kind.CHECK, LOAD, "X0-11", "Xen evtchn_2l_set_pending", "is the port masked? {old}")
SET_SEL = Site(Kind.UPDATE, OR, "X0-11", "Xen evtchn_2l_set_pending", "selects the port's word")
MARK = Site(Kind.UPDATE, OR, "X0-11", "Xen vcpu_mark_events_pending", "an upcall is due; was one before? {old}")
READ_VECTOR = Site(Kind.READ, LOAD, "X0-12", "Xen hvm_assert_evtchn_irq", "which callback vector? {old}")
SET_VECTOR = Site(Kind.UPDATE, STORE, "X0-12", "Xen hvm_set_callback_via", "the callback vector is {new}")
PEND_CALLBACK = Site(Kind.UPDATE, STORE, "X0-12", "Xen hvm_vcpu_has_pending_irq", "the callback vector is pending")


def shared_info(w: World, d: Domain) -> EvtchnDomain:
    """The domain's event channel words."""
    return w.objects["evtchn_domain"][d.index]  # type: ignore[no-any-return]


def vcpu_info(w: World, v: Vcpu) -> EvtchnVcpu:
    """The vCPU's event channel words."""
    return w.objects["evtchn_vcpu"][v.guest.index]  # type: ignore[no-any-return]


@Op
def evtchn_bind_ipi(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """A new port whose events go to the calling vCPU; the port, from 1. (X0-11)"""
    place = shared_info(w, v.domain).ports
    ports: tuple[int, ...] = (yield READ_PORTS(place)) or (0,)
    yield BIND_PORT(place, (*ports, v.guest.index + 1))
    return len(ports)


@Op
def evtchn_send(w: World, core: Core, v: Vcpu, port: int) -> Beats[bool]:
    """EVTCHNOP_send: the port's event is pending for the vCPU it is bound to; false for a port nobody bound. (X0-11)"""
    ports: Any = yield READ_PORTS(shared_info(w, v.domain).ports)
    if not ports or not 0 < port < len(ports):
        return False
    yield from evtchn_2l_set_pending(w, core, w.objects["vcpus"][ports[port] - 1], port)
    return True


@Op
def evtchn_2l_set_pending(w: World, core: Core, v: Vcpu, port: int) -> Beats[None]:
    """Pending, then selected, then marked: each step only if the one before was new, and the port unmasked. (X0-11)"""
    shared, bit = shared_info(w, v.domain), 1 << port
    if (yield SET_PENDING(shared.evtchn_pending, bit)) & bit:
        return
    if (yield READ_MASK(shared.evtchn_mask)) & bit:
        return
    word = 1 << port // PORTS_A_WORD
    if not (yield SET_SEL(vcpu_info(w, v).evtchn_pending_sel, word)) & word:
        yield from vcpu_mark_events_pending(w, core, v)


@Op
def vcpu_mark_events_pending(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """An upcall is due; if it was not yet, assert it. (X0-11)"""
    if not (yield MARK(vcpu_info(w, v).evtchn_upcall_pending, 1)):
        yield from hvm_assert_evtchn_irq(w, core, v)


@Op
def hvm_assert_evtchn_irq(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """With a callback vector: pending for svm_intr_assist, and a kick. No IRR, no doorbell, AVIC or not. (X0-12)"""
    vector = yield READ_VECTOR(shared_info(w, v.domain).callback_vector)
    if vector:
        yield PEND_CALLBACK(v.cells.callback_pending, vector + CALLBACK_SHIFT)
        yield from vcpu_kick(w, core, v)


@Op
def hvm_set_callback_via(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """HVM_PARAM_CALLBACK_IRQ of type vector: upcalls of the whole domain come by it. (X0-12)"""
    yield SET_VECTOR(shared_info(w, v.domain).callback_vector, vector)

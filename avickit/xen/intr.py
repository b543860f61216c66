"""Injecting interrupts into a guest: what is pending, what blocks it, the interrupt window. (Xen svm/intr.c)

Does not model: machine checks, the virtual I/O APIC and PIC behind their pending bits, nested guests.
"""

from enum import Enum

from avickit.beat import AND, LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.exits import EventInj, EventType
from avickit.manual.vmcb import InterceptExceptionsMisc1, VIntr, VmcbOffset
from avickit.silicon.parts import Core
from avickit.xen import vlapic
from avickit.xen.parts import Vcpu
from avickit.xen.vmcb import inject_event, vmcb_read, vmcb_set

NMI_VECTOR = 2
CALLBACK_SHIFT = 1  # a pending vector is kept as vector + 1; 0 is none

PENDING = Site(Kind.CHECK, LOAD, "X0-9", "Xen hvm_vcpu_has_pending_irq", "is there an event in {place}? {old}")
TAKE_NMI = Site(Kind.UPDATE, AND, "X0-9", "Xen hvm_vcpu_ack_pending_irq", "takes the pending NMI")
TAKE_EVENT = Site(Kind.UPDATE, STORE, "X0-9", "Xen hvm_vcpu_ack_pending_irq", "takes the event from {place}")

Source = Enum("Source", "NONE NMI CALLBACK PIC LAPIC")
Source.__doc__ = "Where a pending event comes from, in the order Xen asks. (X0-9)"


@Op
def has_pending_irq(w: World, core: Core, v: Vcpu) -> Beats[tuple[Source, int]]:
    """The first pending event: NMI, callback vector, PIC, LAPIC. (X0-9)"""
    if (yield PENDING(v.cells.nmi_pending)):
        return Source.NMI, NMI_VECTOR
    for place, source in ((v.cells.callback_pending, Source.CALLBACK), (v.cells.extint_pending, Source.PIC)):
        vector = yield PENDING(place)
        if vector:
            return source, vector - CALLBACK_SHIFT
    vector = yield from vlapic.vlapic_has_pending_irq(w, core, v)
    return (Source.LAPIC, vector) if vector >= 0 else (Source.NONE, 0)


@Op
def interrupt_blocked(w: World, core: Core, v: Vcpu, source: Source, vector: int) -> Beats[bool]:
    """Shadow for all; IF for what can be masked; TPR for what the LAPIC brings. (Xen hvm_interrupt_blocked)"""
    if (yield from vmcb_read(w, v, VmcbOffset.INTERRUPT_SHADOW)) & 1:
        return True
    if source is not Source.NMI and not w.see[v.guest.interrupt_flag]:
        return True
    if source is not Source.LAPIC:
        return False
    return VIntr.V_TPR.of((yield from vmcb_read(w, v, VmcbOffset.VINTR))) >= vector >> 4


@Op
def events_need_delivery(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Is there an event that the vCPU could take now? (Xen hvm_local_events_need_delivery, X0-7)"""
    source, vector = yield from has_pending_irq(w, core, v)
    if source is Source.NONE:
        return False
    return not (yield from interrupt_blocked(w, core, v, source, vector))


@Op
def intr_assist(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_intr_assist, before each VMRUN: inject one event, or ask for a window. (X0-9, X0-2)"""
    while True:
        source, vector = yield from pending_for_injection(w, core, v)
        if source is Source.NONE:
            return
        event = yield from vmcb_read(w, v, VmcbOffset.EVENTINJ)
        blocked = bool(event & EventInj.VALID.mask)
        blocked = blocked or (yield from interrupt_blocked(w, core, v, source, vector))
        if blocked:
            yield from enable_intr_window(w, core, v, source, vector)
            return
        if (yield from ack_pending_irq(w, core, v, source, vector)):
            break
    yield from inject_event(w, v, EventType.NMI if source is Source.NMI else EventType.INTR, vector)
    yield from after_injection(w, core, v, source, vector)


@Op
def pending_for_injection(w: World, core: Core, v: Vcpu) -> Beats[tuple[Source, int]]:
    """What svm_intr_assist shall inject: whatever is pending. (X0-9; patch 8 leaves LAPIC vectors out: X8-2, X22)"""
    return (yield from has_pending_irq(w, core, v))


@Op
def ack_pending_irq(w: World, core: Core, v: Vcpu, source: Source, vector: int) -> Beats[bool]:
    """Take the event from where it was pending; for the LAPIC, software moves IRR to ISR. (X0-6)"""
    if source is Source.NMI:
        return bool((yield TAKE_NMI(v.cells.nmi_pending, 0)))
    if source is Source.LAPIC:
        return (yield from vlapic.vlapic_ack_pending_irq(w, core, v, vector))
    yield TAKE_EVENT(v.cells.callback_pending if source is Source.CALLBACK else v.cells.extint_pending, 0)
    return True


@Op
def after_injection(w: World, core: Core, v: Vcpu, source: Source, vector: int) -> Beats[None]:
    """Timer bookkeeping, then a window for whatever else waits. (Xen svm_intr_assist)"""
    if source is Source.LAPIC:
        yield from vlapic.pt_intr_post(w, core, v, vector)
    source, vector = yield from pending_for_injection(w, core, v)
    if source is not Source.NONE:
        yield from enable_intr_window(w, core, v, source, vector)


@Op
def enable_intr_window(w: World, core: Core, v: Vcpu, source: Source, vector: int) -> Beats[None]:
    """A fake virtual interrupt, intercepted as soon as the guest could take it: V_IRQ and VINTR. (X0-2, X7-3)

    Asked for anew each time: a higher vector may have come while the window for a lower one is still shut.
    """
    vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
    wanted = VIntr.raw(vintr).replace(V_IRQ=1, V_INTR_VECTOR=0, V_INTR_PRIO=vector >> 4)
    wanted = wanted.replace(V_IGN_TPR=int(source is not Source.LAPIC))
    if wanted.value == vintr:
        return
    yield from vmcb_set(w, v, VmcbOffset.VINTR, wanted.value)
    intercepts = yield from vmcb_read(w, v, VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1)
    intercepts |= InterceptExceptionsMisc1.VINTR.mask
    yield from vmcb_set(w, v, VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1, intercepts)


@Op
def close_intr_window(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The window has opened (exit 064h): V_IRQ and its intercept go. (X0-2)"""
    vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
    yield from vmcb_set(w, v, VmcbOffset.VINTR, vintr & ~VIntr.V_IRQ.mask)
    intercepts = yield from vmcb_read(w, v, VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1)
    intercepts &= ~InterceptExceptionsMisc1.VINTR.mask
    yield from vmcb_set(w, v, VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1, intercepts)

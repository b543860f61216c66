"""An interrupt's way through the emulated APIC: accepted into IRR, found pending, acknowledged, ended.

Does not model: the virtual I/O APIC (an EOI it would hear of is counted), posted-interrupt descriptors, MSI of devices.
"""

from avickit.beat import AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Esr, LvtError, Offset
from avickit.silicon.deliver import CLASS
from avickit.silicon.ipi import FIRST_LEGAL_VECTOR
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, xen
from avickit.xen.sched import vcpu_kick
from avickit.xen.vlapic_state import (
    NO_VECTOR,
    at,
    vlapic_enabled,
    vlapic_find_highest_irr,
    vlapic_find_highest_isr,
)

EDGE = 0
"""Trigger mode, as TMR keeps it; 1 is level. (X0-3)"""
ESR_SENDILL, ESR_RECVILL = Esr.SENT_ILLEGAL_VECTOR.mask, Esr.RECEIVED_ILLEGAL_VECTOR.mask

SET_ESR = Site(Kind.UPDATE, OR, "X0-3", "Xen vlapic_error", "notes an error in ESR: {place} was {old}")
READ_LVTERR = Site(Kind.CHECK, LOAD, "X0-3", "Xen vlapic_error", "does the guest want an error interrupt? {old}")
SET_TMR = Site(Kind.UPDATE, OR, "X0-3", "Xen vlapic_set_irq", "vector {bits} is level-triggered: sets its TMR bit")
CLEAR_TMR = Site(Kind.UPDATE, AND, "X0-3", "Xen vlapic_set_irq", "the vector is edge-triggered: clears its TMR bit")
SET_IRR = Site(Kind.UPDATE, OR, "X0-3", "Xen vlapic_test_and_set_irr", "sets the IRR bit of vector {bits}")
SET_ISR = Site(Kind.UPDATE, OR, "X0-6", "Xen vlapic_ack_pending_irq", "software sets the ISR bit of vector {bits}")
CLEAR_IRR = Site(Kind.UPDATE, AND, "X0-6", "Xen vlapic_ack_pending_irq", "software clears the IRR bit of {bits}")
CLEAR_ISR = Site(Kind.UPDATE, AND, "X0-4", "Xen vlapic_EOI_set", "ends vector {bits}: clears its ISR bit")
READ_TMR = Site(Kind.CHECK, LOAD, "X0-4", "Xen vlapic_handle_EOI", "was it level-triggered? reads TMR")
READ_EOIS = Site(Kind.READ, LOAD, "X0-4", "Xen vioapic_update_EOI", "the virtual I/O APIC hears of the EOI")
COUNT_EOI = Site(Kind.UPDATE, STORE, "X0-4", "Xen vioapic_update_EOI", "EOIs that the virtual I/O APIC heard: {new}")


@Op
def vlapic_set_irq(w: World, core: Core, v: Vcpu, vec: int, trig: int) -> Beats[None]:
    """An interrupt for v: TMR by `trig` (0 edge, 1 level), then posted, or IRR and a kick if it is new. (X0-3)

    A vector below 16 is an error of whoever sent it: ESR bit 6.
    """
    if vec < FIRST_LEGAL_VECTOR:
        yield from vlapic_error(w, core, v, ESR_RECVILL)
        return
    yield from vlapic_set_tmr(w, core, v, vec, trig)
    deliver_posted_intr = xen(w).funcs.get("deliver_posted_intr")
    if deliver_posted_intr is not None:
        yield from deliver_posted_intr(w, core, v, vec)
    elif not (yield from vlapic_test_and_set_irr(w, core, v, vec)):
        yield from vcpu_kick(w, core, v)


@Op
def vlapic_set_tmr(w: World, core: Core, v: Vcpu, vec: int, trig: int) -> Beats[None]:
    """The TMR bit follows the trigger mode, before the vector is accepted. (X0-3)

    An earlier interrupt of the same vector, still in service, is ended by the new mode. (X28)
    """
    if trig:
        yield SET_TMR(at(v, Offset.TMR), 1 << vec)
    else:
        yield CLEAR_TMR(at(v, Offset.TMR), ~(1 << vec))


@Op
def vlapic_test_and_set_irr(w: World, core: Core, v: Vcpu, vec: int) -> Beats[bool]:
    """Set the IRR bit; whether it was set already. (X0-3)"""
    return bool((yield SET_IRR(at(v, Offset.IRR), 1 << vec)) >> vec & 1)


@Op
def vlapic_error(w: World, core: Core, v: Vcpu, errmask: int) -> Beats[None]:
    """Note an error in ESR; if it is new, raise the LVT error interrupt unless masked. (X0-3, X0-5)

    An LVT error vector below 16 adds bit 6, and that is all. Xen as it was then takes its ESR lock again at this
    point and hangs (XSA-462, of 2024); here the update is one locked beat instead of a lock.
    """
    if (yield SET_ESR(at(v, Offset.ESR), errmask)) & errmask:
        return
    lvterr = yield READ_LVTERR(at(v, Offset.LVT_ERROR))
    if not lvterr & LvtError.MASK.mask:
        yield from vlapic_set_irq(w, core, v, LvtError.VECTOR.of(lvterr), EDGE)


@Op
def vlapic_has_pending_irq(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The vector to be injected next, -1 for none; never one of an APIC that is disabled. (X0-6)

    Its class must be above that of the highest vector in service, unless the hardware delivers by itself (X8-1).
    """
    if not (yield from vlapic_enabled(w, core, v)):
        return NO_VECTOR
    irr = yield from vlapic_find_highest_irr(w, core, v)
    if irr == NO_VECTOR or (yield from vlapic_virtual_intr_delivery_enabled(w, v)):
        return irr
    isr = yield from vlapic_find_highest_isr(w, core, v)
    return NO_VECTOR if isr >= 0 and irr & CLASS <= isr & CLASS else irr


@Op
def vlapic_virtual_intr_delivery_enabled(w: World, v: Vcpu) -> Beats[bool]:
    """Whether the hardware evaluates and acknowledges by itself: a flag of the function table. (X8-1)"""
    return xen(w).flags.get("virtual_intr_delivery_enabled", False)
    yield


@Op
def vlapic_ack_pending_irq(w: World, core: Core, v: Vcpu, vector: int) -> Beats[bool]:
    """Software moves the vector from IRR to ISR; with virtual interrupt delivery that is hardware's. (X0-6, X8-1)"""
    if not (yield from vlapic_virtual_intr_delivery_enabled(w, v)):
        yield SET_ISR(at(v, Offset.ISR), 1 << vector)
        yield CLEAR_IRR(at(v, Offset.IRR), ~(1 << vector))
    return True


@Op
def vlapic_EOI_set(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """End of interrupt: the vector leaves ISR; with none in service nothing happens. (X0-4)"""
    vector = yield from vlapic_eoi_vector(w, core, v)
    if vector != NO_VECTOR:
        yield CLEAR_ISR(at(v, Offset.ISR), ~(1 << vector))
        yield from vlapic_handle_EOI(w, core, v, vector)


@Op
def vlapic_eoi_vector(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """Which vector an EOI ends: the highest in service, whatever EXITINFO2 of an EOI exit said. (X0-4, X27)"""
    return (yield from vlapic_find_highest_isr(w, core, v))


@Op
def vlapic_handle_EOI(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """A level-triggered vector has ended: the virtual I/O APIC is told. (X0-4)"""
    if (yield READ_TMR(at(v, Offset.TMR))) >> vector & 1:
        yield from vioapic_update_EOI(w, core, v, vector)


@Op
def vioapic_update_EOI(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """The virtual I/O APIC hears of an EOI; here it only counts. (X0-4)"""
    cell = v.domain.cells.eoi_broadcasts
    yield COUNT_EOI(cell, (yield READ_EOIS(cell)) + 1)

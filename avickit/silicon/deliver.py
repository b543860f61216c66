"""Priorities and delivery: PPR, TPR and CR8, EOI, and the evaluation that takes an interrupt. (APM2 15.29.5-15.29.8)

Does not model: the IDT, stack and gate types. A handler always runs through an interrupt gate, which clears IF.
"""

from avickit.beat import AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Offset
from avickit.manual.exits import ExitCode, NoAccelInfo1
from avickit.manual.vmcb import VIntr
from avickit.silicon.guest import enter_handler
from avickit.silicon.parts import Core, Exit, Guest, Latch

ISR, TMR, IRR = Offset.ISR >> 4, Offset.TMR >> 4, Offset.IRR >> 4
TPR, PPR = Offset.TPR >> 4, Offset.PPR >> 4
CLASS = 0xF0
LOOK = -1
"""What a TPR, CR8 or EOI write answers: pending vectors are looked at when the instruction is done. (H-EVAL-1)"""
V_TPR = VIntr.V_TPR.mask
VGIF, VGIF_ENABLE = VIntr.VGIF.mask, VIntr.VGIF_ENABLE.mask

READ_ISR = Site(Kind.READ, LOAD, "H-PRIO-1", "APM2 15.29.5 p.569", "reads ISR for the highest vector in service")
READ_TPR = Site(Kind.READ, LOAD, "H-PRIO-3", "APM2 15.29.5 p.569", "reads the page's TPR for PPR's low nibble")
SET_PPR = Site(Kind.UPDATE, STORE, "H-PRIO-1", "APM2 15.29.5 p.569", "refreshes PPR: {old} to {new}")
SET_TPR = Site(Kind.UPDATE, STORE, "H-PRIO-2", "APM2 15.29.5 p.568", "puts {new} into the page's TPR")
SET_V_TPR = Site(Kind.UPDATE, STORE, "H-PRIO-2", "APM2 15.29.5 p.568", "V_TPR, which CR8 reads, follows: {new}")
READ_IRR = Site(Kind.READ, LOAD, "H-EVAL-2", "APM2 15.29.5 p.569", "reads IRR for the highest pending vector")
READ_PPR = Site(Kind.CHECK, LOAD, "H-EVAL-2", "APM2 15.29.5 p.569", "compares its class with PPR {old}")
CLEAR_IRR = Site(Kind.UPDATE, AND, "H-EVAL-2", "APM2 15.29.5 p.569", "takes vector {bits}: clears its IRR bit")
SET_ISR = Site(Kind.UPDATE, OR, "H-EVAL-2", "APM2 15.29.5 p.569", "vector {bits} is in service: sets its ISR bit")
LEAVE = Site(Kind.UPDATE, STORE, "H-EVAL-1", "APM2 15.29.8.3 p.579", "notes whether something stays pending: {new}")
READ_TMR = Site(Kind.CHECK, LOAD, "H-EOI-1", "APM2 15.29.6 p.570", "reads TMR: edge or level?")
CLEAR_ISR = Site(Kind.UPDATE, AND, "H-EOI-1", "APM2 15.29.6 p.570", "ends vector {bits}: clears its ISR bit")
EOI_WRITE = NoAccelInfo1(WRITE=1, OFFSET=Offset.EOI >> 4).value


def ppr_of(tpr: int, isr: int) -> int:
    """PPR from TPR and ISR. `ppr_of(0x35, 1 << 0x41)` is 0x40. (H-PRIO-1, APM2 chapter 16)"""
    highest = isr.bit_length() - 1 if isr else 0
    return tpr & 0xFF if tpr & CLASS >= highest & CLASS else highest & CLASS


def virtual_tpr(w: World, core: Core, page_tpr: int) -> int:
    """The TPR that masks: V_TPR, with the page's low nibble where the classes agree. (H-PRIO-3)"""
    v_tpr: int = (w.see[core.vintr] & V_TPR) << 4
    return page_tpr & 0xFF if page_tpr & CLASS == v_tpr else v_tpr


@Op
def refresh_ppr(w: World, core: Core, page: int, isr: int) -> Beats[None]:
    """PPR follows TPR and the highest in-service vector. (H-PRIO-1, APM2 15.29.5 p.569)"""
    tpr = yield READ_TPR(page + TPR)
    yield SET_PPR(page + PPR, ppr_of(virtual_tpr(w, core, tpr), isr))


@Op
def load_priority(w: World, core: Core, page: int) -> Beats[None]:
    """At VMRUN, PPR is computed from V_TPR and the page's ISR; the page's TPR stays. (H-PRIO-3, OPEN)"""
    isr = yield READ_ISR(page + ISR)
    yield from refresh_ppr(w, core, page, isr)


@Op
def tpr_value(w: World, value: int) -> Beats[int]:
    """What a TPR write leaves of its value: bits 7:0. (H-PRIO-2, OPEN for 31:8)"""
    return value & 0xFF
    yield


@Op
def write_tpr(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
    """A guest's TPR write: page TPR, V_TPR and PPR change, then pending vectors are looked at. (H-PRIO-2, H-EVAL-1)"""
    latch: Latch = w.see[core.latch]
    value = yield from tpr_value(w, value)
    yield SET_TPR(latch.page + TPR, value)
    vintr: int = w.see[core.vintr]
    yield SET_V_TPR(core.vintr, vintr & ~V_TPR | value >> 4 & V_TPR)
    isr = yield READ_ISR(latch.page + ISR)
    yield SET_PPR(latch.page + PPR, ppr_of(value, isr))
    return LOOK


@Op
def write_cr8(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
    """A guest's CR8 write: V_TPR is the value, page TPR the value in its high nibble. (H-PRIO-2, APM2 15.29.5)"""
    latch: Latch = w.see[core.latch]
    if latch.enabled:
        return (yield from write_tpr(w, core, guest, value << 4))
    yield SET_V_TPR(core.vintr, w.see[core.vintr] & ~V_TPR | value)
    return 0


def can_take(w: World, core: Core, guest: Guest) -> bool:
    """Guest IF, no interrupt shadow, VGIF where enabled. (H-EVAL-2, H-MASK-1, H-VMCB-3)"""
    if not w.see[guest.interrupt_flag] or w.see[core.shadow]:
        return False
    vintr: int = w.see[core.vintr]
    return not vintr & VGIF_ENABLE or bool(vintr & VGIF)


@Op
def evaluate(w: World, core: Core, guest: Guest) -> Beats[None]:
    """Take the highest pending vector if its class is above PPR's and the guest can. (H-EVAL-2, APM2 15.29.5 p.569)

    A vector without a handler returns at once, so the next one may follow; one with a handler clears IF.
    """
    latch: Latch = w.see[core.latch]
    if not latch.enabled:
        return
    page = latch.page
    irr = yield READ_IRR(page + IRR)
    while irr:
        vector = irr.bit_length() - 1
        ppr = yield READ_PPR(page + PPR)
        if vector & CLASS <= ppr & CLASS or not can_take(w, core, guest):
            break
        yield from accept(w, core, page, vector)
        yield from enter_handler(w, guest, vector)
        irr = (yield READ_IRR(page + IRR)) if w.see[guest.interrupt_flag] else irr & ~(1 << vector)
    if w.see[core.pending] != bool(irr):
        yield LEAVE(core.pending, int(bool(irr)))


@Op
def accept(w: World, core: Core, page: int, vector: int) -> Beats[None]:
    """Hardware acknowledges: IRR to ISR; PPR is its class, which was above PPR's. (H-EVAL-2, APM2 15.29.5 p.569)"""
    yield CLEAR_IRR(page + IRR, ~(1 << vector))
    yield SET_ISR(page + ISR, 1 << vector)
    yield SET_PPR(page + PPR, vector & CLASS)


@Op
def became_able(w: World, core: Core, guest: Guest) -> Beats[None]:
    """IF went from 0 to 1 or a shadow ended: IRR is read again. (H-EVAL-1, OPEN)"""
    yield from evaluate(w, core, guest)


@Op
def write_eoi(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
    """End of interrupt: edge ends here, level exits to the hypervisor. (H-EOI-1, H-EOI-2, H-EOI-3, APM2 15.29.6)"""
    latch: Latch = w.see[core.latch]
    isr = yield READ_ISR(latch.page + ISR)
    if not isr:
        return 0
    vector = isr.bit_length() - 1
    if (yield READ_TMR(latch.page + TMR)) >> vector & 1:
        return (yield from eoi_level(w, core, latch.page, vector))
    yield from end_vector(w, core, latch.page, vector)
    return LOOK


@Op
def end_vector(w: World, core: Core, page: int, vector: int) -> Beats[None]:
    """Clear the ISR bit and refresh PPR. (H-EOI-1)"""
    isr = yield CLEAR_ISR(page + ISR, ~(1 << vector))
    yield from refresh_ppr(w, core, page, isr & ~(1 << vector))


@Op
def eoi_level(w: World, core: Core, page: int, vector: int) -> Beats[int | Exit]:
    """EOI of a level-triggered vector: #VMEXIT 402h with the vector; ISR untouched, RIP past. (H-EOI-2, OPEN)"""
    return Exit(ExitCode.AVIC_NOACCEL, EOI_WRITE, vector, past=True)
    yield

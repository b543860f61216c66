"""Reading and writing the emulated APIC's registers: one table of what a write does. (Xen vlapic_reg_read, _reg_write)

The handlers of AVIC's exits call the same two functions (X3-1). The LVTs are in `vlapic_lvt`, the counts in
`vlapic_timer`. Does not model: the extended registers from 400h on.
"""

from collections.abc import Callable

from avickit.beat import AND, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr, Ldr, LvtError, Offset, Svr, Tpr
from avickit.manual.icr import ICRH, ICRL
from avickit.silicon.access import SLOT_SHIFT, WORD, split
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_ipi import vlapic_ipi
from avickit.xen.vlapic_irq import vlapic_EOI_set
from avickit.xen.vlapic_lvt import LVT_MASK, LVTS, vlapic_write_lvt, vlapic_write_lvtt
from avickit.xen.vlapic_state import READ_REG, VLAPIC_SW_DISABLED, at, vlapic_get_ppr
from avickit.xen.vlapic_timer import vlapic_read_count, vlapic_write_tdcr, vlapic_write_tmict

KEEP = {
    Offset.ID: WORD,
    Offset.TPR: Tpr.PRIORITY.mask | Tpr.SUBCLASS.mask,
    Offset.LDR: Ldr.LOGICAL_ID.mask,
    Offset.ICRH: ICRH.DESTINATION.mask,
    Offset.SVR: WORD & ~Svr.reserved.mask,
}
"""The bits that a plain register keeps. (X0-4, X0-4a)"""
READ_ONLY = frozenset(range(Offset.ISR, Offset.ESR + 1, 0x10)).union(
    (Offset.VERSION, Offset.APR, Offset.PPR, Offset.RRR, Offset.TMCCT)
)
SLOT, BYTES_IN_REGISTER = 1 << SLOT_SHIFT, 4
"""16 bytes a slot, of which a register has the first 4. (H-REG-1)"""

SET_REG = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_set_reg", "vlapic writes {place}: {new}")
SET_DFR = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_reg_write", "DFR reads as ones in bits 27:0: {new}")
SW_DISABLE = Site(Kind.UPDATE, OR, "X0-4", "Xen vlapic_reg_write", "SVR bit 8 is 0: the APIC is disabled by software")
SW_ENABLE = Site(Kind.UPDATE, AND, "X0-4", "Xen vlapic_reg_write", "SVR bit 8 is 1: the APIC is enabled by software")
MASK_LVT = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_reg_write", "software disable masks {place}: {new}")
STORE_ICR = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_reg_write", "the ICR is stored after the interrupt was sent")


@Op
def vlapic_reg_read(w: World, core: Core, v: Vcpu, offset: int) -> Beats[int]:
    """The 32 bits of a register: PPR, TMICT and TMCCT computed, else what the page holds. (X0-4, X2-1)

    Bytes 4 to 15 of a slot read 0.
    """
    if offset == Offset.PPR:
        return (yield from vlapic_get_ppr(w, core, v))
    if offset in (Offset.TMICT, Offset.TMCCT):
        return (yield from vlapic_read_count(w, core, v, offset))
    slot, word = split(offset)
    if offset % SLOT >= BYTES_IN_REGISTER:
        return 0
    return (yield READ_REG(v.page + slot)) >> word & WORD  # type: ignore[no-any-return]


@Op
def vlapic_reg_write(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[bool]:
    """Write 32 bits to a register, with what that starts. False: no register of Xen's is there. (X0-4, X0-4a, X3-1)"""
    write = WRITE.get(offset)
    if write is None:
        return (yield from vlapic_write_ignored(w, core, v, offset, value))
    yield from write(w, core, v, offset, value)
    return True


@Op
def vlapic_write_ignored(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[bool]:
    """A read-only register keeps its value (ESR is not cleared), and true; false where there is no register. (X0-4a)

    After a trap the page holds what the guest wrote, and goes on holding it. (X26)
    """
    return offset in READ_ONLY
    yield


@Op
def vlapic_write_plain(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Keep the register's own bits; nothing else happens. The ID is stored as it comes. (X0-4, X0-4a)"""
    yield SET_REG(at(v, offset), value & KEEP[offset])


@Op
def vlapic_write_tpr(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """TPR keeps bits 7:0; V_TPR in the VMCB is another's business. (X0-4, X24)"""
    yield from vlapic_write_plain(w, core, v, offset, value)


@Op
def vlapic_write_eoi(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Any value ends the interrupt. (X0-4)"""
    yield from vlapic_EOI_set(w, core, v)


@Op
def vlapic_write_dfr(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Bits 27:0 read as ones. (X0-4)"""
    yield SET_DFR(at(v, offset), value | Dfr.ONES.mask)


@Op
def vlapic_write_svr(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Bits 9:0; bit 8 enables, without it the APIC is deaf and all LVTs are masked. (X0-4)"""
    yield from vlapic_write_plain(w, core, v, offset, value)
    if value & Svr.ENABLE.mask:
        yield SW_ENABLE(v.cells.apic_disabled, ~VLAPIC_SW_DISABLED)
        return
    yield SW_DISABLE(v.cells.apic_disabled, VLAPIC_SW_DISABLED)
    for lvt in LVTS:
        yield MASK_LVT(at(v, lvt), (yield READ_REG(at(v, lvt))) | LvtError.MASK.mask)


@Op
def vlapic_write_icr(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Delivery status is cleared; the interrupt is sent first, the register stored after it. (X0-4, X0-4a)"""
    value &= ~ICRL.DELIVERY_STATUS.mask
    yield from vlapic_ipi(w, core, v, value, (yield READ_REG(at(v, Offset.ICRH))))
    yield STORE_ICR(at(v, offset), value)


Write = Callable[[World, Core, Vcpu, int, int], Beats[None]]
WRITE: dict[int, Write] = {
    **dict.fromkeys(KEEP, vlapic_write_plain),
    **dict.fromkeys(LVT_MASK, vlapic_write_lvt),
    Offset.TPR: vlapic_write_tpr,
    Offset.EOI: vlapic_write_eoi,
    Offset.DFR: vlapic_write_dfr,
    Offset.SVR: vlapic_write_svr,
    Offset.ICRL: vlapic_write_icr,
    Offset.LVT_TIMER: vlapic_write_lvtt,
    Offset.TMICT: vlapic_write_tmict,
    Offset.TDCR: vlapic_write_tdcr,
}
"""What a write does, by offset. What is not here is read-only, or no register. (X0-4, X0-4a)"""

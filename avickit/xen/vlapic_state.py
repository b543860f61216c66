"""What every part of vlapic asks first: where a register lies; is the APIC enabled, in which mode, how busy.

The registers stand in the vCPU's page (X0-1), the rest in its cells. Does not model: Viridian's APIC assist, save and
restore, the 8259 target.
"""

from avickit.beat import LOAD, Beats, Kind, Op, Site, World
from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.apic import Offset
from avickit.silicon.access import SLOT_SHIFT
from avickit.silicon.deliver import ppr_of
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu

VLAPIC_HW_DISABLED, VLAPIC_SW_DISABLED = 1, 2
"""Bits of a vCPU's `apic_disabled`: by IA32_APIC_BASE, by SVR. Xen keeps them beside the page. (X0-5a)"""
NO_VECTOR = -1


class ApicBase(Register, width=64):
    """IA32_APIC_BASE, MSR 1Bh: where the APIC page is, and whether there is an APIC. (APM2 chapter 16, X0-10)"""

    RESERVED = Reserved((63, 52), 9, (7, 0))
    BASE = Bits(51, 12, "guest physical address of the APIC page, bits 51:12; FEE00h after reset")
    ENABLE = Bit(11, "the APIC is enabled in hardware")
    EXTD = Bit(10, "x2APIC mode: the registers are MSRs")
    BSP = Bit(8, "this is the processor that boots")


READ_REG = Site(Kind.READ, LOAD, "X0-4", "Xen vlapic_get_reg", "vlapic reads {place}: {old}")
READ_BASE = Site(Kind.CHECK, LOAD, "X0-10", "Xen vlapic_x2apic_mode", "xAPIC or x2APIC? IA32_APIC_BASE is {old}")
READ_DISABLED = Site(Kind.CHECK, LOAD, "X0-5a", "Xen vlapic_enabled", "is this APIC enabled? {place} is {old}")
READ_IRR = Site(Kind.READ, LOAD, "X0-6", "Xen vlapic_find_highest_irr", "reads IRR for the highest pending vector")
READ_ISR = Site(Kind.READ, LOAD, "X0-6", "Xen vlapic_find_highest_isr", "reads ISR for the highest vector in service")
READ_TPR = Site(Kind.READ, LOAD, "X0-4", "Xen vlapic_get_ppr", "reads the page's TPR {old}, to compute PPR")


def at(v: Vcpu, offset: int) -> int:
    """The place of a register of a vCPU: `at(v, Offset.TPR)`. ISR, TMR and IRR are one place each. (H-REG-1, X0-1)"""
    return v.page + (offset >> SLOT_SHIFT)


@Op
def vlapic_enabled(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Enabled in hardware (IA32_APIC_BASE) and by software (SVR bit 8). (X0-5a)"""
    return not (yield READ_DISABLED(v.cells.apic_disabled))


@Op
def vlapic_hw_disabled(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Disabled by IA32_APIC_BASE: as if there were no APIC. (X0-5a)"""
    return bool((yield READ_DISABLED(v.cells.apic_disabled)) & VLAPIC_HW_DISABLED)


@Op
def vlapic_sw_disabled(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Disabled by SVR: visible, but deaf, and its LVTs are masked. (X0-4, X0-5a)"""
    return bool((yield READ_DISABLED(v.cells.apic_disabled)) & VLAPIC_SW_DISABLED)


@Op
def vlapic_x2apic_mode(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Whether the guest has switched this APIC to x2APIC mode. (X0-10)"""
    return bool((yield READ_BASE(v.cells.apic_base)) & ApicBase.EXTD.mask)


@Op
def vlapic_xapic_mode(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Enabled in hardware and not in x2APIC mode: the APIC is reached through its page. (X0-10)"""
    if (yield from vlapic_hw_disabled(w, core, v)):
        return False
    return not (yield from vlapic_x2apic_mode(w, core, v))


@Op
def vlapic_range(w: World, core: Core, v: Vcpu, address: int) -> Beats[bool]:
    """Whether a guest physical address lies in this vCPU's APIC page, which x2APIC mode does not have. (X0-2, X0-10)"""
    if not (yield from vlapic_xapic_mode(w, core, v)):
        return False
    base: int = yield READ_BASE(v.cells.apic_base)
    return (base ^ address) & ApicBase.BASE.mask == 0


def highest(vectors: int) -> int:
    """The highest vector of a 256-bit register, -1 if it is empty. `highest(1 << 0x41)` is 0x41. (H-REG-7)"""
    return vectors.bit_length() - 1


@Op
def vlapic_find_highest_irr(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The highest pending vector, -1 if there is none. (X0-6)"""
    return highest((yield READ_IRR(at(v, Offset.IRR))))


@Op
def vlapic_find_highest_isr(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The highest vector in service, -1 if there is none. (X0-6)"""
    return highest((yield READ_ISR(at(v, Offset.ISR))))


@Op
def vlapic_get_ppr(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """PPR from the page's TPR and ISR; what stands in the page's PPR is not looked at. (X0-4, H-PRIO-1)"""
    tpr = yield READ_TPR(at(v, Offset.TPR))
    isr = yield READ_ISR(at(v, Offset.ISR))
    return ppr_of(tpr, isr)

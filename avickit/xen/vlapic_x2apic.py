"""IA32_APIC_BASE and x2APIC mode: the registers as MSRs, which Xen intercepts. (Xen guest_wrmsr_apic_base, _x2apic)

AVIC stays on meanwhile (X0-10, X08). Does not model: x2AVIC; the extra registers of Intel's APICs.
"""

from avickit.beat import AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import SELF_IPI_MSR, X2APIC_MSRS, Offset, SelfIpi, Svr, Tpr
from avickit.manual.icr import ICRL, X2ICRH, Shorthand
from avickit.silicon.access import SLOT_SHIFT, WORD
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_init import vlapic_reset
from avickit.xen.vlapic_lvt import LVT_MASK, LVTS
from avickit.xen.vlapic_match import X2LogicalId
from avickit.xen.vlapic_regs import vlapic_reg_read, vlapic_reg_write
from avickit.xen.vlapic_state import (
    READ_BASE,
    VLAPIC_HW_DISABLED,
    ApicBase,
    at,
    vlapic_x2apic_mode,
    vlapic_xapic_mode,
)
from avickit.xen.vlapic_timer import TDCR_MASK

CMCI = 0x2F0
"""Offset of an LVT for corrected machine checks: Xen reads and checks it, and keeps nothing. (X0-10)"""
READABLE = frozenset(
    (Offset.ID, Offset.VERSION, Offset.TPR, Offset.PPR, Offset.LDR, Offset.SVR, Offset.ESR, Offset.ICRL, CMCI)
).union(range(Offset.ISR, Offset.ESR, 0x10), LVTS, (Offset.TMICT, Offset.TMCCT, Offset.TDCR))
"""Offsets of the registers that are readable MSRs. (X0-10, H-REG-8)"""
WRITABLE = {
    **LVT_MASK,
    CMCI: LVT_MASK[Offset.LVT_THERMAL],
    Offset.TPR: WORD & ~Tpr.reserved.mask,
    Offset.SVR: Svr.VECTOR.mask | Svr.ENABLE.mask,
    Offset.EOI: 0,
    Offset.ESR: 0,
    Offset.ICRL: WORD & ~ICRL.reserved.mask & ~ICRL.DELIVERY_STATUS.mask & ~ICRL.REMOTE_READ_STATUS.mask
    | X2ICRH.DESTINATION.mask << ICRL.width,
    Offset.TMICT: (1 << 64) - 1,
    Offset.TDCR: TDCR_MASK,
    Offset.SELF_IPI: SelfIpi.VECTOR.mask,
}
"""The bits that may be set in a write of each MSR; any other register or bit is #GP. (X0-10)"""
MEMBER_BITS = X2LogicalId.MEMBERS.msb.bit_length()

READ_APIC_BASE = Site(Kind.READ, LOAD, "X0-10", "Xen guest_rdmsr", "reads IA32_APIC_BASE: {old}")
SET_BASE = Site(Kind.UPDATE, STORE, "X0-10", "Xen guest_wrmsr_apic_base", "IA32_APIC_BASE is {new}")
HW_ENABLE = Site(Kind.UPDATE, AND, "X0-10", "Xen guest_wrmsr_apic_base", "the APIC is enabled in hardware")
HW_DISABLE = Site(Kind.UPDATE, OR, "X0-10", "Xen guest_wrmsr_apic_base", "the APIC is disabled in hardware")
SET_X2_ID = Site(Kind.UPDATE, STORE, "X0-10", "Xen set_x2apic_id", "in x2APIC mode the ID is {new}, not shifted")
SET_X2_LDR = Site(Kind.UPDATE, STORE, "X0-10", "Xen set_x2apic_id", "the logical ID follows: {new}")
SET_ICRH = Site(Kind.UPDATE, STORE, "X0-10", "Xen guest_wrmsr_x2apic", "all 32 bits of the destination: {new}")


@Op
def guest_rdmsr_apic_base(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """RDMSR 1Bh. (X0-10)"""
    return (yield READ_APIC_BASE(v.cells.apic_base))  # type: ignore[no-any-return]


@Op
def guest_wrmsr_apic_base(w: World, core: Core, v: Vcpu, value: int) -> Beats[bool]:
    """WRMSR 1Bh: enable, disable, move the page, go to x2APIC mode; false is #GP. (X0-10)

    Refused: reserved bits; to enable or disable together with bit 10; bit 10 to change other than from xAPIC mode.
    Enabling is a reset. AVIC's APIC_BAR does not follow a page that moves.
    """
    base = yield READ_BASE(v.cells.apic_base)
    if value & ApicBase.reserved.mask or value >> ApicBase.width:
        return False
    changed = base ^ value
    if changed & ApicBase.ENABLE.mask:
        if value & ApicBase.EXTD.mask:
            return False
        yield from vlapic_hw_switch(w, core, v, bool(value & ApicBase.ENABLE.mask))
    elif changed & ApicBase.EXTD.mask and not (yield from vlapic_xapic_mode(w, core, v)):
        return False
    yield SET_BASE(v.cells.apic_base, value)
    if value & ApicBase.EXTD.mask:
        yield from set_x2apic_id(w, core, v)
    return True


@Op
def vlapic_hw_switch(w: World, core: Core, v: Vcpu, on: bool) -> Beats[None]:
    """Enabled in hardware, after a reset; or disabled. (X0-10)"""
    if not on:
        yield HW_DISABLE(v.cells.apic_disabled, VLAPIC_HW_DISABLED)
        return
    yield from vlapic_reset(w, core, v)
    yield HW_ENABLE(v.cells.apic_disabled, ~VLAPIC_HW_DISABLED)


@Op
def set_x2apic_id(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The x2APIC ID is 2 * vcpu_id, in bits 31:0 (X08); LDR is made of vcpu_id, as Xen did until 2023. (X0-10)

    By H-X2-2 it would be made of the ID. Cluster in bits 31:16, one of 16 members below.
    """
    yield SET_X2_ID(at(v, Offset.ID), v.apic_id)
    cluster, member = divmod(v.vcpu_id, 1 << MEMBER_BITS)
    yield SET_X2_LDR(at(v, Offset.LDR), X2LogicalId(CLUSTER=cluster, MEMBERS=1 << member).value)


@Op
def guest_rdmsr_x2apic(w: World, core: Core, v: Vcpu, msr: int) -> Beats[int | None]:
    """RDMSR 800h..: None is #GP. The ICR is one 64-bit register. (X0-10, H-REG-8)"""
    offset = msr - X2APIC_MSRS.start << SLOT_SHIFT
    if not (yield from vlapic_x2apic_mode(w, core, v)) or offset not in READABLE:
        return None
    high = (yield from vlapic_reg_read(w, core, v, Offset.ICRH)) if offset == Offset.ICRL else 0
    return high << ICRL.width | (yield from vlapic_reg_read(w, core, v, offset))


@Op
def guest_wrmsr_x2apic(w: World, core: Core, v: Vcpu, msr: int, value: int) -> Beats[bool]:
    """WRMSR 800h..: false is #GP, for a register that cannot be written and a bit that must be 0. (X0-10)"""
    offset = msr - X2APIC_MSRS.start << SLOT_SHIFT
    if not (yield from vlapic_x2apic_mode(w, core, v)) or value & ~WRITABLE.get(offset, 0) or offset not in WRITABLE:
        return False
    if msr == SELF_IPI_MSR:
        offset, value = Offset.ICRL, ICRL(VECTOR=value, DESTINATION_SHORTHAND=Shorthand.SELF).value
    elif offset == Offset.ICRL:
        yield SET_ICRH(at(v, Offset.ICRH), value >> ICRL.width)
    yield from vlapic_reg_write(w, core, v, offset, value & WORD)
    return True

"""How an APIC comes to its reset values: power-on, and INIT. (Xen vlapic_reset)

What else INIT and STARTUP do to a vCPU is `vlapic_sipi`'s matter. Does not model: save and restore.
"""

from avickit.beat import OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import RESET, ApicId, Offset
from avickit.silicon.guest import APIC_BASE
from avickit.silicon.parts import Core, clear_page
from avickit.xen.parts import Vcpu, xen
from avickit.xen.vlapic_lvt import LVTS
from avickit.xen.vlapic_pt import destroy_periodic_time
from avickit.xen.vlapic_state import VLAPIC_SW_DISABLED, ApicBase, at, vlapic_x2apic_mode
from avickit.xen.vlapic_timer import vlapic_set_tdcr

AFTER_INIT = (
    (Offset.VERSION, Offset.IRR, Offset.ISR, Offset.TMR, Offset.ICRL, Offset.ICRH),
    (Offset.TPR, Offset.TMICT, Offset.TMCCT),
    (Offset.DFR, *LVTS, Offset.SVR),
)
"""What INIT sets, in Xen's order; LDR comes after the first group, TDCR after the second. (X0-4a)"""

RESET_REG = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_do_init", "{place} gets its reset value {new}")
SET_ID = Site(Kind.UPDATE, STORE, "X0-1", "Xen vlapic_reset", "the APIC ID is {new}: the vCPU's number twice")
SET_BASE = Site(Kind.UPDATE, STORE, "X0-1", "Xen vlapic_reset", "IA32_APIC_BASE is {new}")
SW_DISABLE = Site(Kind.UPDATE, OR, "X0-4a", "Xen vlapic_do_init", "after reset the APIC is disabled by software")


@Op
def vlapic_init(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A new vCPU's APIC: an empty page, then power-on reset. (X0-1, H-REG-6)"""
    yield from clear_page(w, v.page)
    yield from vlapic_reset(w, core, v)


@Op
def vlapic_reset(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Power-on reset: IA32_APIC_BASE and ID too. vCPU 0 is the one that boots. (X0-1, H-REG-6)"""
    base = APIC_BASE | ApicBase.ENABLE.mask | (0 if v.vcpu_id else ApicBase.BSP.mask)
    yield SET_BASE(v.cells.apic_base, base)
    yield SET_ID(at(v, Offset.ID), v.apic_id << ApicId.ID.lsb)
    yield from vlapic_do_init(w, core, v)


@Op
def vlapic_do_init(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """INIT: every register but ID and ESR; in x2APIC mode LDR stays too; the timer stops. (X0-4a)

    A hook hears of it: the logical table has to follow (X20). Nobody tells V_TPR. (X24)
    """
    before_ldr, before_tdcr, rest = AFTER_INIT
    for offset in before_ldr:
        yield RESET_REG(at(v, offset), RESET[offset])
    if not (yield from vlapic_x2apic_mode(w, core, v)):
        yield RESET_REG(at(v, Offset.LDR), RESET[Offset.LDR])
    for offset in before_tdcr:
        yield RESET_REG(at(v, offset), RESET[offset])
    yield from vlapic_set_tdcr(w, core, v, RESET[Offset.TDCR])
    for offset in rest:
        yield RESET_REG(at(v, offset), RESET[offset])
    yield SW_DISABLE(v.cells.apic_disabled, VLAPIC_SW_DISABLED)
    yield from destroy_periodic_time(w, core, v)
    hook = xen(w).funcs.get("vlapic_reset")
    if hook is not None:
        yield from hook(w, core, v)


@Op
def vlapic_destroy(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A vCPU goes away with its domain: its timer stops. (X4-3, Xen vlapic_destroy)"""
    yield from destroy_periodic_time(w, core, v)

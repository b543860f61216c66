"""How an APIC comes to its reset values: power-on, and INIT; and how STARTUP lets a vCPU run. (Xen vlapic_reset)

Does not model: the rest of a CPU's reset; the tasklet that does the work while the sender is paused; the wait until
a target has left the guest.
"""

from avickit.beat import AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import RESET, ApicId, Offset
from avickit.manual.icr import ICRL, MessageType, TriggerMode
from avickit.silicon.guest import APIC_BASE
from avickit.silicon.parts import Core, clear_page
from avickit.xen.parts import (
    BLOCKED,
    DOWN,
    PAUSED,
    READ_PROCESSOR,
    READ_RUNNING,
    SOFTIRQ_SCHEDULE,
    Vcpu,
    xen,
)
from avickit.xen.sched import raise_softirq, vcpu_up, vcpu_wake
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
PAUSE = Site(Kind.UPDATE, OR, "X0-5", "Xen vcpu_pause_nosync", "the sender is paused while INIT or STARTUP is done")
UNPAUSE = Site(Kind.UPDATE, AND, "X0-5", "Xen vcpu_unpause", "the sender may go on")
READ_WAITS = Site(Kind.CHECK, LOAD, "X0-5", "Xen is_initialised", "does the target wait for STARTUP? {old}")
SET_WAITS = Site(Kind.UPDATE, STORE, "X0-5", "Xen vcpu_reset", "the target waits for STARTUP: {new}")
GO_DOWN = Site(Kind.UPDATE, OR, "X0-5", "Xen hvm_vcpu_down", "INIT: the target goes down")
UNBLOCK = Site(Kind.UPDATE, AND, "X0-5", "Xen vcpu_reset", "a target that is reset is not blocked")
DROP_NMI = Site(Kind.UPDATE, STORE, "X0-5", "Xen vcpu_reset", "a pending NMI is forgotten")
SET_SIPI = Site(Kind.UPDATE, STORE, "X0-5", "Xen hvm_vcpu_reset_state", "it will start at page {new} of 4 KiB")


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


@Op
def vlapic_pause_sender(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The sender of INIT or STARTUP is paused until all targets are done. (X0-5)"""
    yield PAUSE(v.cells.pause_flags, PAUSED)


@Op
def vlapic_unpause_sender(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """All targets are done. (X0-5)"""
    yield UNPAUSE(v.cells.pause_flags, ~PAUSED)
    yield from vcpu_wake(w, core, v)


@Op
def vlapic_init_sipi_one(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """INIT or STARTUP, to one target. An INIT de-assert does nothing. (X0-5, X0-5a)"""
    low = ICRL.raw(icrl)
    if low.MESSAGE_TYPE == MessageType.STARTUP:
        yield from vlapic_startup(w, core, target, low.VECTOR)
    elif low.LEVEL or low.TRIGGER_MODE != TriggerMode.LEVEL:
        yield from vlapic_init_reset(w, core, target)


@Op
def vlapic_init_reset(w: World, core: Core, target: Vcpu) -> Beats[None]:
    """INIT: the target goes down, is reset, and waits for STARTUP; one that waits already is left alone. (X0-5)"""
    if (yield READ_WAITS(target.cells.waits_for_sipi)):
        return
    yield GO_DOWN(target.cells.pause_flags, DOWN)
    if (yield READ_RUNNING(target.cells.is_running)):
        where = w.objects["pcpus"][(yield READ_PROCESSOR(target.cells.processor))]
        yield from raise_softirq(w, core, where, SOFTIRQ_SCHEDULE)
    yield UNBLOCK(target.cells.pause_flags, ~BLOCKED)
    yield DROP_NMI(target.cells.nmi_pending, 0)
    yield SET_WAITS(target.cells.waits_for_sipi, 1)
    yield from vlapic_do_init(w, core, target)


@Op
def vlapic_startup(w: World, core: Core, target: Vcpu, vector: int) -> Beats[None]:
    """STARTUP: a target that waits for it starts at page `vector`; any other ignores it. (X0-5)"""
    if not (yield READ_WAITS(target.cells.waits_for_sipi)):
        return
    yield SET_SIPI(target.cells.sipi_vector, vector)
    start_ap = xen(w).funcs.get("start_ap")
    if start_ap is not None:
        yield from start_ap(w, core, target, vector)
    yield SET_WAITS(target.cells.waits_for_sipi, 0)
    yield from vcpu_up(w, core, target)

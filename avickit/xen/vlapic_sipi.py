"""INIT and STARTUP: a tasklet, while the sender is paused; what they make of a vCPU. (Xen vlapic_init_sipi_action)

Does not model: FPU, control and segment registers, TSC. Xen pauses, waits for and sees to one target after the other;
here all are paused first. To wait is to look again after the other cores have run (`svm.do_tasklet`).
"""

from avickit.beat import AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.icr import ICRL, MessageType, TriggerMode
from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.guest import Frame
from avickit.silicon.parts import Core
from avickit.xen.parts import BLOCKED, DOWN, READ_RUNNING, SOFTIRQ_SCHEDULE, Vcpu, pcpu, vcpus_of
from avickit.xen.sched import raise_softirq, sync_vcpu_execstate, vcpu_pause_nosync, vcpu_unpause, vcpu_up
from avickit.xen.vlapic_init import vlapic_do_init
from avickit.xen.vlapic_match import matches
from avickit.xen.vmcb import vmcb_set

KEEP = Site(Kind.UPDATE, STORE, "X0-5", "Xen vlapic_ipi", "keeps the message for the tasklet: {place} is {new}")
SCHEDULE_TASKLET = Site(Kind.UPDATE, STORE, "X0-5", "Xen tasklet_schedule", "{area} shall see to it when it idles")
READ_KEPT = Site(Kind.READ, LOAD, "X0-5", "Xen vlapic_init_sipi_action", "which message? {place} is {old}")
READ_TARGETS = Site(Kind.READ, LOAD, "X0-5", "Xen vlapic_init_sipi_action", "who has been paused for it? {old}")
KEEP_TARGETS = Site(Kind.UPDATE, STORE, "X0-5", "Xen vlapic_init_sipi_action", "who is paused for it: {new}")
READ_WAITS = Site(Kind.CHECK, LOAD, "X0-5", "Xen is_initialised", "does the target wait for STARTUP? {old}")
SET_WAITS = Site(Kind.UPDATE, STORE, "X0-5", "Xen vcpu_reset", "the target waits for STARTUP: {new}")
GO_DOWN = Site(Kind.UPDATE, OR, "X0-5", "Xen hvm_vcpu_down", "INIT: the target goes down")
UNBLOCK = Site(Kind.UPDATE, AND, "X0-5", "Xen vcpu_reset", "a target that is reset is not blocked")
DROP_NMI = Site(Kind.UPDATE, STORE, "X0-5", "Xen vcpu_reset", "a pending NMI is forgotten")
SET_SIPI = Site(Kind.UPDATE, STORE, "X0-5", "Xen hvm_vcpu_reset_state", "it will start at page {new} of 4 KiB")
BEGIN = Site(Kind.UPDATE, STORE, "X0-5", "Xen hvm_vcpu_reset_state", "what it did is forgotten; it starts afresh")
RESET_IF = Site(Kind.UPDATE, STORE, "X0-5", "Xen arch_vcpu_regs_init, APM2 14.1.3", "after reset IF is {new}")
RESET_CPL = Site(Kind.UPDATE, STORE, "X0-5", "Xen hvm_vcpu_reset_state, APM2 14.1.3", "after reset CPL is {new}")


@Op
def send_init_sipi(w: World, core: Core, v: Vcpu, icrl: int, dest: int) -> Beats[None]:
    """INIT and STARTUP: the sender is paused, and a tasklet sees to all who are meant. (X0-5)"""
    yield from vcpu_pause_nosync(w, core, v)
    yield KEEP(v.cells.init_sipi_icr, icrl)
    yield KEEP(v.cells.init_sipi_dest, dest)
    p = pcpu(w, core)
    yield SCHEDULE_TASKLET(p.tasklet, v.guest.index + 1)
    yield from raise_softirq(w, core, p, SOFTIRQ_SCHEDULE)


@Op
def vlapic_init_sipi_action(w: World, core: Core, origin: Vcpu) -> Beats[bool]:
    """The tasklet: all who are meant are paused, then seen to; then the sender goes on. (X0-5)

    False if one of them has not left its guest yet: nothing but the pauses has been done, to be called again.
    """
    icrl = yield READ_KEPT(origin.cells.init_sipi_icr)
    mask = (yield READ_TARGETS(origin.cells.init_sipi_targets)) or (yield from pause_targets(w, core, origin, icrl))
    targets = [v for v in vcpus_of(w, origin.domain) if mask >> v.vcpu_id & 1]
    for target in targets:
        if (yield READ_RUNNING(target.cells.is_running)):
            return False
    for target in targets:
        yield from sync_vcpu_execstate(w, core, target)
        yield from vlapic_init_sipi_one(w, core, target, icrl)
        yield from vcpu_unpause(w, core, target)
    yield KEEP_TARGETS(origin.cells.init_sipi_targets, 0)
    yield from vcpu_unpause(w, core, origin)
    return True


@Op
def pause_targets(w: World, core: Core, origin: Vcpu, icrl: int) -> Beats[int]:
    """Pause everybody who is meant, and send those that run to the scheduler; a bit for each vcpu_id. (X0-5)"""
    dest = yield READ_KEPT(origin.cells.init_sipi_dest)
    mask = 0
    for target in vcpus_of(w, origin.domain):
        if (yield from matches(w, target, origin, icrl, dest)):
            mask |= 1 << target.vcpu_id
            yield from vcpu_pause_nosync(w, core, target)
    yield KEEP_TARGETS(origin.cells.init_sipi_targets, mask)
    return mask


@Op
def vlapic_init_sipi_one(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """INIT or STARTUP, to one target, which has stopped. An INIT de-assert does nothing. (X0-5, X0-5a)"""
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
    yield from hvm_vcpu_reset_state(w, target)
    yield SET_WAITS(target.cells.waits_for_sipi, 0)
    yield from vcpu_up(w, core, target)


@Op
def hvm_vcpu_reset_state(w: World, v: Vcpu) -> Beats[None]:
    """A processor after INIT: IF = 0, CPL 0, no shadow, no event on its way; RIP where the AP starts. (X0-5)

    That is the guest's start program (`v.guest.start_ap`); handlers stay, as an IDT in memory does. Shadow and EVENTINJ
    go with the rest of the processor's state (APM2 14.1.3), though Xen's function does not name them.
    """
    entry = w.see[v.guest.start_program]
    yield BEGIN(v.guest.frames, (Frame(entry),) if entry else ())
    yield RESET_IF(v.guest.interrupt_flag, 0)
    yield RESET_CPL(v.guest.cpl, 0)
    yield from vmcb_set(w, v, VmcbOffset.INTERRUPT_SHADOW, 0)
    yield from vmcb_set(w, v, VmcbOffset.EVENTINJ, 0)

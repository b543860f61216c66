"""Kick, block, wake, and the switch from one vCPU to another. Whom a core runs is what the user has asked for.

Names and order of steps are Xen's (common/schedule.c, arch/x86/domain.c). Does not model: credits, cpupools,
affinity; the execution state of a vCPU left on another core is synced in place, without its IPI.
"""

from avickit.beat import ADD, AND, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.silicon.parts import INTR, Core
from avickit.xen.parts import (
    BLOCKED,
    DOWN,
    INTERRUPT,
    ONE_PAUSE,
    PAUSED,
    RAISE,
    READ_PROCESSOR,
    READ_RUNNING,
    SOFTIRQ_KICK,
    SOFTIRQ_SCHEDULE,
    PCpu,
    Vcpu,
    pcpu,
    vcpu_of,
    xen,
)

BLOCK = Site(Kind.UPDATE, OR, "X0-7", "Xen vcpu_block", "marks the vCPU blocked")
UNBLOCK = Site(Kind.UPDATE, AND, "X0-8", "Xen vcpu_unblock", "clears blocked")
GO_DOWN = Site(Kind.UPDATE, OR, "X0-7", "Xen hvm_hlt", "HLT with IF = 0: the vCPU goes down")
COME_UP = Site(Kind.UPDATE, AND, "X0-7", "Xen vcpu_wake", "the vCPU is up again")
PAUSE = Site(Kind.UPDATE, ADD, "X0-5", "Xen vcpu_pause_nosync", "pauses the vCPU: one pause more")
UNPAUSE = Site(Kind.UPDATE, ADD, "X0-5", "Xen vcpu_unpause", "unpauses the vCPU: one pause less")
WHO_IS_NEXT = Site(Kind.READ, LOAD, "X6-6", "Xen schedule", "whom shall this core run?")
FORGET_NEXT = Site(Kind.UPDATE, STORE, "X6-6", "Xen schedule", "the vCPU sleeps: this core has nobody to run")
IS_RUNNABLE = Site(Kind.CHECK, LOAD, "X6-6", "Xen vcpu_runnable", "may it run? pause flags {old}")
SET_RUNNING = Site(Kind.UPDATE, STORE, "X0-8", "Xen schedule", "is_running is {new}: the scheduler's flag, not AVIC's")
SAVED = Site(Kind.UPDATE, STORE, "X0-8", "Xen context_saved", "is_running is {new}: the switch is complete")
SET_PROCESSOR = Site(Kind.UPDATE, STORE, "X0-8", "Xen vcpu_migrate", "the vCPU's processor is {new}")
SET_CURRENT = Site(Kind.UPDATE, STORE, "X6-6", "Xen set_current", "the core's current vCPU changes")
SET_LOADED = Site(Kind.UPDATE, STORE, "X6-6", "Xen __context_switch", "the core holds this vCPU's state")
READ_LOADED = Site(Kind.READ, LOAD, "X6-6", "Xen vcpu_dirty_cpu", "on which core is its state still loaded?")
SET_DIRTY = Site(Kind.UPDATE, STORE, "X6-6", "Xen vcpu_dirty_cpu", "notes where the vCPU's state is loaded")
READ_PI_OPS = Site(Kind.CHECK, LOAD, "X6-4", "Xen pi_ops flags", "does the domain want this hook? {old}")

PI_CSW_FROM, PI_CSW_TO, PI_CSW_BLOCK, PI_CSW_RESUME = 1, 2, 4, 8
"""Flags of a domain's pi_ops: which hooks it wants. (X6-4)"""
HOOKS = {"from": PI_CSW_FROM, "to": PI_CSW_TO, "block": PI_CSW_BLOCK, "resume": PI_CSW_RESUME}


@Op
def raise_softirq(w: World, core: Core, where: PCpu, bit: int) -> Beats[None]:
    """Raise a softirq; a physical IPI only if it was not yet pending and the core is another one. (X0-8)"""
    old = yield RAISE(where.softirq, bit)
    if not old & bit and where.core.index != core.index:
        yield INTERRUPT(where.core.signals, INTR)


@Op
def vcpu_kick(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Remember is_running, always unblock, and raise the kick softirq if it ran elsewhere. (X0-8)"""
    running = yield READ_RUNNING(v.cells.is_running)
    yield from vcpu_unblock(w, core, v)
    if running and w.see[pcpu(w, core).current] != v.guest.index + 1:
        where = w.objects["pcpus"][(yield READ_PROCESSOR(v.cells.processor))]
        yield from raise_softirq(w, core, where, SOFTIRQ_KICK)


@Op
def vcpu_unblock(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Clear blocked; wake the vCPU if it was. (X0-8)"""
    if (yield UNBLOCK(v.cells.pause_flags, ~BLOCKED)) & BLOCKED:
        yield from vcpu_wake(w, core, v)


@Op
def vcpu_up(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """NMI, INIT/SIPI: what brings back a vCPU that went down. (X0-7)"""
    if (yield COME_UP(v.cells.pause_flags, ~DOWN)) & DOWN:
        yield from vcpu_wake(w, core, v)


@Op
def vcpu_wake(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The vCPU is runnable. It waits until a core is told to run it (`xen.run`)."""
    return
    yield


@Op
def vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Set blocked, call the block hook, look for events once more, sleep or clear blocked. (X0-7, X6-5)"""
    yield BLOCK(v.cells.pause_flags, BLOCKED)
    yield from arch_vcpu_block(w, core, v)
    if (yield from local_events_need_delivery(w, core, v)):
        yield from block_aborted(w, core, v)
    else:
        yield from raise_softirq(w, core, pcpu(w, core), SOFTIRQ_SCHEDULE)


@Op
def block_aborted(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """An event came in time: the vCPU is not blocked after all. (X0-7; the place of X05)"""
    yield UNBLOCK(v.cells.pause_flags, ~BLOCKED)


@Op
def local_events_need_delivery(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Whether an event waits that the vCPU could take: asked again after blocked is set. (X0-7, X6-5)"""
    return bool((yield from xen(w).funcs["events_need_delivery"](w, core, v)))


@Op
def vcpu_down(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """HLT with IF = 0: only NMI or INIT/SIPI wakes it. (X0-7)"""
    yield GO_DOWN(v.cells.pause_flags, DOWN)
    yield from raise_softirq(w, core, pcpu(w, core), SOFTIRQ_SCHEDULE)


@Op
def arch_vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The domain's block hook, if it has one. (X6-3; as published it is never connected: X01)"""
    yield from pi_hook(w, core, v, "block")


@Op
def pi_hook(w: World, core: Core, v: Vcpu, name: str) -> Beats[None]:
    """Call a scheduling hook if some patch brought it and the domain's flag asks for it. (X6-4)"""
    hook = xen(w).funcs.get(f"pi_{name}")
    if hook is not None and (yield READ_PI_OPS(v.domain.cells.pi_ops)) & HOOKS[name]:
        yield from hook(w, core, v)


@Op
def vcpu_pause_nosync(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """One pause more; a vCPU that runs is sent to the scheduler, and nobody waits until it is gone. (X0-5)"""
    yield PAUSE(v.cells.pause_flags, ONE_PAUSE)
    if (yield READ_RUNNING(v.cells.is_running)):
        where = w.objects["pcpus"][(yield READ_PROCESSOR(v.cells.processor))]
        yield from raise_softirq(w, core, where, SOFTIRQ_SCHEDULE)


@Op
def vcpu_unpause(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """One pause less. After the last, the vCPU goes on where it was paused; who sleeps has lost its core. (X0-5)"""
    flags = (yield UNPAUSE(v.cells.pause_flags, -ONE_PAUSE)) - ONE_PAUSE
    if flags & PAUSED:
        return
    where = w.objects["pcpus"][(yield READ_PROCESSOR(v.cells.processor))]
    mine = (yield WHO_IS_NEXT(where.next)) == v.guest.index + 1
    if flags:
        if mine:
            yield FORGET_NEXT(where.next, 0)
        return
    yield from vcpu_wake(w, core, v)
    if mine:
        yield from raise_softirq(w, core, where, SOFTIRQ_SCHEDULE)


@Op
def sync_vcpu_execstate(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The vCPU has stopped: its state leaves the core that still holds it. (X0-5, X6-6)"""
    loaded = yield READ_LOADED(v.cells.loaded_on)
    if loaded:
        yield from switch_from(w, core, v, w.objects["pcpus"][loaded - 1])


@Op
def pick_next(w: World, core: Core) -> Beats[int]:
    """Whom the user has asked for, if it may run. Who sleeps loses the core, who is only paused keeps it. (X6-6)

    A tasklet goes first: idle does it. (X0-5)
    """
    p = pcpu(w, core)
    chosen: int = yield WHO_IS_NEXT(p.next)
    if not chosen or w.see[p.tasklet]:
        return 0
    flags = yield IS_RUNNABLE(vcpu_of(w, chosen - 1).cells.pause_flags)
    if not flags:
        return chosen
    if not flags & PAUSED:
        yield FORGET_NEXT(p.next, 0)
    return 0


@Op
def schedule(w: World, core: Core) -> Beats[None]:
    """The SCHEDULE softirq: switch to whom the user has asked for, to idle if that vCPU cannot run. (X6-6)"""
    p = pcpu(w, core)
    chosen = yield from pick_next(w, core)
    before = w.see[p.current]
    if chosen:
        cells = vcpu_of(w, chosen - 1).cells
        yield SET_PROCESSOR(cells.processor, core.index)
        yield SET_RUNNING(cells.is_running, 1)
    if chosen != before:
        yield from context_switch(w, core, before, chosen)
    if chosen:
        yield from do_resume(w, core, vcpu_of(w, chosen - 1))


@Op
def context_switch(w: World, core: Core, before: int, chosen: int) -> Beats[None]:
    """Lazy: the hooks are skipped when the next is idle or already loaded; is_running goes last. (X6-6, X0-8)"""
    p = pcpu(w, core)
    if chosen and w.see[p.loaded] != chosen:
        yield from switch_state(w, core, vcpu_of(w, chosen - 1))
    yield SET_CURRENT(p.current, chosen)
    if before:
        yield SAVED(vcpu_of(w, before - 1).cells.is_running, 0)


@Op
def switch_state(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """__context_switch: the from hook of who was loaded here, a sync of v's state elsewhere, the to hook of v."""
    p = pcpu(w, core)
    if w.see[p.loaded]:
        yield from switch_from(w, core, vcpu_of(w, w.see[p.loaded] - 1), p)
    elsewhere = yield READ_LOADED(v.cells.loaded_on)
    if elsewhere:
        yield from switch_from(w, core, v, w.objects["pcpus"][elsewhere - 1])
    yield SET_LOADED(p.loaded, v.guest.index + 1)
    yield SET_DIRTY(v.cells.loaded_on, core.index + 1)
    yield from ctxt_switch_to(w, core, v)


@Op
def switch_from(w: World, core: Core, v: Vcpu, where: PCpu) -> Beats[None]:
    """The state of v leaves the core that held it."""
    yield from ctxt_switch_from(w, core, v)
    yield SET_DIRTY(v.cells.loaded_on, 0)
    yield SET_LOADED(where.loaded, 0)


@Op
def ctxt_switch_from(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_ctxt_switch_from. (X6-2)"""
    yield from pi_hook(w, core, v, "from")


@Op
def ctxt_switch_to(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_ctxt_switch_to. (X6-1)"""
    yield from pi_hook(w, core, v, "to")


@Op
def do_resume(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_do_resume, the tail of schedule: the resume hook, then the TPR reflection. (X6-3, X7-2)"""
    yield from pi_hook(w, core, v, "resume")
    yield from xen(w).funcs["reflect_tpr"](w, core, v)

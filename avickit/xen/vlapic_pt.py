"""The timer behind the APIC timer: armed, due, raised, posted. (Xen vpt.c, struct periodic_time)

A timer that has fired is not armed again before its interrupt has been handed to the guest (`pt_intr_post`); periods
missed until then count once. `timer_expiry` is when an armed timer is due, `timer_pending` when the tick was due that
is owed to the guest; 0 is none. Does not model: Xen's least period of 0.1 ms and its half period of delay for the first
tick, the freezing of a preempted vCPU's timers, other timer modes than "one missed tick pending".
"""

from avickit.beat import CLOCK, LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import LvtTimer, Offset
from avickit.silicon.parts import Core
from avickit.xen.parts import READ_PROCESSOR, Vcpu
from avickit.xen.sched import vcpu_kick
from avickit.xen.vlapic_irq import EDGE, vlapic_set_irq
from avickit.xen.vlapic_state import NO_VECTOR, READ_REG, at, vlapic_enabled

READ_CLOCK = Site(Kind.READ, LOAD, "X0-4", "Xen hvm_get_guest_time", "what time is it? {old} ns")
READ_TIMER = Site(Kind.CHECK, LOAD, "X0-4", "Xen struct periodic_time", "vlapic's timer: {place} is {old}")
SET_PENDING = Site(Kind.UPDATE, STORE, "X0-4", "Xen pt_timer_fn", "the tick of {new} ns is owed to the guest; 0: none")
SET_ISSUED = Site(Kind.UPDATE, STORE, "X0-4", "Xen pt_update_irq", "the tick's vector has been raised: {new}")
SET_EXPIRY = Site(Kind.UPDATE, STORE, "X0-4", "Xen create_periodic_time", "the timer is due at {new} ns; 0: never")
SET_PERIOD = Site(Kind.UPDATE, STORE, "X0-4", "Xen create_periodic_time", "its period is {new} ns; 0: one shot")
SET_START = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_pt_cb", "TMCCT counts from {new} ns on")
CLEAR_DEADLINE = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_tdt_pt_cb", "the TSC deadline is over")


@Op
def create_periodic_time(w: World, core: Core, v: Vcpu, delta: int, period: int) -> Beats[int]:
    """Arm the timer `delta` ns from now, then every `period` ns (0: once); answers with the time now. (X0-4)"""
    yield from destroy_periodic_time(w, core, v)
    now: int = yield READ_CLOCK(CLOCK)
    yield SET_PERIOD(v.cells.timer_period, period)
    yield SET_EXPIRY(v.cells.timer_expiry, now + delta)
    return now


@Op
def destroy_periodic_time(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Disarm the timer; a tick that is owed is owed no more. (X0-4)"""
    yield SET_PENDING(v.cells.timer_pending, 0)
    yield SET_ISSUED(v.cells.timer_issued, 0)
    yield SET_EXPIRY(v.cells.timer_expiry, 0)


@Op
def vlapic_timer_check(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The timer softirq looks at v's timer: its own core's matter, and only if it is armed and due. (X0-4)"""
    expiry = yield READ_TIMER(v.cells.timer_expiry)
    if not expiry or (yield READ_PROCESSOR(v.cells.processor)) != core.index:
        return
    if (yield READ_CLOCK(CLOCK)) >= expiry:
        yield from vlapic_timer_fire(w, core, v)


@Op
def vlapic_timer_fire(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The timer is due: a tick is owed, v is kicked, the vector raised unless masked. (X0-4, Xen pt_timer_fn)"""
    yield SET_PENDING(v.cells.timer_pending, (yield READ_TIMER(v.cells.timer_expiry)))
    yield SET_EXPIRY(v.cells.timer_expiry, 0)
    yield from vcpu_kick(w, core, v)
    yield from pt_update_irq(w, core, v)


@Op
def pt_update_irq(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """Raise the vector of a tick that is owed, once, unless masked; answers with the vector, -1 for none. (X0-4)"""
    if not (yield READ_TIMER(v.cells.timer_pending)):
        return NO_VECTOR
    vector: int = yield READ_TIMER(v.cells.timer_vector)
    if (yield READ_TIMER(v.cells.timer_issued)):
        return vector
    if (yield from pt_irq_masked(w, core, v)):
        return NO_VECTOR
    yield SET_ISSUED(v.cells.timer_issued, 1)
    yield from vlapic_set_irq(w, core, v, vector, EDGE)
    return vector


@Op
def pt_irq_masked(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Masked in the LVT, or the APIC is disabled: the tick waits; the next LVT write forgets it. (Xen pt_irq_masked)"""
    if not (yield from vlapic_enabled(w, core, v)):
        return True
    return bool((yield READ_REG(at(v, Offset.LVT_TIMER))) & LvtTimer.MASK.mask)


@Op
def pt_intr_post(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """A vector goes to the guest: if it is the timer's, the tick is paid, and a periodic timer armed again. (X0-4)

    Without this call a periodic timer ticks once. (X8-2, X22)
    """
    due: int = yield READ_TIMER(v.cells.timer_pending)
    if not due or not (yield READ_TIMER(v.cells.timer_issued)):
        return
    if (yield READ_TIMER(v.cells.timer_vector)) != vector:
        return
    yield SET_ISSUED(v.cells.timer_issued, 0)
    period: int = yield READ_TIMER(v.cells.timer_period)
    if period:
        yield from pt_process_missed_ticks(w, core, v, due + period, period)
    elif (yield READ_TIMER(v.cells.tdt_msr)):
        yield CLEAR_DEADLINE(v.cells.tdt_msr, 0)
    yield SET_PENDING(v.cells.timer_pending, 0)


@Op
def pt_process_missed_ticks(w: World, core: Core, v: Vcpu, expiry: int, period: int) -> Beats[None]:
    """Arm for `expiry`, or where that is past for the next period after now; TMCCT counts from now. (X0-4)"""
    now: int = yield READ_CLOCK(CLOCK)
    missed = (now - expiry) // period + 1 if now > expiry else 0
    yield SET_EXPIRY(v.cells.timer_expiry, expiry + missed * period)
    yield SET_START(v.cells.timer_start, now)


def armed(w: World) -> list[tuple[int, Vcpu]]:
    """The armed timers: when each is due (ns), and whose it is; the next one first. A look from outside, no beat."""
    found = [(w.see[v.cells.timer_expiry], v) for v in w.objects["vcpus"]]
    return sorted((timer for timer in found if timer[0]), key=lambda timer: timer[0])


def next_expiry(w: World) -> int:
    """When the next timer of any vCPU is due, in ns of the machine's clock; 0 if none is armed. (X0-4)"""
    return next((expiry for expiry, _ in armed(w)), 0)

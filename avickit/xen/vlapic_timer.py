"""The APIC timer's registers: TMICT, TMCCT, TDCR and the timer's LVT. (Xen vlapic_update_timer)

A bus cycle is 10 ns. Does not model: what `vlapic_pt`, the timer behind it, leaves out.
"""

from avickit.beat import CLOCK, LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import LvtTimer, Offset, Tdcr, TimerMode
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_pt import (
    READ_CLOCK,
    READ_TIMER,
    SET_START,
    create_periodic_time,
    destroy_periodic_time,
)
from avickit.xen.vlapic_state import READ_REG, at

APIC_BUS_CYCLE_NS = 10
TDCR_MASK = Tdcr.DIVIDE_HIGH.mask | Tdcr.DIVIDE_LOW.mask
COUNTING = (TimerMode.ONE_SHOT, TimerMode.PERIODIC)

READ_MODE = Site(Kind.CHECK, LOAD, "X0-4a", "Xen vlapic_lvtt_period", "the timer's mode? its LVT is {old}")
SET_TDCR = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_set_tdcr", "TDCR keeps bits 3, 1 and 0: {new}")
SET_DIVISOR = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_set_tdcr", "the timer's clock is divided by {new}")
SET_TMICT = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_reg_write", "TMICT is {new}")
SET_VECTOR = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_reg_write", "the timer's vector is {new}")
STOP = Site(Kind.UPDATE, STORE, "X0-4", "Xen vlapic_update_timer", "TMCCT reads 0 until TMICT is written")
FORGET = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_reg_write", "the TSC deadline is forgotten")


@Op
def vlapic_timer_mode(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The mode in the timer's LVT, as the page has it. (X0-4a)"""
    return LvtTimer.MODE.of((yield READ_MODE(at(v, Offset.LVT_TIMER))))


@Op
def vlapic_previous_timer_mode(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The mode before the LVT write that is being handled: the page's, which is right as long as it is written last.

    After a trap it holds the new mode already. (X25)
    """
    return (yield from vlapic_timer_mode(w, core, v))


@Op
def vlapic_get_tmcct(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """What is left of TMICT, from the time that has passed; 0 for a timer that is stopped or over. (X0-4)"""
    tmict: int = yield READ_REG(at(v, Offset.TMICT))
    start: int = yield READ_TIMER(v.cells.timer_start)
    if not tmict or not start:
        return 0
    now: int = yield READ_CLOCK(CLOCK)
    divisor: int = yield READ_TIMER(v.cells.timer_divisor)
    passed = (now - start) // (APIC_BUS_CYCLE_NS * divisor)
    if (yield from vlapic_timer_mode(w, core, v)) == TimerMode.PERIODIC:
        passed %= tmict
    return max(tmict - passed, 0)


@Op
def vlapic_read_count(w: World, core: Core, v: Vcpu, offset: int) -> Beats[int]:
    """TMICT and TMCCT: 0 in TSC-deadline mode, else the stored and the remaining count. (X0-4, X0-4a)"""
    if (yield from vlapic_timer_mode(w, core, v)) not in COUNTING:
        return 0
    if offset == Offset.TMCCT:
        return (yield from vlapic_get_tmcct(w, core, v))
    return (yield READ_REG(at(v, offset)))  # type: ignore[no-any-return]


@Op
def vlapic_set_tdcr(w: World, core: Core, v: Vcpu, value: int) -> Beats[None]:
    """TDCR keeps bits 3, 1 and 0, and the divisor follows. (X0-4, H-MAP-3E0)"""
    yield SET_TDCR(at(v, Offset.TDCR), value & TDCR_MASK)
    yield SET_DIVISOR(v.cells.timer_divisor, Tdcr.raw(value & TDCR_MASK).divisor)


@Op
def vlapic_write_tmict(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Start counting from the value, in one-shot and periodic mode; ignored in TSC-deadline mode. (X0-4, X0-4a)"""
    mode = yield from vlapic_timer_mode(w, core, v)
    if mode not in COUNTING:
        return
    yield SET_TMICT(at(v, Offset.TMICT), value)
    divisor = yield READ_TIMER(v.cells.timer_divisor)
    yield from vlapic_update_timer(w, core, v, mode, True, divisor)


@Op
def vlapic_write_tdcr(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """The divider changes: what is left of the count now takes another time. (X0-4)"""
    old_divisor = yield READ_TIMER(v.cells.timer_divisor)
    yield from vlapic_set_tdcr(w, core, v, value)
    mode = yield from vlapic_timer_mode(w, core, v)
    yield from vlapic_update_timer(w, core, v, mode, False, old_divisor)


@Op
def vlapic_lvtt_changes(w: World, core: Core, v: Vcpu, value: int) -> Beats[None]:
    """Before the timer's LVT is stored: into or out of TSC-deadline mode all counts are forgotten. (X0-4a, X25)"""
    mode = LvtTimer.MODE.of(value)
    before = yield from vlapic_previous_timer_mode(w, core, v)
    if (before == TimerMode.TSC_DEADLINE) != (mode == TimerMode.TSC_DEADLINE):
        yield SET_TMICT(at(v, Offset.TMICT), 0)
        yield FORGET(v.cells.tdt_msr, 0)
    yield SET_VECTOR(v.cells.timer_vector, LvtTimer.VECTOR.of(value))
    divisor = yield READ_TIMER(v.cells.timer_divisor)
    yield from vlapic_update_timer(w, core, v, mode, False, divisor)


@Op
def vlapic_update_timer(w: World, core: Core, v: Vcpu, mode: int, tmict_updated: bool, old_divisor: int) -> Beats[None]:
    """Arm the timer for what is left of the count, in its new mode; stop it if nothing is. (X0-4)

    What is left depends on the mode before: a periodic count is never over. TMICT and divisor are the new ones.
    """
    tmict = yield READ_REG(at(v, Offset.TMICT))
    divisor = yield READ_TIMER(v.cells.timer_divisor)
    left = yield from vlapic_time_left(w, core, v, tmict * APIC_BUS_CYCLE_NS * old_divisor, tmict_updated)
    if not left or mode not in COUNTING:
        yield from destroy_periodic_time(w, core, v)
        yield STOP(v.cells.timer_start, 0)
        return
    period, left = tmict * APIC_BUS_CYCLE_NS * divisor, left * divisor // old_divisor
    now = yield from create_periodic_time(w, core, v, left, period if mode == TimerMode.PERIODIC else 0)
    start = now if tmict_updated else now - (period - left)
    yield SET_START(v.cells.timer_start, start or -1)  # 0 would say: stopped


@Op
def vlapic_time_left(w: World, core: Core, v: Vcpu, period: int, tmict_updated: bool) -> Beats[int]:
    """The nanoseconds until the count reaches 0; 0 if it has. (X0-4, X25)"""
    if tmict_updated:
        return period
    start: int = yield READ_TIMER(v.cells.timer_start)
    if not period or not start:
        return 0
    now: int = yield READ_CLOCK(CLOCK)
    passed = now - start
    if (yield from vlapic_previous_timer_mode(w, core, v)) == TimerMode.PERIODIC:
        passed %= period
    return max(period - passed, 0)

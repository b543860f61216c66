"""The TSC deadline, MSR 6E0h: the APIC timer's third mode, which Xen offers and AMD's manual does not have.

The TSC is the machine's clock: one tick a nanosecond. Does not model: a TSC of another rate or offset.
"""

from avickit.beat import CLOCK, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import TimerMode
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_pt import (
    READ_CLOCK,
    READ_TIMER,
    SET_START,
    create_periodic_time,
    destroy_periodic_time,
)
from avickit.xen.vlapic_state import vlapic_hw_disabled
from avickit.xen.vlapic_timer import vlapic_timer_mode

SET_DEADLINE = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_tdt_msr_set", "the TSC deadline is {new}")


@Op
def vlapic_tdt_msr_get(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """RDMSR 6E0h: the deadline, 0 if it is over or the timer is in another mode. (X0-4a)"""
    if (yield from vlapic_timer_mode(w, core, v)) != TimerMode.TSC_DEADLINE:
        return 0
    return (yield READ_TIMER(v.cells.tdt_msr))  # type: ignore[no-any-return]


@Op
def vlapic_tdt_msr_set(w: World, core: Core, v: Vcpu, value: int) -> Beats[None]:
    """WRMSR 6E0h: due at this TSC, at once if that is past, never if 0; ignored in another mode. (X0-4a)"""
    if (yield from vlapic_hw_disabled(w, core, v)):
        return
    if (yield from vlapic_timer_mode(w, core, v)) != TimerMode.TSC_DEADLINE:
        return
    tsc: int = yield READ_CLOCK(CLOCK)
    yield SET_DEADLINE(v.cells.tdt_msr, value if value > tsc else 0)
    if not value:
        yield from destroy_periodic_time(w, core, v)
        return
    now = yield from create_periodic_time(w, core, v, max(value - tsc, 0), 0)
    yield SET_START(v.cells.timer_start, now)

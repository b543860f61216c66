"""How far a run may go: as far as 64 bits hold its clocks with a vCPU's or a task's number beside them.

Does not model: anything.
"""

from avickit.errors import AvicError
from avickit.workload.parameters import Parameters
from avickit.workload.prices import PRICES

LONGEST = 1 << 50
"""Cycles: six days at 2.2 GHz; the series' full size takes a thousandth. Tasks' keys hold eight times as much (2^53),
and `parts.NEVER` is 32 times as far; what one event or one portion can cost at most lies between."""


def portion(p: Parameters, every: int) -> int:
    """At most so many events until somebody looks: few enough for their cost to be less than LONGEST.

    The dearest event wakes every task there is, and pays no price more than four times for each.
    """
    dearest = 4 * p.tasks * (sum(int(getattr(p, name)) for name in PRICES) + p.steal)
    return max(1, min(every, LONGEST // dearest))


def in_time(clock: int) -> int:
    """The clock; AvicError if that is too late."""
    if clock > LONGEST:
        raise AvicError.of(
            "cycles of the run", f"more than 2^{LONGEST.bit_length() - 1}", "fewer loops or lower prices"
        )
    return clock

"""The three exercises of notebook 11: foresee the exits, find the price that matters, find where AVIC stops paying.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from avickit.lessons.exercise import Exercise
from avickit.workload.costs import costs
from avickit.workload.counts import Path, Target, counts
from avickit.workload.parameters import Parameters
from avickit.workload.prices import HYPERVISOR

PRICES = tuple(HYPERVISOR)


def exits_cases(random: Random) -> Iterator[tuple[str, int, int]]:
    """Each path with some interrupts to vCPUs that run, and some to vCPUs that sleep."""
    for path in Path:
        yield path.value, 1, 0
        yield path.value, 0, 1
        yield path.value, random.randrange(10, 1000), random.randrange(10, 1000)


def exits_judge(case: tuple[Any, ...], got: Any) -> str:
    """Count on the machine. (X0-2, H-IPI-5, H-IPI-6, X0-11)"""
    path, running, sleeping = Path(case[0]), case[1], case[2]
    if isinstance(got, bool) or not isinstance(got, int):
        return f"{got!r} is not a number of #VMEXITs."
    awake, asleep = counts()[path, Target.RUNNING], counts()[path, Target.SLEEPING]
    if got == running * awake.exits + sleeping * asleep.exits:
        return ""
    senders = running * sum(awake.sender_exits.values()) + sleeping * sum(asleep.sender_exits.values())
    return f"{got}, but the machine counts {senders} exits of the senders alone, and others of the targets if any."


def total(p: Parameters) -> int:
    """Cycles of one interrupt to a running vCPU."""
    return costs(p).ipi[Target.RUNNING].total


def weight(p: Parameters, name: str) -> int:
    """How much dearer an interrupt gets if this price doubles."""
    return total(p.but(**{name: 2 * getattr(p, name)})) - total(p)


def matters_cases(random: Random) -> Iterator[tuple[Parameters]]:
    """The cells at the frozen prices, then with other ones."""
    for avic, pv in ((False, False), (True, False), (False, True)):
        yield (Parameters(avic=avic, pv=pv),)
        for _ in range(3):
            kw = {name: random.randrange(100, 6000) for name in PRICES}
            yield (Parameters(avic=avic, pv=pv, **kw),)


def matters_judge(case: tuple[Any, ...], got: Any) -> str:
    """Change it and look."""
    p = case[0]
    if got not in PRICES:
        return f"{got!r} is not one of {', '.join(PRICES)}."
    mine, most = weight(p, got), max(weight(p, name) for name in PRICES)
    return "" if mine == most else f"doubling {got} adds {mine} cycles; another price adds {most}."


def stops_cases(random: Random) -> Iterator[tuple[Parameters]]:
    """Some prices, from which the answer is to be worked out."""
    yield (Parameters(avic=True),)
    for _ in range(6):
        yield (Parameters(avic=True, hypercall=random.randrange(600, 2400), doorbell=random.randrange(300, 1000)),)


def stops_judge(case: tuple[Any, ...], got: Any) -> str:
    """Price it so, and compare with an event channel."""
    if isinstance(got, bool) or not isinstance(got, int) or got < 0:
        return f"{got!r} is not a price in cycles."
    p = case[0]
    mine, event = total(p.but(icrl_write=got)), total(p.but(avic=False, pv=True))
    return "" if mine == event else f"at {got} cycles AVIC's interrupt costs {mine}, an event channel's {event}."


def brief(case: tuple[Any, ...]) -> str:
    """A cell with its prices, in short."""
    p = case[0]
    cell = f"avic={p.avic}, pv={p.pv}"
    return f"{cell}, hypercall={p.hypercall}, doorbell={p.doorbell}, mmio_emulation={p.mmio_emulation}"


EXITS = Exercise(
    "workload exits",
    "return how many #VMEXITs, senders' and targets', so many interrupts to running and to sleeping vCPUs cost.",
    exits_cases,
    exits_judge,
    lambda case: f"{case[0]}, {case[1]} to running and {case[2]} to sleeping vCPUs",
)
MATTERS = Exercise(
    "workload price",
    "return the name of the hypervisor price that weighs most in one interrupt to a running vCPU.",
    matters_cases,
    matters_judge,
    brief,
)
STOPS = Exercise(
    "workload break-even",
    "return the price of ICRL's write, in cycles, at which AVIC's interrupt costs as much as an event channel's.",
    stops_cases,
    stops_judge,
    brief,
)

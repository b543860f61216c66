"""The exercises of notebook 10: what each event counts, a counter that wrapped, and what one sum has hidden.

Does not model: solutions.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from avickit.lab.machine import Machine
from avickit.lab.stats import Counters
from avickit.lessons.differences import number, numbers
from avickit.lessons.exercise import Exercise
from avickit.manual.apic_names import name_of, offset_of
from avickit.manual.exit_info import NoAccelInfo1

BITS_32 = 1 << 32
TRAPS = ("TMICT", "LVT_TIMER", "ESR", "LDR")
WRITES = {"TMICT": 1000, "LVT_TIMER": 0x1_0031, "ESR": 0, "LDR": 0x0200_0000, "TPR": 0}
EVENTS = (("write", "TMICT"), ("write", "LVT_TIMER"), ("write", "TPR"), ("ipi", "v0"), ("ipi", "v2"))
POSTS = (("post", 0x51), ("post", 0x62))


def counted_cases(random: Random) -> Iterator[tuple[tuple[str, Any], ...]]:
    """What happens to v1, event by event."""
    yield from ((event,) for event in EVENTS)
    yield from ((POSTS[0],), (POSTS[0], POSTS[0]), (POSTS[0], POSTS[1], POSTS[0]))
    yield from (tuple(random.choices(EVENTS + POSTS, k=random.randrange(4, 9))) for _ in range(6))


def counters_of(events: tuple[tuple[str, Any], ...]) -> Counters:
    """The machine is asked: v0 and v1 run, v2 never did; v1 has IF = 0, so that what is posted stays pending."""
    xen = Machine(cores=3, record=False).boot("svm=avic")
    a, b, _ = vcpus = xen.create_domain(vcpus=3).vcpus
    for core, v in enumerate((a, b)):
        xen.run(v, core)
    b.guest.cli()
    for what, which in events:
        if what == "write":
            b.guest.write(which, WRITES[which])
        elif what == "ipi":
            b.guest.write("ICRH", vcpus[int(which[1])].apic_id << 24)
            b.guest.write("ICRL", 0x41)
        else:
            xen.set_irq(b, which)
    return Counters(**b.stats)


def counted_judge(case: tuple[Any, ...], got: Any) -> str:
    """The machine's own counters. (X10-1)"""
    four = numbers(got, len(Counters._fields))
    if four is None:
        return f"{got!r} is not (incomp_ipi, noaccel, post_intr, doorbell), four whole numbers."
    wrong = [name for name, mine, right in zip(Counters._fields, four, counters_of(case), strict=True) if mine != right]
    return f"{got!r}: the machine has another number in {', '.join(wrong)}." if wrong else ""


def between_cases(random: Random) -> Iterator[tuple[int, int]]:
    """The counter noaccel twice; it has wrapped once in between."""
    yield random.randrange(BITS_32 - 100_000, BITS_32), random.randrange(1_000, 100_000)


def between_judge(case: tuple[Any, ...], got: Any) -> str:
    """How far a counter of 32 bits has come. (X10-1)"""
    first, second = case
    exits = number(got)
    if exits is None:
        return f"{got!r} is no number of exits."
    if exits < 0:
        return f"{got} exits: a counter only counts up."
    reached = first + exits
    if reached % BITS_32 != second:
        return f"after so many exits more the counter would show {reached % BITS_32}."
    return "" if exits < BITS_32 else "that is more than once around."


def register_cases(random: Random) -> Iterator[tuple[int, ...]]:
    """EXITINFO1 of exits 402h; one register has most of them."""
    for _ in range(8):
        most, *others = random.sample(TRAPS, len(TRAPS))
        names = [most] * (len(others) + 1) + others
        random.shuffle(names)
        yield tuple(NoAccelInfo1(WRITE=1, OFFSET=offset_of(name) >> 4).value for name in names)


def register_judge(case: tuple[Any, ...], got: Any) -> str:
    """Bits 11:4 say which register. (H-EXIT-2)"""
    if got not in TRAPS:
        return f"{got!r} is not one of the registers in the goal."
    had = Counter(name_of(NoAccelInfo1.raw(info).offset) for info in case)
    return "" if had[got] == max(had.values()) else f"{got} has {had[got]} of these {len(case)} exits."


COUNTED = Exercise(
    "counted",
    "return v1's four counters (incomp_ipi, noaccel, post_intr, doorbell) after these events, all of which began at 0.",
    counted_cases,
    counted_judge,
    lambda case: ", ".join(f"{what} {which:#x}" if what == "post" else f"{what} {which}" for what, which in case),
)
BETWEEN = Exercise(
    "between",
    "the number of exits 402h between the two; the counter went past its end once.",
    between_cases,
    between_judge,
    lambda case: f"noaccel = {case[0]}, and a day later noaccel = {case[1]}",
    value=True,
)
REGISTER = Exercise(
    "register",
    f"return the register with most of these exits, by its name: {', '.join(TRAPS)}.",
    register_cases,
    register_judge,
    lambda case: ", ".join(f"{info:#x}" for info in case),
)

"""The exercises of notebook 03: what links, in which order patches build, what a guest reads in TMCCT.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

from avickit.lessons.differences import differing, number, one_of
from avickit.lessons.exercise import Exercise
from avickit.manual.apic_lvt import Tdcr, Tmcct
from avickit.xen.vlapic_timer import APIC_BUS_CYCLE_NS

Symbols: TypeAlias = dict[str, tuple[str, bool]]
Patches: TypeAlias = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
LINKS, STATIC, MISSING = "links", "static", "missing"
FILES = ("vlapic.c", "avic.c", "svm.c")
FUNCTIONS = ("vlapic_reg_read", "vlapic_reg_write", "vlapic_ipi", "vcpu_kick")


def link_cases(random: Random) -> Iterator[tuple[str, str, Symbols]]:
    """A file, the function that it calls, and the symbols there are."""
    for n in range(18):
        known = {f: (random.choice(FILES), random.random() < 0.6) for f in FUNCTIONS if random.random() < 0.8}
        yield FILES[n % 3], random.choice(FUNCTIONS), known


def link_judge(case: tuple[Any, ...], got: Any) -> str:
    """Who calls, who is called, and may it? (X3-1)"""
    file, name, symbols = case
    if told := one_of(got, (LINKS, STATIC, MISSING)):
        return told
    home, static = symbols.get(name, ("", False))
    right = MISSING if not home else STATIC if static and home != file else LINKS
    where = f"it stands in {home}, {'static' if static else 'not static'}" if home else "no file has it"
    return "" if got == right else f"{got!r}, but {where}."


def order_cases(random: Random) -> Iterator[tuple[Patches]]:
    """Patches in any order: the names that each needs, the names that each brings."""
    series: Patches = {
        "non-static": (("vlapic_reg_read",), ("visible",)),
        "rename": ((), ("vlapic_reg_read",)),
        "exit handlers": (("visible", "avic_init"), ("handlers",)),
        "VMCB fields": ((), ("avic_vapic_bar",)),
        "initialization": (("avic_vapic_bar",), ("avic_init",)),
        "statistics": (("handlers",), ()),
    }
    for _ in range(6):
        yield ({name: series[name] for name in random.sample(sorted(series), len(series))},)


def order_judge(case: tuple[Any, ...], got: Any) -> str:
    """Each prefix builds."""
    patches: Patches = case[0]
    if not isinstance(got, (list, tuple)) or sorted(map(str, got)) != sorted(patches):
        return f"{got!r} does not name each of these patches once."
    there: set[str] = set()
    for name in got:
        lacking = [need for need in patches[name][0] if need not in there]
        if lacking:
            return f"at {name!r} the tree does not build: {lacking[0]} is not there yet."
        there.update(patches[name][1])
    return ""


def count_cases(random: Random) -> Iterator[tuple[int, int, int]]:
    """A one-shot timer: initial count, divide configuration, nanoseconds since it started; it has not run out."""
    start, divide = random.randrange(50_000, 1 << 20), random.choice((0x0, 0x1, 0x2, 0x3, 0x8, 0xB))
    yield start, divide, random.randrange(1000, start * APIC_BUS_CYCLE_NS * Tdcr(divide).divisor)


def count_judge(case: tuple[Any, ...], got: Any) -> str:
    """What is left; a wrong count is told how long a step would have taken. (X0-4)"""
    start, divide, passed = case
    right, left = start - passed // (APIC_BUS_CYCLE_NS * Tdcr(divide).divisor), number(got)
    if left is None or left == right:
        return differing(Tmcct, got, right)
    if not 0 <= left < start:
        return f"{left} is not what is left of {start}: the timer has counted, and not run out."
    return f"with {left} left, each step would have taken {passed / (start - left):.7g} ns."


LINK = Exercise(
    "link",
    f"may this file call this function? Return {LINKS!r}, {STATIC!r} or {MISSING!r}.",
    link_cases,
    link_judge,
    lambda case: f"{case[0]} calling {case[1]}",
)
ORDER = Exercise(
    "order",
    "return the patches' names in an order in which the tree builds after each of them.",
    order_cases,
    order_judge,
    lambda case: f"the patches {', '.join(case[0])}",
)
COUNT = Exercise(
    "count",
    "what vlapic_reg_read answers for TMCCT. A bus cycle is 10 ns.",
    count_cases,
    count_judge,
    lambda case: f"TMICT {case[0]}, TDCR {case[1]:X}h, {case[2]} ns since the start",
    value=True,
)

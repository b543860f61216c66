"""The exercises of notebook 02: PPR as Xen computes it, a bisection, a patch that only claims to rename.

Does not model: solutions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from avickit.lessons.differences import differing, number, one_of
from avickit.lessons.exercise import Exercise
from avickit.manual.apic_registers import Ppr

CALLS = 4
"""So many boots are enough to find one of ten patches."""
OLD, READ = "vlapic_read_aligned", "vlapic_reg_read"
NAMES = ("vlapic", "v", "vcpu", "curr")
RENAMES, CHANGES = "renames", "changes"


def ppr_cases(random: Random) -> Iterator[tuple[int, int]]:
    """TPR, and the highest vector in service (0: none)."""
    yield from ((0x00, 0x00), (0x20, 0x00), (0x00, 0x41), (0x4F, 0x41), (0x51, 0x4F), (0x41, 0x4F), (0x35, 0x4F))
    yield from ((random.randrange(256), random.choice((0, random.randrange(16, 256)))) for _ in range(14))


def ppr_judge(case: tuple[Any, ...], got: Any) -> str:
    """The higher class of the two. (H-PRIO-1, X0-4)"""
    tpr, isrv = case
    return differing(Ppr, got, tpr if tpr >> 4 >= isrv >> 4 else isrv & 0xF0)


@dataclass
class Works:
    """Whether a machine works with the first n patches; counts how often it is asked."""

    _culprit: int
    asked: int = field(default=0, compare=False)

    def __call__(self, n: int) -> bool:
        """Boot with n patches and try."""
        self.asked += 1
        return n < self._culprit

    def __repr__(self) -> str:
        return "works"


def bisect_cases(random: Random) -> Iterator[tuple[Works]]:
    """Every culprit, in some order."""
    yield from ((Works(n),) for n in random.sample(range(1, 11), 10))


def bisect_judge(case: tuple[Any, ...], got: Any) -> str:
    """The answer found it, and did not try them all."""
    works: Works = case[0]
    asked = works.asked
    value = number(got)
    if value is None or not 1 <= value <= 10:
        return f"{got!r} is no patch: 1 to 10."
    if works(value) or not works(value - 1):
        return f"{value} is not the first: works({value}) is {works(value)}, works({value - 1}) is {works(value - 1)}."
    return f"found, but after {asked} boots; {CALLS} are enough." if asked > CALLS else ""


def review_cases(random: Random) -> Iterator[tuple[str, str]]:
    """A line of C before and after: renamed only, or changed with it."""
    found = []
    for _ in range(6):
        old, new, shift = random.choice(NAMES), random.choice(NAMES), random.choice((0, 4, 8))
        before = f"val = {OLD}({old}, offset & ~{shift:#x});"
        found.append((before, f"val = {READ}({new}, offset & ~{shift:#x});"))
        found.append((before, f"val = {READ}({new}, offset & ~{shift + 4:#x});"))
        found.append((before, f"val = {READ}({new}, offset & ~{shift:#x}) & 0xff;"))
        found.append((before, f"val |= {READ}({new}, offset & ~{shift:#x});"))
    yield from random.sample(found, len(found))


def same(before: str, after: str) -> bool:
    """Whether the two lines differ in the function's name and its first argument only."""
    (head, _, tail), (new_head, _, new_tail) = before.partition(OLD), after.partition(READ)
    return head == new_head and tail.partition(",")[2] == new_tail.partition(",")[2]


def review_judge(case: tuple[Any, ...], got: Any) -> str:
    """Say what was overlooked. (X2-1)"""
    if told := one_of(got, (RENAMES, CHANGES)):
        return told
    right = RENAMES if same(*case) else CHANGES
    why = "all else is the same" if right == RENAMES else "something else changed with the name"
    return "" if got == right else f"{got!r}, but {why}."


PPR = Exercise(
    "ppr",
    "return the byte that vlapic_reg_read computes for PPR.",
    ppr_cases,
    ppr_judge,
    lambda case: f"TPR {case[0]:02X}h and {f'{case[1]:02X}h' if case[1] else 'nothing'} in service",
)
BISECT = Exercise(
    "bisect",
    f"given works(n), return the first n, 1..10, with which it fails, after at most {CALLS} calls.",
    bisect_cases,
    bisect_judge,
    lambda case: "a fault that one of ten patches brings",
)
REVIEW = Exercise(
    "review",
    f"return {RENAMES!r} if only the name and its first argument differ, else {CHANGES!r}.",
    review_cases,
    review_judge,
    lambda case: f"{case[0]!r} -> {case[1]!r}",
)

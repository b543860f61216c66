"""The exercises of notebook 12: is this order a lost wake-up, what did a review repair, and which defect is in here?

Does not model: solutions.
"""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from avickit.lab.explore import explore
from avickit.lessons.exercise import Exercise
from avickit.museum.catalogue import item
from avickit.museum.versions import version_of

SENDER = ("set IRR", "read IsRunning")
TARGET = ("clear IsRunning", "read IRR")
MEMORIES = ("sc", "tso")
SCENARIOS = ("race-sleep-against-ipi", "race-sleep-against-device")
CULPRITS = {
    "X01": ("svm_avic_dom_init", "the hook is not connected"),
    "X02": ("svm_avic_deliver_posted_intr", "nobody unblocks"),
    "X03": ("avic_vcpu_block", "no full barrier"),
    "K01": ("hardware", "no full barrier"),
    "X22": ("svm_intr_assist", "two parties deliver"),
}
"""Where to look, and the line of thought, by defect."""
FUNCTIONS = sorted({function for function, _ in CULPRITS.values()})
THOUGHTS = sorted({thought for _, thought in CULPRITS.values()})


def lost_cases(random: Random) -> Iterator[tuple[str, ...]]:
    """Both sides' two steps, each side in either order, mixed in any way."""
    yield from (SENDER + TARGET, TARGET + SENDER, (TARGET[1], *SENDER, TARGET[0]), (TARGET[0], *SENDER, TARGET[1]))
    for _ in range(12):
        sides = [random.sample(SENDER, 2), random.sample(TARGET, 2)]
        order = random.sample([0, 0, 1, 1], 4)
        yield tuple(sides[side].pop(0) for side in order)


def lost_judge(case: tuple[Any, ...], got: Any) -> str:
    """Each must have missed what the other did. (X6-5, H-IPI-5)"""
    if not isinstance(got, bool):
        return f"{got!r} is neither True nor False."
    irr, running = False, True
    saw = {"IRR": False, "IsRunning": True}
    for step in case:
        irr, running = irr or step == "set IRR", running and step != "clear IsRunning"
        saw |= {"read IRR": {"IRR": irr}, "read IsRunning": {"IsRunning": running}}.get(step, {})
    if got == (saw["IsRunning"] and not saw["IRR"]):
        return ""
    seen = [f"the sender read IsRunning = {saw['IsRunning']:d}", f"the target read IRR = {saw['IRR']:d}"]
    return f"you say {got}, and {', '.join(seen)}."


def review_cases(random: Random) -> Iterator[tuple[str, ...]]:
    """Defects of which the catalogue says something for both B1 and B2; some repaired, some new, some in both."""
    b1, b2 = (set(version_of(name).brought) for name in ("B1", "B2"))
    gone_and_come = [
        sorted(name for name in names if "-" not in name and spoken_of(name)) for names in (b1 - b2, b2 - b1)
    ]
    kept = sorted(b1 & b2)
    drawn = random.sample(gone_and_come[0], 2) + random.sample(gone_and_come[1], 2) + random.sample(kept, 2)
    random.shuffle(drawn)
    yield tuple(drawn)


def spoken_of(name: str) -> bool:
    """Whether the catalogue says of both versions that they have the defect or have it not."""
    return {"B1", "B2"} <= {*item(name).versions, *item(name).absent}


def review_judge(case: tuple[Any, ...], got: Any) -> str:
    """What the catalogue says of the two versions. (defects.md 1f)"""
    if not isinstance(got, (set, frozenset)) or not got <= set(case):
        return f"{got!r} is not a set of these defects."
    new = {name for name in case if "B2" in item(name).versions and "B1" not in item(name).versions}
    wrong = [f"{name} is in both, or in B1 alone" for name in sorted(got - new)]
    missing = len(new - got)
    return "; ".join(wrong) + "." if wrong else f"{missing} more are in B2 and not in B1." if missing else ""


def find_cases(random: Random) -> Iterator[tuple[str]]:
    """One of the defects."""
    yield (random.choice(sorted(CULPRITS)),)


@cache
def symptoms(defect: str) -> str:
    """What the explorer says of a machine with the defect: verdicts, and the beats that race in the shortest case."""
    said = []
    for scenario in SCENARIOS:
        for memory in MEMORIES:
            result = explore(scenario, memory, defects=[defect])
            said.append(f"{scenario}, {memory}: {result.verdict}")
            if not result.ok and result.racing:
                said += [
                    f"  races: {result.trace[n].say.partition(';')[0].partition(': no')[0]}" for n in result.racing
                ]
    return "\n".join(said)


def find_judge(case: tuple[Any, ...], got: Any) -> str:
    """The function and the line of thought. (X6-3, X6-5, X7-1, X8-2, H-CPUID-5)"""
    if not isinstance(got, tuple) or len(got) != 2 or got[0] not in FUNCTIONS or got[1] not in THOUGHTS:
        return f"{got!r} is not (function, thought), one of each as the goal has them."
    right = CULPRITS[case[0]]
    wrong = [what for what, mine, theirs in zip(("function", "thought"), got, right, strict=True) if mine != theirs]
    return f"another {' and another '.join(wrong)} would make these verdicts." if wrong else ""


LOST = Exercise(
    "lost_order",
    "return True if this order loses the wake-up, else False.",
    lost_cases,
    lost_judge,
    ", ".join,
)
REVIEW = Exercise(
    "b1_to_b2",
    "the set of those defects that B2 has and B1 has not, by number.",
    review_cases,
    review_judge,
    lambda case: "\n".join(f"{name}: {item(name).title}" for name in case),
    value=True,
)
FIND = Exercise(
    "find_defect",
    f"(function, thought): the function is one of {', '.join(FUNCTIONS)}; the thought one of {', '.join(THOUGHTS)}.",
    find_cases,
    find_judge,
    lambda case: symptoms(case[0]),
    value=True,
)

"""The exercises of notebook 09: a boolean as Xen reads it, a whole option, and which options a comma breaks.

Does not model: solutions.
"""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

from avickit.lab.machine import Machine
from avickit.lessons.differences import one_of
from avickit.lessons.exercise import Exercise
from avickit.series.p09_option import NO, YES, parse_bool

ON, OFF, INVALID = "on", "off", "invalid"
ANSWERS = {1: ON, 0: OFF, -1: INVALID}
ITEMS = ("avic", "no-avic", "avic=1", "avic=off", "avic=ye", "no-avic=on", "avic=2", "nested", "avic=o")


def bool_cases(random: Random) -> Iterator[tuple[str]]:
    """Prefixes of the words, and what is near them."""
    known = [word[:n] for word in (*YES, *NO) for n in range(1, len(word) + 1)]
    odd = ("2", "onn", "yess", "tru e", "ok", "disabledd")
    yield from ((word,) for word in ("o", "ye", "Yes", "", *random.sample([*known, *odd], 16)))


def bool_judge(case: tuple[Any, ...], got: Any) -> str:
    """As Xen's parse_bool has it. (X9-1)"""
    right = ANSWERS[parse_bool(case[0])]
    return one_of(got, ANSWERS.values()) or ("" if got == right else f"{got!r} is not what Xen makes of it.")


def option_cases(random: Random) -> Iterator[tuple[str]]:
    """Lists of one to three items."""
    lists = [",".join(items) for count in (1, 2, 3) for items in product(ITEMS, repeat=count)]
    yield from ((text,) for text in (*ITEMS, *random.sample(lists, 16)))


def avic_of(option: str, *defects: str) -> bool:
    """Whether AVIC is on after a boot with this option. (X9-1, X4-1)"""
    m = Machine(cores=1, record=False)
    return " - AVIC (enabled)" in "\n".join(m.boot(f"svm={option}", defects=defects).console)


def option_judge(case: tuple[Any, ...], got: Any) -> str:
    """Boot with it, and read the log."""
    if not isinstance(got, bool):
        return f"{got!r} is neither True nor False."
    return "" if got == avic_of(case[0]) else f"the boot log says AVIC ({'disabled' if got else 'enabled'})."


def broken_cases(random: Random) -> Iterator[tuple[str, ...]]:
    """Five options, some of which the published parser gets wrong."""
    lists = [",".join(items) for count in (1, 2, 2, 3) for items in product(ITEMS[:5], repeat=count)]
    yield tuple(random.sample(sorted(set(lists)), 5))


def broken_judge(case: tuple[Any, ...], got: Any) -> str:
    """Boot with each, right and as published. (X32)"""
    if not isinstance(got, (set, frozenset, list, tuple)) or not set(got) <= set(case):
        return f"{got!r} is not a set of these options, each as it stands behind svm=."
    for option in case:
        wrong = avic_of(option) != avic_of(option, "X32")
        if wrong != (option in got):
            return f"{option!r}: {'the two parsers disagree' if wrong else 'both parsers say the same'}."
    return ""


BOOL = Exercise(
    "bool",
    f"return {ON!r}, {OFF!r} or {INVALID!r} for the word behind the equals sign.",
    bool_cases,
    bool_judge,
    lambda case: f"the word {case[0]!r}",
)
OPTION = Exercise(
    "option",
    "return whether AVIC is on after a boot with svm= and this list; it is off if nothing says otherwise.",
    option_cases,
    option_judge,
    lambda case: f"svm={case[0]}",
)
BROKEN = Exercise(
    "broken",
    "the set of those options after which the published parser leaves AVIC in another state than the intended one.",
    broken_cases,
    broken_judge,
    lambda case: "\n".join(f"svm={option}" for option in case),
    value=True,
)

"""Exercises that answer: seeded cases, and a verdict that says in the domain's words what differs.

    check(tour.ICR, icr)        -> Right: 24 cases.   or   Not yet: for vector 52h to APIC ID 4: nobody took it.

Does not model: marks, or solutions; an exercise knows how to tell a right answer, not what one looks like.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

Answer = Callable[..., Any]
STUBS = (None, ..., NotImplemented)
"""What a function returns that nobody has written yet."""


@dataclass(frozen=True)
class Exercise:
    """A question with a check. `cases` draws inputs (some by hand, the rest at random), `judge` looks at one of them.

    `judge` gets the input and what the answer returned for it, and says what differs, or nothing if it is right.
    `show` names an input.
    """

    name: str
    goal: str
    cases: Callable[[Random], Iterable[tuple[Any, ...]]]
    judge: Callable[[tuple[Any, ...], Any], str]
    show: Callable[[tuple[Any, ...]], str]


@dataclass(frozen=True)
class Verdict:
    """What the check says; true if the answer is right."""

    solved: bool
    text: str

    def __bool__(self) -> bool:
        return self.solved

    def __repr__(self) -> str:
        return self.text


def check(exercise: Exercise, answer: Answer) -> Verdict:
    """Try an answer, a function, on all cases: the same ones every time. The first that differs is told."""
    tried = 0
    for case in exercise.cases(Random(exercise.name)):
        told = try_one(exercise, answer, case)
        if told:
            return Verdict(False, f"Not yet: {told}")
        tried += 1
    return Verdict(True, f"Right: {tried} cases.")


def try_one(exercise: Exercise, answer: Answer, case: tuple[Any, ...]) -> str:
    """What differs for one case."""
    try:
        got = answer(*case)
    except NotImplementedError:
        got = None
    except Exception as error:  # whatever a student's function raises is an answer to be told about
        return f"for {exercise.show(case)}: {type(error).__name__}: {error}."
    if any(got is stub for stub in STUBS):
        return f"this is still the stub. Goal: {exercise.goal}"
    told = exercise.judge(case, got)
    return f"for {exercise.show(case)}: {told}" if told else ""

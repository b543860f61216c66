"""Exercises that answer: seeded input, and a verdict that says in the domain's words what differs.

    given(e05.DECODE)           -> Input: EXITINFO1 = ...    Goal: say which register ...
    check(e05.DECODE, "TMICT")  -> Right.   or   Not yet: bits 7:4 differ ...

An answer is a function, tried on many inputs, or a plain value for the one input that `given` shows. Does not model:
marks, or solutions; an exercise knows how to tell a right answer, not what one looks like.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from random import Random
from typing import Any

from avickit.errors import AvicError

Answer = Any
"""A function of the input, or a value."""
STUBS = (None, ..., NotImplemented)
"""What stands where nobody has written an answer yet."""


@dataclass(frozen=True)
class Exercise:
    """A question with a check. `cases` draws inputs (some by hand, the rest at random), `judge` looks at one of them.

    `judge` gets the input and the answer for it, and says what differs, or nothing if it is right. `show` names an
    input. With `value` there is one input, which `given` shows, and the answer is a value, not a function.
    """

    name: str
    goal: str
    cases: Callable[[Random], Iterable[tuple[Any, ...]]]
    judge: Callable[[tuple[Any, ...], Any], str]
    show: Callable[[tuple[Any, ...]], str]
    value: bool = False

    def drawn(self, seed: str = "") -> list[tuple[Any, ...]]:
        """The inputs of a seed: the same ones every time. A class may take a seed of its own."""
        found = list(self.cases(Random(f"{self.name} {seed}")))
        return found[:1] if self.value else found


@dataclass(frozen=True)
class Input:
    """What an exercise gives, and what it wants."""

    given: str
    goal: str

    def __repr__(self) -> str:
        gap = "\n" if "\n" in self.given else " "
        return f"Input:{gap}{self.given}\nGoal: {self.goal}"

    def _repr_html_(self) -> str:
        style = ' style="display:block;white-space:pre-wrap"' if "\n" in self.given else ""
        return f"<p><b>Input</b> <code{style}>{escape(self.given)}</code></p><p><b>Goal</b> {escape(self.goal)}</p>"


@dataclass(frozen=True)
class Verdict:
    """What the check says; true if the answer is right."""

    solved: bool
    text: str

    def __bool__(self) -> bool:
        return self.solved

    def __repr__(self) -> str:
        return self.text


def given(exercise: Exercise, seed: str = "") -> Input:
    """The input of an exercise that wants a value. Raises AvicError for one that wants a function."""
    if not exercise.value:
        raise AvicError.of(
            "exercise", exercise.name, "one that wants a value, not a function that is tried on many inputs"
        )
    return Input(exercise.show(exercise.drawn(seed)[0]), exercise.goal)


def check(exercise: Exercise, answer: Answer, seed: str = "") -> Verdict:
    """Try an answer on all inputs of the seed. The first that differs is told."""
    cases = exercise.drawn(seed)
    for case in cases:
        told = try_one(exercise, answer, case)
        if told:
            return Verdict(False, f"Not yet: {told}")
    return Verdict(True, "Right." if exercise.value else f"Right: {len(cases)} cases.")


def try_one(exercise: Exercise, answer: Answer, case: tuple[Any, ...]) -> str:
    """What differs for one input, which is named unless `given` shows it."""
    got = answer
    if not exercise.value:
        if any(answer is stub for stub in STUBS):
            return stub_of(exercise)
        if not callable(answer):
            return f"{answer!r} is no function. Goal: {exercise.goal}"
        try:
            got = answer(*case)
        except NotImplementedError:
            return stub_of(exercise)
        except Exception as error:  # whatever a student's function raises is an answer to be told about
            return f"for {exercise.show(case)}: {type(error).__name__}: {error}."
        if got is None and not empty(answer):
            return f"for {exercise.show(case)}: None came back. Goal: {exercise.goal}"
    if any(got is stub for stub in STUBS):
        return stub_of(exercise)
    told = exercise.judge(case, got)
    return told if exercise.value or not told else f"for {exercise.show(case)}: {told}"


def empty(function: Answer) -> bool:
    """Whether a function's body is as short as three dots: it looks at no argument, so nobody has begun to write it."""
    code = getattr(function, "__code__", None)
    return code is not None and len(code.co_code) <= len((lambda: None).__code__.co_code)


def stub_of(exercise: Exercise) -> str:
    """What is said to who has not begun."""
    return f"this is still the stub. Goal: {exercise.goal}"

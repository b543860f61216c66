"""The exercises: the stub is refused, a right answer is accepted, and a wrong one is told what differs."""

from collections.abc import Callable
from typing import Any

import pytest

from avickit import Machine
from avickit.lab import exercise_tour as tour
from avickit.lab.exercise import Exercise, check
from avickit.manual.icr import ICRH, ICRL
from avickit.manual.tables import PhysicalEntry

ALL = [tour.ICR, tour.WHERE, tour.OUTCOME]
Answer = Callable[..., Any]


def unfinished(*_: Any) -> Any:
    raise NotImplementedError


def broken(*_: Any) -> Any:
    empty: dict[str, Any] = {}
    return empty["nothing"]


def right_outcome(entry: int) -> str:
    if not entry >> 63:
        return "exit ID 2"
    return "doorbell" if entry >> 62 & 1 else "exit ID 1"


RIGHT: list[tuple[Exercise, Answer]] = [
    (tour.ICR, lambda apic_id, vector: (apic_id << 24, vector)),
    (tour.ICR, lambda apic_id, vector: (ICRH(DESTINATION=apic_id), ICRL(VECTOR=vector))),
    (tour.WHERE, lambda vector: (0x200 + vector // 32 * 0x10, vector % 32)),
    (tour.OUTCOME, right_outcome),
]
WRONG: list[tuple[Exercise, Answer, str]] = [
    (tour.ICR, lambda i, v: (i, v), "vector 41h to APIC ID 2: d1v0 took 41h"),
    (tour.ICR, lambda i, v: (i << 24, v ^ 1), "d1v1 took 40h"),
    (tour.ICR, lambda i, v: (0xFF << 24, v), "d1v0 took 41h and d1v1 took 41h"),
    (tour.ICR, lambda i, v: (i << 24, v | 1 << 15), "hardware did not do it alone"),
    (tour.ICR, lambda i, v: (7 << 24, v), "AVIC_INCOMPLETE_IPI"),
    (tour.ICR, lambda i, v: (i << 56, v), "two values of 32 bits"),
    (tour.ICR, lambda i, v: v, "two values of 32 bits"),
    (tour.ICR, lambda i, v: (True, v), "two values of 32 bits"),
    (tour.WHERE, lambda v: (0x100 + v // 32 * 0x10, v % 32), "no bit of IRR"),
    (tour.WHERE, lambda v: (0x200 + v // 32 * 4, v % 32), "no bit of IRR"),
    (tour.WHERE, lambda v: (0x200 + v // 32 * 0x10, 31 - v % 32), "is vector 5Eh"),
    (tour.WHERE, lambda v: "200h", "not (offset, bit)"),
    (tour.OUTCOME, lambda e: "doorbell" if e >> 62 & 1 else "exit ID 1", "VALID is 0, IS_RUNNING is 1"),
    (tour.OUTCOME, lambda e: "doorbell" if e & 0xFFF else "exit ID 2", "IS_RUNNING is 0"),
    (tour.OUTCOME, lambda e: "lost", "not one of"),
]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
@pytest.mark.parametrize("stub", [lambda *_: None, lambda *_: ..., lambda *_: NotImplemented, unfinished])
def test_the_stub_is_refused_with_the_goal(exercise: Exercise, stub: Answer) -> None:
    verdict = check(exercise, stub)
    assert not verdict
    assert str(verdict) == f"Not yet: this is still the stub. Goal: {exercise.goal}"


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_is_accepted(exercise: Exercise, answer: Answer) -> None:
    verdict = check(exercise, answer)
    assert verdict
    assert str(verdict).startswith("Right: ")


@pytest.mark.parametrize(("exercise", "answer", "said"), WRONG)
def test_a_wrong_answer_is_told_what_differs(exercise: Exercise, answer: Answer, said: str) -> None:
    verdict = check(exercise, answer)
    assert not verdict
    assert said in str(verdict)


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_an_answer_that_raises_is_told_so(exercise: Exercise) -> None:
    assert "KeyError: 'nothing'" in str(check(exercise, broken))


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_cases_are_the_same_every_time(exercise: Exercise) -> None:
    seen: list[list[Any]] = []
    for _ in range(2):
        seen.append([])

        def note(*case: Any) -> Any:
            seen[-1].append(case)

        check(exercise, note)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("valid", "running"), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_the_outcomes_are_those_of_the_machine(valid: int, running: int) -> None:
    """The third check is a rule written down; here the machine itself is asked."""
    m = Machine(cores=2)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(vcpus=2)
    a, b = dom.vcpus
    xen.run(a, core=0)
    xen.run(b, core=1)
    table = dom.physical_table
    entry = PhysicalEntry(table[2].value, VALID=valid, IS_RUNNING=running)
    m.world.at[table.place + 2] = entry.value
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    happened = f"exit ID {a.exits[-1].info2 >> 32}" if a.exits else "doorbell"
    assert happened == tour.outcome_of(entry.value)

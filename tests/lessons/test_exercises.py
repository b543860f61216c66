"""The exercises: what is not an answer is refused, a right answer accepted, a wrong one told what differs."""

from itertools import count, islice
from typing import Any

import pytest

from avickit import Machine
from avickit.errors import AvicError
from avickit.lessons import check, e05_exits, e09_option, given
from avickit.lessons import e00_tour as tour
from avickit.lessons.exercise import Exercise
from avickit.manual.exits import NoAccelInfo1
from avickit.manual.tables import PhysicalEntry
from tests.lessons.answers import ALL, RIGHT, WRONG, Function, wrong_answers

FUNCTIONS = [e for e in ALL if not e.value]
VALUES = [e for e in ALL if e.value]


def by_name(value: Any) -> str:
    return value.name if isinstance(value, Exercise) else ""


def unfinished(*_: Any) -> Any:
    raise NotImplementedError


def broken(*_: Any) -> Any:
    empty: dict[str, Any] = {}
    return empty["nothing"]


def answered(exercise: Exercise, answer: Function, seed: str = "") -> Any:
    """What a student would hand in: the function, or its value for the one input."""
    return answer(*exercise.drawn(seed)[0]) if exercise.value else answer


def test_names_are_unique_and_each_exercise_has_answers() -> None:
    names = [e.name for e in ALL]
    assert len(set(names)) == len(names)
    assert {e.name for e, _ in RIGHT} == set(names)
    assert {name for name in names if wrong_answers()[name] < 3} == set(), "three wrong answers each"


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=by_name)
@pytest.mark.parametrize("stub", [None, ..., lambda *_: None, lambda *_: ..., lambda *_: NotImplemented, unfinished])
def test_the_stub_of_a_function_is_refused_with_the_goal(exercise: Exercise, stub: Any) -> None:
    verdict = check(exercise, stub)
    assert not verdict
    assert str(verdict) == f"Not yet: this is still the stub. Goal: {exercise.goal}"


@pytest.mark.parametrize("exercise", VALUES, ids=by_name)
@pytest.mark.parametrize("stub", [None, ..., NotImplemented])
def test_the_stub_of_a_value_is_refused_with_the_goal(exercise: Exercise, stub: Any) -> None:
    verdict = check(exercise, stub)
    assert not verdict
    assert str(verdict) == f"Not yet: this is still the stub. Goal: {exercise.goal}"


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=by_name)
def test_a_right_answer_is_accepted_whatever_the_seed(exercise: Exercise, answer: Function) -> None:
    for seed in ("", "a class of ours", "7"):
        verdict = check(exercise, answered(exercise, answer, seed), seed)
        assert verdict, str(verdict)
        assert str(verdict).startswith("Right")


@pytest.mark.parametrize(("exercise", "answer", "said"), WRONG, ids=by_name)
def test_a_wrong_answer_is_told_what_differs(exercise: Exercise, answer: Function, said: str) -> None:
    verdict = check(exercise, answered(exercise, answer))
    assert not verdict
    assert said in str(verdict)


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=by_name)
def test_the_right_answer_of_another_seed_is_refused(exercise: Exercise, answer: Function) -> None:
    """For a function: who has only learnt the answers of other inputs by heart fails."""
    if not exercise.value:
        learnt = {repr(case): answer(*case) for case in exercise.drawn("another")}
        assert not check(exercise, lambda *case: learnt[repr(case)])
        return
    right = repr(answered(exercise, answer))
    others = (answered(exercise, answer, str(n)) for n in count())
    other = next(found for found in islice(others, 50) if repr(found) != right)
    assert not check(exercise, other)


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=by_name)
def test_an_answer_that_raises_is_told_so(exercise: Exercise) -> None:
    assert "KeyError: 'nothing'" in str(check(exercise, broken))
    assert "'no function' is no function" in str(check(exercise, "no function"))


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=by_name)
def test_who_has_written_something_and_returns_nothing_is_not_told_of_a_stub(exercise: Exercise) -> None:
    known: dict[str, Any] = {}
    verdict = str(check(exercise, lambda *case: known.get(repr(case))))
    assert f"for {exercise.show(exercise.drawn()[0])}: None came back. Goal: {exercise.goal}" in verdict
    assert "stub" not in verdict


@pytest.mark.parametrize(("exercise", "answer", "said"), WRONG, ids=by_name)
def test_a_verdict_names_the_input_of_a_function_and_does_not_repeat_what_is_given(
    exercise: Exercise, answer: Function, said: str
) -> None:
    verdict = str(check(exercise, answered(exercise, answer)))
    if exercise.value:
        assert repr(given(exercise)).partition("\nGoal:")[0].removeprefix("Input:").strip() not in verdict
    else:
        assert any(verdict.startswith(f"Not yet: for {exercise.show(case)}: ") for case in exercise.drawn())


def test_an_input_of_several_lines_keeps_them() -> None:
    """A browser joins the lines of plain code."""
    found = given(e09_option.BROKEN)
    assert found.given.count("\n") == 4
    assert "white-space:pre-wrap" in found._repr_html_()
    assert "white-space" not in given(e05_exits.NOACCEL)._repr_html_()


@pytest.mark.parametrize("exercise", ALL, ids=by_name)
def test_the_inputs_are_the_same_every_time_and_others_for_another_seed(exercise: Exercise) -> None:
    assert exercise.drawn() == exercise.drawn()
    others = [exercise.drawn(seed) for seed in ("1", "2", "3", "4")]
    assert any(other != exercise.drawn() or repr(other) != repr(exercise.drawn()) for other in others)


@pytest.mark.parametrize("exercise", VALUES, ids=by_name)
def test_what_is_given_does_not_leak_the_answer(exercise: Exercise) -> None:
    """Neither the input nor what is said to a wrong answer holds the right one."""
    right = next(answer for found, answer in RIGHT if found is exercise)
    wanted = answered(exercise, right)
    told = [str(check(exercise, answered(exercise, wrong))) for found, wrong, _ in WRONG if found is exercise]
    for text in (*told, repr(given(exercise))):
        assert repr(wanted) not in text.replace(exercise.goal, "").replace(exercise.show(exercise.drawn()[0]), "")


def test_only_an_exercise_that_wants_a_value_gives_its_input() -> None:
    with pytest.raises(AvicError, match="not a function that is tried on many inputs"):
        given(tour.ICR)


@pytest.mark.parametrize(("valid", "running"), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_the_outcomes_are_those_of_the_machine(valid: int, running: int) -> None:
    """The tour's third check is a rule written down; here the machine itself is asked."""
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


def test_an_exit_402h_can_be_read_with_the_map_at_hand() -> None:
    """The map of notebook 05 ends at 4FFh; what lies beyond it is not asked."""
    asked = {NoAccelInfo1.raw(e05_exits.NOACCEL.drawn(str(seed))[0][0]).offset for seed in range(200)}
    assert max(asked) < e05_exits.MAPPED

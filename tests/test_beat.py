"""Ops: a step asks its World what stands for it. And looks at a World, and its copies."""

from copy import copy
from inspect import getsource, signature
from typing import Any, cast

import pytest

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World, drive

LOOK = Site(Kind.READ, LOAD, "", "", "looks at {place}")
MARK = Site(Kind.UPDATE, STORE, "", "", "marks {place}")


def step_of(bonus: int) -> Op[[int, int], int]:
    """A new step each time, whose function has a closure."""

    @Op
    def marked(w: World, place: int, n: int = 7) -> Beats[int]:
        yield MARK(place, n + bonus)
        return int((yield LOOK(place)))

    return marked


def tenfold(w: World, place: int, n: int = 7) -> Beats[int]:
    """An overlay."""
    yield MARK(place, 10 * n)
    return int((yield LOOK(place)))


def test_a_step_without_an_overlay_does_what_its_function_does() -> None:
    step, w = step_of(1), World(1)
    assert drive(w, step(w, 5, 3)) == drive(w, step.fn(w, 5, 3)) == 4


def test_an_overlay_counts_in_its_own_world_and_its_copies() -> None:
    step: Any = step_of(1)
    w = World(1)
    before = w.copy()
    w.replace(step, tenfold, "test")
    for world, answer in ((w, 30), (w.copy(), 30), (before, 4), (World(1), 4)):
        assert drive(world, step(world, 5, 3)) == answer
        assert drive(world, step(world, n=3, place=5)) == answer
        assert world.at[0] == 4
    assert drive(before, step(before, 5)) == 8
    assert drive(w, step(w, 5)) == 70


def test_an_overlay_of_one_step_leaves_others_of_that_shape_alone() -> None:
    one, two, w = step_of(1), step_of(2), World(1)
    w.replace(one, tenfold, "test")
    w.replace(two, tenfold, "test")
    w.replace(two, two.fn, "test")
    assert [drive(w, step(w, 5, 3)) for step in (one, two)] == [30, 5]


def test_beats_that_have_begun_go_on_as_they_began() -> None:
    step, w = step_of(1), World(1)
    beats = step(w, 5, 3)
    next(beats)
    w.replace(step, tenfold, "test")
    beats.send(0)
    with pytest.raises(StopIteration) as end:
        beats.send(4)
    assert end.value.value == 4


def test_what_people_ask_of_a_step_stays_the_same() -> None:
    step, w = step_of(1), World(1)
    told = getsource(cast("Any", step)), signature(step), step.name, step.__doc__
    w.replace(step, tenfold, "test")
    assert (getsource(cast("Any", step)), signature(step), step.name, step.__doc__) == told
    assert step.name == "tests.test_beat.marked"


def test_a_step_has_plain_parameters_only() -> None:
    def starred(w: World, *places: int) -> Beats[None]:
        for place in places:
            yield LOOK(place)

    with pytest.raises(TypeError, match="starred: a step has plain parameters only"):
        Op(starred)


def test_a_world_is_looked_at_where_it_is() -> None:
    w = World(1)
    for world in (w, copy(w), w.copy()):
        drive(world, step_of(1)(world, 5, 3))
        assert world.see is world.at
        assert world.see[5] == 4


def test_a_copy_has_its_own_state_and_a_shallow_one_the_same() -> None:
    w = World(1)
    w.area("console", ("length",))
    own, same = w.copy(), copy(w)
    w.at[5] = 1
    assert (own.at[5], same.at[5]) == (0, 1)
    for name, value in vars(World()).items():
        assert getattr(same, name) is getattr(w, name)
        if isinstance(value, (list, dict)):
            assert getattr(own, name) is not getattr(w, name)
    assert own.areas == w.areas

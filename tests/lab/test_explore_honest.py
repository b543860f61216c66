"""Is the explorer honest? Reduction against enumeration, that against brute force, and defects that it must find."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from avickit.beat import AND, LOAD, LOCK, OR, STORE, Beats, World
from avickit.lab.explore import Exploration, explore, race
from avickit.lab.explore.dpor import Reduced
from avickit.lab.explore.full import Full
from avickit.lab.explore.judge import by_places
from tests.lab import random_races as rr

PARTS, PROGRAMS = 10, 1000


@pytest.mark.parametrize("part", range(PARTS))
def test_reduced_and_full_search_end_in_the_same_states(part: int) -> None:
    """1,000 random programs of at most 12 beats with locks, waits and store buffers that drain."""
    for seed in range(part, PROGRAMS, PARTS):
        made = rr.build(rr.random_programs(seed))
        assert rr.ends(made, True, Reduced) == rr.ends(made, True, Full), f"seed {seed}"


@pytest.mark.parametrize("seed", range(30))
def test_both_agree_with_brute_force(seed: int) -> None:
    """The yardstick shares no code with the explorer."""
    programs = rr.random_programs(10_000 + seed, most=4)
    for tso in (False, True):
        expected = rr.brute_force(programs, tso)
        made = rr.build(programs)
        assert rr.ends(made, tso, Full) == expected
        assert rr.ends(made, tso, Reduced) == expected


# ---- defects put into correct programs ----


def counted(programs: list[list[rr.Op]]) -> Exploration:
    """Whether all increments count, and everybody comes to an end."""
    made = rr.count_race(programs)
    expected = sum(op[0] is LOAD for ops in programs for op in ops)

    def lost(look: Callable[[int], Any]) -> str:
        return "" if look(rr.COUNTER) == expected else "an increment is lost"

    return explore(made, "tso", judge=by_places(lost, "counter", made))


@pytest.mark.parametrize("seed", range(40))
def test_a_dropped_lock_and_swapped_beats_are_found(seed: int) -> None:
    r = random.Random(seed)
    programs = rr.counting(r)
    assert counted(programs).verdict == "pass"
    broken = programs[r.randrange(len(programs))]
    if seed % 2:
        broken[:] = [op for op in broken if op[1] != rr.LOCKED]
    else:
        store, unlock = broken.index((STORE, rr.COUNTER, 1)), broken.index((STORE, rr.LOCKED, 0))
        broken[store], broken[unlock] = broken[unlock], broken[store]
    result = counted(programs)
    assert result.verdict == "counter"
    assert result.racing is not None
    assert result.trace[result.racing[0]].place in ("shared counter", "shared lock")


@pytest.mark.parametrize("seed", range(20))
def test_a_skipped_check_is_found(seed: int) -> None:
    """A sleeper that does not look once more, among others that only look."""
    r = random.Random(seed)
    lookers = r.randint(0, 2)

    def sleeper(checks: bool) -> Callable[[World], Beats[None]]:
        def make(w: World) -> Beats[None]:
            yield rr.SITE[OR](rr.ASLEEP, 1)
            if checks and (yield rr.SITE[LOAD](rr.FLAG)):
                yield rr.SITE[AND](rr.ASLEEP, 0)

        return make

    def waker(w: World) -> Beats[None]:
        yield rr.SITE[OR](rr.FLAG, 1)
        if (yield rr.SITE[LOAD](rr.ASLEEP)):
            yield rr.SITE[AND](rr.ASLEEP, 0)

    def looker(w: World) -> Beats[None]:
        yield rr.SITE[LOAD](rr.FLAG)

    for checks in (True, False):
        w = World()
        w.area("shared", ("counter", "flag", "asleep", "lock"))
        others = {f"looker {n}": looker for n in range(lookers)}
        made = race(w, {"sleeper": sleeper(checks), "waker": waker, **others})

        def lost(look: Callable[[int], Any]) -> str:
            return "asleep" if look(rr.ASLEEP) and look(rr.FLAG) else ""

        result = explore(made, "tso", judge=by_places(lost, "lost wake-up", made))
        assert result.verdict == ("pass" if checks else "lost wake-up")


def test_a_lock_that_is_never_dropped_leaves_who_waits() -> None:
    """A deadlock is an end too, and every end is found."""
    programs = [[(LOCK, 4, 0), (LOAD, 1, 0)], [(LOCK, 4, 0), (LOAD, 2, 0)]]
    assert rr.ends(rr.build(programs), False, Reduced) == rr.brute_force(programs, False)
    assert len(rr.ends(rr.build(programs), False, Reduced)) == 2

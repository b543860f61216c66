"""Proofs of H-MEM-1 to H-MEM-3: store buffers, by the litmus tests of APM2 7.2, in every order.

Threads read into places of their own, so that an end says who has read what.
"""

import pytest

from avickit.beat import FENCE, LOAD, OR, STORE
from avickit.lab.explore import state
from avickit.lab.explore.state import State, Step
from tests.lab.random_races import Op, Read, reads
from tests.proofs.frame import Make, breaks, proves

X, Y, LOCKED = 1, 2, 3


def store(place: int) -> Op:
    return STORE, place, 1


def load(place: int) -> Op:
    return LOAD, place, 0


def outcomes(*programs: list[Op], tso: bool = True) -> set[tuple[Read, ...]]:
    """What the threads have read, at every end."""
    return reads(programs, tso=tso)


@proves("H-MEM-1")
def a_load_goes_before_a_store_that_waits(make: Make) -> None:
    """Two store, then load the other's: both read the old value, as in no order of whole steps. (APM2 7.2, H-MEM-1)"""
    programs = [store(X), load(Y)], [store(Y), load(X)]
    both_old = ((0,), (0,))
    assert both_old in outcomes(*programs)
    assert both_old not in outcomes(*programs, tso=False)


@proves("H-MEM-1")
def stores_are_seen_in_order(make: Make) -> None:
    """Who sees the second store sees the first; a store does not go before an older load. (APM2 7.2, H-MEM-1)"""
    assert outcomes([store(X), store(Y)], [load(Y), load(X)]) == {((), read) for read in ((0, 0), (0, 1), (1, 1))}
    assert ((1,), (1,)) not in outcomes([load(X), store(Y)], [load(Y), store(X)])


@proves("H-MEM-2")
def a_core_sees_its_own_store_first(make: Make) -> None:
    """Each reads its own new value and still the other's old one. (APM2 7.2, H-MEM-2)"""
    found = outcomes([store(X), load(X), load(Y)], [store(Y), load(Y), load(X)])
    assert ((1, 0), (1, 0)) in found
    assert {own for one, other in found for own in (one[0], other[0])} == {1}


@proves("H-MEM-3")
def a_locked_operation_and_a_fence_empty_the_buffer(make: Make) -> None:
    """With either between store and load, in both, somebody reads the new value. (APM2 7.2, 7.4.2, H-MEM-3)"""
    for drain in ((FENCE, LOCKED, 0), (OR, LOCKED, 0)):
        found = outcomes([store(X), drain, load(Y)], [store(Y), drain, load(X)])
        last = {(one[-1], other[-1]) for one, other in found}
        assert last == {(0, 1), (1, 0), (1, 1)}


@breaks("H-MEM-1", patch=True)
def stores_reach_memory_at_once(patch: pytest.MonkeyPatch) -> None:
    """No store ever waits."""
    begun = State.__init__

    def without_buffers(self: State, automata: object) -> None:
        begun(self, automata)  # type: ignore[arg-type]
        self.tso = False

    patch.setattr(State, "__init__", without_buffers)


@breaks("H-MEM-1", patch=True)
def the_youngest_store_goes_first(patch: pytest.MonkeyPatch) -> None:
    """A buffer empties from the wrong end."""
    oldest = State.drain

    def youngest(self: State, process: int) -> Step:
        thread = process - self.count
        before = self.buffers[thread]
        self.buffers[thread] = before[::-1]
        step = oldest(self, process)
        self.buffers[thread] = before[:-1]
        return step._replace(buffer=before)

    patch.setattr(State, "drain", youngest)


@breaks("H-MEM-2", patch=True)
def loads_look_at_memory_only(patch: pytest.MonkeyPatch) -> None:
    """A core does not see what waits in its own buffer."""
    patch.setattr(State, "load", lambda self, thread, place: self.at[place])


@breaks("H-MEM-3", patch=True)
def nothing_empties_the_buffer(patch: pytest.MonkeyPatch) -> None:
    """A locked operation goes before stores that wait."""
    patch.setattr(state, "DRAINED", ())

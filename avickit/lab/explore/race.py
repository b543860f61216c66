"""What is explored: a World at the start of a race, and the threads that act on it from there.

A thread is a core (guest code, #VMEXIT, Xen's code: one stack of generators, one store buffer) or somebody outside it
who commands Xen. Does not model: how threads are interleaved (`state`), nor what a beat means (that is the World's).
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from avickit.beat import Beats, World

WORLD = -1
"""The actor of what no core does."""


class Thread(NamedTuple):
    """One who acts: a name, the core that a trace shows (-1: none), and what makes its beats."""

    name: str
    actor: int
    make: Callable[[World], Beats[Any]]


class Race(NamedTuple):
    """A World with threads. `counted` are places whose bits are counted as they become 1 (IRR registers)."""

    world: World
    threads: tuple[Thread, ...]
    counted: frozenset[int] = frozenset()


def race(world: World, threads: dict[str, Callable[[World], Beats[Any]]], counted: Iterable[int] = ()) -> Race:
    """A race of small programs: each name with a function from the World to beats; the n-th is core n."""
    made = tuple(Thread(name, index, make) for index, (name, make) in enumerate(threads.items()))
    return Race(world, made, frozenset(counted))

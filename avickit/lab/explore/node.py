"""A thread between two beats, and where the answers to its next ask lead; what a beat does to a place.

Does not model: how that is found out (`unfold`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.beat import ADD, AND, LOCK, OR, SIGNAL, STORE, WAIT, Do, Site

if TYPE_CHECKING:
    from avickit.lab.explore.unfold import Run


class Node:
    """A thread between two beats: the ask that comes next, and where each answer leads.

    `own` is what the thread has written to places of its own; `crash` is the error that ended it.
    """

    __slots__ = ("came", "crash", "do", "edges", "live", "local", "number", "own", "own_id", "place", "site", "value")

    def __init__(self, number: int, came: "Came | None", own: dict[int, Any], own_id: int) -> None:
        self.number, self.came, self.own, self.own_id = number, came, own, own_id
        self.edges: dict[Any, Any] = {}
        self.site: Site | None = None
        self.place, self.value, self.local, self.crash = 0, None, False, ""
        self.do: Do | None = None
        self.live: Run | None = None

    def ask(self, site: Site, place: int, value: Any, do: Do, *, local: bool) -> None:
        """The ask that comes next; `local` if it is at a place of the thread's own."""
        self.site, self.place, self.value, self.do, self.local = site, place, value, do, local


class Outcome(NamedTuple):
    """Where a step leads: the next node, stores that went into the buffer, shared places looked at, beats done."""

    node: Node
    stores: tuple[tuple[int, Any, Site], ...]
    sees: tuple[int, ...]
    beats: int


class Look(NamedTuple):
    """Where it leads depends on a shared place that the thread looks at."""

    place: int
    by: dict[Any, Any]


class Came(NamedTuple):
    """How a node was reached: from which, with which answer, having seen what."""

    node: Node
    answer: Any
    seen: tuple[Any, ...]
    beats: int


def changed(do: Do, old: Any, value: Any) -> Any:
    """What a place holds after a beat."""
    if do is STORE:
        return value
    if do is OR or do is SIGNAL:
        return old | value
    if do is AND:
        return old & value
    if do is ADD:
        return old + value
    return 1 if do is LOCK else old


def waits(do: Do, old: Any, value: Any) -> bool:
    """Whether a beat has to wait: a lock that is held, a place that is not yet as wanted.

    A wait's `value` may be a function that says whether it goes on; without one the place must not be 0.
    """
    if do is LOCK:
        return bool(old)
    return do is WAIT and not (value(old) if callable(value) else old)

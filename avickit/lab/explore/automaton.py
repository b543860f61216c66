"""Threads unfolded into automata: what a thread asks next depends only on what it was answered so far.

What came of a history is kept, so that it is never run twice (`unfold` runs it, once). Beats at places that no other
thread touches are taken along with the beat before them; that a place is touched by a second thread is noticed, and the
search begins again. Does not model: anything; it knows no beat by name.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from avickit.lab.explore.node import Came, Node, Outcome
from avickit.lab.explore.race import Race
from avickit.lab.explore.unfold import Restart, Run

MOST_STANDING = 256
"""So many runs are kept where they stand, so that they need not be replayed from the start."""


class Automata:
    """The automata of all threads of a race. `shared` grows; then the search begins again (`forget`)."""

    def __init__(self, race: Race, *, tso: bool, shared: frozenset[int] = frozenset()) -> None:
        self.race, self.tso, self.world = race, tso, race.world
        self.shared = set(race.counted | shared)
        self.touched: dict[int, list[int]] = {}
        self.nodes = 0
        self.owned: dict[frozenset[tuple[int, Any]], int] = {}
        self.roots: list[Node] = []
        self.standing: deque[Node] = deque()

    def forget(self) -> None:
        """Start anew, with what is known to be shared."""
        self.nodes, self.owned = 0, {}
        self.standing.clear()
        self.roots = [self._root(index) for index in range(len(self.race.threads))]

    def unfold(self, thread: int, node: Node, answer: Any, look: Callable[[int], Any]) -> Outcome:
        """Run a thread on from a node with an answer; `look` says what a shared place holds for it now."""
        run, node.live = node.live, None
        if run is None:
            run = Run(self, thread)
            found = run.unfold(node, answer, look)
        else:
            found = run.go_on(node, answer, look)
        if run.alive:
            self.keep(found.node, run)
        return found

    def keep(self, node: Node, run: Run) -> None:
        """A run that stands at a node waits there for a while: the next step from there is most often asked next."""
        node.live = run
        self.standing.append(node)
        if len(self.standing) > MOST_STANDING:
            self.standing.popleft().live = None

    def _root(self, thread: int) -> Node:
        run = Run(self, thread)
        node = run.root()
        self.keep(node, run)
        return node

    def new(self, came: Came | None, own: dict[int, Any]) -> Node:
        """A new node."""
        self.nodes += 1
        own_id = self.owned.setdefault(frozenset(own.items()), len(self.owned))
        return Node(self.nodes, came, own, own_id)

    def touch(self, thread: int, place: int, *, write: bool) -> None:
        """Note who touches what. Raises Restart if a place is found to be shared."""
        found = self.touched.setdefault(place, [0, 0])
        found[write] |= 1 << thread
        if found[1] and (found[0] | found[1]).bit_count() > 1 and place not in self.shared:
            self.shared.add(place)
            raise Restart

"""Every reachable state of a race, nothing left out; and, if asked, only those with few preemptions.

The yardstick for the reduction, and the search for bounded preemptions. Does not model: any reduction; two orders that
lead to the same state (histories of the threads included) go on as one.
"""

from collections.abc import Callable, Iterator
from typing import Any

from avickit.lab.explore.state import State, Step


class Full:
    """The search. `run` yields at each new end; `path` is how it came there; `orders` counts all orders at last.

    A preemption is a switch away from a thread that could go on; drains of store buffers are none.
    """

    def __init__(self, state: State, preemptions: int | None = None) -> None:
        self.state, self.bound = state, preemptions
        self.path: list[Step] = []
        self.orders = 0
        self.steps = 0
        self.states = 0
        self.known: dict[Any, int] = {}
        self.stack: list[list[Any]] = []

    def branches(self) -> Iterator[tuple[int, int]]:
        """At each level: how many branches are done, how many are known."""
        for level in self.stack:
            yield level[5] - len(level[0] or ()) - 1, level[5]

    def run(self, each: Callable[[Step], None] | None = None) -> Iterator[None]:
        """Depth first, with a stack of its own: (moves left, key, orders so far, switches, thread, moves)."""
        state, known = self.state, self.known
        stack = self.stack = [self.level(0, None)]
        while stack:
            level = stack[-1]
            if level[0] is None:
                yield
                level[0], level[2] = [], 1
            if not level[0]:
                stack.pop()
                known[level[1]] = level[2]
                if self.path:
                    state.undo(self.path.pop())
                    stack[-1][2] += level[2]
                else:
                    self.orders = level[2]
                continue
            process = level[0].pop()
            spent, thread = self.spend(level, process)
            if self.bound is not None and spent > self.bound:
                continue
            self.path.append(state.take(process))
            self.steps += 1
            if each is not None:
                each(self.path[-1])
            below = self.level(spent, thread)
            if below[1] in known:
                level[2] += known[below[1]]
                state.undo(self.path.pop())
                continue
            stack.append(below)

    def level(self, spent: int, thread: int | None) -> list[Any]:
        """A state, to be gone on from."""
        able = self.state.able()
        key = self.state.key() if self.bound is None else (self.state.key(), spent, thread)
        if key not in self.known:
            self.states += 1
        return [able[::-1] or None, key, 0, spent, thread, len(able)]

    def spend(self, level: list[Any], process: int) -> tuple[int, int | None]:
        """Preemptions after this step, and the thread that runs then."""
        spent, thread = level[3], level[4]
        if process >= self.state.count:
            return spent, thread
        away = thread is not None and thread != process and self.state.may(thread)
        return spent + away, process

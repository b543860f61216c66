"""The state of a race between two steps, and what a step does to it: memory, store buffers, who may go on.

A process is a thread, or the drain of a thread's store buffer: numbers 0..n-1 and n..2n-1. Under TSO a store waits in
its core's FIFO buffer (H-MEM-1), a load sees its own core's waiting stores first (H-MEM-2), and locked beats and fences
wait until the buffer is empty (H-MEM-3; APM2 7.2, 7.4.2). A signal does not: whether the doorbell does is a choice
(H-BELL-1). Does not model: buffers of a limited size, write combining, other memory types.
"""

from typing import Any, NamedTuple

from avickit.beat import ADD, AND, FENCE, LOAD, LOCK, OR, SIGNAL, STORE, WAIT
from avickit.lab.explore.automaton import Automata
from avickit.lab.explore.node import Look, Node, Outcome, changed, waits

NOWHERE = -1
Buffer = tuple[tuple[int, Any, int], ...]
"""Stores that wait: place, value, and the depth of the step that made them."""


class Step(NamedTuple):
    """A step that was done: by whom, what it wrote (or -1) and read, beats, and how to undo it.

    `reads` are the place read by the beat and those looked at behind it; `old` is what the beat's place held; `stores`
    says how many stores went into the buffer.
    """

    process: int
    write: int
    reads: tuple[int, ...]
    old: Any
    beats: int
    node: Node
    buffer: Buffer
    ghost: Any
    stores: int = 0


class State:
    """Nodes, buffers, memory: `at` holds the shared places, and under ~place which bits of a counted one became 1."""

    def __init__(self, automata: Automata) -> None:
        self.automata, self.tso = automata, automata.tso
        self.counted = automata.race.counted
        self.count = len(automata.roots)
        self.nodes = list(automata.roots)
        self.buffers: list[Buffer] = [()] * self.count
        memory = automata.world.at
        self.at: dict[int, Any] = {place: memory[place] for place in sorted(automata.shared)}
        self.at.update({~place: () for place in sorted(self.counted)})

    def key(self) -> tuple[Any, ...]:
        """The whole state, histories of the threads included."""
        stores = tuple(tuple(store[:2] for store in buffer) for buffer in self.buffers)
        return tuple(node.number for node in self.nodes), stores, tuple(self.at.values())

    def ended(self) -> tuple[Any, ...]:
        """What is left at an end: written places, memory, and where each thread stands for good."""
        stands = tuple((node.own_id, node.site, node.place, node.crash) for node in self.nodes)
        return stands, tuple(self.at.values())

    def may(self, process: int) -> bool:
        """Whether a process can do a step now."""
        if process >= self.count:
            return bool(self.buffers[process - self.count])
        node = self.nodes[process]
        do = node.do
        if do is None:
            return False
        if self.buffers[process] and not node.local and (do in DRAINED or self.overtakes(process, node)):
            return False
        if do is LOCK or do is WAIT:
            own = node.own.get(node.place, self.automata.world.at[node.place]) if node.local else None
            return not waits(do, own if node.local else self.load(process, node.place), node.value)
        return True

    def overtakes(self, thread: int, node: Node) -> bool:
        """Whether a signal would reach its place before the thread's own earlier store to that very place."""
        return node.do is SIGNAL and any(store[0] == node.place for store in self.buffers[thread])

    def able(self) -> list[int]:
        """All that can go on, threads first."""
        return [p for p in range(2 * self.count if self.tso else self.count) if self.may(p)]

    def load(self, thread: int, place: int) -> Any:
        """What a thread reads: the youngest of its own waiting stores, else memory."""
        for store in reversed(self.buffers[thread]):
            if store[0] == place:
                return store[1]
        return self.at[place]

    def take(self, process: int, depth: int = 0) -> Step:
        """Do a step of a process that may."""
        if process >= self.count:
            return self.drain(process)
        node, buffer = self.nodes[process], self.buffers[process]
        do, place = node.do, node.place
        answer, write, old, ghost = None, NOWHERE, None, None
        reads: tuple[int, ...] = ()
        if node.local or do is FENCE:
            pass
        elif do is LOAD or do is WAIT:
            answer = old = self.load(process, place)
            reads = (place,)
        elif do is STORE and self.tso:
            self.buffers[process] = (*buffer, (place, node.value, depth))
        else:
            old, write = self.at[place], place
            ghost = self.write(place, changed(do, old, node.value))  # type: ignore[arg-type]
            if do is OR or do is AND or do is LOCK or do is ADD:
                answer = old
        found = self.follow(process, node, answer)
        self.nodes[process] = found.node
        if found.stores:
            self.buffers[process] += tuple((place, value, depth) for place, value, _ in found.stores)
        if found.sees:
            reads += found.sees
        stores = len(self.buffers[process]) - len(buffer)
        return Step(process, write, reads, old, found.beats, node, buffer, ghost, stores)

    def follow(self, process: int, node: Node, answer: Any) -> Outcome:
        """Where an answer leads; found out by running the thread, if nobody has gone there yet."""
        table, key = node.edges, answer
        while True:
            found = table.get(key)
            if type(found) is Outcome:
                return found
            if found is None:
                break
            table, key = found.by, self.load(process, found.place)
        outcome = self.automata.unfold(process, node, answer, lambda place: self.load(process, place))
        table, key = node.edges, answer
        for place, value in zip(outcome.sees, outcome.node.came.seen, strict=True):  # type: ignore[union-attr]
            table, key = table.setdefault(key, Look(place, {})).by, value
        table[key] = outcome
        return outcome

    def drain(self, process: int) -> Step:
        """The oldest store of a buffer reaches memory."""
        thread = process - self.count
        buffer = self.buffers[thread]
        place, value, _ = buffer[0]
        old = self.at[place]
        ghost = self.write(place, value)
        self.buffers[thread] = buffer[1:]
        return Step(process, place, (), old, 0, self.nodes[thread], buffer, ghost)

    def write(self, place: int, value: Any) -> Any:
        """Change memory; answers with what was counted so far at a counted place."""
        old = self.at[place]
        self.at[place] = value
        if place not in self.counted:
            return None
        before = self.at[~place]
        if value & ~old:
            self.at[~place] = tuple(sorted((*before, value & ~old)))
        return before

    def undo(self, step: Step) -> None:
        """Take back the last step."""
        process, write, _, old, _, node, buffer, ghost, _ = step
        thread = process if process < self.count else process - self.count
        self.nodes[thread], self.buffers[thread] = node, buffer
        if write != NOWHERE:
            self.at[write] = old
            if ghost is not None:
                self.at[~write] = ghost


DRAINED = (OR, AND, ADD, LOCK, FENCE)
"""Beats that wait until the buffer is empty."""

"""Every order of a race that can make a difference: dynamic partial order reduction with source sets and sleep sets.

Two orders that differ only in steps that do not touch the same places end alike; of all those one is enough.
(P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014, algorithm 1;
drains of store buffers are processes of their own, as in N. Zhang, M. Kusano, C. Wang, PLDI 2015.) What happens before
a step is a set of steps, kept as the bits of a number. Does not model: bounded searches (`full`).
"""

from collections.abc import Callable, Iterator
from typing import Any

from avickit.beat import FENCE, LOCK, WAIT
from avickit.lab.explore.node import waits
from avickit.lab.explore.state import DRAINED, NOWHERE, State, Step

Touch = tuple[int, tuple[int, ...]]
"""The place a step writes (or -1), and those it reads."""


class Frame:
    """A state on the way: who could go on, who sleeps, who is to be tried, who has been."""

    __slots__ = ("able", "clock", "done", "sleep", "step", "touched", "wanted")

    def __init__(self, able: int, sleep: dict[int, Touch]) -> None:
        self.able, self.sleep = able, sleep
        self.wanted = self.done = 0
        self.step: Step | None = None
        self.clock = 0
        self.touched: dict[int, Touch] = {}


class Reduced:
    """The search. `run` yields at the end of each order that is explored; `path` is then how it came there.

    `watched` are places a predicate on the way reads: any two writes to them are kept in both orders.
    """

    def __init__(self, state: State, watched: frozenset[int] = frozenset()) -> None:
        self.state, self.watched = state, watched
        self.frames: list[Frame] = []
        self.clocks = [0] * (2 * state.count)
        self.hb: list[int] = []
        self.access: dict[int, list[tuple[int, bool]]] = {}
        self.blocked = 0
        self.steps = 0

    @property
    def path(self) -> list[Step]:
        """The steps so far."""
        return [frame.step for frame in self.frames if frame.step is not None]

    def branches(self) -> Iterator[tuple[int, int]]:
        """At each level: how many branches are done, how many are known."""
        for frame in self.frames:
            yield max(frame.done.bit_count() - 1, 0), (frame.wanted | frame.done).bit_count()

    def run(self, each: Callable[[Step], None] | None = None) -> Iterator[None]:
        """Explore; `each` is called after every step."""
        self.frames.append(self.frame({}))
        while self.frames:
            top = self.frames[-1]
            if top.step is not None:
                self.back(top)
            chosen = self.choose(top)
            if chosen < 0:
                if not top.done:
                    self.wait_for(top)
                    if top.able:
                        self.blocked += 1
                    else:
                        yield
                self.frames.pop()
                continue
            self.forth(top, chosen)
            if each is not None:
                each(top.step)  # type: ignore[arg-type]
            self.frames.append(self.frame(self.still_asleep(top)))

    def frame(self, sleep: dict[int, Touch]) -> Frame:
        """The state as it is now."""
        able = 0
        for process in self.state.able():
            able |= 1 << process
        return Frame(able, sleep)

    def choose(self, top: Frame) -> int:
        """Who goes on from here: first anybody awake, then those that races ask for. -1: nobody."""
        asleep = 0
        for process in top.sleep:
            asleep |= 1 << process
        if not top.done and not top.wanted:
            awake = top.able & ~asleep
            top.wanted = awake & -awake
        rest = top.wanted & ~top.done & ~asleep
        return (rest & -rest).bit_length() - 1

    def still_asleep(self, top: Frame) -> dict[int, Touch]:
        """Those that sleep on: the step that was done does not touch what they touch."""
        step = top.step
        assert step is not None
        mine = (step.write, step.reads)
        return {p: touch for p, touch in top.sleep.items() if not self.dependent(mine, touch)}

    def dependent(self, one: Touch, other: Touch) -> bool:
        """Whether the order of two steps can matter."""
        wrote, read = one
        also_wrote, also_read = other
        if wrote != NOWHERE and (wrote == also_wrote or wrote in also_read):
            return True
        if also_wrote != NOWHERE and also_wrote in read:
            return True
        return wrote in self.watched and also_wrote in self.watched

    def forth(self, top: Frame, process: int) -> None:
        """Do a step, look for races with earlier ones, note what happened before it."""
        state, index = self.state, len(self.frames) - 1
        node = state.nodes[process % state.count]
        before = self.before(process)
        step = state.take(process, index)
        self.steps += 1
        top.done |= 1 << process
        top.touched[process] = (step.write, step.reads)
        clock = self.races(index, process, before, (step.write, step.reads), node if process < state.count else None)
        top.step, top.clock = step, self.clocks[process]
        clock |= 1 << index
        self.clocks[process] = clock
        self.hb.append(clock)
        for place in self.places(step):
            self.access.setdefault(place, []).append((index, place in (step.write, WATCHED)))

    def places(self, step: Step) -> list[int]:
        """Everything a step touches, each place once."""
        found = [place for place in dict.fromkeys(step.reads) if place != step.write]
        if step.write != NOWHERE:
            found.append(step.write)
            if step.write in self.watched:
                found.append(WATCHED)
        return found

    def back(self, top: Frame) -> None:
        """Take back the step of this frame; its process sleeps from now on."""
        step = top.step
        assert step is not None
        for place in self.places(step):
            self.access[place].pop()
        self.hb.pop()
        self.clocks[step.process] = top.clock
        self.state.undo(step)
        top.sleep[step.process] = top.touched[step.process]
        top.step = None

    def before(self, process: int) -> int:
        """What must have happened before the next step of a process, whatever others do."""
        state = self.state
        clock = self.clocks[process]
        if process >= state.count:
            return clock | self.hb[state.buffers[process - state.count][0][2]]
        node = state.nodes[process]
        if state.tso and node.do in DRAINED and not node.local:
            clock |= self.clocks[process + state.count]
        return clock

    def races(self, index: int, process: int, before: int, touch: Touch, node: Any) -> int:
        """Ask for the other order of each race of this step; what happened before it in this one."""
        wrote, read = touch
        clock = before
        found: list[int] = []
        for place in read:
            if place != wrote:
                clock |= self.conflicts(place, False, before, node, found)
        if wrote != NOWHERE:
            clock |= self.conflicts(wrote, True, before, node, found)
            if wrote in self.watched:
                clock |= self.conflicts(WATCHED, True, before, None, found)
        for e in found:
            if not any(other != e and self.hb[other] >> e & 1 for other in found):
                self.reverse(e, process, index, clock)
        return clock

    def conflicts(self, place: int, write: bool, before: int, node: Any, found: list[int]) -> int:
        """The earlier steps at a place that this one depends on; those that race with it are added to `found`."""
        clock, racing = 0, True
        waiting = node is not None and (node.do is LOCK or node.do is WAIT) and node.place == place
        for e, wrote in reversed(self.access.get(place, ())):
            if not (write or wrote):
                continue
            clock |= self.hb[e]
            if racing and not before >> e & 1 and not (waiting and wrote and self.waited(e, node)):
                found.append(e)
                racing = not wrote
            if wrote and not (waiting and racing):
                break
        return clock

    def waited(self, e: int, node: Any) -> bool:
        """Whether the step e is what let the waiting one go on: before it, it had to wait."""
        step = self.frames[e].step
        assert step is not None
        return waits(node.do, step.old, node.value)

    def reverse(self, e: int, process: int, index: int, clock: int) -> None:
        """Have tried, before step e, somebody with whom the other order of e and the new step can begin."""
        frame = self.frames[e]
        hb, frames = self.hb, self.frames
        rest = initials = 0
        for j in range(e + 1, index):
            if not hb[j] >> e & 1:
                if not hb[j] & rest:
                    initials |= 1 << frames[j].step.process  # type: ignore[union-attr]
                rest |= 1 << j
        if not clock & rest:
            initials |= 1 << process
        if initials & (frame.wanted | frame.done):
            return
        possible = initials & frame.able
        if not possible:
            if not rest:
                return
            frame.wanted |= frame.able
            return
        frame.wanted |= 1 << process if possible >> process & 1 else possible & -possible

    def wait_for(self, top: Frame) -> None:
        """At an end, or where all others sleep: a thread that waits might have gone on in another order."""
        for process in range(self.state.count):
            node = self.state.nodes[process]
            if node.do is None or node.local or node.do is FENCE or top.able >> process & 1:
                continue
            write = node.place if node.do is LOCK else NOWHERE
            self.races(len(self.frames) - 1, process, self.before(process), (write, (node.place,)), node)


WATCHED = -2
"""Stands for all places that a predicate on the way reads."""

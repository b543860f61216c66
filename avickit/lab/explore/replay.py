"""Playing one order of a race on a machine, beat by beat, so that it becomes an ordinary trace.

Under TSO a store is two events: it goes into the core's store buffer (a cell of the World, so that it can be seen), and
later it reaches memory. Does not model: which order to play; that is a schedule, as data.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from avickit.beat import CLOCK, LOAD, SIGNAL, STORE, WAIT, Beats, Kind, Site, World, perform
from avickit.lab import names, words
from avickit.lab.explore.actors import Spec, race_of
from avickit.lab.explore.race import Race
from avickit.lab.trace import Trace

if TYPE_CHECKING:
    from avickit.lab.engine import Script
    from avickit.lab.machine import Machine

Schedule: TypeAlias = tuple[tuple[int, int], ...]
"""Who goes on for how many beats: a thread's number; behind the threads, the drains of their store buffers."""

HOLD = Site(Kind.UPDATE, STORE, "H-MEM-1", "APM2 7.2", "the store waits in the core's store buffer: {new}")
FORWARD = Site(Kind.READ, LOAD, "H-MEM-2", "APM2 7.2", "reads what its own store buffer holds: {old}")
LET_GO = Site(Kind.UPDATE, STORE, "H-MEM-1", "APM2 7.2", "the store buffer has let it go; left in it: {new}")


class Player:
    """The threads of a race, played in a given order. `buffered` are the places whose stores wait under TSO."""

    def __init__(self, race: Race, buffered: Iterable[int]) -> None:
        self.race, self.w, self.buffered = race, race.world, frozenset(buffered)
        self.beats = [thread.make(race.world) for thread in race.threads]
        self.asks: list[Any] = [None] * len(self.beats)
        self.begun = [False] * len(self.beats)
        self.buffers: list[list[tuple[Site, int, Any]]] = [[] for _ in self.beats]
        self.cells = [self.new_cell(thread) for thread in range(len(self.beats))] if self.buffered else []

    def script(self, schedule: Schedule) -> Iterator[tuple[int, Beats[None]]]:
        """The order as (actor, beats)."""
        count = len(self.beats)
        for process, beats in schedule:
            actor = self.race.threads[process % count].actor
            yield actor, self.drain(process - count) if process >= count else self.step(process, beats)

    def step(self, thread: int, beats: int) -> Beats[None]:
        """So many beats of a thread."""
        if not self.begun[thread]:
            self.begun[thread] = True
            self.send(thread, None)
        for _ in range(beats):
            if self.asks[thread] is None:  # what somebody did in between has brought it to its end
                return
            self.send(thread, (yield from self.do(thread, *self.asks[thread])))

    def send(self, thread: int, answer: Any) -> None:
        """Answer, and keep what is asked next; a thread that runs into an error is at its end."""
        try:
            self.asks[thread] = self.beats[thread].send(answer)
        except StopIteration:
            self.asks[thread] = None
        except Exception:  # the explorer has the error already: it is what was found
            self.asks[thread] = None

    def do(self, thread: int, site: Site, place: int, value: Any, do: Any) -> Beats[Any]:
        """One beat as it is on a machine with store buffers."""
        waiting = self.buffers[thread]
        if do is STORE and place in self.buffered:
            waiting.append((site, place, value))
            yield HOLD(self.cells[thread], self.told(thread))
            return None
        if do is LOAD or do is WAIT:
            held = [v for _, p, v in waiting if p == place]
            if held:
                yield FORWARD(self.cells[thread])
                return held[-1]
            return (yield site, place, 0, LOAD)
        old = yield site, place, value, do
        return None if do is STORE or do is SIGNAL else old

    def drain(self, thread: int) -> Beats[None]:
        """The oldest store of a buffer reaches memory."""
        if not self.buffers[thread]:
            return
        site, place, value = self.buffers[thread].pop(0)
        yield site, place, value, STORE
        yield LET_GO(self.cells[thread], self.told(thread))

    def new_cell(self, thread: int) -> int:
        """A cell that shows a thread's store buffer."""
        name, actor, _ = self.race.threads[thread]
        return self.w.area(name if actor < 0 else f"core {actor}", ("store buffer",))

    def told(self, thread: int) -> tuple[str, ...]:
        """The stores that wait, in words."""
        return tuple(f"{names.long(self.w, p)} = {words.value(self.w, p, v)}" for _, p, v in self.buffers[thread])


def play(
    m: "Machine", specs: tuple[Spec, ...], buffered: tuple[int, ...], schedule: Schedule, racing: tuple[int, ...] = ()
) -> "Script":
    """The command `race` of a machine: its threads in this order. All of it is data, so a fork plays it again.

    `racing` are the two steps that race; their beats say so in the trace.
    """
    notes = {i: n + len(m.trace) for i, n in beats_of(schedule, len(race_of(m, specs).threads)).items() if i in racing}
    for step, n in notes.items():
        m.trace.notes[n] = " and ".join(f"races with beat {other}" for i, other in notes.items() if i != step)
    yield from Player(race_of(m, specs), buffered).script(schedule)
    m.world.signalled.clear()


def beats_of(schedule: Schedule, count: int) -> dict[int, int]:
    """For each entry of a schedule the number of its first beat, from 1; a drain takes two."""
    found, n = {}, 1
    for index, (process, beats) in enumerate(schedule):
        found[index] = n
        n += beats if process < count else 2
    return found


def record(race: Race, buffered: Iterable[int], schedule: Schedule, limit: int = 200_000) -> Trace:
    """The trace of an order on a copy of a bare World."""
    w: World = race.world.copy()
    trace = Trace(w, limit)
    for actor, beats in Player(race._replace(world=w), buffered).script(schedule):
        try:
            ask = beats.send(None)
            while True:
                old = perform(w, ask)
                trace.raw.flat.extend((ask[0], ask[1], old, w.at[ask[1]], w.at[CLOCK], actor))
                ask = beats.send(old)
        except StopIteration:
            continue
    return trace

"""Running commands: who does what, recorded or not, to the end or to a chosen beat.

A command is a script: a generator of (actor, beats). Stopped at a beat, the whole script stays where it is: a fork
inside an algorithm can act on other cores, then go on. Does not model: beats of several actors interleaved (explorer).
"""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from avickit.beat import (
    CLOCK,
    FOREVER,
    LOCK,
    WAIT,
    Beats,
    World,
    blocked,
    drive,
    late,
    name_of,
    perform,
    refuse_to_wait,
)
from avickit.errors import AvicError, Deadlock, OverBudget
from avickit.lab.trace import Command, Log, Trace, actor_name
from avickit.silicon.parts import HOST, INTR
from avickit.silicon.run import run_core

if TYPE_CHECKING:
    from avickit.silicon.parts import Core

Script: TypeAlias = Generator[tuple[int, Beats[Any]], Any, Any]
WORLD = -1
"""The actor of what no core does: time, and the user's own hand."""


class Stopped(NamedTuple):
    """A script stopped between two beats: the script, the actor, its beats, and the ask that comes next."""

    script: Script
    actor: int
    beats: Beats[Any]
    ask: Any


class StillStanding(AvicError):
    """A core is asked to do something while it stands between two beats of a command."""


class Engine:
    """Plays scripts on a World and keeps the trace. `stopped` are the scripts that stand between two beats.

    With `fast`, what is not recorded runs in the plain form that `lab.derive` makes of the generators. `budget` is how
    many beats a command may take.
    """

    def __init__(self, world: World, *, record: bool, limit: int, budget: int, fast: bool = False) -> None:
        self.world = world
        self.budget = self.left = budget
        self.full = 0
        self.trace = Trace(world, limit)
        self.recording = record
        self.drive: Callable[[World, Beats[Any]], Any] = drive
        if fast:
            from avickit.lab.derive import run_plain

            self.drive = run_plain
        if world.price is not None:
            self.drive = lambda _, beats: self._unrecorded(beats, None)
        self.stopped: list[Stopped] = []
        self.watch: Callable[[Beats[Any]], Any] | None = None
        """Put around each generator that is recorded, where somebody wants to look at it."""
        self.core_of: dict[int, Core] = {core.signals: core for core in world.objects["cores"]}

    def play(self, command: Command, script: Script) -> Any:
        """Run a script to its end, or to the beat `command.until`. Refused before its first beat, it is forgotten."""
        index = len(self.trace.commands)
        if self.recording:
            self.trace.commands.append(command)
        standing = len(self.stopped)
        try:
            answer = self._go_on(script, None, command.until, first=True)
            if command.until is not None and len(self.stopped) == standing and index < len(self.trace.commands):
                self.trace.commands[index] = command._replace(until=None)
            return answer
        except AvicError:
            if self.recording and len(self.trace) == command.first:
                self.trace.commands.pop()
            raise

    def _go_on(self, script: Script, answer: Any, until: int | None, *, first: bool = False) -> Any:
        standing = len(self.stopped)
        actor = WORLD
        self.begin()
        try:
            actor, beats = next(script) if first else script.send(answer)
            while True:
                self._refuse_held(actor)
                if not self.recording:
                    answer = self.drive(self.world, beats)
                else:
                    watched = self.watch(beats) if self.watch else beats
                    answer = self._record(Stopped(script, actor, watched, None), until)
                    if len(self.stopped) > standing:
                        return None
                actor, beats = script.send(answer)
        except StopIteration as end:
            return end.value
        except OverBudget:
            raise self._over(actor) from None
        finally:
            self._end()

    def _end(self) -> None:
        self.left, self.full, self.world.deadline = self.budget, 0, FOREVER

    def _over(self, actor: int) -> OverBudget:
        return OverBudget(
            f"{actor_name(actor)}: {self.budget} beats, and the machine is not quiet yet: does a handler interrupt "
            "itself? Machine(budget=...) allows more"
        )

    def begin(self) -> None:
        """A new budget: by the clock for a driver, by its length for the log, by number where neither tells."""
        self.left = self.budget
        self.world.deadline = self.world.at[CLOCK] + self.budget
        self.full = len(self.trace.raw.flat) + Log.width * self.budget

    def _refuse_held(self, actor: int) -> None:
        if any(s.actor == actor for s in self.stopped):
            raise StillStanding(f"{actor_name(actor)} stands between two beats of a command: step() or finish() first")

    def _record(self, at: Stopped, until: int | None) -> Any:
        w, flat, memory = self.world, self.trace.raw.flat, self.world.at
        keep, send, actor = flat.extend, at.beats.send, at.actor
        limit = Log.width * (self.trace.limit if until is None else min(until, self.trace.limit))
        end = min(limit, self.full)
        try:
            ask = at.ask or send(None)
            while True:
                if len(flat) >= end:
                    if end < limit:
                        late()
                    if until is not None:
                        self.stopped.append(at._replace(ask=ask))
                        return None
                    self.trace.complete = self.recording = False
                    self.left = (self.full - end) // Log.width
                    return self._unrecorded(at.beats, ask)
                site, place, _, do = ask
                if (do is LOCK or do is WAIT) and blocked(w, ask):
                    raise Deadlock(
                        f"{name_of(w, place)}: {actor_name(actor)} waits for what only a stopped core can give"
                    )
                old = perform(w, ask)
                keep((site, place, old, memory[place], memory[CLOCK], actor))
                ask = send(old)
        except StopIteration as done:
            return done.value

    def _unrecorded(self, beats: Beats[Any], ask: Any) -> Any:
        """Beat by beat, without a log, until the beats end: under a price list, and past the recording limit."""
        try:
            ask = ask or beats.send(None)
            while True:
                if not self.left:
                    late()
                self.left -= 1
                refuse_to_wait(self.world, ask)
                ask = beats.send(perform(self.world, ask))
        except StopIteration as done:
            return done.value

    def resume(self, beats: int | None = None) -> Any:
        """Let the script that stopped last go on: for so many beats, or to its end."""
        if not self.stopped:
            raise AvicError("nothing stands between two beats: fork(n) stops inside a command")
        at = self.stopped.pop()
        standing = len(self.stopped)
        until = None if beats is None else len(self.trace) + beats
        self.begin()
        try:
            answer = self._record(at, until)
        except OverBudget:
            raise self._over(at.actor) from None
        finally:
            self._end()
        return None if len(self.stopped) > standing else self._go_on(at.script, answer, until)

    def settle(self) -> Iterator[tuple[int, Beats[Any]]]:
        """Cores that have been signalled, in core order, until all is quiet; those that stand wait for their turn.

        A core that idles with an interrupt pending has given way, to look again after the others (see
        `svm.do_tasklet`); where it waits for one that stands, it is left to look when that one has gone on.
        """
        w = self.world
        while ready := [place for place in w.signalled if not self._held(place)]:
            w.signalled[:] = [place for place in w.signalled if self._held(place)]
            turn = sorted({self.core_of[place].index for place in ready})
            waiting = INTR
            for index in turn:
                core = w.objects["cores"][index]
                yield index, run_core(w, core)
                waiting &= w.at[core.signals] if w.at[core.mode] == HOST else 0
            if waiting and all(self.core_of[place].index in turn or self._held(place) for place in w.signalled):
                if not self.stopped:
                    raise Deadlock(f"{actor_name(turn[0])} waits for a vCPU that does not leave its core")
                return

    def _held(self, place: int) -> bool:
        return bool(self.stopped) and any(s.actor == self.core_of[place].index for s in self.stopped)

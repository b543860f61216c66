"""Running commands: who does what, recorded or not, to the end or to a chosen beat.

A command is a script: a generator of (actor, beats). Stopped at a beat, the whole script stays where it is: a fork
inside an algorithm can act on other cores, then go on. Does not model: beats of several actors interleaved (explorer).
"""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from avickit.beat import CLOCK, LOCK, WAIT, Beats, World, blocked, drive, name_of, perform, refuse_to_wait
from avickit.errors import AvicError, Deadlock
from avickit.lab.trace import Command, Log, Trace, actor_name
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

    With `fast`, what is not recorded runs in the plain form that `lab.derive` makes of the generators.
    """

    def __init__(self, world: World, *, record: bool, limit: int, fast: bool = False) -> None:
        self.world = world
        self.trace = Trace(world, limit)
        self.recording = record
        self.drive: Callable[[World, Beats[Any]], Any] = drive
        if fast:
            from avickit.lab.derive import run_plain

            self.drive = run_plain
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

    def _refuse_held(self, actor: int) -> None:
        if any(s.actor == actor for s in self.stopped):
            raise StillStanding(f"{actor_name(actor)} stands between two beats of a command: step() or finish() first")

    def _record(self, at: Stopped, until: int | None) -> Any:
        w, flat, memory = self.world, self.trace.raw.flat, self.world.at
        keep, send, actor = flat.extend, at.beats.send, at.actor
        end = Log.width * (self.trace.limit if until is None else min(until, self.trace.limit))
        try:
            ask = at.ask or send(None)
            while True:
                if len(flat) >= end:
                    if until is not None:
                        self.stopped.append(at._replace(ask=ask))
                        return None
                    self.trace.complete = self.recording = False
                    self._unrecorded(at.beats, ask)
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

    def _unrecorded(self, beats: Beats[Any], ask: Any) -> None:
        """What follows when the recording limit is reached: the same, without a log, until the beats end."""
        while True:
            refuse_to_wait(self.world, ask)
            ask = beats.send(perform(self.world, ask))

    def resume(self, beats: int | None = None) -> Any:
        """Let the script that stopped last go on: for so many beats, or to its end."""
        if not self.stopped:
            raise AvicError("nothing stands between two beats: fork(n) stops inside a command")
        at = self.stopped.pop()
        standing = len(self.stopped)
        until = None if beats is None else len(self.trace) + beats
        answer = self._record(at, until)
        return None if len(self.stopped) > standing else self._go_on(at.script, answer, until)

    def settle(self) -> Iterator[tuple[int, Beats[Any]]]:
        """Cores that have been signalled, in core order, until all is quiet; those that stand wait for their turn."""
        w = self.world
        while ready := [place for place in w.signalled if not self._held(place)]:
            w.signalled[:] = [place for place in w.signalled if self._held(place)]
            for index in sorted({self.core_of[place].index for place in ready}):
                yield index, run_core(w, w.objects["cores"][index])

    def _held(self, place: int) -> bool:
        return bool(self.stopped) and any(s.actor == self.core_of[place].index for s in self.stopped)

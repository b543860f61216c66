"""Running commands: who does what, recorded or not, to the end or to a chosen beat.

A command is a script: a generator of (actor, beats). Stopped at a beat, the whole script stays where it is, so a fork
inside an algorithm can go on later. Does not model: several actors at once (the explorer's matter).
"""

from collections.abc import Generator, Iterator
from typing import Any, TypeAlias

from avickit.beat import CLOCK, LOCK, WAIT, Beats, World, blocked, drive, name_of, perform
from avickit.errors import AvicError, Deadlock
from avickit.lab.trace import Command, Log, Trace
from avickit.silicon.parts import Core
from avickit.silicon.run import run_core

Script: TypeAlias = Generator[tuple[int, Beats[Any]], Any, Any]
WORLD = -1
"""The actor of what no core does: time, and the user's own hand."""


class Stopped:
    """A script stopped between two beats: the script, the actor, its beats, and the ask that comes next."""

    def __init__(self, script: Script, actor: int, beats: Beats[Any], ask: Any) -> None:
        self.script, self.actor, self.beats, self.ask = script, actor, beats, ask


class Engine:
    """Plays scripts on a World and keeps the trace. `stopped` is set while a script stands between two beats."""

    def __init__(self, world: World, *, record: bool, limit: int) -> None:
        self.world = world
        self.trace = Trace(world, limit)
        self.recording = record
        self.stopped: Stopped | None = None
        self.stop_at: int | None = None
        self.core_of = {core.signals: core for core in world.objects["cores"]}

    def play(self, command: Command, script: Script) -> Any:
        """Run a script to its end, or to `stop_at`."""
        if self.recording:
            self.trace.commands.append(command)
        return self._go_on(script, None, first=True)

    def _go_on(self, script: Script, answer: Any, *, first: bool = False) -> Any:
        try:
            actor, beats = next(script) if first else script.send(answer)
            while True:
                if not self.recording:
                    answer = drive(self.world, beats)
                else:
                    answer = self._record(script, actor, beats, None)
                    if self.stopped:
                        return None
                actor, beats = script.send(answer)
        except StopIteration as end:
            return end.value

    def _record(self, script: Script, actor: int, beats: Beats[Any], ask: Any) -> Any:
        w, flat, at = self.world, self.trace.raw.flat, self.world.at
        keep, send = flat.extend, beats.send
        limit = self.trace.limit
        end = Log.width * (limit if self.stop_at is None else min(self.stop_at, limit))
        try:
            ask = ask or send(None)
            while True:
                if len(flat) >= end:
                    if self.stop_at is not None:
                        self.stopped = Stopped(script, actor, beats, ask)
                        return None
                    self.trace.complete = self.recording = False
                    return self._unrecorded(beats, ask)
                site, place, _, do = ask
                if (do is LOCK or do is WAIT) and blocked(w, ask):
                    raise Deadlock(f"{name_of(w, place)}: waits for what nobody else can give")
                old = perform(w, ask)
                keep((site, place, old, at[place], at[CLOCK], actor))
                ask = send(old)
        except StopIteration as done:
            return done.value

    def _unrecorded(self, beats: Beats[Any], ask: Any) -> Any:
        """What follows when the recording limit is reached: the same, without a log."""
        while True:
            ask = beats.send(perform(self.world, ask))

    def resume(self, beats: int | None = None) -> Any:
        """Let a stopped script go on: for so many beats, or to its end."""
        if self.stopped is None:
            raise AvicError("nothing is stopped between two beats: fork(n) stops inside a command")
        at, self.stopped = self.stopped, None
        self.stop_at = None if beats is None else len(self.trace) + beats
        answer = self._record(at.script, at.actor, at.beats, at.ask)
        return None if self.stopped else self._go_on(at.script, answer)

    def settle(self) -> Iterator[tuple[int, Beats[Any]]]:
        """Cores that have been signalled, in core order, until all is quiet."""
        w = self.world
        while w.signalled:
            ringing = sorted({self.core_of[place].index for place in w.signalled})
            w.signalled.clear()
            for index in ringing:
                core: Core = w.objects["cores"][index]
                if self.stopped is None or self.stopped.actor != index:
                    yield index, run_core(w, core)

"""What if somebody had acted between two beats: a fork of the machine, the act, and the rest of the program.

    what_if(m, 17, "deschedule", "d1v1", "at once")

The machine itself stays as it is. Does not model: the time that the act itself would take.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab import told
from avickit.lab.acts import do
from avickit.lab.engine import StillStanding

if TYPE_CHECKING:
    from avickit.lab.machine import Machine
    from avickit.lab.trace import Command


class WhatIf(NamedTuple):
    """The fork, what was done in it, and why the rest of the program went no further ("" if it did)."""

    machine: "Machine"
    name: str
    note: str


def what_if(m: "Machine", beat: int, act: str, *given: Any, last: int | None = None) -> WhatIf:
    """Fork after `beat`, also inside an instruction, do an act of `lab.acts`, let the rest of the program follow.

    The rest is the command that stood there, then the later ones that begin before beat `last`. Raises AvicError for
    an impossible act, before which nothing has changed for anybody.
    """
    fork = m.fork(beat)
    done, beats = len(fork.trace.commands), len(fork.trace)
    try:
        do(fork, act, *given)
    except StillStanding as error:
        who = str(error).partition(" stands")[0]
        raise AvicError(f"what if at beat {beat}: {act}: {who} is in the middle of {busy(fork)}") from error
    except AvicError as error:
        raise AvicError(f"what if at beat {beat}: {error}") from error
    words = "; ".join(told.tell(fork.world, command) for command in fork.trace.commands[done:])
    name = f"what if at beat {beat}: {words}"
    if len(fork.trace) == beats:
        raise AvicError(f"{name}: nothing comes of it")
    return WhatIf(fork, name, go_on(m, fork, beat, len(m.trace) if last is None else last))


def busy(fork: "Machine") -> str:
    """The command that stands between two beats, in words."""
    command = next(c for c in reversed(fork.trace.commands) if c.until is not None)
    return told.tell(fork.world, command)


def go_on(m: "Machine", fork: "Machine", beat: int, last: int) -> str:
    """Let the fork do what its original did after a beat; answers with why it stopped early, if it did."""
    try:
        while fork.engine.stopped:
            fork.finish()
    except AvicError as error:
        return f"the command that stood there cannot go on: {error}"
    for command in rest(m, beat):
        if command.first >= last:
            break
        try:
            fork.command(command.name, *command.args)
        except AvicError as error:
            return f"then {told.tell(fork.world, command)}: {error}"
    return ""


def rest(m: "Machine", beat: int) -> "list[Command]":
    """The commands that begin after a beat. What once stopped inside a command has ended before them."""
    ended = beat == len(m.trace)
    return [c for c in m.trace.commands if c.first >= beat and not ended and c.name != "resume"]

"""Where in the source each beat comes from: the step that asked for it, its line, and who called it.

A beat is an ask of a generator, so a replay that looks at the generators finds them; nothing is kept while a machine
runs. Does not model: source that is not at hand (a machine loaded from a trace has its commands, so it has these too).
"""

from collections.abc import Generator
from functools import cache
from inspect import getsourcelines
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from avickit import series
from avickit.beat import Beats
from avickit.lab.explore.replay import Player

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

PLAYED = Player.do.__code__
"""Where a race is played, threads' asks are done for them."""
PARTIES = {"silicon": "hardware", "xen": "Xen", "lab": "the lab"}


class Spot(NamedTuple):
    """The place of a beat: the step's code, the line of its `yield`, and the steps that called it, outermost first."""

    code: CodeType
    line: int
    callers: tuple[CodeType, ...]


def awaited(beats: Any) -> Any:
    """What a suspended generator waits for: another one, or the thread whose ask a player does; None if it asks."""
    if isinstance(beats.gi_yieldfrom, Generator):
        return beats.gi_yieldfrom
    if beats.gi_code is not PLAYED:
        return None
    local = beats.gi_frame.f_locals
    return local["self"].beats[local["thread"]]


class Step(NamedTuple):
    """A step in the source: file within the package, name, the party or patch it belongs to, its lines, their first."""

    file: str
    name: str
    party: str
    first: int
    lines: tuple[str, ...]


class Watched:
    """A generator of beats that notes where each of them stands. `spots` grows by a spot for each beat performed."""

    def __init__(self, beats: Beats[Any], spots: list[Spot]) -> None:
        self.beats, self.spots = beats, spots
        self.spot: Spot | None = None

    def send(self, answer: Any) -> Any:
        """As a generator's own: the answer to a beat says that it has been performed."""
        if self.spot is not None:
            self.spots.append(self.spot)
            self.spot = None
        ask = self.beats.send(answer)
        self.spot = spot_of(self.beats)
        return ask


def spot_of(beats: Any) -> Spot:
    """Where a suspended generator stands: in the innermost of those that it waits for."""
    callers, at = [], beats
    while (further := awaited(at)) is not None:
        callers.append(at.gi_code)
        at = further
    return Spot(at.gi_code, at.gi_frame.f_lineno, tuple(callers))


def spots(machine: "Machine", last: int) -> list[Spot]:
    """The spots of beats 1 to `last`, by a replay. Raises AvicError as `Machine.fork` does."""
    found: list[Spot] = []

    def watch(beats: Beats[Any]) -> Any:
        return Watched(beats, found)

    machine.fork(last, watch=watch)
    return found


@cache
def step(code: CodeType) -> Step:
    """The step of a piece of code. Without its source (it was typed elsewhere, or is not at hand) it has no lines."""
    package = code.co_filename.replace("\\", "/").rpartition("/avickit/")
    file = f"avickit/{package[2]}" if package[1] else ""
    try:
        lines, first = getsourcelines(code)
    except (OSError, TypeError):
        lines, first = [], code.co_firstlineno
    return Step(file, code.co_qualname, party(file), first, tuple(line.rstrip("\n") for line in lines))


def party(file: str) -> str:
    """Whose step it is: the hardware's, Xen's, or that of a patch with its title."""
    parts = file.split("/")
    if len(parts) < 3:
        return "the notebook" if not file else PARTIES.get(parts[-1], "")
    if parts[1] != "series":
        return PARTIES.get(parts[1], parts[1])
    found = [n for n, patch in enumerate(series.PATCHES, 1) if patch.__name__.endswith(parts[2].removesuffix(".py"))]
    number = found[0] if found else 5 if parts[2] == "logical_table.py" else 0
    return f"patch {number}: {series.title(number)}" if number else "the series"

"""A counterexample as text: a column for each actor, a line for each beat that others can notice, the race marked.

A store that goes into its core's store buffer has a line, too: nobody notices it yet, and that is what the reader has
to see. Does not model: other beats at places of an actor's own; the trace has those.
"""

from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from avickit.lab.explore.replay import HOLD
from avickit.lab.explore.state import NOWHERE, Step

if TYPE_CHECKING:
    from avickit.lab.explore.result import Exploration

WIDTH = 46
MARK = ">"


class Line(NamedTuple):
    """A beat of the diagram: its number, the column of who acts, what is said, its rule, whether it races."""

    n: int
    column: int
    says: str
    rule: str
    races: bool


def diagram(result: "Exploration", width: int = WIDTH) -> str:
    """The counterexample's beats that matter to others, one column an actor; `>` marks the two that race."""
    heads = [head[:width].ljust(width) for head in titles(result)]
    lines = ["   beat  " + "  ".join(heads).rstrip(), "   " + "-" * (6 + (width + 2) * len(heads))]
    for line in told(result):
        mark, indent = MARK if line.races else " ", " " * ((width + 2) * line.column)
        for row, part in enumerate(wrap(f"{line.says} [{line.rule}]", width - 2)):
            shown = f"{line.n:>5}" if not row else " " * 5
            lines.append(f" {mark} {shown}  {indent}{part}".rstrip())
    return "\n".join(lines)


def titles(result: "Exploration") -> list[str]:
    """Who acts, in the order of the columns."""
    return [title(thread.name, thread.actor) for thread in (result.race.threads[i] for i in acting(result))]


def told(result: "Exploration") -> list[Line]:
    """The lines, in their order."""
    columns, count = acting(result), len(result.race.threads)
    found = []
    for index, step in enumerate(result.shortest.path):
        column = columns.index(step.process % count)
        for n in lines_of(result, index, step):
            says = said(result, n, drained=step.process >= count)
            found.append(Line(n, column, says, result.trace[n].rule, n in (result.racing or ())))
    return found


def acting(result: "Exploration") -> list[int]:
    """The threads that do anything."""
    return sorted({step.process % len(result.race.threads) for step in result.shortest.path})


def lines_of(result: "Exploration", index: int, step: Step) -> list[int]:
    """The beats of a step that have a line: its first if others can notice it, and each store that begins to wait."""
    first = result.beat_of(index)
    if step.process >= len(result.race.threads):
        return [first]
    seen = [first] if step.write != NOWHERE or step.reads else []
    held = [n for n in range(first, first + step.beats) if result.trace.raw[n - 1][0] is HOLD]
    return sorted({*seen, *held})


def title(name: str, actor: int) -> str:
    """An actor's name, and its core where the name does not say it."""
    return name if actor < 0 or name == f"core {actor}" else f"{name} (core {actor})"


def said(result: "Exploration", n: int, *, drained: bool) -> str:
    """What a beat does, and where."""
    beat = result.trace[n]
    where = "" if beat.place in beat.say else f"{beat.place}: "
    return f"{where}{beat.say}{' (out of the store buffer)' if drained else ''}"

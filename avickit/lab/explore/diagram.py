"""A counterexample as text: a column for each actor, a line for each beat that others can notice, the race marked.

A store that goes into its core's store buffer has a line, too: nobody notices it yet, and that is what the reader has
to see. Does not model: other beats at places of an actor's own; the trace has those.
"""

from textwrap import wrap
from typing import TYPE_CHECKING

from avickit.lab.explore.replay import HOLD
from avickit.lab.explore.state import NOWHERE, Step

if TYPE_CHECKING:
    from avickit.lab.explore.result import Exploration

WIDTH = 46
MARK = ">"


def diagram(result: "Exploration", width: int = WIDTH) -> str:
    """The counterexample's beats that matter to others, one column an actor; `>` marks the two that race."""
    path, threads = result.shortest.path, result.race.threads
    count = len(threads)
    acting = sorted({step.process % count for step in path})
    racing = result.racing or (0, 0)
    head = [title(threads[i].name, threads[i].actor)[:width].ljust(width) for i in acting]
    lines = ["   beat  " + "  ".join(head).rstrip(), "   " + "-" * (6 + (width + 2) * len(acting))]
    for index, step in enumerate(path):
        column = acting.index(step.process % count)
        for n in lines_of(result, index, step):
            text = said(result, n, drained=step.process >= count)
            mark = MARK if n in racing else " "
            for row, part in enumerate(wrap(text, width - 2)):
                shown = f"{n:>5}" if not row else " " * 5
                lines.append(f" {mark} {shown}  {' ' * ((width + 2) * column)}{part}".rstrip())
    return "\n".join(lines)


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
    return f"{where}{beat.say}{' (out of the store buffer)' if drained else ''} [{beat.rule}]"

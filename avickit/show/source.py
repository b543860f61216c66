"""The source of a beat: the step that asked for it, folded, with the line of the beat marked.

The shape is made of pieces, so that the browser can put another line's together. No line numbers: a stored form would
change with every edit above the step. Does not model: where a beat comes from (`lab.sources`).
"""

from textwrap import dedent
from typing import Any, Final

from avickit.lab.sources import Spot, Step, step
from avickit.show.tags import text

MOST_LINES: Final = 32
"""So many lines of a step are shown; of a longer one those around the beat's."""
LEAD: Final = "font:12px sans-serif"
CODE: Final = "font:12px monospace;margin:2px 0;overflow:auto"
SEPARATOR: Final = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"


def source_html(spot: Spot) -> str:
    """The source of a beat."""
    found = step(spot.code)
    return put(pieces(found), lines(found), via(spot), spot.line - found.first)


def source_text(spot: Spot) -> str:
    """The same in a line: file, step, party."""
    found = step(spot.code)
    return f"from {found.file or 'no file of the kit'}: {found.name} ({found.party})"


def pieces(found: Step) -> list[str]:
    """What stands before the callers, between them and the lines, and behind."""
    where = text(f"{found.file}: " if found.file else "")
    summary = (
        f'<details><summary style="{LEAD}">source: {where}<b>{text(found.name)}</b>, {text(found.party)}</summary>'
    )
    return [f"{summary}<small>", f'</small><pre style="{CODE}">', "</pre></details>"]


def lines(found: Step) -> list[str]:
    """The lines, without what all of them are indented by."""
    return [text(line) for line in dedent("\n".join(found.lines)).split("\n")]


def via(spot: Spot) -> str:
    """Who called the step: `called by run_core, run_guest`, outermost first."""
    names = [code.co_qualname for code in spot.callers]
    return f"called by {text(f' {SEPARATOR} '.join(names))}" if names else "called by nobody: it is a command's own"


def put(shape: list[str], code: list[str], called: str, at: int) -> str:
    """The pieces put together; `at` counts from the step's first line."""
    first = min(max(at - MOST_LINES // 2, 0), max(len(code) - MOST_LINES, 0))
    marked = [f"<mark>&gt; {line}</mark>" if n == at else f"  {line}" for n, line in enumerate(code)]
    return shape[0] + called + shape[1] + "\n".join(marked[first : first + MOST_LINES]) + shape[2]


def sources(spots: list[Spot]) -> dict[str, Any]:
    """The sources of some beats as data.

    `steps` have shape and lines; for each beat `spots` has the step, the line counted from its first, and the call.
    """
    steps: dict[Any, int] = {}
    calls: dict[str, int] = {}
    numbers = []
    for spot in spots:
        found = steps.setdefault(spot.code, len(steps))
        numbers.append([found, spot.line - step(spot.code).first, calls.setdefault(via(spot), len(calls))])
    told = [{"shape": pieces(step(code)), "lines": lines(step(code))} for code in steps]
    return {"steps": told, "calls": list(calls), "spots": numbers, "most": MOST_LINES}

"""A comparison as plain text.

Does not model: what is compared (`comparison`).
"""

from collections.abc import Sequence

from avickit.lab.trace import Trace
from avickit.show.comparison import MEASURES, MOST_LINES, NOTHING, Comparison, Line

NUMBER = 6
"""The least width of a number."""
STEP = 34
"""The width of a step's name; a longer one goes on in a line of its own."""


def compare_text(c: Comparison) -> str:
    """The verdict, how the first difference begins, a line for each step, the sums."""
    return "\n".join([f"{c.names[0]} | {c.names[1]}", c.verdict(), *begins(c), "", *step_lines(c)])


def begins(c: Comparison) -> list[str]:
    """What came of the first step that differs, and the first beat that differs, on each side."""
    if c.first is None:
        return []
    width = max(map(len, c.names))
    came = [f"  {name:<{width}}  {what}" for name, what in zip(c.names, c.line(c.first).came, strict=True)]
    traces = zip(c.names, (c.left, c.right), c.first_beats, strict=True)
    beats = [f"  {name:<{width}}  {beat_line(trace, n)}" for name, trace, n in traces]
    return [*came, "It begins with", *beats]


def beat_line(trace: Trace, n: int | None) -> str:
    """One beat in one line."""
    if n is None:
        return NOTHING
    beat = trace[n]
    return f"beat {n}, {beat.actor} {beat.kind}: {beat.say}  [{beat.rule}]"


def step_lines(c: Comparison) -> list[str]:
    """The table of steps."""
    widths = [max(NUMBER, len(name)) for name in c.names]
    pair_width = sum(widths) + 2
    heads = "  ".join(f"{measure:^{pair_width}}" for measure in MEASURES)
    names = "  ".join(f"{name:>{w}}" for _ in MEASURES for name, w in zip(c.names, widths, strict=True))
    lines = c.lines()
    shown = [line for one in lines[:MOST_LINES] for line in row(one, widths)]
    left = [f"       {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    codes = [
        f"{'':7}{name:<{STEP}}  {a:>{widths[0]}}  {b:>{widths[1]}}  {meaning}".rstrip()
        for name, meaning, a, b in c.by_code()
    ]
    indent = " " * (7 + STEP)
    top = [f"{indent}  {heads}".rstrip(), f"{'  step':<{7 + STEP}}  {names}"]
    return [*top, *shown, *left, *row(c.total(), widths), *codes]


def row(line: Line, widths: Sequence[int]) -> list[str]:
    """A step: its name and its numbers; `>` marks the first that differs."""
    numbers = "  ".join(f"{n:>{w}}" for both in line.counts for n, w in zip(both, widths, strict=True))
    mark = ">" if line.first else " "
    name = line.text if len(line.text) <= STEP else line.text[: STEP - 3] + "..."
    return [f"{mark} {line.lead:<5}{name:<{STEP}}  {numbers}"]

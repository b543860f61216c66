"""A comparison as static HTML: the verdict, how the first difference begins, a table of steps, the exits by kind.

Does not model: what is compared (`comparison`).
"""

from collections.abc import Sequence

from avickit.lab.aligned import Pair
from avickit.lab.trace import Trace
from avickit.show import palette
from avickit.show.beats import beat_html
from avickit.show.comparison import MEASURES, MOST_LINES, NOTHING, Comparison, Line, came_of
from avickit.show.tags import box, element, fold, head, panel, row, text

NAME_HUES = ("sky blue", "orange")
"""What the two sides are washed with; their names say it, too."""
BIG = "font-size:16px;margin:2px 4px"
CAME = f"padding:2px 6px;text-align:left;font:12px sans-serif;border-left:1px solid {palette.grey(0.5)}"
LEAD = "padding:0 4px;white-space:nowrap;text-align:right"
NUMBER = "padding:0 6px;text-align:right"
EDGE = f"{NUMBER};border-left:1px solid {palette.grey(0.5)}"
TWO = "display:grid;grid-template-columns:repeat(2,1fr);gap:6px"


def compare_html(c: Comparison) -> str:
    """All of it."""
    return panel(verdict(c) + element("div", begins(c), TWO) + steps(c) + quiet(c))


def verdict(c: Comparison) -> str:
    """The comparison in one sentence."""
    return element("div", element("b", text(c.verdict())), BIG)


def begins(c: Comparison) -> str:
    """The two sides of the first step that differs: what came of it, and the beat with which it begins."""
    if c.first is None:
        return ""
    beats = zip((c.left, c.right), c.first_beats, strict=True)
    return "".join(one_side(c, which, c.first, beat_of(trace, n)) for which, (trace, n) in enumerate(beats))


def beat_of(trace: Trace, n: int | None) -> str:
    """A beat, or that a side has none."""
    return panel(text(NOTHING)) if n is None else beat_html(trace[n])


def one_side(c: Comparison, which: int, pair: Pair, beat: str) -> str:
    """One side of a step: its name, what came of the step, a beat."""
    came = came_of((pair.left, pair.right)[which])
    lead = element("div", f"{named(c.names[which], NAME_HUES[which])} {text(came)}", "margin:2px 4px")
    return element("div", f"{lead}{beat}")


def named(name: str, hue: str) -> str:
    """The name of a side."""
    return element("b", text(name), f"padding:0 5px;background:{palette.wash(hue)}")


def steps(c: Comparison) -> str:
    """The table of steps."""
    lines = c.lines()
    rows = [step(line) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        rows.append(row([box("td", text(f"{len(lines) - MOST_LINES} more lines"), left=True, colspan=10)]))
    rows.append(step(c.total()))
    for name, meaning, a, b in c.by_code():
        numbers = both(a, b, marked=a != b)
        what = box("td", element("small", text(meaning)), left=True, colspan=6)
        rows.append(row([box("td", ""), head(name, "row"), *numbers, what]))
    return headed(c, rows)


def headed(c: Comparison, rows: Sequence[str]) -> str:
    """A table of steps below its two rows of heads."""
    top = row(
        [
            head("", colspan=2),
            *(head(m, "colgroup", colspan=2) for m in MEASURES),
            head("what came of it", "colgroup", colspan=2),
        ]
    )
    names = [head(name, hue=hue) for _ in range(4) for name, hue in zip(c.names, NAME_HUES, strict=True)]
    lead = element("thead", top + row([head("step", colspan=2), *names]))
    return element(
        "table", lead + element("tbody", "".join(rows)), "font:12px monospace;border-collapse:collapse;margin:4px 0"
    )


def step(line: Line) -> str:
    """A line of the table."""
    numbers = []
    for measure, (a, b) in zip(MEASURES, line.counts, strict=True):
        marked = a != b and measure != "beats"
        numbers += both(a, b, marked=marked)
    mark = f"> {line.lead}" if line.first else line.lead
    return row(
        [element("td", text(mark), LEAD), head(line.text, "row"), *numbers, *came(line)],
        palette.CHANGED if line.first else "",
    )


def both(a: int, b: int, *, marked: bool) -> list[str]:
    """The two sides' numbers."""
    shown = [element("mark", text(n)) if marked else text(n) for n in (a, b)]
    return [element("td", n, style) for n, style in zip(shown, (EDGE, NUMBER), strict=True)]


def came(line: Line) -> list[str]:
    """What came of a step: once, if both sides agree."""
    one, other = line.came
    if one == other:
        return [element("td", text(one), CAME, colspan=2)]
    return [element("td", text(what), CAME) for what in line.came]


def quiet(c: Comparison) -> str:
    """The steps that are folded, on request."""
    lines = c.quiet()
    if not lines:
        return ""
    left = (
        [row([box("td", text(f"{len(lines) - MOST_LINES} more"), left=True, colspan=10)])]
        if len(lines) > MOST_LINES
        else []
    )
    return fold(f"the {len(lines)} steps that are alike", headed(c, [*map(step, lines[:MOST_LINES]), *left]))

"""A comparison as static HTML: the verdict, how the first difference begins, a table of steps, the exits by kind.

Does not model: what is compared (`comparison`).
"""

from collections.abc import Sequence

from avickit.lab.trace import Trace
from avickit.show import palette
from avickit.show.beats import beat_html
from avickit.show.comparison import MEASURES, MOST_LINES, Comparison, Line
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
    return panel(element("div", element("b", text(c.verdict())), BIG) + begins(c) + steps(c) + quiet(c))


def begins(c: Comparison) -> str:
    """The two sides of the first step that differs: what came of it, and the beat with which it begins."""
    if c.first is None:
        return ""
    sides = zip(c.names, (c.left, c.right), c.line(c.first).came, c.first_beats, NAME_HUES, strict=True)
    return element("div", "".join(one_side(*side) for side in sides), TWO)


def one_side(name: str, trace: Trace, came: str, n: int | None, hue: str) -> str:
    """One side of the first difference."""
    lead = element("div", named(name, hue) + " " + text(came), "margin:2px 4px")
    beat = beat_html(trace[n]) if n is not None else panel(text("no further beat in this step"))
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

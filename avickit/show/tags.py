"""The few HTML elements that the static forms are made of. All text is escaped here, and nowhere else.

What belongs to which place of a page is written in `data-at`, `data-bits` and `data-bit`, for the live form; `plain`
takes these out for the static one. Else only what JupyterLab leaves of a notebook that is not trusted: no style sheets,
scripts, svg, aria, ids or variables. Does not model: pages and beats (see `as_html`, `beats`).
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from avickit.show import palette

MOST_ONES = 14
FIELDS = re.compile(r'<span data-bit="[^"]*">([^<]*)</span>')
HOOKS = re.compile(r' data-(?:at|bits?)="[^"]*"')
ONES = re.compile("1+")
PAD = "padding:0 4px"
TABLE = "font:12px monospace;border-collapse:collapse;margin:2px 0"
SMALL = "font:11px monospace;border-collapse:collapse;margin:2px 0"
PROSE = "font:13px sans-serif;border-collapse:collapse;margin:2px 0"
NOWRAP = "white-space:nowrap"
CAPTION = "padding:2px 4px;text-align:left;font:12px sans-serif"
PANEL = f"border:1px solid {palette.grey(0.5)};border-radius:4px;padding:4px;margin:2px;overflow:auto;line-height:1.35"


def element(tag: str, inner: str, style: str = "", **attributes: object) -> str:
    """An element around HTML; attribute values are escaped, empty ones left out."""
    given = {"style": style, **attributes}
    names = {name: name.replace("_", "-") for name in given}
    text = "".join(f' {names[n]}="{escape(str(value))}"' for n, value in given.items() if value not in ("", None))
    return f"<{tag}{text}>{inner}</{tag}>"


def plain(html: str) -> str:
    """HTML without what only the live form needs."""
    return HOOKS.sub("", FIELDS.sub(r"\1", html))


def text(value: object) -> str:
    """Anything as text."""
    return escape(str(value))


def cell(value: object, hue: str = "", *, left: bool = False, right: bool = False, title: str = "") -> str:
    """A cell of data that is text."""
    return box("td", text(value), hue, left=left, right=right, title=title)


def box(tag: str, inner: str, hue: str = "", *, left: bool = False, right: bool = False, **attributes: object) -> str:
    """A cell around HTML; where front ends differ in the side that they put text on, say which."""
    side = ";text-align:left" if left else ";text-align:right" if right else ""
    return element(tag, inner, PAD + side + ground(hue), **attributes)


def ground(hue: str) -> str:
    """The end of a style that paints a background."""
    return f";background:{palette.wash(hue)}" if hue else ""


def head(value: object, scope: str = "col", title: str = "", hue: str = "", **attributes: int | str) -> str:
    """A cell that names its column or row."""
    given: dict[str, object] = {"scope": scope, "title": title, **attributes}
    return element("th", text(value), PAD + ";text-align:left" + ground(hue), **given)


def row(cells: Iterable[str], hue: str = "", at: str = "") -> str:
    """A row of a table; the hue comes with a mark character in one of the cells. `at` is the place it shows."""
    return element("tr", "".join(cells), f"background:{palette.wash(hue)}" if hue else "", data_at=at)


def table(
    caption: str, columns: Sequence[str], rows: Iterable[str], *, small: bool = False, prose: bool = False
) -> str:
    """A table; caption, columns and rows are HTML already. `prose`: of sentences rather than of values."""
    parts = [element("caption", caption, CAPTION)] if caption else []
    if columns:
        parts.append(element("thead", row(columns)))
    look = PROSE if prose else SMALL if small else TABLE
    return element("table", "".join([*parts, element("tbody", "".join(rows))]), look)


def runs(pieces: Iterable[tuple[str, bool]], most: int = 6) -> str:
    """Text in pieces, the changed ones marked; if they are more than `most`, as one from the first to the last."""
    found = list(pieces)
    hot = [i for i, (_, changed) in enumerate(found) if changed]
    if len(hot) > most:
        first, last = hot[0], hot[-1] + 1
        found = [*found[:first], ("".join(t for t, _ in found[first:last]), True), *found[last:]]
    return "".join(f"<mark>{escape(t)}</mark>" if changed else escape(t) for t, changed in found)


def lit(bits: str) -> str:
    """Bits that are set, in bold; not where they come in very many runs, which would be large."""
    return bits if len(ONES.findall(bits)) > MOST_ONES else ONES.sub(r"<b>\g<0></b>", bits)


def panel(inner: str) -> str:
    """Something with a frame around it, which stands beside others of its kind."""
    return element("div", inner, PANEL)


def beside(panels: Iterable[str]) -> str:
    """Panels side by side, as many as fit."""
    return element("div", "".join(panels), "display:flex;flex-wrap:wrap;gap:4px")


def fold(summary: str, inner: str, *, opened: bool = False) -> str:
    """Something that is shown on request."""
    lead = element("summary", text(summary), "font:12px sans-serif")
    return f"<details{' open' if opened else ''}>{lead}{inner}</details>"

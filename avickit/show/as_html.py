"""Sheets as static HTML: a table of registers by bit, grids of vectors, tables of entries; quiet groups are folded.

Does not model: what is on a sheet (`model`), how it comes there (`apic`, `tables`, `vmcb`).
"""

from collections.abc import Iterable
from itertools import groupby

from avickit.show import palette
from avickit.show.as_text import told, vectors_text, word_bits
from avickit.show.model import Group, Part, Row, Sheet, cut, digits, vector
from avickit.show.tags import beside, box, cell, element, fold, head, panel, row, runs, table, text

HUE = {"*": palette.CHANGED, ">": palette.LOOKED_AT, " ": ""}
ACROSS = "+0   +4   +8   +C   +10  +14  +18  +1C "


def sheet_html(sheet: Sheet, *, narrow: bool = False) -> str:
    """The sheet. `narrow` leaves out what a reader of a stepper can do without: folded groups, quiet fields."""
    told_groups = [group for group in sheet.groups if not group.folded]
    parts = []
    for shape, groups in groupby(told_groups, key=lambda group: group.shape):
        if shape == "vectors":
            parts.append(beside(grid(r) for group in groups for r in group.rows))
        elif shape == "entries":
            parts += [(upright if narrow else entries)(group) for group in groups]
        else:
            parts.append(registers(list(groups), narrow))
    title = element("b", text(sheet.title)) + (f" {element('small', text(sheet.note))}" if sheet.note else "")
    return panel(title + "".join(parts) + ("" if narrow else folded(sheet.groups)))


def folded(groups: Iterable[Group]) -> str:
    """The quiet groups: one line, and their rows on request."""
    quiet = [group for group in groups if group.folded]
    if not quiet:
        return ""
    inner = "".join(registers([g], narrow=True) for g in quiet if g.rows and g.shape != "vectors")
    return fold("folded: " + "; ".join(f"{g.title} ({g.summary})" for g in quiet), inner)


def registers(groups: list[Group], narrow: bool) -> str:
    """Groups of registers or words in one table."""
    bits = groups[0].shape == "registers"
    columns = [head("offset"), head("register" if bits else "word")]
    columns += [head("r/w", title="what a guest read / a guest write does")] if bits else []
    columns += [head("value")] + ([head("31" + " " * 34 + "0", title="bits 31 to 0")] if bits else [])
    columns += [] if narrow and bits else [head("fields")]
    rows = []
    for group in groups:
        if not narrow:
            rows.append(row([head(group.title, "rowgroup", colspan=len(columns))]))
        rows += [register(r, bits, narrow and bits) for r in group.rows]
    return table("", columns, rows)


def register(r: Row, bits: bool, narrow: bool) -> str:
    """One register."""
    fields = fields_html(r)
    plain = ", ".join(f"{p.name}={p.shown}" for p in told(r))
    cells = [cell(f"{r.mark} {r.offset:03X}"), head(r.name, "row", r.meaning)]
    cells += [cell(r.access, access_hue(r.access))] if bits else []
    cells += [cell(digits(r.value, r.width), title=plain if narrow else "")]
    cells += [box("td", runs(r.runs()))] if bits else []
    return row([*cells, *([] if narrow else [box("td", fields, wrap=True)])], HUE[r.mark])


def access_hue(access: str) -> str:
    """The hue of what a guest write does."""
    return palette.ACCESS.get(access[2:3], "")


def fields_html(r: Row) -> str:
    """The fields worth telling, changed ones marked, and the value it had."""
    shown = [field_html(part) for part in told(r)]
    was = [text(f"was {digits(r.before, r.width)}")] if r.changed else []
    return " ".join([*shown, *was])


def field_html(part: Part) -> str:
    """`NAME=value`."""
    said = text(f"{part.name}={part.shown}")
    return element("mark", said) if part.changed else said


def grid(r: Row) -> str:
    """A set of 256 vectors: eight words of 32, as they lie in the page, each with its first vector."""
    caption = element("b", text(f"{r.mark} {r.name}".strip())) + text(f" {r.offset:03X}h: {r.meaning}. ")
    lines = []
    for word in range(8):
        value, changed = (x >> 32 * word & 0xFFFF_FFFF for x in (r.value, r.changed))
        name = head(vector(32 * word), "row", f"offset {r.offset + 16 * word:03X}h")
        lines.append(row([name, box("td", runs(cut(word_bits(value), changed, 32, rising=True)))]))
    shown = element("mark", text(vectors_text(r))) if r.changed else text(vectors_text(r))
    return element("div", table(caption + shown, [head("from"), head(ACROSS)], lines))


def entries(group: Group) -> str:
    """The entries of a table, a row each."""
    if not group.rows:
        return ""
    names = group.rows[0].parts
    columns = [head("entry"), *(head(p.name, title=f"{p.where}: {p.meaning}") for p in names), head("value")]
    rows = []
    for r in group.rows:
        shown = [box("td", element("mark", text(p.shown)) if p.changed else text(p.shown)) for p in r.parts]
        cells = [head(f"{r.mark} {r.name}", "row", r.meaning), *shown, cell(digits(r.value, r.width))]
        rows.append(row(cells, HUE[r.mark]))
    return table("", columns, rows)


def upright(group: Group) -> str:
    """The same with a column for each entry: for a narrow place."""
    columns = [head("entry"), *(head(f"{r.mark} {r.name}", title=r.meaning) for r in group.rows)]
    lines = []
    for parts in zip(*(r.parts for r in group.rows), strict=False):
        name = head(parts[0].name, "row", f"{parts[0].where}: {parts[0].meaning}")
        values = [box("td", element("mark", text(p.shown)) if p.changed else text(p.shown)) for p in parts]
        lines.append(row([name, *values]))
    return table("", columns, lines)

"""Sheets as static HTML: a table of registers by bit, grids of vectors, tables of entries; quiet groups are folded.

Does not model: what is on a sheet (`model`), how it comes there (`apic`, `tables`, `vmcb`).
"""

from collections.abc import Sequence
from itertools import groupby

from avickit.show import palette
from avickit.show.as_text import dump, folded_text, told, vectors_text
from avickit.show.model import Group, Part, Row, Sheet
from avickit.show.tags import CAPTION, beside, box, cell, element, fold, head, lit, panel, plain, row, runs, table, text
from avickit.show.writing import NIBBLE, cut, digits, vector, written

HUE = {"*": palette.CHANGED, ">": palette.LOOKED_AT, " ": ""}
ACROSS = "+0   +4   +8   +C   +10  +14  +18  +1C".replace(" ", NIBBLE)
TIGHT = "letter-spacing:-.8px"


def bit_head(width: int) -> str:
    """The head of a column of bits: the numbers of the first and the last, as far apart as these are."""
    numbers = f"{width - 1}{'0':{NIBBLE}>{width + width // 4 - 1 - len(str(width - 1))}}"
    return box("th", element("span", text(numbers), TIGHT), left=True, scope="col", title=f"bits {width - 1} to 0")


def sheet_html(sheet: Sheet, *, narrow: bool = False) -> str:
    """The sheet as static HTML. `narrow` leaves out folded rows, fields, the legend."""
    return plain(drawn(sheet, narrow=narrow))


def drawn(sheet: Sheet, *, narrow: bool = False) -> str:
    """The same with what the live form needs to know which place and which bits stand where.

    `narrow` leaves out what a reader of a stepper can do without: folded rows, fields, the legend.
    """
    parts = []
    for shape, groups in groupby((g for g in sheet.groups if g.told), key=lambda group: group.shape):
        if shape == "vectors":
            grids = [grid(r, group.title, narrow) for group in groups for r in group.told]
            parts.append("".join(grids) if narrow else beside(grids))
        elif shape == "dump":
            parts += [hex_dump(group.told) for group in groups]
        elif shape == "entries":
            parts += [(upright if narrow else entries)(group.told) for group in groups]
        else:
            parts.append(registers(list(groups), narrow))
    parts.insert(0, element("b", text(sheet.title)))
    if not narrow:
        parts.insert(1, f" {element('small', text(sheet.note))}" if sheet.note else "")
        parts.append(folded(sheet))
    return panel("".join(parts))


def folded(sheet: Sheet) -> str:
    """What is quiet: one line, the rows with their meanings on request; and the legend."""
    lines = [quiet(r) for group in sheet.groups for r in group.quiet]
    said = folded_text(sheet)
    columns = [head(name) for name in ("offset", "register", "r/w", "value", "meaning")]
    rows = fold(f"folded: {said}", table("", columns, lines)) if lines else element("small", text(said))
    return rows + (f"<div>{element('small', text(sheet.legend + palette.SHAPES_SAID))}</div>" if sheet.legend else "")


def quiet(r: Row) -> str:
    """A row that holds nothing to tell of."""
    value = digits(r.value, r.width) if r.width <= 64 else "no vector"
    cells = [cell(f"{r.offset:03X}"), head(r.name, "row"), cell(r.access), cell(value), cell(r.meaning, left=True)]
    return row(cells, at=key(r))


def key(r: Row) -> str:
    """What a place is called within its page: its offset."""
    return f"{r.offset:X}"


def bits_html(value: int, changed: int, width: int, *, first: int | None = None, tight: str = "") -> str:
    """Bits in groups of four, the highest first; with `first`, which is the number of the lowest, that one first."""
    rising = first is not None
    text_bits = written(value, width)
    pieces = cut(text_bits if rising else text_bits[::-1], changed, width, rising=rising)
    where = f"{first},1" if rising else f"{width - 1},-1"
    return element("span", lit(runs(pieces)), tight, data_bits=where)


def registers(groups: list[Group], narrow: bool) -> str:
    """Groups of registers or words in one table."""
    bits = groups[0].shape == "registers"
    columns = [head("at" if narrow else "offset"), head("register" if bits else "word")]
    columns += [head("r/w", title="what a guest read and a guest write do")] if bits else []
    wide = groups[0].told[0].width
    columns += [head("value")] + ([bit_head(wide)] if bits or not narrow else [])
    columns += [] if narrow and bits else [head("fields")]
    rows = []
    for group in groups:
        if not narrow and group.title:
            rows.append(row([head(group.title, "rowgroup", colspan=len(columns))]))
        rows += [register(r, bits, narrow) for r in group.told]
    return table("", columns, rows, small=bits)


def register(r: Row, bits: bool, narrow: bool) -> str:
    """One register."""
    fields = fields_html(r)
    plain = ", ".join(f"{p.name}={p.shown}" for p in told(r))
    cells = [cell(f"{r.mark} {r.offset:03X}".strip()), head(r.name, "row", r.meaning)]
    cells += [access_cell(r.access)] if bits else []
    cells += [cell(digits(r.value, r.width), title=plain if narrow else "")]
    cells += [box("td", bits_html(r.value, r.changed, r.width, tight=TIGHT))] if bits or not narrow else []
    return row([*cells, *([] if narrow and bits else [box("td", fields, left=True)])], HUE[r.mark], key(r))


def access_cell(access: str) -> str:
    """What the guest's accesses do, in letters; shape and hue are those of a write."""
    letter = access[2:3]
    if letter not in palette.ACCESS:
        return cell(access)
    style = f"padding:0 2px;{palette.SHAPE[letter]};background:{palette.wash(palette.ACCESS[letter])}"
    return box("td", element("span", text(access), style))


def fields_html(r: Row) -> str:
    """The fields worth telling, changed ones marked, and the value it had."""
    shown = [field_html(part) for part in told(r)]
    was = [text(f"was {digits(r.before, r.width)}")] if r.changed else []
    return " ".join([*shown, *was])


def field_html(part: Part) -> str:
    """`NAME=value`."""
    said = text(f"{part.name}={part.shown}")
    return element("mark" if part.changed else "span", said, data_bit=bit_of(part))


def bit_of(part: Part) -> str:
    """The bits of a field: `63:62`, `5`."""
    return part.where.partition(" ")[2]


def grid(r: Row, title: str, narrow: bool) -> str:
    """A set of 256 vectors: eight words of 32, as they lie in the page, each with its first vector.

    A narrow one has just the words that ever hold a vector in its story; outside a story, that hold one now.
    """
    name, _, meaning = title.partition(": ")
    caption = element("b", text(f"{r.mark} {name}".strip()), title=r.meaning) + text(f" {meaning}, {r.offset:03X}h: ")
    shown = element("mark", text(vectors_text(r))) if r.changed else text(vectors_text(r))
    ever = -1 if not narrow else r.value | r.before if r.ever is None else r.ever
    if not ever:
        return element("div", caption + shown, CAPTION, data_at=key(r))
    lines = []
    for word in [word for word in range(8) if ever >> 32 * word & 0xFFFF_FFFF]:
        value, changed = (x >> 32 * word & 0xFFFF_FFFF for x in (r.value, r.changed))
        lead = head(vector(32 * word), "row", f"offset {r.offset + 16 * word:03X}h")
        lines.append(row([lead, box("td", bits_html(value, changed, 32, first=32 * word))], at=key(r)))
    return element(
        "div",
        table(caption + shown, [head("from"), box("th", element("span", ACROSS), left=True, scope="col")], lines),
        data_at=key(r),
    )


def entries(rows: Sequence[Row]) -> str:
    """The entries of a table, a row each."""
    names = rows[0].parts
    columns = [head("entry"), *(head(p.name, title=f"{p.where}: {p.meaning}") for p in names), head("value")]
    columns.append(bit_head(rows[0].width))
    lines = []
    for r in rows:
        shown = [field_cell(p) for p in r.parts]
        cells = [head(f"{r.mark} {r.name}".strip(), "row", r.meaning), *shown, cell(digits(r.value, r.width))]
        cells.append(box("td", bits_html(r.value, r.changed, r.width, tight=TIGHT)))
        lines.append(row(cells, HUE[r.mark], key(r)))
    return table("", columns, lines)


def field_cell(part: Part, at: str = "") -> str:
    """A cell with a field's value."""
    shown = element("mark", text(part.shown)) if part.changed else text(part.shown)
    return box("td", shown, data_at=at, data_bit=bit_of(part))


def upright(rows: Sequence[Row]) -> str:
    """The same with a column for each entry: for a narrow place."""
    titles = (head(f"{r.mark} {r.name}".strip(), title=r.meaning, hue=HUE[r.mark], data_at=key(r)) for r in rows)
    columns, lines = [head("bits"), head("entry"), *titles], []
    for parts in zip(*(r.parts for r in rows), strict=False):
        name = [cell(bit_of(parts[0])), head(parts[0].name, "row", parts[0].meaning)]
        lines.append(row([*name, *(field_cell(p, key(r)) for r, p in zip(rows, parts, strict=True))]))
    return table("", columns, lines)


def hex_dump(rows: Sequence[Row]) -> str:
    """Plain words, 16 bytes a line."""
    lines = (text(f"{where:03X}  ") + runs(words, most=4) for where, words in dump(rows))
    return element("pre", "\n".join(lines))

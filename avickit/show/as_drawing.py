"""Sheets as a picture: registers by bit, sets of vectors as grids, entries by field; above them the sentence of a beat.

For paper: a light ground, and nothing said by colour alone (a changed bit has a frame, a changed row a mark). Does not
model: how a picture is written (`as_svg`, `as_png`).
"""

from collections.abc import Callable, Sequence
from typing import Final

from avickit.show import palette
from avickit.show.as_text import dump, told, vectors_text
from avickit.show.drawing import EDGE, INK, PAPER, SOFT, Box, Drawing, Line, Words, wide, wrapped
from avickit.show.lanes_drawing import pale
from avickit.show.model import Group, Row, Sheet
from avickit.show.writing import digits, vector

SIZE: Final = 11
LINE: Final = 18
PAD: Final = 8
BIT_W, BIT_H, STEP = 5, 11, 6
UNSET, HOT = "#e4e8ec", "#b34700"
ROW_HUE: Final = {"*": "#f0c419", ">": "#56b4e9", " ": ""}


def picture(
    title: str,
    note: str,
    sheets: Sequence[Sheet],
    said: Sequence[str] = (),
    above: Callable[[float], Drawing] | None = None,
) -> Drawing:
    """A title, what `above` draws in a width, the lines of a sentence (the first one large), sheets side by side."""
    found = Drawing(title)
    found.add(Words(PAD, PAD + 14, title, 14, bold=True), Words(PAD, PAD + 30, note, 10, SOFT))
    panels = [panel(sheet) for sheet in sheets]
    width = max(sum(p.width for p in panels) + PAD * (len(panels) + 1), 480)
    y = PAD + 40.0
    if above:
        strip = above(width - 2 * PAD)
        found.add(*moved(strip, PAD, y))
        y += strip.height + PAD
    top = y
    for number, sentence in enumerate(said):
        size = 11 if number else 14
        for line in wrapped(sentence, width - 4 * PAD, size):
            found.add(Words(2 * PAD, y + size, line, size, SOFT if number else INK, bold=not number))
            y += size * 1.5
    if said:
        found.add(Box(PAD, top, 3, y - top, HOT))
    x, y = float(PAD), y + PAD
    for drawn in panels:
        found.add(*moved(drawn, x, y))
        x += drawn.width + PAD
    found.width, found.height = max(found.width, x) + PAD, found.height + PAD
    return found


def moved(drawing: Drawing, x: float, y: float) -> list[Box | Line | Words]:
    """The items of a drawing at another place."""
    found: list[Box | Line | Words] = []
    for item in drawing.items:
        if isinstance(item, Line):
            found.append(Line(item.x + x, item.y + y, item.to_x + x, item.to_y + y, item.stroke, item.width))
        elif isinstance(item, Box):
            found.append(Box(item.x + x, item.y + y, item.width, item.height, item.fill, item.stroke))
        else:
            found.append(Words(item.x + x, item.y + y, item.text, item.size, item.fill, item.bold, item.anchor))
    return found


def panel(sheet: Sheet) -> Drawing:
    """A sheet with a frame around it."""
    inner = Drawing(sheet.title)
    inner.add(Words(PAD, 16, sheet.title, 12, bold=True))
    y = 26.0
    for group in sheet.groups:
        if group.told:
            y = DRAW[group.shape](inner, group, y)
    if sheet.legend:
        for line in wrapped(sheet.legend, max(inner.width, 300) - PAD, 8):
            inner.add(Words(PAD, y + 12, line, 8, SOFT))
            y += 11
    width, height = inner.width + PAD, max(inner.height, y) + PAD
    inner.items.insert(0, Box(0, 0, width, height, PAPER, EDGE))
    inner.width, inner.height = width, height
    return inner


def lead(found: Drawing, row: Row, y: float, room: float = 80) -> float:
    """The mark, the offset and the name of a row; where it goes on."""
    if ROW_HUE[row.mark]:
        found.add(Box(PAD / 2, y, 4, LINE - 1, ROW_HUE[row.mark]))
    found.add(
        Words(PAD, y + 13, row.mark, SIZE, HOT, bold=True), Words(PAD + 9, y + 13, f"{row.offset:03X}", SIZE, SOFT)
    )
    found.add(Words(PAD + 36, y + 13, row.name, SIZE, bold=bool(row.changed)))
    return PAD + 40 + max(wide(row.name, SIZE), room)


def registers(found: Drawing, group: Group, y: float) -> float:
    """Registers: access letters, value, 32 bits."""
    found.add(Words(PAD, y + 12, group.title, 9, SOFT))
    y += 16
    for row in group.told:
        x = lead(found, row, y)
        read, _, write = row.access.partition("/")
        for letters in (read, write):
            hue = pale(palette.ACCESS.get(letters[:1], ""), 3)
            found.add(Box(x, y + 2, 8 + 7 * len(letters), 14, hue, EDGE), Words(x + 4, y + 13, letters, 10))
            x += 11 + 7 * len(letters)
        found.add(Words(x + 6, y + 13, digits(row.value, row.width), SIZE))
        bits(found, x + 80, y + 3, [(row.value >> b & 1, row.changed >> b & 1) for b in reversed(range(row.width))])
        y += LINE
    return y


def bits(found: Drawing, x: float, y: float, states: Sequence[tuple[int, int]]) -> None:
    """A line of bits as cells, a gap after every fourth; a changed one has a frame."""
    for number, (on, changed) in enumerate(states):
        at = x + number * STEP + number // 4 * 3
        fill = (HOT if changed else INK) if on else UNSET
        found.add(Box(at, y, BIT_W, BIT_H, fill))
        if changed:
            found.add(Box(at - 1.5, y - 1.5, BIT_W + 3, BIT_H + 3, "none", HOT))


def grid(found: Drawing, group: Group, y: float) -> float:
    """A set of 256 vectors, as far as it has words that ever hold one."""
    for row in group.told:
        name = f"{row.mark} {row.name} ".lstrip()
        found.add(Words(PAD, y + 13, f"{name}{row.offset:03X}h: {vectors_text(row)}", SIZE, bold=bool(row.changed)))
        y += LINE
        ever = row.value | row.before if row.ever is None else row.ever
        for word in [word for word in range(8) if ever >> 32 * word & 0xFFFF_FFFF]:
            found.add(Words(PAD + 9, y + 11, vector(32 * word), 10, SOFT))
            numbers = range(32 * word, 32 * word + 32)
            bits(found, PAD + 40, y + 2, [(row.value >> b & 1, row.changed >> b & 1) for b in numbers])
            y += LINE - 3
    return y + 3


def entries(found: Drawing, group: Group, y: float) -> float:
    """The entries of a table, a block each: a line for each field."""
    for row in group.told:
        found.add(Words(PAD, y + 13, f"{row.mark} entry {row.name}".lstrip(), SIZE, bold=True))
        y += LINE - 2
        for part in row.parts:
            colour = HOT if part.changed else INK
            found.add(Words(PAD + 9, y + 12, part.where.partition(" ")[2], 10, SOFT))
            found.add(Words(PAD + 50, y + 12, part.name, 10))
            found.add(Words(PAD + 150, y + 12, f"{part.shown}{' *' if part.changed else ''}", 10, colour, part.changed))
            y += LINE - 4
        y += 4
    return y


def words(found: Drawing, group: Group, y: float) -> float:
    """Words: value and fields."""
    found.add(Words(PAD, y + 12, group.title, 9, SOFT))
    y += 16
    for row in group.told:
        x = lead(found, row, y, 180)
        found.add(Words(x + 6, y + 13, digits(row.value, row.width), SIZE))
        y += LINE
        fields = ", ".join(f"{part.name}={part.shown}{'*' if part.changed else ''}" for part in told(row))
        for line in wrapped(fields, 380, 9) if fields else []:
            found.add(Words(PAD + 36, y + 8, line, 9, SOFT))
            y += 12
    return y


def raw(found: Drawing, group: Group, y: float) -> float:
    """Plain words, 16 bytes a line."""
    for where, line in dump(group.told):
        found.add(Words(PAD, y + 12, f"{where:03X}  {''.join(text for text, _ in line)}", SIZE))
        y += LINE - 3
    return y


DRAW: Final = {"registers": registers, "vectors": grid, "entries": entries, "words": words, "dump": raw}

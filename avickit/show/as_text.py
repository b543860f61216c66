"""Sheets as plain text, for terminals, for text/plain in notebooks, and for readers who listen.

Does not model: what is on a sheet (`model`).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from avickit.manual.vectors import vectors_of
from avickit.show.model import MOST_FIELDS, Group, Part, Row, Sheet
from avickit.show.writing import cut, digits, vector, vectors, written

ZERO = "        0"
"""A word of 0 in a dump."""


def sheet_text(sheet: Sheet) -> str:
    """The sheet, a line a row; what is quiet in one line at the end."""
    lines = [f"{sheet.title} ({sheet.note})"]
    for group in sheet.groups:
        if group.title and group.told:
            lines.append(f"  {group.title}")
        if group.shape == "dump":
            lines += (f"  {where:03X}  {''.join(marked(words))}" for where, words in dump(group.told))
            continue
        for row in group.told:
            lines += row_lines(group, row)
    if folded := folded_text(sheet):
        lines.append(f"  not shown: {folded}")
    return "\n".join(lines)


def folded_text(sheet: Sheet) -> str:
    """What is quiet: `12 registers at reset or 0`."""
    quiet = sum(len(group.quiet) for group in sheet.groups)
    said = [f"{quiet} {'registers' if quiet > 1 else 'register'} at reset or 0"] if quiet else []
    said += [f"{group.cut} more of {group.title}" for group in sheet.groups if group.cut]
    return "; ".join([*said, *(group.more for group in sheet.groups if group.more)])


def dump(rows: Iterable[Row]) -> Iterator[tuple[int, list[tuple[str, bool]]]]:
    """Words in lines of 16 bytes: the offset of the line, and its words as (text, changed)."""
    for line, found in groupby(rows, key=lambda row: row.offset >> 4):
        at = {row.offset >> 2 & 3: row for row in found}
        words = [(digits(at[i].value, 32), bool(at[i].changed)) if i in at else (ZERO, False) for i in range(4)]
        yield line << 4, [(f"{'  ' if i else ''}{word}", changed) for i, (word, changed) in enumerate(words)]


def marked(pieces: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """Text in pieces, the changed ones in brackets."""
    return (f"[{text}]" if changed else text for text, changed in pieces)


def row_lines(group: Group, row: Row) -> Iterator[str]:
    """A row in one line; a set of vectors with a line for each word that holds one."""
    if group.shape == "vectors":
        yield f"{row.mark} {row.offset:03X} {row.name:<12}{row.access:<6}{vectors_text(row)}"
        for word in range(8):
            part, changed = row.value >> 32 * word & 0xFFFF_FFFF, row.changed >> 32 * word & 0xFFFF_FFFF
            if part or changed:
                runs = cut(written(part, 32), changed, 32, rising=True)
                yield f"        {vector(32 * word):>4}  {''.join(marked(runs))}"
        return
    head = f"{row.mark} {row.offset:03X} {row.name:<{18 if group.shape == 'words' else 12}}{row.access:<6}"
    bits = f"  {''.join(marked(row.runs())):<42}" if group.shape == "registers" else ""
    was = f"  was {digits(row.before, row.width)}" if row.changed else ""
    yield f"{head}{digits(row.value, row.width)}{bits}  {fields_text(row)}{was}".rstrip()


def fields_text(row: Row) -> str:
    """The fields that hold something or have changed: `VALID=1, IS_RUNNING=1`."""
    return ", ".join(f"{part.name}={part.shown}{'*' if part.changed else ''}" for part in told(row))


def told(row: Row) -> list[Part]:
    """The fields worth telling."""
    return [part for part in row.parts if part.value or part.changed][:MOST_FIELDS]


def vectors_text(row: Row) -> str:
    """The vectors of a row: `41h, 52h`, and which came and went."""
    now = vectors(vectors_of(row.value)) or "no vector"
    came, went = (vectors(vectors_of(v & row.changed), sign) for v, sign in ((row.value, "+"), (row.before, "-")))
    change = ", ".join(filter(None, (came, went)))
    return f"{now} ({change})" if change else now

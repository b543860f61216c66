"""Sheets as plain text, for terminals, for text/plain in notebooks, and for readers who listen.

Does not model: what is on a sheet (`model`).
"""

from collections.abc import Iterator

from avickit.manual.vectors import vectors_of
from avickit.show.model import Group, Part, Row, Sheet, cut, digits, vector


def sheet_text(sheet: Sheet) -> str:
    """The sheet, a line a row; quiet groups in one line at the end."""
    lines = [f"{sheet.title} ({sheet.note})"]
    folded = []
    for group in sheet.groups:
        if group.folded:
            folded.append(f"{group.title} ({group.summary})")
            continue
        lines.append(f"  {group.title}")
        for row in group.rows:
            lines += row_lines(group, row)
    if folded:
        lines.append(f"  folded: {'; '.join(folded)}")
    return "\n".join(lines)


def row_lines(group: Group, row: Row) -> Iterator[str]:
    """A row in one line; a set of vectors with a line for each word that holds one."""
    if group.shape == "vectors":
        yield f"{row.mark} {row.offset:03X} {row.name:<12}{row.access:<6}{vectors_text(row)}"
        for word in range(8):
            part, changed = row.value >> 32 * word & 0xFFFF_FFFF, row.changed >> 32 * word & 0xFFFF_FFFF
            if part or changed:
                runs = cut(word_bits(part), changed, 32, rising=True)
                yield f"        {vector(32 * word):>4}  {''.join(f'[{t}]' if hot else t for t, hot in runs)}"
        return
    head = f"{row.mark} {row.offset:03X} {row.name:<{18 if group.shape == 'words' else 12}}{row.access:<6}"
    bits = f"  {''.join(f'[{t}]' if hot else t for t, hot in row.runs()):<42}" if group.shape == "registers" else ""
    was = f"  was {digits(row.before, row.width)}" if row.changed else ""
    yield f"{head}{digits(row.value, row.width)}{bits}  {fields_text(row)}{was}".rstrip()


def fields_text(row: Row) -> str:
    """The fields that hold something or have changed: `VALID=1, IS_RUNNING=1`."""
    return ", ".join(f"{part.name}={part.shown}{'*' if part.changed else ''}" for part in told(row))


def told(row: Row) -> list[Part]:
    """The fields worth telling."""
    return [part for part in row.parts if part.value or part.changed]


def vectors_text(row: Row) -> str:
    """The vectors of a row: `41h, 52h`, and which came and went."""
    now = ", ".join(vector(v) for v in vectors_of(row.value)) or "no vector"
    came = ", ".join(f"+{vector(v)}" for v in vectors_of(row.value & row.changed))
    went = ", ".join(f"-{vector(v)}" for v in vectors_of(row.before & row.changed))
    change = ", ".join(filter(None, (came, went)))
    return f"{now} ({change})" if change else now


def word_bits(word: int) -> str:
    """32 bits of a set of vectors, the lowest first."""
    return "".join("1" if word >> bit & 1 else "·" for bit in range(32))

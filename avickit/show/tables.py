"""The sheets of the two APIC ID tables: a row for each entry in use, with its fields.

Does not model: tables of more than one page (x2AVIC with its extension).
"""

from avickit.bits import Register
from avickit.lab.pages import TableView
from avickit.manual.tables import PhysicalEntry
from avickit.show.model import Group, Part, Row, parts_of
from avickit.show.moment import Moment


def table_groups(m: Moment, table: TableView) -> tuple[Group, ...]:
    """The entries that are in use, or were at the earlier moment, or are looked at."""
    register, own = type(table[0]), m.looked_at.startswith(m.title(table.place))
    places = range(table.place, table.place + len(table))
    told = {m.looked_at, *m.kept} if own or m.kept else set()
    used = [place for place in places if m.at[place] or m.before[place] or (told and m.name(place) in told)]
    rows = tuple(entry_row(m, place, place - table.place, register) for place in used)
    return (Group("Entries", "entries", rows, f"{len(table) - len(rows)} other entries: 0, not valid"),)


def entry_row(m: Moment, place: int, index: int, register: type[Register]) -> Row:
    """One entry. `offset` is its offset in bytes."""
    value, before, full = int(m.at[place]), int(m.before[place]), m.name(place)
    parts = parts_of(register, value, before)
    if register is PhysicalEntry and not value & PhysicalEntry.IS_RUNNING.mask:
        parts = tuple(idle(part) if part.name == "HOST_APIC_ID" else part for part in parts)
    meaning = f"entry of guest physical APIC ID {index}" if register is PhysicalEntry else f"logical entry {index}"
    offset, touched = index * register.width // 8, full == m.looked_at
    return Row(full, offset, str(index), value, before, register.width, parts, "", meaning, touched=touched)


def idle(part: Part) -> Part:
    """The host APIC ID of an entry that is not running: a left-over that means nothing. (H-TAB-2)"""
    return Part(part.name, part.where, part.value, f"({part.shown})", f"{part.meaning}; so not this one", part.changed)

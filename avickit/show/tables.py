"""The sheets of the two APIC ID tables: a row for each entry in use, with its fields.

Does not model: tables of more than one page (x2AVIC with its extension).
"""

from avickit.bits import Register
from avickit.lab.handles import TableView
from avickit.manual.tables import PhysicalEntry
from avickit.show.model import Group, Part, Row, parts_of
from avickit.show.moment import Moment


def table_groups(m: Moment, table: TableView) -> tuple[Group, ...]:
    """The entries that are in use, or were at the earlier moment, or are looked at."""
    register = type(table[0])
    found = (entry_row(m, table.place, index, register) for index in range(len(table)))
    rows = tuple(row for row in found if not row.quiet)
    return (Group("Entries", "entries", rows, f"{len(table) - len(rows)} other entries: 0, not valid"),)


def entry_row(m: Moment, table: int, index: int, register: type[Register]) -> Row:
    """One entry. `offset` is its offset in bytes."""
    place = table + index
    value, before = int(m.at[place]), int(m.before[place])
    full, shown = m.name(place), m.shown
    parts = parts_of(register, value, before)
    if register is PhysicalEntry and not value & PhysicalEntry.IS_RUNNING.mask:
        parts = tuple(idle(part) if part.name == "HOST_APIC_ID" else part for part in parts)
    meaning = f"entry of guest physical APIC ID {index}" if register is PhysicalEntry else f"logical entry {index}"
    size = register.width // 8
    touched = shown is not None and shown.place == full
    return Row(
        full, index * size, str(index), value, before, register.width, parts, "", meaning, rest=0, touched=touched
    )


def idle(part: Part) -> Part:
    """The host APIC ID of an entry that is not running: a left-over that means nothing. (H-TAB-2)"""
    return Part(part.name, part.where, part.value, f"({part.shown})", f"{part.meaning}; so not this one", part.changed)

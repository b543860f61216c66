"""The sheet of a vAPIC backing page: registers as the manual groups them, the three sets of vectors as grids.

Does not model: the access filter itself (`manual.apic_map`); its words are shown as letters.
"""

from typing import Final

from avickit.lab.pages import ApicPage
from avickit.manual.apic import MAP, Access, filter_for, name_of, row_at
from avickit.manual.cpuid import has
from avickit.manual.vectors import Vectors
from avickit.show.model import Group, Row, parts_of
from avickit.show.moment import Moment

GROUPS: Final = (
    ("Identification", ("ID", "VERSION")),
    ("Priority", ("TPR", "APR", "PPR")),
    ("End of interrupt", ("EOI",)),
    ("Destination", ("LDR", "DFR")),
    ("Enable and errors", ("SVR", "ESR")),
    ("Interrupt command", ("ICRL", "ICRH", "RRR")),
    ("Local vector table", ("LVT_TIMER", "LVT_THERMAL", "LVT_PERF", "LVT_LINT0", "LVT_LINT1", "LVT_ERROR")),
    ("Timer", ("TMICT", "TMCCT", "TDCR")),
    ("Extended registers", ("EXT_FEATURE", "EXT_CONTROL", "SEOI", "IER", "EXT_LVT")),
    ("No register", ("OTHER", "SELF_IPI", "RESERVED")),
)
"""The map's rows in the manual's groups; the vectors come as grids of their own, in front of the interrupt command."""

VECTORS: Final = {"ISR": "in service", "TMR": "level-triggered", "IRR": "pending"}
ALWAYS: Final = ("ID", "TPR", "PPR", "SVR", "ISR", "IRR", "ICRL", "ICRH")
"""Registers that are never folded away: the story is told with them."""

LETTERS: Final = {Access.ALLOW: "A", Access.ACCELERATED: "X", Access.TRAP: "T", Access.FAULT: "F", Access.EOI: "X|T"}
LEGEND: Final = "guest read/write: A allow, X accelerated, T trap (exit after the write), F fault (exit before)"
SLOT: Final = 4
WORD: Final = 0xFFFF_FFFF


def apic_groups(m: Moment, page: ApicPage) -> tuple[Group, ...]:
    """The groups of a backing page at a moment."""
    ext_lvt = has(m.machine.world.objects["cpu"][0], "EXT_LVT_AVIC_ACCESS_CHG")
    rows: dict[str, list[Row]] = {}
    for line in MAP:
        offsets = [line.offset] if line.name in VECTORS else line.offsets
        if line.register is None:  # most of the page; told only where it holds something
            offsets = [o for o in offsets if holds(m, page.place + (o >> SLOT))]
        rows.setdefault(line.name, []).extend(apic_row(m, page.place, offset, ext_lvt) for offset in offsets)
    groups = []
    for title, wanted in GROUPS:
        if title == "Interrupt command":
            groups += [Group(f"{n}: {word}", "vectors", tuple(rows[n])) for n, word in VECTORS.items()]
        groups.append(Group(title, "registers", tuple(row for name in wanted for row in rows[name])))
    return tuple(groups)


def holds(m: Moment, place: int) -> bool:
    """Whether there is something to tell of plain memory."""
    return bool(m.at[place] or m.before[place] or (m.kept and m.name(place) in m.kept))


def apic_row(m: Moment, page: int, offset: int, ext_lvt: bool) -> Row:
    """The register at an offset; ISR, TMR and IRR whole."""
    place = page + (offset >> SLOT)
    line = row_at(offset)
    wide = line.name in VECTORS
    value, before = (int(s[place]) for s in (m.at, m.before))
    name, full = name_of(offset), m.name(place)
    register = Vectors if wide else None if line.register is Vectors else line.register
    parts = () if wide else parts_of(register, value, before)
    access = "/".join(LETTERS[filter_for(offset, write, ext_lvt)] for write in (False, True))
    rest = None if name in ALWAYS else value if value in (0, line.reset) else line.reset
    width = 256 if wide else 32
    return Row(full, offset, name, value, before, width, parts, access, line.meaning, rest, full == m.looked_at)

"""The sheet of a VMCB: the words that hold something, and AVIC's always; and any page raw.

Does not model: the save area by field (its words are named where the manual's map names them).
"""

from typing import Final

from avickit.bits import Register
from avickit.lab.names import SHIFTS, page_of
from avickit.lab.pages import VmcbView
from avickit.manual.apic import NAMES
from avickit.manual.exits import exit_name
from avickit.manual.vmcb import CLEAN_COVERS, VMCB_NAMES, VMCB_WORDS, VmcbOffset
from avickit.show.model import Group, Part, Row, parts_of
from avickit.show.moment import Moment

O = VmcbOffset  # noqa: E741
ALWAYS: Final = (O.VINTR, O.EXITCODE, O.APIC_BAR, O.CLEAN, O.BACKING_PAGE, O.LOGICAL_TABLE, O.PHYSICAL_TABLE)
"""The words that AVIC is told with: shown even when they are 0. (H-VMCB-4, H-VMCB-9 to H-VMCB-14)"""
GROUPS: Final = (
    ("AVIC", (O.VINTR, O.APIC_BAR, O.BACKING_PAGE, O.LOGICAL_TABLE, O.PHYSICAL_TABLE)),
    ("#VMEXIT", (O.EXITCODE, O.EXITINFO1, O.EXITINFO2, O.EXITINTINFO, O.NRIP)),
    ("Entry", (O.EVENTINJ, O.INTERRUPT_SHADOW, O.ASID_TLB, O.CLEAN)),
)
COVERED_BY: Final = {offset: bit for bit, words in CLEAN_COVERS.items() for offset in words}
BANKS: Final = {NAMES[name] >> 4 for name in ("ISR", "TMR", "IRR")}
"""Places that hold eight 32-bit words in one value. (H-REG-7)"""


def vmcb_groups(m: Moment, vmcb: VmcbView) -> tuple[Group, ...]:
    """AVIC's words, those of the last exit, those of the next entry, and whatever else is not 0."""
    named = {offset for _, offsets in GROUPS for offset in offsets}
    rest = tuple(o for o in sorted({*VMCB_WORDS, *VMCB_NAMES}) if o not in named)
    groups = []
    for title, offsets in (*GROUPS, ("Other words", rest)):
        rows = tuple(word_row(m, vmcb.place, offset, VMCB_WORDS.get(offset)) for offset in offsets)
        groups.append(Group(title, "words", tuple(row for row in rows if not row.quiet or row.place in m.kept)))
    left = 512 - sum(len(group.rows) for group in groups)
    return (*groups, Group("", "words", (), f"{left} other words: 0"))


def word_row(m: Moment, page: int, offset: int, register: type[Register] | None, width: int = 64) -> Row:
    """One word by field."""
    place = page + (offset >> 3)
    value, before = int(m.at[place]), int(m.before[place])
    parts = parts_of(register, value, before)
    if offset == O.EXITCODE:
        code = value if value >> 63 == 0 else value - (1 << 64)
        parts = tuple(Part(p.name, p.where, p.value, exit_name(code), p.meaning, p.changed) for p in parts if value)
    full = m.name(place)
    covered = f"; clean bit {COVERED_BY[offset]} covers it" if offset in COVERED_BY else ""
    summary = (register.__doc__ or "").partition(". (")[0] if register else "reserved or of the save area"
    rest = None if offset in ALWAYS else 0
    name = VMCB_NAMES.get(offset, f"{offset:03X}h")
    return Row(full, offset, name, value, before, width, parts, "", summary + covered, rest, full == m.looked_at)


def raw_groups(m: Moment, place: int) -> tuple[Group, ...]:
    """Any page by its plain 32-bit words, as memory holds them; words of 0 are quiet."""
    found = page_of(m.machine.world, place)
    kind = found[2] if found else ""
    shift = SHIFTS.get(kind, 3)
    rows = []
    for index in range(4096 >> shift):
        words = 8 if kind == "apic" and index in BANKS else 2 if shift == 3 else 1
        step = 16 if shift == 4 else 4
        for part in range(words):
            value, before = (int(s[place + index]) >> 32 * part & 0xFFFF_FFFF for s in (m.at, m.before))
            if value or before:
                offset = (index << shift) + step * part
                rows.append(Row(m.name(place + index), offset, "", value, before, 32, rest=None))
    return (Group("", "dump", tuple(rows), f"{1024 - len(rows)} other words: 0"),)

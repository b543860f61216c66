"""What the declarations say of a row: name, meaning, who may write it, rule and section, each field with its names.

This is what hover and focus show. Does not model: values (`live.memory`).
"""

import re
from enum import IntEnum
from functools import cache
from typing import Any, Final

from avickit.bits import Field, Register
from avickit.lab.rules import MENTION, Rule, rules
from avickit.manual.apic import Access, row_at
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vectors import Vectors
from avickit.manual.vmcb import VMCB_WORDS, VmcbOffset
from avickit.show.model import Row

SECTION: Final = re.compile(r"(?:APM2 )?(?:Table [\dB]+-\d+|15\.[\d.]+\d|16\.[\d.]+\d)[^,)]*")
AT_EXIT: Final = (
    VmcbOffset.EXITCODE,
    VmcbOffset.EXITINFO1,
    VmcbOffset.EXITINFO2,
    VmcbOffset.EXITINTINFO,
    VmcbOffset.NRIP,
)
HYPERVISOR: Final = "written by the hypervisor, read by hardware at VMRUN"
WRITTEN: Final = {
    **dict.fromkeys(AT_EXIT, "written by hardware at #VMEXIT"),
    VmcbOffset.VINTR: "written by the hypervisor, read by hardware at VMRUN; V_TPR is written back at #VMEXIT",
}
"""Who writes which word of a VMCB. (APM2 15.5.1, 15.6, H-VMCB-1)"""
TABLES: Final = "written by the hypervisor; hardware only reads it"
SLOT: Final = 16


def about(kind: str, row: Row) -> dict[str, Any]:
    """A row of a sheet of this kind (`apic`, `table`, `vmcb`), as data.

    `words` are the offsets of its 32-bit words, lowest first; `fields` are (name, msb, lsb, meaning, names of values);
    `unit` says what one bit of it is called, where its number says it all.
    """
    register, who, step = {"apic": of_page, "table": of_table, "vmcb": of_vmcb}[kind](row)
    found = cited(f"{row_at(row.offset).rule if kind == 'apic' else ''} {register.__doc__ or '' if register else ''}")
    return {
        "name": row.name if kind != "table" else f"entry {row.name}",
        "place": f"{row.place}, {row.offset:03X}h",
        "meaning": row.meaning,
        "who": who,
        "rules": [f"{rule.number}: {rule.says} ({rule.source})" for rule in found],
        "section": section(register) or (found[0].source if found else ""),
        "width": row.width,
        "words": [row.offset + step * i for i in range(max(row.width // 32, 1))],
        "fields": [field(f) for f in register.fields.values()] if register and register is not Vectors else [],
        "unit": "vector" if register is Vectors else "bit",
    }


def of_page(row: Row) -> tuple[type[Register] | None, str, int]:
    """A backing page: its register, what the guest's accesses do, and the distance of its words."""
    line = row_at(row.offset)
    said = {how: access_text(access) for how, access in (("read", line.read), ("write", line.write))}
    return line.register, "; ".join(f"guest {how}: {what}" for how, what in said.items()), SLOT


def access_text(access: Access) -> str:
    """`trap, #VMEXIT right after the write has landed in the page`."""
    return f"{access.name.lower().replace('_', ' ')}, {access.value}"


def of_table(row: Row) -> tuple[type[Register], str, int]:
    """The entry of a table."""
    return PhysicalEntry if row.width == PhysicalEntry.width else LogicalEntry, TABLES, 4


def of_vmcb(row: Row) -> tuple[type[Register] | None, str, int]:
    """A word of a VMCB."""
    return VMCB_WORDS.get(row.offset), WRITTEN.get(row.offset, HYPERVISOR), 4


def field(f: Field[Any]) -> list[Any]:
    """A field as data."""
    names = {str(int(value)): value.name for value in f.named.values() if isinstance(value, IntEnum)}
    return [f.name, f.msb, f.lsb, f.doc, names]


def section(register: type[Register] | None) -> str:
    """The manual's section, from the declaration's own words."""
    found = SECTION.search(register.__doc__ or "") if register else None
    if found is None:
        return ""
    return found[0] if found[0].startswith("APM2") else f"APM2 {found[0]}"


def cited(text: str) -> list[Rule]:
    """The rules that a text names, each once."""
    return [known()[number] for number in dict.fromkeys(MENTION.findall(text)) if number in known()]


@cache
def known() -> dict[str, Rule]:
    """All rules by their number."""
    return {rule.number: rule for rule in rules()}

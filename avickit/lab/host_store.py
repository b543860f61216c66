"""What software of the host stores behind Xen's back: to a VMCB, a backing page, a table, the nested mapping.

A command of the machine like the others, so that it is logged and replayed. No clean bit changes by itself: that is
the point of it. (H-VMCB-11) Does not model: who does it, and why.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from avickit.beat import STORE, Kind, Site
from avickit.bits import Bit, Bits, Register, Reserved
from avickit.errors import AvicError
from avickit.lab.engine import WORLD, Script
from avickit.lab.scripts import SCRIPTS, one
from avickit.manual.vectors import vectors_value
from avickit.silicon.vmrun import APIC_LEAF

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

STORES = {
    "vmcb": Site(Kind.UPDATE, STORE, "H-VMCB-11", "APM2 15.15.3 p.526", "software writes {place} of the VMCB: {new}"),
    "page": Site(Kind.UPDATE, STORE, "H-EVAL-1", "APM2 15.29.8.3 p.579", "software writes {place} of the page: {new}"),
    "table": Site(Kind.UPDATE, STORE, "H-TAB-4", "APM2 15.29.5.2 p.571", "software writes {place}: {new}"),
    "nested": Site(Kind.UPDATE, STORE, "H-REG-9", "APM2 15.29.3 p.565", "software maps the APIC page anew: {new}"),
}


class NestedLeaf(Register, width=64):
    """The nested page table's entry of the APIC page. (APM2 15.29.3 p.565, H-REG-9)"""

    NX = Bit(63, "no instruction fetch")
    ADDRESS = Bits(51, 12, "page number; hardware ignores it for the APIC page")
    LOW = Bits(11, 3, "caching, accessed, dirty, size and the rest")
    USER = Bit(2, "user access")
    WRITABLE = Bit(1, "writes are allowed")
    PRESENT = Bit(0, "the page is mapped")
    RESERVED = Reserved((62, 52))


def host_store(m: "Machine", what: str, place: int, value: int) -> Script:
    """One word of a page of memory becomes this value."""
    yield WORLD, one(STORES[what](place, value))


SCRIPTS["host_store"] = host_store


def store_fields(m: "Machine", what: str, place: int, register: type[Register], fields: Mapping[str, int]) -> None:
    """Change some fields of the word at a place and leave the others."""
    value = register.raw(m.world.at[place]).value
    for name, part in fields.items():
        value = register.fields[name].put(value, part)
    m.command("host_store", what, place, value)


def store_value(m: "Machine", what: str, place: int, value: int) -> None:
    """The whole word at a place."""
    m.command("host_store", what, place, value)


def store_vectors(m: "Machine", place: int, vectors: list[int]) -> None:
    """A whole ISR, TMR or IRR of a backing page."""
    m.command("host_store", "page", place, vectors_value(vectors))


def nested_leaf(m: "Machine", domain: int) -> int:
    """The place of the nested leaf of a domain's APIC page. Raises AvicError for a domain that is gone."""
    root = m.world.at[m.world.objects["domains"][domain - 1].cells.p2m]
    if not root:
        raise AvicError(f"d{domain} has no nested page table: the domain is gone")
    return int(root) + APIC_LEAF

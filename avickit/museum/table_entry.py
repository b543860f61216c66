"""Defects of which physical table entry is a vCPU's: by what a guest can write, moved, or by the wrong number.

(defects.md 1a, 1e) Does not model: a debug build's ASSERT, which the story of X09 tells of.
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Site, World
from avickit.manual.apic import ApicId, Offset
from avickit.museum.registry import brings
from avickit.series import p04_initialization as p04
from avickit.series import p05_vmexit_handlers as p05
from avickit.series import p06_scheduling as p06
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, panic, xen
from avickit.xen.vlapic_state import at

NO_ENTRY = 0xFF

READ_ID = Site(Kind.READ, LOAD, "X6-0", "defects X08, X09", "which entry? by a register the guest can write: {old}")
READ_MOVED = Site(Kind.READ, LOAD, "X6-0", "defect X10", "which entry? the cached pointer's: {old}")
COPY_ENTRY = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "copies the entry to {place}, whoever has it")
ZERO_ENTRY = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "empties {place}, the entry of the old ID")
KEEP_MOVED = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "the cached pointer follows")


@dataclass(frozen=True)
class MovedEntry:
    """Per vCPU: the APIC ID whose entry its cached pointer denotes, plus 1; 0 as long as it is its own. (X10)"""

    moved_to: int


@brings("X08")
def entry_by_guest_id(w: World) -> None:
    """The entry is found by the APIC ID register; in x2APIC mode that is always entry 0. (X6-0)"""
    w.replace(p06.physical_entry, entry_by_register, "X08")


@brings("X09")
def entry_by_any_id(w: World) -> None:
    """The same piece of code as X08: what the guest wrote is the index, FFh included. (X6-0)"""
    w.replace(p06.physical_entry, entry_by_register, "X09")


def entry_by_register(w: World, v: Vcpu) -> Beats[int]:
    """GET_xAPIC_ID of the page's APIC ID is the index; for FFh there is no entry: NULL. (X6-0, H-TAB-1; X08, X09)"""
    table: int = yield p06.FIND_TABLE(avic_domain(w, v.domain).physical_table)
    index = ApicId.ID.of((yield READ_ID(at(v, Offset.ID))))
    if index == NO_ENTRY:
        yield from panic(w, f"{v.name}: no physical APIC ID table entry for ID {index:#x}: NULL pointer dereference")
    return table + index


@brings("X10")
def entry_follows_the_id(w: World) -> None:
    """avic_handle_apic_id_update: the entry moves to the new ID, and nobody asks whose that is. (X5-4)"""
    xen(w).vcpu_fields["x10"] = MovedEntry
    w.replace(p05.avic_apic_id_update, move_entry, "X10")
    w.replace(p06.physical_entry, cached_entry, "X10")


def move_entry(w: World, core: Core, v: Vcpu, value: int) -> Beats[bool]:
    """Copy the entry to the new ID's place, then empty the old one: it may be the same place. (X5-4; X10)"""
    apic_id = ApicId.ID.of(value)
    old = yield from p06.physical_entry(w, v)
    entry = yield p06.READ_ENTRY(old)
    table = yield p06.FIND_TABLE(avic_domain(w, v.domain).physical_table)
    yield COPY_ENTRY(table + apic_id, entry)
    yield ZERO_ENTRY(old, 0)
    yield KEEP_MOVED(moved(w, v), apic_id + 1)
    return True


def moved(w: World, v: Vcpu) -> int:
    """The place of the vCPU's MovedEntry cell."""
    return w.objects["x10"][v.guest.index].moved_to  # type: ignore[no-any-return]


def cached_entry(w: World, v: Vcpu) -> Beats[int]:
    """The pointer kept since the last move. (X6-0; X10)"""
    table: int = yield p06.FIND_TABLE(avic_domain(w, v.domain).physical_table)
    index = yield READ_MOVED(moved(w, v))
    return table + (index - 1 if index else (yield from p04.entry_index(w, v)))


@brings("P3")
def table_by_vcpu_id(w: World) -> None:
    """The physical table is indexed by vcpu_id, while guest APIC IDs are twice that. (X0-1, X4-4)"""
    w.replace(p04.entry_index, vcpu_id_as_index, "P3")


def vcpu_id_as_index(w: World, v: Vcpu) -> Beats[int]:
    """An IPI to ID 2 reaches vCPU 2. (X4-4, H-TAB-1; P3)"""
    return v.vcpu_id
    yield

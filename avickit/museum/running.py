"""Defects of patch 6: IsRunning and the host APIC ID in the physical table, wrong or too late. (defects.md 1a)

Does not model: the hypervisor's own TLB and caches; a debug build's ASSERT is told in the story only.
"""

from dataclasses import dataclass

from avickit.beat import AND, LOAD, STORE, Beats, Kind, Site, World
from avickit.manual.apic import ApicId, Offset
from avickit.museum.registry import brings
from avickit.series import p04_initialization as p04
from avickit.series import p05_vmexit_handlers as p05
from avickit.series import p06_scheduling as p06
from avickit.series.p04_initialization import avic_domain, svm_avic_vcpu_enabled
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import Vcpu, panic, xen
from avickit.xen.sched import READ_LOADED, pi_hook
from avickit.xen.vlapic_state import at

NO_ENTRY = 0xFF

PLAIN_CLEAR = Site(
    Kind.UPDATE, STORE, "X6-3", "defect X03", "clears IsRunning in {place} by a plain store: no full barrier"
)
READ_ID = Site(Kind.READ, LOAD, "X6-0", "defects X08, X09", "which entry? by a register the guest can write: {old}")
READ_MOVED = Site(Kind.READ, LOAD, "X6-0", "defect X10", "which entry? the cached pointer's: {old}")
COPY_ENTRY = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "copies the entry to {place}, whoever has it")
ZERO_ENTRY = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "empties {place}, the entry of the old ID")
KEEP_MOVED = Site(Kind.UPDATE, STORE, "X5-4", "defect X10", "the cached pointer follows")
STALE_HOST = Site(Kind.UPDATE, STORE, "X6-1", "defect K02", "writes the entry as it was thought to be: {new}")
FORGET_HOST = Site(Kind.UPDATE, STORE, "X6-2", "defect P10", "IsRunning and host ID go in one plain store: {new}")
SHADOW_ONLY = Site(Kind.UPDATE, AND, "X6-1", "Linux d921665e01ba", "hardware never sees IsRunning set: {new}")


@dataclass(frozen=True)
class MovedEntry:
    """Per vCPU: the APIC ID whose entry its cached pointer denotes, plus 1; 0 as long as it is its own. (X10)"""

    moved_to: int


@brings("X01")
def block_hook_lost(w: World) -> None:
    """The flag PI_CSW_BLOCK is set, and nobody asks for it; the function pointer stays NULL. (X6-3)"""
    w.replace(sched.arch_vcpu_block, no_block_hook, "X01")


def no_block_hook(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Nothing is called: IsRunning stays 1 for a vCPU that goes to sleep. (X6-3, X6-6; X01)"""
    return
    yield


@brings("X03")
def block_by_plain_store(w: World) -> None:
    """IsRunning is cleared by a plain store. (X6-5)"""
    w.replace(p06.avic_vcpu_block, plain_block, "X03")


def plain_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Read the entry, clear the bit, store it: IRR may be read before others see it. (X6-3, X6-5; X03)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        place = yield from p06.physical_entry(w, v)
        entry = yield p06.READ_ENTRY(place)
        yield PLAIN_CLEAR(place, entry & ~p06.IS_RUNNING)


@brings("X04")
def hooks_swapped(w: World) -> None:
    """pi_switch_to is unload, pi_switch_from is load. (X6-1, X6-2)"""
    w.replace(sched.ctxt_switch_to, switch_to_unloads, "X04")
    w.replace(sched.ctxt_switch_from, switch_from_loads, "X04")


def switch_to_unloads(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Switching in clears IsRunning. (X6-1; X04)"""
    yield from pi_hook(w, core, v, "from")


def switch_from_loads(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Switching out sets IsRunning, with the APIC ID of the core that is being left. (X6-2; X04)"""
    left = w.objects["pcpus"][(yield READ_LOADED(v.cells.loaded_on)) - 1].core
    yield from pi_hook(w, left, v, "to")


@brings("X05")
def aborted_block_stays_stopped(w: World) -> None:
    """vcpu_block does what it did before the series: nobody sets IsRunning again. (X6-3)"""
    w.replace(sched.block_aborted, sched.block_aborted.fn, "X05")


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


@brings("X39")
def host_id_of_8_bits(w: World) -> None:
    """The entry's field is written with 8 bits. (H-TAB-1)"""
    w.replace(p06.host_id, truncated_host_id, "X39")


def truncated_host_id(w: World, core: Core) -> Beats[int]:
    """A host APIC ID above 255 names another core. (X6-1, H-TAB-1; X39)"""
    return core.host_apic_id & 0xFF
    yield


@brings("K02")
def preempted_while_it_loads(w: World) -> None:
    """IsRunning and host ID are written with preemption on: a stale write may come last. (X6-1)"""
    w.replace(p06.avic_vcpu_resume, stale_load, "K02")


def stale_load(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Read the entry, think of a core, then write both: the vCPU may have moved in between. (X6-1, X6-3; K02)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        place = yield from p06.physical_entry(w, v)
        entry = yield p06.READ_ENTRY(place)
        yield STALE_HOST(place, entry & ~p06.HOST_ID | core.host_apic_id | p06.IS_RUNNING)


@brings("K01-shadow")
def never_expose_is_running(w: World) -> None:
    """Linux's answer to erratum 1235: IsRunning stays 0 in the table that the hardware reads. (H-CPUID-5)"""
    w.replace(p06.avic_vcpu_load, load_without_is_running, "K01-shadow")
    w.replace(p06.avic_vcpu_resume, no_block_hook, "K01-shadow")
    w.replace(sched.block_aborted, sched.block_aborted.fn, "K01-shadow")


def load_without_is_running(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The host ID is kept, IsRunning is not set: every IPI but to oneself exits. (X6-1, H-IPI-6; K01)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        place = yield from p06.physical_entry(w, v)
        entry = yield p06.READ_ENTRY(place)
        yield p06.SET_HOST(place, entry & ~p06.HOST_ID | (yield from p06.host_id(w, core)))
        yield SHADOW_ONLY(place, ~p06.IS_RUNNING)


@brings("P3")
def table_by_vcpu_id(w: World) -> None:
    """The physical table is indexed by vcpu_id, while guest APIC IDs are twice that. (X0-1, X4-4)"""
    w.replace(p04.entry_index, vcpu_id_as_index, "P3")


def vcpu_id_as_index(w: World, v: Vcpu) -> Beats[int]:
    """An IPI to ID 2 reaches vCPU 2. (X4-4, H-TAB-1; P3)"""
    return v.vcpu_id
    yield


@brings("P10")
def unload_forgets_the_core(w: World) -> None:
    """Switching out also zeroes the host ID, in one plain 64-bit store. (X6-2)"""
    w.replace(p06.avic_vcpu_unload, zero_host_id, "P10")


def zero_host_id(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A copy of the entry, without IsRunning and host ID, is stored back. (X6-2; P10)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        place = yield from p06.physical_entry(w, v)
        entry = yield p06.READ_ENTRY(place)
        yield FORGET_HOST(place, entry & ~p06.IS_RUNNING & ~p06.HOST_ID)

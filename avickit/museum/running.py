"""Defects of patch 6: IsRunning and the host APIC ID in the physical table, wrong or too late. (defects.md 1a)

Does not model: the hypervisor's own TLB and caches; a debug build's ASSERT is told in the story only.
"""

from avickit.beat import AND, STORE, Beats, Kind, Site, World
from avickit.museum.registry import brings
from avickit.series import p06_scheduling as p06
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import Vcpu
from avickit.xen.sched import READ_LOADED, pi_hook

PLAIN_CLEAR = Site(
    Kind.UPDATE, STORE, "X6-3", "defect X03", "clears IsRunning in {place} by a plain store: no full barrier"
)
STALE_HOST = Site(Kind.UPDATE, STORE, "X6-1", "defect K02", "writes the entry as it was thought to be: {new}")
FORGET_HOST = Site(Kind.UPDATE, STORE, "X6-2", "defect P10", "IsRunning and host ID go in one plain store: {new}")
SHADOW_ONLY = Site(Kind.UPDATE, AND, "X6-1", "Linux d921665e01ba", "hardware never sees IsRunning set: {new}")


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

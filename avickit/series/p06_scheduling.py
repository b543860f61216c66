"""x86/SVM: Add vcpu scheduling support for AVIC.

IsRunning and the host physical APIC ID in the physical table follow the scheduler, through the domain's pi_ops.
(X6-0 .. X6-6) Why: only with IsRunning set does the hardware ring a doorbell instead of leaving the sender's guest.
Published differently: X01, X03, X04, X05, X08, X09.
"""

from avickit.beat import AND, FENCE, LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.tables import PhysicalEntry
from avickit.series import p04_initialization as p04
from avickit.series.p04_initialization import AvicDomain, avic_domain, entry_index, svm_avic_vcpu_enabled
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import BLOCKED, Domain, Vcpu, xen
from avickit.xen.sched import PI_CSW_BLOCK, PI_CSW_FROM, PI_CSW_RESUME, PI_CSW_TO, UNBLOCK, pi_hook

IS_RUNNING, HOST_ID = PhysicalEntry.IS_RUNNING.mask, PhysicalEntry.HOST_APIC_ID.mask

SET_PI_OPS = Site(Kind.UPDATE, STORE, "X6-4", "Xen svm_avic_dom_init", "the domain wants the scheduling hooks")
FIND_TABLE = Site(Kind.READ, LOAD, "X6-0", "Xen avic_get_physical_id_entry", "where is the physical table?")
READ_ENTRY = Site(Kind.READ, LOAD, "X6-1", "Xen avic_vcpu_load", "reads {place}: {old}")
SET_HOST = Site(Kind.UPDATE, STORE, "X6-1", "Xen avic_vcpu_load", "writes the core's APIC ID into {place}")
BARRIER = Site(Kind.CHECK, FENCE, "X6-1", "Xen smp_wmb", "the host ID is visible before IsRunning")
SET_RUNNING = Site(Kind.UPDATE, OR, "X6-1", "Xen avic_vcpu_load", "sets IsRunning in {place}")
CLEAR_RUNNING = Site(Kind.UPDATE, AND, "X6-2", "Xen avic_vcpu_unload", "clears IsRunning in {place}")
SLEEP_RUNNING = Site(Kind.UPDATE, AND, "X6-3", "Xen avic_vcpu_block", "clears IsRunning in {place}, before IRR is read")


@Op
def physical_entry(w: World, v: Vcpu) -> Beats[int]:
    """The place of the vCPU's entry, by the vCPU, not by a register that the guest can write. (X6-0; X08, X09)"""
    cells: AvicDomain = avic_domain(w, v.domain)
    return (yield FIND_TABLE(cells.physical_table)) + (yield from entry_index(w, v))  # type: ignore[no-any-return]


@Op
def avic_vcpu_load(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Switch to: the core's APIC ID, a write barrier, then IsRunning. (X6-1; swapped with unload: X04)"""
    if not (yield from svm_avic_vcpu_enabled(w, v)):
        return
    place = yield from physical_entry(w, v)
    entry = yield READ_ENTRY(place)
    yield SET_HOST(place, entry & ~HOST_ID | (yield from host_id(w, core)))
    yield BARRIER(place)
    yield SET_RUNNING(place, IS_RUNNING)


@Op
def host_id(w: World, core: Core) -> Beats[int]:
    """The core's physical APIC ID as the entry holds it. (X6-1, H-TAB-1; X39)"""
    return core.host_apic_id
    yield


@Op
def avic_vcpu_unload(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Switch from: IsRunning = 0. (X6-2)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield CLEAR_RUNNING((yield from physical_entry(w, v)), ~IS_RUNNING)


@Op
def avic_vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The vCPU is about to sleep: IsRunning = 0, by a locked operation: a full barrier. (X6-3, X6-5; X01, X03)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield SLEEP_RUNNING((yield from physical_entry(w, v)), ~IS_RUNNING)


@Op
def avic_vcpu_resume(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Before the guest is entered again: IsRunning = 1. (X6-3)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield SET_RUNNING((yield from physical_entry(w, v)), IS_RUNNING)


def block_aborted(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """An event came in time: not blocked, and IsRunning = 1 again before the next VMRUN. (X6-3; X05)"""
    yield UNBLOCK(v.cells.pause_flags, ~BLOCKED)
    yield from pi_hook(w, core, v, "resume")


@Op
def svm_avic_dom_init(w: World, core: Core, d: Domain) -> Beats[bool]:
    """What patch 4 does, then the domain asks for the four hooks. (X6-4; the block hook in B2: X01)"""
    done: bool = yield from p04.svm_avic_dom_init(w, core, d)
    if done and xen(w).flags.get("svm_avic"):
        yield SET_PI_OPS(d.cells.pi_ops, PI_CSW_FROM | PI_CSW_TO | PI_CSW_BLOCK | PI_CSW_RESUME)
    return done


def apply(w: World) -> None:
    """Four hooks in the function table, and an aborted block that puts IsRunning back. (X6-4)"""
    funcs = xen(w).funcs
    funcs.update(domain_init=svm_avic_dom_init, pi_from=avic_vcpu_unload, pi_to=avic_vcpu_load)
    funcs.update(pi_block=avic_vcpu_block, pi_resume=avic_vcpu_resume)
    w.replace(sched.block_aborted, block_aborted, "patch 6")

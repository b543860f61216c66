"""x86/SVM: Add AVIC vmexit handlers.

Exit 401h, an IPI that the hardware could not complete: emulate it (ID 0), wake who sleeps (ID 1), and so on. Exit 402h,
an access it did not accelerate: do after a trap what the write means, emulate the instruction after a fault.
Published differently: X06, X10, X18, X19, X29, X44 here; X11-X16 in `logical_table`.
"""

from avickit.beat import Beats, Op, World
from avickit.manual.apic import Esr, Ldr, Offset
from avickit.manual.exits import ExitCode, IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure, NoAccelInfo1
from avickit.manual.icr import ICRH, ICRL
from avickit.manual.tables import XAVIC_BROADCAST
from avickit.manual.vmcb import VmcbOffset
from avickit.series.logical_table import (
    AvicVcpu,
    avic_dfr_update,
    avic_ldr_update,
    avic_vlapic_reset,
    no_logical_id,
)
from avickit.silicon.parts import Core
from avickit.xen import svm, vlapic
from avickit.xen.parts import Vcpu, domain_crash, link, vcpus_of, xen
from avickit.xen.sched import vcpu_kick
from avickit.xen.vmcb import vmcb_read

LVTS = (Offset.LVT_TIMER, Offset.LVT_THERMAL, Offset.LVT_PERF, Offset.LVT_LINT0, Offset.LVT_LINT1, Offset.LVT_ERROR)
OTHER_TRAPS = (Offset.ID, Offset.EOI, Offset.RRR, Offset.LDR, Offset.DFR, Offset.SVR, Offset.ESR, Offset.ICRL)
TRAPS = frozenset((*OTHER_TRAPS, *LVTS, Offset.TMICT, Offset.TDCR))
"""The registers whose write is a trap: avic_is_trap(). (X5-4)"""


@Op
def vmexit_incomplete_ipi(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_avic_vmexit_do_incomp_ipi: exit 401h, by its ID. (X5-1, X5-2, X5-3, H-EXIT-1)"""
    info1 = IncompleteIpiInfo1.raw((yield from vmcb_read(w, v, VmcbOffset.EXITINFO1)))
    info2 = IncompleteIpiInfo2.raw((yield from vmcb_read(w, v, VmcbOffset.EXITINFO2)))
    yield from count_incomplete_ipi(w, v)
    handler = INCOMPLETE.get(info2.ID, unknown_failure)
    yield from handler(w, core, v, info1.ICRL, info1.ICRH, info2)


@Op
def count_incomplete_ipi(w: World, v: Vcpu) -> Beats[None]:
    """Where patch 10 counts. (X10-1)"""
    return
    yield


@Op
def emulate_ipi(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """ID 0: the hardware cannot send this kind; replay ICRH, then ICRL, through vlapic. (X5-1)"""
    write = link(w, "vlapic_reg_write", "avic.c")
    yield from write(w, core, v, Offset.ICRH, icrh)
    yield from write(w, core, v, Offset.ICRL, icrl)


@Op
def wake_targets(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """ID 1: the IRR bits are set already; kick every target but the sender. (X5-2, H-IPI-6; X06, X44)"""
    for target in vcpus_of(w, v.domain):
        if target.vcpu_id != v.vcpu_id and (yield from is_target(w, core, v, target, icrl, icrh)):
            yield from vcpu_kick(w, core, target)


@Op
def is_target(w: World, core: Core, v: Vcpu, target: Vcpu, icrl: int, icrh: int) -> Beats[bool]:
    """Whether the IPI went to this vCPU; FFh is everybody, physical or logical. (X5-2, H-IPI-9; X44)"""
    shorthand, destination = ICRL.DESTINATION_SHORTHAND.of(icrl), ICRH.DESTINATION.of(icrh)
    if not shorthand and destination == XAVIC_BROADCAST:
        return True
    logical = bool(icrl & ICRL.DESTINATION_MODE.mask)
    return bool((yield from vlapic.vlapic_match_dest(w, target, v, shorthand, destination, logical)))


@Op
def invalid_target(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """ID 2: nothing was delivered to anybody; emulate it for the targets that exist. (X5-3, H-IPI-7; X18)"""
    yield from emulate_ipi(w, core, v, icrl, icrh, info2)


@Op
def invalid_page(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """ID 3: the table that Xen wrote is broken; crash the domain. (X5-3; the index: X19)"""
    index = yield from printed_index(w, info2)
    yield from domain_crash(w, v.domain, f"SVM: Invalid bk page (icr=0x{icrh:08x}:{icrl:08x}, idx={index})")


@Op
def printed_index(w: World, info2: IncompleteIpiInfo2) -> Beats[int]:
    """The table index of EXITINFO2, as a message prints it. (X5-3, H-EXIT-1; X19)"""
    return info2.INDEX
    yield


@Op
def invalid_vector(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """ID 4: a vector below 16 is the guest's error: ESR send-illegal, nothing delivered. (X5-3; X29)"""
    yield from vlapic.vlapic_error(w, core, v, Esr.SENT_ILLEGAL_VECTOR.mask)


@Op
def unknown_failure(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """An ID that nobody knows. (X5-3)"""
    yield from domain_crash(w, v.domain, f"SVM: Unknown IPI interception ({int(info2.ID):#x})")


INCOMPLETE = {
    IpiFailure.INVALID_TYPE: emulate_ipi,
    IpiFailure.NOT_RUNNING: wake_targets,
    IpiFailure.INVALID_TARGET: invalid_target,
    IpiFailure.INVALID_PAGE: invalid_page,
    IpiFailure.INVALID_VECTOR: invalid_vector,
}


@Op
def vmexit_no_acceleration(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_avic_vmexit_do_noaccel: exit 402h, after a trap or a fault. (X5-4, X5-5, H-EXIT-2)"""
    info1 = NoAccelInfo1.raw((yield from vmcb_read(w, v, VmcbOffset.EXITINFO1)))
    offset = info1.OFFSET << 4
    yield from count_no_acceleration(w, v)
    if not (yield from is_trap(w, offset)):
        yield from emulate_fault(w, core, v)
    elif not info1.WRITE:
        yield from trap_read(w, core, v, offset)
    elif not (yield from trap_write(w, core, v, offset)):
        yield from trap_failed(w, core, v, offset)


@Op
def is_trap(w: World, offset: int) -> Beats[bool]:
    """avic_is_trap: whether a write of this register is a trap. (X5-4; X30)"""
    return offset in TRAPS
    yield


@Op
def trap_read(w: World, core: Core, v: Vcpu, offset: int) -> Beats[None]:
    """No read is a trap: log, and crash the domain. (X5-4; X31)"""
    yield from domain_crash(w, v.domain, f"Invalid #VMEXIT due to trap read ({offset:#x})")


@Op
def trap_failed(w: World, core: Core, v: Vcpu, offset: int) -> Beats[None]:
    """The write landed in the page, and means nothing that Xen can do: crash the domain. (X5-4; X31)"""
    yield from domain_crash(w, v.domain, f"Failed to handle trap write ({offset:#x})")


@Op
def count_no_acceleration(w: World, v: Vcpu) -> Beats[None]:
    """Where patch 10 counts. (X10-1)"""
    return
    yield


@Op
def trap_write(w: World, core: Core, v: Vcpu, offset: int) -> Beats[bool]:
    """avic_unaccel_trap_write: the page holds the new value; do what writing it means. (X5-4; X25)"""
    value = yield from link(w, "vlapic_reg_read", "avic.c")(w, core, v, offset)
    if offset == Offset.ID and not (yield from avic_apic_id_update(w, core, v, value)):
        return False
    if offset == Offset.LDR:
        if not Ldr.LOGICAL_ID.of(value) and not (yield from no_logical_id(w, core, v)):
            return False
        yield from avic_ldr_update(w, core, v, value)
    elif offset == Offset.DFR:
        yield from avic_dfr_update(w, core, v, value)
    yield from link(w, "vlapic_reg_write", "avic.c")(w, core, v, offset, value)
    return True


@Op
def avic_apic_id_update(w: World, core: Core, v: Vcpu, value: int) -> Beats[bool]:
    """The guest wrote its APIC ID: that cannot be handled. (X5-4; X09, X10)"""
    return False
    yield


@Op
def emulate_fault(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A fault: nothing has happened yet; emulate the instruction, #UD where that cannot be done. (X5-5)"""
    if not (yield from svm.emulate(w, core, v)):
        yield from svm.inject_fault(w, v, svm.UD_VECTOR)


def apply(w: World) -> None:
    """Two handlers, and the logical table's bookkeeping; both need what patch 3 made visible. (X5-1 .. X5-6)"""
    for name in ("vlapic_reg_read", "vlapic_reg_write"):
        link(w, name, "avic.c")
    host = xen(w)
    host.vmexits[int(ExitCode.AVIC_INCOMPLETE_IPI)] = vmexit_incomplete_ipi
    host.vmexits[int(ExitCode.AVIC_NOACCEL)] = vmexit_no_acceleration
    host.funcs["vlapic_reset"] = avic_vlapic_reset
    host.vcpu_fields["avic_vcpu"] = AvicVcpu

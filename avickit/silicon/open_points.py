"""The other behaviours: for each point the manual leaves open, what else a core might do; and erratum 1235.

Each function has the signature of the step that it replaces; `choices` says which and when.
Does not model: open points of x2AVIC, Secure AVIC and the IOMMU.
"""

from avickit.beat import AND, FENCE, LOAD, STORE, Beats, Kind, Site, World
from avickit.manual.apic import Offset, Svr
from avickit.manual.exits import ExitCode, IpiFailure
from avickit.manual.icr import ICRL
from avickit.manual.vmcb import VIntr
from avickit.silicon import deliver, doorbell, ipi, targets, vmrun
from avickit.silicon.parts import Core, Exit, Guest, Latch

CLEAR_TMR = Site(Kind.UPDATE, AND, "H-IPI-5", "APM2 15.29.6.1 step 5", "clears the target's TMR bit: edge")
READ_SVR = Site(Kind.CHECK, LOAD, "H-IPI-12", "APM2 15.29.6.1", "is the target's APIC software-enabled? {old}")
READ_OWN_ID = Site(Kind.READ, LOAD, "H-IPI-11", "APM2 15.29.6.1", "reads the sender's APIC ID register: {old}")
PLAIN_READ = Site(Kind.READ, LOAD, "H-CPUID-5", "erratum 1235", "reads the target's IRR, without a lock")
PLAIN_WRITE = Site(
    Kind.UPDATE, STORE, "H-CPUID-5", "erratum 1235", "writes the target's IRR: vector {bits}, no barrier"
)
DRAIN = Site(Kind.CHECK, FENCE, "H-BELL-1", "APM2 15.29.8.2 p.578", "the store buffer drains before the doorbell rings")
RESERVED_ICRL = ICRL.reserved.mask


def ignore_missing_np(w: World) -> Beats[str]:
    """VMRUN does not mind. (H-VMCB-8)"""
    return ""
    yield


def reload_avic_bits(w: World, core: Core, vmcb: int, clean: int) -> Beats[int]:
    """Bits 31:30 are read every time; clean bit 3 covers the rest. (H-VMCB-11)"""
    kept = yield from vmrun.load_vintr.fn(w, core, vmcb, clean)
    bits = VIntr.AVIC_ENABLE.mask | VIntr.X2AVIC_ENABLE.mask
    return kept & ~bits | (yield vmrun.READ_VMCB(vmcb + vmrun.VINTR)) & bits  # type: ignore[no-any-return]


def keep_tpr(w: World, value: int) -> Beats[int]:
    """All 32 bits stay in the page. (H-PRIO-2)"""
    return value
    yield


def priority_from_page(w: World, core: Core, page: int) -> Beats[None]:
    """VMRUN computes PPR from the page's TPR. (H-PRIO-3)"""
    isr = yield deliver.READ_ISR(page + deliver.ISR)
    tpr = yield deliver.READ_TPR(page + deliver.TPR)
    yield deliver.SET_PPR(page + deliver.PPR, deliver.ppr_of(tpr, isr))


def only_if_left(w: World, core: Core, guest: Guest) -> Beats[None]:
    """Only what an earlier evaluation left pending is looked at. (H-EVAL-1)"""
    if w.see[core.pending]:
        yield from deliver.evaluate(w, core, guest)


def eoi_trap_cleared(w: World, core: Core, page: int, vector: int) -> Beats[int | Exit]:
    """The ISR bit is already clear when the guest is left. (H-EOI-2)"""
    yield from deliver.end_vector(w, core, page, vector)
    return Exit(ExitCode.AVIC_NOACCEL, deliver.EOI_WRITE, vector, past=True)


def eoi_fault(w: World, core: Core, page: int, vector: int) -> Beats[int | Exit]:
    """A fault: RIP stays at the instruction, ISR as it was. (H-EOI-2)"""
    return Exit(ExitCode.AVIC_NOACCEL, deliver.EOI_WRITE, vector)
    yield


def vector_first(w: World, icrl: int) -> Beats[IpiFailure | None]:
    """The vector is checked before type and trigger mode. (H-IPI-0)"""
    if icrl & targets.VECTOR < ipi.FIRST_LEGAL_VECTOR:
        return IpiFailure.INVALID_VECTOR
    return (yield from ipi.refuse.fn(w, icrl))


def old_vectors(w: World, icrl: int) -> Beats[IpiFailure | None]:
    """The hardware that the series knew: IDs 0 to 3 only, a vector below 16 is not looked at. (H-IPI-0)"""
    return IpiFailure.INVALID_TYPE if icrl & ipi.TYPE_OR_LEVEL else None
    yield


def nobody_is_invalid(w: World, latch: Latch, destination: int) -> Beats[tuple[targets.Target, ...] | targets.Failed]:
    """A logical destination without a bit set exits with ID 2. (H-IPI-3a)"""
    found = yield from targets.by_logical_id.fn(w, latch, destination)
    return found if found else targets.Failed(IpiFailure.INVALID_TARGET)


def always_flat(w: World, latch: Latch, destination: int) -> Beats[tuple[targets.Target, ...] | targets.Failed]:
    """The hardware takes every logical destination as flat, whatever DFR says. (H-IPI-3a)"""
    return (yield from targets.look_up_all(w, latch, tuple(i for i in range(8) if destination >> i & 1)))


def clear_tmr(w: World, page: int, vector: int) -> Beats[None]:
    """The target's TMR bit is cleared too, as a real APIC does on acceptance. (H-IPI-5)"""
    yield CLEAR_TMR(page + deliver.TMR, ~(1 << vector))
    yield ipi.SET_IRR(page + deliver.IRR, 1 << vector)


def only_if_enabled(w: World, page: int, vector: int) -> Beats[None]:
    """A software-disabled target takes nothing. (H-IPI-12)"""
    if (yield READ_SVR(page + (Offset.SVR >> 4))) & Svr.ENABLE.mask:
        yield ipi.SET_IRR(page + deliver.IRR, 1 << vector)


def check_as_met(w: World, found: tuple[targets.Target, ...], vector: int) -> Beats[None]:
    """A broadcast posts to those that it met before the broken entry. (H-IPI-7)"""
    for target in found:
        yield from ipi.accept_ipi(w, target.page, vector)


def highest_stopped(w: World, stopped: targets.Failed | None, index: int) -> Beats[targets.Failed]:
    """Of several stopped targets the highest index is reported. (H-IPI-8)"""
    worst = index if stopped is None else max(stopped.number, index)
    return targets.Failed(IpiFailure.NOT_RUNNING, worst)
    yield


def busy_status(w: World, value: int) -> Beats[int]:
    """Delivery status is seen set, in the page and in EXITINFO1. (H-IPI-10)"""
    return value | ipi.STATUS
    yield


def clear_reserved(w: World, value: int) -> Beats[int]:
    """Reserved bits of ICRL read 0 after the write. (H-IPI-10)"""
    return value & ~ipi.STATUS & ~RESERVED_ICRL
    yield


def sender_by_id(w: World, latch: Latch, page: int, index: int) -> Beats[bool]:
    """All-but-self leaves out the entry that the sender's APIC ID register names. (H-IPI-11)"""
    own = yield READ_OWN_ID(latch.page + (Offset.ID >> 4))
    return index == own >> ipi.DEST_SHIFT  # type: ignore[no-any-return]


def any_doorbell_id(w: World, core: Core, value: int) -> Beats[bool]:
    """IDs above 255 are taken as they are. (H-BELL-1)"""
    yield from doorbell.ring(w, core, value)
    return True


def ring_after_stores(w: World, core: Core, host_apic_id: int) -> Beats[None]:
    """The core's store buffer drains before the message leaves. (H-BELL-1)"""
    yield DRAIN(core.signals)
    yield from doorbell.ring.fn(w, core, host_apic_id)


def hold_doorbell(w: World, core: Core) -> Beats[None]:
    """A doorbell in host mode waits for guest mode. (H-BELL-3)"""
    return
    yield


def npf_for_pointer(w: World, name: str, address: int) -> Beats[str]:
    """A pointer out of range is a nested page fault instead of VMEXIT_INVALID. (H-VMCB-15)"""
    failure = yield from vmrun.pointer_failure.fn(w, name, address)
    return vmrun.AS_NPF + failure if failure else ""


def unlocked_irr(w: World, page: int, vector: int) -> Beats[None]:
    """Erratum 1235: the IRR write is no barrier, so a core may miss that IsRunning was cleared. (H-CPUID-5)"""
    old = yield PLAIN_READ(page + deliver.IRR)
    yield PLAIN_WRITE(page + deliver.IRR, old | 1 << vector)

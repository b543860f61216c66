"""Sending an interrupt: what the hardware does with a write of ICRL. (APM2 15.29.6.1 p.576-577)

Lay it beside the manual's six steps. Does not model: x2AVIC's table-free logical destinations, Secure AVIC (ID 5).
"""

from avickit.beat import LOAD, OR, SIGNAL, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Offset
from avickit.manual.exits import ExitCode, IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure
from avickit.manual.icr import ICRH, ICRL, Shorthand
from avickit.manual.tables import PhysicalEntry
from avickit.silicon.deliver import IRR
from avickit.silicon.doorbell import ring
from avickit.silicon.parts import Core, Exit, Guest, Latch
from avickit.silicon.targets import SHORTHAND, VECTOR, Failed, Target, find_targets

ICRL_SLOT, ICRH_SLOT = Offset.ICRL >> 4, Offset.ICRH >> 4
TYPE_OR_LEVEL = ICRL.MESSAGE_TYPE.mask | ICRL.TRIGGER_MODE.mask
STATUS = ICRL.DELIVERY_STATUS.mask
SELF = Shorthand.SELF << ICRL.DESTINATION_SHORTHAND.lsb
IS_RUNNING, HOST_ID = PhysicalEntry.IS_RUNNING.mask, PhysicalEntry.HOST_APIC_ID.mask
DEST_SHIFT = ICRH.DESTINATION.lsb
FIRST_LEGAL_VECTOR = 16

STORE_ICRL = Site(
    Kind.UPDATE, STORE, "H-IPI-10", "APM2 15.29.6.1 step 1", "the write lands in the page: {place} = {new}"
)
READ_ICRH = Site(Kind.READ, LOAD, "H-IPI-1", "APM2 15.29.6.1 step 1", "reads the destination from ICRH: {old}")
SET_IRR = Site(Kind.UPDATE, OR, "H-IPI-5", "APM2 15.29.6.1 step 5", "sets the target's IRR bit of vector {bits}")
READ_RUNNING = Site(Kind.CHECK, LOAD, "H-IPI-5", "APM2 15.29.6.1 step 5", "reads IsRunning in {place}: {running}")
SELF_BELL = Site(Kind.SIGNAL, SIGNAL, "H-IPI-1", "APM2 15.29.6.1 step 2", "rings its own doorbell")


@Op
def write_icrl(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
    """The six steps of 15.29.6.1, and #VMEXIT 401h where they cannot be completed. (H-IPI-0 .. H-IPI-12)"""
    latch: Latch = w.see[core.latch]
    icrl = yield from written_icrl(w, value)
    yield STORE_ICRL(latch.page + ICRL_SLOT, icrl)
    icrh: int = yield READ_ICRH(latch.page + ICRH_SLOT)
    failed = yield from send(w, core, latch, icrh >> DEST_SHIFT, icrl)
    if failed is None:
        return 0
    info1 = IncompleteIpiInfo1(ICRH=icrh, ICRL=icrl)
    info2 = IncompleteIpiInfo2(ID=failed.why, INDEX=failed.number)
    return Exit(ExitCode.AVIC_INCOMPLETE_IPI, info1.value, info2.value, past=True)


@Op
def written_icrl(w: World, value: int) -> Beats[int]:
    """What stands in the page after the write: delivery status reads 0, reserved bits stay. (H-IPI-10, OPEN)"""
    return value & ~STATUS
    yield


@Op
def send(w: World, core: Core, latch: Latch, destination: int, icrl: int) -> Beats[Failed | None]:
    """Check, find the targets, post to all of them. None: complete. (H-IPI-0, H-IPI-1, H-IPI-6)"""
    refused = yield from refuse(w, icrl)
    if refused is not None:
        return Failed(refused)
    vector = icrl & VECTOR
    if icrl & SHORTHAND == SELF:
        yield SET_IRR(latch.page + IRR, 1 << vector)
        yield SELF_BELL(core.signals, 1)
        return None
    targets = yield from find_targets(w, latch, destination, icrl)
    if isinstance(targets, Failed):
        return targets
    return (yield from post_to_all(w, core, targets, vector))


@Op
def refuse(w: World, icrl: int) -> Beats[IpiFailure | None]:
    """Only fixed and edge is accelerated; then a vector below 16 is refused. (H-IPI-0, OPEN order)"""
    if icrl & TYPE_OR_LEVEL:
        return IpiFailure.INVALID_TYPE
    if icrl & VECTOR < FIRST_LEGAL_VECTOR:
        return IpiFailure.INVALID_VECTOR
    return None
    yield


@Op
def post_to_all(w: World, core: Core, targets: tuple[Target, ...], vector: int) -> Beats[Failed | None]:
    """Steps 5 and 6: IRR, then IsRunning, then a doorbell or a note that it stands. (H-IPI-5, H-IPI-6)"""
    stopped: Failed | None = None
    for target in targets:
        yield from accept_ipi(w, target.page, vector)
        entry = yield READ_RUNNING(target.entry)
        if entry & IS_RUNNING:
            yield from ring(w, core, entry & HOST_ID)
        else:
            stopped = yield from blame(w, stopped, target.number)
    return stopped


@Op
def accept_ipi(w: World, page: int, vector: int) -> Beats[None]:
    """The target's IRR bit, by a locked OR; its TMR bit stays as it was. (H-IPI-5, OPEN; H-IPI-12)"""
    yield SET_IRR(page + IRR, 1 << vector)


@Op
def blame(w: World, stopped: Failed | None, index: int) -> Beats[Failed]:
    """Which of several stopped targets is reported: the lowest index. (H-IPI-8, OPEN)"""
    return stopped if stopped is not None and stopped.number < index else Failed(IpiFailure.NOT_RUNNING, index)
    yield

"""Sending an interrupt: what the hardware does with a write of ICRL. (APM2 15.29.6.1 p.576-577)

Lay it beside the manual's six steps. Does not model: x2AVIC's table-free logical destinations, Secure AVIC (ID 5).
"""

from typing import NamedTuple

from avickit.beat import LOAD, OR, SIGNAL, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr, Offset
from avickit.manual.exits import ExitCode, IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure
from avickit.manual.icr import ICRH, ICRL, Shorthand
from avickit.manual.tables import LogicalEntry, PhysicalEntry, logical_indices
from avickit.silicon.deliver import IRR
from avickit.silicon.doorbell import ring
from avickit.silicon.parts import Core, Exit, Guest, Latch, page_at

ICRL_SLOT, ICRH_SLOT, DFR_SLOT = Offset.ICRL >> 4, Offset.ICRH >> 4, Offset.DFR >> 4
TYPE_OR_LEVEL = ICRL.MESSAGE_TYPE.mask | ICRL.TRIGGER_MODE.mask
VECTOR, LOGICAL, STATUS = ICRL.VECTOR.mask, ICRL.DESTINATION_MODE.mask, ICRL.DELIVERY_STATUS.mask
SHORTHAND, SHORT_SHIFT = ICRL.DESTINATION_SHORTHAND.mask, ICRL.DESTINATION_SHORTHAND.lsb
SELF, ALL, ALL_BUT_SELF = (s << SHORT_SHIFT for s in (Shorthand.SELF, Shorthand.ALL, Shorthand.ALL_BUT_SELF))
DEST_SHIFT = ICRH.DESTINATION.lsb
BROADCAST, RESERVED_ENTRY = 0xFF, 0xFF
"""H-IPI-9: FFh is everybody. H-TAB-1: entry 255 is nobody in xAVIC."""
VALID, IS_RUNNING = PhysicalEntry.VALID.mask, PhysicalEntry.IS_RUNNING.mask
PAGE, HOST_ID = PhysicalEntry.BACKING_PAGE.mask, PhysicalEntry.HOST_APIC_ID.mask
FIRST_LEGAL_VECTOR = 16


class Target(NamedTuple):
    """One destination: the physical table's entry (its place), the target's page, the index to report."""

    entry: int
    page: int
    number: int


class Failed(NamedTuple):
    """Why an IPI could not be completed, and the index of the table entry that says so. (H-EXIT-1)"""

    why: IpiFailure
    number: int = 0


STORE_ICRL = Site(
    Kind.UPDATE, STORE, "H-IPI-10", "APM2 15.29.6.1 step 1", "the write lands in the page: {place} = {new}"
)
READ_ICRH = Site(Kind.READ, LOAD, "H-IPI-1", "APM2 15.29.6.1 step 1", "reads the destination from ICRH: {old}")
READ_DFR = Site(Kind.READ, LOAD, "H-IPI-3a", "APM2 15.29.6.1 step 3", "reads the sender's DFR: flat or cluster?")
LOOK_UP_LOGICAL = Site(
    Kind.CHECK, LOAD, "H-IPI-3", "APM2 15.29.6.1 step 3", "looks up {place}: is the logical ID anybody's?"
)
LOOK_UP = Site(Kind.CHECK, LOAD, "H-IPI-4", "APM2 15.29.6.1 step 4", "looks up {place}: is it valid?")
SET_IRR = Site(Kind.UPDATE, OR, "H-IPI-5", "APM2 15.29.6.1 step 5", "sets the target's IRR bit of vector {bits}")
READ_RUNNING = Site(Kind.CHECK, LOAD, "H-IPI-5", "APM2 15.29.6.1 step 5", "reads IsRunning in {place}: {running}")
SELF_BELL = Site(Kind.SIGNAL, SIGNAL, "H-IPI-1", "APM2 15.29.6.1 step 2", "rings its own doorbell")


@Op
def write_icrl(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
    """The six steps of 15.29.6.1, and #VMEXIT 401h where they cannot be completed. (H-IPI-0 .. H-IPI-12)"""
    latch: Latch = w.see(core.latch)
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
def find_targets(w: World, latch: Latch, destination: int, icrl: int) -> Beats[tuple[Target, ...] | Failed]:
    """Steps 2 to 4: shorthand or FFh is a broadcast, else one ID or the logical table. (H-IPI-2, H-IPI-9)"""
    if icrl & SHORTHAND or destination == BROADCAST:
        return (yield from everybody(w, latch, icrl & SHORTHAND == ALL_BUT_SELF, icrl & VECTOR))
    if icrl & LOGICAL:
        return (yield from by_logical_id(w, latch, destination))
    found = yield from look_up(w, latch, destination, destination)
    return (found,) if isinstance(found, Target) else found


@Op
def everybody(w: World, latch: Latch, but_self: bool, vector: int) -> Beats[tuple[Target, ...] | Failed]:
    """Entries 0..MAX_INDEX, never 255; the invalid are skipped. (H-IPI-4, H-IPI-11)

    All are checked before the first IRR write. (H-IPI-7, OPEN for ID 3)
    """
    found: list[Target] = []
    for index in range(min(latch.max_index + 1, RESERVED_ENTRY)):
        entry = yield LOOK_UP(latch.physical + index)
        if not entry & VALID:
            continue
        page = page_at(w, entry & PAGE)
        if page is None:
            yield from before_bad_page(w, latch, index, vector)
            return Failed(IpiFailure.INVALID_PAGE, index)
        if not (but_self and (yield from is_sender(w, latch, page, index))):
            found.append(Target(latch.physical + index, page, index))
    return tuple(found)


@Op
def before_bad_page(w: World, latch: Latch, index: int, vector: int) -> Beats[None]:
    """A broadcast met a broken entry: nobody has been posted to. (H-IPI-7, OPEN)"""
    return
    yield


@Op
def is_sender(w: World, latch: Latch, page: int, index: int) -> Beats[bool]:
    """The sender is the entry that points to its own backing page. (H-IPI-11, OPEN)"""
    return page == latch.page
    yield


@Op
def by_logical_id(w: World, latch: Latch, destination: int) -> Beats[tuple[Target, ...] | Failed]:
    """Step 3: each addressed entry of the logical table must be valid and lead to a valid one. (H-IPI-3, H-IPI-3a)"""
    dfr = yield READ_DFR(latch.page + DFR_SLOT)
    indices = logical_indices(dfr, destination) if dfr >> Dfr.MODEL.lsb in (0x0, 0xF) else None
    if indices is None:
        return Failed(IpiFailure.INVALID_TARGET, 0)
    return (yield from look_up_all(w, latch, indices))


@Op
def look_up_all(w: World, latch: Latch, indices: tuple[int, ...]) -> Beats[tuple[Target, ...] | Failed]:
    """Each of these entries of the logical table must be valid and lead to a valid one. (H-IPI-3)"""
    found: list[Target] = []
    for index in indices:
        entry = yield LOOK_UP_LOGICAL(latch.logical + index)
        if not entry & LogicalEntry.VALID.mask:
            return Failed(IpiFailure.INVALID_TARGET, index)
        target = yield from look_up(w, latch, entry & LogicalEntry.GUEST_APIC_ID.mask, index)
        if not isinstance(target, Target):
            return target
        found.append(target)
    return tuple(found)


@Op
def look_up(w: World, latch: Latch, apic_id: int, index: int) -> Beats[Target | Failed]:
    """Step 4: the physical table's entry must be in range, valid, and point to memory. (H-IPI-4, H-IPI-8, H-IPI-11)"""
    if apic_id > latch.max_index:
        return Failed(IpiFailure.INVALID_TARGET, index)
    entry = yield LOOK_UP(latch.physical + apic_id)
    if not entry & VALID:
        return Failed(IpiFailure.INVALID_TARGET, index)
    page = page_at(w, entry & PAGE)
    if page is None:
        return Failed(IpiFailure.INVALID_PAGE, index)
    return Target(latch.physical + apic_id, page, index)


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

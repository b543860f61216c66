"""Finding who an interrupt is for: steps 2 to 4 of APM2 15.29.6.1, through the two APIC ID tables.

Does not model: x2AVIC, whose logical destinations need no table, and tables of more than one page.
"""

from typing import NamedTuple

from avickit.beat import LOAD, Beats, Kind, Op, Site, World
from avickit.manual.apic import Dfr, Offset
from avickit.manual.exits import IpiFailure
from avickit.manual.icr import ICRL, Shorthand
from avickit.manual.tables import LogicalEntry, PhysicalEntry, logical_indices
from avickit.silicon.parts import Latch, page_at

DFR_SLOT = Offset.DFR >> 4
VECTOR, LOGICAL, SHORTHAND = ICRL.VECTOR.mask, ICRL.DESTINATION_MODE.mask, ICRL.DESTINATION_SHORTHAND.mask
ALL_BUT_SELF = Shorthand.ALL_BUT_SELF << ICRL.DESTINATION_SHORTHAND.lsb
VALID, PAGE = PhysicalEntry.VALID.mask, PhysicalEntry.BACKING_PAGE.mask
BROADCAST, RESERVED_ENTRY = 0xFF, 0xFF
"""H-IPI-9: FFh is everybody. H-TAB-1: entry 255 is nobody in xAVIC."""


class Target(NamedTuple):
    """One destination: the physical table's entry (its place), the target's page, the index to report."""

    entry: int
    page: int
    number: int


class Failed(NamedTuple):
    """Why an IPI could not be completed, and the index of the table entry that says so. (H-EXIT-1)"""

    why: IpiFailure
    number: int = 0


READ_DFR = Site(Kind.READ, LOAD, "H-IPI-3a", "APM2 15.29.6.1 step 3", "reads the sender's DFR: flat or cluster?")
LOOK_UP_LOGICAL = Site(
    Kind.CHECK, LOAD, "H-IPI-3", "APM2 15.29.6.1 step 3", "looks up {place}: is the logical ID anybody's?"
)
LOOK_UP = Site(Kind.CHECK, LOAD, "H-IPI-4", "APM2 15.29.6.1 step 4", "looks up {place}: is it valid?")


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
            yield from before_bad_page(w, tuple(found), vector)
            return Failed(IpiFailure.INVALID_PAGE, index)
        if not (but_self and (yield from is_sender(w, latch, page, index))):
            found.append(Target(latch.physical + index, page, index))
    return tuple(found)


@Op
def before_bad_page(w: World, found: tuple[Target, ...], vector: int) -> Beats[None]:
    """A broadcast met a broken entry: nobody has been posted to, those found before it neither. (H-IPI-7, OPEN)"""
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

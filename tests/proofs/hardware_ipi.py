"""Sending an interrupt: what a write of ICRL does. H-IPI, the six steps of APM2 15.29.6.1 (p.576-577)."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from avickit.beat import Beats, Do, World
from avickit.manual import tables
from avickit.manual.exits import IpiFailure
from avickit.silicon import doorbell, ipi, targets
from avickit.silicon.deliver import IRR
from avickit.silicon.guest import Insn, write
from avickit.silicon.parts import Core, Exit, Guest, Latch, page_at
from avickit.silicon.targets import Failed, Target
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import answered, changed, overlay, skip, then
from tests.silicon.bench import BACKING, LOGICAL_VALID, POKE, RUNNING, VALID, Bench

INCOMPLETE = 0x401
INVALID_TYPE, NOT_RUNNING, INVALID_TARGET, INVALID_PAGE, INVALID_VECTOR = range(5)
LOGICAL, BUSY, ASSERT, LEVEL = 0x800, 0x1000, 0x4000, 0x8000
SELF, ALL, ALL_BUT_SELF = 0x4_0000, 0x8_0000, 0xC_0000
CLUSTER_DFR = 0x0FFF_FFFF
NO_MEMORY = 1 << 40
"""A page pointer in the physical address range, at which this machine has no memory."""
EVERY_ANSWER = tuple[Target, ...] | Failed


def quiet(make: Make, vcpus: int = 3, **kw: Any) -> Bench:
    """vCPUs that run with IF = 0, so that what they get stays in IRR."""
    b = Bench(make, vcpus, **kw)
    for guest in b.guests:
        b.w.at[guest.interrupt_flag] = 0
    b.run()
    b.forget()
    return b


def got(b: Bench, vector: int = 0x41) -> list[int]:
    """Which vCPUs have the vector in IRR."""
    return [n for n in range(len(b.guests)) if vector in b.irr(n)]


def rung(b: Bench) -> list[int]:
    """Which cores were signalled, in order."""
    signals = {c.signals: c.index for c in b.cores}
    return [signals[d.place] for d in b.beats if d.do is Do.SIGNAL and d.place in signals]


def failure(b: Bench, n: int = 0) -> tuple[int, int] | None:
    """ID and index of the newest exit 401h; None if there was no exit."""
    if not b.exits(n):
        return None
    assert b.codes(n)[-1] == INCOMPLETE
    info2 = b.vmcb(n, 0x080)
    assert info2 & 0xFFFF_F000 == 0
    return info2 >> 32, info2 & 0xFFF


# ---- H-IPI-0 ----


@proves("H-IPI-0")
def only_fixed_and_edge_is_accelerated(make: Make) -> None:
    """Fixed and edge, any destination; all else is exit 401h ID 0 and nothing delivered. (APM2 15.29.6.1, H-IPI-0)"""
    for kind, level, logical, short in product(range(8), (0, LEVEL), (0, LOGICAL), (0, SELF, ALL, ALL_BUT_SELF)):
        b = quiet(make, 2)
        b.ipi(0, 0x02 if logical else 0x01, kind << 8 | level | logical | short | ASSERT | 0x41)
        if kind == 0 and not level:
            expected = {0: [1], SELF: [0], ALL: [0, 1], ALL_BUT_SELF: [1]}[short]
            assert (got(b), b.exits(0)) == (expected, ())
        else:
            assert (got(b), failure(b)) == ([], (INVALID_TYPE, 0))
            assert rung(b) == []


@proves("H-IPI-0")
def a_vector_below_16_is_invalid(make: Make) -> None:
    """A vector below 16 is ID 4, with any destination; the kind of interrupt is checked first: ID 0.

    (APM2 15.29.6.1, H-IPI-0)
    """
    for vector, short in product((0, 1, 15, 16, 255), (0, SELF, ALL, ALL_BUT_SELF)):
        b = quiet(make, 2)
        b.ipi(0, 1, short | vector)
        assert failure(b) == ((INVALID_VECTOR, 0) if vector < 16 else None)
        assert (got(b, vector) == []) == (vector < 16)
    for other in (0x100, 0x400, LEVEL):
        b = quiet(make, 2)
        b.ipi(0, 1, other | 15)
        assert failure(b) == (INVALID_TYPE, 0)


@breaks("H-IPI-0")
def everything_is_accelerated(w: World) -> None:
    """Message type and trigger mode are not looked at."""
    answered(w, ipi.refuse, lambda why: why if why == IpiFailure.INVALID_VECTOR else None)


@breaks("H-IPI-0")
def lowest_priority_is_accelerated(w: World) -> None:
    """Message type 1 is sent like fixed."""

    def refuse(w: World, icrl: int) -> Beats[IpiFailure | None]:
        return (yield from ipi.refuse.fn(w, icrl & ~0x700 if icrl & 0x700 == 0x100 else icrl))

    overlay(w, ipi.refuse, refuse)


@breaks("H-IPI-0")
def low_vectors_are_sent(w: World) -> None:
    """A vector below 16 is as good as any."""
    answered(w, ipi.refuse, lambda why: None if why == IpiFailure.INVALID_VECTOR else why)


@breaks("H-IPI-0")
def the_vector_is_checked_first(w: World) -> None:
    """ID 4 before ID 0."""

    def refuse(w: World, icrl: int) -> Beats[IpiFailure | None]:
        if icrl & 0xFF < 16:
            return IpiFailure.INVALID_VECTOR
        return (yield from ipi.refuse.fn(w, icrl))

    overlay(w, ipi.refuse, refuse)


# ---- H-IPI-1 ----


@proves("H-IPI-1")
def self_sets_ones_own_irr(make: Make) -> None:
    """Shorthand self: IRR in the own page and a doorbell to oneself; done. (APM2 15.29.6.1, H-IPI-1)"""
    b = quiet(make)
    b.ipi(1, 0, SELF | LOGICAL | 0x41)
    assert (got(b), rung(b), b.exits(1)) == ([1], [1], ())
    assert b.first(b.slot(1, "IRR"), Do.OR) < b.first(b.cores[1].signals, Do.SIGNAL)
    b = Bench(make)
    b.run()
    b.write(0, "ICRL", SELF | 0x41)
    assert b.taken(0) == {0x41: 1}


@breaks("H-IPI-1")
def self_rings_nobody(w: World) -> None:
    """Shorthand self sets IRR and leaves it at that."""
    overlay_self(w, irr=True, bell=False)


@breaks("H-IPI-1")
def self_only_rings(w: World) -> None:
    """Shorthand self does not set IRR."""
    overlay_self(w, irr=False, bell=True)


def overlay_self(w: World, *, irr: bool, bell: bool) -> None:
    """Shorthand self does only some of its beats."""

    def send(w: World, core: Core, latch: Latch, destination: int, icrl: int) -> Beats[Failed | None]:
        if icrl >> 18 & 3 != 1:
            return (yield from ipi.send.fn(w, core, latch, destination, icrl))
        if irr:
            yield ipi.SET_IRR(latch.page + IRR, 1 << (icrl & 0xFF))
        if bell:
            yield ipi.SELF_BELL(core.signals, 1)
        return None

    overlay(w, ipi.send, send)


# ---- H-IPI-2, H-IPI-9 ----


@proves("H-IPI-2")
def other_shorthands_and_ffh_are_broadcasts(make: Make) -> None:
    """All, all but self, and destination FFh (x2AVIC: FFFF_FFFFh) go to every valid entry. (APM2 15.29.6.1, H-IPI-2)"""
    assert (tables.XAVIC_BROADCAST, tables.X2AVIC_BROADCAST) == (0xFF, 0xFFFF_FFFF)
    for icrl, destination, expected in (
        (ALL | 0x41, 0, [0, 1, 2]),
        (ALL | LOGICAL | 0x41, 0x02, [0, 1, 2]),
        (ALL_BUT_SELF | 0x41, 1, [0, 2]),
        (0x41, 0xFF, [0, 1, 2]),
        (0x41, 0xFE, []),
    ):
        b = quiet(make)
        b.ipi(1, destination, icrl)
        assert got(b) == expected
        assert (b.exits(1) == ()) == bool(expected)


@breaks("H-IPI-2")
def ffh_is_an_id(w: World) -> None:
    """Destination FFh is looked up like any other."""

    def find_targets(w: World, latch: Latch, destination: int, icrl: int) -> Beats[EVERY_ANSWER]:
        if destination == 0xFF and not icrl & ALL_BUT_SELF:
            found = yield from targets.look_up(w, latch, destination, destination)
            return (found,) if isinstance(found, Target) else found
        return (yield from targets.find_targets.fn(w, latch, destination, icrl))

    overlay(w, targets.find_targets, find_targets)


@breaks("H-IPI-2")
def shorthands_are_not_looked_at(w: World) -> None:
    """The destination counts, whatever the shorthand says."""
    changed(w, targets.find_targets, lambda latch, to, icrl: (latch, to, icrl & ~ALL_BUT_SELF))


@proves("H-IPI-9")
def ffh_is_everybody_logical_too(make: Make) -> None:
    """Physical and logical FFh is the broadcast, flat or cluster, also for those whose LDR is 0.

    (APM2 15.29.6.1, H-IPI-9)
    """
    for logical, dfr in ((0, 0xFFFF_FFFF), (LOGICAL, 0xFFFF_FFFF), (LOGICAL, CLUSTER_DFR), (LOGICAL, 0x5000_0000)):
        b = quiet(make)
        for n in range(3):
            b.set_reg(n, "LDR", 0)
            b.set_reg(n, "DFR", dfr)
            b.set_logical(n, 0)
        b.ipi(0, 0xFF, logical | 0x41)
        assert (got(b), b.exits(0)) == ([0, 1, 2], ())


@proves("H-IPI-9")
def physical_id_ffh_is_reserved(make: Make) -> None:
    """Nobody has physical ID FFh: entry 255 is not looked at. (APM2 15.29.6.1, H-IPI-9)"""
    b = quiet(make)
    b.leave(0)
    b.set_max_index(255)
    b.set_entry(255, VALID | RUNNING | BACKING + 2 << 12)
    b.set_entry(2, 0)
    assert b.vmrun(0) is None
    b.ipi(0, 0xFF, 0x41)
    assert got(b) == [0, 1]


@breaks("H-IPI-9")
def logical_ffh_is_a_logical_address(w: World) -> None:
    """Only the physical FFh is a broadcast."""

    def find_targets(w: World, latch: Latch, destination: int, icrl: int) -> Beats[EVERY_ANSWER]:
        if icrl & LOGICAL and not icrl & ALL_BUT_SELF:
            return (yield from targets.by_logical_id(w, latch, destination))
        return (yield from targets.find_targets.fn(w, latch, destination, icrl))

    overlay(w, targets.find_targets, find_targets)


@breaks("H-IPI-9", patch=True)
def entry_255_is_somebody(patch: pytest.MonkeyPatch) -> None:
    """A broadcast goes to entry 255 too."""
    patch.setattr(targets, "RESERVED_ENTRY", 256)


# ---- H-IPI-3, H-IPI-3a ----


@proves("H-IPI-3")
def logical_destinations_go_through_the_logical_table(make: Make) -> None:
    """xAVIC: each addressed entry of the logical table; V = 0 is exit ID 2 with its index. (APM2 15.29.6.1, H-IPI-3)"""
    b = quiet(make)
    b.ipi(0, 0x06, LOGICAL | 0x41)
    assert (got(b), b.exits(0)) == ([1, 2], ())
    b.set_logical(5, LOGICAL_VALID | 1)
    b.ipi(0, 0x20, LOGICAL | 0x42)
    assert got(b, 0x42) == [1], "the table decides, not the LDR"
    b.ipi(0, 0x0A, LOGICAL | 0x43)
    assert (got(b, 0x43), failure(b)) == ([], (INVALID_TARGET, 3))
    assert b.vmrun(0) is None
    b.set_logical(1, 1)
    b.ipi(0, 0x02, LOGICAL | 0x44)
    assert failure(b) == (INVALID_TARGET, 1)


@proves("H-IPI-3")
def x2avic_needs_no_logical_table(make: Make) -> None:
    """x2AVIC: physical ID = (cluster << 4) + bit, from destination 31:16 and each bit of 15:0.

    (APM2 15.29.6.1, H-IPI-3)
    """
    assert tables.x2apic_targets(0x0000_8001) == (0, 15)
    assert tables.x2apic_targets(0x0002_0021) == (0x20, 0x25)
    assert tables.x2apic_targets(0xFFFF_0001) == (0xF_FFF0,)
    assert tables.x2apic_targets(0x0003_0000) == ()


@breaks("H-IPI-3")
def invalid_logical_entries_are_skipped(w: World) -> None:
    """V = 0 means nobody, and no exit."""

    def look_up_all(w: World, latch: Latch, indices: tuple[int, ...]) -> Beats[EVERY_ANSWER]:
        valid = []
        for index in indices:
            if (yield targets.LOOK_UP_LOGICAL(latch.logical + index)) & LOGICAL_VALID:
                valid.append(index)
        return (yield from targets.look_up_all.fn(w, latch, tuple(valid)))

    overlay(w, targets.look_up_all, look_up_all)


@breaks("H-IPI-3")
def the_logical_id_is_the_physical_one(w: World) -> None:
    """The index of the logical table is taken for a physical ID."""

    def look_up_all(w: World, latch: Latch, indices: tuple[int, ...]) -> Beats[EVERY_ANSWER]:
        found: list[Target] = []
        for index in indices:
            target = yield from targets.look_up(w, latch, index, index)
            if not isinstance(target, Target):
                return target
            found.append(target)
        return tuple(found)

    overlay(w, targets.look_up_all, look_up_all)


@breaks("H-IPI-3", patch=True)
def x2apic_clusters_have_four_members(patch: pytest.MonkeyPatch) -> None:
    """The cluster number is shifted by 2."""
    patch.setattr(tables, "x2apic_targets", lambda to: tuple((to >> 16 << 2) + b for b in range(16) if to >> b & 1))


@proves("H-IPI-3a")
def the_senders_dfr_chooses_the_model(make: Make) -> None:
    """The sender's DFR[31:28]: Fh flat, bit i is entry i; 0 cluster, entries 4 * cluster + bit; else ID 2.

    (APM2 15.29.6.1, H-IPI-3a)
    """
    flat, cluster = 0xFFFF_FFFF, CLUSTER_DFR
    cases = [
        # sender's DFR, destination, entries it addresses (None: ID 2)
        (flat, 0x81, [0, 7]),
        (0xF000_0000, 0x10, [4]),
        (flat, 0xF1, [0, 4, 5, 6, 7]),
        (flat, 0x00, []),
        (cluster, 0x03, [0, 1]),
        (cluster, 0x18, [7]),
        (cluster, 0x2F, [8, 9, 10, 11]),
        (cluster, 0xE8, [59]),
        (0x0000_0000, 0x14, [6]),
        (cluster, 0x20, []),
        (cluster, 0xF1, None),
        (cluster, 0xF0, None),
        (0x1FFF_FFFF, 0x01, None),
        (0xEFFF_FFFF, 0x01, None),
    ]
    for dfr, destination, entries in cases:
        b = quiet(make, 2)
        b.set_reg(0, "DFR", dfr)
        b.set_reg(1, "DFR", flat if dfr == cluster else cluster)
        logical = b.page(2)
        for index in range(64):
            b.set_logical(index, LOGICAL_VALID | 1)
        b.ipi(0, destination, LOGICAL | 0x41)
        looked = [d.place - logical for d in b.beats if logical <= d.place < logical + 512]
        assert looked == (entries or [])
        assert got(b) == ([1] if entries else [])
        failed = failure(b)
        assert (failed is None) == (entries is not None)
        assert failed is None or failed[0] == INVALID_TARGET


@breaks("H-IPI-3a")
def everything_is_flat(w: World) -> None:
    """DFR is not looked at."""

    def flat(w: World, latch: Latch, destination: int) -> Beats[EVERY_ANSWER]:
        bits = tuple(i for i in range(8) if destination >> i & 1)
        return (yield from targets.look_up_all(w, latch, bits))

    overlay(w, targets.by_logical_id, flat)


@breaks("H-IPI-3a")
def nobody_is_an_error(w: World) -> None:
    """A destination without a bit exits."""
    answered(w, targets.by_logical_id, lambda found: found or Failed(IpiFailure.INVALID_TARGET))


@breaks("H-IPI-3a", patch=True)
def clusters_have_eight_entries(patch: pytest.MonkeyPatch) -> None:
    """Entries of a cluster begin at 8 * cluster."""

    def indices(dfr: int, to: int) -> tuple[int, ...] | None:
        if dfr >> 28:
            return tables.logical_indices(dfr, to)
        return None if to >> 4 == 0xF else tuple(8 * (to >> 4) + i for i in range(4) if to >> i & 1)

    patch.setattr(targets, "logical_indices", indices)


# ---- H-IPI-4 ----


@proves("H-IPI-4")
def the_physical_table_is_looked_up_by_guest_id(make: Make) -> None:
    """Directed: entry not valid or beyond MAX_INDEX is ID 2; a pointer that is no legal address is ID 3.

    (APM2 15.29.6.1, H-IPI-4)
    """
    for entry, most, expected in (
        (VALID | RUNNING | BACKING + 1 << 12 | 1, 4, None),
        (RUNNING | BACKING + 1 << 12 | 1, 4, (INVALID_TARGET, 4)),
        (0, 4, (INVALID_TARGET, 4)),
        (VALID | RUNNING | BACKING + 1 << 12 | 1, 3, (INVALID_TARGET, 4)),
        (VALID | RUNNING | NO_MEMORY | 1, 4, (INVALID_PAGE, 4)),
        (VALID | RUNNING | 0xF_FFFF_FFFF_F000 | 1, 4, (INVALID_PAGE, 4)),
    ):
        b = quiet(make, 2)
        b.leave(0)
        b.set_entry(4, entry)
        b.set_max_index(most)
        assert b.vmrun(0) is None
        b.forget()
        b.w.at[b.guests[0].exits] = 0
        b.ipi(0, 4, 0x41)
        assert failure(b) == expected
        assert got(b) == ([] if expected else [1])
        assert any(d.place == b.page(1) + 4 for d in b.beats) == (most == 4), "what is out of range is not read"


@proves("H-IPI-4")
def a_broadcast_skips_what_is_not_valid(make: Make) -> None:
    """Broadcast: invalid entries are skipped; a broken pointer is ID 3 with its index. (APM2 15.29.6.1, H-IPI-4)"""
    b = quiet(make)
    b.set_entry(1, RUNNING | BACKING + 1 << 12 | 1)
    b.ipi(0, 0xFF, 0x41)
    assert (got(b), b.exits(0)) == ([0, 2], ())
    b.set_entry(1, VALID | RUNNING | NO_MEMORY)
    b.ipi(0, 0xFF, 0x42)
    assert failure(b) == (INVALID_PAGE, 1)


@breaks("H-IPI-4")
def validity_is_not_looked_at(w: World) -> None:
    """An entry without V is used all the same."""
    overlay_look_up(w, lambda entry: entry | VALID if entry else entry)


@breaks("H-IPI-4")
def a_broken_pointer_is_an_invalid_target(w: World) -> None:
    """ID 2 in place of ID 3."""
    overlay_look_up(w, lambda entry: entry & ~VALID if entry >> 36 & 0xFFFF else entry)


def overlay_look_up(w: World, change: Any) -> None:
    """The core takes another entry than the one it has read."""

    def look_up(w: World, latch: Latch, apic_id: int, index: int) -> Beats[Target | Failed]:
        if apic_id > latch.max_index:
            return Failed(IpiFailure.INVALID_TARGET, index)
        entry = change((yield targets.LOOK_UP(latch.physical + apic_id)))
        if not entry & VALID:
            return Failed(IpiFailure.INVALID_TARGET, index)
        page = page_at(w, entry & targets.PAGE)
        return Failed(IpiFailure.INVALID_PAGE, index) if page is None else Target(latch.physical + apic_id, page, index)

    overlay(w, targets.look_up, look_up)


@breaks("H-IPI-4")
def a_broadcast_exits_for_what_is_not_valid(w: World) -> None:
    """An invalid entry ends a broadcast with ID 2."""

    def everybody(w: World, latch: Latch, but_self: bool, vector: int) -> Beats[EVERY_ANSWER]:
        for index in range(latch.max_index + 1):
            if not (yield targets.LOOK_UP(latch.physical + index)) & VALID:
                return Failed(IpiFailure.INVALID_TARGET, index)
        return (yield from targets.everybody.fn(w, latch, but_self, vector))

    overlay(w, targets.everybody, everybody)


# ---- H-IPI-5, H-IPI-6 ----


@proves("H-IPI-5")
def irr_then_isrunning_then_doorbell(make: Make) -> None:
    """For each destination: set IRR atomically, read IsRunning, ring the entry's host APIC ID.

    (APM2 15.29.6.1, H-IPI-5)
    """
    b = quiet(make, 3, host_ids=(5, 9, 4))
    b.ipi(0, 0xFF, 0x41)
    for n in range(3):
        irr, entry, bell = b.slot(n, "IRR"), b.page(1) + n, b.cores[n].signals
        posted = b.first(irr)
        assert b.beats[posted].do is Do.OR, "one locked operation"
        assert b.beats[posted].value == 1 << 0x41
        later = [i for i, d in enumerate(b.beats) if i > posted and d.place == entry]
        assert later, "IsRunning is read after IRR was set"
        assert later[0] < b.first(bell, Do.SIGNAL)
    assert rung(b) == [0, 1, 2]
    b.mark_running(1, core=2)
    b.forget()
    b.ipi(0, 1, 0x42)
    assert (got(b, 0x42), rung(b)) == ([1], [2]), "the entry says which core"


@proves("H-IPI-5")
def running_and_stopped_targets_get_their_bit(make: Make) -> None:
    """The bits are set for running and stopped targets alike, beside what is there; TMR is not written.

    (APM2 15.29.6.1, H-IPI-5)
    """
    b = quiet(make)
    b.set_entry(2, VALID | BACKING + 2 << 12)
    for n in range(3):
        b.set_vectors(n, "IRR", 0x99)
        b.set_vectors(n, "TMR", 0x41, 0x42)
    b.ipi(0, 0x06, LOGICAL | 0x41)
    assert [b.irr(n) for n in range(3)] == [{0x99}, {0x99, 0x41}, {0x99, 0x41}]
    assert rung(b) == [1], "no doorbell for who does not run"
    assert [b.vectors(n, "TMR") for n in range(3)] == [{0x41, 0x42}] * 3
    assert not any(d.place == b.slot(n, "TMR") for d in b.beats for n in range(3))


@breaks("H-IPI-5")
def running_targets_get_no_irr(w: World) -> None:
    """The doorbell alone is taken to be enough."""
    skip(w, ipi.accept_ipi)


@breaks("H-IPI-5")
def isrunning_is_read_before_irr(w: World) -> None:
    """The order that loses wake-ups: IsRunning first, then IRR."""

    def post_to_all(w: World, core: Core, found: tuple[Target, ...], vector: int) -> Beats[Failed | None]:
        stopped: Failed | None = None
        for target in found:
            entry = yield ipi.READ_RUNNING(target.entry)
            yield from ipi.accept_ipi(w, target.page, vector)
            if entry & RUNNING:
                yield from doorbell.ring(w, core, entry & 0xFFF)
            else:
                stopped = yield from ipi.blame(w, stopped, target.number)
        return stopped

    overlay(w, ipi.post_to_all, post_to_all)


@breaks("H-IPI-5")
def irr_is_stored_whole(w: World) -> None:
    """The IRR bit is set by a plain store: other pending vectors are lost."""

    def accept_ipi(w: World, page: int, vector: int) -> Beats[None]:
        yield POKE(page + IRR, 1 << vector)

    overlay(w, ipi.accept_ipi, accept_ipi)


@breaks("H-IPI-5")
def nobody_is_rung(w: World) -> None:
    """IRR is set, and no doorbell sent."""
    skip(w, doorbell.ring)


@breaks("H-IPI-5")
def tmr_is_cleared(w: World) -> None:
    """The target's TMR bit goes with an edge interrupt."""

    def clear(w: World, page: int, vector: int) -> Beats[None]:
        yield POKE(page + 0x18, 0)

    then(w, ipi.accept_ipi, clear)


@proves("H-IPI-6")
def one_stopped_target_makes_an_exit_after_all_was_done(make: Make) -> None:
    """Any destination with IsRunning = 0: exit 401h ID 1, after every IRR bit and every doorbell.

    (APM2 15.29.6.1, H-IPI-6)
    """
    b = quiet(make, 4)
    for n in (1, 2):
        b.set_entry(n, b.entry(n) & ~RUNNING)
    b.ipi(0, 0, ALL_BUT_SELF | 0x41)
    assert (got(b), failure(b), rung(b)) == ([1, 2, 3], (NOT_RUNNING, 1), [3])
    left = b.first(b.cores[0].mode)
    assert all(b.first(b.slot(n, "IRR"), Do.OR) < left for n in (1, 2, 3))
    assert b.first(b.cores[3].signals, Do.SIGNAL) < left
    assert [b.stores(b.slot(n, "IRR")) for n in (1, 2, 3)] == [[1 << 0x41]] * 3, "once"


@breaks("H-IPI-6")
def the_first_stopped_target_ends_it(w: World) -> None:
    """Step 5 stops at the first target that does not run."""

    def post_to_all(w: World, core: Core, found: tuple[Target, ...], vector: int) -> Beats[Failed | None]:
        for target in found:
            stopped = yield from ipi.post_to_all.fn(w, core, (target,), vector)
            if stopped is not None:
                return stopped
        return None

    overlay(w, ipi.post_to_all, post_to_all)


@breaks("H-IPI-6")
def stopped_targets_do_not_matter(w: World) -> None:
    """No exit for those who sleep."""
    answered(w, ipi.post_to_all, lambda stopped: None)


# ---- H-IPI-7, H-IPI-8 ----


@proves("H-IPI-7")
def who_fails_has_written_nothing(make: Make) -> None:
    """A directed IPI with ID 2 or 3 has set no IRR bit, valid targets or not; nor has a broadcast with ID 3.

    (APM2 15.29.6.1, H-IPI-7)
    """
    for logical, entry, send, expected in (
        (0, None, (0x07, LOGICAL | 0x41), (INVALID_TARGET, 2)),
        (None, 0, (0x07, LOGICAL | 0x41), (INVALID_TARGET, 2)),
        (None, VALID | NO_MEMORY, (0x07, LOGICAL | 0x41), (INVALID_PAGE, 2)),
        (None, VALID | NO_MEMORY, (0xFF, 0x41), (INVALID_PAGE, 2)),
        (None, VALID | NO_MEMORY, (0, ALL_BUT_SELF | 0x41), (INVALID_PAGE, 2)),
    ):
        b = quiet(make)
        if logical is not None:
            b.set_logical(2, logical)
        if entry is not None:
            b.set_entry(2, entry)
        b.ipi(0, *send)
        assert (got(b), failure(b), rung(b)) == ([], expected, [])


@breaks("H-IPI-7")
def targets_are_posted_to_as_they_are_met(w: World) -> None:
    """A failing look-up comes after the targets before it have their bit."""

    def look_up_all(w: World, latch: Latch, indices: tuple[int, ...]) -> Beats[EVERY_ANSWER]:
        for index in indices:
            found = yield from targets.look_up_all.fn(w, latch, (index,))
            if isinstance(found, Failed):
                return found
            yield from ipi.accept_ipi(w, found[0].page, 0x41)
        return (yield from targets.look_up_all.fn(w, latch, indices))

    overlay(w, targets.look_up_all, look_up_all)


@breaks("H-IPI-7")
def a_broadcast_posts_as_it_goes(w: World) -> None:
    """The entries before the broken one have their bit."""

    def before_bad_page(w: World, found: tuple[Target, ...], vector: int) -> Beats[None]:
        for target in found:
            yield from ipi.accept_ipi(w, target.page, vector)

    overlay(w, targets.before_bad_page, before_bad_page)


@proves("H-IPI-8")
def the_index_is_of_the_table_that_was_asked(make: Make) -> None:
    """Index: of the physical table for physical and broadcast, of the logical table for logical; the lowest.

    (APM2 15.29.6.1, H-IPI-8)
    """
    for send, expected in (
        ((2, 0x41), (NOT_RUNNING, 2)),
        ((0xFF, 0x41), (NOT_RUNNING, 1)),
        ((0x50, LOGICAL | 0x41), (NOT_RUNNING, 4)),
        ((0x40, LOGICAL | 0x41), (NOT_RUNNING, 6)),
        ((0x80, LOGICAL | 0x41), (INVALID_TARGET, 7)),
        ((0x20, LOGICAL | 0x41), (INVALID_TARGET, 5)),
        ((9, 0x41), (INVALID_TARGET, 9)),
    ):
        b = quiet(make)
        for n in (1, 2):
            b.set_entry(n, b.entry(n) & ~RUNNING)
        b.set_logical(4, LOGICAL_VALID | 2)
        b.set_logical(6, LOGICAL_VALID | 1)
        b.set_logical(5, LOGICAL_VALID | 9)
        b.set_logical(7, 0)
        b.ipi(0, *send)
        assert failure(b) == expected, send
    b = quiet(make)
    b.set_logical(1, LOGICAL_VALID | 0)
    b.set_entry(0, VALID | NO_MEMORY)
    b.ipi(2, 0x02, LOGICAL | 0x41)
    assert failure(b, 2) == (INVALID_PAGE, 1)


@breaks("H-IPI-8")
def the_highest_is_reported(w: World) -> None:
    """Of several stopped targets the last one."""

    def blame(w: World, stopped: Failed | None, index: int) -> Beats[Failed]:
        return Failed(IpiFailure.NOT_RUNNING, index)
        yield

    overlay(w, ipi.blame, blame)


@breaks("H-IPI-8")
def the_index_is_always_the_physical_id(w: World) -> None:
    """Logical destinations report the physical ID they led to."""
    changed(w, targets.look_up, lambda latch, apic_id, index: (latch, apic_id, apic_id))


# ---- H-IPI-10 ----


@proves("H-IPI-10")
def every_exit_401h_is_a_trap(make: Make) -> None:
    """ICRL and ICRH stand in the page as written, RIP is past; EXITINFO1 carries all of both.

    (APM2 15.29.6.1, H-IPI-10)
    """
    for icrh, icrl in (
        (0x0112_3456, 0x441),
        (0x0900_0001, 0x41),
        (0x0200_0000, 0x00F3_6041),
        (0x01FF_FFFF, 0x0F),
        (0xFF00_0000, 0x8041),
    ):
        b = quiet(make)
        b.set_entry(2, b.entry(2) & ~RUNNING)
        b.do(0, write("ICRH", icrh), write("ICRL", icrl), Insn("nop"))
        assert b.codes(0) == [INCOMPLETE]
        assert (b.reg(0, "ICRH"), b.reg(0, "ICRL")) == (icrh, icrl)
        assert b.vmcb(0, 0x078) == icrh << 32 | icrl
        assert b.rip(0) & 0xFFF == 8


@proves("H-IPI-10")
def delivery_status_reads_zero(make: Make) -> None:
    """Bit 12 is cleared in the page and in EXITINFO1, other reserved bits stay; an IPI that went well too.

    (APM2 15.29.6.1, H-IPI-10)
    """
    b = quiet(make)
    b.ipi(0, 1, BUSY | 0xFFF0_2041)
    assert (got(b), b.reg(0, "ICRL"), b.exits(0)) == ([1], 0xFFF0_2041, ())
    b.ipi(0, 9, BUSY | 0xFFF0_2042)
    assert (b.reg(0, "ICRL"), b.vmcb(0, 0x078)) == (0xFFF0_2042, 9 << 56 | 0xFFF0_2042)


@proves("H-IPI-10")
def only_the_top_byte_of_icrh_is_the_destination(make: Make) -> None:
    """The destination is ICRH[31:24]; the other bits address nobody. (APM2 15.29.6.1, H-IPI-10)"""
    b = quiet(make)
    b.do(0, write("ICRH", 0x01FF_FFFE), write("ICRL", 0x41))
    assert (got(b), b.exits(0)) == ([1], ())


@breaks("H-IPI-10")
def the_destination_has_more_bits(w: World) -> None:
    """ICRH bits 23:0 count too."""

    def write_icrl(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        latch = w.see[core.latch]
        whole = yield ipi.READ_ICRH(latch.page + ipi.ICRH_SLOT)
        if whole & 0xFFFF:
            yield POKE(latch.page + ipi.ICRH_SLOT, whole | whole << 24 & 0xFF00_0000)
        return (yield from ipi.write_icrl.fn(w, core, guest, value))

    overlay(w, ipi.write_icrl, write_icrl)


@breaks("H-IPI-10")
def exits_401h_are_faults(w: World) -> None:
    """RIP stays at the write."""
    answered(w, ipi.write_icrl, lambda done: done._replace(past=False) if isinstance(done, Exit) else done)


@breaks("H-IPI-10")
def delivery_status_stays(w: World) -> None:
    """Bit 12 stands in the page as written."""

    def written_icrl(w: World, value: int) -> Beats[int]:
        return value
        yield

    overlay(w, ipi.written_icrl, written_icrl)


@breaks("H-IPI-10")
def reserved_bits_are_dropped(w: World) -> None:
    """Bits 31:20 and 13 of ICRL read 0."""
    changed(w, ipi.written_icrl, lambda value: (value & 0x000F_DFFF,))


@breaks("H-IPI-10")
def info1_has_the_destination_only(w: World) -> None:
    """EXITINFO1 carries ICRH[31:24]."""

    def cut(done: int | Exit) -> int | Exit:
        return done._replace(info1=done.info1 & ~(0xFF_FFFF << 32)) if isinstance(done, Exit) else done

    answered(w, ipi.write_icrl, cut)


# ---- H-IPI-11, H-IPI-12 ----


@proves("H-IPI-11")
def max_index_is_in(make: Make) -> None:
    """An index above MAX_INDEX is out of range, equal is in; a broadcast walks 0..MAX_INDEX.

    (APM2 15.29.6.1, H-IPI-11)
    """
    b = quiet(make)
    b.ipi(0, 2, 0x41)
    assert (got(b), b.exits(0)) == ([2], ())
    b.leave(0)
    b.set_max_index(1)
    assert b.vmrun(0) is None
    b.ipi(0, 0xFF, 0x42)
    assert got(b, 0x42) == [0, 1]
    b.ipi(0, 2, 0x43)
    assert (got(b, 0x43), failure(b)) == ([], (INVALID_TARGET, 2))


@proves("H-IPI-11")
def a_broadcast_never_reads_entry_255(make: Make) -> None:
    """With MAX_INDEX = 255 the walk is 0..254. (APM2 15.29.6.1, H-IPI-11)"""
    b = quiet(make, 1)
    b.leave(0)
    b.set_max_index(255)
    assert b.vmrun(0) is None
    b.forget()
    b.ipi(0, 0xFF, 0x41)
    table = b.page(1)
    looked = {d.place - table for d in b.beats if table <= d.place < table + 512}
    assert looked == set(range(255))


@proves("H-IPI-11")
def self_reads_no_table(make: Make) -> None:
    """Shorthand self asks no table; one's own ID, and all, check the own entry. (APM2 15.29.6.1, H-IPI-11)"""
    for icrl, destination, fails in ((SELF | 0x41, 0, False), (0x41, 0, True), (ALL | 0x41, 0, True)):
        b = quiet(make, 1)
        b.set_entry(0, b.entry(0) & ~RUNNING)
        b.ipi(0, destination, icrl)
        assert got(b) == [0]
        assert failure(b) == ((NOT_RUNNING, 0) if fails else None)
        assert any(d.place == b.page(1) for d in b.beats) == fails
    b = quiet(make, 1)
    b.set_entry(0, 0)
    b.ipi(0, 0, SELF | 0x41)
    assert (got(b), b.exits(0)) == ([0], ())
    b.ipi(0, 0, 0x42)
    assert failure(b) == (INVALID_TARGET, 0)


@proves("H-IPI-11")
def self_is_who_has_the_senders_page(make: Make) -> None:
    """All but self leaves out the entry whose pointer is the sender's AVIC_BACKING_PAGE, whatever its ID.

    (APM2 15.29.6.1, H-IPI-11)
    """
    b = quiet(make)
    b.set_reg(0, "ID", 2 << 24)
    b.ipi(0, 0, ALL_BUT_SELF | 0x41)
    assert got(b) == [1, 2]
    b.set_entry(0, VALID | RUNNING | BACKING + 1 << 12)
    b.set_entry(1, VALID | RUNNING | BACKING + 0 << 12)
    b.ipi(0, 0, ALL_BUT_SELF | 0x42)
    assert got(b, 0x42) == [1, 2]


@breaks("H-IPI-11", patch=True)
def a_broadcast_reads_entry_255(patch: pytest.MonkeyPatch) -> None:
    """The walk is 0..MAX_INDEX without exception."""
    patch.setattr(targets, "RESERVED_ENTRY", 256)


@breaks("H-IPI-11")
def a_broadcast_stops_before_max_index(w: World) -> None:
    """The entry at MAX_INDEX is left out."""

    def shorter(latch: Latch, but_self: bool, vector: int) -> tuple[Any, ...]:
        return replace(latch, max_index=latch.max_index - 1), but_self, vector

    changed(w, targets.everybody, shorter)


@breaks("H-IPI-11")
def max_index_is_out(w: World) -> None:
    """An ID equal to MAX_INDEX is out of range."""

    def look_up(w: World, latch: Latch, apic_id: int, index: int) -> Beats[Target | Failed]:
        if apic_id == latch.max_index:
            return Failed(IpiFailure.INVALID_TARGET, index)
        return (yield from targets.look_up.fn(w, latch, apic_id, index))

    overlay(w, targets.look_up, look_up)


@breaks("H-IPI-11")
def self_goes_by_the_id_register(w: World) -> None:
    """All but self leaves out the entry that the ID register names."""

    def is_sender(w: World, latch: Latch, page: int, index: int) -> Beats[bool]:
        return index == (yield ipi.READ_ICRH(latch.page + 2)) >> 24  # type: ignore[no-any-return]

    overlay(w, targets.is_sender, is_sender)


@breaks("H-IPI-11")
def self_checks_its_entry(w: World) -> None:
    """Shorthand self goes through the table like one's own ID."""

    def send(w: World, core: Core, latch: Latch, destination: int, icrl: int) -> Beats[Failed | None]:
        if icrl >> 18 & 3 == 1:
            own = (yield ipi.READ_ICRH(latch.page + 2)) >> 24
            return (yield from ipi.send.fn(w, core, latch, own, icrl & ~ALL_BUT_SELF))
        return (yield from ipi.send.fn(w, core, latch, destination, icrl))

    overlay(w, ipi.send, send)


@proves("H-IPI-12")
def only_the_tables_count(make: Make) -> None:
    """The target's SVR, LDR, DFR and ID register do not matter: a disabled APIC still gets its bit.

    (APM2 15.29.6.1, H-IPI-12)
    """
    for destination, icrl in ((1, 0x41), (0x02, LOGICAL | 0x41), (0xFF, 0x41)):
        b = quiet(make, 2)
        b.set_reg(1, "SVR", 0x0FF)
        b.set_reg(1, "LDR", 0x8000_0000)
        b.set_reg(1, "DFR", CLUSTER_DFR)
        b.set_reg(1, "ID", 0x7700_0000)
        b.ipi(0, destination, icrl)
        assert 1 in got(b)
        touched = {d.place - b.backing(1) for d in b.beats if b.backing(1) <= d.place < b.backing(1) + 0x20}
        assert not touched & {0x02, 0x0D, 0x0E, 0x0F}, "not even looked at"


@breaks("H-IPI-12")
def a_disabled_apic_is_deaf(w: World) -> None:
    """The hardware looks at the target's SVR."""

    def accept_ipi(w: World, page: int, vector: int) -> Beats[None]:
        if (yield ipi.READ_ICRH(page + 0x0F)) & 0x100:
            yield from ipi.accept_ipi.fn(w, page, vector)

    overlay(w, ipi.accept_ipi, accept_ipi)


@breaks("H-IPI-12")
def the_targets_id_must_match(w: World) -> None:
    """The hardware looks at the target's ID register."""

    def look_up(w: World, latch: Latch, apic_id: int, index: int) -> Beats[Target | Failed]:
        found = yield from targets.look_up.fn(w, latch, apic_id, index)
        if isinstance(found, Target) and (yield ipi.READ_ICRH(found.page + 2)) >> 24 != apic_id:
            return Failed(IpiFailure.INVALID_TARGET, index)
        return found

    overlay(w, targets.look_up, look_up)

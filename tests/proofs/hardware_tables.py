"""The two APIC ID tables, the doorbell, and the exits. H-TAB, H-BELL, H-EXIT."""

from typing import Any

import pytest

from avickit.beat import Beats, Do, World
from avickit.manual.exits import ExitCode, IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure, NoAccelInfo1
from avickit.manual.msrs import DOORBELL_MSR, Doorbell
from avickit.manual.tables import LogicalEntry, PhysicalEntry, logical_indices
from avickit.series import p04_initialization as p04
from avickit.silicon import access, deliver, doorbell, ipi, run, targets, vmrun
from avickit.silicon import guest as guest_code
from avickit.silicon.guest import Insn, eoi, read, write
from avickit.silicon.parts import DOORBELL, GUEST, INTR, Core, Exit, Guest, page_at
from avickit.silicon.targets import Failed, Target
from avickit.silicon.vmexit import vmexit
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import answered, changed, overlay, skip, then
from tests.silicon.bench import (
    BACKING,
    INTERCEPTS,
    INTR_MASKING,
    LOGICAL_VALID,
    POKE,
    RUNNING,
    VALID,
    Bench,
    refused,
)

INCOMPLETE, NOACCEL = 0x401, 0x402
SELF, ALL, LOGICAL, LEVEL = 0x4_0000, 0x8_0000, 0x800, 0x8000
CLUSTER_DFR = 0x0FFF_FFFF


# ---- H-TAB ----


@proves("H-TAB-1")
def an_entry_of_the_physical_table(make: Make) -> None:
    """V 63, IsRunning 62, reserved 61:52, page pointer 51:12, host physical APIC ID 11:0. (APM2 15.29.5.2, H-TAB-1)"""
    fields = {n: f.mask for n, f in PhysicalEntry.fields.items()}
    assert fields == {
        "VALID": 1 << 63,
        "IS_RUNNING": 1 << 62,
        "BACKING_PAGE": ((1 << 52) - 1) & ~0xFFF,
        "HOST_APIC_ID": 0xFFF,
    }
    assert PhysicalEntry.reserved.mask == 0x3FF << 52
    b = Bench(make, 2, host_ids=(0, 0x9AB))
    b.run()
    b.ipi(0, 1, 0x41)
    assert (b.taken(1), b.exits(0)) == ({0x41: 1}, ()), "a host ID of twelve bits"
    b.set_entry(1, b.entry(1) & ~0x9AB)
    b.forget()
    b.ipi(0, 1, 0x42)
    assert [d.place for d in b.beats if d.do is Do.SIGNAL] == [b.cores[0].signals]
    for nobody in (0x777, 0x9AC, 0xFFF):
        b.set_entry(1, b.entry(1) & ~0xFFF | nobody)
        b.forget()
        b.ipi(0, 1, 0x43)
        assert not [d for d in b.beats if d.do is Do.SIGNAL], "no core has this ID"
    assert (b.irr(1), b.exits(0)) == ({0x42, 0x43}, ())


@proves("H-TAB-1")
def the_table_has_255_entries(make: Make) -> None:
    """xAVIC: entries 0..254; 255 is reserved, the upper half of the page zero. Eight bytes each.

    (APM2 15.29.5.2, H-TAB-1)
    """
    m = make(cores=1, pages=300, record=False)
    assert m.xen is not None
    dom = m.xen.create_domain(128)
    table = [int(dom.physical_table[n]) for n in range(256)]
    assert [n for n, entry in enumerate(table) if entry] == list(range(0, 256, 2))
    assert m.world.at[dom.physical_table.place + 256 : dom.physical_table.place + 512] == [0] * 256
    b = Bench(make, 1)
    b.set_max_index(255)
    b.run()
    b.set_entry(254, VALID | RUNNING | BACKING + 0 << 12)
    b.set_entry(255, VALID | BACKING + 0 << 12)
    b.forget()
    b.write(0, "ICRL", ALL | 0x41)
    table_place = b.page(1)
    assert max(d.place - table_place for d in b.beats if d.place < b.page(2)) == 254
    assert b.exits(0) == (), "entry 255 is not running, and nobody has looked"


@breaks("H-TAB-1")
def host_ids_have_eight_bits(w: World) -> None:
    """Bits 11:8 are cut off, as in the manuals of 2018."""
    changed(w, doorbell.ring, lambda core, host_apic_id: (core, host_apic_id & 0xFF))


@breaks("H-TAB-1", patch=True)
def all_256_entries_are_used(patch: pytest.MonkeyPatch) -> None:
    """Entry 255 is an entry like the others."""
    patch.setattr(targets, "RESERVED_ENTRY", 256)


@proves("H-TAB-2")
def isrunning_is_not_guest_mode(make: Make) -> None:
    """IsRunning: a core is assigned, be it in guest mode or not; no exit, IRR waits for VMRUN.

    (APM2 15.29.5.2, H-TAB-2)
    """
    b = Bench(make)
    b.run()
    b.leave(1)
    b.ipi(0, 1, 0x41)
    assert (b.exits(0), b.irr(1), b.taken(1)) == ((), {0x41}, {})
    assert b.vmrun(1) is None
    assert b.taken(1) == {0x41: 1}


@proves("H-TAB-2")
def the_host_id_means_nothing_without_isrunning(make: Make) -> None:
    """With IsRunning = 0 the host ID is not used: nobody is rung. (APM2 15.29.5.2, H-TAB-2)"""
    b = Bench(make, 3)
    b.run()
    b.set_entry(1, VALID | BACKING + 1 << 12 | 2)
    b.forget()
    b.ipi(0, 1, 0x41)
    assert not [d for d in b.beats if d.do is Do.SIGNAL]
    assert b.codes(0) == [INCOMPLETE]
    assert b.in_guest(1), "guest mode alone does not count: the table says that it does not run"
    assert b.taken(1) == {}


@breaks("H-TAB-2")
def isrunning_is_taken_for_guest_mode(w: World) -> None:
    """A target whose core is in host mode is reported as not running."""

    def post_to_all(w: World, core: Core, found: tuple[Target, ...], vector: int) -> Beats[Failed | None]:
        for target in found:
            yield from ipi.accept_ipi(w, target.page, vector)
            entry = yield ipi.READ_RUNNING(target.entry)
            host = w.objects["core_of"][entry & 0xFFF]
            if host is None or not w.see[host.mode]:
                return Failed(IpiFailure.NOT_RUNNING, target.number)
            yield from doorbell.ring(w, core, entry & 0xFFF)
        return None

    overlay(w, ipi.post_to_all, post_to_all)


@breaks("H-TAB-2")
def everybody_is_rung(w: World) -> None:
    """The host ID is used whatever IsRunning says."""

    def ring_too(w: World, page: int, vector: int) -> Beats[None]:
        for place in range(w.first_page + w.page_places, w.first_page + w.page_places + 8):
            entry = w.at[place]
            if entry & VALID and not entry & RUNNING:
                yield from doorbell.ring(w, w.objects["cores"][0], entry & 0xFFF)

    then(w, ipi.accept_ipi, ring_too)


@proves("H-TAB-3")
def an_entry_of_the_logical_table(make: Make) -> None:
    """V 31, reserved 30:8, guest physical APIC ID 7:0; flat: entry i is bit i, cluster: 4 * cluster + bit.

    (APM2 15.29.5.3, H-TAB-3)
    """
    assert {n: f.mask for n, f in LogicalEntry.fields.items()} == {"VALID": 1 << 31, "GUEST_APIC_ID": 0xFF}
    assert LogicalEntry.reserved.mask == 0x7FFF_FF00
    for dfr, destination, index in (
        *((0xFFFF_FFFF, 1 << i, i) for i in range(8)),
        *((CLUSTER_DFR, c << 4 | 1 << i, 4 * c + i) for c in (0, 1, 7, 14) for i in range(4)),
    ):
        b = Bench(make)
        for entry in range(64):
            b.set_logical(entry, 0)
        b.set_logical(index, LOGICAL_VALID | 1)
        b.set_reg(0, "DFR", dfr)
        b.run()
        b.ipi(0, destination, LOGICAL | 0x41)
        assert (b.taken(1), b.exits(0)) == ({0x41: 1}, ()), (hex(destination), index)


@proves("H-TAB-3")
def each_logical_id_belongs_to_one(make: Make) -> None:
    """Each logical ID belongs to one vAPIC: the table has one guest ID an entry. Cluster Fh has none.

    (APM2 15.29.5.3, H-TAB-3)
    """
    m = make(cores=3, pages=64, record=False)
    assert m.xen is not None
    dom = m.xen.create_domain(3)
    for n, v in enumerate(dom.vcpus):
        m.xen.run(v, n)
        v.guest.write("SVR", 0x1FF)
        v.guest.write("LDR", 1 << 24 + n)
    table = {n: int(e) for n, e in dom.logical_table if n < 60}
    assert table == {0: 1 << 31, 1: 1 << 31 | 2, 2: 1 << 31 | 4}


@breaks("H-TAB-3")
def guest_ids_have_seven_bits(w: World) -> None:
    """The guest ID of a logical entry is taken from the bits above 7:0."""
    changed(w, targets.look_up, lambda latch, apic_id, index: (latch, apic_id >> 1, index))


@breaks("H-TAB-3", patch=True)
def flat_begins_at_bit_7(patch: pytest.MonkeyPatch) -> None:
    """Logical ID bit 7 is entry 0."""
    old = logical_indices

    def indices(dfr: int, to: int) -> tuple[int, ...] | None:
        found = old(dfr, to)
        return tuple(7 - i for i in found or ()) if dfr >> 28 else found

    patch.setattr(targets, "logical_indices", indices)


@proves("H-TAB-4")
def hardware_only_reads_the_tables(make: Make) -> None:
    """Both tables are one per VM, the hypervisor writes them: no beat of the hardware stores there.

    (APM2 15.29.5.2, H-TAB-4)
    """
    b = Bench(make, 3)
    b.run()
    for n in range(3):
        b.on(n, 0x52, [eoi()])
    b.set_vectors(1, "TMR", 0x61)
    b.forget()
    for destination, icrl in (
        (1, 0x41),
        (0xFF, 0x52),
        (0x06, LOGICAL | 0x53),
        (9, 0x54),
        (0, SELF | 0x61),
        (0, ALL | 0x62),
    ):
        for n in range(3):
            if not b.in_guest(n):
                b.clear_frames(n)
                assert b.vmrun(n) is None
            b.ipi(n, destination, icrl)
    both = range(b.page(1), b.page(3))
    looked = [d for d in b.beats if d.place in both]
    assert len(looked) > 20
    assert {d.do for d in looked} == {Do.LOAD}


@proves("H-TAB-4")
def one_of_each_per_vm(make: Make) -> None:
    """All VMCBs of a VM name the same two tables, another VM's name others. (APM2 15.29.5.2, H-TAB-4)"""
    m = make(cores=1, pages=64, record=False)
    assert m.xen is not None
    words = ("LOGICAL_TABLE", "PHYSICAL_TABLE")
    pairs = [{tuple(v.vmcb[w].value for w in words) for v in m.xen.create_domain(3).vcpus} for _ in range(2)]
    assert [len(p) for p in pairs] == [1, 1]
    assert pairs[0] != pairs[1]
    m = make(cores=3, pages=64)
    assert m.xen is not None
    dom = m.xen.create_domain(3)
    for n, v in enumerate(dom.vcpus):
        m.xen.run(v, n)
    tables = (dom.physical_table.place, dom.logical_table.place)
    dom.vcpus[0].guest.write("ICRH", 0xFF << 24)
    dom.vcpus[0].guest.write("ICRL", 0x41)
    stores = (Do.STORE, Do.OR, Do.AND)
    writers = {
        site.module
        for site, place, *_ in m.trace.raw
        if site.do in stores and any(t <= place < t + 512 for t in tables)
    }
    assert writers
    assert not any(module.startswith("avickit.silicon") for module in writers - {"avickit.silicon.parts"})


@breaks("H-TAB-4")
def hardware_notes_who_was_sent_to(w: World) -> None:
    """The core writes the table's entry back."""

    def write_back(w: World, core: Core, found: tuple[Target, ...], vector: int) -> Beats[None]:
        for target in found:
            yield POKE(target.entry, (yield ipi.READ_RUNNING(target.entry)))

    then(w, ipi.post_to_all, write_back)


@breaks("H-TAB-4")
def every_vcpu_has_its_own_table(w: World) -> None:
    """The VMCBs of a VM name different tables."""

    def own(w: World, core: Core, v: Any) -> Beats[None]:
        yield POKE(v.guest.vmcb + (0x0F0 >> 3), (w.at[v.guest.vmcb + (0x0F0 >> 3)]) + (v.vcpu_id << 12))

    then(w, p04.svm_avic_init_vmcb, own)


# ---- H-BELL ----


@proves("H-BELL-1")
def the_doorbell_register(make: Make) -> None:
    """WRMSR C001_011Bh with a physical APIC ID signals that core; reading is #GP; bits 63:8 MBZ.

    (APM2 15.29.8.2, H-BELL-1)
    """
    assert DOORBELL_MSR == doorbell.MSR_DOORBELL == 0xC001_011B
    assert Doorbell.reserved.mask == ((1 << 64) - 1) & ~0xFF
    b = Bench(make, 2, cores=3, host_ids=(3, 8, 255))
    b.run()
    for value, rings, accepted in (
        (8, [1], True),
        (3, [0], True),
        (255, [2], True),
        (7, [], True),
        (256, [], False),
        (8 | 1 << 32, [], False),
        (8 | 1 << 63, [], False),
    ):
        b.forget()
        assert b.play(doorbell.write_doorbell_msr(b.w, b.cores[0], value)) is accepted
        places = [d.place for d in b.beats if d.do is Do.SIGNAL]
        assert places == [b.cores[n].signals for n in rings]
        b.settle()
    assert "#GP" in refused(doorbell.read_doorbell_msr)
    b.do(0, Insn("rdmsr", 0xC001_011B))
    assert b.codes(0) == [0x7C], "a guest has none: the hypervisor intercepts"


@breaks("H-BELL-1")
def all_bits_are_taken(w: World) -> None:
    """Bits 63:8 are not looked at."""

    def write_doorbell_msr(w: World, core: Core, value: int) -> Beats[bool]:
        yield from doorbell.ring(w, core, value & 0xFF)
        return True

    overlay(w, doorbell.write_doorbell_msr, write_doorbell_msr)


@breaks("H-BELL-1")
def the_id_is_a_number_of_cores(w: World) -> None:
    """The core's number is taken for its APIC ID."""

    def ring(w: World, core: Core, host_apic_id: int) -> Beats[None]:
        if host_apic_id < len(w.objects["cores"]):
            yield doorbell.RING(w.objects["cores"][host_apic_id].signals, DOORBELL)

    overlay(w, doorbell.ring, ring)


@proves("H-BELL-2")
def a_doorbell_evaluates_who_runs_there(make: Make) -> None:
    """In guest mode the core evaluates the vCPU it runs, the meant one or not; that one is not lost.

    (APM2 15.29.8.2, H-BELL-2)
    """
    b = Bench(make, 3)
    b.run(0)
    assert b.vmrun(2, core=1) is None
    b.mark_running(1, core=1)
    b.set_vectors(2, "IRR", 0x52)
    b.ipi(0, 1, 0x41)
    assert b.taken(2) == {0x52: 1}, "the other vCPU took its own"
    assert (b.irr(1), b.taken(1), b.exits(0)) == ({0x41}, {}, ())
    assert b.vmrun(1, core=2) is None
    assert b.taken(1) == {0x41: 1}, "evaluated at its next VMRUN"


@proves("H-BELL-2")
def a_doorbell_is_heard_once(make: Make) -> None:
    """The core notices the doorbell and looks once. (APM2 15.29.8.2, H-BELL-2)"""
    b = Bench(make)
    b.run()
    b.ipi(0, 1, 0x41)
    assert b.w.at[b.cores[1].signals] == 0
    assert b.taken(1) == {0x41: 1}
    b.set_vectors(1, "IRR", 0x52)
    b.op(1, "nop")
    assert b.taken(1) == {0x41: 1}


@breaks("H-BELL-2")
def the_doorbell_delivers_to_the_meant_one(w: World) -> None:
    """The vector that was sent is taken by whoever runs there."""

    def hear(w: World, core: Core) -> Beats[None]:
        yield from doorbell.hear.fn(w, core)
        guest = w.objects["guests"][w.see[core.guest]]
        for other in w.objects["guests"]:
            page = page_at(w, w.at[other.vmcb + vmrun.BACKING])
            if other is not guest and page and w.at[page + deliver.IRR]:
                vector = w.at[page + deliver.IRR].bit_length() - 1
                yield deliver.CLEAR_IRR(page + deliver.IRR, ~(1 << vector))
                yield from guest_code.enter_handler(w, guest, vector)

    overlay(w, doorbell.hear, hear)


@breaks("H-BELL-2")
def doorbells_are_not_heard(w: World) -> None:
    """A doorbell in guest mode does nothing."""

    def boundary(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        yield POKE(core.signals, w.see[core.signals] & ~DOORBELL)
        return (yield from run.boundary.fn(w, core, guest))

    overlay(w, run.boundary, boundary)


@breaks("H-BELL-2")
def doorbells_go_on_ringing(w: World) -> None:
    """The core looks again at every instruction."""

    def look(w: World, who: Guest, value: int) -> Beats[None]:
        yield from deliver.evaluate(w, w.objects["cores"][who.index], who)

    then(w, guest_code.retire, look)


@proves("H-BELL-3")
def a_doorbell_in_host_mode_does_nothing(make: Make) -> None:
    """In host mode: no effect of its own; the next VMRUN evaluates, and hears no old doorbell.

    (APM2 15.29.8.2, H-BELL-3)
    """
    b = Bench(make)
    b.run()
    b.leave(1)
    b.set_vectors(1, "IRR", 0x41)
    before = b.w.at[b.backing(1) : b.backing(1) + 256]
    b.forget()
    b.play(doorbell.ring(b.w, b.cores[0], 1))
    b.settle()
    assert b.w.at[b.backing(1) : b.backing(1) + 256] == before
    assert not any(d.place >= b.backing(1) and d.place < b.backing(1) + 256 for d in b.beats)
    assert b.vmrun(1) is None
    assert b.w.at[b.cores[1].signals] == 0
    assert b.taken(1) == {0x41: 1}
    assert not any(d.site is doorbell.HEAR for d in b.beats)


@proves("H-BELL-3")
def a_doorbell_during_vmrun_is_heard_after_it(make: Make) -> None:
    """Received during VMRUN: recognised right after entry, so nothing falls between. (APM2 15.29.8.2, H-BELL-3)"""
    b = Bench(make, 1)
    beats = sum(1 for _ in steps(b))
    heard = 0
    for stop in range(beats):
        b = Bench(make, 1)
        for n, _ in enumerate(steps(b)):
            if n == stop:
                b.w.at[b.slot(0, "IRR")] |= 1 << 0x41
                b.w.at[b.cores[0].signals] |= DOORBELL
        b.play(run.run_core(b.w, b.cores[0]))
        assert b.taken(0) == {0x41: 1}, stop
        heard += any(d.site is doorbell.HEAR for d in b.beats)
    assert heard == beats, "the core has read its doorbell before the first beat"


def steps(b: Bench) -> Any:
    """VMRUN of vCPU 0 on core 0, beat by beat."""
    beats = vmrun.vmrun(b.w, b.cores[0], b.guests[0])
    answer: Any = None
    while True:
        try:
            ask = beats.send(answer)
        except StopIteration:
            return
        yield ask
        answer = b.play(one(ask))


def one(ask: Any) -> Beats[Any]:
    """A single beat, and its answer."""
    return (yield ask)


@breaks("H-BELL-3")
def a_doorbell_in_host_mode_evaluates(w: World) -> None:
    """The core looks at the page of the vCPU it last ran."""

    def run_core(w: World, core: Core) -> Beats[None]:
        if w.see[core.mode] != GUEST and w.see[core.signals] & DOORBELL:
            yield from deliver.evaluate(w, core, w.objects["guests"][w.see[core.guest]])
        yield from run.run_core.fn(w, core)

    overlay(w, run.run_core, run_core)


@breaks("H-BELL-3")
def an_old_doorbell_is_heard(w: World) -> None:
    """A doorbell from host mode waits for guest mode."""
    skip(w, doorbell.miss)


@breaks("H-BELL-3")
def a_doorbell_during_vmrun_is_lost(w: World) -> None:
    """VMRUN drops what came while it was under way."""

    def drop(w: World, core: Core, guest: Guest) -> Beats[None]:
        yield POKE(core.signals, w.see[core.signals] & ~DOORBELL)

    then(w, vmrun.vmrun, drop)


# ---- H-EXIT ----


@proves("H-EXIT-1")
def exit_401h(make: Make) -> None:
    """EXITINFO1 = ICRH:ICRL as written; EXITINFO2[63:32] = ID, [11:0] = index for IDs 1 to 3.

    (APM2 15.29.9.1, H-EXIT-1)
    """
    names = ("INVALID_TYPE", "NOT_RUNNING", "INVALID_TARGET", "INVALID_PAGE", "INVALID_VECTOR", "UNACCELERATED")
    assert {f.name: int(f) for f in IpiFailure} == {name: n for n, name in enumerate(names)}
    assert {n: f.mask for n, f in IncompleteIpiInfo1.fields.items()} == {"ICRH": 0xFFFFFFFF << 32, "ICRL": 0xFFFFFFFF}
    assert {n: f.mask for n, f in IncompleteIpiInfo2.fields.items()} == {"ID": 0xFFFFFFFF << 32, "INDEX": 0xFFF}
    for destination, icrl, info2 in (
        (3, 0x441, 0),
        (3, 0x41, 1 << 32 | 3),
        (200, 0x41, 2 << 32 | 200),
        (2, 0x41, 3 << 32 | 2),
        (3, 0x0E, 4 << 32),
    ):
        b = Bench(make, 4)
        b.run(0, 1, 2)
        b.set_entry(2, VALID | RUNNING | 1 << 40)
        b.ipi(0, destination, icrl)
        assert b.codes(0) == [ExitCode.AVIC_INCOMPLETE_IPI] == [INCOMPLETE]
        assert (b.vmcb(0, 0x070), b.vmcb(0, 0x078), b.vmcb(0, 0x080)) == (INCOMPLETE, destination << 56 | icrl, info2)


@breaks("H-EXIT-1")
def the_id_is_in_the_low_half(w: World) -> None:
    """EXITINFO2 has ID and index the wrong way round."""

    def swap(done: int | Exit) -> int | Exit:
        return done._replace(info2=done.info2 >> 32 | (done.info2 & 0xFFF) << 32) if isinstance(done, Exit) else done

    answered(w, ipi.write_icrl, swap)


@breaks("H-EXIT-1")
def no_index_is_told(w: World) -> None:
    """EXITINFO2 has the ID alone."""

    def cut(done: int | Exit) -> int | Exit:
        return done._replace(info2=done.info2 >> 32 << 32) if isinstance(done, Exit) else done

    answered(w, ipi.write_icrl, cut)


@breaks("H-EXIT-1")
def an_invalid_vector_is_an_invalid_type(w: World) -> None:
    """ID 0 in place of ID 4."""
    answered(w, ipi.refuse, lambda why: IpiFailure.INVALID_TYPE if why == IpiFailure.INVALID_VECTOR else why)


@proves("H-EXIT-2")
def exit_402h(make: Make) -> None:
    """EXITINFO1[32] = write, [11:4] = offset 11:4; EXITINFO2[7:0] = the vector of an EOI write.

    (APM2 15.29.9.2, H-EXIT-2)
    """
    assert {n: f.mask for n, f in NoAccelInfo1.fields.items()} == {"WRITE": 1 << 32, "OFFSET": 0xFF0}
    for insn, info1 in (
        (read("APR"), 0x090),
        (write("APR", 0), 1 << 32 | 0x090),
        (write("SVR", 0x1FF), 1 << 32 | 0x0F0),
        (write(0xFF0, 0), 1 << 32 | 0xFF0),
        (read(0x542, 2), 0x540),
        (write(0x391, 1, 1), 1 << 32 | 0x390),
    ):
        b = Bench(make, 1)
        b.run()
        b.do(0, insn)
        assert b.codes(0) == [ExitCode.AVIC_NOACCEL] == [NOACCEL]
        assert (b.vmcb(0, 0x070), b.vmcb(0, 0x078)) == (NOACCEL, info1)
    b = Bench(make, 1)
    b.set_vectors(0, "ISR", 0x93)
    b.set_vectors(0, "TMR", 0x93)
    b.run()
    b.eoi(0)
    assert (b.vmcb(0, 0x078), b.vmcb(0, 0x080)) == (1 << 32 | 0x0B0, 0x93)


@breaks("H-EXIT-2", patch=True)
def the_direction_is_not_told(patch: pytest.MonkeyPatch) -> None:
    """EXITINFO1[32] is always 0."""
    old = access.no_acceleration
    patch.setattr(access, "no_acceleration", lambda offset, is_write, *, past: old(offset, False, past=past))


@breaks("H-EXIT-2")
def the_offset_has_low_bits(w: World) -> None:
    """Bits 3:0 of the offset are told too."""

    def tell(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
        found = yield from access.access_memory.fn(w, core, guest, insn)
        return found._replace(info1=found.info1 | insn.address & 0xF) if isinstance(found, Exit) else found

    overlay(w, access.access_memory, tell)


@breaks("H-EXIT-2")
def the_vector_of_an_eoi_is_not_told(w: World) -> None:
    """EXITINFO2 is 0."""
    answered(w, deliver.eoi_level, lambda found: found._replace(info2=0))


@proves("H-EXIT-3")
def the_other_exits(make: Make) -> None:
    """060h INTR, 061h NMI, 064h VINTR, 078h HLT, 07Ch MSR, 400h NPF, -1 INVALID. (APM2 appendix C, H-EXIT-3)"""
    codes = {"INTR": 0x60, "NMI": 0x61, "VINTR": 0x64, "HLT": 0x78, "MSR": 0x7C, "NPF": 0x400, "INVALID": -1}
    assert {name: int(ExitCode[f"VMEXIT_{name}"]) for name in codes} == codes

    def after(act: Any, **vmcb: int) -> tuple[int, int, int]:
        b = Bench(make, 1)
        for word, value in vmcb.items():
            b.set_vmcb(0, int(word[1:], 16), value)
        if b.vmrun(0) is None:
            act(b)
        return b.vmcb(0, 0x070), b.vmcb(0, 0x078), b.vmcb(0, 0x080)

    assert after(lambda b: b.signal(0, INTR)) == (0x60, 0, 0)
    assert after(lambda b: b.op(0, "hlt")) == (0x78, 0, 0)
    assert after(lambda b: b.do(0, Insn("rdmsr", 0x1B))) == (0x7C, 0, 0)
    assert after(lambda b: b.do(0, Insn("wrmsr", 0x1B, 5, 8))) == (0x7C, 1, 0)
    assert after(lambda b: b.do(0, read(0x020, base=0x1000))) == (0x400, 1 << 32 | 4 | 1, 0x1020)
    assert after(lambda b: None, x90=0) == ((1 << 64) - 1, 0, 0)
    window = {"x60": INTR_MASKING | 1 << 8 | 1 << 20, "x8": INTERCEPTS | 1 << 36}
    assert after(lambda b: None, **window)[0] == 0x64


@proves("H-EXIT-3")
def hlt_goes_on_where_nobody_intercepts_it(make: Make) -> None:
    """HLT leaves the guest if it is intercepted. (APM2 appendix C, H-EXIT-3)"""
    b = Bench(make, 1)
    b.set_vmcb(0, 0x008, INTERCEPTS & ~(1 << 56))
    b.run()
    b.set_vectors(0, "IRR", 0x41)
    b.forget()
    b.op(0, "hlt", "nop")
    assert (b.exits(0), b.in_guest(0), b.taken(0)) == ((), True, {})


@proves("H-EXIT-3")
def exits_are_counted(make: Make) -> None:
    """The model notes each exit: how many there were, and the last 256. (APM2 appendix C, H-EXIT-3)"""
    b = Bench(make, 1)
    b.run()
    for _ in range(260):
        b.leave(0)
        assert b.vmrun(0) is None
    assert b.w.at[b.guests[0].exit_count] == 260
    assert len(b.exits(0)) == 256
    b.op(0, "hlt")
    assert (len(b.exits(0)), b.codes(0)[-2:]) == (256, [0x60, 0x78])


@breaks("H-EXIT-3")
def every_exit_is_intr(w: World) -> None:
    """The exit code is always 060h."""
    changed(w, vmexit, lambda core, guest, exit: (core, guest, exit._replace(code=ExitCode.VMEXIT_INTR)))


@breaks("H-EXIT-3")
def an_npf_names_no_address(w: World) -> None:
    """EXITINFO2 of a nested page fault is 0."""

    def cut(done: int | Exit) -> int | Exit:
        return done._replace(info2=0) if isinstance(done, Exit) and done.code == ExitCode.VMEXIT_NPF else done

    answered(w, access.access_memory, cut)

"""The VMCB control area: what VMRUN loads, refuses and keeps, what #VMEXIT writes. H-VMCB."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from avickit.beat import AND, Beats, Kind, Site, World
from avickit.bits import Reserved
from avickit.errors import AvicError
from avickit.manual.tables import PhysicalEntry
from avickit.manual.vmcb import (
    ApicBar,
    BackingPagePointer,
    CleanBits,
    LogicalTablePointer,
    PhysicalTablePointer,
    VIntr,
)
from avickit.silicon import parts, vmrun
from avickit.silicon.deliver import load_priority
from avickit.silicon.guest import Insn, enter_handler, read, write
from avickit.silicon.parts import Core, Exit, Guest, Latch, page_at
from avickit.silicon.vmexit import vmexit
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import answered, changed, overlay, skip, then
from tests.silicon.bench import (
    AVIC,
    BACKING,
    FLUSH_GUEST,
    INTERCEPTS,
    INTR_MASKING,
    LOGICAL_VALID,
    POKE,
    RUNNING,
    SPARE,
    VALID,
    X2AVIC,
    Bench,
)

NPF, INVALID, VINTR, HLT, INCOMPLETE = 0x400, -1, 0x64, 0x78, 0x401
ALL_CLEAN = 0x1FFF
INTERCEPT_VINTR = 1 << 36
V_IRQ, V_IGN_TPR, VGIF, VGIF_ENABLE = 1 << 8, 1 << 20, 1 << 9, 1 << 25


def vintr_answer(w: World, change: Callable[[int], int]) -> None:
    """VMRUN loads another word than the one at 060h."""
    answered(w, vmrun.load_vintr, change)


def latch_answer(w: World, change: Callable[[Latch], Latch]) -> None:
    """VMRUN loads something else from the four AVIC words."""
    answered(w, vmrun.load_avic, lambda found: (change(found[0]), found[1]))


# ---- the word at 060h ----


@proves("H-VMCB-1")
def v_tpr_is_loaded_and_written_back(make: Make) -> None:
    """V_TPR is bits 3:0 of 060h: VMRUN loads it, #VMEXIT writes it back, and nothing else.

    (APM2 Table B-1, H-VMCB-1)
    """
    for avic in (AVIC, 0):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, avic | INTR_MASKING | V_IGN_TPR | 5)
        b.run(0)
        assert b.cr8(0) == 5
        b.cr8(0, 9)
        assert b.vmcb(0, 0x060) & 0xF == 5, "the VMCB is written at #VMEXIT"
        b.op(0, "hlt")
        assert b.vmcb(0, 0x060) == avic | INTR_MASKING | V_IGN_TPR | 9


@proves("H-VMCB-1")
def a_refused_vmrun_writes_no_v_tpr(make: Make) -> None:
    """A core that never entered the guest has no V_TPR to write back. (APM2 Table B-1, H-VMCB-1)"""
    b = Bench(make)
    b.run(0)
    b.cr8(0, 9)
    b.leave(0)
    b.set_vmcb(1, 0x060, X2AVIC | 3)
    assert b.vmrun(1, core=0) is not None
    assert b.vmcb(1, 0x060) == X2AVIC | 3


@breaks("H-VMCB-1")
def v_tpr_is_not_written_back(w: World) -> None:
    """#VMEXIT leaves the word at 060h alone."""

    def exit_without(w: World, core: Core, guest: Guest, exit: Exit) -> Beats[None]:
        before = yield vmrun.READ_VMCB(guest.vmcb + vmrun.VINTR)
        yield from vmexit.fn(w, core, guest, exit)
        yield POKE(guest.vmcb + vmrun.VINTR, before)

    overlay(w, vmexit, exit_without)


@breaks("H-VMCB-1")
def the_whole_word_is_written_back(w: World) -> None:
    """#VMEXIT keeps V_TPR of the word and clears the rest."""

    def clear(w: World, core: Core, guest: Guest, exit: Exit) -> Beats[None]:
        word = yield vmrun.READ_VMCB(guest.vmcb + vmrun.VINTR)
        yield POKE(guest.vmcb + vmrun.VINTR, word & 0xF)

    then(w, vmexit, clear)


@proves("H-VMCB-2")
def avic_ignores_v_irq(make: Make) -> None:
    """V_IRQ, V_INTR_PRIO, V_IGN_TPR, V_INTR_VECTOR are ignored while AVIC is enabled. (APM2 15.29.4.1, H-VMCB-2)"""
    word = INTR_MASKING | V_IRQ | 0xF << 16 | V_IGN_TPR | 0x77 << 32
    for intercept in (INTERCEPT_VINTR, 0):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x008, INTERCEPTS | intercept)
        b.set_vmcb(0, 0x060, AVIC | word)
        b.run(0)
        b.op(0, "nop")
        assert (b.codes(0), b.taken(0)) == ([], {})
        b.set_vectors(0, "IRR", 0x41)
        b.op(0, "nop")
        assert b.taken(0) == {}, "it is no doorbell either"
        b.write(0, "TPR", 0)
        assert b.taken(0) == {0x41: 1}


@proves("H-VMCB-2")
def without_avic_v_irq_counts(make: Make) -> None:
    """Without AVIC: V_INTR_PRIO against V_TPR unless V_IGN_TPR; then exit 064h, or the vector.

    (APM2 15.29.4.1, H-VMCB-2)
    """
    cases = [
        # V_INTR_PRIO, V_TPR, V_IGN_TPR, IF: is it due?
        (5, 4, 0, 1, True),
        (4, 4, 0, 1, False),
        (0, 0, V_IGN_TPR, 1, True),
        (0, 0, 0, 1, False),
        (15, 0, 0, 0, False),
    ]
    for prio, v_tpr, ignore, flag, due in cases:
        for intercept in (INTERCEPT_VINTR, 0):
            b = Bench(make, 1)
            b.w.at[b.guests[0].interrupt_flag] = flag
            b.set_vmcb(0, 0x008, INTERCEPTS | intercept)
            b.set_vmcb(0, 0x060, INTR_MASKING | V_IRQ | prio << 16 | ignore | v_tpr | 0x77 << 32)
            b.run(0)
            assert (b.codes(0) == [VINTR]) == (due and bool(intercept))
            assert (b.taken(0) == {0x77: 1}) == (due and not intercept)
            if due and not intercept:
                b.op(0, "nop", "nop")
                assert b.taken(0) == {0x77: 1}, "once"
                assert b.w.at[b.cores[0].vintr] == INTR_MASKING | prio << 16 | ignore | v_tpr | 0x77 << 32
    b = Bench(make, 1)
    b.set_vmcb(0, 0x060, INTR_MASKING | 5 << 16 | V_IGN_TPR | 0x77 << 32)
    b.run(0)
    b.signal(0, parts.DOORBELL)
    assert (b.codes(0), b.taken(0)) == ([], {}), "without V_IRQ the rest means nothing"


@breaks("H-VMCB-2")
def v_irq_works_under_avic(w: World) -> None:
    """A virtual interrupt of the old kind is delivered with AVIC on."""

    def deliver_it(w: World, core: Core, page: int) -> Beats[None]:
        if w.see[core.vintr] & V_IRQ:
            guest = w.objects["guests"][w.see[core.guest]]
            yield from enter_handler(w, guest, VIntr.V_INTR_VECTOR.of(w.see[core.vintr]))

    then(w, load_priority, deliver_it)


@proves("H-VMCB-3")
def what_avic_does_not_ignore(make: Make) -> None:
    """VGIF (9, enabled by 25) and V_INTR_MASKING (24) hold under AVIC; V_NMI 11, 12, 26 are declared.

    (APM2 Table B-1, H-VMCB-3)
    """
    fields = {n: f.mask for n, f in VIntr.fields.items()}
    assert [fields[n] for n in ("VGIF", "V_NMI", "V_NMI_MASK")] == [1 << 9, 1 << 11, 1 << 12]
    assert [fields[n] for n in ("V_INTR_MASKING", "VGIF_ENABLE", "V_NMI_ENABLE")] == [1 << 24, 1 << 25, 1 << 26]
    for bits, taken in ((0, True), (VGIF_ENABLE, False), (VGIF_ENABLE | VGIF, True)):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | bits)
        b.set_vectors(0, "IRR", 0x41)
        b.run(0)
        assert (b.taken(0) == {0x41: 1}) == taken
    for masking, leaves in ((INTR_MASKING, True), (0, False)):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | masking)
        b.w.at[b.guests[0].interrupt_flag] = 0
        b.run(0)
        b.signal(0, parts.INTR)
        assert (b.codes(0) != []) == leaves


@breaks("H-VMCB-3")
def avic_ignores_vgif(w: World) -> None:
    """With AVIC on the virtual GIF masks nothing."""
    vintr_answer(w, lambda word: word & ~VGIF_ENABLE)


@breaks("H-VMCB-3")
def avic_ignores_masking(w: World) -> None:
    """With AVIC on, V_INTR_MASKING is taken as 1."""
    vintr_answer(w, lambda word: word | INTR_MASKING)


@proves("H-VMCB-4")
def avic_is_enabled_per_vcpu(make: Make) -> None:
    """060h bit 31 enables AVIC for this virtual processor alone. (APM2 15.29.4.1, H-VMCB-4)"""
    b = Bench(make)
    b.set_vmcb(1, 0x060, INTR_MASKING)
    b.run(0, 1)
    assert b.read(0, "ID") == 0
    assert b.codes(0) == []
    b.do(1, read("ID"))
    assert b.codes(1) == [NPF]


@breaks("H-VMCB-4")
def avic_is_always_on(w: World) -> None:
    """VMRUN takes bit 31 as 1."""
    vintr_answer(w, lambda word: word | AVIC)


@breaks("H-VMCB-4")
def avic_is_never_on(w: World) -> None:
    """VMRUN takes bit 31 as 0."""
    vintr_answer(w, lambda word: word & ~AVIC)


@proves("H-VMCB-5")
def x2avic_needs_avic(make: Make) -> None:
    """060h bit 30 is 1 with bit 31 = 0: VMRUN fails with VMEXIT_INVALID. (APM2 15.29.4.1, H-VMCB-5)"""
    b = Bench(make, 1, cpu="zen4")
    b.set_vmcb(0, 0x060, X2AVIC | INTR_MASKING)
    failed = b.vmrun(0)
    assert failed is not None
    assert (int(failed.code), b.vmcb(0, 0x070)) == (INVALID, (1 << 64) - 1)
    assert "H-VMCB-5" in failed.reason
    assert not b.in_guest(0)


@breaks("H-VMCB-5")
def x2avic_needs_nothing(w: World) -> None:
    """Bit 30 is not looked at."""
    vintr_answer(w, lambda word: word & ~X2AVIC)


@proves("H-VMCB-6")
def the_rest_of_060h_should_be_zero(make: Make) -> None:
    """060h bits 63:40, 29:27, 23:21, 15:13, 10 and 7:4 are SBZ: declared, and refused where written.

    (APM2 Table B-1, H-VMCB-6)
    """
    sbz = [*range(40, 64), 27, 28, 29, 21, 22, 23, 13, 14, 15, 10, 4, 5, 6, 7]
    for bit in range(64):
        refused = ""
        try:
            VIntr(1 << bit)
        except AvicError as error:
            refused = str(error)
        assert bool(refused) == (bit in sbz), bit
        assert not refused or ("VIntr" in refused and f"{1 << bit:#018x}" in refused)


@breaks("H-VMCB-6", patch=True)
def nothing_is_reserved(patch: pytest.MonkeyPatch) -> None:
    """Bits 63:40 may be set."""
    patch.setattr(VIntr, "reserved", Reserved((29, 27), (23, 21), (15, 13), 10, (7, 4)))


# ---- exit information, event injection ----


@proves("H-VMCB-7")
def where_an_exit_is_written(make: Make) -> None:
    """070h EXITCODE, 078h EXITINFO1, 080h EXITINFO2, 088h EXITINTINFO. (APM2 Table B-1, H-VMCB-7)"""
    b = Bench(make)
    for word in (0x070, 0x078, 0x080, 0x088):
        b.set_vmcb(0, word, 0x5555)
    b.set_entry(1, VALID | BACKING + 1 << 12)
    b.run(0)
    b.ipi(0, 1, 0x41)
    assert [b.vmcb(0, o) for o in (0x070, 0x078, 0x080, 0x088)] == [INCOMPLETE, 1 << 56 | 0x41, 1 << 32 | 1, 0]
    exit = Exit(b.exits(0)[0].code, 2, 3, intinfo=1 << 31 | 0x41)
    b.play(vmexit(b.w, b.cores[0], b.guests[0], exit))
    assert [b.vmcb(0, o) for o in (0x070, 0x078, 0x080, 0x088)] == [INCOMPLETE, 2, 3, 1 << 31 | 0x41]


@breaks("H-VMCB-7")
def the_two_infos_are_swapped(w: World) -> None:
    """EXITINFO1 lands at 080h and EXITINFO2 at 078h."""

    def swap(core: Core, guest: Guest, exit: Exit) -> tuple[Any, ...]:
        return core, guest, exit._replace(info1=exit.info2, info2=exit.info1)

    changed(w, vmexit, swap)


@breaks("H-VMCB-7")
def no_interrupted_event(w: World) -> None:
    """EXITINTINFO is never written."""
    changed(w, vmexit, lambda core, guest, exit: (core, guest, exit._replace(intinfo=0)))


@proves("H-VMCB-10")
def eventinj_is_at_0a8h(make: Make) -> None:
    """0A8h EVENTINJ: with V (bit 31) the vector in 7:0 is injected before the first instruction, once.

    (APM2 15.20, H-VMCB-10)
    """
    for word, taken in ((1 << 31 | 0x55, {0x55: 1}), (0x55, {}), (1 << 31 | 2 << 8 | 2, {2: 1})):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x0A8, word)
        b.run(0)
        assert b.taken(0) == taken
        b.leave(0)
        assert b.vmrun(0) is None
        assert b.taken(0) == taken, "once"
        assert b.vmcb(0, 0x0A8) == (0 if taken else word)


@breaks("H-VMCB-10")
def injection_waits_for_if(w: World) -> None:
    """EVENTINJ is taken out of the VMCB, and lost."""

    def drop(w: World, guest: Guest) -> Beats[None]:
        yield POKE(guest.vmcb + vmrun.EVENTINJ, 0)

    overlay(w, vmrun.inject, drop)


@breaks("H-VMCB-10")
def injection_looks_at_no_valid_bit(w: World) -> None:
    """The word is injected whether V is set or not."""

    def always(w: World, guest: Guest) -> Beats[None]:
        event = yield vmrun.READ_INJ(guest.vmcb + vmrun.EVENTINJ)
        yield POKE(guest.vmcb + vmrun.EVENTINJ, event | (1 << 31 if event else 0))
        yield from vmrun.inject.fn(w, guest)

    overlay(w, vmrun.inject, always)


# ---- nested paging, APIC_BAR ----


@proves("H-VMCB-8")
def avic_needs_nested_paging(make: Make) -> None:
    """090h bit 0 NP_ENABLE must be 1 with AVIC; the model refuses VMRUN and says whose choice it is.

    (APM2 15.29.4.1, H-VMCB-8)
    """
    for np, avic, refused in ((0, AVIC, True), (1, AVIC, False), (0, 0, False), (0xFE, AVIC, True)):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, avic | INTR_MASKING)
        b.set_vmcb(0, 0x090, np)
        failed = b.vmrun(0)
        assert (failed is not None) == refused
        if failed is not None:
            assert int(failed.code) == INVALID
            assert "the model's choice" in failed.reason
    for avic in (AVIC, 0):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, avic | INTR_MASKING)
        b.set_vmcb(0, 0x0B0, 1 << 40)
        assert (b.vmrun(0) is not None) == bool(avic), "a nested page table that is not in memory is none"
        if not avic:
            b.do(0, read("ID"))
            assert b.vmcb(0, 0x078) & 1 == 0, "nothing is present"


@breaks("H-VMCB-8")
def avic_goes_without_nested_paging(w: World) -> None:
    """VMRUN does not mind."""
    skip(w, vmrun.without_nested_paging, "")


@proves("H-VMCB-9")
def the_apic_page_is_where_apic_bar_says(make: Make) -> None:
    """098h APIC_BAR: the guest physical address of the APIC page, FEE0_0000h at first. (APM2 Table B-1, H-VMCB-9)"""
    for bar in (0xFEE0_0000, 0xFED0_0000, 0x8_FEE0_0000):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x098, bar)
        b.run(0)
        assert b.do(0, read("SVR", base=bar)) == 0x1FF
        b.do(0, write("ICRH", 7, base=bar))
        assert (b.reg(0, "ICRH"), b.codes(0)) == (7, [])
        for elsewhere in (bar + 0x1000, bar - 0x1000, bar ^ 1 << 34):
            b.do(0, read("SVR", base=elsewhere))
            assert b.exit(0) is not None
            assert (b.vmcb(0, 0x070), b.vmcb(0, 0x080)) == (NPF, elsewhere + 0x0F0)
            b.clear_frames(0)
            assert b.vmrun(0) is None
    fields = {n: f.mask for n, f in ApicBar.fields.items()}
    assert fields == {"ADDRESS": (1 << 52) - 1}


@breaks("H-VMCB-9")
def the_apic_page_never_moves(w: World) -> None:
    """The APIC page is at FEE0_0000h whatever APIC_BAR says."""
    latch_answer(w, lambda latch: replace(latch, bar=0xFEE0_0000))


# ---- clean bits ----

CLEAN_TPR, CLEAN_AVIC, CLEAN_NP, CLEAN_I, CLEAN_ASID = 1 << 3, 1 << 11, 1 << 4, 1, 1 << 2


def moved_bar(b: Bench) -> None:
    b.set_vmcb(0, 0x098, 0xFED0_0000, clean=ALL_CLEAN)


def sees_new_bar(b: Bench) -> bool:
    b.do(0, read("ID", base=0xFED0_0000))
    return b.codes(0)[-1:] != [NPF]


def other_backing_page(b: Bench) -> None:
    b.w.at[b.page(SPARE) + 0x0D] = 0x7700_0000
    b.set_vmcb(0, 0x058, 1 | FLUSH_GUEST)
    b.set_vmcb(0, 0x0E0, SPARE << 12, clean=ALL_CLEAN)


def sees_new_backing_page(b: Bench) -> bool:
    return b.read(0, "LDR") == 0x7700_0000


def other_logical_table(b: Bench) -> None:
    b.w.at[b.page(SPARE) + 1] = LOGICAL_VALID | 0
    b.set_vmcb(0, 0x0F0, SPARE << 12, clean=ALL_CLEAN)


def sees_new_logical_table(b: Bench) -> bool:
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.ipi(0, 0x02, 0x841)
    return b.irr(0) == {0x41}


def other_physical_table(b: Bench) -> None:
    b.w.at[b.page(SPARE) + 1] = VALID | RUNNING | BACKING << 12
    b.set_vmcb(0, 0x0F8, SPARE << 12 | 1, clean=ALL_CLEAN)


def sees_new_physical_table(b: Bench) -> bool:
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.ipi(0, 1, 0x41)
    return b.irr(0) == {0x41}


def other_v_tpr(b: Bench) -> None:
    b.set_vmcb(0, 0x060, b.vmcb(0, 0x060) & ~0xF | 9, clean=ALL_CLEAN)


def sees_new_v_tpr(b: Bench) -> bool:
    return b.cr8(0) == 9


def avic_switched_off(b: Bench) -> None:
    b.set_vmcb(0, 0x060, b.vmcb(0, 0x060) & ~AVIC, clean=ALL_CLEAN)


def sees_avic_off(b: Bench) -> bool:
    b.do(0, read("ID"))
    return b.codes(0)[-1:] == [NPF]


def hlt_let_through(b: Bench) -> None:
    b.set_vmcb(0, 0x008, INTERCEPTS & ~(1 << 56), clean=ALL_CLEAN)


def sees_no_hlt_intercept(b: Bench) -> bool:
    b.op(0, "hlt")
    return b.in_guest(0)


def nested_paging_off(b: Bench) -> None:
    b.set_vmcb(0, 0x090, 0, clean=ALL_CLEAN)


def other_asid(b: Bench) -> None:
    b.w.at[b.page(3) + vmrun.APIC_LEAF] = 0
    b.set_vmcb(0, 0x058, 2, clean=ALL_CLEAN)


def sees_new_asid(b: Bench) -> bool:
    b.do(0, read("ID"))
    return b.codes(0)[-1:] == [NPF]


CLEAN_CASES = [
    (CLEAN_AVIC, moved_bar, sees_new_bar),
    (CLEAN_AVIC, other_backing_page, sees_new_backing_page),
    (CLEAN_AVIC, other_logical_table, sees_new_logical_table),
    (CLEAN_AVIC, other_physical_table, sees_new_physical_table),
    (CLEAN_TPR, other_v_tpr, sees_new_v_tpr),
    (CLEAN_TPR, avic_switched_off, sees_avic_off),
    (CLEAN_I, hlt_let_through, sees_no_hlt_intercept),
    (CLEAN_ASID, other_asid, sees_new_asid),
]


def after_a_run(make: Make) -> Bench:
    """vCPU 0 has run on core 0 and accessed its page; it has left the guest. vCPU 1 runs."""
    b = Bench(make)
    b.run(1, 0)
    b.read(0, "ID")
    b.leave(0)
    return b


@proves("H-VMCB-11")
def a_field_under_a_clean_bit_is_used_in_its_old_value(make: Make) -> None:
    """0C0h: bit 11 covers 098h, 0E0h, 0F0h, 0F8h, bit 3 060h-067h; changed under a 1, old values go on.

    (APM2 15.15.3, H-VMCB-11)
    """
    for bit, change, sees_new in CLEAN_CASES:
        for clean, new in ((ALL_CLEAN, False), (bit, False), (ALL_CLEAN & ~bit, True), (0, True)):
            b = after_a_run(make)
            change(b)
            b.set_vmcb(0, 0x0C0, clean, clean=clean)
            assert b.vmrun(0) is None
            assert sees_new(b) == new, (change.__name__, hex(clean))
    for clean, refused in ((ALL_CLEAN, False), (ALL_CLEAN & ~CLEAN_NP, True)):
        b = after_a_run(make)
        nested_paging_off(b)
        b.set_vmcb(0, 0x0C0, clean, clean=clean)
        assert (b.vmrun(0) is not None) == refused


@proves("H-VMCB-11")
def a_first_run_uses_no_old_value(make: Make) -> None:
    """A core that holds another VMCB has nothing of this one, whatever the clean bits say. (APM2 15.15.3, H-VMCB-11)"""
    for bit, change, sees_new in CLEAN_CASES:
        if bit != CLEAN_ASID:
            b = after_a_run(make)
            change(b)
            b.leave(1)
            assert b.vmrun(0, core=1) is None
            assert sees_new(b), change.__name__
    b = after_a_run(make)
    old, new = b.guests[0].vmcb, b.page(SPARE)
    b.set_vmcb(0, 0x060, b.vmcb(0, 0x060) | 9, clean=ALL_CLEAN)
    b.w.at[new : new + 512] = b.w.at[old : old + 512]
    b.guests[0] = replace(b.guests[0], vmcb=new)
    b.w.objects["guests"][0] = b.guests[0]
    assert b.vmrun(0) is None
    assert b.cr8(0) == 9, "a VMCB that moved is another VMCB"


@proves("H-VMCB-11")
def a_core_keeps_what_it_had(make: Make) -> None:
    """Back on a core that ran this VMCB before, forgotten clean bits bring back values of that time.

    (APM2 15.15.3, H-VMCB-11)
    """
    b = after_a_run(make)
    b.leave(1)
    b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | 9)
    assert b.vmrun(0, core=1) is None
    b.leave(0)
    b.set_vmcb(0, 0x0C0, ALL_CLEAN, clean=ALL_CLEAN)
    assert b.vmrun(0, core=0) is None
    assert b.cr8(0) == 0
    b.leave(0)
    assert b.vmcb(0, 0x060) & 0xF == 0, "and at the next #VMEXIT the new value is lost for good"


@proves("H-VMCB-11")
def avic_can_be_enabled_under_clean_pointers(make: Make) -> None:
    """Pointers that did not change may stay clean while AVIC is enabled: it then uses them.

    (APM2 15.15.3, H-VMCB-11)
    """
    b = Bench(make, 1)
    b.set_vmcb(0, 0x060, INTR_MASKING)
    assert b.vmrun(0) is None
    b.leave(0)
    b.set_vmcb(0, 0x060, AVIC | INTR_MASKING, clean=ALL_CLEAN & ~CLEAN_TPR)
    assert b.vmrun(0) is None
    assert b.read(0, "SVR") == 0x1FF
    b.write(0, "ICRH", 0x0500_0000)
    assert (b.reg(0, "ICRH"), b.codes(0)) == (0x0500_0000, [0x60])


@proves("H-VMCB-11")
def tlb_control_and_the_shadow_have_no_clean_bit(make: Make) -> None:
    """What no clean bit covers is read at each VMRUN: interrupt shadow, EVENTINJ, TLB_CONTROL.

    (APM2 15.15.3, H-VMCB-11)
    """
    b = after_a_run(make)
    b.set_vmcb(0, 0x068, 1, clean=ALL_CLEAN)
    b.set_vmcb(0, 0x0A8, 1 << 31 | 0x55, clean=ALL_CLEAN)
    assert b.vmrun(0) is None
    assert b.taken(0) == {0x55: 1}
    assert b.w.at[b.cores[0].shadow] == 1
    covered = {n: f.mask for n, f in CleanBits.fields.items()}
    assert (covered["TPR"], covered["AVIC"]) == (CLEAN_TPR, CLEAN_AVIC)


@breaks("H-VMCB-11")
def clean_bits_are_not_used(w: World) -> None:
    """The core reads everything at each VMRUN, so a forgotten clean bit is never seen."""
    changed(w, vmrun.load_vmcb, lambda core, vmcb, clean: (core, vmcb, 0))


@breaks("H-VMCB-11")
def all_is_always_clean(w: World) -> None:
    """The core never reads again what it has."""
    changed(w, vmrun.load_vmcb, lambda core, vmcb, clean: (core, vmcb, ALL_CLEAN if w.see[core.cached_vmcb] else 0))


@breaks("H-VMCB-11")
def bit_3_covers_the_pointers_too(w: World) -> None:
    """The bits are mixed up: 3 stands for 11."""

    def mixed(core: Core, vmcb: int, clean: int) -> tuple[Any, ...]:
        return core, vmcb, clean & ~CLEAN_AVIC | (clean & CLEAN_TPR) << 8

    changed(w, vmrun.load_vmcb, mixed)


# ---- the four AVIC words ----


@proves("H-VMCB-12")
def the_backing_page_is_at_0e0h(make: Make) -> None:
    """0E0h bits 51:12: the vAPIC backing page, for accesses and for what the vCPU takes. (APM2 Table B-1, H-VMCB-12)"""
    b = Bench(make, 1)
    b.set_vmcb(0, 0x0E0, SPARE << 12)
    b.w.at[b.page(SPARE) + 0x20] = 1 << 0x41
    b.run(0)
    b.write(0, "ICRH", 0x12)
    assert b.w.at[b.page(SPARE) + 0x31] == 0x12
    assert (b.taken(0), b.reg(0, "ICRH")) == ({0x41: 1}, 0)
    assert {n: f.mask for n, f in BackingPagePointer.fields.items()} == {"ADDRESS": ((1 << 52) - 1) & ~0xFFF}


@breaks("H-VMCB-12")
def the_backing_page_is_beside(w: World) -> None:
    """The core takes the page after the one that is named."""
    latch_answer(w, lambda latch: replace(latch, page=latch.page + w.page_places))


@proves("H-VMCB-13")
def the_logical_table_is_at_0f0h(make: Make) -> None:
    """0F0h bits 51:12: the logical APIC ID table. (APM2 Table B-1, H-VMCB-13)"""
    b = Bench(make)
    b.set_vmcb(0, 0x0F0, SPARE << 12)
    b.w.at[b.page(SPARE) + 7] = LOGICAL_VALID | 1
    b.run(0, 1)
    b.ipi(0, 0x80, 0x841)
    assert (b.taken(1), b.codes(0)) == ({0x41: 1}, [])
    assert {n: f.mask for n, f in LogicalTablePointer.fields.items()} == {"ADDRESS": ((1 << 52) - 1) & ~0xFFF}


@breaks("H-VMCB-13")
def the_logical_table_is_elsewhere(w: World) -> None:
    """The core uses the physical table as logical table."""
    latch_answer(w, lambda latch: replace(latch, logical=latch.physical))


@proves("H-VMCB-14")
def the_physical_table_is_at_0f8h(make: Make) -> None:
    """0F8h: the physical APIC ID table in 51:12, AVIC_PHYSICAL_MAX_INDEX in 11:0. (APM2 Table B-1, H-VMCB-14)"""
    b = Bench(make, 3)
    b.w.at[b.page(SPARE) + 2] = VALID | RUNNING | BACKING + 1 << 12 | 1
    b.set_vmcb(0, 0x0F8, SPARE << 12 | 2)
    b.run(1, 0)
    b.ipi(0, 2, 0x41)
    assert (b.taken(1), b.codes(0)) == ({0x41: 1}, [])
    b.leave(0)
    b.set_vmcb(0, 0x0F8, SPARE << 12 | 1)
    assert b.vmrun(0) is None
    b.ipi(0, 2, 0x41)
    assert b.codes(0)[-1] == INCOMPLETE, "2 is above MAX_INDEX now"
    fields = {n: f.mask for n, f in PhysicalTablePointer.fields.items()}
    assert fields == {"ADDRESS": ((1 << 52) - 1) & ~0xFFF, "MAX_INDEX": 0xFFF}


@breaks("H-VMCB-14")
def max_index_is_one_more(w: World) -> None:
    """The core takes MAX_INDEX for a number of entries, one too many."""
    latch_answer(w, lambda latch: replace(latch, max_index=latch.max_index + 1))


@breaks("H-VMCB-14")
def the_physical_table_is_elsewhere(w: World) -> None:
    """The core uses the logical table as physical table."""
    latch_answer(w, lambda latch: replace(latch, physical=latch.logical))


@proves("H-VMCB-15")
def max_index_has_a_limit(make: Make) -> None:
    """VMRUN fails with VMEXIT_INVALID when MAX_INDEX > 255 in xAVIC, > 511 in x2AVIC mode.

    (APM2 15.29.4.1, H-VMCB-15)
    """
    for bits, most, limited in (
        (0, 255, False),
        (0, 256, True),
        (0, 4095, True),
        (X2AVIC, 511, False),
        (X2AVIC, 512, True),
    ):
        b = Bench(make, 1, cpu="zen4")
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | bits)
        b.set_max_index(most)
        failed = b.vmrun(0)
        assert ("above" in failed.reason if failed else False) == limited, (bits, most)
        assert failed is None or not limited or f"{'x2AVIC' if bits else 'xAVIC'} mode" in failed.reason
        assert failed is None or int(failed.code) == INVALID
        assert failed is not None or (bits == 0 and most == 255)


@proves("H-VMCB-15")
def pointers_lie_in_the_physical_address_range(make: Make) -> None:
    """A pointer outside the physical address range makes VMRUN fail; the model says VMEXIT_INVALID.

    (APM2 15.29.4.1, H-VMCB-15)
    """
    for cpu, bits in (("epyc", 48), ("zen4", 52)):
        for word, name in ((0x0E0, "backing page"), (0x0F0, "logical table"), (0x0F8, "physical table")):
            for bit in (bits - 1, bits):
                b = Bench(make, 1, cpu=cpu)
                good = b.vmcb(0, word)
                b.set_vmcb(0, word, 1 << bit | good)
                failed = b.vmrun(0)
                if bit < 52:
                    assert failed is not None
                    assert int(failed.code) == INVALID
                    assert name in failed.reason
                    assert ("outside" in failed.reason) == (bit == bits)
                assert bit < 52 or failed is None, "bits 63:52 are no part of the pointer"


@breaks("H-VMCB-15")
def nothing_is_refused(w: World) -> None:
    """MAX_INDEX may be anything."""
    answered(w, vmrun.load_avic, lambda found: (found[0], ""))


@breaks("H-VMCB-15")
def pointers_are_not_checked(w: World) -> None:
    """A pointer may lead anywhere."""
    skip(w, vmrun.pointer_failure, "")


@breaks("H-VMCB-15", patch=True)
def the_limit_is_one_more(patch: pytest.MonkeyPatch) -> None:
    """256 is still accepted."""
    patch.setattr(vmrun, "XAVIC_LIMIT", 256)


@breaks("H-VMCB-15", patch=True)
def addresses_have_52_bits(patch: pytest.MonkeyPatch) -> None:
    """The CPU's physical address range is not looked at."""
    patch.setattr(vmrun, "legal", lambda w, address: True)


# ---- placement ----


@proves("H-VMCB-16")
def structures_are_pages_that_stay(make: Make) -> None:
    """All AVIC structures are 4 KiB aligned and stay where they are for the life of the VM.

    (APM2 15.29.4.3, H-VMCB-16)
    """
    for pointer in (BackingPagePointer, LogicalTablePointer):
        for bit in range(12):
            assert pointer.reserved.mask >> bit & 1, "a pointer has no bits 11:0"
    assert PhysicalEntry.BACKING_PAGE.lsb == PhysicalTablePointer.ADDRESS.lsb == 12
    m = make(cores=2, pages=64)
    xen = m.xen
    assert xen is not None
    dom = xen.create_domain(2)
    a, c = dom.vcpus

    def pointers() -> list[int]:
        return [v.vmcb[w].value for v in dom.vcpus for w in ("BACKING_PAGE", "LOGICAL_TABLE", "PHYSICAL_TABLE")]

    before = pointers()
    assert len({p >> 12 for p in before}) == 4, "two backing pages, one table of each kind"
    xen.run(a, 0)
    xen.run(c, 1)
    xen.run(a, 1)
    xen.deschedule(a, sync=True)
    other = xen.create_domain(2)
    a.guest.on(0x41, [])
    assert pointers() == before
    mine = {p >> 12 for p in before}
    theirs = {v.vmcb[w].value >> 12 for v in other.vcpus for w in ("BACKING_PAGE", "LOGICAL_TABLE", "PHYSICAL_TABLE")}
    assert not mine & theirs, "a page that is in use is not handed out"
    assert all(page_at(m.world, p & ~0xFFF) is not None for p in before)


@breaks("H-VMCB-16")
def pages_are_handed_out_again(w: World) -> None:
    """A page of a living VM goes to the next one."""
    mark = Site(Kind.UPDATE, AND, "broken", "a breaker", "gives a page back too early")

    def early(w: World, name: str, kind: str) -> Beats[None]:
        heap = w.objects["memory"][0]
        if kind == "logical":
            yield mark(heap.taken, ~(1 << (w.see[heap.taken].bit_length() - 1)))

    then(w, parts.alloc_page, early)


@breaks("H-VMCB-16", patch=True)
def pointers_have_low_bits(patch: pytest.MonkeyPatch) -> None:
    """A backing page may begin anywhere."""
    patch.setattr(BackingPagePointer, "reserved", Reserved((63, 52)))


# ---- the old translation ----


def one_core(make: Make, **kw: Any) -> Bench:
    """Two vCPUs of one VM that share core 0; vCPU 0 has run there, and read its ID."""
    b = Bench(make, 2, cores=1, **kw)
    assert b.vmrun(0) is None
    b.read(0, "ID")
    b.leave(0)
    return b


@proves("H-VMCB-17")
def who_does_not_flush_meets_the_old_page(make: Make) -> None:
    """05Ch: another vCPU of the VM on this core without TLB_CONTROL = 3 may meet the other's page.

    (APM2 15.29.4.2, H-VMCB-17)
    """
    for control, stale in ((0, True), (3, False), (1, False)):
        b = one_core(make)
        b.set_vmcb(1, 0x058, control << 32 | 1)
        assert b.vmrun(1, core=0) is None
        assert b.read(1, "ID") == (0 if stale else 1 << 24)
        b.write(1, "ICRH", 0x0900_0000)
        assert [b.reg(n, "ICRH") for n in (0, 1)] == ([0x0900_0000, 0] if stale else [0, 0x0900_0000])
    assert FLUSH_GUEST == 3 << 32
    b = one_core(make)
    assert b.vmrun(1, core=0) is None
    got: list[int] = []

    def program() -> Iterator[Insn]:
        got.append((yield write("TPR", 0x40)))  # type: ignore[arg-type]
        got.append((yield read("TPR")))  # type: ignore[arg-type]

    b.start(1, program)
    assert (got, b.cr8(1)) == ([0, 0x40], 0), "to the old page it is a plain store"


@proves("H-VMCB-17")
def another_vm_and_another_core_meet_nothing(make: Make) -> None:
    """A translation is kept under its ASID, by the core that made it; the same vCPU needs no flush.

    (APM2 15.29.4.2, H-VMCB-17)
    """
    b = one_core(make)
    b.set_vmcb(1, 0x058, 2)
    assert b.vmrun(1, core=0) is None
    assert b.read(1, "ID") == 1 << 24
    b.leave(1)
    assert b.vmrun(0) is None
    assert b.read(0, "ID") == 0
    b = Bench(make)
    b.run(0)
    b.read(0, "ID")
    assert b.vmrun(1, core=1) is None
    assert b.read(1, "ID") == 1 << 24


@breaks("H-VMCB-17")
def every_vmrun_flushes(w: World) -> None:
    """No old translation is ever met."""

    def flush(w: World, core: Core, vmcb: int, clean: int, kept: Latch) -> Beats[None]:
        yield vmrun.FLUSH(core.translation, 0)

    then(w, vmrun.load_translation, flush)


@breaks("H-VMCB-17")
def tlb_control_does_nothing(w: World) -> None:
    """The old translation outlives a flush."""

    def keep(w: World, core: Core, vmcb: int, clean: int, kept: Latch) -> Beats[tuple[int, int]]:
        before = w.see[core.translation]
        found = yield from vmrun.load_translation.fn(w, core, vmcb, clean, kept)
        yield POKE(core.translation, before)
        return found

    overlay(w, vmrun.load_translation, keep)

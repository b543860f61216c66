"""Priorities and delivery into the guest: H-PRIO, H-EVAL, H-EOI, H-MASK."""

from collections.abc import Iterator
from functools import partial

from avickit.beat import LOAD, STORE, Beats, World
from avickit.silicon import deliver, doorbell, guest, run, vmrun
from avickit.silicon.guest import Insn, Program, eoi, write
from avickit.silicon.parts import DOORBELL, INTR, Core, Exit, Guest
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import answered, overlay, skip, then
from tests.silicon.bench import AVIC, INTR_MASKING, PEEK, POKE, Bench

VMEXIT_INTR, NOACCEL, HLT = 0x60, 0x402, 0x78
EOI_WRITE = 1 << 32 | 0x0B0
VALID_INJ = 1 << 31
SELF = 1 << 18


def ppr(tpr: int, isr: set[int]) -> int:
    """H-PRIO-1, written down from APM2 chapter 16."""
    isrv = max(isr, default=0)
    return tpr if tpr >> 4 >= isrv >> 4 else isrv & 0xF0


# ---- H-PRIO ----


@proves("H-PRIO-1")
def ppr_follows_a_tpr_write(make: Make) -> None:
    """PPR = TPR if TPR[7:4] >= ISRV[7:4], else ISRV & F0h; refreshed in the page at each TPR write.

    (APM2 15.29.5, H-PRIO-1)
    """
    b = Bench(make, 1)
    b.run(0)
    by_hand = {(0x35, ()): 0x35, (0x35, (0x41,)): 0x40, (0x4F, (0x41,)): 0x4F, (0x50, (0x41, 0x3F)): 0x50}
    by_hand |= {(0x00, (0x10, 0xFE)): 0xF0, (0xFF, (0xFE,)): 0xFF, (0x0F, ()): 0x0F, (0x05, (0x1F,)): 0x10}
    for (tpr, isr), expected in by_hand.items():
        assert ppr(tpr, set(isr)) == expected
        b.set_vectors(0, "ISR", *isr)
        b.write(0, "TPR", tpr)
        assert b.reg(0, "PPR") == expected, (hex(tpr), isr)
    for tpr in range(0, 256, 5):
        for v in (0, 0x1F, 0x20, 0x3C, 0x80, 0xFF):
            b.set_vectors(0, "ISR", *([v] if v else []))
            b.write(0, "TPR", tpr)
            assert b.reg(0, "PPR") == ppr(tpr, {v} if v else set())


@proves("H-PRIO-1")
def ppr_follows_the_highest_isr_bit(make: Make) -> None:
    """Hardware refreshes PPR in the page whenever the highest ISR bit changes: at delivery and at EOI.

    (APM2 15.29.5, H-PRIO-1)
    """
    b = Bench(make, 1)
    b.run(0)
    b.write(0, "TPR", 0x23)
    b.ipi(0, 0, 0x41)
    assert (b.isr(0), b.reg(0, "PPR")) == ({0x41}, 0x40)
    b.ipi(0, 0, 0x8F)
    assert (b.isr(0), b.reg(0, "PPR")) == ({0x41, 0x8F}, 0x80)
    b.eoi(0)
    assert (b.isr(0), b.reg(0, "PPR")) == ({0x41}, 0x40)
    b.eoi(0)
    assert (b.isr(0), b.reg(0, "PPR")) == (set(), 0x23)


@breaks("H-PRIO-1")
def ppr_is_stale_after_eoi(w: World) -> None:
    """The end of a vector does not refresh PPR."""
    skip(w, deliver.refresh_ppr)


@breaks("H-PRIO-1")
def ppr_is_stale_after_delivery(w: World) -> None:
    """Taking a vector does not refresh PPR."""

    def accept(w: World, core: Core, page: int, vector: int) -> Beats[None]:
        yield deliver.CLEAR_IRR(page + deliver.IRR, ~(1 << vector))
        yield deliver.SET_ISR(page + deliver.ISR, 1 << vector)

    overlay(w, deliver.accept, accept)


@breaks("H-PRIO-1")
def ppr_keeps_the_low_nibble_of_the_vector(w: World) -> None:
    """The whole vector in service becomes PPR, not its class alone."""

    def whole(w: World, core: Core, page: int, vector: int) -> Beats[None]:
        yield deliver.SET_PPR(page + deliver.PPR, vector)

    then(w, deliver.accept, whole)


@proves("H-PRIO-2")
def a_tpr_write_reaches_v_tpr_and_cr8(make: Make) -> None:
    """TPR write: the page's TPR is the value, bits 7:0; V_TPR and CR8 become TPR[7:4]. (APM2 15.29.5, H-PRIO-2)"""
    b = Bench(make, 1)
    b.run(0)
    for value in (0x35, 0x0F, 0xF0, 0xFF, 0x00):
        b.write(0, "TPR", value)
        assert (b.reg(0, "TPR"), b.cr8(0)) == (value, value >> 4)
    b.write(0, "TPR", 0xABCD_EF97)
    assert (b.reg(0, "TPR"), b.cr8(0)) == (0x97, 9)
    b.write(0, "TPR", 0x62, size=1)
    assert (b.reg(0, "TPR"), b.cr8(0)) == (0x62, 6)


@proves("H-PRIO-2")
def a_cr8_write_reaches_the_page(make: Make) -> None:
    """CR8 write: V_TPR is the value, the page's TPR the value in its high nibble, the low one 0.

    (APM2 15.29.5, H-PRIO-2)
    """
    b = Bench(make, 1)
    b.run(0)
    b.write(0, "TPR", 0x35)
    for value in (9, 0, 15):
        b.cr8(0, value)
        assert (b.cr8(0), b.reg(0, "TPR"), b.reg(0, "PPR")) == (value, value << 4, value << 4)
    b.op(0, "hlt")
    assert b.vmcb(0, 0x060) & 0xF == 15


@proves("H-PRIO-2")
def without_avic_cr8_is_v_tpr_alone(make: Make) -> None:
    """CR8 reads return V_TPR; without AVIC the page is memory that nobody touches. (APM2 15.29.5, H-PRIO-2)"""
    b = Bench(make, 1, avic=False)
    b.set_vmcb(0, 0x060, INTR_MASKING | 7)
    b.run(0)
    assert b.cr8(0) == 7
    b.cr8(0, 12)
    assert (b.cr8(0), b.reg(0, "TPR")) == (12, 0)
    assert b.w.at[b.cores[0].vintr] == INTR_MASKING | 12


@breaks("H-PRIO-2")
def v_tpr_does_not_follow(w: World) -> None:
    """A TPR write stays in the page."""

    def write_tpr(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        before = w.see[core.vintr]
        yield from deliver.write_tpr.fn(w, core, guest, value)
        yield deliver.SET_V_TPR(core.vintr, before)
        return 0

    overlay(w, deliver.write_tpr, write_tpr)


@breaks("H-PRIO-2")
def cr8_stays_out_of_the_page(w: World) -> None:
    """A CR8 write changes V_TPR only."""

    def write_cr8(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        yield deliver.SET_V_TPR(core.vintr, w.see[core.vintr] & ~0xF | value)
        return 0

    overlay(w, deliver.write_cr8, write_cr8)


@breaks("H-PRIO-2")
def tpr_keeps_all_bits(w: World) -> None:
    """Bits 31:8 of a TPR write stay."""

    def tpr_value(w: World, value: int) -> Beats[int]:
        return value
        yield

    overlay(w, deliver.tpr_value, tpr_value)


@proves("H-PRIO-3")
def vmrun_takes_v_tpr_and_leaves_the_page(make: Make) -> None:
    """VMRUN loads V_TPR, computes PPR from V_TPR << 4 and ISR, and does not touch the page's TPR.

    (APM2 15.29.5, H-PRIO-3)
    """
    cases = [
        # V_TPR, page TPR, ISR, PPR
        (4, 0x25, (), 0x40),
        (2, 0x25, (), 0x25),
        (2, 0x25, (0x2F,), 0x25),
        (2, 0x25, (0x31,), 0x30),
        (0, 0x9A, (), 0x00),
        (0xF, 0x00, (0x41,), 0xF0),
    ]
    for v_tpr, tpr, isr, expected in cases:
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | v_tpr)
        b.set_reg(0, "TPR", tpr)
        b.set_vectors(0, "ISR", *isr)
        b.run(0)
        assert (b.reg(0, "PPR"), b.reg(0, "TPR"), b.cr8(0)) == (expected, tpr, v_tpr)


@proves("H-PRIO-3")
def v_tpr_decides_what_is_masked(make: Make) -> None:
    """A page TPR that only software has changed masks nothing; V_TPR does. (APM2 15.29.5, H-PRIO-3)"""
    for v_tpr, tpr, taken in ((4, 0x00, {}), (3, 0xF0, {0x41: 1})):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | v_tpr)
        b.set_reg(0, "TPR", tpr)
        b.set_vectors(0, "IRR", 0x41)
        b.run(0)
        assert b.taken(0) == taken


@breaks("H-PRIO-3")
def vmrun_takes_the_pages_tpr(w: World) -> None:
    """PPR at VMRUN comes from the page."""

    def load_priority(w: World, core: Core, page: int) -> Beats[None]:
        isr = yield deliver.READ_ISR(page + deliver.ISR)
        tpr = yield deliver.READ_TPR(page + deliver.TPR)
        yield deliver.SET_PPR(page + deliver.PPR, deliver.ppr_of(tpr, isr))

    overlay(w, deliver.load_priority, load_priority)


@breaks("H-PRIO-3")
def vmrun_reconciles(w: World) -> None:
    """VMRUN puts V_TPR into the page's TPR."""

    def load_priority(w: World, core: Core, page: int) -> Beats[None]:
        yield deliver.SET_TPR(page + deliver.TPR, (w.see[core.vintr] & 0xF) << 4)
        yield from deliver.load_priority.fn(w, core, page)

    overlay(w, deliver.load_priority, load_priority)


# ---- H-EVAL ----


@proves("H-EVAL-1")
def vmrun_evaluates(make: Make) -> None:
    """Hardware looks at pending interrupts at VMRUN. (APM2 15.29.8.3, H-EVAL-1)"""
    b = Bench(make, 1)
    b.set_vectors(0, "IRR", 0x41)
    b.run(0)
    assert (b.taken(0), b.irr(0), b.isr(0)) == ({0x41: 1}, set(), {0x41})


@proves("H-EVAL-1")
def a_doorbell_in_guest_mode_evaluates(make: Make) -> None:
    """... at a doorbell received in guest mode; a bare write of an IRR bit is not seen before.

    (APM2 15.29.8.3, H-EVAL-1)
    """
    b = Bench(make, 1)
    b.run(0)
    b.set_vectors(0, "IRR", 0x41)
    b.op(0, "nop", "nop")
    b.read(0, "IRR2")
    assert (b.taken(0), b.irr(0)) == ({}, {0x41}), "a bare software write of an IRR bit is not in the list"
    b.play(doorbell.ring(b.w, b.cores[0], 0))
    b.settle()
    assert (b.taken(0), b.irr(0)) == ({0x41: 1}, set())


@proves("H-EVAL-1")
def an_eoi_evaluates(make: Make) -> None:
    """... at a guest EOI. (APM2 15.29.8.3, H-EVAL-1)"""
    b = Bench(make, 1)
    b.set_vectors(0, "ISR", 0x52)
    b.run(0)
    b.set_vectors(0, "IRR", 0x41)
    b.op(0, "nop")
    assert b.taken(0) == {}
    b.eoi(0)
    assert (b.taken(0), b.isr(0)) == ({0x41: 1}, {0x41})


@proves("H-EVAL-1")
def a_tpr_or_cr8_change_evaluates(make: Make) -> None:
    """... at a TPR or CR8 change. (APM2 15.29.8.3, H-EVAL-1)"""
    for lower in (write("TPR", 0x30), Insn("write_cr8", 8, 3)):
        b = Bench(make, 1)
        b.run(0)
        b.write(0, "TPR", 0x40)
        b.set_vectors(0, "IRR", 0x41)
        b.do(0, lower)
        assert b.taken(0) == {0x41: 1}


@proves("H-EVAL-1")
def becoming_able_evaluates(make: Make) -> None:
    """... when IF goes from 0 to 1 (STI and the instruction after it, IRET) and IRR is read again then.

    (APM2 15.29.8.3, H-EVAL-1)
    """
    b = Bench(make, 1)
    b.run(0)
    b.op(0, "cli")
    b.set_vectors(0, "IRR", 0x41)
    b.forget()
    b.op(0, "cli", "sti")
    assert b.taken(0) == {}, "the shadow of STI lasts one instruction"
    assert not any(d.place == b.slot(0, "IRR") for d in b.beats), "CLI and STI look at nothing"
    b.op(0, "nop")
    assert b.taken(0) == {0x41: 1}


@proves("H-EVAL-1")
def iret_evaluates(make: Make) -> None:
    """IRET lets the guest take interrupts again: what came meanwhile is looked at. (APM2 15.29.8.3, H-EVAL-1)"""
    b = Bench(make, 1)
    seen = []

    def handler() -> Iterator[Insn]:
        b.w.at[b.slot(0, "IRR")] |= 1 << 0x88
        yield Insn("nop")
        seen.append(dict(b.taken(0)))

    b.on(0, 0x41, handler)
    b.set_vectors(0, "IRR", 0x41)
    b.run(0)
    assert seen == [{0x41: 1}], "inside the handler IF is 0"
    assert b.taken(0) == {0x41: 1, 0x88: 1}


@proves("H-EVAL-1")
def a_shadow_ends_with_one_instruction(make: Make) -> None:
    """A shadow ends after one instruction: another STI, one that traps, the IRET of a handler. (APM3 STI, H-EVAL-1)"""
    for second in ("sti", "cli", "nop"):
        b = Bench(make, 1)
        b.run(0)
        b.op(0, "cli")
        b.set_vectors(0, "IRR", 0x41)
        b.op(0, "sti")
        assert (b.w.at[b.cores[0].shadow], b.w.at[b.guests[0].interrupt_flag]) == (1, 1)
        b.op(0, second)
        assert b.w.at[b.cores[0].shadow] == 0
        assert (b.taken(0) == {0x41: 1}) == (second != "cli")
    b = Bench(make, 1)
    b.run(0)
    b.op(0, "cli")
    b.set_vectors(0, "IRR", 0x41)
    b.do(0, Insn("sti"), write("SVR", 0x1FF))
    assert (b.codes(0), b.vmcb(0, 0x068), b.taken(0)) == ([NOACCEL], 0, {})
    assert b.vmrun(0) is None
    assert b.taken(0) == {0x41: 1}, "the write that trapped was the one instruction"


@proves("H-EVAL-1")
def a_shadow_of_another_kind_is_made_longer_by_sti(make: Make) -> None:
    """STI with IF = 0 in the shadow of MOV SS makes a shadow of its own. (APM2 15.21.5, H-EVAL-1)"""
    b = Bench(make, 1)
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.set_vmcb(0, 0x068, 1)
    b.set_vectors(0, "IRR", 0x41)
    b.run(0)
    b.op(0, "sti")
    assert (b.w.at[b.cores[0].shadow], b.taken(0)) == (1, {})
    b.op(0, "nop")
    assert (b.w.at[b.cores[0].shadow], b.taken(0)) == (0, {0x41: 1})


@proves("H-EVAL-1")
def iret_ends_a_shadow(make: Make) -> None:
    """STI as the last instruction of a handler: its shadow ends with the IRET. (APM2 15.21.5, H-EVAL-1)"""
    for vector in (0x00, 0x41):
        b = Bench(make, 1)
        b.on(0, vector, [write(0x040, 1), Insn("sti")])
        b.set_vmcb(0, 0x0A8, VALID_INJ | vector)
        b.w.at[b.guests[0].interrupt_flag] = 1
        b.set_vectors(0, "IRR", 0x88)
        b.run(0)
        assert b.taken(0) == {vector: 1, 0x88: 1}
        assert b.w.at[b.cores[0].shadow] == 0
    b = Bench(make, 1)
    b.on(0, 0x41, [Insn("sti")])
    b.run(0)
    b.do(0, write("ICRL", SELF | 0x41), Insn("nop"), Insn("cli"))
    assert b.w.at[b.cores[0].shadow] == 0
    b.start(0, lambda: iter([Insn("sti")]))
    assert b.w.at[b.cores[0].shadow] == 1, "the end of a program is no instruction"


@proves("H-EVAL-1")
def the_end_of_a_program_is_no_event(make: Make) -> None:
    """A guest that has nothing more to execute looks at nothing. (APM2 15.29.8.3, H-EVAL-1)"""
    b = Bench(make, 1)
    b.run(0)
    b.set_vectors(0, "IRR", 0x41)
    for program in ([Insn("nop")], partial(iter, [Insn("nop")])):
        b.start(0, program)
        assert b.taken(0) == {}


@breaks("H-EVAL-1")
def becoming_able_does_not_evaluate(w: World) -> None:
    """Neither STI nor IRET makes the core look."""
    skip(w, deliver.became_able)


@breaks("H-EVAL-1")
def doorbells_do_not_evaluate(w: World) -> None:
    """The core hears the doorbell and goes on."""

    def boundary(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        yield from doorbell.hear(w, core)
        return None

    overlay(w, run.boundary, boundary)


@breaks("H-EVAL-1")
def every_instruction_evaluates(w: World) -> None:
    """The core looks at IRR after each instruction."""

    def look(w: World, who: Guest, value: int) -> Beats[None]:
        yield from deliver.evaluate(w, w.objects["cores"][who.index], who)

    then(w, guest.retire, look)


@proves("H-EVAL-2")
def the_highest_vector_above_ppr_is_taken(make: Make) -> None:
    """The highest IRR vector is taken if its class is above PPR's: IRR to ISR, PPR is refreshed.

    (APM2 15.29.5, H-EVAL-2)
    """
    cases = [
        # IRR, ISR, V_TPR, taken
        ((0x41, 0x35), (), 0, {0x41}),
        ((0x4F,), (0x40,), 0, set()),
        ((0x50,), (0x4F,), 0, {0x50}),
        ((0x4F,), (), 4, set()),
        ((0x50,), (), 4, {0x50}),
        ((0xFF,), (), 15, set()),
        ((0x1F,), (), 0, {0x1F}),
        ((0x31, 0x32), (), 0, {0x32}),
    ]
    for irr, isr, v_tpr, taken in cases:
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | v_tpr)
        b.set_vectors(0, "IRR", *irr)
        b.set_vectors(0, "ISR", *isr)
        b.on(0, 0x41)
        b.run(0)
        assert set(b.taken(0)) == taken, (irr, isr, v_tpr)
        assert (b.irr(0), b.isr(0)) == (set(irr) - taken, set(isr) | taken)
        assert b.reg(0, "PPR") == ppr(v_tpr << 4, b.isr(0))


@proves("H-EVAL-2")
def who_cannot_take_it_keeps_it_pending(make: Make) -> None:
    """IF = 0, an interrupt shadow, or a virtual GIF of 0: the vector stays in IRR. (APM2 15.29.5, H-EVAL-2)"""
    gif, gif_enable = 1 << 9, 1 << 25
    for flag, shadow, vintr, able in (
        (1, 0, 0, True),
        (0, 0, 0, False),
        (1, 1, 0, False),
        (1, 0, gif_enable, False),
        (1, 0, gif_enable | gif, True),
        (1, 0, gif, True),
    ):
        b = Bench(make, 1)
        b.w.at[b.guests[0].interrupt_flag] = flag
        b.set_vmcb(0, 0x068, shadow)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | vintr)
        b.set_vectors(0, "IRR", 0x41)
        b.run(0)
        assert (b.irr(0) == set(), b.isr(0) == {0x41}) == (able, able)


@proves("H-EVAL-2")
def the_shadow_is_kept_in_the_vmcb(make: Make) -> None:
    """#VMEXIT writes the interrupt shadow to 068h, VMRUN loads it. (APM2 15.21.5, H-EVAL-2)"""
    for ops, shadow in ((("cli", "sti", "hlt"), 1), (("cli", "sti", "nop", "hlt"), 0)):
        b = Bench(make, 1)
        b.run(0)
        b.set_vmcb(0, 0x068, 1 - shadow)
        b.op(0, *ops)
        assert (b.codes(0), b.vmcb(0, 0x068)) == ([HLT], shadow)
        b.clear_frames(0)
        b.set_vectors(0, "IRR", 0x41)
        assert b.vmrun(0) is None
        assert (b.taken(0) == {}) == bool(shadow)


@proves("H-EVAL-2")
def nested_by_class(make: Make) -> None:
    """A handler that lets interrupts in is interrupted by a higher class only; the rest waits for EOI.

    (APM2 15.29.5, H-EVAL-2)
    """
    b = Bench(make, 1)
    order: list[int] = []

    def handler(vector: int, *first: Insn) -> Program:
        def code() -> Iterator[Insn]:
            order.append(vector)
            assert len(order) < 20, "it does not end"
            for insn in first:  # noqa: UP028 (what comes back is nobody's business)
                yield insn
            order.append(-vector)
            yield eoi()

        return code

    b.on(0, 0x41, handler(0x41, Insn("sti"), *(write("ICRL", SELF | v) for v in (0x4E, 0x52))))
    b.on(0, 0x4E, handler(0x4E))
    b.on(0, 0x52, handler(0x52))
    b.set_vectors(0, "IRR", 0x41)
    b.run(0)
    assert order == [0x41, 0x52, -0x52, -0x41, 0x4E, -0x4E]
    assert (b.irr(0), b.isr(0), b.taken(0)) == (set(), set(), {0x41: 1, 0x4E: 1, 0x52: 1})


@proves("H-EVAL-2")
def the_steps_of_a_delivery(make: Make) -> None:
    """Delivery clears the IRR bit, sets the ISR bit, refreshes PPR, by locked operations on IRR and ISR.

    (APM2 15.29.5, H-EVAL-2)
    """
    b = Bench(make, 1)
    b.set_vectors(0, "IRR", 0x41, 0x22)
    b.on(0, 0x41)
    b.run(0)
    irr, isr, ppr_at = (b.slot(0, name) for name in ("IRR", "ISR", "PPR"))
    changed = [(d.place, d.do.name) for d in b.beats if d.place in (irr, isr, ppr_at) and d.do is not LOAD]
    assert changed == [(ppr_at, "STORE"), (irr, "AND"), (isr, "OR"), (ppr_at, "STORE")]
    assert (b.irr(0), b.isr(0)) == ({0x22}, {0x41})


@proves("H-EVAL-2")
def every_instruction_is_executed_once(make: Make) -> None:
    """A handler begins at its first instruction, and the program goes on after the one that let the interrupt in.

    Be it a TPR or CR8 write, an EOI, the end of a shadow, or a doorbell. (APM2 15.29.5, H-EVAL-2)
    """
    lets_in = {
        "tpr": [write("TPR", 0)],
        "cr8": [Insn("write_cr8", 8, 0)],
        "eoi": [eoi()],
        "sti": [Insn("cli"), Insn("sti"), Insn("nop")],
        "self": [write("ICRL", SELF | 0x41)],
    }
    for what, insns in lets_in.items():
        for generated in (False, True):
            b = Bench(make, 1)
            b.on(0, 0x41, [write(0x050, 1), write(0x060, 2), eoi()])
            b.run(0)
            if what in ("tpr", "cr8"):
                b.write(0, "TPR", 0x40)
            if what == "eoi":
                b.set_vectors(0, "ISR", 0x52)
            if what != "self":
                b.set_vectors(0, "IRR", 0x41)
            code = [write(0x010, 3), *insns, write(0x040, 4), write(0x070, 5)]
            b.forget()
            b.start(0, partial(iter, code) if generated else code)
            slots = [b.backing(0) + offset for offset in (0x01, 0x05, 0x06, 0x04, 0x07)]
            done = [(slots.index(d.place), d.value) for d in b.beats if d.place in slots and d.do is STORE]
            assert done == [(0, 3), (1, 1), (2, 2), (3, 4), (4, 5)], what
            assert (b.taken(0), b.isr(0), b.rip(0)) == ({0x41: 1}, set(), 0)


@breaks("H-EVAL-2")
def the_lowest_vector_is_taken(w: World) -> None:
    """Evaluation takes the lowest vector of IRR."""

    def evaluate(w: World, core: Core, guest: Guest) -> Beats[None]:
        page = w.see[core.latch].page
        irr = yield deliver.READ_IRR(page + deliver.IRR)
        if irr and deliver.can_take(w, core, guest):
            yield from deliver.accept(w, core, page, (irr & -irr).bit_length() - 1)

    overlay(w, deliver.evaluate, evaluate)


@breaks("H-EVAL-2")
def delivery_leaves_the_irr_bit(w: World) -> None:
    """The vector is in service and still pending."""

    def again(w: World, core: Core, page: int, vector: int) -> Beats[None]:
        yield deliver.SET_ISR(page + deliver.IRR, 1 << vector)

    then(w, deliver.accept, again)


@breaks("H-EVAL-2")
def delivery_forgets_isr(w: World) -> None:
    """The vector is taken without being in service."""

    def accept(w: World, core: Core, page: int, vector: int) -> Beats[None]:
        yield deliver.CLEAR_IRR(page + deliver.IRR, ~(1 << vector))

    overlay(w, deliver.accept, accept)


@breaks("H-EVAL-2")
def shadows_do_not_hold(w: World) -> None:
    """VMRUN does not load the interrupt shadow."""

    def forget(w: World, core: Core, page: int) -> Beats[None]:
        yield POKE(core.shadow, 0)

    then(w, deliver.load_priority, forget)


@breaks("H-EVAL-2")
def the_handler_begins_inside_the_instruction(w: World) -> None:
    """The vector is taken before RIP has moved past the TPR write: then it is the handler that moves on."""

    def write_tpr(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        yield from deliver.write_tpr.fn(w, core, guest, value)
        yield from deliver.evaluate(w, core, guest)
        return 0

    overlay(w, deliver.write_tpr, write_tpr)


@proves("H-EVAL-3")
def an_injected_event_comes_first(make: Make) -> None:
    """VMRUN: EVENTINJ before IRR; its gate clears IF, so a pending vector waits for IRET. (APM2 15.20, H-EVAL-3)"""
    b = Bench(make, 1)
    seen: list[tuple[set[int], set[int]]] = []

    def handler() -> Iterator[Insn]:
        seen.append((b.irr(0), b.isr(0)))
        yield Insn("nop")

    b.on(0, 0x33, handler)
    b.set_vmcb(0, 0x0A8, VALID_INJ | 0x33)
    b.set_vectors(0, "IRR", 0x88)
    b.run(0)
    assert seen == [({0x88}, set())], "EVENTINJ touches neither IRR nor ISR"
    assert (b.irr(0), b.isr(0), b.taken(0)) == (set(), {0x88}, {0x33: 1, 0x88: 1})


@proves("H-EVAL-3")
def injection_asks_nobody(make: Make) -> None:
    """EVENTINJ is delivered unconditionally: with IF = 0, and below TPR. IRR and ISR keep their bits.

    (APM2 15.20, H-EVAL-3)
    """
    b = Bench(make, 1)
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | 15)
    b.set_vmcb(0, 0x0A8, VALID_INJ | 0x41)
    b.set_vectors(0, "IRR", 0x41)
    b.set_vectors(0, "ISR", 0x41)
    b.run(0)
    assert (b.taken(0), b.irr(0), b.isr(0)) == ({0x41: 1}, {0x41}, {0x41})


@proves("H-EVAL-3")
def a_refused_vmrun_injects_nothing(make: Make) -> None:
    """The checks come first: a VMRUN that fails leaves EVENTINJ, IRR and PPR as they were. (APM2 15.20, H-EVAL-3)"""
    b = Bench(make, 1)
    b.set_vmcb(0, 0x090, 0)
    b.set_vmcb(0, 0x0A8, VALID_INJ | 0x33)
    b.set_vectors(0, "IRR", 0x41)
    b.set_reg(0, "PPR", 0x77)
    assert b.vmrun(0) is not None
    assert (b.taken(0), b.irr(0), b.vmcb(0, 0x0A8), b.reg(0, "PPR")) == ({}, {0x41}, VALID_INJ | 0x33, 0x77)
    assert not b.in_guest(0)


@breaks("H-EVAL-3")
def injection_comes_last(w: World) -> None:
    """VMRUN evaluates first, then injects."""

    def later(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        failed = yield from vmrun.vmrun.fn(w, core, guest)
        yield from vmrun.inject.fn(w, guest)
        return failed

    skip(w, vmrun.inject)
    overlay(w, vmrun.vmrun, later)


@breaks("H-EVAL-3")
def injection_sets_isr(w: World) -> None:
    """An injected event is put in service."""

    def inject(w: World, guest: Guest) -> Beats[None]:
        vector = (yield PEEK(guest.vmcb + vmrun.EVENTINJ)) & 0xFF
        yield from vmrun.inject.fn(w, guest)
        page = w.see[w.objects["cores"][0].latch].page
        yield deliver.SET_ISR(page + deliver.ISR, 1 << vector)

    overlay(w, vmrun.inject, inject)


# ---- H-EOI ----


@proves("H-EOI-1")
def eoi_of_an_edge_vector(make: Make) -> None:
    """Edge: clear the highest ISR bit, refresh PPR, evaluate; no #VMEXIT. (APM2 15.29.6, H-EOI-1)"""
    b = Bench(make, 1)
    b.set_vectors(0, "ISR", 0x31, 0x52)
    b.set_vectors(0, "TMR", 0x31)
    b.run(0)
    b.set_vectors(0, "IRR", 0x22, 0x44)
    b.eoi(0)
    assert (b.isr(0), b.reg(0, "PPR"), b.irr(0)) == ({0x31, 0x44}, 0x40, {0x22})
    b.eoi(0)
    assert (b.isr(0), b.reg(0, "PPR"), b.irr(0)) == ({0x31}, 0x30, {0x22})
    assert b.exits(0) == ()


@breaks("H-EOI-1")
def eoi_ends_all(w: World) -> None:
    """EOI clears all of ISR."""

    def end_vector(w: World, core: Core, page: int, vector: int) -> Beats[None]:
        yield POKE(page + deliver.ISR, 0)
        yield from deliver.refresh_ppr(w, core, page, 0)

    overlay(w, deliver.end_vector, end_vector)


@breaks("H-EOI-1")
def an_edge_eoi_exits(w: World) -> None:
    """Every EOI leaves the guest."""

    def write_eoi(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        latch = w.see[core.latch]
        isr = yield deliver.READ_ISR(latch.page + deliver.ISR)
        return (yield from deliver.eoi_level(w, core, latch.page, isr.bit_length() - 1))

    overlay(w, deliver.write_eoi, write_eoi)


@proves("H-EOI-2")
def eoi_of_a_level_vector(make: Make) -> None:
    """Level: exit 402h, offset B0h with the write bit, EXITINFO2 = the vector; ISR stays, RIP past.

    (APM2 15.29.9.2, H-EOI-2)
    """
    b = Bench(make, 1)
    b.set_vectors(0, "ISR", 0x31, 0x52)
    b.set_vectors(0, "TMR", 0x52)
    b.run(0)
    b.do(0, eoi(), Insn("nop"))
    assert (b.vmcb(0, 0x070), b.vmcb(0, 0x078), b.vmcb(0, 0x080)) == (NOACCEL, EOI_WRITE, 0x52)
    assert (b.isr(0), b.reg(0, "PPR")) == ({0x31, 0x52}, 0x50)
    assert b.rip(0) & 0xFFF == 4, "one instruction of four bytes is past"


@breaks("H-EOI-2")
def a_level_eoi_does_not_exit(w: World) -> None:
    """The hypervisor, and with it the I/O APIC, never hears of it."""

    def eoi_level(w: World, core: Core, page: int, vector: int) -> Beats[int | Exit]:
        yield from deliver.end_vector(w, core, page, vector)
        return 0

    overlay(w, deliver.eoi_level, eoi_level)


@breaks("H-EOI-2")
def a_level_eoi_clears_isr(w: World) -> None:
    """The ISR bit is clear already when the hypervisor looks."""

    def eoi_level(w: World, core: Core, page: int, vector: int) -> Beats[int | Exit]:
        yield from deliver.end_vector(w, core, page, vector)
        return (yield from deliver.eoi_level.fn(w, core, page, vector))

    overlay(w, deliver.eoi_level, eoi_level)


@breaks("H-EOI-2")
def the_vector_is_not_told(w: World) -> None:
    """EXITINFO2 is 0."""
    answered(w, deliver.eoi_level, lambda found: found._replace(info2=0))


@proves("H-EOI-3")
def eoi_with_nothing_in_service(make: Make) -> None:
    """EOI with ISR empty changes nothing: no register, no exit. (APM2 15.29.6, H-EOI-3)"""
    b = Bench(make, 1)
    b.set_vectors(0, "TMR", *range(16, 256))
    b.run(0)
    b.write(0, "TPR", 0x40)
    b.set_vectors(0, "IRR", 0x41)
    before = b.w.at[b.backing(0) : b.backing(0) + 256]
    b.eoi(0)
    assert b.w.at[b.backing(0) : b.backing(0) + 256] == before
    assert (b.exits(0), b.taken(0)) == ((), {})


@breaks("H-EOI-3")
def eoi_out_of_nothing(w: World) -> None:
    """Without a vector in service, EOI drops a pending one."""

    def write_eoi(w: World, core: Core, guest: Guest, value: int) -> Beats[int | Exit]:
        page = w.see[core.latch].page
        if not (yield PEEK(page + deliver.ISR)):
            yield POKE(page + deliver.IRR, 0)
        return (yield from deliver.write_eoi.fn(w, core, guest, value))

    overlay(w, deliver.write_eoi, write_eoi)


# ---- H-MASK ----


@proves("H-MASK-1")
def guest_if_gates_virtual_interrupts_only(make: Make) -> None:
    """V_INTR_MASKING = 1: with guest IF 0 a physical interrupt still leaves the guest. (APM2 15.21.1, H-MASK-1)"""
    for masking, flag, leaves in ((1, 0, True), (1, 1, True), (0, 1, True), (0, 0, False)):
        b = Bench(make, 1)
        b.set_vmcb(0, 0x060, AVIC | (INTR_MASKING if masking else 0))
        b.w.at[b.guests[0].interrupt_flag] = flag
        b.run(0)
        b.signal(0, INTR)
        assert (b.codes(0) == [VMEXIT_INTR]) == leaves, (masking, flag)
        assert b.in_guest(0) != leaves


@proves("H-MASK-1")
def physical_before_virtual(make: Make) -> None:
    """With both at once the physical interrupt goes first; the virtual one is taken after VMRUN.

    (APM2 15.21.1, H-MASK-1)
    """
    b = Bench(make, 1)
    b.run(0)
    b.set_vectors(0, "IRR", 0x41)
    b.signal(0, INTR | DOORBELL)
    assert (b.codes(0), b.taken(0)) == ([VMEXIT_INTR], {})
    b.w.at[b.cores[0].signals] &= ~INTR
    assert b.vmrun(0) is None
    assert b.taken(0) == {0x41: 1}


@breaks("H-MASK-1")
def guest_if_gates_everything(w: World) -> None:
    """A guest with IF = 0 keeps physical interrupts out too."""

    def boundary(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        held = INTR if not w.see[guest.interrupt_flag] else 0
        yield POKE(core.signals, w.see[core.signals] & ~held)
        return (yield from run.boundary.fn(w, core, guest))

    overlay(w, run.boundary, boundary)


@breaks("H-MASK-1")
def virtual_before_physical(w: World) -> None:
    """The core looks at the doorbell first."""

    def boundary(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
        yield from deliver.evaluate(w, core, guest)
        return (yield from run.boundary.fn(w, core, guest))

    overlay(w, run.boundary, boundary)

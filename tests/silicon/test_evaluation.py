"""When the hardware looks at IRR, and when it does not: a bare software write of an IRR bit is no reason. (H-EVAL-1)"""

from collections.abc import Iterator
from contextlib import suppress

from avickit.beat import LOAD, perform
from avickit.silicon.deliver import READ_IRR, SET_ISR, evaluate
from avickit.silicon.guest import Insn, eoi, read, write
from tests.proofs.frame import maker
from tests.silicon.bench import FLUSH_GUEST, Bench

NO_REASON = {
    "EOI with nothing in service (H-EOI-3)": [eoi()],
    "a register that is plain memory": [write(0x040, 5), read(0x040)],
    "reads of priorities": [read("TPR"), read("PPR"), Insn("read_cr8")],
    "an IPI to another": [write("ICRH", 1 << 24), write("ICRL", 0x51)],
    "STI with IF = 1 already": [Insn("sti"), Insn("nop")],
    "CLI": [Insn("cli")],
    "HLT that is not intercepted": [Insn("hlt")],
    "an instruction that does nothing": [Insn("nop")],
}


def with_unseen_bit(vcpus: int = 2) -> Bench:
    """All run, no intercepts, nothing in service; software has put 41h into vCPU 0's IRR, and told nobody."""
    b = Bench(maker(), vcpus)
    b.set_vmcb(0, 0x008, 0)
    b.run()
    b.set_vectors(0, "IRR", 0x41)
    return b


def test_what_is_no_reason_to_look() -> None:
    """H-EVAL-1, H-EOI-3: nobody reads IRR, the bit waits; a doorbell then finds it."""
    for why, insns in NO_REASON.items():
        b = with_unseen_bit()
        b.forget()
        b.do(0, *insns)
        assert (b.taken(0), b.irr(0)) == ({}, {0x41}), why
        assert not [d for d in b.beats if d.site is READ_IRR and d.place == b.slot(0, "IRR")], why
        b.w.at[b.guests[0].interrupt_flag] = 1
        b.signal(0, 1)
        assert b.taken(0) == {0x41: 1}, why


def test_an_iret_that_leaves_if_as_it_was_is_no_reason() -> None:
    """H-EVAL-1: the handler has set IF itself; its IRET changes nothing, and 61h, above 41h, waits."""
    b = Bench(maker(), 1)
    b.run()

    def handler() -> Iterator[Insn]:
        yield Insn("sti")
        yield Insn("nop")
        b.set_vectors(0, "IRR", 0x61)
        yield Insn("nop")

    b.on(0, 0x41, handler)
    b.write(0, "ICRL", 0x4_0041)
    assert b.rip(0) == 0
    assert (b.taken(0), b.irr(0), b.isr(0)) == ({0x41: 1}, {0x61}, {0x41})
    b.signal(0, 1)
    assert b.taken(0) == {0x41: 1, 0x61: 1}


def test_iret_is_the_instruction_after_sti() -> None:
    """H-EVAL-1, APM3 STI: it ends the shadow, so what is pending comes before the interrupted program goes on."""
    b = Bench(maker(), 1)
    b.run()
    seen: list[int] = []

    def lower() -> Iterator[Insn]:
        seen.append(b.reg(0, 0x040))
        yield eoi()

    b.on(0, 0x31, lower)
    b.on(0, 0x41, [write("ICRL", 0x4_0031), eoi(), Insn("sti")])
    b.do(0, write("ICRL", 0x4_0041), write(0x040, 1), Insn("nop"))
    assert (seen, b.reg(0, 0x040), b.taken(0)) == ([0], 1, {0x41: 1, 0x31: 1})


def test_what_comes_while_a_stub_runs_is_taken_after_it() -> None:
    """H-EVAL-2, H-IPI-5: without a handler IF stays 1, so IRR is read again; with one the core has done its look."""
    for handled, taken in ((False, {0x41: 1, 0x62: 1}), (True, {0x41: 1})):
        b = Bench(maker(), 1)
        b.run()
        if handled:
            b.on(0, 0x41, [Insn("nop")])
        b.set_vectors(0, "IRR", 0x41)
        reads = 0
        beats = evaluate(b.w, b.cores[0], b.guests[0])
        with suppress(StopIteration):
            ask = beats.send(None)
            while True:
                reads += ask[0] is READ_IRR
                old = perform(b.w, ask)
                if ask[0] is SET_ISR and ask[2] == 1 << 0x41:
                    b.set_vectors(0, "IRR", 0x62)
                ask = beats.send(old)
        assert (b.taken(0), reads) == (taken, 1 if handled else 3)


def test_eoi_with_nothing_in_service_reads_isr_and_no_more() -> None:
    """H-EOI-3"""
    b = with_unseen_bit(1)
    b.forget()
    b.eoi(0)
    page = range(b.backing(0), b.backing(0) + 512)
    assert [(d.place, d.do) for d in b.beats if d.place in page] == [(b.slot(0, "ISR"), LOAD)]


def test_a_store_through_an_old_translation_is_no_reason() -> None:
    """H-VMCB-17, H-EVAL-1: a TPR write that lands in another vCPU's page is a plain store."""
    b = Bench(maker(), 2, cores=1)
    b.run(0)
    b.read(0, "ID")
    b.leave(0)
    assert b.vmrun(1, core=0) is None
    b.set_vectors(1, "IRR", 0x41)
    b.write(1, "TPR", 0x10)
    assert (b.reg(0, "TPR"), b.reg(1, "TPR"), b.taken(1)) == (0x10, 0, {})
    b.leave(1)
    b.set_vmcb(1, 0x058, FLUSH_GUEST | 1)
    b.set_vectors(1, "IRR")
    assert b.vmrun(1, core=0) is None
    b.set_vectors(1, "IRR", 0x41)
    b.write(1, "TPR", 0x10)
    assert b.taken(1) == {0x41: 1}, "in its own page it is"

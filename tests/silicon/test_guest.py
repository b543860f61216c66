"""Guest programs: instructions, generators and what they are answered, handlers, and how far each has come."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from avickit import Machine
from avickit.beat import drive
from avickit.errors import AvicError
from avickit.silicon import deliver
from avickit.silicon.guest import APIC_BASE, Frame, Insn, eoi, program, read, start, write
from avickit.silicon.run import run_core
from avickit.silicon.vmrun import vmrun
from tests.proofs.frame import maker
from tests.silicon.bench import Bench


def bench() -> Bench:
    """One vCPU that runs."""
    b = Bench(maker(), 1)
    b.run()
    return b


def test_instructions() -> None:
    assert eoi() == Insn("write", 0xFEE0_00B0, 0, 4)
    assert read("IRR2", 2) == Insn("read", APIC_BASE + 0x220, 0, 2)
    assert write(0x311, 0xFF, 1, base=0x1000) == Insn("write", 0x1311, 0xFF, 1)
    assert write("TPR", 0xFFFF_FFFF).value == 0xFFFF_FFFF
    for value, size in ((-1, 4), (1 << 32, 4), (0x100, 1), (0x1_0000, 2)):
        with pytest.raises(AvicError, match=f"value for TPR: {value:#x} given, expected {size} bytes"):
            write("TPR", value, size)
    with pytest.raises(AvicError, match="access size: 3 given, expected 1, 2 or 4 bytes"):
        read("TPR", 3)
    assert write("TPR", 0xFF, 1).value == 0xFF
    assert Insn("nop") == Insn("nop", 0, 0, 4)


def test_a_generator_is_answered_what_its_reads_read() -> None:
    """Writes, STI and the like are answered 0."""
    b = bench()
    got: list[int] = []

    def program() -> Iterator[Insn]:
        for insn in (write("TPR", 0x35), read("TPR"), Insn("read_cr8"), Insn("write_cr8", 8, 9), read("PPR"), eoi()):
            got.append((yield insn))  # type: ignore[arg-type]
        for insn in (write("ICRL", 0x4_0041), write("ICRH", 7), read("ICRH", 1), Insn("nop"), Insn("cli")):
            got.append((yield insn))  # type: ignore[arg-type]

    b.start(0, program)
    assert got == [0, 0x35, 3, 0, 0x90, 0, 0, 0, 7, 0, 0]
    assert b.w.at[b.guests[0].answer] == 7
    assert b.rip(0) == 0


def test_sti_and_cr8_writes_are_answered_0() -> None:
    """Whatever they mean to the core: STI that sets IF, CR8 without AVIC, HLT that nobody intercepts."""
    for avic in (False, True):
        b = Bench(maker(), 1, avic=avic)
        b.set_vmcb(0, 0x008, 0)
        b.run()
        got: list[int] = []

        def program(got: list[int] = got) -> Iterator[Insn]:
            for insn in (Insn("cli"), Insn("sti"), Insn("nop"), Insn("sti"), Insn("write_cr8", 8, 9), Insn("hlt")):
                got.append((yield insn))  # type: ignore[arg-type]
            got.append((yield Insn("read_cr8")))  # type: ignore[arg-type]

        b.start(0, program)
        assert got == [0, 0, 0, 0, 0, 0, 9]


def test_a_function_may_return_a_plain_iterator() -> None:
    b = bench()
    b.start(0, lambda: iter([write(0x040, 1), read(0x040), write(0x050, 2)]))
    assert (b.reg(0, 0x040), b.reg(0, 0x050), b.w.at[b.guests[0].answer]) == (1, 2, 1)
    assert b.w.at[b.guests[0].interrupt_flag] == 1, "its end is no IRET"


class Countdown:
    """Code that is asked for the instruction at a position, with all answers so far."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[int]]] = []

    def fetch(self, pc: int, answers: Callable[[], list[int]]) -> Insn | None:
        """Two reads, one write of their sum."""
        found = answers()
        self.asked.append((pc, found))
        return (read("SVR"), read("DFR"), write(0x040, sum(found) & 0xFFFF_FFFF))[pc] if pc < 3 else None


def test_guest_code_is_asked_for_each_instruction() -> None:
    b = bench()
    code = Countdown()
    b.start(0, code)
    assert code.asked == [(0, []), (1, [0x1FF]), (2, [0x1FF, 0xFFFF_FFFF]), (3, [0x1FF, 0xFFFF_FFFF, 0])]
    assert b.reg(0, 0x040) == 0x1FE


def test_each_step_of_a_generator_runs_once() -> None:
    """Also where the hypervisor looks at the instruction too, and where a handler comes in between."""
    m = Machine(cores=1, pages=32)
    xen = m.boot("svm=avic")
    v = xen.create_domain(1).vcpus[0]
    xen.run(v, 0)
    steps: list[object] = []

    def program() -> Iterator[Insn]:
        steps.append("begin")
        first = yield read("TMCCT")
        steps.append(("a fault, emulated", first))
        yield write("ICRL", 0x4_0041)
        steps.append("after the handler")
        answer = yield write("SVR", 0x1FF)
        steps.append(("a trap", answer, (yield read("SVR"))))

    def handler() -> Iterator[Insn]:
        steps.append("handler")
        yield read("APR")
        steps.append("handler ends")
        yield eoi()

    v.guest.on(0x41, handler)
    v.guest.execute(program)
    expected = ["begin", ("a fault, emulated", 0), "handler", "handler ends", "after the handler", ("a trap", 0, 0x1FF)]
    assert steps == expected
    n = next(i for i in range(1, len(m.trace)) if "SVR" in m.trace[i].place and m.trace[i].new == 0x1FF)
    f = m.fork(n)
    f.finish()
    assert f.world.at == m.world.at, "in a fork it is wound forward from its answers"


def test_a_fault_is_tried_again() -> None:
    """H-REG-3: RIP stays at the instruction until it can be done."""
    b = bench()
    b.do(0, Insn("nop"), read("APR"), write(0x040, 1))
    there = b.rip(0)
    assert b.vmrun(0) is None
    assert (b.codes(0), b.rip(0)) == ([0x402, 0x402], there)
    b.w.objects["filter"][False][0x09] = b.w.objects["filter"][False][0x08]
    assert b.vmrun(0) is None
    assert (b.reg(0, 0x040), b.rip(0), len(b.exits(0))) == (1, 0, 2)


def test_a_copy_of_the_world_goes_on_with_a_generator_where_it_stands() -> None:
    """It is wound forward from its answers, one iterator for each World; both come to the same end."""
    b = bench()
    b.set_reg(0, 0x040, 7)

    def program() -> Iterator[Insn]:
        first = yield read(0x040)
        second = yield read("TPR")
        yield read("APR")
        yield write(0x050, first + second)  # type: ignore[operator]

    b.write(0, "TPR", 0x20)
    b.start(0, program)
    assert b.codes(0) == [0x402]
    other = b.w.copy()
    b.w.objects["filter"][False][0x09] = b.w.objects["filter"][False][0x08]
    for w in (other, b.w):
        assert drive(w, vmrun(w, b.cores[0], b.guests[0])) is None
        drive(w, run_core(w, b.cores[0]))
        assert w.at[b.backing(0) + 5] == 0x27
        assert w.at[b.guests[0].frames] == ()
        assert len(w.answers) == 4


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("inside", ["nop", "sti", "cli"])
def test_iret_restores_if(flag: int, inside: str) -> None:
    """H-EVAL-1: IF is what it was before the handler, whatever the handler has done with it."""
    b = Bench(maker(), 1)
    b.w.at[b.guests[0].interrupt_flag] = flag
    b.on(0, 0x55, [Insn(inside)])
    b.set_vmcb(0, 0x0A8, 1 << 31 | 0x55)
    b.run()
    assert b.taken(0) == {0x55: 1}
    assert b.w.at[b.guests[0].interrupt_flag] == flag
    assert b.w.at[b.guests[0].frames] == ()
    b.set_vectors(0, "IRR", 0x41)
    b.signal(0, 1)
    assert (0x41 in b.taken(0)) == bool(flag)


def test_nested_handlers_restore_their_own_if() -> None:
    """H-EVAL-1: the inner one had IF = 1 before it, the outer one too, the program below is at 0 saved."""
    b = bench()
    b.on(0, 0x41, [Insn("sti"), Insn("nop"), write(0x040, 1), Insn("cli"), write("ICRL", 0x4_0061), eoi()])
    b.on(0, 0x52, [write(0x050, 2), eoi()])
    b.on(0, 0x61, [eoi()])
    b.do(0, write("ICRL", 0x4_0041), write("ICRL", 0x4_0052), write(0x060, 3), Insn("nop"))
    assert b.taken(0) == {0x41: 1, 0x52: 1, 0x61: 1}
    assert (b.reg(0, 0x040), b.reg(0, 0x050), b.reg(0, 0x060)) == (1, 2, 3)
    assert (b.w.at[b.guests[0].interrupt_flag], b.isr(0)) == (1, set())


def test_programs_lie_on_each_other() -> None:
    """One that is given on top of another is executed first; then the other goes on, list or generator."""
    b = bench()
    for upper in (False, True):
        for lower in (False, True):
            codes = ([write(0x040, 1), write(0x050, 2)], [write(0x040, 3), write(0x060, 4)])
            for code, generated in zip(codes, (lower, upper), strict=True):
                b.play(start(b.w, b.guests[0], program(b.w, partial(iter, code) if generated else code)))
            b.forget()
            b.play(run_core(b.w, b.cores[0]))
            assert (b.stores(b.backing(0) + 4), b.reg(0, 0x050), b.reg(0, 0x060)) == ([3, 1], 2, 4)
            assert b.w.at[b.guests[0].frames] == ()
            b.set_reg(0, 0x050, 0)


def test_vector_0_has_a_handler_like_any_other() -> None:
    """EVENTINJ may inject exception 0; its IRET is an IRET."""
    b = Bench(maker(), 1)
    b.on(0, 0, [write(0x040, 1)])
    b.set_vmcb(0, 0x0A8, 1 << 31 | 3 << 8)
    b.run()
    assert (b.reg(0, 0x040), b.taken(0), b.w.at[b.guests[0].interrupt_flag]) == (1, {0: 1}, 1)


def test_frames_and_rip() -> None:
    """H-REG-3: four bytes an instruction, a page a program."""
    b = bench()
    b.do(0, Insn("nop"), Insn("nop"), read("APR"))
    number = len(b.w.programs)
    assert b.w.at[b.guests[0].frames] == (Frame(number, 2),)
    assert b.rip(0) == number * 0x1000 + 8


def test_what_stays_pending_is_noted() -> None:
    """H-EVAL-1: the core remembers whether its last look left something in IRR."""
    b = bench()
    pending = b.cores[0].pending
    inside: list[int] = []

    def handler() -> Iterator[Insn]:
        inside.append(b.w.at[pending])
        yield read(0x040)

    b.on(0, 0x41, handler)
    b.op(0, "cli")
    b.write(0, "ICRL", 0x4_0041)
    assert b.w.at[pending] == 1
    b.forget()
    b.op(0, "sti", "nop")
    assert b.w.at[pending] == 0
    notes = [d.value for d in b.beats if d.site is deliver.LEAVE]
    assert notes == [0], "noted when it changes, and with the handler nothing is left"
    assert inside == [0]
    b.op(0, "cli")
    b.set_vectors(0, "IRR", 0x62, 0x63)
    b.on(0, 0x63, [read(0x040), read(0x050)])
    b.forget()
    b.op(0, "sti", "nop")
    assert [d.value for d in b.beats if d.site is deliver.LEAVE] == [1], (
        "62h waits for the end of 63h, and then for EOI"
    )
    assert (b.taken(0), b.irr(0)) == ({0x41: 1, 0x63: 1}, {0x62})


def test_what_stays_pending_without_a_handler() -> None:
    """H-EVAL-1: a stub returns at once, IRR is read again, and the note is of what is left then."""
    b = bench()
    for vectors, left in (((0x41,), 0), ((0x62, 0x63), 1), ((), 0)):
        b.set_vectors(0, "IRR", *vectors)
        b.signal(0, 1)
        assert b.w.at[b.cores[0].pending] == left
        b.set_vectors(0, "ISR")

"""The APIC timer through Machine.advance, emulated and with AVIC: one-shot, periodic, divider, TSC deadline."""

from typing import Any

import pytest

from avickit.manual.exits import ExitCode
from avickit.silicon.guest import Insn, eoi, read, write
from tests.proofs.xen_tools import INTR, NOACCEL, NPF, Lab, exits
from tests.series.labs import lab

VECTOR, BUS = 0x40, 10
ONE_SHOT, PERIODIC, DEADLINE, MASKED = 0, 1 << 17, 2 << 17, 1 << 16
DIVIDERS = {0x0: 2, 0x1: 4, 0x2: 8, 0x3: 16, 0x8: 32, 0x9: 64, 0xA: 128, 0xB: 1}
TSC_DEADLINE = 0x6E0
BOTH = pytest.mark.parametrize("patches", [0, 8, 10])


def armed(patches: int, mode: int, count: int = 1000, tdcr: int = 0xB, **kw: Any) -> Lab:
    """A guest that ends each tick, with its timer set."""
    on = lab(1, patches=patches, **kw)
    (a,) = on.vcpus
    a.guest.on(VECTOR, (eoi(),))
    a.guest.write("TDCR", tdcr)
    a.guest.write("LVT_TIMER", mode | VECTOR)
    a.guest.write("TMICT", count)
    return on


def ticks(on: Lab) -> int:
    """How many the guest has taken."""
    return on.vcpus[0].guest.taken.get(VECTOR, 0)


@BOTH
def test_one_shot(patches: int) -> None:
    """X0-4: not before it is due, then once; TMCCT counts down to 0."""
    on = armed(patches, ONE_SHOT)
    (a,) = on.vcpus
    on.m.advance(900 * BUS)
    assert ticks(on) == 0
    assert 0 < a.guest.read("TMCCT") <= 100
    on.m.advance(200 * BUS)
    assert (ticks(on), a.guest.read("TMCCT"), on.m.next_timer()) == (1, 0, 0)
    on.m.advance(10_000 * BUS)
    assert (ticks(on), a.page.isr, a.page.irr) == (1, set(), set())
    a.guest.write("TMICT", 500)
    on.m.advance(600 * BUS)
    assert ticks(on) == 2


@BOTH
def test_periodic(patches: int) -> None:
    """X0-4, X8-2: tick after tick, the first after one period."""
    on = armed(patches, PERIODIC)
    for n in range(1, 8):
        on.m.advance(1000 * BUS)
        assert ticks(on) == n
    on.vcpus[0].guest.write("TMICT", 0)
    on.m.advance(5000 * BUS)
    assert (ticks(on), on.m.next_timer()) == (7, 0)


@BOTH
@pytest.mark.parametrize(("tdcr", "divider"), DIVIDERS.items())
def test_the_divider(patches: int, tdcr: int, divider: int) -> None:
    """X0-4: a tick after TMICT * 10 ns * divider."""
    on = armed(patches, ONE_SHOT, 1000, tdcr)
    left = on.m.next_timer() - on.m.clock
    assert 1000 * BUS * divider - 200 < left <= 1000 * BUS * divider
    on.m.advance(left - 50)
    assert ticks(on) == 0
    on.m.advance(100)
    assert ticks(on) == 1


@BOTH
def test_tsc_deadline(patches: int) -> None:
    """X0-4a: due at that TSC (a tick a nanosecond), once; the MSR reads 0 afterwards, and in another mode."""
    on = lab(1, patches=patches)
    (a,) = on.vcpus
    a.guest.on(VECTOR, (eoi(),))
    assert exits(a, a.guest.wrmsr, TSC_DEADLINE, on.m.clock + 5000) == [int(ExitCode.VMEXIT_MSR)]
    assert (a.guest.rdmsr(TSC_DEADLINE), on.m.next_timer()) == (0, 0)
    a.guest.write("LVT_TIMER", DEADLINE | VECTOR)
    when = on.m.clock + 5000
    a.guest.wrmsr(TSC_DEADLINE, when)
    assert a.guest.rdmsr(TSC_DEADLINE) == when
    on.m.advance(4000)
    assert ticks(on) == 0
    on.m.advance(2000)
    assert (ticks(on), a.guest.rdmsr(TSC_DEADLINE)) == (1, 0)


@BOTH
def test_what_programming_it_costs(patches: int) -> None:
    """X5-4: with AVIC each of the three writes is a trap, exit 402h; X0-2: without, exit 400h. A tick is 060h."""
    on = lab(1, patches=patches)
    (a,) = on.vcpus
    code = NOACCEL if patches else NPF
    assert exits(a, a.guest.write, "TDCR", 0xB) == [code]
    assert exits(a, a.guest.write, "LVT_TIMER", VECTOR) == [code]
    assert exits(a, a.guest.write, "TMICT", 1000) == [code]
    assert exits(a, a.guest.read, "TMCCT") == [code]
    assert exits(a, on.m.advance, 2000 * BUS) == [INTR]


@BOTH
def test_a_sleeper_is_woken(patches: int) -> None:
    """X0-7, X0-8: HLT until the tick."""
    on = armed(patches, PERIODIC)
    (a,) = on.vcpus
    for n in range(1, 4):
        a.guest.hlt()
        assert a.state == "blocked"
        on.m.advance(1000 * BUS)
        assert a.state == "runnable"
        on.xen.run(a, 0)
        assert (ticks(on), a.state) == (n, "guest mode")


@BOTH
def test_ticks_that_cannot_be_taken_count_once(patches: int) -> None:
    """X0-4: IF = 0 for many periods; one tick waits, and afterwards it goes on."""
    on = armed(patches, PERIODIC)
    (a,) = on.vcpus
    a.guest.cli()
    on.m.advance(10_500 * BUS)
    assert ticks(on) == 0
    a.guest.execute((Insn("sti"), Insn("nop")))
    assert ticks(on) == 1
    before = ticks(on)
    on.m.advance(5_000 * BUS)
    assert before + 4 <= ticks(on) <= before + 5


@pytest.mark.parametrize("patches", [8, 10])
@pytest.mark.parametrize("other", ["higher", "callback"])
def test_it_keeps_ticking_whatever_else_is_pending(patches: int, other: str) -> None:
    """X8-2: pt_intr_post also where a higher vector, or one that starves for a window (X23), hides the tick."""
    on = armed(patches, PERIODIC)
    (a,) = on.vcpus
    a.guest.on(0x80, (eoi(),))
    a.guest.cli()
    if other == "higher":
        on.xen.set_irq(a, 0x80)
    else:
        on.xen.callback(a, 0x71)
    on.m.advance(3_500 * BUS)
    a.guest.execute((Insn("sti"), Insn("nop")))
    before = ticks(on)
    on.m.advance(5_000 * BUS)
    assert ticks(on) >= before + 4
    assert a.guest.taken[0x80 if other == "higher" else 0x71] == 1


@BOTH
def test_masked_there_is_no_tick(patches: int) -> None:
    """X0-4: the LVT's mask bit, and software disable, keep it away."""
    on = armed(patches, PERIODIC | MASKED)
    on.m.advance(3_000 * BUS)
    assert ticks(on) == 0
    on = armed(patches, PERIODIC)
    on.vcpus[0].guest.write("SVR", 0xFF)
    on.m.advance(3_000 * BUS)
    assert ticks(on) == 0


@BOTH
def test_who_does_not_run_is_not_forgotten(patches: int) -> None:
    """X0-4: the tick waits in IRR while its vCPU is descheduled, and follows it to another core."""
    on = armed(patches, PERIODIC, cores=3)
    (a,) = on.vcpus
    on.xen.deschedule(a)
    on.m.advance(1_500 * BUS)
    assert (ticks(on), a.page.irr) == (0, {VECTOR})
    on.xen.run(a, 2)
    assert ticks(on) == 1
    on.m.advance(3_000 * BUS)
    assert 3 <= ticks(on) <= 4


def test_two_timers_fire_in_their_order() -> None:
    """X0-4: Machine.advance goes from one to the next."""
    on = lab(2)
    for v, count in zip(on.vcpus, (3000, 2000), strict=True):
        v.guest.write("TDCR", 0xB)
        v.guest.write("LVT_TIMER", VECTOR)
        v.guest.write("TMICT", count)
    on.m.advance(2500 * BUS)
    assert [VECTOR in v.guest.taken for v in on.vcpus] == [False, True]
    on.m.advance(1000 * BUS)
    assert [VECTOR in v.guest.taken for v in on.vcpus] == [True, True]


def changed_mode(patches: int) -> tuple[int, int]:
    """Periodic for 2.5 periods without a tick taken, then one-shot: until when, in hundreds, and what TMCCT says."""
    on = armed(patches, PERIODIC | MASKED, 1000)
    (a,) = on.vcpus
    on.m.advance(2_500 * BUS)
    a.guest.write("LVT_TIMER", ONE_SHOT | MASKED | VECTOR)
    due = on.m.next_timer()
    left = (due - on.m.clock + 50 * BUS) // (100 * BUS) * 100 if due else 0
    return left, a.guest.read("TMCCT")


def test_x25_the_old_mode_is_gone_after_a_trap() -> None:
    """X25: periodic to one-shot after 2.5 periods: 0.5 are left; after a trap the page has the new mode, none are."""
    left, count = changed_mode(0)
    assert (left, 400 < count < 500) == (500, True)
    assert changed_mode(10) == (0, 0)


def test_x25_into_deadline_mode_the_count_stays() -> None:
    """X25: X0-4a forgets TMICT when the mode changes; after a trap the change is not seen."""
    for patches, count in ((0, 0), (10, 1000)):
        on = armed(patches, ONE_SHOT | MASKED)
        (a,) = on.vcpus
        a.guest.write("LVT_TIMER", DEADLINE | MASKED | VECTOR)
        a.guest.write("LVT_TIMER", ONE_SHOT | MASKED | VECTOR)
        assert a.guest.read("TMICT") == count


@BOTH
def test_a_program_sees_its_own_timer(patches: int) -> None:
    """X0-4: the counts that one program reads fall, by the beats that pass."""
    on = armed(patches, ONE_SHOT, 100_000)
    found: list[int] = []

    def program() -> Any:
        for _ in range(3):
            found.append((yield read("TMCCT")))
        yield write("TMICT", 0)
        found.append((yield read("TMCCT")))

    on.vcpus[0].guest.execute(program)
    assert 100_000 > found[0] > found[1] > found[2] > 99_000
    assert found[3] == 0

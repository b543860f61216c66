"""The APIC timer, and the timer behind it. A bus cycle is 10 ns; a beat takes 1 ns, so times are near, not exact."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from avickit.xen import vlapic
from avickit.xen.parts import BLOCKED, Vcpu
from tests.xen.vlapic_machine import Rig, enabled

VECTOR = 0x33
ONE_SHOT, PERIODIC, DEADLINE, MASKED = 0x0_0000, 0x2_0000, 0x4_0000, 0x1_0000
DIVIDERS = {0x0: 2, 0x1: 4, 0x2: 8, 0x3: 16, 0x8: 32, 0x9: 64, 0xA: 128, 0xB: 1}
"""APM2 16.4.1, the divide configuration register."""
NEAR = 40


def timer(mode: int = ONE_SHOT, tdcr: int = 0xB, tmict: int = 0) -> tuple[Rig, Vcpu]:
    rig = enabled()
    v = rig.vcpus[0]
    rig.write(v, "TDCR", tdcr)
    rig.write(v, "LVT_TIMER", VECTOR | mode)
    if tmict:
        rig.write(v, "TMICT", tmict)
    return rig, v


def softirq(rig: Rig, v: Vcpu) -> bool:
    """The timer softirq looks; whether the vector is pending then."""
    rig.do(vlapic.vlapic_timer_check, v)
    return bool(rig.page(v, "IRR") >> VECTOR & 1)


def take(rig: Rig, v: Vcpu) -> None:
    """The guest is given the vector and ends it."""
    assert rig.do(vlapic.vlapic_has_pending_irq, v) == VECTOR
    rig.do(vlapic.vlapic_ack_pending_irq, v, VECTOR)
    rig.do(vlapic.pt_intr_post, v, VECTOR)
    assert rig.do(vlapic.pt_update_irq, v) == -1, "no tick is owed any more"
    rig.write(v, "EOI", 0)


@pytest.mark.parametrize(("tdcr", "divider"), DIVIDERS.items())
def test_the_divider(tdcr: int, divider: int) -> None:
    """X0-4, H-MAP-3E0: TMICT * 10 ns * divider until it is due."""
    rig, _ = timer(tdcr=tdcr, tmict=1000)
    assert vlapic.next_expiry(rig.w) == pytest.approx(rig.now() + 1000 * 10 * divider, abs=NEAR)


def test_one_shot_fires_once() -> None:
    """X0-4: not before it is due, then once."""
    rig, v = timer(tmict=1000)
    rig.at(rig.now() + 9_000)
    assert not softirq(rig, v)
    assert rig.read(v, "TMCCT") in range(90, 101)
    rig.at(rig.now() + 1_100)
    assert softirq(rig, v)
    take(rig, v)
    assert rig.read(v, "TMCCT") == 0
    assert vlapic.next_expiry(rig.w) == 0
    rig.at(rig.now() + 50_000)
    assert not softirq(rig, v)


def test_periodic_fires_again_after_it_was_posted() -> None:
    """X0-4, X8-2: pt_intr_post arms it again; without it there is one tick (X22)."""
    rig, v = timer(PERIODIC, tmict=1000)
    due = vlapic.next_expiry(rig.w)
    for n in range(3):
        rig.at(due + 10_000 * n)
        assert softirq(rig, v)
        assert vlapic.next_expiry(rig.w) == 0, "not armed while the tick is owed"
        take(rig, v)
        assert vlapic.next_expiry(rig.w) == due + 10_000 * (n + 1)


def test_missed_periods_count_once() -> None:
    """X0-4: the tick comes late, the next one in step with the others."""
    rig, v = timer(PERIODIC, tmict=1000)
    due = vlapic.next_expiry(rig.w)
    rig.at(due + 34_000)
    assert softirq(rig, v)
    take(rig, v)
    assert vlapic.next_expiry(rig.w) == due + 40_000
    assert not softirq(rig, v)


def test_tmcct_counts_from_the_posting_of_a_late_tick() -> None:
    """X0-4: as Xen's callback has it, while the next tick comes in step."""
    rig, v = timer(PERIODIC, tmict=1000)
    due = vlapic.next_expiry(rig.w)
    rig.at(due + 5_000)
    assert softirq(rig, v)
    take(rig, v)
    assert rig.read(v, "TMCCT") in range(995, 1001)
    assert vlapic.next_expiry(rig.w) == due + 10_000


def test_a_tick_that_was_not_raised_is_not_paid() -> None:
    """X0-4, X8-2: the same vector from somebody else changes nothing for a tick that is masked."""
    rig, v = timer(PERIODIC | MASKED, tmict=1000)
    rig.at(vlapic.next_expiry(rig.w))
    assert not softirq(rig, v)
    rig.do(vlapic.pt_intr_post, v, VECTOR)
    assert vlapic.next_expiry(rig.w) == 0


def test_firing_wakes_a_blocked_vcpu() -> None:
    """X0-4, X0-3: by the kick."""
    rig, v = timer(tmict=10)
    rig.w.at[v.cells.pause_flags] = BLOCKED
    rig.at(rig.now() + 1000)
    assert softirq(rig, v)
    assert rig.w.at[v.cells.pause_flags] == 0


def test_firing_wakes_though_the_vector_is_pending_already() -> None:
    """X0-4: the timer kicks by itself, not only through a vector that is new."""
    rig, v = timer(tmict=10)
    rig.poke(v, "IRR", 1 << VECTOR)
    rig.w.at[v.cells.pause_flags] = BLOCKED
    rig.at(rig.now() + 1000)
    assert softirq(rig, v)
    assert rig.w.at[v.cells.pause_flags] == 0


def test_a_tick_for_an_apic_disabled_in_hardware() -> None:
    """X0-4, X0-10: it is not raised, though the LVT is not masked."""
    rig, v = timer(tmict=10)
    assert rig.do(vlapic.guest_wrmsr_apic_base, v, 0xFEE00100)
    rig.at(rig.now() + 1000)
    assert not softirq(rig, v)


def test_the_softirq_serves_its_own_cores_vcpus() -> None:
    """X0-4: a timer is where its vCPU is."""
    rig, v = timer(tmict=10)
    rig.at(rig.now() + 1000)
    rig.do(vlapic.vlapic_timer_check, v, core=1)
    assert rig.page(v, "IRR") == 0
    assert softirq(rig, v)


@pytest.mark.parametrize(("register", "off", "on"), [("LVT_TIMER", VECTOR | MASKED, VECTOR), ("SVR", 0xFF, 0x1FF)])
def test_a_masked_tick_is_not_raised(register: str, off: int, on: int) -> None:
    """X0-4: while the LVT is masked or the APIC is disabled; the LVT write that unmasks forgets the tick."""
    rig, v = timer(tmict=1000)
    rig.write(v, register, off)
    rig.at(rig.now() + 20_000)
    assert not softirq(rig, v)
    assert rig.do(vlapic.pt_update_irq, v) == -1
    rig.write(v, register, on)
    rig.write(v, "LVT_TIMER", VECTOR)
    assert rig.do(vlapic.pt_update_irq, v) == -1
    assert not softirq(rig, v)


def test_an_unmasked_periodic_timer_is_in_phase() -> None:
    """X0-4: 34 of 40 half periods have passed when the LVT is unmasked."""
    rig, v = timer(PERIODIC | MASKED, tmict=1000)
    due = vlapic.next_expiry(rig.w)
    rig.at(due)
    assert not softirq(rig, v)
    assert vlapic.next_expiry(rig.w) == 0
    rig.at(due + 34_000)
    rig.write(v, "LVT_TIMER", VECTOR | PERIODIC)
    assert vlapic.next_expiry(rig.w) == pytest.approx(due + 40_000, abs=NEAR)


def test_a_vector_is_raised_once_for_a_tick() -> None:
    """X0-4: whoever asks again gets the vector as answer, not a second interrupt."""
    rig, v = timer(tmict=10)
    rig.at(rig.now() + 1000)
    assert softirq(rig, v)
    rig.poke(v, "IRR", 0)
    assert rig.do(vlapic.pt_update_irq, v) == VECTOR
    assert rig.page(v, "IRR") == 0


@given(st.sampled_from([ONE_SHOT, PERIODIC]), st.sampled_from(sorted(DIVIDERS)), st.integers(1, 1 << 32), st.data())
def test_tmcct_counts_down(mode: int, tdcr: int, tmict: int, data: st.DataObject) -> None:
    """X0-4: never above TMICT, falling with time in each period, 0 after the end of a one-shot count."""
    assume(tmict < 1 << 32)
    rig, v = timer(mode, tdcr, tmict)
    tick = 10 * DIVIDERS[tdcr]
    passed = data.draw(st.integers(0, 3 * tmict * tick))
    start = rig.w.at[v.cells.timer_start]
    rig.at(max(start + passed, rig.now()))
    got = rig.read(v, "TMCCT")
    ticks = {(rig.now() - early - start) // tick for early in range(NEAR)}
    if mode == ONE_SHOT:
        assert got in {max(tmict - n, 0) for n in ticks}
    else:
        assert got in {tmict - n % tmict for n in ticks}
    assert got <= tmict


def test_a_write_of_0_stops() -> None:
    """X0-4: TMICT 0."""
    rig, v = timer(PERIODIC, tmict=1000)
    assert rig.read(v, "TMICT") == 1000
    rig.write(v, "TMICT", 0)
    assert vlapic.next_expiry(rig.w) == 0
    assert rig.w.at[v.cells.timer_start] == 0
    rig.poke(v, "TMICT", 1 << 30)
    assert rig.read(v, "TMCCT") == 0, "until TMICT is written"


def test_a_new_divider_stretches_what_is_left() -> None:
    """X0-4: 600 of 1000 are left: 600 ticks of the new divider."""
    rig, v = timer(tmict=1000)
    rig.at(rig.now() + 4_000)
    rig.write(v, "TDCR", 0x1)
    assert vlapic.next_expiry(rig.w) == pytest.approx(rig.now() + 600 * 40, abs=4 * NEAR)
    assert rig.read(v, "TMCCT") in range(595, 601)


def test_periodic_to_one_shot_keeps_the_phase() -> None:
    """X0-4: TMICT = 1000 periodic, 2500 ticks later one-shot: due 500 ticks later. (X25's expected result)"""
    rig, v = timer(PERIODIC, tmict=1000)
    rig.at(rig.now() + 25_000)
    rig.write(v, "LVT_TIMER", VECTOR | ONE_SHOT)
    assert vlapic.next_expiry(rig.w) == pytest.approx(rig.now() + 5_000, abs=NEAR)


def test_after_a_trap_the_old_mode_is_forgotten() -> None:
    """X25: the page holds the new mode already, so the count is taken to be over. Kept as published."""
    rig, v = timer(PERIODIC, tmict=1000)
    rig.at(rig.now() + 25_000)
    rig.poke(v, "LVT_TIMER", VECTOR | ONE_SHOT)
    rig.write(v, "LVT_TIMER", VECTOR | ONE_SHOT)
    assert vlapic.next_expiry(rig.w) == 0


def test_one_shot_to_periodic_goes_on() -> None:
    """X0-4: what is left first, then whole periods."""
    rig, v = timer(tmict=1000)
    rig.at(rig.now() + 4_000)
    rig.write(v, "LVT_TIMER", VECTOR | PERIODIC)
    due = vlapic.next_expiry(rig.w)
    assert due == pytest.approx(rig.now() + 6_000, abs=NEAR)
    rig.at(due)
    assert softirq(rig, v)
    take(rig, v)
    assert vlapic.next_expiry(rig.w) == due + 10_000


@pytest.mark.parametrize(("before", "after"), [(PERIODIC, DEADLINE), (DEADLINE, ONE_SHOT)])
def test_into_and_out_of_deadline_mode_all_is_forgotten(before: int, after: int) -> None:
    """X0-4a: TMICT and the deadline are 0, no timer runs."""
    rig, v = timer(before, tmict=1000)
    rig.do(vlapic.vlapic_tdt_msr_set, v, 1 << 40)
    rig.write(v, "LVT_TIMER", VECTOR | after)
    assert rig.page(v, "TMICT") == rig.w.at[v.cells.tdt_msr] == 0
    assert vlapic.next_expiry(rig.w) == 0


def test_counts_in_deadline_mode() -> None:
    """X0-4a: TMICT and TMCCT read 0, TMICT writes are ignored."""
    rig, v = timer(DEADLINE)
    rig.poke(v, "TMICT", 77)
    rig.write(v, "TMICT", 1000)
    assert rig.page(v, "TMICT") == 77
    assert rig.read(v, "TMICT") == rig.read(v, "TMCCT") == 0
    assert vlapic.next_expiry(rig.w) == 0


def test_the_deadline() -> None:
    """X0-4a: due at that time stamp, once; then the MSR reads 0."""
    rig, v = timer(DEADLINE)
    when = rig.now() + 5_000
    rig.do(vlapic.vlapic_tdt_msr_set, v, when)
    assert vlapic.next_expiry(rig.w) == pytest.approx(when, abs=NEAR)
    assert rig.w.at[v.cells.timer_start] == pytest.approx(rig.now(), abs=NEAR)
    assert rig.do(vlapic.vlapic_tdt_msr_get, v) == when
    rig.at(when + NEAR)
    assert softirq(rig, v)
    take(rig, v)
    assert rig.do(vlapic.vlapic_tdt_msr_get, v) == 0
    assert vlapic.next_expiry(rig.w) == 0


@pytest.mark.parametrize(("value", "fires"), [(1, True), (0, False)])
def test_a_deadline_that_is_past(value: int, fires: bool) -> None:
    """X0-4a: due at once; 0 disarms."""
    rig, v = timer(DEADLINE)
    rig.do(vlapic.vlapic_tdt_msr_set, v, 1 << 40)
    rig.do(vlapic.vlapic_tdt_msr_set, v, value)
    assert bool(vlapic.next_expiry(rig.w)) is fires
    assert softirq(rig, v) is fires
    assert rig.do(vlapic.vlapic_tdt_msr_get, v) == 0


def test_the_deadline_msr_in_another_mode() -> None:
    """X0-4a: writes are ignored, reads give 0."""
    rig, v = timer(ONE_SHOT)
    rig.do(vlapic.vlapic_tdt_msr_set, v, 1 << 40)
    assert rig.w.at[v.cells.tdt_msr] == vlapic.next_expiry(rig.w) == 0
    rig.w.at[v.cells.tdt_msr] = 1 << 40
    assert rig.do(vlapic.vlapic_tdt_msr_get, v) == 0


def test_the_deadline_msr_of_an_apic_disabled_in_hardware() -> None:
    """X0-4a, X0-10: writes are ignored."""
    rig, v = timer(DEADLINE)
    assert rig.do(vlapic.guest_wrmsr_apic_base, v, 0xFEE00100)
    rig.do(vlapic.vlapic_tdt_msr_set, v, 1 << 40)
    assert rig.w.at[v.cells.tdt_msr] == vlapic.next_expiry(rig.w) == 0


def test_the_next_of_several() -> None:
    """X0-4: the machine asks for the first of all vCPUs."""
    rig, _ = timer(tmict=1000)
    other = rig.vcpus[2]
    rig.write(other, "LVT_TIMER", VECTOR)
    rig.write(other, "TMICT", 100)
    assert vlapic.next_expiry(rig.w) == rig.w.at[other.cells.timer_expiry]
    assert [v for _, v in vlapic.armed(rig.w)] == [other, rig.vcpus[0]]


def test_a_new_count_forgets_the_tick_that_is_owed() -> None:
    """X0-4: whoever writes TMICT starts anew; the vector in IRR stays, but posting it arms nothing."""
    rig, v = timer(PERIODIC, tmict=10)
    rig.at(rig.now() + 1000)
    assert softirq(rig, v)
    rig.write(v, "TMICT", 1000)
    due = vlapic.next_expiry(rig.w)
    assert due == pytest.approx(rig.now() + 10_000, abs=NEAR)
    rig.at(due - 1000)
    take(rig, v)
    assert vlapic.next_expiry(rig.w) == due
    rig.at(due)
    assert softirq(rig, v)
    rig.write(v, "TMICT", 0)
    take(rig, v)
    assert vlapic.next_expiry(rig.w) == 0
    assert rig.do(vlapic.pt_update_irq, v) == -1


def test_posting_another_vector_changes_nothing() -> None:
    """X0-4, X8-2: only the timer's own vector pays the tick, and only if one is owed."""
    rig, v = timer(PERIODIC, tmict=10)
    due = vlapic.next_expiry(rig.w)
    rig.do(vlapic.pt_intr_post, v, VECTOR)
    assert vlapic.next_expiry(rig.w) == due
    rig.at(rig.now() + 1000)
    assert softirq(rig, v)
    rig.do(vlapic.pt_intr_post, v, VECTOR + 1)
    assert vlapic.next_expiry(rig.w) == 0
    rig.do(vlapic.pt_intr_post, v, VECTOR)
    assert vlapic.next_expiry(rig.w) > 0

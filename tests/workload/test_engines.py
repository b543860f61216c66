"""The two engines: equal in every counter and every task's times, on runs that really contain everything."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from avickit.workload.fast import Fast
from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain
from avickit.workload.result import COUNTERS, Result
from tests.workload.small import parameters

SEEN: Counter[str] = Counter()
EVERYTHING = {*COUNTERS} - {"cycles_sending", "cycles_interrupted", "cycles_asleep"}
RUNS = 250


@settings(max_examples=RUNS, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(parameters())
def equal(p: Parameters) -> None:
    plain = Plain(p).run()
    assert Fast(p).run() == plain
    SEEN.update({name: 1 for name, n in plain.counters.items() if n})
    SEEN["runs"] += 1


def test_both_engines_do_the_same_and_everything_happens() -> None:
    """Blocked readers and writers, full pipes, both preemptions, ticks, HLT, stolen time: each in many runs."""
    SEEN.clear()
    equal()
    assert SEEN["runs"] >= RUNS
    seldom = {name: SEEN[name] for name in EVERYTHING if SEEN[name] < RUNS // 10}
    assert not seldom


def finds_a_difference(change: str, value: int) -> bool:
    """Whether a compiled run that is told something else is told apart from the specification."""

    @settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(parameters())
    def look(p: Parameters) -> None:
        fast = Fast(p)
        fast.m[getattr(fast.k, change)] += value
        assert fast.run() == Plain(p).run()

    try:
        look()
    except BaseExceptionGroup:
        return True
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    "change", ["P_RECORDS", "P_GRANULARITY", "P_CREDIT", "P_WAKEUP_GRANULARITY", "P_STEAL", "C_WAKE"]
)
def test_a_difference_would_be_found(change: str) -> None:
    assert finds_a_difference(change, 1000 if change != "P_RECORDS" else 1)


@pytest.mark.parametrize("cell", [(False, False), (True, False), (False, True), (True, True)])
def test_the_real_size_of_a_group(cell: tuple[bool, bool]) -> None:
    p = Parameters(avic=cell[0], pv=cell[1], loops=4)
    assert Fast(p).run() == Plain(p).run()


def run(**kw: int) -> Result:
    return Fast(Parameters(**{"loops": 20, **kw})).run()  # type: ignore[arg-type]


def test_a_seed_is_a_run() -> None:
    assert run(seed=5) == run(seed=5)
    assert run(seed=5).digest != run(seed=6).digest


def test_portions_do_not_matter() -> None:
    p = Parameters(loops=5)
    whole, parts = Fast(p), Fast(p)
    for _ in parts.steps(every=777):
        pass
    assert whole.run() == parts.result()


def test_nothing_is_lost() -> None:
    """Each message is written and read once; each wake-up of another vCPU's task is taken in by an interrupt."""
    found = run(loops=30, vcpus=4, steal_every=3_000_000, steal=500_000)
    c = found.counters
    assert c["written"] == c["received"] == found.parameters.messages
    assert found.ipis == c["interrupts"] == c["ipis_running"] + c["ipis_preempted"] + c["ipis_sleeping"]
    assert found.ipis <= c["wakeups_remote"]
    assert c["wakeups_local"] + c["wakeups_remote"] == c["reader_blocks"] + c["writer_blocks"]
    assert min(c["ipis_running"], c["ipis_preempted"], c["ipis_sleeping"]) > 0


def test_one_vcpu_sends_no_interrupt() -> None:
    assert run(vcpus=1).ipis == 0
    assert run(vcpus=1).cycles == run(vcpus=1, physical_ipi=2000, doorbell=1000, remote_wakeup=1000).cycles


def test_dearer_interrupts_do_not_make_it_faster() -> None:
    """The direction only: how much, is what the feedback makes of it."""
    assert run(loops=200, mmio_emulation=2500).seconds < run(loops=200, mmio_emulation=6000).seconds


def test_avic_leaves_a_pv_guest_alone() -> None:
    """The two PV cells are one: the event channel goes past the local APIC. (X0-12)"""
    with_avic, without = (Fast(Parameters(loops=50, pv=True, avic=avic)).run() for avic in (True, False))
    assert with_avic.counters == without.counters
    assert with_avic.cycles == without.cycles

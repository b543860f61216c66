"""Wake-ups of another vCPU's tasks, HLT and the way out of it, on paper: each number here is the paper's."""

import pytest

from avickit.workload.counts import Target
from avickit.workload.parameters import Parameters
from avickit.workload.parts import NEVER
from avickit.workload.plain import Plain
from tests.workload.paper import Run, told

SLEEPY = {"write": 100_000, "read": 10, "block_task": 1, "switch": 1000, "remote_wakeup": 20, "wakeup": 300,
          "icrl_write": 600, "doorbell": 500, "handler": 700, "incomplete_ipi": 1500, "world_switch": 1360,
          "block": 3000, "wake": 4000}  # fmt: skip


def test_a_reader_elsewhere_is_interrupted_and_then_woken(run: Run) -> None:
    """The reader's vCPU 0, the writer's vCPU 1.

    1000: the reader waits (1001), the first write begins; it ends at 101000, wake list 101020, doorbell 101620, there
    at 102120; vCPU 0 has executed HLT meanwhile (asleep from 5361). Handler 103120, switch 104120, two messages 104140,
    waits, HLT: asleep from 108501. The third write, begun at 201620, finds it so at 301640: exit 304500, awake 308500,
    handler 309500, switch 310500, read 310510. And vCPU 1 halts when its task has ended.
    """
    found = run([1, 0], vcpus=2, loops=3, **SLEEPY)
    told(
        found, events=12 + 5, written=3, received=3, pages_drained=2, switches=4, wakeups_remote=2, ipis_running=1,
        ipis_sleeping=1, interrupts=2, reader_blocks=2, sleeps=3, cycles_sending=600 + 2860, cycles_interrupted=2000,
        cycles_asleep=102_120 - 5361 + 308_500 - 108_501,
    )  # fmt: skip
    assert found.cycles == 310_510


def test_a_list_that_is_kicked_is_not_kicked_again(run: Run) -> None:
    """Both readers wait on vCPU 0; the second joins the list while the doorbell of the first is under way."""
    prices = SLEEPY | {"write": 100, "switch": 1, "doorbell": 50_000}
    found = run([1, 1, 0, 0], vcpus=2, fds=2, loops=1, **prices)
    told(
        found, events=12 + 7, switches=4 + 2, wakeups_remote=2, ipis_running=1, interrupts=1, reader_blocks=2, sleeps=2,
        cycles_sending=600, cycles_interrupted=700 + 2 * 300, cycles_asleep=50_721 - 4364,
    )  # fmt: skip
    assert found.cycles == 50_721 + 1300 + 2 * (1 + 2 * 10)


@pytest.mark.parametrize("block_task", [0, 1])
def test_an_interrupt_on_the_way_to_sleep_waits_for_the_hlt(block_task: int, run: Run) -> None:
    """There at 2220, while HLT's exit takes until 5360: no wake is paid, nothing is slept.

    It may find the vCPU about to execute HLT (the write begins at 1000, the reader waits until 1001), or in it.
    """
    found = run([1, 0], vcpus=2, loops=1, **SLEEPY | {"write": 100, "block_task": block_task})
    told(
        found, events=6 + 3, switches=2 + 1, wakeups_remote=1, ipis_running=1, interrupts=1, reader_blocks=1, sleeps=2,
        cycles_sending=600, cycles_interrupted=1000,
    )  # fmt: skip
    assert found.cycles == 5360 + block_task + 1000 + 1000 + 10


ROUTINE = {
    "tick": ({"tick": 30_000, "tick_work": 7}, "ticks"),
    "stolen time": ({"steal_every": 30_000, "steal": 7}, "steals"),
}


@pytest.mark.parametrize("what", ROUTINE)
def test_a_sleeper_misses_what_comes_regularly(what: str, run: Run) -> None:
    """Ticks, or the host: vCPU 1 has one after each of its first two writes; vCPU 0, asleep but for some reads, none.

    It sleeps from 0 to 100000; the second write begins at 100007, so it reads two messages, to 100020; the third begins
    at 200014 and ends at 300014.
    """
    prices, counter = ROUTINE[what]
    found = run([1, 0], vcpus=2, loops=3, write=100_000, read=10, **prices)
    told(
        found, **{counter: 2}, wakeups_remote=2, ipis_sleeping=2, interrupts=2, reader_blocks=2, sleeps=2,
        cycles_asleep=100_000 + 300_014 - 100_020,
    )  # fmt: skip
    assert found.cycles == 300_024


def test_what_a_sender_finds_the_target_doing() -> None:
    """On its way to sleep it still runs; away from its core it is preempted until the cycle in which it comes back."""
    machine = Plain(Parameters(vcpus=2))
    v = machine.vcpus[1]
    v.clock, v.away_until = 500, 500
    assert [machine.state(v, now) for now in (499, 500)] == [Target.PREEMPTED, Target.RUNNING]
    v.clock, v.asleep_from = NEVER, 700
    assert [machine.state(v, now) for now in (499, 699, 700)] == [Target.RUNNING, Target.RUNNING, Target.SLEEPING]


@pytest.mark.parametrize(("lead", "preempted"), [(99, 1), (100, 0)])
def test_who_is_woken_from_elsewhere_may_preempt(lead: int, preempted: int, run: Run) -> None:
    """vCPU 0: reader 1 waits, writer 2 writes till 100, where the interrupt brings the reader, 100 behind."""
    found = run(
        [1, 0, 0, 1], [0, 0, 0, 10**6], vcpus=2, groups=2, loops=2, write=100, read=10, wakeup_granularity=lead
    )  # fmt: skip
    told(
        found, preempted_by_wakeup=preempted, wakeups_remote=1, ipis_running=1, interrupts=1, reader_blocks=1,
        switches=5 + preempted,
    )  # fmt: skip
    assert found.cycles == 220


@pytest.mark.parametrize(("block_task", "state"), [(1500, "ipis_running"), (1501, "ipis_preempted")])
def test_who_is_back_in_this_very_cycle_is_not_away(block_task: int, state: str, run: Run) -> None:
    """vCPU 1: writer 2 until 1000, away until 6000, then writer 0 until 6500, and wakes the reader of vCPU 0.

    That waited until 1500 (or 1501) and has been away since then for 5000. In the end vCPU 1 is away from 7000 until
    12000, and its reader takes its two messages.
    """
    found = run(
        [1, 0, 1, 1], [10**6, 0, 0, 2 * 10**6], vcpus=2, groups=2, loops=2, write=500, read=10, block_task=block_task,
        steal_every=1000, steal=5000,
    )  # fmt: skip
    told(
        found, **{state: 1}, wakeups_remote=1, interrupts=1, reader_blocks=1, sleeps=1, steals=3, switches=5,
    )  # fmt: skip
    assert found.cycles == 12_020

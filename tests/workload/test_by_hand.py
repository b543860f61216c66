"""Runs small enough to be worked out on paper from workload facts: each number here is the paper's, none an engine's.

Both engines run them. Who lives where is told, not drawn; all prices are 0 but those that a test names.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from avickit.workload.counts import Target
from avickit.workload.fast import Fast
from avickit.workload.parameters import Parameters
from avickit.workload.parts import NEVER
from avickit.workload.plain import Plain
from avickit.workload.prices import PRICES
from avickit.workload.result import Result
from avickit.workload.setup import Setup

LONG = 1 << 40
FREE: dict[str, Any] = dict.fromkeys(PRICES, 0) | {
    "avic": True, "groups": 1, "fds": 1, "vcpus": 1, "tick": LONG, "granularity": LONG, "wakeup_granularity": LONG,
    "sleeper_credit": 0,
}  # fmt: skip
Run = Callable[..., Result]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[int], Sequence[int]], None]:
    """Says on which vCPU each task lives, senders first, and how far it is in its virtual time."""

    def placed(home: Sequence[int], vruntime: Sequence[int]) -> None:
        told = Setup(list(home), list(vruntime), 0)
        for engine in ("plain", "fast"):
            monkeypatch.setattr(f"avickit.workload.{engine}.setup", lambda _: told)

    return placed


@pytest.fixture
def run(place: Any) -> Run:
    """Runs both engines."""

    def both(home: Sequence[int], vruntime: Sequence[int] | None = None, **kw: Any) -> Result:
        place(home, vruntime or [0] * len(home))
        p = Parameters(**FREE | kw)
        found = Plain(p).run()
        assert Fast(p).run() == found
        return found

    return both


def told(found: Result, **expected: int) -> None:
    """The counters are these; those not named are 0, or of no interest where they count messages."""
    fixed = dict.fromkeys(("events", "written", "received", "pages_drained", "switches"), -1)
    wanted = dict.fromkeys(found.counters, 0) | fixed | expected
    assert {name: n if wanted[name] >= 0 else -1 for name, n in found.counters.items()} == wanted


def test_a_pipe_holds_16_pages_of_40(run: Run) -> None:
    """640 are written, then the writer waits; the reader empties all and waits; 360 more. Nobody preempts."""
    found = run([0, 0], loops=1000, write=100, read=10, block_task=3, switch=1000, wakeup=7)
    told(
        found, events=4 + 2000 + 2, written=1000, received=1000, pages_drained=16 + 9, switches=4,
        writer_blocks=1, reader_blocks=1, wakeups_local=2,
    )  # fmt: skip
    assert found.cycles == 1000 * 110 + 4 * 1000 + 2 * 3 + 2 * 7


def test_640_fit_and_one_more_does_not(run: Run) -> None:
    told(run([0, 0], loops=640, write=1, read=1), pages_drained=16, switches=2)
    told(run([0, 0], loops=641, write=1, read=1), writer_blocks=1, wakeups_local=2, reader_blocks=1, pages_drained=17)


def test_a_slot_is_free_when_its_page_has_been_read_to_the_end(place: Any) -> None:
    """The waiting writer wakes with the fortieth message read, not with the first."""
    place([0, 0], [0, 0])
    machine = Plain(Parameters(**FREE | {"loops": 1000, "write": 1, "read": 1}))
    at = next(machine.n["received"] for _ in machine.steps(every=1) if machine.n["wakeups_local"])
    assert at == 40


def test_all_who_wait_for_a_page_wake(place: Any) -> None:
    """Sender 0 fills all three pipes and ends; 1 and 2 wait at the first; its reader's second message wakes both."""
    place([0] * 6, [0] * 6)
    machine = Plain(Parameters(**FREE | {"loops": 2, "fds": 3, "pages": 1, "records": 2, "write": 1, "read": 1}))
    for _ in machine.steps(every=1):
        if machine.n["pages_drained"]:
            break
    assert (machine.n["written"], machine.n["received"]) == (6, 2)
    assert machine.n["writer_blocks"] == machine.n["wakeups_local"] == 2
    assert [task.number for _, _, task in sorted(machine.vcpus[0].queue)] == [1, 2, 4, 5]


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


def test_a_tick_every_so_often(run: Run) -> None:
    """4000 cycles of work, ticks of 50 that are due at 1000, 2000, 3000, 4000; none takes the task off."""
    found = run([0, 0], loops=20, write=100, read=100, tick=1000, tick_work=50)
    told(found, ticks=4, switches=2)
    assert found.cycles == 4000 + 4 * 50


def test_a_sleeper_misses_its_ticks(run: Run) -> None:
    """vCPU 1 ticks after each of its first two writes; vCPU 0, asleep but for some reads, not at all.

    It sleeps from 0 to 100000; the second write begins at 100007, so it reads two messages, to 100020; the third begins
    at 200014 and ends at 300014.
    """
    found = run([1, 0], vcpus=2, loops=3, write=100_000, read=10, tick=30_000, tick_work=7)
    told(
        found, ticks=2, wakeups_remote=2, ipis_sleeping=2, interrupts=2, reader_blocks=2, sleeps=2,
        cycles_asleep=100_000 + 300_014 - 100_020,
    )  # fmt: skip
    assert found.cycles == 300_024


def test_a_tick_takes_off_who_has_run_its_share(run: Run) -> None:
    """Ten messages each: writers 0 and 1 and reader 2 give way at 1000, 2000, 3000; at 4000 nobody is behind reader 3.

    It finds its pipe empty; writer 0 wakes it. From then on each ends as its ten messages end.
    """
    found = run([0] * 4, fds=2, loops=10, write=100, read=100, tick=1000, granularity=1000)
    told(found, ticks=7, preempted_by_tick=3, switches=8, reader_blocks=1, wakeups_local=1, pages_drained=4)
    assert found.cycles == 8000
    told(run([0] * 4, fds=2, loops=10, write=100, read=100, tick=1000, granularity=1001), ticks=7)


@pytest.mark.parametrize(("credit", "preempted"), [(5, 1), (4, 0)])
def test_having_slept_is_credit_and_not_more(credit: int, preempted: int, run: Run) -> None:
    """The reader, at 0, waits; the writer goes from 10 to 110 and wakes it: to 10 less the credit, with a lead of 105
    and of 104. More than 104 preempts. Then the reader waits again; the second message is the writer's last."""
    found = run([0, 0], [10, 0], loops=2, write=100, read=10, wakeup_granularity=104, sleeper_credit=credit)
    told(
        found, preempted_by_wakeup=preempted, switches=3 + 2 * preempted, reader_blocks=1 + preempted,
        wakeups_local=1 + preempted,
    )  # fmt: skip
    assert found.cycles == 220


def test_stolen_time_is_nobodys(run: Run) -> None:
    """1000 cycles of work, 500 away, and so on: 4000 of work end at 5500. The tick due at 1200 is missed for good."""
    found = run([0, 0], loops=20, write=100, read=100, steal_every=1000, steal=500, tick=1200)
    told(found, steals=3, ticks=3, switches=2)
    assert found.cycles == 5500


def test_what_a_sender_finds_the_target_doing() -> None:
    """On its way to sleep it still runs; away from its core it is preempted until the cycle in which it comes back."""
    machine = Plain(Parameters(vcpus=2))
    v = machine.vcpus[1]
    v.clock, v.away_until = 500, 500
    assert [machine.state(v, now) for now in (499, 500)] == [Target.PREEMPTED, Target.RUNNING]
    v.clock, v.asleep_from = NEVER, 700
    assert [machine.state(v, now) for now in (499, 699, 700)] == [Target.RUNNING, Target.RUNNING, Target.SLEEPING]

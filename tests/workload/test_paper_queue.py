"""Ticks, preemption, credit, stolen time, the dice, on paper: each number here is the paper's, none an engine's."""

import pytest

from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain
from avickit.workload.setup import is_receiver, setup
from tests.workload.paper import FREE, Run, told


def test_a_tick_every_so_often(run: Run) -> None:
    """4000 cycles of work, ticks of 50 that are due at 1000, 2000, 3000, 4000; none takes the task off."""
    found = run([0, 0], loops=20, write=100, read=100, tick=1000, tick_work=50)
    told(found, ticks=4, switches=2)
    assert found.cycles == 4000 + 4 * 50


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


def test_where_a_task_begins_is_remembered() -> None:
    """A woken task comes 100 behind the furthest that was picked; picking it moves that not back."""
    machine = Plain(Parameters(**FREE | {"sleeper_credit": 100, "write": 1, "read": 1}))
    [v], [writer, _] = machine.vcpus, machine.tasks
    v.queue, v.least_vruntime = [], 500
    machine.enqueue(v, writer)
    machine.pick(v)
    assert (v.task, v.run_since, v.least_vruntime) == (writer, 400, 500)


def test_the_dice_are_those_of_the_c_standards_example(run: Run) -> None:
    """After 1 come 16838 and 5758 of 32768, of 1000 cycles 513 and 175."""
    assert run([0, 0], dice=1, loops=1, write=1, read=1, switch_spread=1000).cycles == 2 + 513 + 175


@pytest.mark.parametrize("seed", range(5))
def test_tasks_are_dealt_evenly(seed: int) -> None:
    """On each vCPU as many senders as on any other, or one more; likewise receivers."""
    p = Parameters(seed=seed)
    home = setup(p).home
    for receivers in (False, True):
        mine = [home[t] for t in range(p.tasks) if is_receiver(p, t) == receivers]
        assert sorted(mine.count(v) for v in range(p.vcpus)) == [66, 67, 67]

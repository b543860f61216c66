"""Sweeps over executors: the same results everywhere; a worker that fails or is killed costs its own point one try."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import psutil
import pytest

from avickit import AvicError
from avickit.workload import Parameters, Processes, Result, sweep
from avickit.workload.sweep import points

GRID: dict[str, list[Any]] = {"avic": [False, True], "vcpus": [2, 3]}
BASE = Parameters(loops=2, groups=2, fds=4)
LONG = Parameters(loops=1500, groups=4, fds=10)
"""Some seconds in the plain engine: long enough to be killed in."""


def in_order(results: Any) -> list[Result]:
    return sorted(results, key=lambda r: str(r.parameters))


@pytest.fixture(scope="module")
def here() -> list[Result]:
    return in_order(sweep(GRID, [1, 2], base=BASE, engine="plain"))


def test_the_grid_is_all_combinations_with_all_seeds(here: list[Result]) -> None:
    assert len(here) == 2 * 2 * 2
    assert {(r.parameters.avic, r.parameters.vcpus, r.parameters.seed) for r in here} == {
        (avic, vcpus, seed) for avic in (False, True) for vcpus in (2, 3) for seed in (1, 2)
    }


def test_points_can_be_given_one_by_one() -> None:
    mine = [BASE.but(seed=7), BASE.but(pv=True)]
    assert points(mine, None, Parameters()) == mine
    assert [p.seed for p in points(mine, range(3), Parameters())] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("grid", [{"avik": [True]}, {"vcpus": [0]}, {"loops": ["many"]}])
def test_bad_input_is_told_at_once(grid: dict[str, list[Any]]) -> None:
    with pytest.raises(AvicError):
        sweep(grid, [1])


def test_threads_give_the_same(here: list[Result]) -> None:
    with ThreadPoolExecutor(2) as executor:
        assert in_order(sweep(GRID, [1, 2], executor, base=BASE, engine="plain")) == here


def test_results_come_as_they_finish() -> None:
    class Backwards(Executor):
        """Keeps all and does the last first."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            waiting.append((future, fn, args))
            if len(waiting) == 2:
                for f, do, with_what in reversed(waiting):
                    f.set_result(do(*with_what))
            return future

    waiting: list[Any] = []
    assert len(list(sweep({"seed": [1, 2]}, None, Backwards(), base=BASE, engine="plain"))) == 2


def test_a_point_that_fails_is_tried_again_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others arrive all the same."""
    tried: list[int] = []

    def flaky(p: Parameters, engine: str) -> str:
        tried.append(p.seed)
        if p.seed == 3 or (p.seed == 2 and tried.count(2) == 1):
            raise OSError("no luck")
        return f"seed {p.seed}"

    monkeypatch.setattr(sys.modules["avickit.workload.sweep"], "simulate", flaky)
    for executor in (None, ThreadPoolExecutor(1)):
        tried.clear()
        retried: list[int] = []
        found: list[Any] = []
        results = sweep({}, [1, 2, 3, 4], executor, on_retry=lambda p, _, r=retried: r.append(p.seed))  # type: ignore[misc]
        with pytest.raises(AvicError, match=r"1 points failed 3 times each; the first: .*seed=3.*OSError: no luck"):
            found.extend(results)
        assert sorted(found) == ["seed 1", "seed 2", "seed 4"]
        assert sorted(tried) == [1, 2, 2, 3, 3, 3, 4]
        assert sorted(retried) == [2, 3, 3]
        if executor is not None:
            executor.shutdown()


WELL_INTO = 1.5
"""Seconds of processor time that a worker has used when it is past its imports and in its point."""


def kill_one_at_work(pool: Processes, killed: list[int], over: threading.Event) -> None:
    """Wait until both workers have come well into their points, then kill one; give up when all is over."""
    while not over.wait(0.02):
        pids = pool.pids()
        if len(pids) == 2 and all(psutil.Process(pid).cpu_times().user > WELL_INTO for pid in pids):
            killed.extend(pids)
            os.kill(pids[0], signal.SIGKILL)
            return


def test_a_worker_killed_in_mid_point_costs_only_its_point() -> None:
    """A real SIGKILL: the other worker's process lives on, and one point is tried again."""
    retried: list[tuple[Parameters, str]] = []
    killed: list[int] = []
    wanted = [LONG.but(seed=n) for n in (1, 2)] + [BASE.but(seed=n) for n in (1, 2, 3)]
    with Processes(2) as pool:
        over = threading.Event()
        killer = threading.Thread(target=kill_one_at_work, args=(pool, killed, over))
        killer.start()
        note = lambda p, why: retried.append((p, type(why).__name__))  # noqa: E731
        try:
            found = list(sweep(wanted, None, pool, engine="plain", on_retry=note))
        finally:
            over.set()
            killer.join()
        assert killed[1] in pool.pids()
        assert killed[0] not in pool.pids()
    assert [(p in wanted[:2], why) for p, why in retried] == [(True, "BrokenProcessPool")]
    assert sorted(r.parameters.seed for r in found) == [1, 1, 2, 2, 3]
    alone = {r.parameters: r for r in sweep(wanted, None)}
    assert {r.parameters: r for r in found} == alone


def test_an_executor_that_breaks_as_a_whole_loses_nothing_either(here: list[Result]) -> None:
    """The standard pool breaks when a worker dies: what it had not done is done in this process."""
    retried: list[Parameters] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(os._exit, 1).result()
        found = in_order(sweep(GRID, [1, 2], pool, base=BASE, engine="plain", on_retry=lambda p, _: retried.append(p)))
    assert found == here
    assert len(retried) == len(here)


@pytest.mark.parametrize("workers", [-1, 5000, 1.5])
def test_a_bad_number_of_workers_is_refused(workers: Any) -> None:
    with pytest.raises(AvicError, match="workers"):
        Processes(workers)


def test_on_a_dask_cluster(here: list[Result]) -> None:
    """`Client.get_executor()` of a cluster of two workers on this machine, and nothing but 127.0.0.1."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, worker_dashboard_address=None
    )
    with cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        addresses = [worker["host"] for worker in client.scheduler_info()["workers"].values()]
        assert addresses == ["127.0.0.1"] * 2
        with client.get_executor() as executor:
            assert in_order(sweep(GRID, [1, 2], executor, base=BASE, engine="plain")) == here

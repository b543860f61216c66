"""Sweeps over executors: the same results everywhere; a worker that fails or is killed costs its own point one try."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import pytest

from avickit import AvicError
from avickit.workload import Parameters, Processes, Result, sweep
from avickit.workload.sweep import points

GRID: dict[str, list[Any]] = {"avic": [False, True], "vcpus": [2, 3]}
BASE = Parameters(loops=2, groups=2, fds=4)
LONG = Parameters(loops=300, groups=4, fds=10)
"""A second or two in the plain engine: long enough to be killed in."""


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


class Held(Executor):
    """Gives out futures that the test itself fulfils."""

    def __init__(self) -> None:
        self.given: dict[int, tuple[Future[Any], Callable[[], Any]]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given[args[0].seed] = future, lambda: fn(*args, **kwargs)
        return future

    def finish(self, seed: int) -> None:
        """This point is done."""
        future, do = self.given.pop(seed)
        future.set_result(do())


def test_results_come_as_they_finish() -> None:
    """The last first, while all others are still under way; who has heard enough cancels the rest."""
    executor = Held()
    results = sweep({"seed": range(1, 5)}, None, executor, base=BASE, engine="plain")
    seen = []
    for seed in (4, 2, 3):
        threading.Timer(0.01, executor.finish, [seed]).start()
        seen.append(next(results).parameters.seed)
        assert not executor.given[1][0].done()
    assert seen == [4, 2, 3]
    results.close()  # type: ignore[attr-defined]
    assert executor.given[1][0].cancelled()


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
        with pytest.raises(AvicError, match=r"points failed: 1; the first 3 times, .*seed=3.*OSError: no luck"):
            found.extend(results)
        assert sorted(found) == ["seed 1", "seed 2", "seed 4"]
        assert sorted(tried) == [1, 2, 2, 3, 3, 3, 4]
        assert sorted(retried) == [2, 3, 3]
        if executor is not None:
            executor.shutdown()


WELL_INTO = 0.3
"""Seconds of processor time after which a worker that had been idle is in the middle of its point."""


def used(pid: int) -> float:
    """A process's seconds of processor time."""
    return float(psutil.Process(pid).cpu_times().user)


@contextmanager
def killing_one_at_work(pids: list[int]) -> Iterator[None]:
    """Meanwhile, as soon as all workers have come well into their points, a SIGKILL for the first of them."""
    before, over, killed = {pid: used(pid) for pid in pids}, threading.Event(), threading.Event()

    def kill() -> None:
        while not over.wait(0.02):
            if all(used(pid) > before[pid] + WELL_INTO for pid in pids):
                os.kill(pids[0], signal.SIGKILL)
                killed.set()
                return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
    assert killed.is_set()


def test_a_worker_killed_in_mid_point_costs_only_its_point() -> None:
    """A real SIGKILL: the other worker's process lives on, and one point is tried again."""
    retried: list[tuple[Parameters, str]] = []
    wanted = [LONG.but(seed=n) for n in (1, 2)] + [BASE.but(seed=n) for n in (1, 2, 3)]
    with Processes(2) as pool:
        list(sweep([BASE, BASE.but(seed=9)], None, pool, engine="plain"))  # both are past their imports
        pids = pool.pids()
        assert len(pids) == 2
        note = lambda p, why: retried.append((p, type(why).__name__))  # noqa: E731
        with killing_one_at_work(pids):
            found = list(sweep(wanted, None, pool, engine="plain", on_retry=note))
        assert pids[1] in pool.pids()
        assert pids[0] not in pool.pids()
    assert [(p in wanted[:2], why) for p, why in retried] == [(True, "BrokenProcessPool")]
    assert sorted(r.parameters.seed for r in found) == [1, 1, 2, 2, 3]
    alone = {r.parameters: r for r in sweep(wanted, None)}
    assert {r.parameters: r for r in found} == alone


PARENT = """
import time
from avickit.workload import Parameters, Processes

def main():
    pool = Processes(1)
    pool.submit(abs, 1).result()
    pool.submit(time.sleep, 600)
    print(*pool.pids(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    main()
"""


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Even when that is killed and cannot tell them; by themselves they would wait for its next word for ever."""
    (tmp_path / "parent.py").write_text(PARENT)
    line = [sys.executable, str(tmp_path / "parent.py")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    worker.wait(timeout=30)


def test_an_executor_that_breaks_as_a_whole_loses_nothing_either(here: list[Result]) -> None:
    """The standard pool breaks when a worker dies: what it had not done is done in this process."""
    retried: list[Parameters] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(os._exit, 1).result()
        found = in_order(sweep(GRID, [1, 2], pool, base=BASE, engine="plain", on_retry=lambda p, _: retried.append(p)))
    assert found == here
    assert len(retried) == len(here)


class Refusing(Executor):
    """Takes nothing, with an error of its own kind, as a cluster that has gone."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise OSError("nobody there")


def test_an_executor_that_takes_nothing_is_told_in_one_line() -> None:
    """Neither a trace of calls nor a wait for ever; the same for one that has been shut down."""
    over = ThreadPoolExecutor(1)
    over.shutdown()
    for executor, said in ((Refusing(), "OSError: nobody there"), (over, "RuntimeError: cannot schedule")):
        with pytest.raises(AvicError, match=f"points failed: 2; the first 3 times, .*{said}"):
            list(sweep({}, [1, 2], executor, base=BASE, engine="plain"))


@pytest.mark.parametrize("processes", [False, True])
def test_bad_input_that_only_a_run_finds_is_not_tried_again(processes: bool) -> None:
    """A point that would take too many cycles; the other one arrives."""
    retried: list[Parameters] = []
    wanted = [BASE.but(write=1 << 40, loops=300), BASE]
    found: list[Result] = []
    with Processes(1) as pool:
        results = sweep(wanted, None, pool if processes else None, on_retry=lambda p, _: retried.append(p))
        with pytest.raises(AvicError, match=r"points failed: 1; the first 1 times, .*2\^50"):
            found.extend(results)
    assert [r.parameters for r in found] == [BASE]
    assert not retried


@pytest.mark.parametrize("workers", [-1, 5000, 1.5])
def test_a_bad_number_of_workers_is_refused(workers: Any) -> None:
    with pytest.raises(AvicError, match="workers"):
        Processes(workers)


def test_on_a_dask_cluster(here: list[Result]) -> None:
    """`Client.get_executor()` of a cluster of two workers on this machine, and nothing but 127.0.0.1; one is killed."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, worker_dashboard_address=None
    )
    with cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        addresses = [worker["host"] for worker in client.scheduler_info()["workers"].values()]
        assert addresses == ["127.0.0.1"] * 2
        with client.get_executor() as executor:
            assert in_order(sweep(GRID, [1, 2], executor, base=BASE, engine="plain")) == here
            pids = list(client.run(os.getpid).values())
            with killing_one_at_work(pids):
                found = list(sweep([LONG, LONG.but(seed=2)], None, executor, engine="plain"))
        assert psutil.pid_exists(pids[1])
        assert in_order(found) == in_order(sweep([LONG, LONG.but(seed=2)], None))

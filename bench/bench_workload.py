"""hackbench's events per second: the compiled engine, the specification, SimPy, the same loop in C; sweeps.

Aims: 100 x SimPy; CPU time at most 1.25 x that of C with -O2; a sweep on two cores 1.7 x one. One cell of each kind, in
processor time; the sweep in seconds on the clock.
"""

import ctypes
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avickit.workload import CELLS, Parameters, Processes, sweep
from avickit.workload.fast import Fast
from avickit.workload.plain import Plain

LOOPS = 1000
CELL = {"emulated": CELLS[0], "avic": CELLS[1], "pv": CELLS[2]}
SOURCE = Path(__file__).parent / "c" / "hackbench.c"


def parameters(cell: str, loops: int = LOOPS) -> Parameters:
    avic, pv = CELL[cell]
    return Parameters(avic=avic, pv=pv, loops=loops)


def measure(benchmark: Any, make: Callable[[], Any], run: Callable[[Any], int], rounds: int = 5) -> None:
    """Events a second and nanoseconds an event, in processor time, the best of the rounds."""
    events = []
    benchmark._timer = time.process_time
    benchmark.pedantic(lambda r: events.append(run(r)), setup=lambda: ((make(),), {}), rounds=rounds)
    best = float(benchmark.stats.stats.min) / events[0]
    benchmark.extra_info.update(events=events[0], per_second=round(1 / best), ns=round(best * 1e9, 1))


@pytest.mark.parametrize("cell", CELL)
def test_fast(benchmark: Any, cell: str) -> None:
    Fast(parameters(cell, 1)).run()
    measure(benchmark, lambda: Fast(parameters(cell)), lambda r: r.run().counters["events"])


@pytest.mark.parametrize("cell", CELL)
def test_c(benchmark: Any, cell: str, tmp_path: Path) -> None:
    """The same memory, handed to the loop in C; it must leave the same there."""
    gcc = shutil.which("gcc") or pytest.skip("no gcc")
    library = tmp_path / "hackbench.so"
    subprocess.run([gcc, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
    loop = ctypes.CDLL(str(library)).run

    def run(r: Fast) -> int:
        loop(ctypes.c_void_p(r.m.ctypes.data), ctypes.c_int64(1 << 62))
        return int(r.m[r.k.EVENTS])

    measure(benchmark, lambda: Fast(parameters(cell)), run)
    mine, compiled = Fast(parameters(cell, 20)), Fast(parameters(cell, 20))
    run(mine)
    compiled.run()
    assert (mine.m == compiled.m).all()


@pytest.mark.parametrize("cell", CELL)
def test_plain(benchmark: Any, cell: str) -> None:
    measure(benchmark, lambda: Plain(parameters(cell, 10)), lambda r: r.run().counters["events"], rounds=3)


@pytest.mark.parametrize("cell", CELL)
def test_simpy(benchmark: Any, cell: str) -> None:
    from bench.simpy_hackbench import OnSimPy

    measure(benchmark, lambda: OnSimPy(parameters(cell, 10)), lambda r: r.go(), rounds=3)


@pytest.mark.parametrize("workers", [1, 2])
def test_sweep(benchmark: Any, workers: int) -> None:
    """Eight points of about a second; the workers have started before."""
    points = [parameters("emulated", 5000).but(seed=n) for n in range(8)]
    with Processes(workers) as pool:
        list(sweep([parameters("emulated", 1).but(seed=n) for n in range(2 * workers)], None, pool))
        benchmark.pedantic(lambda: list(sweep(points, None, pool)), rounds=1)
    benchmark.extra_info.update(seconds=round(float(benchmark.stats.stats.min), 2))


START = "import time; t = time.process_time(); from avickit.workload.fast import Fast"
START += "; from avickit.workload import Parameters; Fast(Parameters(loops=1)).run(); print(time.process_time() - t)"


@pytest.mark.parametrize("cache", ["cold", "warm"])
def test_start(benchmark: Any, cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From nothing to the end of a tiny run in a new process: with an empty numba cache, and with a filled one."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def start() -> float:
        return float(subprocess.run([sys.executable, "-c", START], capture_output=True, check=True).stdout)

    if cache == "warm":
        start()
    benchmark.extra_info.update(cpu_seconds=round(benchmark.pedantic(start, rounds=1), 2))

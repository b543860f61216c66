"""Many runs: a grid of parameters times seeds, over any executor of `concurrent.futures`, or in this process.

    for result in sweep({"avic": [False, True], "mmio_emulation": range(2500, 6001, 500)}, seeds=range(5)):
        ...
    sweep(grid, seeds, Processes(8))                # processes of this machine
    sweep(grid, seeds, client.get_executor())       # a Dask cluster

A point whose worker fails or is killed is tried again; nothing else is lost. Does not model: anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from itertools import product
from queue import SimpleQueue
from typing import Any, NamedTuple

from avickit.errors import AvicError, in_range
from avickit.workload.engine import Engine, simulate
from avickit.workload.parameters import Parameters
from avickit.workload.result import Result

Grid = Mapping[str, Iterable[Any]] | Iterable[Parameters]
Retry = Callable[[Parameters, BaseException], None]


class Point(NamedTuple):
    """One run to be done, and how often it was begun before."""

    parameters: Parameters
    before: int


def sweep(
    grid: Grid,
    seeds: Iterable[int] | None = None,
    executor: Executor | None = None,
    *,
    base: Parameters | None = None,
    engine: Engine = "auto",
    attempts: int = 3,
    on_retry: Retry | None = None,
) -> Iterator[Result]:
    """The results of all points of the grid, as they finish (with an executor: in any order).

    `grid` gives values by the names of parameters (all combinations, over `base`), or Parameters; each
    combination runs with each of the seeds, with its own if there are none. A point is tried `attempts` times, once if
    its error is an AvicError; `on_retry` hears of each failure that is followed by another try. Raises AvicError for
    bad input at once, and after all other points are done for those that failed each time.
    """
    wanted = [Point(p, 0) for p in points(grid, seeds, base or Parameters())]
    in_range("attempts", attempts, 1, 1000)
    return Sweep(executor, engine, attempts, on_retry).results(wanted)


def points(grid: Grid, seeds: Iterable[int] | None, base: Parameters) -> list[Parameters]:
    """All points, the seed varying fastest. Raises AvicError for an unknown parameter or a value out of range."""
    if isinstance(grid, Mapping):
        values = [list(choice) if isinstance(choice, Iterable) else [choice] for choice in grid.values()]
        cells = [base.but(**dict(zip(grid, combination, strict=True))) for combination in product(*values)]
    else:
        cells = list(grid)
    if seeds is None:
        return cells
    every = list(seeds)
    return [cell.but(seed=seed) for cell in cells for seed in every]


def run_point(p: Parameters, engine: Engine, attempt: int) -> Result:
    """What a worker does. The attempt's number makes it another task for executors that remember equal ones."""
    return simulate(p, engine)


class Sweep:
    """The loop: hand out, wait, take in, hand out again what failed."""

    def __init__(self, executor: Executor | None, engine: Engine, attempts: int, on_retry: Retry | None) -> None:
        self.executor, self.engine, self.attempts, self.on_retry = executor, engine, attempts, on_retry
        self.pending: dict[Future[Result], Point] = {}
        self.ended: SimpleQueue[Future[Result]] = SimpleQueue()
        self.failed: list[tuple[Point, BaseException]] = []

    def results(self, wanted: list[Point]) -> Iterator[Result]:
        """Results as they come; what is still pending is cancelled if nobody wants to hear more."""
        try:
            for point in wanted if self.executor is not None else ():
                self.hand_out(point)
            for point in wanted if self.executor is None else ():
                yield from self.here(point)
            while self.pending:
                future = self.ended.get()
                yield from self.take_in(future, self.pending.pop(future))
        finally:
            for future in self.pending:
                future.cancel()
        if self.failed:
            point, why = self.failed[0]
            said = f"{point.before + 1} times, {brief(point.parameters)}: {type(why).__name__}: {why}"
            raise AvicError(f"points failed: {len(self.failed)}; the first {said}")

    def hand_out(self, point: Point) -> None:
        """To the executor; if that takes nothing any more, its future is one that has failed already."""
        assert self.executor is not None
        try:
            future = self.executor.submit(run_point, point.parameters, self.engine, point.before)
        except Exception as error:
            future = Future()
            future.set_exception(error)
        self.pending[future] = point
        future.add_done_callback(self.ended.put)

    def take_in(self, future: Future[Result], point: Point) -> Iterator[Result]:
        """A result, or another try: in this process, where the executor itself has broken."""
        why = CancelledPoint() if future.cancelled() else future.exception()
        if why is None:
            yield future.result()
        elif self.again(point, why):
            point = point._replace(before=point.before + 1)
            if getattr(self.executor, "_broken", False):
                yield from self.here(point)
            else:
                self.hand_out(point)

    def here(self, point: Point) -> Iterator[Result]:
        """In this process."""
        while True:
            try:
                found = run_point(point.parameters, self.engine, point.before)
            except Exception as why:
                if not self.again(point, why):
                    return
                point = point._replace(before=point.before + 1)
            else:
                yield found
                return

    def again(self, point: Point, why: BaseException) -> bool:
        """Whether there is another try; else it is written down. What is bad input once is so each time."""
        if point.before + 1 >= self.attempts or isinstance(why, AvicError):
            self.failed.append((point, why))
            return False
        if self.on_retry is not None:
            self.on_retry(point.parameters, why)
        return True


class CancelledPoint(Exception):
    """An executor has given up a point without a word."""


def brief(p: Parameters) -> str:
    """What differs from the defaults."""
    changed = {name: value for name, value in p.data().items() if value != getattr(Parameters(), name)}
    return ", ".join(f"{name}={value}" for name, value in changed.items()) or "the defaults"

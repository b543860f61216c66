"""The numba engine: lays a run out in flat arrays, lets the compiled loop go on in portions, reads off what it left.

Equal to `plain` in every counter and every task's times. Raises AvicError where numba is not installed.
Does not model: see `plain`.
"""

from collections.abc import Iterator
from typing import Any

from avickit.errors import AvicError
from avickit.workload.costs import costs
from avickit.workload.parameters import Parameters
from avickit.workload.result import COUNTERS, Result, result
from avickit.workload.setup import is_receiver, setup

PORTION = 1 << 23
"""Events between two signs of life: a third of a second."""


class Fast:
    """One run; the same two methods as `plain.Plain`."""

    def __init__(self, p: Parameters) -> None:
        try:
            import numpy as np

            from avickit.workload import kernel as k
        except ImportError as error:
            raise AvicError(
                f"the fast engine needs numba ({error}): pip install avickit[workload], or engine='plain'"
            ) from None
        self.p, self.k = p, k
        start = setup(p)
        zeros: Any = lambda n: np.zeros(n, np.int64)  # noqa: E731
        self.tasks, self.pipes = zeros(p.tasks * k.TASK), zeros(p.groups * p.fds * k.PIPES)
        self.vcpus, self.heap, self.lists = (zeros(p.vcpus * width) for width in (k.VCPU, p.tasks, p.tasks))
        self.n = zeros(k.NUMBERS)
        self.n[k.DICE], self.n[k.RUNNING] = start.dice, p.tasks
        self.words = np.array(
            [p.vcpus, p.tasks, p.records, p.write, p.read, p.block_task, p.switch, p.switch_spread, p.wakeup]
            + [p.remote_wakeup, p.tick, p.granularity, p.wakeup_granularity, p.sleeper_credit, p.steal_every]
            + [p.steal, p.fds, *costs(p).flat()],
            np.int64,
        )
        self._lay_out_pipes()
        self._lay_out_vcpus()
        for task in range(p.tasks):
            self._lay_out_task(task, start.home[task], start.vruntime[task])

    def _lay_out_pipes(self) -> None:
        k, p = self.k, self.p
        for pipe in range(p.groups * p.fds):
            row, group = pipe * k.PIPES, pipe // p.fds * 2 * p.fds
            self.pipes[row + k.FREE], self.pipes[row + k.GROUP] = p.pages, group
            self.pipes[row + k.READER] = group + p.fds + pipe % p.fds

    def _lay_out_vcpus(self) -> None:
        k, p = self.k, self.p
        for v in range(p.vcpus):
            row = v * k.VCPU
            self.vcpus[row + k.CLOCK], self.vcpus[row + k.RUNS] = v, -1
            self.vcpus[row + k.INTERRUPT_AT], self.vcpus[row + k.TICK_AT] = k.NEVER, p.tick
            self.vcpus[row + k.STEAL_AT] = p.steal_every or k.NEVER
            self.vcpus[row + k.DUE] = min(p.tick, p.steal_every or k.NEVER)

    def _lay_out_task(self, task: int, home: int, vruntime: int) -> None:
        k, p = self.k, self.p
        row, pipes = task * k.TASK, task // (2 * p.fds) * p.fds
        first = pipes + (task % (2 * p.fds) - p.fds if is_receiver(p, task) else 0)
        last = -1 if is_receiver(p, task) else (pipes + p.fds - 1) * k.PIPES
        self.tasks[row : row + k.TASK] = (home, vruntime, p.fds * p.loops, first * k.PIPES, first * k.PIPES, last, 0, 0)
        at = home * k.VCPU + k.QUEUED
        k.push.py_func(self.heap, home * p.tasks, int(self.vcpus[at]), vruntime << k.TASK_BITS | task)
        self.vcpus[at] += 1

    def steps(self, every: int = PORTION) -> Iterator[int]:
        """Event after event; after each portion how many messages were written and read."""
        k = self.k
        while self.n[k.RUNNING]:
            k.run(self.tasks, self.pipes, self.vcpus, self.heap, self.lists, self.words, self.n, every)
            yield int(self.n[k.WRITTEN] + self.n[k.RECEIVED])

    def run(self) -> Result:
        """To the end."""
        for _ in self.steps():
            pass
        return self.result()

    def result(self) -> Result:
        """What it ended in."""
        k = self.k
        used, finished = self.tasks[k.USED :: k.TASK], self.tasks[k.FINISHED :: k.TASK]
        return result(self.p, self.n[: len(COUNTERS)], used, [int(t) for t in finished])

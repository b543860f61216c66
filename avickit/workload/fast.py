"""The numba engine: lays a run out in flat arrays, lets the compiled loop go on in portions, reads off what it left.

Equal to `plain` in every counter and every task's times. Raises AvicError where numba is not installed.
Does not model: see `plain`.
"""

from collections.abc import Iterator

from avickit.errors import AvicError
from avickit.workload.costs import costs
from avickit.workload.parameters import Parameters
from avickit.workload.result import COUNTERS, Result, result
from avickit.workload.setup import is_receiver, setup
from avickit.workload.span import in_time, portion

PORTION = 1 << 23
"""Events between two signs of life: a tenth of a second."""


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
        self.m = m = np.zeros(k.PLACES, np.int64)
        m[k.DICE], m[k.RUNNING] = start.dice, p.tasks
        words = [p.vcpus, p.records, p.write, p.read, p.block_task, p.switch, p.switch_spread, p.wakeup]
        words += [p.remote_wakeup, p.tick, p.granularity, p.wakeup_granularity, p.sleeper_credit]
        words += [p.steal_every, p.steal, *costs(p).flat()]
        m[k.P : k.P + len(words)] = words
        m[k.TURNS + p.vcpus] = k.END
        for v in range(p.vcpus):
            self._lay_out_vcpu(v)
        for pipe in range(p.groups * p.fds):
            self._lay_out_pipe(pipe)
        for task in sorted(range(p.tasks), key=start.vruntime.__getitem__):  # keys in order are a heap
            self._lay_out_task(task, start.home[task], start.vruntime[task])

    def _lay_out_vcpu(self, v: int) -> None:
        k, p, at = self.k, self.p, self.k.VCPUS + v * self.k.VCPU
        self.m[k.TURNS + v], self.m[at + k.RUNS] = v, -1
        self.m[at + k.INTERRUPT_AT], self.m[at + k.TICK_AT] = k.NEVER, p.tick
        self.m[at + k.STEAL_AT] = p.steal_every or k.NEVER
        self.m[at + k.DUE] = min(p.tick, p.steal_every or k.NEVER)

    def _lay_out_pipe(self, pipe: int) -> None:
        k, p, at = self.k, self.p, self.k.PIPES + pipe * self.k.ROW
        group = pipe // p.fds * 2 * p.fds
        self.m[at + k.FREE], self.m[at + k.GROUP] = p.pages, group
        self.m[at + k.READER] = group + p.fds + pipe % p.fds

    def _lay_out_task(self, task: int, home: int, vruntime: int) -> None:
        k, p, at = self.k, self.p, self.k.TASKS + task * self.k.ROW
        group, member = divmod(task, 2 * p.fds)
        first = k.PIPES + (group * p.fds + (member - p.fds if is_receiver(p, task) else 0)) * k.ROW
        last = -1 if is_receiver(p, task) else first + (p.fds - 1) * k.ROW
        self.m[at : at + k.ROW] = (home, vruntime, p.fds * p.loops, first, first, last, 0, 0)
        queued = k.VCPUS + home * k.VCPU + k.QUEUED
        self.m[k.HEAPS + (home << k.TASK_BITS) + self.m[queued]] = vruntime << k.TASK_BITS | task
        self.m[queued] += 1

    def steps(self, every: int = PORTION) -> Iterator[int]:
        """Event after event; after each portion how many messages were written and read.

        Raises AvicError for a run that takes too many cycles (`span`).
        """
        k, every = self.k, portion(self.p, every)
        while self.m[k.RUNNING]:
            k.run(self.m, every)
            in_time(int(self.m[k.TURNS : k.TURNS + 2].min()) >> k.CLOCK_SHIFT)
            yield int(self.m[k.WRITTEN] + self.m[k.RECEIVED])

    def run(self) -> Result:
        """To the end."""
        for _ in self.steps():
            pass
        return self.result()

    def result(self) -> Result:
        """What it ended in."""
        k = self.k
        rows = self.m[k.TASKS : k.TASKS + self.p.tasks * k.ROW]
        used, finished = rows[k.USED :: k.ROW], [int(t) for t in rows[k.FINISHED :: k.ROW]]
        return result(self.p, [int(n) for n in self.m[k.N : k.N + len(COUNTERS)]], used, finished)

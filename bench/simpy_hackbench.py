"""The same model on SimPy: its event queue decides who is next, the steps are those of the specification.

For the benchmark only. Of two vCPUs whose clocks are equal SimPy takes whoever came first, the specification the lower
number; so the counters of the two can differ a little, and the number of events is what is compared.
"""

from collections.abc import Generator
from typing import Any

import simpy

from avickit.workload.parameters import Parameters
from avickit.workload.parts import NEVER, Task, VCpu
from avickit.workload.plain import Plain


class OnSimPy(Plain):
    """A run whose vCPUs are SimPy processes: each waits until its clock, or until somebody wakes it."""

    def __init__(self, p: Parameters) -> None:
        super().__init__(p)
        self.env = simpy.Environment()
        self.bells: list[Any] = [self.env.event() for _ in self.vcpus]
        for v in self.vcpus:
            self.env.process(self.life(v))

    def life(self, v: VCpu) -> Generator[Any, None, None]:
        """Step after step."""
        while self.running:
            if v.clock == NEVER:
                yield self.bells[v.number]
                continue
            yield self.env.timeout(v.clock - self.env.now)
            self.n["events"] += 1
            self.step(v)

    def kick(self, v: VCpu, task: Task, home: VCpu) -> None:
        """As specified; and a sleeper's process hears of it."""
        super().kick(v, task, home)
        bell, self.bells[home.number] = self.bells[home.number], self.env.event()
        bell.succeed()

    def go(self) -> int:
        """To the end; the number of events."""
        self.env.run()
        return self.n["events"]

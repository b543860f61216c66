"""What a run ends in: counters, times, and a digest of all task times by which two engines are compared.

Does not model: anything.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from avickit.workload.parameters import Parameters
from avickit.workload.span import in_time

COUNTERS = (
    "events",
    "written",
    "received",
    "pages_drained",
    "wakeups_local",
    "wakeups_remote",
    "ipis_running",
    "ipis_preempted",
    "ipis_sleeping",
    "interrupts",
    "reader_blocks",
    "writer_blocks",
    "switches",
    "preempted_by_wakeup",
    "preempted_by_tick",
    "ticks",
    "sleeps",
    "steals",
    "cycles_sending",
    "cycles_interrupted",
    "cycles_asleep",
)
"""The engines' counters, in the order of their array: how often, then cycles summed over the vCPUs."""


@dataclass(frozen=True)
class Result:
    """One run: its parameters, when the last task ended (cycles), the counters, the digest of all task times."""

    parameters: Parameters
    cycles: int
    counters: dict[str, int]
    digest: str

    @property
    def seconds(self) -> float:
        """The time hackbench would print."""
        return self.cycles / self.parameters.hertz

    @property
    def ipis(self) -> int:
        """Reschedule interrupts between vCPUs."""
        return sum(self.counters[f"ipis_{state}"] for state in ("running", "preempted", "sleeping"))

    @property
    def ipis_per_message(self) -> float:
        """Interrupts for each message."""
        return self.ipis / self.parameters.messages

    @property
    def wakeups_per_message(self) -> float:
        """Wake-ups for each message: near 0 the pipes batch, near 1 reader and writer take turns."""
        return (self.counters["wakeups_local"] + self.counters["wakeups_remote"]) / self.parameters.messages

    def data(self) -> dict[str, Any]:
        """All of it in one row: parameters, time, counters, digest."""
        times = {"seconds": round(self.seconds, 6), "cycles": self.cycles}
        return self.parameters.data() | times | self.counters | {"digest": self.digest}


def result(p: Parameters, counters: Sequence[int], used: Iterable[int], finished: Sequence[int]) -> Result:
    """From what an engine leaves: its counters, and the cycles each task used and the cycle in which it ended."""
    return Result(
        p, in_time(max(finished)), dict(zip(COUNTERS, map(int, counters), strict=True)), digest(used, finished)
    )


def digest(used: Iterable[int], finished: Iterable[int]) -> str:
    """A hash of every task's time used and time of ending, the same on any machine."""
    numbers = [*map(int, used), *map(int, finished)]
    return hashlib.sha256(struct.pack(f"<{len(numbers)}q", *numbers)).hexdigest()[:16]

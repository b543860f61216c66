"""The things of the simulated guest: pipes, tasks, virtual CPUs. What they do is `plain`'s matter.

Does not model: file descriptors, memory; a message is a number.
"""

from avickit.workload.parameters import Parameters
from avickit.workload.setup import is_receiver

NEVER = 1 << 55
"""Later than any cycle of a run (`span`)."""


class Pipe:
    """A pipe of pages; a slot is free again only when its whole page has been read, or the pipe is empty."""

    def __init__(self, reader: "Task", p: Parameters) -> None:
        self.reader, self.reader_sleeps = reader, False
        self.waiting: list[Task] = []
        self.unread, self.free_pages = 0, p.pages
        self.room, self.taken = 0, 0  # slots left in the last page; records taken out of the first


class Task:
    """A sender or a receiver. `vruntime` orders the run queue; `used` and `finished` are its times."""

    def __init__(self, number: int, vcpu: "VCpu", vruntime: int, p: Parameters) -> None:
        self.number, self.vcpu, self.vruntime = number, vcpu, vruntime
        self.receives = is_receiver(p, number)
        self.left = p.fds * p.loops
        self.pipes: list[Pipe] = []
        self.next = 0
        self.used = self.finished = 0


class VCpu:
    """A virtual CPU: its clock, the task it runs, those that wait, and those others have woken for it."""

    def __init__(self, number: int, p: Parameters) -> None:
        self.number, self.clock = number, 0
        self.task: Task | None = None
        self.queue: list[tuple[int, int, Task]] = []
        self.woken: list[Task] = []
        self.interrupt_at = NEVER
        self.interrupt_cost = 0
        self.tick_at = p.tick
        self.steal_at = p.steal_every or NEVER
        self.away_until = 0
        self.asleep_from = NEVER
        self.least_vruntime = self.run_since = 0

"""The specification: hackbench on some vCPUs as a discrete-event model, in plain Python. `fast` does the same, quicker.

Each vCPU has a clock. The vCPU whose clock is least takes the next step, whole, and its clock moves on by what that
cost: so steps happen in the order in which they begin, and what they do is seen from then on. A vCPU takes interrupts
between two steps of a task.
`scheduling` is the other half: interrupts, wake-ups, run queues, HLT.
Does not model: migration of tasks between vCPUs, caches, contention for a pipe's lock, other work of the machine;
writers that wait for one pipe wake in the order of their numbers, not of their coming.
"""

from collections.abc import Iterator
from heapq import heappush

from avickit.workload.parameters import Parameters
from avickit.workload.parts import Pipe, Task, VCpu
from avickit.workload.result import Result, result
from avickit.workload.scheduling import Scheduling
from avickit.workload.setup import setup
from avickit.workload.span import in_time, portion


class Plain(Scheduling):
    """One run: `run()` goes to the end, `steps()` also, with signs of life."""

    def __init__(self, p: Parameters) -> None:
        start = setup(p)
        super().__init__(p, start.dice)
        self.vcpus = [VCpu(n, p) for n in range(p.vcpus)]
        homes = [self.vcpus[home] for home in start.home]
        self.tasks = [Task(n, homes[n], start.vruntime[n], p) for n in range(p.tasks)]
        for group in range(p.groups):
            members = self.tasks[2 * p.fds * group : 2 * p.fds * (group + 1)]
            pipes = [Pipe(task, p) for task in members[p.fds :]]
            for task in members[: p.fds]:
                task.pipes = pipes
            for task, pipe in zip(members[p.fds :], pipes, strict=True):
                task.pipes = [pipe]
        for task in self.tasks:
            heappush(task.vcpu.queue, (task.vruntime, task.number, task))
        self.running = p.tasks

    def run(self) -> Result:
        """To the end."""
        for _ in self.steps():
            pass
        return self.result()

    def result(self) -> Result:
        """What it ended in."""
        used, finished = [t.used for t in self.tasks], [t.finished for t in self.tasks]
        return result(self.p, list(self.n.values()), used, finished)

    def steps(self, every: int = 1 << 16) -> Iterator[int]:
        """Event after event; after so many at most, and at the end, how many messages were written and read.

        Raises AvicError for a run that takes too many cycles (`span`).
        """
        every = portion(self.p, every)
        while self.running:
            self.n["events"] += 1
            self.step(min(self.vcpus, key=lambda v: (v.clock, v.number)))
            if not self.running or self.n["events"] % every == 0:
                in_time(min(v.clock for v in self.vcpus))
                yield self.n["written"] + self.n["received"]

    def step(self, v: VCpu) -> None:
        """What this vCPU does next: be away, take an interrupt, tick, or let its task go on, or find one."""
        if v.clock >= v.interrupt_at:
            self.interrupt(v)
        elif v.clock >= v.steal_at:
            self.be_stolen(v)
        elif v.task is None:
            self.pick(v)
        elif v.clock >= v.tick_at:
            self.tick(v)
        elif v.task.receives:
            self.receive(v, v.task)
        else:
            self.send(v, v.task)

    def send(self, v: VCpu, task: Task) -> None:
        """Write a message to the next pipe, and wake its reader; wait where no page is free."""
        pipe = task.pipes[task.next]
        if not pipe.room and not pipe.free_pages:
            pipe.waiting.append(task)
            self.n["writer_blocks"] += 1
            self.spend(v, task, self.p.block_task)
            v.task = None
            return
        if not pipe.room:
            pipe.free_pages, pipe.room = pipe.free_pages - 1, self.p.records
        pipe.room, pipe.unread = pipe.room - 1, pipe.unread + 1
        task.next = (task.next + 1) % self.p.fds
        self.n["written"] += 1
        self.spend(v, task, self.p.write)
        woken = [pipe.reader] if pipe.reader_sleeps else []
        pipe.reader_sleeps = False
        self.one_less(v, task, woken)

    def receive(self, v: VCpu, task: Task) -> None:
        """Read a message; a page read to its end is free, and all who waited for one wake. Wait where nothing is."""
        [pipe] = task.pipes
        if not pipe.unread:
            pipe.reader_sleeps = True
            self.n["reader_blocks"] += 1
            self.spend(v, task, self.p.block_task)
            v.task = None
            return
        pipe.unread, pipe.taken = pipe.unread - 1, pipe.taken + 1
        self.n["received"] += 1
        self.spend(v, task, self.p.read)
        woken: list[Task] = []
        if pipe.taken == self.p.records or not pipe.unread:
            pipe.free_pages, pipe.taken = pipe.free_pages + 1, 0
            pipe.room = pipe.room if pipe.unread else 0
            self.n["pages_drained"] += 1
            woken = sorted(pipe.waiting, key=lambda t: t.number)
            pipe.waiting.clear()
        self.one_less(v, task, woken)

    def one_less(self, v: VCpu, task: Task, woken: list[Task]) -> None:
        """The task has passed a message on: it wakes who waited for that, and one of them may preempt it."""
        for other in woken:
            self.wake(v, task, other)
        task.left -= 1
        if not task.left:
            task.finished = v.clock
            v.task = None
            self.running -= 1
        elif any(other.vcpu is v for other in woken):
            self.maybe_preempt(v, task)

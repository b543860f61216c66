"""The specification: hackbench on some vCPUs as a discrete-event model, in plain Python. `fast` does the same, quicker.

Each vCPU has a clock. The vCPU whose clock is least takes the next step, whole, and its clock moves on by what that
cost: so steps happen in the order in which they begin. A vCPU takes interrupts between two steps of a task.
Does not model: migration of tasks between vCPUs, caches, contention for a pipe's lock, other work of the machine.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from avickit.workload.costs import costs
from avickit.workload.counts import Target
from avickit.workload.parameters import Parameters
from avickit.workload.parts import NEVER, Pipe, Task, VCpu
from avickit.workload.result import COUNTERS, Result, result
from avickit.workload.setup import setup


class Plain:
    """One run. `steps()` yields the number of events so far, now and then; `run()` goes to the end."""

    def __init__(self, p: Parameters) -> None:
        self.p, self.costs = p, costs(p)
        start = setup(p)
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
        self.dice, self.running = start.dice, p.tasks
        self.n = dict.fromkeys(COUNTERS, 0)

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
        """Event after event; a sign of life every so many."""
        for n in count(1):
            if not self.running:
                break
            self.n["events"] += 1
            self.step(min(self.vcpus, key=lambda v: (v.clock, v.number)))
            if n % every == 0:
                yield n

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

    # ---- tasks ----

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

    def spend(self, v: VCpu, task: Task, cycles: int) -> None:
        """Time passes for the task and for its vCPU."""
        v.clock += cycles
        task.vruntime += cycles
        task.used += cycles

    # ---- waking ----

    def wake(self, v: VCpu, task: Task, other: Task) -> None:
        """Wake a task from `task` on v: put it on the queue here, or on its own vCPU's list, and interrupt that."""
        home = other.vcpu
        if home is v:
            self.n["wakeups_local"] += 1
            self.spend(v, task, self.p.wakeup)
            self.enqueue(v, other)
            return
        self.n["wakeups_remote"] += 1
        self.spend(v, task, self.p.remote_wakeup)
        if not home.woken:
            self.kick(v, task, home)
        home.woken.append(other)

    def kick(self, v: VCpu, task: Task, home: VCpu) -> None:
        """The reschedule interrupt: what it costs depends on what the target does just now."""
        state = self.state(home, v.clock)
        cost = self.costs.ipi[state]
        self.n[f"ipis_{state.value}"] += 1
        self.n["cycles_sending"] += cost.sender
        self.spend(v, task, cost.sender)
        home.interrupt_at, home.interrupt_cost = v.clock + cost.flight, cost.target
        if home.clock == NEVER:
            begin = max(home.interrupt_at, home.asleep_from)
            home.clock = begin + (self.costs.wake if state is Target.SLEEPING else 0)
            self.n["cycles_asleep"] += home.clock - home.asleep_from
            home.tick_at = after(home.tick_at, home.clock, self.p.tick)
            if self.p.steal_every:
                home.steal_at = after(home.steal_at, home.clock, self.p.steal_every)

    def state(self, v: VCpu, now: int) -> Target:
        """What the vCPU does at this moment, as the hypervisor sees it."""
        if v.clock == NEVER:
            return Target.SLEEPING if now >= v.asleep_from else Target.RUNNING
        return Target.PREEMPTED if now < v.away_until else Target.RUNNING

    def enqueue(self, v: VCpu, task: Task) -> None:
        """A woken task comes onto the run queue; having slept gives it some credit, not more."""
        task.vruntime = max(task.vruntime, v.least_vruntime - self.p.sleeper_credit)
        heappush(v.queue, (task.vruntime, task.number, task))

    # ---- what interrupts a task ----

    def interrupt(self, v: VCpu) -> None:
        """The reschedule interrupt: all who were woken for this vCPU come onto its queue, and one may preempt."""
        v.interrupt_at = NEVER
        cost = v.interrupt_cost + self.p.wakeup * len(v.woken)
        self.n["interrupts"] += 1
        self.n["cycles_interrupted"] += cost
        v.clock += cost
        for task in v.woken:
            self.enqueue(v, task)
        v.woken.clear()
        if v.task:
            self.maybe_preempt(v, v.task)

    def tick(self, v: VCpu) -> None:
        """The guest's tick: who has run its share gives way to who is behind it."""
        task = v.task
        assert task is not None
        v.clock += self.costs.tick
        v.tick_at = after(v.tick_at, v.clock, self.p.tick)
        self.n["ticks"] += 1
        if v.queue and task.vruntime - v.run_since >= self.p.granularity and v.queue[0][0] < task.vruntime:
            self.preempt(v, task)
            self.n["preempted_by_tick"] += 1

    def be_stolen(self, v: VCpu) -> None:
        """The host runs something else on this core for a while; whoever sends to it meanwhile finds it preempted."""
        v.clock += self.p.steal
        v.away_until = v.clock
        v.steal_at = v.clock + self.p.steal_every
        v.tick_at = after(v.tick_at, v.clock, self.p.tick)  # what it has missed is not made up for
        self.n["steals"] += 1

    def maybe_preempt(self, v: VCpu, task: Task) -> None:
        """After a wake-up: the task gives way to one that is far enough behind it."""
        if v.queue[0][0] + self.p.wakeup_granularity < task.vruntime:
            self.preempt(v, task)
            self.n["preempted_by_wakeup"] += 1

    def preempt(self, v: VCpu, task: Task) -> None:
        """The task goes back to the queue."""
        heappush(v.queue, (task.vruntime, task.number, task))
        v.task = None

    def pick(self, v: VCpu) -> None:
        """The task that is furthest behind runs next; with none the vCPU executes HLT."""
        if not v.queue:
            self.n["sleeps"] += 1
            v.asleep_from, v.clock = v.clock + self.costs.sleep, NEVER
            if v.interrupt_at != NEVER:
                v.clock = max(v.interrupt_at, v.asleep_from)
                self.n["cycles_asleep"] += v.clock - v.asleep_from
            return
        _, _, v.task = heappop(v.queue)
        v.least_vruntime = max(v.least_vruntime, v.task.vruntime)
        v.run_since = v.task.vruntime
        self.dice = (self.dice * 1103515245 + 12345) & 0x7FFFFFFF
        v.clock += self.p.switch + ((self.dice >> 16) * self.p.switch_spread >> 15)
        self.n["switches"] += 1


def after(due: int, now: int, every: int) -> int:
    """The first of `due`, `due` + `every` ... that is later than now."""
    return due if due > now else now + every - (now - due) % every


def simulate(p: Parameters) -> Result:
    """Run it to the end."""
    return Plain(p).run()

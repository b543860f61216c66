"""The specification's first half: what a vCPU does besides its task. `plain` has the tasks, and whose turn it is.

Does not model: see `plain`.
"""

from heapq import heappop, heappush

from avickit.workload.costs import costs
from avickit.workload.counts import Target
from avickit.workload.parameters import Parameters
from avickit.workload.parts import NEVER, Task, VCpu
from avickit.workload.result import COUNTERS


class Scheduling:
    """The guest's scheduler, its interrupts and its sleep, in terms of `parts`; `n` are the counters."""

    def __init__(self, p: Parameters, dice: int) -> None:
        self.p, self.costs, self.dice = p, costs(p), dice
        self.n = dict.fromkeys(COUNTERS, 0)

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

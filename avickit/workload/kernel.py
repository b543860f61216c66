"""The compiled loop: what `plain` does, on five flat arrays of 64-bit integers with constant strides. Needs numba.

Step for step the same as `plain`, which says what each means; the tests hold both equal. An array for a kind of thing,
a row for each, a column for each word, so that what is used together lies together. Does not model: see `plain`.
"""

from typing import Any

from numba import njit

NEVER = 1 << 55
CLOCK_SHIFT, TASK_BITS = 5, 10
"""A vCPU's clock carries its number in the low bits, so that the least of all clocks says whose it is; a key of the run
queue is a task's vruntime with its number in the low bits, so that equals are told apart."""
HOME, VRUNTIME, LEFT, PIPE, FIRST, LAST, USED, FINISHED, TASK = range(9)
"""A row of tasks. PIPE is the place of the pipe it is at; a sender goes from FIRST to LAST and round; LAST < 0: receiver."""
UNREAD, ROOM, TAKEN, FREE, WAITING, READER_SLEEPS, READER, GROUP, PIPES = range(9)
"""A row of pipes. WAITING has a bit for each sender of the group, whose first task is GROUP."""
CLOCK, RUNS, DUE, INTERRUPT_AT, INTERRUPT_COST, TICK_AT, STEAL_AT, AWAY_UNTIL = range(8)
ASLEEP_FROM, LEAST, RUN_SINCE, QUEUED, WOKEN, VCPU = 8, 9, 10, 11, 12, 16
"""A row of vCPUs. RUNS is a task or -1, DUE the first of the three times that interrupt it, QUEUED and WOKEN lengths."""
(P_VCPUS, P_TASKS, P_RECORDS, P_WRITE, P_READ, P_BLOCK, P_SWITCH, P_SPREAD, P_WAKEUP, P_REMOTE) = range(10)
(P_TICK, P_GRANULARITY, P_WAKEUP_GRANULARITY, P_CREDIT, P_STEAL_EVERY, P_STEAL, P_FDS) = range(10, 17)
P_COSTS = 17
C_TICK, C_SLEEP, C_WAKE = P_COSTS + 9, P_COSTS + 10, P_COSTS + 11
"""Parameters and prices; from P_COSTS on `costs.Costs.flat`."""
(EVENTS, WRITTEN, RECEIVED, DRAINED, LOCAL, REMOTE, TO_RUNNING, TO_PREEMPTED, TO_SLEEPING, INTERRUPTS) = range(10)
(READER_BLOCKS, WRITER_BLOCKS, SWITCHES, BY_WAKEUP, BY_TICK, TICKS, SLEEPS, STEALS) = range(10, 18)
SENDING, INTERRUPTED, ASLEEP, DICE, RUNNING, NUMBERS = range(18, 24)
"""Counters as in `result.COUNTERS`; behind them the generator's number, and how many tasks have not ended."""


@njit(cache=True, nogil=True)
def push(heap: Any, base: int, length: int, key: int) -> None:
    """A key goes into the binary heap at `base`."""
    at = length
    while at > 0:
        above = (at - 1) >> 1
        if heap[base + above] <= key:
            break
        heap[base + at] = heap[base + above]
        at = above
    heap[base + at] = key


@njit(cache=True, nogil=True)
def pop(heap: Any, base: int, length: int) -> int:
    """The least key comes out of the heap."""
    least = heap[base]
    last = length - 1
    key = heap[base + last]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= last:
            break
        if below + 1 < last and heap[base + below + 1] < heap[base + below]:
            below += 1
        if heap[base + below] >= key:
            break
        heap[base + at] = heap[base + below]
        at = below
    heap[base + at] = key
    return least  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def after(due: int, now: int, every: int) -> int:
    """The first of `due`, `due` + `every` ... that is later than now."""
    return due if due > now else now + every - (now - due) % every


@njit(cache=True, nogil=True)
def enqueue(tasks: Any, vcpus: Any, heap: Any, p: Any, home: int, other: int) -> None:
    """A woken task comes onto the run queue."""
    row, at = other * TASK, home * VCPU
    vruntime = max(tasks[row + VRUNTIME], vcpus[at + LEAST] - p[P_CREDIT])
    tasks[row + VRUNTIME] = vruntime
    push(heap, home * p[P_TASKS], vcpus[at + QUEUED], vruntime << TASK_BITS | other)
    vcpus[at + QUEUED] += 1


@njit(cache=True, nogil=True)
def wake(tasks: Any, vcpus: Any, heap: Any, lists: Any, p: Any, n: Any, v: int, clock: int, other: int) -> int:
    """Wake a task from v: onto the queue here, or the other vCPU's list and an interrupt. The cycles it takes."""
    home = tasks[other * TASK + HOME]
    if home == v:
        n[LOCAL] += 1
        enqueue(tasks, vcpus, heap, p, home, other)
        return p[P_WAKEUP]  # type: ignore[no-any-return]
    n[REMOTE] += 1
    spent = p[P_REMOTE]
    at = home * VCPU
    if vcpus[at + WOKEN] == 0:
        now = clock + spent
        asleep = vcpus[at + CLOCK] >= NEVER << CLOCK_SHIFT
        state = 0
        if asleep and now >= vcpus[at + ASLEEP_FROM]:
            state = 2
        elif not asleep and now < vcpus[at + AWAY_UNTIL]:
            state = 1
        n[TO_RUNNING + state] += 1
        sending = p[P_COSTS + 3 * state]
        n[SENDING] += sending
        spent += sending
        interrupt_at = clock + spent + p[P_COSTS + 3 * state + 1]
        vcpus[at + INTERRUPT_AT] = interrupt_at
        vcpus[at + INTERRUPT_COST] = p[P_COSTS + 3 * state + 2]
        if asleep:
            begin = max(interrupt_at, vcpus[at + ASLEEP_FROM])
            if state == 2:
                begin += p[C_WAKE]
            n[ASLEEP] += begin - vcpus[at + ASLEEP_FROM]
            vcpus[at + CLOCK] = begin << CLOCK_SHIFT | home
            vcpus[at + TICK_AT] = after(vcpus[at + TICK_AT], begin, p[P_TICK])
            if p[P_STEAL_EVERY]:
                vcpus[at + STEAL_AT] = after(vcpus[at + STEAL_AT], begin, p[P_STEAL_EVERY])
        vcpus[at + DUE] = min(interrupt_at, vcpus[at + TICK_AT], vcpus[at + STEAL_AT])
    lists[home * p[P_TASKS] + vcpus[at + WOKEN]] = other
    vcpus[at + WOKEN] += 1
    return spent  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def seldom(tasks: Any, vcpus: Any, heap: Any, lists: Any, p: Any, n: Any, v: int, clock: int) -> int:
    """A step of a vCPU that does not go on with its task: interrupt, steal, tick, or picking a task. Its new clock."""
    at, base = v * VCPU, v * p[P_TASKS]
    task = vcpus[at + RUNS]
    if clock >= vcpus[at + INTERRUPT_AT]:
        vcpus[at + INTERRUPT_AT] = NEVER
        cost = vcpus[at + INTERRUPT_COST] + p[P_WAKEUP] * vcpus[at + WOKEN]
        n[INTERRUPTS] += 1
        n[INTERRUPTED] += cost
        clock += cost
        for i in range(vcpus[at + WOKEN]):
            enqueue(tasks, vcpus, heap, p, v, lists[base + i])
        vcpus[at + WOKEN] = 0
        if task >= 0 and (heap[base] >> TASK_BITS) + p[P_WAKEUP_GRANULARITY] < tasks[task * TASK + VRUNTIME]:
            preempt(tasks, vcpus, heap, p, v, task)
            n[BY_WAKEUP] += 1
    elif clock >= vcpus[at + STEAL_AT]:
        clock += p[P_STEAL]
        vcpus[at + AWAY_UNTIL] = clock
        vcpus[at + STEAL_AT] = clock + p[P_STEAL_EVERY]
        n[STEALS] += 1
    elif task < 0:
        return pick(tasks, vcpus, heap, p, n, v, clock)
    else:
        clock += p[C_TICK]
        vcpus[at + TICK_AT] = after(vcpus[at + TICK_AT], clock, p[P_TICK])
        n[TICKS] += 1
        vruntime = tasks[task * TASK + VRUNTIME]
        ran = vruntime - vcpus[at + RUN_SINCE] >= p[P_GRANULARITY]
        if ran and vcpus[at + QUEUED] > 0 and heap[base] >> TASK_BITS < vruntime:
            preempt(tasks, vcpus, heap, p, v, task)
            n[BY_TICK] += 1
    vcpus[at + DUE] = min(vcpus[at + INTERRUPT_AT], vcpus[at + TICK_AT], vcpus[at + STEAL_AT])
    return clock


@njit(cache=True, nogil=True)
def preempt(tasks: Any, vcpus: Any, heap: Any, p: Any, v: int, task: int) -> None:
    """The task goes back to the queue."""
    at = v * VCPU
    push(heap, v * p[P_TASKS], vcpus[at + QUEUED], tasks[task * TASK + VRUNTIME] << TASK_BITS | task)
    vcpus[at + QUEUED] += 1
    vcpus[at + RUNS] = -1


@njit(cache=True, nogil=True)
def pick(tasks: Any, vcpus: Any, heap: Any, p: Any, n: Any, v: int, clock: int) -> int:
    """The task that is furthest behind runs next; with none the vCPU sleeps. Its new clock."""
    at = v * VCPU
    if vcpus[at + QUEUED] == 0:
        n[SLEEPS] += 1
        asleep_from = clock + p[C_SLEEP]
        vcpus[at + ASLEEP_FROM] = asleep_from
        if vcpus[at + INTERRUPT_AT] == NEVER:
            return NEVER
        clock = max(vcpus[at + INTERRUPT_AT], asleep_from)
        n[ASLEEP] += clock - asleep_from
        return clock
    key = pop(heap, v * p[P_TASKS], vcpus[at + QUEUED])
    vcpus[at + QUEUED] -= 1
    vruntime = key >> TASK_BITS
    vcpus[at + RUNS] = key & (1 << TASK_BITS) - 1
    vcpus[at + LEAST] = max(vcpus[at + LEAST], vruntime)
    vcpus[at + RUN_SINCE] = vruntime
    dice = n[DICE] * 1103515245 + 12345 & 0x7FFFFFFF
    n[DICE] = dice
    n[SWITCHES] += 1
    return clock + p[P_SWITCH] + ((dice >> 16) * p[P_SPREAD] >> 15)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def run(tasks: Any, pipes: Any, vcpus: Any, heap: Any, lists: Any, p: Any, n: Any, limit: int) -> None:
    """Go on for at most `limit` events, or to the end. All state is in the arrays, so another call goes on from there."""
    last_vcpu = p[P_VCPUS] * VCPU
    records, write, read, block = p[P_RECORDS], p[P_WRITE], p[P_READ], p[P_BLOCK]
    running, events, written, received = n[RUNNING], 0, 0, 0
    while running > 0 and events < limit:
        events += 1
        least = vcpus[CLOCK]
        for at in range(VCPU, last_vcpu, VCPU):
            least = min(least, vcpus[at + CLOCK])
        v = least & (1 << CLOCK_SHIFT) - 1
        clock = least >> CLOCK_SHIFT
        at = v * VCPU
        task = vcpus[at + RUNS]
        if task < 0 or clock >= vcpus[at + DUE]:
            vcpus[at + CLOCK] = seldom(tasks, vcpus, heap, lists, p, n, v, clock) << CLOCK_SHIFT | v
            continue
        row = task * TASK
        pipe = tasks[row + PIPE]
        woke_here = False
        if tasks[row + LAST] < 0:
            unread = pipes[pipe + UNREAD]
            if unread == 0:
                pipes[pipe + READER_SLEEPS] = 1
                n[READER_BLOCKS] += 1
                tasks[row + VRUNTIME] += block
                tasks[row + USED] += block
                vcpus[at + RUNS] = -1
                vcpus[at + CLOCK] = clock + block << CLOCK_SHIFT | v
                continue
            received += 1
            spent = read
            unread -= 1
            pipes[pipe + UNREAD] = unread
            taken = pipes[pipe + TAKEN] + 1
            if taken == records or unread == 0:
                n[DRAINED] += 1
                taken = 0
                pipes[pipe + FREE] += 1
                if unread == 0:
                    pipes[pipe + ROOM] = 0
                waiting = pipes[pipe + WAITING]
                if waiting:
                    pipes[pipe + WAITING] = 0
                    other = pipes[pipe + GROUP]
                    while waiting:
                        if waiting & 1:
                            spent += wake(tasks, vcpus, heap, lists, p, n, v, clock + spent, other)
                            woke_here = woke_here or tasks[other * TASK + HOME] == v
                        waiting >>= 1
                        other += 1
            pipes[pipe + TAKEN] = taken
        else:
            room = pipes[pipe + ROOM]
            if room == 0:
                if pipes[pipe + FREE] == 0:
                    pipes[pipe + WAITING] |= 1 << task - pipes[pipe + GROUP]
                    n[WRITER_BLOCKS] += 1
                    tasks[row + VRUNTIME] += block
                    tasks[row + USED] += block
                    vcpus[at + RUNS] = -1
                    vcpus[at + CLOCK] = clock + block << CLOCK_SHIFT | v
                    continue
                pipes[pipe + FREE] -= 1
                room = records
            pipes[pipe + ROOM] = room - 1
            pipes[pipe + UNREAD] += 1
            tasks[row + PIPE] = tasks[row + FIRST] if pipe == tasks[row + LAST] else pipe + PIPES
            written += 1
            spent = write
            if pipes[pipe + READER_SLEEPS]:
                pipes[pipe + READER_SLEEPS] = 0
                other = pipes[pipe + READER]
                spent += wake(tasks, vcpus, heap, lists, p, n, v, clock + spent, other)
                woke_here = tasks[other * TASK + HOME] == v
        vruntime = tasks[row + VRUNTIME] + spent
        tasks[row + VRUNTIME] = vruntime
        tasks[row + USED] += spent
        clock += spent
        left = tasks[row + LEFT] - 1
        tasks[row + LEFT] = left
        if left == 0:
            tasks[row + FINISHED] = clock
            vcpus[at + RUNS] = -1
            running -= 1
        elif woke_here and (heap[v * p[P_TASKS]] >> TASK_BITS) + p[P_WAKEUP_GRANULARITY] < vruntime:
            preempt(tasks, vcpus, heap, p, v, task)
            n[BY_WAKEUP] += 1
        vcpus[at + CLOCK] = clock << CLOCK_SHIFT | v
    n[RUNNING] = running
    n[EVENTS] += events
    n[WRITTEN] += written
    n[RECEIVED] += received

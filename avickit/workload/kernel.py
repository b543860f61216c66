"""The compiled loop: what `plain` does, on flat arrays of 64-bit integers with constant strides. Needs numba.

Step for step the same as `plain`, which says what each means; the tests hold both equal. One memory `m`, in it an array
for each kind of thing (vCPUs, tasks, pipes, heaps, wake lists), in that a row for each, so that what is used together
lies together. Does not model: see `plain`.
"""

from typing import Any

from numba import njit

NEVER = 1 << 55
CLOCK_SHIFT, TASK_BITS, ROW = 5, 10, 8
VCPU_MASK, TASK_MASK, PLACE_MASK = (1 << CLOCK_SHIFT) - 1, (1 << TASK_BITS) - 1, (1 << 17) - 1
"""A vCPU's clock carries its number in the low bits, so that the least of all clocks says whose it is; a key of the run
queue is a task's vruntime with its number in the low bits, so that equals are told apart. An index that is masked is
never negative, which spares numba the question whether it counts from the end: a third of the time."""
HOME, VRUNTIME, LEFT, PIPE, FIRST, LAST, USED, FINISHED = range(8)
"""A task. PIPE is the pipe it is at; a sender goes from FIRST to LAST and round; LAST < 0: a receiver."""
UNREAD, ROOM, TAKEN, FREE, WAITING, READER_SLEEPS, READER, GROUP = range(8)
"""A pipe. WAITING has a bit for each sender of the group, whose first task is GROUP."""
CLOCK, RUNS, DUE, INTERRUPT_AT, INTERRUPT_COST, TICK_AT, STEAL_AT, AWAY_UNTIL = range(8)
ASLEEP_FROM, LEAST, RUN_SINCE, QUEUED, WOKEN, VCPU = 8, 9, 10, 11, 12, 16
"""A vCPU. RUNS is a task or -1, DUE the first of the three times that interrupt it, QUEUED and WOKEN are lengths."""
VCPUS = 0
TASKS = VCPUS + (VCPU << CLOCK_SHIFT)
PIPES = TASKS + (ROW << TASK_BITS)
HEAPS = PIPES + (ROW << TASK_BITS - 1)
LISTS = HEAPS + (1 << TASK_BITS + CLOCK_SHIFT)
P = LISTS + (1 << TASK_BITS + CLOCK_SHIFT)
N = P + 64
PLACES = N + 64
"""Where vCPUs, tasks, pipes, the heaps and the wake lists begin, then parameters and counters."""
P_VCPUS, P_RECORDS, P_WRITE, P_READ, P_BLOCK, P_SWITCH, P_SPREAD, P_WAKEUP, P_REMOTE = range(P, P + 9)
P_TICK, P_GRANULARITY, P_WAKEUP_GRANULARITY, P_CREDIT, P_STEAL_EVERY, P_STEAL = range(P + 9, P + 15)
P_COSTS = P + 15
C_TICK, C_SLEEP, C_WAKE = P_COSTS + 9, P_COSTS + 10, P_COSTS + 11
"""Parameters and prices; from P_COSTS on `costs.Costs.flat`."""
EVENTS, WRITTEN, RECEIVED, DRAINED, LOCAL, REMOTE, TO_RUNNING, TO_PREEMPTED, TO_SLEEPING = range(N, N + 9)
INTERRUPTS, READER_BLOCKS, WRITER_BLOCKS, SWITCHES, BY_WAKEUP, BY_TICK, TICKS, SLEEPS, STEALS = range(N + 9, N + 18)
SENDING, INTERRUPTED, ASLEEP, DICE, RUNNING = range(N + 18, N + 23)
"""Counters as in `result.COUNTERS`; behind them the generator's number, and how many tasks have not ended."""


compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def place_of(task: int) -> int:
    """Where a task's row begins."""
    return TASKS + (task & TASK_MASK) * ROW


@compiled
def push(m: Any, base: int, length: int, key: int) -> None:
    """A key goes into the binary heap at `base`."""
    at = length & TASK_MASK
    while at > 0:
        above = (at - 1 >> 1) & TASK_MASK
        if m[base + above] <= key:
            break
        m[base + at] = m[base + above]
        at = above
    m[base + at] = key


@compiled
def pop(m: Any, base: int, length: int) -> int:
    """The least key comes out of the heap."""
    least = m[base]
    last = length - 1 & TASK_MASK
    key = m[base + last]
    at = 0
    while True:
        below = 2 * at + 1 & TASK_MASK
        if below >= last:
            break
        if below + 1 < last and m[base + below + 1] < m[base + below]:
            below += 1
        if m[base + below] >= key:
            break
        m[base + at] = m[base + below]
        at = below
    m[base + at] = key
    return least  # type: ignore[no-any-return]


@compiled
def after(due: int, now: int, every: int) -> int:
    """The first of `due`, `due` + `every` ... that is later than now."""
    return due if due > now else now + every - (now - due) % every


@compiled
def enqueue(m: Any, home: int, other: int) -> None:
    """A woken task comes onto the run queue."""
    row, at = place_of(other), home * VCPU
    vruntime = max(m[row + VRUNTIME], m[at + LEAST] - m[P_CREDIT])
    m[row + VRUNTIME] = vruntime
    push(m, HEAPS + (home << TASK_BITS), m[at + QUEUED], vruntime << TASK_BITS | other)
    m[at + QUEUED] += 1


@compiled
def wake(m: Any, v: int, clock: int, other: int) -> int:
    """Wake a task from v: onto the queue here, or the other vCPU's list and an interrupt. The cycles it takes."""
    home = m[place_of(other) + HOME] & VCPU_MASK
    if home == v:
        m[LOCAL] += 1
        enqueue(m, home, other)
        return m[P_WAKEUP]  # type: ignore[no-any-return]
    m[REMOTE] += 1
    spent = m[P_REMOTE]
    at = home * VCPU
    if m[at + WOKEN] == 0:
        now = clock + spent
        asleep = m[at + CLOCK] >= NEVER << CLOCK_SHIFT
        state = 0
        if asleep and now >= m[at + ASLEEP_FROM]:
            state = 2
        elif not asleep and now < m[at + AWAY_UNTIL]:
            state = 1
        m[TO_RUNNING + state] += 1
        sending = m[P_COSTS + 3 * state]
        m[SENDING] += sending
        spent += sending
        interrupt_at = clock + spent + m[P_COSTS + 3 * state + 1]
        m[at + INTERRUPT_AT] = interrupt_at
        m[at + INTERRUPT_COST] = m[P_COSTS + 3 * state + 2]
        if asleep:
            begin = max(interrupt_at, m[at + ASLEEP_FROM])
            if state == 2:
                begin += m[C_WAKE]
            m[ASLEEP] += begin - m[at + ASLEEP_FROM]
            m[at + CLOCK] = begin << CLOCK_SHIFT | home
            m[at + TICK_AT] = after(m[at + TICK_AT], begin, m[P_TICK])
            if m[P_STEAL_EVERY]:
                m[at + STEAL_AT] = after(m[at + STEAL_AT], begin, m[P_STEAL_EVERY])
        m[at + DUE] = min(interrupt_at, m[at + TICK_AT], m[at + STEAL_AT])
    m[LISTS + (home << TASK_BITS) + (m[at + WOKEN] & TASK_MASK)] = other
    m[at + WOKEN] += 1
    return spent  # type: ignore[no-any-return]


@compiled
def seldom(m: Any, v: int, clock: int) -> int:
    """A step of a vCPU that does not go on with its task: interrupt, steal, tick, or picking a task. Its new clock."""
    at, base = v * VCPU, HEAPS + (v << TASK_BITS)
    task = m[at + RUNS]
    if clock >= m[at + INTERRUPT_AT]:
        m[at + INTERRUPT_AT] = NEVER
        cost = m[at + INTERRUPT_COST] + m[P_WAKEUP] * m[at + WOKEN]
        m[INTERRUPTS] += 1
        m[INTERRUPTED] += cost
        clock += cost
        for i in range(m[at + WOKEN]):
            enqueue(m, v, m[LISTS + (v << TASK_BITS) + i])
        m[at + WOKEN] = 0
        if task >= 0 and (m[base] >> TASK_BITS) + m[P_WAKEUP_GRANULARITY] < m[place_of(task) + VRUNTIME]:
            preempt(m, v, task)
            m[BY_WAKEUP] += 1
    elif clock >= m[at + STEAL_AT]:
        clock += m[P_STEAL]
        m[at + AWAY_UNTIL] = clock
        m[at + STEAL_AT] = clock + m[P_STEAL_EVERY]
        m[at + TICK_AT] = after(m[at + TICK_AT], clock, m[P_TICK])
        m[STEALS] += 1
    elif task < 0:
        return pick(m, v, clock)
    else:
        clock += m[C_TICK]
        m[at + TICK_AT] = after(m[at + TICK_AT], clock, m[P_TICK])
        m[TICKS] += 1
        vruntime = m[place_of(task) + VRUNTIME]
        ran = vruntime - m[at + RUN_SINCE] >= m[P_GRANULARITY]
        if ran and m[at + QUEUED] > 0 and m[base] >> TASK_BITS < vruntime:
            preempt(m, v, task)
            m[BY_TICK] += 1
    m[at + DUE] = min(m[at + INTERRUPT_AT], m[at + TICK_AT], m[at + STEAL_AT])
    return clock


@compiled
def preempt(m: Any, v: int, task: int) -> None:
    """The task goes back to the queue."""
    at = v * VCPU
    push(m, HEAPS + (v << TASK_BITS), m[at + QUEUED], m[place_of(task) + VRUNTIME] << TASK_BITS | task)
    m[at + QUEUED] += 1
    m[at + RUNS] = -1


@compiled
def pick(m: Any, v: int, clock: int) -> int:
    """The task that is furthest behind runs next; with none the vCPU sleeps. Its new clock."""
    at = v * VCPU
    if m[at + QUEUED] == 0:
        m[SLEEPS] += 1
        asleep_from = clock + m[C_SLEEP]
        m[at + ASLEEP_FROM] = asleep_from
        if m[at + INTERRUPT_AT] == NEVER:
            return NEVER
        clock = max(m[at + INTERRUPT_AT], asleep_from)
        m[ASLEEP] += clock - asleep_from
        return clock
    key = pop(m, HEAPS + (v << TASK_BITS), m[at + QUEUED])
    m[at + QUEUED] -= 1
    vruntime = key >> TASK_BITS
    m[at + RUNS] = key & (1 << TASK_BITS) - 1
    m[at + LEAST] = max(m[at + LEAST], vruntime)
    m[at + RUN_SINCE] = vruntime
    dice = m[DICE] * 1103515245 + 12345 & 0x7FFFFFFF
    m[DICE] = dice
    m[SWITCHES] += 1
    return clock + m[P_SWITCH] + ((dice >> 16) * m[P_SPREAD] >> 15)  # type: ignore[no-any-return]


@compiled
def run(m: Any, limit: int) -> None:
    """Go on for at most `limit` events, or to the end. All state is in `m`, so that another call goes on from there."""
    count = m[P_VCPUS]
    records, write, read, block = m[P_RECORDS], m[P_WRITE], m[P_READ], m[P_BLOCK]
    running, events, written, received = m[RUNNING], 0, 0, 0
    while running > 0 and events < limit:
        events += 1
        least = m[CLOCK]
        for other in range(1, count):
            least = min(least, m[other * VCPU + CLOCK])
        v = least & (1 << CLOCK_SHIFT) - 1
        clock = least >> CLOCK_SHIFT
        at = v * VCPU
        task = m[at + RUNS]
        if task < 0 or clock >= m[at + DUE]:
            m[at + CLOCK] = seldom(m, v, clock) << CLOCK_SHIFT | v
            continue
        row = place_of(task)
        pipe = m[row + PIPE] & PLACE_MASK
        woke_here = False
        if m[row + LAST] < 0:
            unread = m[pipe + UNREAD]
            if unread == 0:
                m[pipe + READER_SLEEPS] = 1
                m[READER_BLOCKS] += 1
                m[row + VRUNTIME] += block
                m[row + USED] += block
                m[at + RUNS] = -1
                m[at + CLOCK] = clock + block << CLOCK_SHIFT | v
                continue
            received += 1
            spent = read
            unread -= 1
            m[pipe + UNREAD] = unread
            taken = m[pipe + TAKEN] + 1
            if taken == records or unread == 0:
                m[DRAINED] += 1
                taken = 0
                m[pipe + FREE] += 1
                if unread == 0:
                    m[pipe + ROOM] = 0
                waiting = m[pipe + WAITING]
                if waiting:
                    m[pipe + WAITING] = 0
                    other = m[pipe + GROUP]
                    while waiting:
                        if waiting & 1:
                            spent += wake(m, v, clock + spent, other)
                            woke_here = woke_here or m[place_of(other) + HOME] == v
                        waiting >>= 1
                        other += 1
            m[pipe + TAKEN] = taken
        else:
            room = m[pipe + ROOM]
            if room == 0:
                if m[pipe + FREE] == 0:
                    m[pipe + WAITING] |= 1 << task - m[pipe + GROUP]
                    m[WRITER_BLOCKS] += 1
                    m[row + VRUNTIME] += block
                    m[row + USED] += block
                    m[at + RUNS] = -1
                    m[at + CLOCK] = clock + block << CLOCK_SHIFT | v
                    continue
                m[pipe + FREE] -= 1
                room = records
            m[pipe + ROOM] = room - 1
            m[pipe + UNREAD] += 1
            m[row + PIPE] = m[row + FIRST] if pipe == m[row + LAST] else pipe + ROW
            written += 1
            spent = write
            if m[pipe + READER_SLEEPS]:
                m[pipe + READER_SLEEPS] = 0
                other = m[pipe + READER]
                spent += wake(m, v, clock + spent, other)
                woke_here = m[place_of(other) + HOME] == v
        vruntime = m[row + VRUNTIME] + spent
        m[row + VRUNTIME] = vruntime
        m[row + USED] += spent
        clock += spent
        left = m[row + LEFT] - 1
        m[row + LEFT] = left
        if left == 0:
            m[row + FINISHED] = clock
            m[at + RUNS] = -1
            running -= 1
        elif woke_here and (m[HEAPS + (v << TASK_BITS)] >> TASK_BITS) + m[P_WAKEUP_GRANULARITY] < vruntime:
            preempt(m, v, task)
            m[BY_WAKEUP] += 1
        m[at + CLOCK] = clock << CLOCK_SHIFT | v
    m[RUNNING] = running
    m[EVENTS] += events
    m[WRITTEN] += written
    m[RECEIVED] += received

"""The memory of the compiled engine: one array of 64-bit integers, and where in it everything lies.

In it an array for each kind of thing (vCPUs, tasks, pipes, heaps, wake lists) with constant strides, in that a row for
each, so that what is used together lies together. Does not model: see `plain`.
"""

NEVER, END = 1 << 55, 1 << 62
CLOCK_SHIFT, TASK_BITS, ROW = 5, 10, 8
VCPU_MASK, TASK_MASK, PLACE_MASK = (1 << CLOCK_SHIFT) - 1, (1 << TASK_BITS) - 1, (1 << 17) - 1
"""A vCPU's clock with its number in the low bits is its turn, so that the least of all turns says whose it is; a key of
the run queue is a task's vruntime with its number in the low bits, so that equals are told apart. An index that is
masked is never negative, which spares numba the question whether it counts from the end: a third of the time."""
HOME, VRUNTIME, LEFT, PIPE, FIRST, LAST, USED, FINISHED = range(8)
"""A task. PIPE is the pipe it is at; a sender goes from FIRST to LAST and round; LAST < 0: a receiver."""
UNREAD, ROOM, TAKEN, FREE, WAITING, READER_SLEEPS, READER, GROUP = range(8)
"""A pipe. WAITING has a bit for each sender of the group, whose first task is GROUP."""
HALTED, RUNS, DUE, INTERRUPT_AT, INTERRUPT_COST, TICK_AT, STEAL_AT, AWAY_UNTIL = range(8)
ASLEEP_FROM, LEAST, RUN_SINCE, QUEUED, WOKEN, VCPU = 8, 9, 10, 11, 12, 16
"""A vCPU. HALTED: it sleeps, and its clock is NEVER; RUNS is a task or -1, DUE the first of the three times that
interrupt it, QUEUED and WOKEN are lengths."""
VCPUS = 0
TASKS = VCPUS + (VCPU << CLOCK_SHIFT)
PIPES = TASKS + (ROW << TASK_BITS)
HEAPS = PIPES + (ROW << TASK_BITS - 1)
LISTS = HEAPS + (1 << TASK_BITS + CLOCK_SHIFT)
P = LISTS + (1 << TASK_BITS + CLOCK_SHIFT)
N = P + 64
TURNS = N + 64
PLACES = TURNS + (2 << CLOCK_SHIFT)
"""Where vCPUs, tasks, pipes, the heaps and the wake lists begin, then parameters, counters and turns. TURNS is that of
the vCPU at work; behind it the others' in order, then one that never comes. In order, because looking for the least
among clocks just stored at changing places kept the processor waiting: a quarter of the time."""
P_VCPUS, P_RECORDS, P_WRITE, P_READ, P_BLOCK, P_SWITCH, P_SPREAD, P_WAKEUP, P_REMOTE = range(P, P + 9)
P_TICK, P_GRANULARITY, P_WAKEUP_GRANULARITY, P_CREDIT, P_STEAL_EVERY, P_STEAL = range(P + 9, P + 15)
P_COSTS = P + 15
C_TICK, C_SLEEP, C_WAKE = P_COSTS + 9, P_COSTS + 10, P_COSTS + 11
"""Parameters and prices; from P_COSTS on `costs.Costs.flat`."""
EVENTS, WRITTEN, RECEIVED, DRAINED, LOCAL, REMOTE, TO_RUNNING, TO_PREEMPTED, TO_SLEEPING = range(N, N + 9)
INTERRUPTS, READER_BLOCKS, WRITER_BLOCKS, SWITCHES, BY_WAKEUP, BY_TICK, TICKS, SLEEPS, STEALS = range(N + 9, N + 18)
SENDING, INTERRUPTED, ASLEEP, DICE, RUNNING = range(N + 18, N + 23)
"""Counters as in `result.COUNTERS`; behind them the generator's number, and how many tasks have not ended."""

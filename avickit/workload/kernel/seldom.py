"""The steps in which a vCPU does not go on with its task: interrupt, stolen time, tick, the next task, HLT.

Does not model: see `plain`.
"""

from typing import Any

from avickit.workload.kernel.compiled import inlined
from avickit.workload.kernel.layout import (
    ASLEEP,
    ASLEEP_FROM,
    AWAY_UNTIL,
    BY_TICK,
    BY_WAKEUP,
    C_SLEEP,
    C_TICK,
    DICE,
    DUE,
    HALTED,
    HEAPS,
    INTERRUPT_AT,
    INTERRUPT_COST,
    INTERRUPTED,
    INTERRUPTS,
    LEAST,
    LISTS,
    NEVER,
    P_GRANULARITY,
    P_SPREAD,
    P_STEAL,
    P_STEAL_EVERY,
    P_SWITCH,
    P_TICK,
    P_WAKEUP,
    P_WAKEUP_GRANULARITY,
    QUEUED,
    RUN_SINCE,
    RUNS,
    SLEEPS,
    STEAL_AT,
    STEALS,
    SWITCHES,
    TASK_BITS,
    TASK_MASK,
    TICK_AT,
    TICKS,
    VCPU,
    VCPU_MASK,
    VRUNTIME,
    WOKEN,
)
from avickit.workload.kernel.queues import enqueue, place_of, pop, preempt
from avickit.workload.kernel.waking import after


@inlined
def seldom(m: Any, v: int, clock: int) -> int:
    """A step of a vCPU that does not go on with its task: interrupt, steal, tick, or picking a task. Its new clock."""
    v &= VCPU_MASK
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


@inlined
def pick(m: Any, v: int, clock: int) -> int:
    """The task that is furthest behind runs next; with none the vCPU sleeps. Its new clock."""
    v &= VCPU_MASK
    at = v * VCPU
    if m[at + QUEUED] == 0:
        m[SLEEPS] += 1
        asleep_from = clock + m[C_SLEEP]
        m[at + ASLEEP_FROM] = asleep_from
        if m[at + INTERRUPT_AT] == NEVER:
            m[at + HALTED] = 1
            return NEVER
        clock = max(m[at + INTERRUPT_AT], asleep_from)
        m[ASLEEP] += clock - asleep_from
        return clock
    key = pop(m, HEAPS + (v << TASK_BITS), m[at + QUEUED])
    m[at + QUEUED] -= 1
    vruntime = key >> TASK_BITS
    m[at + RUNS] = key & TASK_MASK
    m[at + LEAST] = max(m[at + LEAST], vruntime)
    m[at + RUN_SINCE] = vruntime
    dice = m[DICE] * 1103515245 + 12345 & 0x7FFFFFFF
    m[DICE] = dice
    m[SWITCHES] += 1
    return clock + m[P_SWITCH] + ((dice >> 16) * m[P_SPREAD] >> 15)  # type: ignore[no-any-return]

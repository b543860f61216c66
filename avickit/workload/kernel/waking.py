"""Waking a task: onto the queue here, or onto another vCPU's list with an interrupt, out of HLT if it sleeps.

Does not model: see `plain`.
"""

from typing import Any

from avickit.workload.kernel.compiled import inlined, inner
from avickit.workload.kernel.layout import (
    ASLEEP,
    ASLEEP_FROM,
    AWAY_UNTIL,
    C_WAKE,
    CLOCK_SHIFT,
    DUE,
    HALTED,
    HOME,
    INTERRUPT_AT,
    INTERRUPT_COST,
    LISTS,
    LOCAL,
    NEVER,
    P_COSTS,
    P_REMOTE,
    P_STEAL_EVERY,
    P_TICK,
    P_WAKEUP,
    REMOTE,
    SENDING,
    STEAL_AT,
    TASK_BITS,
    TASK_MASK,
    TICK_AT,
    TO_RUNNING,
    TURNS,
    VCPU,
    VCPU_MASK,
    WOKEN,
)
from avickit.workload.kernel.queues import enqueue, place_of


@inlined
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
        asleep = m[at + HALTED] != 0
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
            m[at + HALTED] = 0
            rouse(m, home, begin)
            m[at + TICK_AT] = after(m[at + TICK_AT], begin, m[P_TICK])
            if m[P_STEAL_EVERY]:
                m[at + STEAL_AT] = after(m[at + STEAL_AT], begin, m[P_STEAL_EVERY])
        m[at + DUE] = min(interrupt_at, m[at + TICK_AT], m[at + STEAL_AT])
    m[LISTS + (home << TASK_BITS) + (m[at + WOKEN] & TASK_MASK)] = other
    m[at + WOKEN] += 1
    return spent  # type: ignore[no-any-return]


@inner
def rouse(m: Any, v: int, clock: int) -> None:
    """A sleeper's turn, till now NEVER, comes at this clock."""
    turn, place = NEVER << CLOCK_SHIFT | v, 1
    while m[TURNS + place] != turn:
        place = place + 1 & VCPU_MASK
    turn = clock << CLOCK_SHIFT | v
    while place > 1 and m[TURNS + place - 1] > turn:
        m[TURNS + place] = m[TURNS + place - 1]
        place -= 1
    m[TURNS + place] = turn


@inner
def after(due: int, now: int, every: int) -> int:
    """The first of `due`, `due` + `every` ... that is later than now."""
    return due if due > now else now + every - (now - due) % every

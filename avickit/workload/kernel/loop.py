"""The loop: whose turn it is takes the next step; a task on a vCPU writes a message or reads one.

Does not model: see `plain`.
"""

from typing import Any

from avickit.workload.kernel.compiled import inlined, inner
from avickit.workload.kernel.layout import (
    BY_WAKEUP,
    CLOCK_SHIFT,
    DRAINED,
    DUE,
    EVENTS,
    FINISHED,
    FIRST,
    FREE,
    GROUP,
    HEAPS,
    HOME,
    LAST,
    LEFT,
    P_BLOCK,
    P_READ,
    P_RECORDS,
    P_WAKEUP_GRANULARITY,
    P_WRITE,
    PIPE,
    PLACE_MASK,
    READER,
    READER_BLOCKS,
    READER_SLEEPS,
    RECEIVED,
    ROOM,
    ROW,
    RUNNING,
    RUNS,
    TAKEN,
    TASK_BITS,
    TURNS,
    UNREAD,
    USED,
    VCPU,
    VCPU_MASK,
    VRUNTIME,
    WAITING,
    WRITER_BLOCKS,
    WRITTEN,
)
from avickit.workload.kernel.queues import place_of, preempt
from avickit.workload.kernel.seldom import seldom
from avickit.workload.kernel.waking import wake


@inner
def loop(m: Any, limit: int) -> None:
    """Go on for at most `limit` events, or to the end. All state is in `m`, so that another call goes on from there."""
    records, write, read, block = m[P_RECORDS], m[P_WRITE], m[P_READ], m[P_BLOCK]
    running, events, written, received = m[RUNNING], 0, 0, 0
    turn = m[TURNS]
    while running > 0 and events < limit:
        events += 1
        if turn > m[TURNS + 1]:
            turn = give_turn(m, turn)
        v = turn & VCPU_MASK
        clock = turn >> CLOCK_SHIFT
        at = v * VCPU
        task = m[at + RUNS]
        if task < 0 or clock >= m[at + DUE]:
            turn = seldom(m, v, clock) << CLOCK_SHIFT | v
            continue
        row = place_of(task)
        pipe = m[row + PIPE] & PLACE_MASK
        woken, first, woke_here = 0, 0, False
        if m[row + LAST] < 0:
            unread = m[pipe + UNREAD]
            if unread == 0:
                m[pipe + READER_SLEEPS] = 1
                m[READER_BLOCKS] += 1
                m[row + VRUNTIME] += block
                m[row + USED] += block
                m[at + RUNS] = -1
                turn = clock + block << CLOCK_SHIFT | v
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
                woken, first = m[pipe + WAITING], m[pipe + GROUP]
                m[pipe + WAITING] = 0
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
                    turn = clock + block << CLOCK_SHIFT | v
                    continue
                m[pipe + FREE] -= 1
                room = records
            m[pipe + ROOM] = room - 1
            m[pipe + UNREAD] += 1
            m[row + PIPE] = m[row + FIRST] if pipe == m[row + LAST] else pipe + ROW
            written += 1
            spent = write
            woken, first = m[pipe + READER_SLEEPS], m[pipe + READER]
            m[pipe + READER_SLEEPS] = 0
        while woken:
            if woken & 1:
                spent += wake(m, v, clock + spent, first)
                woke_here = woke_here or m[place_of(first) + HOME] == v
            woken >>= 1
            first += 1
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
        turn = clock << CLOCK_SHIFT | v
    m[TURNS] = turn
    m[RUNNING] = running
    m[EVENTS] += events
    m[WRITTEN] += written
    m[RECEIVED] += received


@inlined
def give_turn(m: Any, turn: int) -> int:
    """The next turn of the vCPU at work is after another's: it goes to its place behind, and that other's is now."""
    first, place = m[TURNS + 1], 1
    while m[TURNS + place + 1] < turn:
        m[TURNS + place] = m[TURNS + place + 1]
        place = place + 1 & VCPU_MASK
    m[TURNS + place] = turn
    return first  # type: ignore[no-any-return]

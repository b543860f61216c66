"""The run queues: a binary heap of keys for each vCPU; who is woken comes in, who is furthest behind goes out.

Does not model: see `plain`.
"""

from typing import Any

from avickit.workload.kernel.compiled import inner
from avickit.workload.kernel.layout import (
    HEAPS,
    LEAST,
    P_CREDIT,
    PLACE_MASK,
    QUEUED,
    ROW,
    RUNS,
    TASK_BITS,
    TASK_MASK,
    TASKS,
    VCPU,
    VCPU_MASK,
    VRUNTIME,
)

BELOW_MASK = TASK_MASK << 1 | 1
"""Below a heap's last places would be places that it does not have: twice as far, where no key is looked for."""


@inner
def place_of(task: int) -> int:
    """Where a task's row begins."""
    return TASKS + (task & TASK_MASK) * ROW


@inner
def push(m: Any, base: int, length: int, key: int) -> None:
    """A key goes into the binary heap at `base`."""
    base &= PLACE_MASK
    at = length & TASK_MASK
    while at > 0:
        above = (at - 1 >> 1) & TASK_MASK
        if m[base + above] <= key:
            break
        m[base + at] = m[base + above]
        at = above
    m[base + at] = key


@inner
def pop(m: Any, base: int, length: int) -> int:
    """The least key comes out of the heap.

    The gap sinks to the bottom, then the last key rises from there: it belongs far down, and so the processor is asked
    few comparisons whose outcome it cannot guess.
    """
    base &= PLACE_MASK
    least = m[base]
    last = length - 1 & TASK_MASK
    key = m[base + last]
    at, below = 0, 1
    while below < last:
        one, other = m[base + below], m[base + below + 1]
        m[base + at] = min(one, other)
        at = below + (other < one) & TASK_MASK
        below = 2 * at + 1 & BELOW_MASK
    push(m, base, at, key)
    return least  # type: ignore[no-any-return]


@inner
def enqueue(m: Any, home: int, other: int) -> None:
    """A woken task comes onto the run queue."""
    home &= VCPU_MASK
    row, at = place_of(other), home * VCPU
    vruntime = max(m[row + VRUNTIME], m[at + LEAST] - m[P_CREDIT])
    m[row + VRUNTIME] = vruntime
    push(m, HEAPS + (home << TASK_BITS), m[at + QUEUED], vruntime << TASK_BITS | other)
    m[at + QUEUED] += 1


@inner
def preempt(m: Any, v: int, task: int) -> None:
    """The task goes back to the queue."""
    v &= VCPU_MASK
    at = v * VCPU
    push(m, HEAPS + (v << TASK_BITS), m[at + QUEUED], m[place_of(task) + VRUNTIME] << TASK_BITS | task)
    m[at + QUEUED] += 1
    m[at + RUNS] = -1

"""One order of a race: what depends on what in it, the same with fewer switches, and which two steps race.

Does not model: other orders than those that end alike (`quiet`), and their reversals (`races_of`).
"""

from collections.abc import Callable
from heapq import heappop, heappush

from avickit.lab.explore.state import DRAINED, NOWHERE, State, Step

Judge = Callable[[State], dict[str, str]]
"""What is wrong at an end: for each property that is violated a sentence."""
MOST = 40_000
"""More ways to put the same steps are not tried."""


def predecessors(path: list[Step], count: int) -> list[int]:
    """For each step the steps (as bits) that come before it in every order that ends alike."""
    found: list[int] = []
    last = [0] * (2 * count)
    issued: list[list[int]] = [[] for _ in range(count)]
    for i, step in enumerate(path):
        process = step.process
        before = last[process]
        if process >= count:
            before |= found[issued[process - count].pop(0)]
        elif step.node.do in DRAINED:
            before |= last[process + count]
        for j in range(i):
            if depends(path[j], step):
                before |= found[j]
        found.append(before | 1 << i)
        last[process] = found[i]
        if process < count:
            issued[process] += [i] * step.stores
    return found


def depends(one: Step, other: Step) -> bool:
    """Whether two steps touch a place that one of them writes."""
    wrote, also = one.write, other.write
    return (wrote != NOWHERE and (wrote == also or wrote in other.reads)) or (also != NOWHERE and also in one.reads)


def quiet(path: list[Step], count: int) -> list[Step]:
    """The same steps in an equivalent order with the fewest switches from one thread to another."""
    before = predecessors(path, count)
    everything = (1 << len(path)) - 1
    heap: list[tuple[int, int, int, tuple[int, ...]]] = [(0, 0, -1, ())]
    seen: set[tuple[int, int]] = set()
    while heap and len(seen) < MOST:
        switches, done, who, order = heappop(heap)
        done = -done
        if done == everything:
            return [path[i] for i in order]
        if (done, who) in seen:
            continue
        seen.add((done, who))
        for i, step in enumerate(path):
            if not done >> i & 1 and not before[i] & ~done & ~(1 << i):
                thread = step.process if step.process < count else who
                change = who not in (-1, thread)
                heappush(heap, (switches + change, -(done | 1 << i), thread, (*order, i)))
    return path


def races_of(path: list[Step], count: int) -> list[tuple[int, int]]:
    """The pairs of steps of different threads that depend on each other with nothing in between, last first."""
    before = predecessors(path, count)
    found = []
    for j in range(len(path) - 1, -1, -1):
        for i in range(j - 1, -1, -1):
            if path[i].process % count == path[j].process % count or not depends(path[i], path[j]):
                continue
            between = before[j] & ~(1 << j) & ~((1 << i + 1) - 1)
            if not any(before[k] >> i & 1 for k in bits(between)):
                found.append((i, j))
    return found


def other_order(state: State, path: list[Step], i: int, j: int, judge: Judge) -> bool:
    """Whether nothing goes wrong if step j comes before step i, and all else goes on as before, where it can.

    `state` is a fresh one, and is spent.
    """
    before = predecessors(path, state.count)
    first = [k for k in range(j) if k < i or (k > i and not before[k] >> i & 1)]
    for k in (*first, j):
        if not state.may(path[k].process):
            return False
        state.take(path[k].process)
    for k in range(i, len(path)):
        if k != j and k not in first and state.may(path[k].process):
            state.take(path[k].process)
    for _ in range(MOST):
        able = state.able()
        if not able:
            return not judge(state)
        state.take(able[0])
    return False


def bits(number: int) -> list[int]:
    """The bits that are set."""
    return [i for i in range(number.bit_length()) if number >> i & 1]

"""What one interrupt between vCPUs costs in exits, doorbells and beats, counted on the bit-exact Machine.

Four paths, three states of the target: each is a small scene that is run, and its trace counted; a tick and a HLT
likewise. No number stands here: a change of the model changes these counts, and with them all that the workload
computes. Does not model: prices.
"""

from collections.abc import Mapping
from functools import cache

from avickit.silicon.guest import eoi
from avickit.workload.paths import Count, Path, Target
from avickit.workload.scenes import UPCALL, Pair, Tally
from avickit.xen.hypercall import vmmcall

__all__ = ["Count", "Path", "Target", "count", "counts", "sleep", "sleeps", "tick", "ticks"]

TIMER_VECTOR = 0xEC
"""Linux' local timer."""
TICK_NS = 1_000_000
VCPU_OP, SET_SINGLESHOT_TIMER = 24, 8


def count(path: Path, state: Target) -> Count:
    """Send one interrupt and count. Raises AssertionError if the model should not deliver it exactly once."""
    pair = Pair(path)
    pair.put(state)
    before = pair.taken()
    tally = Tally(pair.machine, pair.sender, pair.target)
    pair.sender.guest.execute(pair.instructions)
    if state is not Target.RUNNING:
        pair.xen.run(pair.target, 1)
    assert pair.taken() == before + 1, f"{path.value}, {state.value}: not taken exactly once"
    return tally.end(icrl_writes=0 if path.pv else 1)


@cache
def counts() -> Mapping[tuple[Path, Target], Count]:
    """All twelve: four paths, three states of the target. About half a second, once a process."""
    return {(path, state): count(path, state) for path in Path for state in Target}


@cache
def ticks() -> Mapping[Path, Count]:
    """One timer tick for each path: arm a one-shot timer, take its interrupt. All exits are the target's own.

    PV guests arm it by hypercall (VCPUOP_set_singleshot_timer: its exit is counted, its timer is not modelled) and
    are told by upcall; the others write TMICT.
    """
    return {path: tick(path) for path in Path}


def tick(path: Path) -> Count:
    """One tick of this path."""
    pair = Pair(path)
    v = pair.target
    v.guest.on(TIMER_VECTOR, [eoi()])
    if not path.pv:
        v.guest.write("LVT_TIMER", TIMER_VECTOR)
    tally = Tally(pair.machine, pair.sender, v)
    if path.pv:
        v.guest.execute((vmmcall(VCPU_OP, SET_SINGLESHOT_TIMER, 0),))
        pair.xen.callback(v, UPCALL)
    else:
        v.guest.write("TMICT", 1000)
        pair.machine.advance(TICK_NS)
    assert pair.taken() >= 1, f"{path.value}: the tick was not taken"
    return tally.end(icrl_writes=0)


@cache
def sleeps() -> Mapping[Path, Count]:
    """One HLT for each path. All exits are the target's own; what wakes it is counted with the interrupt that does."""
    return {path: sleep(path) for path in Path}


def sleep(path: Path) -> Count:
    """The target executes HLT, and its core idles."""
    pair = Pair(path)
    tally = Tally(pair.machine, pair.sender, pair.target)
    pair.target.guest.hlt()
    assert pair.target.state == "blocked", f"{path.value}: HLT did not put it to sleep"
    return tally.end(icrl_writes=0)

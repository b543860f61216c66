"""The slices of a Chrome trace: what each core does, and where each vCPU runs.

A core is in guest mode, or serves an exit, or does other work of Xen's for a vCPU, or is idle (when it may still work
for a device); one slice ends where the next begins. Does not model: anything; it reads the trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from avickit.lab.trace import Trace
from avickit.manual.decode import explain
from avickit.manual.exits import exit_name
from avickit.silicon import vmexit, vmrun
from avickit.silicon.parts import Exit

CORES, VCPUS, WORLD = 1, 2, 3
"""Process numbers of the groups of tracks."""
FIRST_VCPU = 1000
Event = dict[str, Any]


def core_track(index: int) -> Event:
    """Where a core's events go. No thread is 0 (the idle thread to a reader), and none is in two processes."""
    return {"pid": CORES, "tid": index + 1}


def vcpu_track(index: int) -> Event:
    """Where a vCPU's events go."""
    return {"pid": VCPUS, "tid": FIRST_VCPU + index}


@dataclass
class Open:
    """A slice that has begun: since when, `guest`, `exit`, `host` or `idle`, the guest's number, the exit."""

    since: int
    kind: str
    guest: int | None
    exit: Exit | None = None


def slices(trace: Trace) -> Iterator[Event]:
    """Every slice, a core's and a vCPU's."""
    objects = trace.world.objects
    guests = objects["guests"]
    whose = {guest.exits: guest.index for guest in guests}
    currents = {p.current: p.core.index for p in objects.get("pcpus", ())}
    named: dict[int, int] = {}
    begun = {core.index: Open(0, "idle", None) for core in objects["cores"]}
    last = 0
    for site, place, _, new, time, actor in trace.raw:
        last = time
        core, next_ = actor, None
        if site is vmrun.NAME_GUEST:
            named[actor] = new
        elif site is vmrun.ENTER:
            next_ = Open(time, "guest", named.get(actor))
        elif site is vmexit.LEAVE_GUEST:
            next_ = Open(time, "exit", named.get(actor))
        elif site is vmexit.KEEP_EXIT:
            begun[actor].guest, begun[actor].exit = whose[place], new[-1]
        elif place in currents:
            core = currents[place]
            next_ = Open(time, "host", new - 1) if new else Open(time, "idle", None)
        if next_:
            yield from ended(begun[core], core, time, guests)
            begun[core] = next_
    for core, slice_ in begun.items():
        yield from ended(slice_, core, last, guests)


def ended(slice_: Open, core: int, until: int, guests: Any) -> Iterator[Event]:
    """A slice that is over; guest mode is also one of its vCPU."""
    name = guests[slice_.guest].name if slice_.guest is not None else ""
    timed = {"ph": "X", "cat": slice_.kind, "ts": slice_.since, "dur": until - slice_.since}
    yield {**timed, "name": f"{name} {title(slice_)}".strip(), **core_track(core), "args": told(slice_)}
    if slice_.kind == "guest" and slice_.guest is not None:
        yield {**timed, "name": f"core {core}", **vcpu_track(slice_.guest), "args": {}}


def title(slice_: Open) -> str:
    """What a core does in it."""
    if slice_.kind != "exit":
        return "idle" if slice_.kind == "idle" else f"{slice_.kind} mode"
    return f"#VMEXIT {exit_name(int(slice_.exit.code))}" if slice_.exit else "#VMEXIT"


def told(slice_: Open) -> dict[str, str]:
    """The exit's information and its words."""
    if slice_.exit is None:
        return {}
    exit = slice_.exit
    said = explain(int(exit.code), exit.info1, exit.info2)
    return {"EXITINFO1": f"{exit.info1:X}h", "EXITINFO2": f"{exit.info2:X}h", "words": " ".join(said)}

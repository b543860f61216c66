"""A trace in the Chrome trace event format, which Perfetto and chrome://tracing open.

A track for each core (guest mode, and each #VMEXIT as a slice), a track for each vCPU (where it runs), beats as
instants, doorbells as flows. Times are simulated: one microsecond there is one nanosecond here, so that a beat
can be seen. Does not model: anything; it reads the trace.
"""

import json
from collections.abc import Iterator
from typing import Any

from avickit.lab.trace import Beat, Trace
from avickit.silicon import doorbell, vmexit, vmrun

CORES, VCPUS = 1, 2
"""Process numbers of the two groups of tracks."""
Event = dict[str, Any]


def chrome_trace(trace: Trace, *, beats: bool = True) -> str:
    """The trace as JSON text; `beats=False` leaves the single beats out."""
    events = [*names(trace), *modes(trace), *flows(trace)]
    if beats:
        events += [instant(beat) for beat in trace]
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events})


def names(trace: Trace) -> Iterator[Event]:
    """Metadata: what processes and threads are called."""
    objects = trace.world.objects
    for pid, name in ((CORES, "cores"), (VCPUS, "vCPUs")):
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
    for core in objects["cores"]:
        yield thread(CORES, core.index, f"core {core.index}")
    for guest in objects["guests"]:
        yield thread(VCPUS, guest.index, guest.name)


def thread(pid: int, tid: int, name: str) -> Event:
    """The name of a track."""
    return {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}


def modes(trace: Trace) -> Iterator[Event]:
    """Guest mode and exits, from the beats that enter and leave: a slice lasts until the next of them."""
    guests = trace.world.objects["guests"]
    on: dict[int, int] = {}
    since: dict[int, tuple[int, str]] = {}
    last = 0
    for site, _, _, new, time, actor in trace.raw:
        last = time
        if site is vmrun.NAME_GUEST:
            on[actor] = new
        elif site is vmrun.ENTER:
            yield from close(since, actor, time, on, guests)
            since[actor] = (time, "guest mode")
        elif site is vmexit.LEAVE_GUEST:
            yield from close(since, actor, time, on, guests)
            since[actor] = (time, "#VMEXIT")
        elif site is vmexit.KEEP_EXIT:
            since[actor] = (since[actor][0], f"#VMEXIT {new[-1].code.name}")
    for actor in list(since):
        yield from close(since, actor, last, on, guests)


def close(since: dict[int, tuple[int, str]], actor: int, time: int, on: dict[int, int], guests: Any) -> Iterator[Event]:
    """End the slice that is open on a core; guest mode is also a slice of its vCPU."""
    if actor not in since:
        return
    start, name = since.pop(actor)
    kind = "guest" if name == "guest mode" else "exit"
    guest = guests[on[actor]]
    slice_ = {"ph": "X", "cat": kind, "ts": start, "dur": time - start}
    yield {**slice_, "name": f"{guest.name} {name}", "pid": CORES, "tid": actor}
    if kind == "guest":
        yield {**slice_, "name": f"core {actor}", "pid": VCPUS, "tid": guest.index}


def flows(trace: Trace) -> Iterator[Event]:
    """Doorbells: from the beat that rings to the beat that hears."""
    core_of = {core.signals: core.index for core in trace.world.objects["cores"]}
    rung: dict[int, int] = {}
    for n, (site, place, _, _, time, actor) in enumerate(trace.raw, 1):
        if site is doorbell.RING:
            rung[core_of[place]] = n
            yield {"ph": "s", "name": "doorbell", "cat": "doorbell", "id": n, "ts": time, "pid": CORES, "tid": actor}
        elif site is doorbell.HEAR and actor in rung:
            start = {"name": "doorbell", "cat": "doorbell", "id": rung.pop(actor)}
            yield {"ph": "f", "bp": "e", **start, "ts": time, "pid": CORES, "tid": actor}


def instant(beat: Beat) -> Event:
    """One beat."""
    where = {"pid": CORES, "tid": int(beat.actor.split()[1])} if beat.actor != "world" else {"pid": 0, "tid": 0}
    said = {"beat": beat.n, "place": beat.place, "say": beat.say, "rule": beat.rule, "cite": beat.cite}
    return {"ph": "i", "s": "t", "name": beat.kind, "cat": "beat", "ts": beat.time, **where, "args": said}

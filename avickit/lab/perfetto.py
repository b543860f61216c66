"""A trace in the Chrome trace event format (the JSON Object Format), which Perfetto and chrome://tracing open.

A track for each core (guest mode, each #VMEXIT, host mode and idle as slices) and for each vCPU (where it runs; its PPR
as a counter), beats as instants, doorbells and physical interrupts as flows. Times are simulated: one microsecond there
is one nanosecond here, so that a beat can be seen and every time stamp is a whole number (a fraction of a microsecond
may be rounded, and slices would no longer nest). Does not model: anything; it reads the trace.
"""

import json
from collections.abc import Iterator

from avickit.beat import SIGNAL
from avickit.lab.perfetto_slices import CORES, VCPUS, WORLD, Event, core_track, slices, vcpu_track
from avickit.lab.trace import Beat, Trace
from avickit.manual.apic import Offset
from avickit.silicon import doorbell

UNIT = "1 microsecond here is 1 simulated nanosecond"


def chrome_trace(trace: Trace, *, beats: bool = True) -> str:
    """The trace as JSON text; `beats=False` leaves the single beats out."""
    events = [*names(trace), *slices(trace), *flows(trace), *counters(trace)]
    if beats:
        events += [instant(beat) for beat in trace]
    about = {"source": "avickit", "unit": UNIT, "beats": len(trace), "complete": trace.complete}
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events, "otherData": about})


def names(trace: Trace) -> Iterator[Event]:
    """Metadata: what processes and threads are called, and their order."""
    objects = trace.world.objects
    groups = {CORES: "cores", VCPUS: "vCPUs", WORLD: "world: time, and the user's own hand"}
    for pid, name in groups.items():
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}
    tracks = [(core_track(core.index), f"core {core.index}") for core in objects["cores"]]
    tracks += [(vcpu_track(guest.index), guest.name) for guest in objects["guests"]]
    for track, name in tracks:
        yield {"ph": "M", "name": "thread_name", **track, "args": {"name": name}}
        yield {"ph": "M", "name": "thread_sort_index", **track, "args": {"sort_index": track["tid"]}}


def flows(trace: Trace) -> Iterator[Event]:
    """Doorbells and physical interrupts: from the beat that rings to the beat of the other core that hears.

    `bp: e` binds the end to the slice around it, as the start is. What is never heard, what the world rings and
    what a core rings to itself is no flow.
    """
    core_of = {core.signals: core.index for core in trace.world.objects["cores"]}
    rung: dict[int, list[tuple[int, int, int, str]]] = {}
    for n, (site, place, _, _, time, actor) in enumerate(trace.raw, 1):
        if place not in core_of:
            continue
        if site.do is SIGNAL:
            name = "doorbell" if site is doorbell.RING else "interrupt"
            rung.setdefault(place, []).append((n, time, actor, name))
        elif actor == core_of[place]:
            for start, since, source, name in rung.pop(place, ()):
                if source not in (actor, -1):
                    flow = {"name": name, "cat": name, "id": start}
                    yield {"ph": "s", **flow, "ts": since, **core_track(source)}
                    yield {"ph": "f", "bp": "e", **flow, "ts": time, **core_track(actor)}


def counters(trace: Trace) -> Iterator[Event]:
    """The PPR of each vCPU as it changes in its page."""
    objects = trace.world.objects
    of = {v.page + (Offset.PPR >> 4): v.guest for v in objects.get("vcpus", ())}
    for _, place, old, new, time, _ in trace.raw:
        if place in of and old != new:
            guest = of[place]
            track = vcpu_track(guest.index)
            yield {"ph": "C", "name": f"{guest.name} PPR", "ts": time, **track, "args": {"PPR": new}}


def instant(beat: Beat) -> Event:
    """One beat."""
    where = core_track(int(beat.actor.split()[1])) if beat.actor != "world" else {"pid": WORLD, "tid": WORLD}
    said = {"beat": beat.n, "place": beat.place, "say": beat.say, "rule": beat.rule, "cite": beat.cite}
    return {"ph": "i", "s": "t", "name": beat.kind, "cat": "beat", "ts": beat.time, **where, "args": said}

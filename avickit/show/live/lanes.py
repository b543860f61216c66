"""The timeline of a story: a lane for each core and vCPU, #VMEXITs as marks, doorbells and interrupts as arrows.

All words and looks are named here; the browser draws them. Does not model: geometry.
"""

from collections.abc import Callable, Sequence
from typing import Any

from avickit.beat import CLOCK, SIGNAL
from avickit.lab.handles import VcpuHandle
from avickit.lab.trace import Beat
from avickit.show.moment import Moment, past
from avickit.show.overview import all_vcpus
from avickit.show.states import STATES
from avickit.show.story import Story
from avickit.silicon import doorbell, guest, vmexit
from avickit.silicon.parts import GUEST

MOST_LANES = 8
State = tuple[str, str]
"""A state and what to write behind it."""


def timeline(story: Story, beats: Sequence[Beat]) -> dict[str, Any]:
    """`looks`, `lanes` with their spans (beat, look, label, ...), `marks`, `arrows`, `acts` and `stops`."""
    names, spans = states(story)
    words, labels = list(STATES), dict[str, int]()
    lanes = []
    for name, found in zip(names, spans, strict=True):
        flat = [x for n, (word, label) in found for x in (n, words.index(word), labels.setdefault(label, len(labels)))]
        lanes.append({"name": name, "spans": flat})
    lane_of = {name: i for i, name in enumerate(names)}
    exits, starts, arrows = events(story, lane_of)
    by = [
        {"name": "beat", "at": None},
        {"name": "instruction", "at": starts},
        {"name": "exit", "at": [n for n, _, _ in exits]},
    ]
    looks = [{"word": w, "letter": x.letter, "pattern": x.filling, "hue": x.hue} for w, x in STATES.items()]
    return {
        "looks": looks,
        "labels": list(labels),
        "lanes": lanes,
        "marks": exits,
        "arrows": arrows,
        "acts": [lane_of.get(beat.actor, -1) for beat in beats],
        "stops": by,
        "jump": {"key": "e", "name": "next exit", "stop": 2},
    }


def states(story: Story) -> tuple[list[str], list[list[tuple[int, State]]]]:
    """The lanes' names, and for each its states with the beats where they begin."""
    trace, machine = story.machine.trace, story.machine
    at = trace.state(story.first)
    then = past(Moment(machine, story.first, story.first, at, at, told=False))
    cores = [(f"core {core.index}", core_state(then, core.index)) for core in machine.world.objects["cores"]]
    vcpus = [(v.name, vcpu_state(v)) for v in all_vcpus(then)]
    found: list[list[tuple[int, State]]] = [[] for _ in (*cores, *vcpus)]
    for n in range(story.first, story.last + 1):
        _, place, _, new, time, _ = trace.raw[n - 1]
        at[place], at[CLOCK] = new, time
        for spans, (_, state) in zip(found, (*cores, *vcpus), strict=True):
            now = state()
            if not spans or spans[-1][1] != now:
                spans.append((n, now))
    busy = [i for i, spans in enumerate(found) if i >= len(cores) or any(state != ("idle", "") for _, state in spans)]
    named = [name for name, _ in (*cores, *vcpus)]
    return [named[i] for i in busy[:MOST_LANES]], [found[i] for i in busy[:MOST_LANES]]


def core_state(then: Any, index: int) -> Callable[[], State]:
    """What tells the state of a core of a machine whose places are being walked through."""
    world = then.world
    core, pcpus, vcpus = world.objects["cores"][index], world.objects.get("pcpus"), world.objects.get("vcpus")

    def state() -> State:
        current = world.at[pcpus[index].current] if pcpus else 0
        if not current:
            return "idle", ""
        return "guest mode" if world.at[core.mode] == GUEST else "host mode", vcpus[current - 1].name

    return state


def vcpu_state(v: VcpuHandle) -> Callable[[], State]:
    """The same for a vCPU."""
    return lambda: (v.state, "" if v.core is None else f"core {v.core}")


def events(story: Story, lane_of: dict[str, int]) -> tuple[list[list[Any]], list[int], list[list[Any]]]:
    """Exits (beat, lane, title), beats that begin an instruction, arrows (beat, lane, beat, lane, title)."""
    rung: dict[int, tuple[int, int, str]] = {}
    exits: list[list[Any]] = []
    starts, arrows = [], []
    for n in range(story.first, story.last + 1):
        site, place, _, _, _, actor = story.machine.trace.raw[n - 1]
        lane = lane_of.get(f"core {actor}", -1)
        if site is vmexit.LEAVE_GUEST:
            exits.append([n, lane, "#VMEXIT"])
        elif site is vmexit.KEEP_EXIT and exits:
            exits[-1][2] = story.machine.trace[n].say
        elif site is guest.START:
            starts.append(n)
        elif site.do is SIGNAL:
            rung[place] = (n, lane, "doorbell" if site is doorbell.RING else "interrupt")
        elif place in rung:
            start, source, name = rung.pop(place)
            if min(source, lane) >= 0:
                arrows.append([start, source, n, lane, name])
    return exits, starts, arrows

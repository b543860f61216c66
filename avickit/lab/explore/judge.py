"""Judging an end of a race on a machine: its state is put into the World for a moment, and the properties look at it.

Does not model: the properties (`properties`).
"""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from avickit.lab.explore.actors import Spec
from avickit.lab.explore.properties import End, chosen, pending_in, taken_by
from avickit.lab.explore.race import Race
from avickit.lab.explore.state import State
from avickit.manual.vectors import vectors_of
from avickit.silicon.deliver import IRR
from avickit.xen.parts import vcpu_of

if TYPE_CHECKING:
    from avickit.lab.explore.node import Node
    from avickit.lab.machine import Machine

NMI_VECTOR = 2


class Judge:
    """Looks at ends; what was pending and taken before the race does not count."""

    def __init__(self, machine: "Machine", race: Race, specs: tuple[Spec, ...], names: tuple[str, ...]) -> None:
        self.machine, self.race, self.properties = machine, race, chosen(names)
        self.threads = tuple(thread.name for thread in race.threads)
        self.pending, self.taken = Counter(pending_in(machine)), Counter(taken_by(machine))
        self.events = frozenset(events_of(machine, specs))

    def __call__(self, state: State) -> dict[str, str]:
        """The properties that are violated, with a sentence each."""
        changes: dict[int, object] = {place: value for place, value in state.at.items() if place >= 0}
        for node in state.nodes:
            changes.update(node.own)
        at = self.machine.world.at
        before = {place: at[place] for place in changes}
        for place, value in changes.items():
            at[place] = value
        try:
            end = self.end(state)
            found = {name: look(end) for name, look in self.properties.items()}
        finally:
            for place, value in before.items():
                at[place] = value
        return {name: says for name, says in found.items() if says}

    def end(self, state: State) -> End:
        """The end as the properties see it."""
        accepted = Counter(self.pending)
        for v in self.machine.world.objects["vcpus"]:
            for became in state.at[~(v.page + IRR)]:
                accepted.update((v.guest.index, vector) for vector in vectors_of(became))
        taken = Counter(taken_by(self.machine))
        taken.subtract(self.taken)
        nodes: tuple[Node, ...] = tuple(state.nodes)
        return End(self.machine, self.threads, nodes, accepted, taken, self.events)


def events_of(machine: "Machine", specs: tuple[Spec, ...]) -> list[tuple[int, int]]:
    """Vectors that reach a vCPU without its LAPIC: (vCPU, vector) of upcalls, the PIC and NMIs, waiting or to come."""
    w = machine.world
    found = []
    for _, _, works in specs:
        for verb, *args in works:
            if verb == "event":
                guest, source, vector = args
                found.append((guest, NMI_VECTOR if source == "nmi" else vector))
    for v in w.objects["vcpus"]:
        cells = vcpu_of(w, v.guest.index).cells
        found += [(v.guest.index, w.at[p] - 1) for p in (cells.callback_pending, cells.extint_pending) if w.at[p]]
    return found


def nothing_wrong(_: State) -> dict[str, str]:
    """For races of bare programs, unless somebody judges them."""
    return {}


def by_places(
    test: Callable[[Callable[[int], object]], str], name: str, race: Race
) -> Callable[[State], dict[str, str]]:
    """A judge of bare programs: `test` looks at places and says what is wrong."""

    def judge(state: State) -> dict[str, str]:
        own: dict[int, object] = {}
        for node in state.nodes:
            own.update(node.own)
        says = test(lambda place: state.at[place] if place in state.at else own.get(place, race.world.at[place]))
        return {name: says} if says else {}

    return judge

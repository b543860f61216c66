"""An exhibit of the museum: a defect's scenario told with the correct code and with the defect, and what differs.

    shown = exhibit("X11")
    shown.right.ok, shown.differs, shown.ok

The fix is proven by the same check that fails with the defect; for a race the check is the explorer's verdict on all
its orders. Does not model: defects that no scenario shows (`Defect.not_modelled` says why).
"""

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.lab.scenario import Result, Scenario, load
from avickit.lab.scenario.result import Check
from avickit.museum import OVERLAYS
from avickit.museum.catalogue import Defect, catalogue, item

if TYPE_CHECKING:
    from avickit.lab.explore import Exploration


class Exhibit(NamedTuple):
    """A defect with its tellings: `right` by the correct code, `wrong` with the defect.

    `explored` are the explorations of all orders of the race, right and wrong, by memory model.
    """

    defect: Defect
    right: Result
    wrong: Result
    explored: "Mapping[str, tuple[Exploration, Exploration]]"

    @property
    def differs(self) -> list[str]:
        """What fails with the defect, one a line: expectations, and verdicts on all orders."""
        verdicts = [
            f"all orders, {memory}: {wrong.verdict}: {wrong.says}"
            for memory, (right, wrong) in self.explored.items()
            if wrong.verdict != right.verdict
        ]
        return symptoms(self.wrong) + verdicts

    @property
    def ok(self) -> bool:
        """The correct code passes; with the defect exactly what the catalogue says fails."""
        told = self.right.ok and not self.wrong.stopped and symptoms(self.wrong) == list(self.defect.symptoms)
        return told and all(self.proven(memory) for memory in self.explored)

    def proven(self, memory: str) -> bool:
        """Whether the explorer, at its end, says pass of the correct code and the catalogue's verdict of the defect."""
        right, wrong = self.explored[memory]
        return right.complete and right.ok and wrong.verdict == self.defect.verdicts[memory]

    def __repr__(self) -> str:
        right = f"correct code: {len(self.right.checks)} expectations, {len(self.right.failures)} fail"
        return f"<{self.defect.id}: {self.defect.title}; {right}; with the defect {len(self.differs)} fail>"

    def __str__(self) -> str:
        return "\n".join([repr(self)[1:-1], *(f"  {line}" for line in self.differs)])

    def data(self) -> dict[str, Any]:
        """The exhibit as plain data, for JSON."""
        d = self.defect
        words: tuple[str, ...] = (
            "id",
            "title",
            "whose",
            "form",
            "patch",
            "confidence",
            "certainty",
            "function",
            "where",
            "when",
        )
        words += ("consequence", "notices", "fix", "shows", "scenario", "built_in")
        found = {word: getattr(d, word) for word in words}
        found |= {"rules": list(d.rules), "versions": list(d.versions), "absent": list(d.absent), "cut": dict(d.cut)}
        found |= {"code": code(d.id), "ok": self.ok, "verdicts": dict(d.verdicts), "differs": self.differs}
        explored = {memory: [one.data() for one in both] for memory, both in self.explored.items()}
        return found | {"right": self.right.data(), "wrong": self.wrong.data(), "explored": explored}


def exhibit(name: str) -> Exhibit:
    """Tell an exhibit both ways. Raises AvicError for a name that is not in the catalogue, or that has no exhibit.

    A repair is told beside the defect that it repairs.
    """
    found = shown(name)
    mine = (found.number, name) if found.form == "repair" else (name,)
    return both(found, (*repairs(found, but=found.number), *mine))


def swap(name: str, defect: str) -> Exhibit:
    """The exhibit with another defect in its place, the repair that its scenario needs kept: its check should fail.

    Raises AvicError as `exhibit` does, and where the two cannot be on one machine.
    """
    found = shown(name)
    return both(found, (*repairs(found), defect))


def both(found: Defect, wrong: tuple[str, ...]) -> Exhibit:
    """The exhibit with the correct code and with these defects; explored where the catalogue has a verdict."""
    from avickit.lab.explore import explore

    scenario = scenario_of(found)
    explored = {
        memory: (explore(scenario, memory), explore(scenario, memory, defects=wrong)) for memory in found.verdicts
    }
    return Exhibit(found, tell(found, repairs(found)), tell(found, wrong), explored)


def tell(found: Defect, defects: tuple[str, ...]) -> Result:
    """The exhibit's scenario, in the order that it asks for, with these defects."""
    scenario = scenario_of(found)
    return scenario.cut(found.cut, defects=defects) if found.cut else scenario.run(defects=defects)


def repairs(found: Defect, *, but: str = "") -> tuple[str, ...]:
    """The repairs that the scenario's correct code has, without those of one number."""
    return tuple(name for name in scenario_of(found).boot.get("defects", ()) if item(name).number != but)


def scenario_of(found: Defect) -> Scenario:
    """The scenario that an exhibit is told in."""
    return loaded(found.scenario)


@cache
def loaded(name: str) -> Scenario:
    """A scenario that comes along, read once: many exhibits share one."""
    return load(name)


def shown(name: str) -> Defect:
    """The item of that name, if it has an exhibit. Raises AvicError with the reason if it has not."""
    found = item(name)
    if found.not_modelled:
        raise AvicError(f"{name} ({found.title}) has no exhibit: {found.not_modelled}")
    if not found.scenario:
        raise AvicError(f"{name} is the repair that the exhibit {found.number} is told with")
    return found


def exhibits() -> list[Defect]:
    """Every item that has an exhibit, in the catalogue's order."""
    return [d for d in catalogue().values() if d.modelled and d.scenario]


def symptoms(result: Result) -> list[str]:
    """What fails in a telling, without the lines of the file."""
    return [symptom(check) for check in result.failures]


def symptom(check: Check) -> str:
    """One expectation that does not hold."""
    return f"{check.what}: {check.difference or f'expected {check.expected}, found {check.found}'}"


def code(name: str) -> list[str]:
    """Where the overlay stands: file and line of the function that brings it, then those that it puts in place.

    Of what the series has itself, the repair's.
    """
    if item(name).built_in:
        return code(f"{name}-fix")
    bring = OVERLAYS[name]
    m = Machine(cores=1, record=False)
    m.boot(defects=[name])
    mine = [fn for op, fn in m.world.table.items() if m.world.by[op] == name]
    return list(dict.fromkeys(place(fn) for fn in (bring, *mine)))


def place(fn: Any) -> str:
    """`avickit/museum/logical_notes.py:34 inverted_and_gated`."""
    fn = getattr(fn, "fn", fn)
    home = Path(__file__).parents[2]
    file = Path(inspect.getsourcefile(fn) or "").resolve()
    name = file.relative_to(home).as_posix() if file.is_relative_to(home) else file.name
    return f"{name}:{inspect.getsourcelines(fn)[1]} {fn.__name__}"


def swapped(names: Iterable[str]) -> list[tuple[str, str]]:
    """Every pair of an exhibit and another defect of these that its catalogue entry does not call the same."""
    found = [name for name in names if item(name).form != "repair"]
    return [(a, b) for a in found for b in found if a != b and b not in item(a).same_as]

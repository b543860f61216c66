"""A prepared place: a scenario that has been told, and where a view opens in it.

Does not model: scenarios (`lab.scenario`).
"""

from pathlib import Path
from typing import NamedTuple

from avickit.lab.machine import Machine


class Place(NamedTuple):
    """A machine whose story is told: its title, its first beat, and the beat to open at if the file has one."""

    machine: Machine
    title: str
    first: int
    beat: int | None


def prepared(scenario: str | Path, patches: int | None = None) -> Place:
    """Tell a scenario: the name of one that comes along, or a TOML file. Raises AvicError for what is neither.

    The story begins where boot and the making of domains end; if nothing happens after that, at beat 1.
    """
    from avickit.lab.scenario import load  # the schema library loads when a file is read

    found = load(scenario)
    result = found.run(patches)
    steps = result.story[1 + len(found.domains) :]
    first = next((step.first for step in steps if step.last >= step.first), 1)
    return Place(result.machine, found.title, first, result.open_beat)

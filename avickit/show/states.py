"""The states of cores and vCPUs as people see them: a letter, a frame or a filling, and a hue, each of which suffices.

Does not model: when a vCPU is in which state (`lab.handles`).
"""

from typing import Final, NamedTuple

from avickit.lab.machine import Machine
from avickit.show import palette
from avickit.show.tags import NOWRAP, element, text
from avickit.silicon.parts import GUEST


class Marks(NamedTuple):
    """A state's letter, the CSS border of its chip, the filling of its stretch of a timeline, its hue ("" for none)."""

    letter: str
    frame: str
    filling: str
    hue: str


STATES: Final = {
    "guest mode": Marks("G", "2px solid", "solid", "bluish green"),
    "host mode": Marks("H", "4px double", "hatch", "orange"),
    "runnable": Marks("R", "2px dashed", "lines", "sky blue"),
    "blocked": Marks("B", "2px dotted", "dots", "reddish purple"),
    "idle": Marks("-", "1px solid", "thin", ""),
    "paused": Marks("P", "1px dotted", "bars", "blue"),
    "down": Marks("D", "1px dashed", "back", "black"),
    "crashed": Marks("X", "4px solid", "cross", "vermillion"),
    "destroyed": Marks("Z", "3px dotted", "rings", "yellow"),
}
"""How each state is marked: told apart by any one of the four."""


def chip(state: str) -> str:
    """A state as HTML: `G guest mode` in its frame and hue."""
    marks = STATES[state]
    wash = f";background:{palette.wash(marks.hue)}" if marks.hue else ""
    style = f"{NOWRAP};padding:0 4px;border:{marks.frame};border-radius:4px{wash}"
    return element("span", element("b", text(marks.letter)) + text(f" {state}"), style)


def core_state(machine: Machine, index: int) -> tuple[str, str]:
    """What a core does, and the name of the vCPU that it runs, "" if it runs none."""
    world = machine.world
    core, pcpus = world.objects["cores"][index], world.objects.get("pcpus")
    current = world.at[pcpus[index].current] if pcpus else 0
    if not current:
        return "idle", ""
    return "guest mode" if world.at[core.mode] == GUEST else "host mode", world.objects["vcpus"][current - 1].name

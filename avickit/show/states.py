"""The states of cores and vCPUs as people see them: a letter, a shape of the frame and a hue, each of which suffices.

Does not model: when a vCPU is in which state (`lab.handles`).
"""

from typing import Final

from avickit.lab.machine import Machine
from avickit.show import palette
from avickit.show.tags import NOWRAP, element, text
from avickit.silicon.parts import GUEST

STATES: Final = {
    "guest mode": ("G", "2px solid", "bluish green"),
    "host mode": ("H", "4px double", "orange"),
    "runnable": ("R", "2px dashed", "sky blue"),
    "blocked": ("B", "2px dotted", "reddish purple"),
    "paused": ("P", "1px dotted", "blue"),
    "down": ("D", "1px dashed", "black"),
    "crashed": ("X", "4px solid", "vermillion"),
    "idle": ("-", "1px solid", ""),
}
"""Letter, frame and hue by state; the timeline's letters are the same."""


def chip(state: str) -> str:
    """A state as HTML: `G guest mode` in its frame and hue."""
    letter, frame, hue = STATES[state]
    wash = f";background:{palette.wash(hue)}" if hue else ""
    style = f"{NOWRAP};padding:0 4px;border:{frame};border-radius:4px{wash}"
    return element("span", element("b", text(letter)) + text(f" {state}"), style)


def core_state(machine: Machine, index: int) -> tuple[str, str]:
    """What a core does, and the name of the vCPU that it runs, "" if it runs none."""
    world = machine.world
    core, pcpus = world.objects["cores"][index], world.objects.get("pcpus")
    current = world.at[pcpus[index].current] if pcpus else 0
    if not current:
        return "idle", ""
    return "guest mode" if world.at[core.mode] == GUEST else "host mode", world.objects["vcpus"][current - 1].name

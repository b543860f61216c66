"""From the steps in a scenario's [race] to threads: which actor acts where.

Does not model: steps that change what exists (domains), time, and what is expected on the way.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avickit.lab import scripts
from avickit.lab.explore.actors import Spec, Work
from avickit.lab.explore.race import WORLD
from avickit.lab.scenario.guest import instruction, program
from avickit.lab.scenario.toml_lines import Path
from avickit.silicon.parts import GUEST

if TYPE_CHECKING:
    from avickit.lab.scenario.run import Runner

Step = Mapping[str, Any]
COMMANDS = ("run", "migrate", "deschedule", "pause", "unpause")
ON_CORE = ("wake", "set_irq", "nmi", "callback", "extint")
INSTRUCTIONS = ("read", "write", "rdmsr", "wrmsr", "do", "execute")


def cast(r: "Runner") -> tuple[Spec, ...]:
    """The threads of the story's race, on the machine as the setup left it. Raises ScenarioError."""
    found: list[Spec] = []
    for actor, told in r.scenario.race.items():
        place: Path = ("race", actor)
        steps = tuple(step for step in told if "mark" not in step)
        if any("vcpu" in step for step in steps):
            spec = guest_spec(r, place, actor, steps)
        else:
            core = core_of(r, place, steps, {core for _, core, _ in found})
            spec = (actor, core, tuple(work_of(r, (*place, n), step) for n, step in enumerate(steps)))
        if spec[1] != WORLD and any(spec[1] == core for _, core, _ in found):
            raise r.scenario.source.error(place, f"core {spec[1]} is another actor's already")
        found.append(spec)
    return tuple(found)


def guest_spec(r: "Runner", place: Path, actor: str, steps: tuple[Step, ...]) -> Spec:
    """A guest's instructions as one program, on the core where it is in guest mode."""
    insns: list[Any] = []
    for n, step in enumerate(steps):
        if step.get("vcpu") != steps[0].get("vcpu") or not any(word in step for word in INSTRUCTIONS):
            expected = f"expected instructions of {steps[0].get('vcpu', 'one vCPU')} only, as the actor began"
            raise r.scenario.source.error((*place, n), expected)
        if "gives" in step:
            raise r.scenario.source.error((*place, n, "gives"), "what a read gives depends on the order of the race")
        insns += program(step["execute"]) if "execute" in step else [instruction(step)]
    v = r.vcpu(steps[0]["vcpu"])
    core = scripts.running_on(r.machine, v.vcpu.guest.index)
    if core is None or r.machine.world.at[core.mode] != GUEST:
        raise r.scenario.source.error(place, f"{v.name} is {v.state} when the race begins, expected guest mode")
    number = r.machine.instruction(insns[0]) if len(insns) == 1 else r.machine.program(insns)
    return actor, core.index, (("guest", v.vcpu.guest.index, number),)


def core_of(r: "Runner", place: Path, steps: tuple[Step, ...], taken: set[int]) -> int:
    """Where Xen's work for a device is done: the core that is named, else the last idle one; -1 for mere commands."""
    named = {step["core"] for step in steps if any(word in step for word in ON_CORE) and "core" in step}
    if len(named) > 1:
        raise r.scenario.source.error(place, "an actor works on one core")
    if named:
        return int(named.pop())
    if not any(word in step for step in steps for word in ON_CORE):
        return WORLD
    w = r.machine.world
    used = taken | {step["core"] for actor in r.scenario.race.values() for step in actor if "core" in step}
    idle = [p.core.index for p in w.objects["pcpus"] if not w.at[p.current] and p.core.index not in used]
    if not idle:
        raise r.scenario.source.error(place, "no idle core is left for it: name one with core =")
    return int(idle[-1])


def work_of(r: "Runner", place: Path, step: Step) -> Work:
    """One step as data. Raises ScenarioError for one that cannot race."""
    word = next((word for word in (*COMMANDS, *ON_CORE) if word in step), "")
    if not word or step.get("sync"):
        what = "a deschedule with sync" if step.get("sync") else "this step"
        expected = f"expected instructions of a vCPU, or {' '.join((*COMMANDS, *ON_CORE))}"
        raise r.scenario.source.error(place, f"{what} cannot race; {expected}")
    guest = r.vcpu(step[word]).vcpu.guest.index
    if word in ("run", "migrate"):
        return "run", guest, step["core"]
    if word == "set_irq":
        return word, guest, step["vector"], step.get("level", False)
    if word in ("nmi", "callback", "extint"):
        return "event", guest, word, step.get("vector", 0)
    return word, guest

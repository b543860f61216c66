"""A trace cut into the steps of its program, and what came of each: for the guests, in exits, doorbells and outcome.

A step is one command of the log: mostly one guest instruction, with all that it set going on every core until the
machine was quiet. A command that a fork stopped and that went on later is one step in two pieces. Does not model: what
was not recorded.
"""

from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from avickit.beat import CLOCK, SIGNAL, Site, World
from avickit.errors import AvicError
from avickit.lab import names, told
from avickit.lab.handles import VcpuHandle
from avickit.lab.trace import Command, Trace
from avickit.silicon import doorbell, guest, run, vmexit
from avickit.silicon.parts import Exit

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

BELLS: tuple[Site, ...] = (doorbell.RING,)
"""The beats that ring another core's doorbell. (H-BELL-1)"""


class Noted(NamedTuple):
    """Something that came of a step: at which beat, for whom, and in words."""

    n: int
    who: str
    say: str


class Standing(NamedTuple):
    """How a vCPU stands after a step: where it is, which vectors wait in its page, which are in service."""

    where: str
    pending: str
    in_service: str

    def since(self, before: "Standing") -> str:
        """What has changed, in words: `guest mode on core 1, 41h pending`."""
        words = ("", " pending", " in service")
        told = [f"{now or 'nothing'}{word}" for now, was, word in zip(self, before, words, strict=True) if now != was]
        return ", ".join(told)


NOWHERE = Standing("runnable", "", "")
"""A vCPU that nobody has run yet."""


@dataclass
class Step:
    """One command: its beats (one range, or two and more if it was stopped between), and what came of them.

    `seen` is what guests notice of it: values they read, vectors they take. `outcome` says how each vCPU stands
    afterwards; `changed` in words what of that the step changed.
    """

    command: Command
    text: str
    key: Any
    pieces: list[range] = field(default_factory=list)
    seen: list[Noted] = field(default_factory=list)
    exits: list[tuple[Noted, Exit]] = field(default_factory=list)
    doorbells: list[Noted] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    outcome: Mapping[str, Standing] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    @property
    def beats(self) -> list[int]:
        """The numbers of its beats."""
        return [n for piece in self.pieces for n in piece]

    def by_vcpu(self) -> dict[str, list[str]]:
        """What each guest noticed, in its own order: cores are not in step, so only this order means something."""
        found: dict[str, list[str]] = {}
        for noted in self.seen:
            found.setdefault(noted.who, []).append(noted.say)
        return found

    def exits_by_vcpu(self) -> dict[str, list[tuple[int, int, int]]]:
        """The exits of each vCPU: code, EXITINFO1, EXITINFO2."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        for noted, exit in self.exits:
            found.setdefault(noted.who, []).append((int(exit.code), exit.info1, exit.info2))
        return found

    def exit_codes(self) -> Counter[str]:
        """How many exits of each code."""
        return Counter(exit.code.name for _, exit in self.exits)


def steps_of(trace: Trace) -> list[Step]:
    """All steps of a trace. Raises AvicError for one that is not complete or has no world of its own."""
    if not isinstance(trace, Trace):
        raise AvicError.of("trace", type(trace).__name__, "the trace of a machine, with its places")
    if not trace.complete:
        raise AvicError(f"the recording stopped at its limit of {trace.limit} beats: a comparison needs all of them")
    steps = cut(trace)
    home = {id(piece): step for step in steps for piece in step.pieces}
    pieces = sorted((piece for step in steps for piece in step.pieces), key=lambda piece: piece.start)
    walk(trace, [(piece, home[id(piece)]) for piece in pieces])
    return steps


def cut(trace: Trace) -> list[Step]:
    """The steps with their beats alone."""
    w, commands = trace.world, trace.commands
    steps: list[Step] = []
    standing: list[Step] = []
    ends = [c.first for c in commands[1:]] + [len(trace)]
    for command, end in zip(commands, ends, strict=True):
        piece = range(command.first + 1, end + 1)
        if command.name == "resume" and standing:
            step = standing.pop()
            stopped = end == command.args[0]
        else:
            step = Step(command, told.tell(w, command), told.key(w, command))
            steps.append(step)
            stopped = command.until is not None
        step.pieces.append(piece)
        if stopped:
            standing.append(step)
    return steps


class Then(NamedTuple):
    """Stands for the machine where a handle looks at places as they were."""

    world: World


def walk(trace: Trace, pieces: list[tuple[range, Step]]) -> None:
    """One walk through the states, noting in each step what its beats bring."""
    w = trace.world
    at = trace.state(0)
    then = copy(w)
    then.at = then.see = at
    before, lines = outcome(then), 0
    for piece, step in pieces:
        for n in piece:
            site, place, _, new, time, _ = trace.raw[n - 1]
            at[place], at[CLOCK] = new, time
            note(w, step, n, site, place, new)
        printed = at[w.objects["console"][0].length] if "console" in w.objects else 0
        step.console += w.objects["lines"][lines:printed]
        now, lines = outcome(then), printed
        step.outcome = now
        for who, standing in now.items():
            if changed := standing.since(before.get(who, NOWHERE)):
                step.changed.append(f"{who}: {changed}")
        before = now


def note(w: World, step: Step, n: int, site: Site, place: int, new: Any) -> None:
    """What this beat is in the story of its step, if it is anything."""
    if site in BELLS and site.do is SIGNAL:
        step.doorbells.append(Noted(n, names.owner(w, place), f"doorbell to {names.owner(w, place)}"))
    elif site is vmexit.KEEP_EXIT:
        who, exit = names.owner(w, place), new[-1]
        step.exits.append((Noted(n, who, f"{who} exits: {exit.code.name}"), exit))
    elif site is guest.COUNT:
        who = names.owner(w, place)
        step.seen.append(Noted(n, who, f"{who} takes {names.short(w, place).split()[-1].upper().replace('H', 'h')}"))
    elif site is run.ANSWER:
        who = names.owner(w, place)
        step.seen.append(Noted(n, who, f"{who} reads {new:X}h"))


def outcome(then: World) -> dict[str, Standing]:
    """How each vCPU stands."""
    if not then.objects.get("vcpus") or not then.objects.get("pcpus"):
        return {}
    machine = cast("Machine", Then(then))
    return {v.name: stands(VcpuHandle(machine, v)) for v in then.objects["vcpus"]}


def stands(v: VcpuHandle) -> Standing:
    """How one vCPU stands."""
    core = "" if v.core is None else f" on core {v.core}"
    return Standing(v.state + core, vectors(v.page.irr), vectors(v.page.isr))


def vectors(found: set[int]) -> str:
    """`41h 52h`."""
    return " ".join(f"{vector:X}h" for vector in sorted(found))

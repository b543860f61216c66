"""The Machine: cores, a Xen to boot on them, guests to play, a trace of every beat, forks at any of them.

    m = Machine(cores=4)
    xen = m.boot("svm=avic", patches=10)
    a, b = xen.create_domain(vcpus=2).vcpus

Does not model: real time; the clock moves one nanosecond a beat unless a price list says otherwise.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from avickit.beat import CLOCK, Beats, Site, World
from avickit.bits import Shown
from avickit.errors import AvicError, in_range
from avickit.lab import handles
from avickit.lab.engine import Engine, Script
from avickit.lab.scripts import play, prepare, run
from avickit.lab.trace import Command, Trace
from avickit.lab.xen import XenHandle
from avickit.manual.cpuid import cpu_model, has
from avickit.series import PATCHES
from avickit.silicon.access import access_filter
from avickit.silicon.choices import apply_choices, apply_errata
from avickit.silicon.guest import Insn, Program, program
from avickit.silicon.parts import new_machine
from avickit.xen.parts import Vcpu

RECORDING_LIMIT = 200_000
BEAT_BUDGET = 5_000_000
"""Some seconds of work, and far more than a guest takes to become quiet that ever does."""
MOST_CORES, MOST_PAGES = 256, 4096
FIRST_AVIC = 4
"""The patch that brings the variable svm_avic. (X4-6)"""


class Machine(Shown):
    """A host with some cores. `cpu` is a model of `manual.cpuid`; `choices` are behaviours the manual leaves open.

    `pages` is the memory in 4 KiB pages, `host_ids` the cores' physical APIC IDs, `prices` nanoseconds by Site.
    Recording is on until `limit` beats; with `fast`, what is not recorded runs in its plain form (`lab.derive`).
    A command that takes more than `budget` beats is cut off with OverBudget, such as a handler that interrupts itself.
    `scheduler` is "manual" or "round-robin". Raises AvicError for bad input.
    """

    def __init__(
        self,
        cores: int = 4,
        cpu: str = "epyc",
        *,
        pages: int = 512,
        host_ids: Iterable[int] | None = None,
        choices: Mapping[str, str] | None = None,
        errata: Iterable[int] = (),
        record: bool = True,
        fast: bool = False,
        limit: int = RECORDING_LIMIT,
        budget: int = BEAT_BUDGET,
        scheduler: str = "manual",
        prices: Mapping[Site, int] | None = None,
    ) -> None:
        in_range("cores", cores, 1, MOST_CORES)
        in_range("pages", pages, 1, MOST_PAGES)
        in_range("recording limit", limit, 0, sys.maxsize)
        in_range("budget", budget, 1, sys.maxsize // 2)
        if scheduler not in ("manual", "round-robin"):
            raise AvicError.of("scheduler", scheduler, "manual or round-robin")
        self.config: dict[str, Any] = {"cores": cores, "cpu": cpu, "pages": pages}
        self.config.update(
            choices=dict(choices or {}),
            host_ids=tuple(host_ids) if host_ids is not None else None,
            errata=tuple(errata),
        )
        self.config.update(limit=limit, budget=budget, scheduler=scheduler, prices=prices)
        self.world = World(pages)
        self.world.price = prices
        new_machine(self.world, cores, cpu_model(cpu), self.config["host_ids"])
        self.world.objects["filter"] = access_filter(has(self.world.objects["cpu"][0], "EXT_LVT_AVIC_ACCESS_CHG"))
        apply_choices(self.world, self.config["choices"])
        apply_errata(self.world, self.config["errata"])
        self.engine = Engine(self.world, record=record, limit=limit, budget=budget, fast=fast)
        self.xen: XenHandle | None = None
        self._programs: dict[tuple[str, int, int, int], int] = {}

    @property
    def trace(self) -> Trace:
        """Every beat so far."""
        return self.engine.trace

    @property
    def clock(self) -> int:
        """Simulated nanoseconds since the machine was made."""
        return int(self.world.at[CLOCK])

    def boot(
        self,
        cmdline: str = "",
        *,
        patches: int = 10,
        svm_avic: bool | None = None,
        version: str | None = None,
        defects: Iterable[str] = (),
    ) -> XenHandle:
        """Boot Xen with the first `patches` of the series. `svm_avic` sets the source's variable (from patch 4).

        `version` (P16 A1 A2 B1 B2) adds the defects of a published version, `defects` single ones by number, such as
        `["X11"]`. Raises AvicError for a name nobody knows, a defect of a later patch, two that replace one step.
        """
        if self.xen is not None:
            raise AvicError("this machine has booted already: make another Machine")
        if in_range("patches", patches, 0, len(PATCHES)) < FIRST_AVIC and svm_avic is not None:
            raise AvicError.of("svm_avic", svm_avic, "nothing: the variable comes with patch 4")
        wrong: tuple[Any, ...] = ()
        if version is not None or defects:
            names = (defects,) if isinstance(defects, str) else tuple(defects)
            wrong = (version, names)
            prepare(self.world.copy(), patches, svm_avic, *wrong)
        self.command("boot_xen", cmdline, patches, svm_avic, *wrong)
        self.xen = XenHandle(self)
        return self.xen

    def advance(self, ns: int) -> None:
        """Let so many nanoseconds pass; timers that become due fire in their order."""
        self.command("advance", in_range("nanoseconds", ns, 0, sys.maxsize))

    def command(self, name: str, *args: Any) -> Any:
        """Do one command of `lab.scripts` and log it. Raises AvicError if the host has crashed."""
        if self.xen is not None and self.xen.crashed and name != "advance":
            raise AvicError(f"{name}: the host has crashed; its console says why")
        return self.engine.play(Command(name, args, len(self.trace)), play(self, name, args))

    def fork(self, n: int | None = None, *, watch: Callable[[Beats[Any]], Any] | None = None) -> "Machine":
        """An independent machine as this one was after beat n (now, if not given), even inside an algorithm.

        Stopped inside a command, it can act on other cores, and goes on with `step()` and `finish()`. Replays the log;
        `watch` may put something around each generator of beats that is replayed (`lab.sources`).
        """
        beats = len(self.trace) if n is None else n
        if not self.trace.complete or not self.engine.recording:
            raise AvicError("fork needs a complete recording: a higher limit, or record=True")
        if not 0 <= beats <= len(self.trace):
            raise AvicError.of("beat", beats, f"0..{len(self.trace)}")
        other = Machine(**self.config)
        other.engine.watch = watch
        other.world.programs = self.world.programs.copy()
        other._programs = self._programs.copy()
        other._replay(self.trace, beats)
        return other

    def _replay(self, trace: Trace, beats: int) -> None:
        """The commands of a trace, up to a beat; the last may stop inside."""
        for command in trace.commands:
            if command.first > beats or (command.first == beats and beats < len(trace)):
                break
            until = beats if command.until is None else min(beats, command.until)
            if command.name == "resume":
                self._resume(min(command.args[0], beats))
            else:
                self.engine.play(command._replace(until=until), play(self, command.name, command.args))
            if command.name == "boot_xen":
                self.xen = XenHandle(self)

    def step(self, beats: int = 1) -> None:
        """Go on by so many beats inside the command where a fork stopped."""
        self._resume(len(self.trace) + in_range("beats", beats, 1, sys.maxsize - len(self.trace)))

    def finish(self) -> None:
        """Let the command in which a fork stopped go on to its end."""
        self._resume(sys.maxsize)

    def _resume(self, until: int) -> None:
        commands, standing = self.trace.commands, len(self.engine.stopped)
        index, logged = len(commands), self.engine.recording and standing > 0
        if logged:
            commands.append(Command("resume", (until,), len(self.trace)))
        self.engine.resume(None if until == sys.maxsize else until - len(self.trace))
        if logged and len(self.engine.stopped) < standing:
            commands[index] = commands[index]._replace(args=(sys.maxsize,))

    def program(self, code: Program) -> int:
        """Register a guest program; its number."""
        return program(self.world, code)

    def instruction(self, insn: Insn) -> int:
        """The number of the program that is just this instruction."""
        key = (insn.op, insn.address, insn.value, insn.size)
        if key not in self._programs:
            self._programs[key] = program(self.world, (insn,))
        return self._programs[key]

    def vcpu(self, guest_index: int) -> "handles.VcpuHandle":
        """The vCPU of that number, counted over all domains."""
        return handles.VcpuHandle(self, self.world.objects["vcpus"][guest_index])

    def next_timer(self) -> int:
        """When the next timer is due, in nanoseconds; 0 if none is armed."""
        at = self.world.at
        due = [at[v.cells.timer_expiry] for v in self.world.objects.get("vcpus", ())]
        return min((t for t in due if t), default=0)

    def round_robin(self) -> Script:
        """With that scheduler, an idle core takes a runnable vCPU that waits: the next after the one it ran last."""
        while self.config["scheduler"] == "round-robin":
            at, objects = self.world.at, self.world.objects
            idle = [p for p in objects.get("pcpus", ()) if not at[p.current] and not at[p.next]]
            waiting = [v.guest.index for v in objects.get("vcpus", ()) if self._waits(v)]
            if not idle or not waiting:
                return
            last, everybody = at[idle[0].last_run], len(objects["vcpus"])
            yield from run(self, min(waiting, key=lambda index: (index - last) % everybody), idle[0].core.index)

    def _waits(self, v: Vcpu) -> bool:
        """Whether a vCPU could run and no core has it, now or soon."""
        pcpus, at = self.world.objects["pcpus"], self.world.at
        return handles.state(self.world, v) == "runnable" and all(at[p.next] != v.guest.index + 1 for p in pcpus)

    def __repr__(self) -> str:
        c = self.config
        booted = "not booted" if self.xen is None else repr(self.xen)
        return f"<Machine: {c['cores']} cores, {c['cpu']}, {booted}, {self.clock} ns, {len(self.trace)} beats>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return Shown.live(self) if Shown.live else {}

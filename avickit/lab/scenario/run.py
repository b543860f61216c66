"""Telling a scenario on a machine: boot, domains, setup, the race in its given order, then what is expected.

A step that cannot be done is an expectation that fails, and the end of the story. The verdict on a race is the race
explorer's, on all its orders. Does not model: races in other orders, and store buffers (`memory = "tso"`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from avickit.beat import World
from avickit.errors import AvicError
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.machine import FIRST_AVIC, Machine
from avickit.lab.scenario import expect
from avickit.lab.scenario.result import Check, Result, Told
from avickit.lab.scenario.steps import VERBS, verb
from avickit.lab.scenario.story import tell
from avickit.lab.scenario.toml_lines import Path
from avickit.lab.xen import XenHandle
from avickit.silicon.parts import Exit

if TYPE_CHECKING:
    from avickit.lab.scenario.file import Scenario


class Runner:
    """One telling of a scenario."""

    def __init__(
        self, scenario: "Scenario", patches: int | None, overlay: Callable[[World], None] | None = None
    ) -> None:
        boot = dict(scenario.boot)
        told: int = boot.pop("patches", 10)
        self.patches = told if patches is None else patches
        if self.patches < FIRST_AVIC:
            boot.pop("svm_avic", None)
        self.scenario, self.boot = scenario, boot
        self.machine = Machine(**scenario.machine)
        self.result = Result(scenario, self.machine, self.patches)
        self.overlay = overlay
        self.place: Path = ()
        self.marks: dict[str, int] = {}
        self.since = 0
        self.base: dict[str, tuple[int, dict[int, int]]] = {}

    @property
    def xen(self) -> XenHandle:
        """The booted Xen."""
        return cast("XenHandle", self.machine.xen)

    def go(self) -> Result:
        """The whole story. What the machine refuses stops it; the expectations are looked at all the same."""
        self.stage()
        self.try_to(self.one_after_the_other)
        self.end()
        return self.result

    def one_after_the_other(self) -> None:
        """The race in its given order."""
        for actor, steps in self.scenario.race.items():
            self.steps(("race", actor), steps)

    def stage(self) -> None:
        """Boot, domains and setup: all that comes before the race."""
        self.try_to(self.set_up)

    def try_to(self, do: Callable[[], None]) -> None:
        """A part of the story; what the machine refuses stops it."""
        if self.result.stopped:
            return
        try:
            do()
        except AvicError as error:
            self.result.stopped = str(error)
            self.check(self.result.story[-1].text, "done", str(error), f"cannot be done: {error}", ok=False)

    def set_up(self) -> None:
        """What comes before the race."""
        s = self.scenario
        with_text = f'boot "{self.boot.get("cmdline", "")}" with {self.patches} patches'
        self.tell(with_text, lambda: self.machine.boot(**self.boot, patches=self.patches))
        if self.overlay is not None:
            self.overlay(self.machine.world)
        for number, vcpus in enumerate(s.domains, 1):
            self.place = ("domain", number - 1)
            self.tell(f"Xen creates d{number} with {vcpus} vCPUs", lambda n=vcpus: self.create(n))
        self.steps(("setup",), s.setup)

    def create(self, vcpus: int) -> None:
        """A domain that the file asks for."""
        self.result.add(self.xen.create_domain(vcpus=vcpus))

    def steps(self, place: Path, steps: Sequence[Mapping[str, Any]]) -> None:
        """Steps in their order."""
        for index, step in enumerate(steps):
            self.place = (*place, index)
            self.tell(tell(step), lambda s=step: VERBS[verb(s)](self, s))

    def tell(self, text: str, do: Any) -> None:
        """Do it, and note which beats it took."""
        first = len(self.machine.trace) + 1
        self.result.story.append(Told(text, first, first - 1))
        try:
            do()
        finally:
            self.result.story[-1] = Told(text, first, len(self.machine.trace))

    def end(self) -> None:
        """What is expected of the whole, and where a stepper opens."""
        s = self.scenario
        self.place = ()
        if "verdict" in s.expect:
            self.judge(s.expect["verdict"])
        if self.result.stopped and not self.result.handles and not self.machine.xen:
            return
        self.expect(s.expect, ("expect",))
        if s.open_at:
            self.result.open_beat = self.find_opening(s.open_at)
            if self.result.open_beat is None:
                self.check("open_at", "a beat of the story", "no such beat", ok=False, at=("open_at",))

    def judge(self, wanted: str | Mapping[str, str]) -> None:
        """The verdict: on all orders of the race, in each memory model that the file names; else on the story."""
        at: Path = ("expect", "verdict")
        if self.result.stopped or not self.scenario.race:
            found = "the story stopped" if self.result.stopped else "pass"
            told = wanted if isinstance(wanted, str) else ", ".join(wanted.values())
            self.check("verdict", told, found, ok=found == told, at=at)
            return
        from avickit.lab.explore import explore  # only races need it

        for memory, verdict in ({self.scenario.memory: wanted} if isinstance(wanted, str) else wanted).items():
            result = explore(self.scenario, memory, patches=self.patches, overlay=self.overlay)
            said = f"{result.verdict}: {result.says}" if result.says else ""
            what = f"verdict on {result.executions:,} orders, {memory}"
            self.check(what, verdict, result.verdict, said, ok=result.verdict == verdict, at=at)

    def find_opening(self, where: Mapping[str, Any]) -> int | None:
        """The beat at which a stepper opens."""
        if "beat" in where:
            return where["beat"] if where["beat"] <= len(self.machine.trace) else None
        first = self.marks.get(where.get("mark", ""), 0)
        if "rule" not in where:
            return first or None
        nth = where.get("nth", 1)
        for n, raw in enumerate(self.machine.trace.raw, 1):
            nth -= n > first and raw[0].rule == where["rule"]
            if not nth:
                return n
        return None

    def expect(self, expected: Mapping[str, Any], place: Path) -> None:
        """Compare with the machine as it is now."""
        expect.check_all(self, expected, (*place, "expect") if place and place[0] != "expect" else place)

    def check(self, what: str, expected: str, found: str, difference: str = "", *, ok: bool, at: Path = ()) -> None:
        """Note an expectation."""
        place = at or self.place
        line = None if ok or not place else self.scenario.source.line(place)
        self.result.checks.append(Check(what, expected, found, ok, difference if not ok else "", line))

    def compare(self, step: Mapping[str, Any], found: int) -> None:
        """What a read gave."""
        if "gives" in step:
            self.check(tell(step), f"{step['gives']:#x}", f"{found:#x}", ok=found == step["gives"])

    def vcpu(self, name: str) -> VcpuHandle:
        """The vCPU of that name."""
        return cast("VcpuHandle", self.result[name])

    def domain(self, name: str) -> DomainHandle:
        """The domain of that name."""
        return cast("DomainHandle", self.result[name])

    def set_mark(self, name: str) -> None:
        """Count from here on."""
        self.since = self.marks[name] = len(self.machine.trace)
        vcpus = {n: h for n, h in self.result.handles.items() if isinstance(h, VcpuHandle)}
        self.base = {name: (vcpu.exit_count, vcpu.guest.taken) for name, vcpu in vcpus.items()}

    def beats_since(self) -> list[tuple[Any, ...]]:
        """The recorded beats since the mark. Raises AvicError if the recording stopped."""
        if not self.machine.trace.complete:
            raise AvicError("the recording stopped at its limit: beats cannot be counted")
        return [raw for n, raw in enumerate(self.machine.trace.raw, 1) if n > self.since]

    def exits_since(self, vcpu: VcpuHandle) -> tuple[Exit, ...]:
        """The exits since the mark. Raises AvicError if there were more than the machine keeps."""
        count = vcpu.exit_count - self.base.get(vcpu.name, (0, {}))[0]
        if count > len(vcpu.exits):
            raise AvicError(
                f"{vcpu.name}: {count} exits, of which the machine keeps {len(vcpu.exits)}: set a mark later"
            )
        return vcpu.exits[len(vcpu.exits) - count :]

    def taken_since(self, vcpu: VcpuHandle) -> dict[int, int]:
        """The vectors taken since the mark."""
        before = self.base.get(vcpu.name, (0, {}))[1]
        found = {vector: n - before.get(vector, 0) for vector, n in vcpu.guest.taken.items()}
        return {vector: n for vector, n in found.items() if n}

"""What came of a scenario: the machine, the story step by step, and each expectation with what was found.

Does not model: how it is shown on a terminal (`commands`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.scenario.names import full

if TYPE_CHECKING:
    from avickit.lab.machine import Machine
    from avickit.lab.scenario.file import Scenario


class Check(NamedTuple):
    """One expectation: about what, what was expected and found, which fields differ, and the line of the file."""

    what: str
    expected: str
    found: str
    ok: bool
    difference: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"ok    {self.what}: {self.found}"
        line = f" (line {self.line})" if self.line else ""
        what = self.difference or f"expected {self.expected}, found {self.found}"
        return f"FAILS {self.what}{line}: {what}"


class Told(NamedTuple):
    """One step of the story: what it says, and its beats `first`..`last`; there are none if last < first."""

    text: str
    first: int
    last: int


class Result:
    """`result.ok`, `result.checks`, `result.machine`; handles by name: `result["v1"]`, `result["d1"]`."""

    def __init__(self, scenario: "Scenario", machine: "Machine", patches: int) -> None:
        self.scenario, self.machine, self.patches = scenario, machine, patches
        self.handles: dict[str, VcpuHandle | DomainHandle] = {}
        self.checks: list[Check] = []
        self.story: list[Told] = []
        self.stopped = ""
        self.open_beat: int | None = None

    def add(self, domain: DomainHandle) -> None:
        """The handles of a new domain, under Xen's names."""
        self.handles[repr(domain.domain)] = domain
        self.handles.update({vcpu.name: vcpu for vcpu in domain.vcpus})

    def __getitem__(self, name: str) -> Any:
        if full(name) not in self.handles:
            raise AvicError.of("vCPU or domain", name, " ".join(self.handles) or "nothing: the story stopped before")
        return self.handles[full(name)]

    @property
    def ok(self) -> bool:
        """Whether all expectations hold."""
        return all(check.ok for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        """The expectations that do not hold."""
        return [check for check in self.checks if not check.ok]

    @property
    def console(self) -> list[str]:
        """Xen's console; empty where the story stopped before the boot."""
        return self.machine.xen.console if self.machine.xen else []

    def data(self) -> dict[str, Any]:
        """The result as plain data, for JSON."""
        return {
            "format": 1,
            "file": self.scenario.file,
            "title": self.scenario.title,
            "patches": self.patches,
            "ok": self.ok,
            "open_at": self.open_beat,
            "checks": [check._asdict() for check in self.checks],
            "story": [step._asdict() for step in self.story],
            "console": self.console,
        }

    def __repr__(self) -> str:
        said = "all hold" if self.ok else f"{len(self.failures)} do not hold"
        return f"<{self.scenario.name} with {self.patches} patches: {len(self.checks)} expectations, {said}>"

    def __str__(self) -> str:
        return "\n".join([repr(self)[1:-1], *map(str, self.failures)])

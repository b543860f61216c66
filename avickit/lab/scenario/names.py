"""The names that a scenario may use at a point of its story: vCPUs, domains, cores, marks, rules.

Does not model: the things themselves; at this time there is no machine yet.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from avickit.errors import AvicError
from avickit.lab.rules import numbers
from avickit.lab.scenario.schema import ScenarioError, Source, near
from avickit.lab.scenario.toml_lines import Path

P = ParamSpec("P")
R = TypeVar("R")


def full(name: str) -> str:
    """A vCPU's name as Xen prints it: `v1` is `d1v1`."""
    return f"d1{name}" if name.startswith("v") else name


class Names:
    """What exists so far. Xen numbers domains from 1, those that could not be created included."""

    def __init__(self, source: Source, cores: int) -> None:
        self.source, self.cores = source, cores
        self.domains: list[int] = []
        self.marks: list[str] = []

    def error(self, place: Path, what: str) -> ScenarioError:
        """What is wrong at a key."""
        return self.source.error(place, what)

    def at(self, place: Path, test: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of the package; what it refuses is refused at this key."""
        try:
            return test(*args, **kwargs)
        except AvicError as error:
            raise self.error(place, str(error)) from error

    def add_domain(self, vcpus: int) -> None:
        """The next domain; 0 for one that could not be created."""
        self.domains.append(vcpus)

    def vcpu(self, place: Path, name: str) -> str:
        """A vCPU that exists, by its full name."""
        known = [f"d{d}v{v}" for d, vcpus in enumerate(self.domains, 1) for v in range(vcpus)]
        if full(name) not in known:
            shown = ", ".join(known[:4]) + (" ..." if len(known) > 4 else "") if known else "a domain first"
            raise self.error(place, f"{name!r} given, expected a vCPU of the story: {shown}")
        return full(name)

    def domain(self, place: Path, name: str) -> int:
        """A domain that exists, by its number."""
        known = [f"d{number}" for number, vcpus in enumerate(self.domains, 1) if vcpus]
        if name not in known:
            raise self.error(place, f"{name!r} given, expected a domain of the story: {', '.join(known) or 'none yet'}")
        return int(name[1:])

    def rule(self, place: Path, number: str) -> None:
        """A rule that data/rules.toml knows."""
        if number not in numbers():
            raise self.error(place, f"{number!r} is no rule{near(number, numbers())}")

    def one_of(self, place: Path, what: str, given: Any, known: list[str]) -> None:
        """One of some names."""
        if given not in known:
            raise self.error(place, f"{given!r} is no {what}{near(str(given), known)}")

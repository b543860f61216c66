"""Scenario files: a story on a machine in TOML, with what must hold afterwards. Teachers write lessons in them.

    scenario = load("ipi-running")          # a file, a text, or the name of one that comes along
    result = scenario.run()                 # or run(patches=6): the same story with fewer patches
    result.ok, result.machine, result["v1"].page.irr

Does not model: races in any order but the given one; defects and versions of the series.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avickit import data
from avickit.errors import AvicError, in_range
from avickit.lab.scenario.check import check, domains_of
from avickit.lab.scenario.names import Names
from avickit.lab.scenario.result import Check, Result, Told
from avickit.lab.scenario.run import Runner
from avickit.lab.scenario.schema import ScenarioError, Source, read

TEXT = "<text>"
DEFAULT_CORES = 4


@dataclass(frozen=True)
class Scenario:
    """A checked scenario file. `race` is kept as data: the steps of each actor, in the file's order."""

    title: str
    source: Source = field(repr=False, compare=False)
    why: str = ""
    rules: tuple[str, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    boot: Mapping[str, Any] = field(default_factory=dict)
    domains: tuple[int, ...] = ()
    setup: tuple[Mapping[str, Any], ...] = ()
    race: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    memory: str = "sc"
    expect: Mapping[str, Any] = field(default_factory=dict)
    open_at: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file it came from."""
        return self.source.file

    @property
    def name(self) -> str:
        """The file's name without folder and ending: `ipi-running`."""
        return Path(self.file).stem

    @property
    def patches(self) -> int:
        """How many patches of the series the file asks for."""
        return int(self.boot.get("patches", 10))

    def run(self, patches: int | None = None) -> Result:
        """Tell the story on a new machine, with the file's patches or with others.

        Raises AvicError for a number of patches that there is not; whatever the story itself runs into is in the
        result's checks.
        """
        if patches is not None:
            in_range("patches", patches, 0, 10)
        return Runner(self, patches).go()


def load(where: str | Path) -> Scenario:
    """The scenario in a file, in a text (it has line breaks), or of that name among those that come along.

    Raises ScenarioError, which names file, key and line; nothing has run then.
    """
    source = source_of(where)
    found = read(source)
    check(Names(source, found.get("machine", {}).get("cores", DEFAULT_CORES)), found)
    race = {actor: tuple(steps) for actor, steps in found.get("race", {}).items()}
    parts = {
        key: found[key] for key in ("title", "why", "machine", "boot", "memory", "expect", "open_at") if key in found
    }
    rules, setup = tuple(found.get("rules", ())), tuple(found.get("setup", ()))
    return Scenario(source=source, rules=rules, domains=tuple(domains_of(found)), setup=setup, race=race, **parts)


def source_of(where: str | Path) -> Source:
    """The text and the name to give it. Raises AvicError for a file that is not there or cannot be read."""
    if isinstance(where, str) and "\n" in where:
        return Source(TEXT, where)
    path = Path(where)
    if not path.exists() and isinstance(where, str) and path.name == where and not path.suffix:
        path = data.scenario(where)
    try:
        return Source(
            path.name if path.parent == data.folder() / data.SCENARIOS else str(path), path.read_text("utf-8")
        )
    except UnicodeDecodeError as error:
        raise ScenarioError(str(path), "", None, "no UTF-8 text") from error
    except OSError as error:
        raise AvicError(f"{path}: {error.strerror or error}") from error


__all__ = ["Check", "Result", "Scenario", "ScenarioError", "Told", "load"]

"""Scenario files: a story on a machine in TOML, with what must hold afterwards. Teachers write lessons in them.

    scenario = load("ipi-running")          # a file, a text, or the name of one that comes along
    result = scenario.run()                 # or run(patches=6): the same story with fewer patches
    result.ok, result.machine, result["v1"].page.irr

Does not model: races in any order but the given one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from avickit import data
from avickit.errors import AvicError, in_range
from avickit.lab.scenario.check import check, domains_of
from avickit.lab.scenario.cut import CutRunner
from avickit.lab.scenario.names import Names
from avickit.lab.scenario.result import Check, Result, Told
from avickit.lab.scenario.run import Runner
from avickit.lab.scenario.schema import ScenarioError, Source, read
from avickit.museum.versions import chosen

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

    def run(
        self, patches: int | None = None, *, version: str | None = None, defects: Iterable[str] | None = None
    ) -> Result:
        """Tell the story on a new machine, with the file's patches, version and defects or with others.

        `defects=()` takes the file's away. Raises AvicError for a number of patches, a version or a defect that there
        is not; whatever the story itself runs into is in the result's checks.
        """
        return self.runner(patches, version=version, defects=defects).go()

    def runner(
        self, patches: int | None = None, *, version: str | None = None, defects: Iterable[str] | None = None
    ) -> Runner:
        """A telling that has not begun: `run` goes through with it. Raises AvicError as `run` does."""
        patches = patches if patches is None else in_range("patches", patches, 0, 10)
        return Runner(self.booted(patches, version, defects), patches)

    def cut(self, cut: Mapping[str, Any], *, defects: Iterable[str] | None = None) -> Result:
        """Tell the race in another order: `{"actor": "sleeper", "rule": "X0-6", "nth": 1}` stops the actor there.

        Raises AvicError for a defect that there is not; a cut that cannot be made is in the result's checks.
        """
        return CutRunner(self.booted(None, None, defects), None, cut).go()

    def booted(self, patches: int | None, version: str | None, defects: Iterable[str] | None) -> "Scenario":
        """The same story with another version or other defects. Raises AvicError for those that there are not."""
        boot = dict(self.boot)
        if version is not None:
            boot["version"] = version
        if defects is not None:
            boot["defects"] = (defects,) if isinstance(defects, str) else tuple(defects)
        if version is not None or defects is not None:
            there = boot.get("patches", 10) if patches is None else patches
            chosen(boot.get("version"), boot.get("defects", ()), there)
        return replace(self, boot=boot)


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

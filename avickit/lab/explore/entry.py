"""`explore(...)`: from a scenario, its name or its file, or a race of bare programs, to what an exploration found.

Does not model: anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from avickit.beat import World
from avickit.errors import AvicError, in_range
from avickit.lab.explore.actors import Spec, race_of
from avickit.lab.explore.casting import cast
from avickit.lab.explore.judge import Judge, nothing_wrong
from avickit.lab.explore.progress import Progress
from avickit.lab.explore.properties import USUAL
from avickit.lab.explore.race import Race
from avickit.lab.explore.replay import Schedule
from avickit.lab.explore.result import Exploration, Fresh
from avickit.lab.explore.search import Predicate, Search
from avickit.lab.explore.state import State
from avickit.lab.scenario import Scenario, load
from avickit.lab.scenario.run import Runner

if TYPE_CHECKING:
    from pathlib import Path

    from avickit.lab.machine import Machine

MEMORIES = ("sc", "tso")
MOST = 1 << 62
Overlay = Callable[[World], None]


def explore(
    what: "Scenario | Race | str | Path",
    memory: str | None = None,
    *,
    reduction: bool = True,
    preemptions: int | None = None,
    properties: Iterable[str] = USUAL,
    judge: Callable[[State], dict[str, str]] = nothing_wrong,
    always: Iterable[Predicate] | Callable[["Machine"], Iterable[Predicate]] = (),
    executions: int | None = None,
    patches: int | None = None,
    version: str | None = None,
    defects: Iterable[str] | None = None,
    overlay: Overlay | None = None,
    progress: bool = False,
) -> Exploration:
    """All orders of a scenario's race, once its setup has run; `memory` is sc or tso, the file's if not given.

    `preemptions` bounds the switches away from a thread that could go on (then nothing is reduced). `properties` are
    looked at at each end, `always` on the way (a function makes them from the machine). `executions` ends the search
    after so many orders; Ctrl-C ends it with what was found so far. `patches`, `version` and `defects` replace the
    file's; `overlay` changes the booted World: a defect of one's own. `judge` is for a race of bare programs. Raises
    AvicError for a race that cannot be played.
    """
    if memory is not None and memory not in MEMORIES:
        raise AvicError.of("memory", memory, " or ".join(MEMORIES))
    for name, limit in (("preemptions", preemptions), ("executions", executions)):
        if limit is not None:
            in_range(name, limit, int(name == "executions"), MOST)
    fresh: Fresh | None = None
    if isinstance(what, Race):
        name, race, memory = "race", what, memory or "sc"
        wanted = tuple(always) if not callable(always) else ()
    else:
        scenario = booted(what if isinstance(what, Scenario) else load(what), version, defects)
        name, memory = scenario.name, memory or scenario.memory
        machine, specs = staged(scenario, patches, overlay)
        race = race_of(machine, specs)
        judge = Judge(machine, race, specs, tuple(properties))
        wanted = tuple(always(machine) if callable(always) else always)
    shown = Progress(always=progress)
    search = Search(
        race,
        judge,
        tso=memory == "tso",
        reduction=reduction,
        preemptions=preemptions,
        always=wanted,
        executions=executions,
        progress=shown,
    )
    try:
        search.run()
    finally:
        shown.close()
    if not isinstance(what, Race):
        buffered = tuple(sorted(search.automata.shared)) if memory == "tso" else ()

        def fresh(schedule: Schedule, racing: tuple[int, ...]) -> "Machine":
            again, specs = staged(scenario, patches, overlay)
            again.command("race", specs, buffered, schedule, racing)
            return again

    return Exploration(name, memory, search, race, fresh)


def staged(scenario: Scenario, patches: int | None, overlay: Overlay | None) -> "tuple[Machine, tuple[Spec, ...]]":
    """A machine after the scenario's setup, and the threads of its race. Raises AvicError where that cannot be."""
    if not scenario.race:
        raise scenario.source.error((), "there is no [race] to explore")
    runner = Runner(scenario, patches, overlay)
    runner.stage()
    if runner.result.stopped:
        raise AvicError(f"{scenario.name}: the setup stopped: {runner.result.stopped}")
    return runner.machine, cast(runner)


def booted(scenario: Scenario, version: str | None, defects: Iterable[str] | None) -> Scenario:
    """The scenario with another version of the series, or other defects, than its file asks for."""
    boot = dict(scenario.boot)
    if version is not None:
        boot["version"] = version
    if defects is not None:
        boot["defects"] = [defects] if isinstance(defects, str) else list(defects)
    return replace(scenario, boot=boot)

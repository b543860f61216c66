"""What an exploration found: figures, a verdict, and the shortest counterexample as an ordinary trace on a machine.

Does not model: how it is drawn (`diagram`).
"""

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from avickit.bits import Shown
from avickit.errors import AvicError
from avickit.lab.explore.order import predecessors, quiet, races_of
from avickit.lab.explore.race import Race
from avickit.lab.explore.replay import Schedule, beats_of, record
from avickit.lab.explore.search import Found, Search
from avickit.lab.explore.state import Step
from avickit.lab.trace import Beat, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avickit.lab.machine import Machine


Fresh: TypeAlias = "Callable[[Schedule, tuple[int, ...]], Machine]"
"""Makes a machine on which an order has just happened; the two steps that race are marked in its trace."""


class Exploration(Shown):
    """`result.ok`, `.verdict`, `.executions`, `.states`, `.finals`, `.bad`; `.machine`, `.trace`, `.diagram` if not ok.

    `executions` are orders played to their end, `finals` distinct final states, `bad` those of them that violate a
    property, by its name. `orders` is the number of all orders where all were counted. `complete` says that
    nothing was left out; `interrupted` that somebody pressed Ctrl-C.
    """

    def __init__(self, name: str, memory: str, search: Search, race: Race, fresh: "Fresh | None") -> None:
        self.name, self.memory, self.race = name, memory, race
        self.executions, self.steps = search.executions, search.steps
        self.states = getattr(search.walk, "states", search.steps + 1)
        self.redundant: int = getattr(search.walk, "blocked", 0)
        self.orders: int | None = getattr(search.walk, "orders", 0) or None
        self.finals = len(search.ends)
        self.complete, self.interrupted = search.complete, search.interrupted
        self.reduced, self.preemptions = search.reduction, search.preemptions
        self.bad: Mapping[str, int] = dict(search.tally())
        self.shared = tuple(sorted(search.automata.shared))
        self._search, self._fresh = search, fresh
        self._found = search.found

    @property
    def ok(self) -> bool:
        """Nothing was found. Only with `complete` does it say that there is nothing."""
        return not self._found

    @property
    def verdict(self) -> str:
        """`pass`, the names of the violated properties, or `unfinished`."""
        if self._found:
            return ", ".join(self._found)
        return "pass" if self.complete else "unfinished"

    @property
    def says(self) -> str:
        """What is wrong, in a sentence; empty if nothing is."""
        return self.shortest.says if self._found else ""

    @cached_property
    def shortest(self) -> Found:
        """The violation after the fewest beats, with the fewest switches between threads among those."""
        if not self._found:
            raise AvicError(f"{self.name}: nothing was found, so there is no counterexample")
        count = len(self.race.threads)
        least = min(found[0].beats for found in self._found.values())
        same = [found for kept in self._found.values() for found in kept if found.beats == least]
        told = [found._replace(path=tuple(quiet(needed(found, count, self._search), count))) for found in same]
        return min(told, key=lambda found: switches(found.path, count))

    @cached_property
    def schedule(self) -> Schedule:
        """The counterexample as data: who goes on for how many beats."""
        return tuple((step.process, step.beats) for step in self.shortest.path)

    @cached_property
    def machine(self) -> "Machine":
        """A machine on which the counterexample has just happened; its trace begins with the setup."""
        if self._fresh is None:
            raise AvicError(f"{self.name}: bare programs have a trace, but no machine")
        return self._fresh(self.schedule, self.racing_steps or ())

    @cached_property
    def trace(self) -> Trace:
        """The counterexample's beats."""
        return self.machine.trace if self._fresh else record(self.race, self.buffered, self.schedule)

    @property
    def buffered(self) -> tuple[int, ...]:
        """The places whose stores wait in store buffers."""
        return self.shared if self.memory == "tso" else ()

    @cached_property
    def first(self) -> int:
        """The first beat of the race in the trace."""
        return self.trace.commands[-1].first + 1 if self._fresh else 1

    @property
    def opens(self) -> int:
        """The beat at which a stepper opens: the first of the two that race."""
        return self.racing[0] if self.racing else self.first

    def beat_of(self, step: int) -> int:
        """The number in the trace of the first beat of a step of the counterexample."""
        return self.first - 1 + beats_of(self.schedule, len(self.race.threads))[step]

    @cached_property
    def racing_steps(self) -> tuple[int, int] | None:
        """The two steps that race: done in the other order, and all else as it was, nothing goes wrong."""
        path = list(self.shortest.path)
        pairs = races_of(path, len(self.race.threads))
        return next((pair for pair in pairs if self._search.ends_well(path, *pair)), pairs[0] if pairs else None)

    @property
    def racing(self) -> tuple[int, int] | None:
        """The two beats that race, by their numbers in the trace."""
        steps = self.racing_steps
        return (self.beat_of(steps[0]), self.beat_of(steps[1])) if steps else None

    @property
    def beats(self) -> list[Beat]:
        """The beats of the race, without the setup."""
        return [self.trace[n] for n in range(self.first, len(self.trace) + 1)]

    def data(self) -> dict[str, Any]:
        """The result as plain data, for JSON."""
        found = (
            "verdict",
            "ok",
            "says",
            "memory",
            "executions",
            "states",
            "finals",
            "orders",
            "complete",
            "interrupted",
        )
        data = {"format": 1, "name": self.name} | {key: getattr(self, key) for key in found}
        data |= {"reduced": self.reduced, "redundant": self.redundant, "preemptions": self.preemptions}
        data |= {"bad": dict(self.bad), "counterexample": None}
        if not self.ok:
            beats = [
                {"n": b.n, "actor": b.actor, "kind": b.kind, "place": b.place, "say": b.say, "rule": b.rule}
                for b in self.beats
            ]
            data["counterexample"] = {"schedule": self.schedule, "racing": self.racing, "beats": beats}
        return data

    def __repr__(self) -> str:
        counted = f"{self.orders or self.executions:,} orders, {self.finals:,} final states"
        more = "" if self.preemptions is None else f", at most {self.preemptions} preemptions"
        more += "" if self.complete else ", not finished"
        return f"<{self.name}, {self.memory}: {self.verdict}; {counted}{more}>"

    def __str__(self) -> str:
        from avickit.lab.explore.diagram import diagram

        return repr(self)[1:-1] if self.ok else f"{repr(self)[1:-1]}\n{self.says}\n\n{diagram(self)}"


def needed(found: Found, count: int, search: Search) -> list[Step]:
    """The steps that must have happened: all of them at an end, else those before the last."""
    path = list(found.path)
    if not any(predicate.name == found.name for predicate in search.always):
        return path
    before = predecessors(path, count)[-1]
    last = path[-1]._replace(beats=min(path[-1].beats, 1))  # what it takes along has not happened yet
    return [*(step for i, step in enumerate(path[:-1]) if before >> i & 1), last]


def switches(path: tuple[Step, ...], count: int) -> int:
    """How often another thread goes on; drains do not count."""
    threads = [step.process for step in path if step.process < count]
    return sum(a != b for a, b in itertools.pairwise(threads))

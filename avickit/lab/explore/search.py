"""The search for what can go wrong in a race: every order, or every order with few preemptions, judged at its end.

Deterministic: the same race gives the same figures and the same counterexample. Does not model: the threads
(`automaton`), their memory (`state`), nor how orders are enumerated (`dpor`, `full`).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab.explore.automaton import Automata
from avickit.lab.explore.dpor import Reduced
from avickit.lab.explore.full import Full
from avickit.lab.explore.order import Judge, other_order
from avickit.lab.explore.race import Race
from avickit.lab.explore.state import State, Step
from avickit.lab.explore.unfold import Restart

if TYPE_CHECKING:
    from avickit.lab.explore.progress import Progress

MANY = 16
"""So many shortest counterexamples are kept, to choose the one with the fewest switches from."""
LOOK_UP = 256
"""After so many steps the limits and the progress are looked at."""


class Predicate(NamedTuple):
    """What must hold on the way, too: a name, the places it reads, and a function of a look at them.

    `holds(look)` is asked after each step that changed one of the places: `look(place)` is what it holds then.
    """

    name: str
    places: tuple[int, ...]
    holds: Callable[[Callable[[int], Any]], object]


class Limit(Exception):
    """So many orders or steps were asked for, and there are more."""


class Found(NamedTuple):
    """An order that violates a property: which, how, after how many beats, its steps."""

    name: str
    says: str
    beats: int
    path: tuple[Step, ...]


class Search:
    """One exploration. The figures can be read at any time; `complete` says that nothing was left out."""

    def __init__(
        self,
        race: Race,
        judge: Judge,
        *,
        tso: bool,
        reduction: bool = True,
        preemptions: int | None = None,
        always: tuple[Predicate, ...] = (),
        executions: int | None = None,
        progress: "Progress | None" = None,
    ) -> None:
        self.judge, self.always, self.limit, self.progress = judge, always, executions, progress
        self.reduction, self.preemptions = reduction and preemptions is None, preemptions
        self.watched = frozenset(place for predicate in always for place in predicate.places)
        self.automata = Automata(race, tso=tso, shared=self.watched)
        self.complete, self.interrupted = False, False
        while not self.begin():
            pass

    def begin(self) -> bool:
        """Forget everything but which places are shared; false if more of them show up at once."""
        self.executions = self.steps = 0
        self.ends: dict[Any, dict[str, str]] = {}
        self.found: dict[str, list[Found]] = {}
        try:
            self.automata.forget()
        except Restart:
            return False
        self.state = State(self.automata)
        self.walk: Reduced | Full = (
            Reduced(self.state, self.watched) if self.reduction else Full(self.state, self.preemptions)
        )
        return True

    def run(self) -> "Search":
        """Explore to the end, to the limit, or until somebody presses Ctrl-C."""
        try:
            while not self.complete:
                self.once()
        except Limit:
            pass
        except KeyboardInterrupt:
            self.interrupted = True
        return self

    def once(self) -> None:
        """One try; another one is due if a place turns out to be shared."""
        try:
            self.explore()
            self.complete = True
        except Restart:
            while not self.begin():
                pass

    def explore(self) -> None:
        """All ends."""
        if self.watched:
            self.on_the_way(None)
        for _ in self.walk.run(self.after):
            self.executions += 1
            key = self.state.ended()
            wrong = self.ends.get(key)
            if wrong is None:
                wrong = self.ends[key] = self.judge(self.state)
            for name, says in wrong.items():
                self.keep(name, says)
            if self.limit is not None and self.executions >= self.limit:
                raise Limit

    def after(self, step: Step) -> None:
        """After each step."""
        self.steps += 1
        if self.progress is not None and not self.steps % LOOK_UP:
            self.progress.show(self)
        if step.write in self.watched:
            self.on_the_way(step)

    def on_the_way(self, step: Step | None) -> None:
        """Ask the predicates."""
        for predicate in self.always:
            if not predicate.holds(self.look(predicate)):
                self.keep(predicate.name, f"{predicate.name} does not hold")

    def look(self, predicate: Predicate) -> Callable[[int], Any]:
        """Memory, as far as the predicate has said that it reads it."""

        def look(place: int) -> Any:
            if place not in predicate.places:
                raise AvicError.of(f"{predicate.name} looks at place", place, "a place that it declares")
            return self.state.at[place]

        return look

    def keep(self, name: str, says: str) -> None:
        """A violation: kept if no shorter one is known."""
        path = self.walk.path
        beats = sum(step.beats or 1 for step in path)
        known = self.found.setdefault(name, [])
        if known and (beats > known[0].beats or (beats == known[0].beats and len(known) >= MANY)):
            return
        if known and beats < known[0].beats:
            known.clear()
        known.append(Found(name, says, beats, tuple(path)))

    def tally(self) -> Mapping[str, int]:
        """For each property the number of distinct final states that violate it."""
        return Counter(name for wrong in self.ends.values() for name in wrong)

    def ends_well(self, path: list[Step], i: int, j: int) -> bool:
        """Whether nothing goes wrong where step j of an order comes before step i."""
        try:
            return other_order(State(self.automata), path, i, j, self.judge)
        except Restart:
            return False

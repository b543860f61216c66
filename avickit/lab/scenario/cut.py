"""One order of a race that the plain telling does not have: an actor stops at a beat, the others act, it goes on.

Done by a fork inside an algorithm. Does not model: orders of more than two switches, and store buffers; they are the
race explorer's.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError
from avickit.lab.scenario.result import Told
from avickit.lab.scenario.run import Runner

if TYPE_CHECKING:
    from avickit.lab.scenario.file import Scenario


class CutRunner(Runner):
    """A telling in which `cut["actor"]` stops after the nth beat of a rule, counted from its first step."""

    def __init__(self, scenario: "Scenario", patches: int | None, cut: Mapping[str, Any]) -> None:
        super().__init__(scenario, patches)
        self.cut = cut

    def one_after_the_other(self) -> None:
        """The actor as far as the beat, the others to their end, then the rest of it."""
        race, actor = self.scenario.race, self.cut["actor"]
        if actor not in race:
            raise AvicError.of("actor of the race", actor, " ".join(race) or "a scenario with a race")
        before = len(self.machine.trace)
        stopped: int | None = None
        for index, step in enumerate(race[actor]):
            self.steps(("race", actor), [step])
            beat = self.nth_beat(before)
            if beat is not None:
                self.back_to(beat)
                stopped = index
                break
        if stopped is None:
            raise AvicError(f"{actor} has no beat {self.cut['nth']} of {self.cut['rule']}: it ends before")
        for other, steps in race.items():
            if other != actor:
                self.steps(("race", other), steps)
        self.tell(f"{actor} goes on", self.machine.finish)
        self.steps(("race", actor), race[actor][stopped + 1 :])

    def nth_beat(self, before: int) -> int | None:
        """The number of the beat after which the actor stops, if it has come."""
        left = self.cut["nth"]
        for n, raw in enumerate(self.machine.trace.raw, 1):
            left -= n > before and raw[0].rule == self.cut["rule"]
            if not left:
                return n
        return None

    def back_to(self, beat: int) -> None:
        """The machine as it was after the beat; the actor stands inside its step."""
        last = self.result.story.pop()
        self.result.story.append(Told(f"{last.text} (as far as beat {beat})", last.first, beat))
        self.machine = self.result.machine = self.machine.fork(beat)
        self.result.handles.clear()
        for domain in self.xen.domains:
            self.result.add(domain)

"""A moment of a machine: what its places hold after a beat, and what they held at the earlier one we compare with.

Does not model: moments that were not recorded; of a machine without a complete recording only the present can be seen.
"""

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from avickit.errors import AvicError
from avickit.lab import names
from avickit.lab.machine import Machine
from avickit.lab.xen import XenHandle


@dataclass(frozen=True)
class Moment:
    """The machine after `beat`, with the changes since beat `since`; `at` and `before` hold all places."""

    machine: Machine
    beat: int
    since: int
    at: list[Any]
    before: list[Any]
    told: bool
    """Whether a single beat was asked for: then the place that it looks at is marked as well."""
    kept: Collection[str] = ()
    """The places of a story, by name: their rows are there at every moment of it, whatever they hold."""

    @property
    def note(self) -> str:
        """Which moment it is and what is marked, in a few words."""
        if self.beat == self.since:
            known = self.machine.trace.complete and self.machine.engine.recording
            return f"after beat {self.beat}" if known else "now, beyond the recording"
        if self.beat == self.since + 1:
            return f"after beat {self.beat}; * marks what it changed"
        return f"after beat {self.beat}; * marks what beats {self.since + 1} to {self.beat} changed"

    @cached_property
    def looked_at(self) -> str:
        """The place that the beat is about, if a single one was asked for."""
        return self.machine.trace[self.beat].place if self.told and self.beat else ""

    def name(self, place: int) -> str:
        """The full name of a place, as beats call it."""
        return names.long(self.machine.world, place)

    def title(self, place: int) -> str:
        """The name of the page that begins at this place."""
        return names.owner(self.machine.world, place)


def moment(machine: Machine, beat: int | None = None, since: int | None = None) -> Moment:
    """The machine after a beat (now, if not given).

    Changes are counted since `since`; not given: by that beat alone, or, if it is now, by the last command.
    Raises AvicError for a beat that was not recorded.
    """
    trace = machine.trace
    now = len(trace)
    if not trace.complete or not machine.engine.recording:
        if beat is not None or since is not None:
            raise AvicError("a look at an earlier beat needs a complete recording: a higher limit, or record=True")
        return Moment(machine, now, now, machine.world.at, machine.world.at, told=False)
    told = beat is not None and since is None
    if since is None:
        since = trace.commands[-1].first if beat is None and trace.commands else max((beat or 0) - 1, 0)
    beat = now if beat is None else beat
    at = machine.world.at if beat == now else trace.state(beat)
    if not 0 <= since <= beat:
        raise AvicError.of("since", since, f"a beat from 0 to {beat}")
    before = at if since == beat else trace.state(since)
    return Moment(machine, beat, since, at, before, told)


def past(m: Moment) -> Machine:
    """The machine as it was at a moment: to be looked at, not to be used."""
    if m.at is m.machine.world.at:
        return m.machine
    then = copy(m.machine)
    then.world = copy(m.machine.world)
    then.world.at = m.at
    then.world.see = m.at
    if then.xen:
        then.xen = XenHandle(then)
    return then

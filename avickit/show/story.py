"""A stretch of a trace with the pages it plays on: for each beat what happened and what there is to see.

This is what a stepper steps through, whatever it is made of. Does not model: widgets (see `stepper`, `live`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.lab.sources import Spot, spots
from avickit.lab.trace import Beat
from avickit.show.model import Sheet
from avickit.show.moment import Moment, moment
from avickit.show.sheets import Page, sheet


class Frame(NamedTuple):
    """What there is to see at one beat: the beat, and the pages with its changes marked."""

    beat: Beat
    sheets: tuple[Sheet, ...]


class Story:
    """The beats `first` to `last` of a machine's trace on some pages; without pages on those of the first two vCPUs.

    Each page shows the places that any of these beats looks at or changes; a `wide` one all its places, with those
    never folded. Raises AvicError for beats that are not
    there.
    """

    def __init__(
        self,
        machine: Machine,
        pages: Sequence[Page] = (),
        first: int | None = None,
        last: int | None = None,
        *,
        wide: bool = False,
    ) -> None:
        trace = machine.trace
        self.machine, self.wide = machine, wide
        self.pages = tuple(pages) or usual_pages(machine)
        self.last = len(trace) if last is None else last
        self.first = (trace.commands[-1].first + 1 if trace.commands else 1) if first is None else first
        if not 1 <= self.first <= self.last <= len(trace):
            raise AvicError.of("beats", f"{self.first} to {self.last}", f"beats from 1 to {len(trace)}")
        self._frame: Frame | None = None
        self.places: dict[str, int] = {}
        for n in range(self.first, self.last + 1):
            beat = trace[n]
            held = [value for value in (beat.old, beat.new) if isinstance(value, int)]
            self.places[beat.place] = reduce(or_, held, self.places.get(beat.place, 0))

    def __len__(self) -> int:
        return self.last - self.first + 1

    def within(self, n: int) -> int:
        """The number of a beat that is told. Raises AvicError outside `first` to `last`."""
        if not self.first <= n <= self.last:
            raise AvicError.of("beat", n, f"{self.first} to {self.last}")
        return n

    def frame(self, n: int) -> Frame:
        """Beat `n` and the pages after it. Raises AvicError outside `first` to `last`."""
        self.within(n)
        if self._frame is None or self._frame.beat.n != n:
            then = moment(self.machine, n)
            sheets = tuple(self.sheet(then, page) for page in self.pages)
            self._frame = Frame(self.machine.trace[n], sheets)
        return self._frame

    @cached_property
    def spots(self) -> list[Spot]:
        """Where in the source the beats 1 to `last` come from."""
        return spots(self.machine, self.last)

    def sheet(self, then: Moment, page: Page) -> Sheet:
        """A page at a moment of the story: wide with all its rows, else with those that the story plays on."""
        seen = sheet(replace(then, kept=self.places), page)
        return replace(seen.keeping(self.places), note="") if self.wide else seen.only(self.places)


def usual_pages(machine: Machine) -> tuple[Page, ...]:
    """The first two vCPUs' pages, and with AVIC the physical table between them."""
    domains = machine.xen.domains if machine.xen else []
    if not domains:
        raise AvicError("there is no domain yet whose pages could be shown: xen.create_domain(vcpus=2)")
    pages = [v.page for v in domains[0].vcpus[:2]]
    try:
        return (pages[0], domains[0].physical_table, *pages[1:])
    except AvicError:
        return tuple(pages)

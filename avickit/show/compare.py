"""Two machines side by side, aligned by the steps of their programs: before and after, with AVIC and without.

    Compare(m5, m6, names=("patches=5", "patches=6"))

Where widgets run one can go from step to step, and from beat to beat, on both sides at once. Does not model: why they
differ; it says where, and with which beats it begins.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from avickit.errors import AvicError, in_range
from avickit.lab.aligned import Pair, align
from avickit.lab.machine import Machine
from avickit.lab.steps import Step
from avickit.lab.trace import Trace
from avickit.show.compare_html import compare_html
from avickit.show.compare_text import compare_text
from avickit.show.comparison import MEASURES, Comparison, side
from avickit.show.sheets import Page
from avickit.show.story import Story, usual_pages
from avickit.show.view import LiveForm, View


class Told(Protocol):
    """A stepper, or whatever else has a story."""

    @property
    def story(self) -> Story:
        """The story it tells."""


Side = Machine | Told | Trace


class Compare(View):
    """Two machines (or steppers, or traces of machines) that ran the same program, as they are now.

    `since` is the number of the first step that counts: 1 is the boot. `pages` are pairs of pages that the live form
    shows beside each other; without it those of the steppers, or of the first two vCPUs. Raises AvicError for what is
    no machine, for names that do not tell the sides apart, and where a recording is not complete.
    """

    title = "Comparison"

    def __init__(
        self,
        left: Side,
        right: Side,
        names: Sequence[str] = ("left", "right"),
        *,
        since: int = 1,
        pages: Sequence[tuple[Page, Page]] = (),
    ) -> None:
        traces = trace_of(left), trace_of(right)
        if len(names) != 2 or names[0] == names[1] or not all(names):
            raise AvicError.of("names", names, "two different names, of the left and the right side")
        aligned = align(*traces)
        in_range("since", since, 1, max(len(aligned), 1))
        self.comparison = Comparison(*traces, (str(names[0]), str(names[1])), aligned, since)
        self._by_name = not pages
        own = tuple(zip(*pages, strict=True)) or ((), ())
        self._sides = [(machine_of(one), mine or pages_of(one)) for one, mine in zip((left, right), own, strict=True)]

    @property
    def first(self) -> Pair | None:
        """The first step that differs in what guests notice, exits or outcome; else in anything; else None."""
        return self.comparison.first

    @property
    def first_beats(self) -> tuple[int | None, int | None]:
        """The beats with which that difference begins; None where only the other side has one."""
        return self.comparison.first_beats

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Exits, doorbells and beats of both sides."""
        return dict(zip(MEASURES, self.comparison.total().counts, strict=True))

    @property
    def text(self) -> str:
        """The comparison as text."""
        return compare_text(self.comparison)

    @property
    def html(self) -> str:
        """The comparison as static HTML."""
        return compare_html(self.comparison)

    def live_form(self) -> LiveForm | None:
        """Both stories as data for the browser; None if a side is a bare trace, or did nothing."""
        from avickit.show.live.compare import compare_data

        stories = [
            Story(machine, pages, beats[0], beats[-1])
            for which, (machine, pages) in enumerate(self._sides)
            if machine and (beats := beats_of(side(self.comparison.pairs, which)))
        ]
        if len(stories) < 2:
            return None
        data = compare_data(self.comparison, (stories[0], stories[1]), by_name=self._by_name)
        return LiveForm("compare", {"beat": data["jump"]["at"] or 1, "data": data})


def beats_of(steps: Iterable[Step]) -> list[int]:
    """All beats of some steps, in their order."""
    return sorted(n for step in steps for n in step.beats)


def machine_of(side: Side) -> Machine | None:
    """The machine of a side; None for a bare trace."""
    story = story_of(side)
    return story.machine if story else side if isinstance(side, Machine) else None


def story_of(side: Side) -> Story | None:
    """The story of a stepper."""
    story = getattr(side, "story", None)
    return story if isinstance(story, Story) else None


def pages_of(side: Side) -> tuple[Page, ...]:
    """The pages of a stepper, or the usual ones; none before there is a domain."""
    story = story_of(side)
    if story:
        return story.pages
    return usual_pages(side) if isinstance(side, Machine) and side.xen and side.xen.domains else ()


def trace_of(side: Side) -> Trace:
    """The trace of a machine, a stepper, or itself."""
    machine = machine_of(side)
    trace = side if machine is None else machine.trace
    if not isinstance(trace, Trace):
        raise AvicError.of("side of a comparison", side, "a Machine, a Stepper or the trace of a machine")
    return trace

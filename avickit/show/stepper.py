"""A stepper over a trace: the sentence of a beat, the pages it plays on side by side.

    Stepper(m, a.page, dom.physical_table, b.page, first=264)

Where widgets run it is live (`live`), with a timeline; elsewhere the same beat stands there as text or HTML. At any
beat one may ask what if somebody had acted there. Does not model: forks (`lab.what_if`).
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError, in_range
from avickit.lab.machine import Machine
from avickit.show.as_drawing import picture
from avickit.show.as_html import sheet_html
from avickit.show.as_text import sheet_text
from avickit.show.beats import beat_html, beat_text, change_text
from avickit.show.branches import Branch, branches_html, branches_text, room_for_one_more
from avickit.show.drawing import Drawing
from avickit.show.lanes_drawing import lanes
from avickit.show.prepared import prepared
from avickit.show.sheets import Page
from avickit.show.source import source_html, source_text
from avickit.show.story import Story
from avickit.show.tags import beside
from avickit.show.view import LiveForm, View

if TYPE_CHECKING:
    from avickit.lab.explore import Exploration


class Stepper(View):
    """Steps through beats `first` to `last` of a machine's trace (its last command, if not given), starting at `beat`.

    `pages` are pages, tables and VMCBs; without any, those of the first two vCPUs. Instead of a machine, `scenario`
    names a scenario that comes along, or a TOML file: it is told (with its own patches or with so many), and opens
    where the file says, or at `beat`. Of an exploration it shows the counterexample, from the first of the two beats
    that race. Raises AvicError for beats that are not there, and for what is no scenario.
    """

    def __init__(
        self,
        machine: "Machine | Exploration | None" = None,
        *pages: Page,
        scenario: str | Path | None = None,
        patches: int | None = None,
        first: int | None = None,
        last: int | None = None,
        beat: int | None = None,
    ) -> None:
        if (machine is None) == (scenario is None):
            raise AvicError.of("stepper", "both" if machine else "neither", "a machine or a scenario")
        if scenario is not None:
            place = prepared(scenario, patches)
            machine, self.title = place.machine, place.title
            beat = place.beat if beat is None else beat
            first = first or (place.first if beat is None or beat >= place.first else 1)
        elif patches is not None:
            raise AvicError.of("patches", patches, "nothing: the machine has booted already")
        if machine is not None and not isinstance(machine, Machine):
            first, beat = first or machine.first, machine.opens if beat is None else beat
            machine = machine.machine
        assert machine is not None
        self.branches: tuple[Branch, ...] = (Branch(Story(machine, pages, first, last)),)
        self._branch = 0
        self._beat = self.story.first
        self.beat = self.story.first if beat is None else beat

    @property
    def story(self) -> Story:
        """The story of the branch that is shown."""
        return self.branches[self.branch].story

    @property
    def branch(self) -> int:
        """The number of the branch that is shown, 0 for what really was; set it to go there: a live view follows."""
        return self._branch

    @branch.setter
    def branch(self, number: int) -> None:
        self.show(in_range("branch", number, 0, len(self.branches) - 1), self._beat)

    def what_if(self, beat: int, act: str, *given: Any) -> Branch:
        """What if somebody had acted after this beat of the branch that is shown: the view follows the new branch.

            s.what_if(17, "deschedule", b, "at once")
            s.what_if(17, "store", dom.physical_table, 2, "IS_RUNNING=0")

        `lab.acts` lists the acts: write, store, deschedule, run, ring, set_irq and others. The machine stays as it was,
        also inside an instruction, and the old branches stay selectable. Raises AvicError for an impossible act.
        """
        room_for_one_more(self.branches)
        made = self.branches[self.branch].what_if(beat, act, *given)
        self.branches = (*self.branches, made)
        self.show(len(self.branches) - 1, beat + 1)
        return made

    def show(self, branch: int, beat: int) -> None:
        """Go to a beat of a branch, or to the nearest one it has."""
        story = self.branches[branch].story
        self._branch, self._beat = branch, min(max(beat, story.first), story.last)
        if self._live is not None:
            self._live.take(self)

    @property
    def beat(self) -> int:
        """The beat that is shown; set it to go there: a live view follows."""
        return self._beat

    @beat.setter
    def beat(self, n: int) -> None:
        self._beat = self.story.within(n)
        if self._live is not None:
            self._live.beat = n

    @property
    def text(self) -> str:
        """What is shown, as text."""
        beat, sheets = self.story.frame(self.beat)
        came = source_text(self.story.spots[self.beat - 1])
        parts = [branches_text(self.branches, self.branch), f"{beat_text(beat)}\n  {came}"]
        return "\n\n".join([*filter(None, parts), *(sheet_text(sheet) for sheet in sheets)])

    @property
    def sentence(self) -> str:
        """The upper part as HTML: the beat."""
        return beat_html(self.story.frame(self.beat).beat)

    @property
    def panels(self) -> str:
        """The lower part as HTML: the pages."""
        return beside(sheet_html(sheet, narrow=True) for sheet in self.story.frame(self.beat).sheets)

    @property
    def source(self) -> str:
        """Between them as HTML, folded: the step that the beat comes from."""
        return source_html(self.story.spots[self.beat - 1])

    @property
    def html(self) -> str:
        """All of it, one above the other; on top the branches, if there are several."""
        return branches_html(self.branches, self.branch) + self.sentence + self.source + self.panels

    def drawing(self) -> Drawing:
        """The beat and its pages as a picture."""
        beat, sheets = self.story.frame(self.beat)
        came = source_text(self.story.spots[self.beat - 1])
        said = [f"{beat.kind}: {beat.say}", f"{beat.place}: {change_text(beat)}", f"{beat.rule}; {beat.cite}; {came}"]
        return picture(
            self.title,
            f"beat {beat.n} of {self.story.last}, {beat.actor}",
            sheets,
            said,
            partial(lanes, self.story, beat.n),
        )

    def live_form(self) -> LiveForm:
        """The story of each branch as data for the browser."""
        from avickit.show.live.what_if import traits_of

        return LiveForm("stepper", traits_of(self))

    def widget(self) -> Any:
        """A widget that follows the stepper, and is followed by it. Raises ImportError where widgets do not run."""
        widget = super().widget()
        widget.follow(self)
        return widget

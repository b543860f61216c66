"""A stepper over a trace: the sentence of a beat, the pages it plays on side by side.

    Stepper(m, a.page, dom.physical_table, b.page, first=264)

Where widgets run it is live (`live`), with a timeline; elsewhere the same beat stands there as text or HTML. Does not
model: what if.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show.as_html import sheet_html
from avickit.show.as_text import sheet_text
from avickit.show.beats import beat_html, beat_text
from avickit.show.prepared import prepared
from avickit.show.sheets import Page
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
        self.story = Story(machine, pages, first, last)
        self._beat = self.story.first
        self.beat = self.story.first if beat is None else beat

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
        return "\n\n".join([beat_text(beat), *(sheet_text(sheet) for sheet in sheets)])

    @property
    def sentence(self) -> str:
        """The upper part as HTML: the beat."""
        return beat_html(self.story.frame(self.beat).beat)

    @property
    def panels(self) -> str:
        """The lower part as HTML: the pages."""
        return beside(sheet_html(sheet, narrow=True) for sheet in self.story.frame(self.beat).sheets)

    @property
    def html(self) -> str:
        """Both, one above the other."""
        return self.sentence + self.panels

    def live_form(self) -> LiveForm:
        """The whole story as data for the browser."""
        from avickit.show.live.data import live_data

        return LiveForm("stepper", {"beat": self.beat, "data": live_data(self.story)})

    def widget(self) -> Any:
        """A widget that follows the stepper, and is followed by it. Raises ImportError where widgets do not run."""
        widget = super().widget()

        def hear(change: Any) -> None:
            self.beat = change["new"]

        widget.observe(hear, "beat")
        return widget

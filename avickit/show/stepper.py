"""A stepper over a trace: the sentence of a beat, the pages it plays on side by side.

    Stepper(m, a.page, dom.physical_table, b.page, first=264)

Where widgets run it is live (`live`), with a timeline; elsewhere the same beat stands there as text or HTML. Does not
model: what if.
"""

from typing import Any

from avickit.lab.machine import Machine
from avickit.show.as_html import sheet_html
from avickit.show.as_text import sheet_text
from avickit.show.beats import beat_html, beat_text
from avickit.show.sheets import Page
from avickit.show.story import Story
from avickit.show.tags import beside


class Stepper:
    """Steps through beats `first` to `last` of a machine's trace (its last command, if not given), starting at `beat`.

    `pages` are pages, tables and VMCBs; without any, those of the first two vCPUs. Raises AvicError for beats that are
    not there.
    """

    def __init__(
        self,
        machine: Machine,
        *pages: Page,
        first: int | None = None,
        last: int | None = None,
        beat: int | None = None,
    ) -> None:
        self._live: Any = None
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

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {"text/plain": self.text, "text/html": self.sentence + self.panels}
        try:
            from avickit.show.live.stepper import live  # widgets load when a stepper is first shown
        except ImportError:
            return bundle
        self._live = self._live or live(self)
        data, _ = self._live._repr_mimebundle_()
        return {**data, **bundle}

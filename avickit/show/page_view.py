"""One 4 KiB page as registers by bit: a backing page, a physical or logical table, a VMCB; any offset raw.

    PageView(b.page)                     now, with what the last command changed
    PageView(b.page, beat=273)           after beat 273, with what that beat changed
    PageView(b.page, since=250)          now, with all that changed since beat 250

Where widgets run it is live (`live`): it steps from change to change of the page. Does not model: several pages (see
`stepper`).
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

from avickit.errors import AvicError, in_range
from avickit.show.as_html import sheet_html
from avickit.show.as_text import sheet_text
from avickit.show.drawing import Drawing
from avickit.show.model import Sheet
from avickit.show.moment import Moment, moment
from avickit.show.sheets import EXPECTED, PAGES, Page, sheet
from avickit.show.story import Story
from avickit.show.tags import element, fold, text
from avickit.show.view import LiveForm, View

MOST_BEATS = 20_000
"""So many of the last beats can be stepped through in the live form."""
MOST_RAW = 24
"""So many raw lines are told in the static form."""
MOST_HTML = 27_000
"""A page that is so full goes without them."""
PAGE_BYTES = 4096


class PageView(View):
    """A page by its type. `beat`: after that beat (now, if not given); `since`: all changes after that beat marked.

    `at` is the offset where the raw lines of the live form open. Raises AvicError for what is no page, for beats that
    were not recorded, and for an offset outside the page.
    """

    def __init__(self, page: Page, *, beat: int | None = None, since: int | None = None, at: int = 0) -> None:
        self.at = in_range("offset", at, 0, PAGE_BYTES - 1)
        self.page, self.since = page, since
        self._asked = beat
        if not isinstance(page, PAGES):
            raise AvicError.of("page", page, EXPECTED)
        self.moment: Moment = moment(page._machine, beat, since)
        self.title = self.moment.title(page.place)

    @property
    def beat(self) -> int:
        """The beat that is shown; set it to go there: a live view follows."""
        return self.moment.beat

    @beat.setter
    def beat(self, n: int) -> None:
        since = self.since if self.since is not None and self.since <= n else None
        self.moment = moment(self.page._machine, n, since)
        self._asked = n
        if self._live is not None:
            self._live.beat = n

    @property
    def sheet(self) -> Sheet:
        """What there is to see."""
        if self.story is None:
            return sheet(self.moment, self.page)
        return self.story.sheet(self.moment, self.page)

    @property
    def text(self) -> str:
        """The page as text."""
        return sheet_text(replace(self.sheet, note=self.moment.note))

    @property
    def panel(self) -> str:
        """The page as HTML, its quiet registers folded."""
        return sheet_html(self.sheet)

    @property
    def raw(self) -> str:
        """Its lines of 16 bytes that hold something, as plain 32-bit words, folded."""
        lines = sheet_text(sheet(self.moment, self.page, raw=True)).split("\n")[1:]
        more = [f"... and {len(lines) - MOST_RAW} more lines"] if len(lines) > MOST_RAW else []
        return fold("raw, 16 bytes a line", element("pre", text("\n".join([*lines[:MOST_RAW], *more]))))

    @property
    def html(self) -> str:
        """Which moment it is, the page, and its raw lines, folded."""
        page = element("div", element("small", text(self.moment.note))) + self.panel
        return page + self.raw if len(page) < MOST_HTML else page

    def drawing(self) -> Drawing:
        """The page as a picture."""
        from avickit.show.as_drawing import picture

        return picture(self.title, self.moment.note, (self.sheet,))

    @cached_property
    def story(self) -> Story | None:
        """The beats that can be stepped through; None where nothing was recorded."""
        machine = self.page._machine
        last = len(machine.trace)
        if not last or not machine.trace.complete or not machine.engine.recording:
            return None
        first = max(min(max(last - MOST_BEATS, 0) + 1, self.moment.beat, self.moment.since), 1)
        return Story(machine, (self.page,), first, last, wide=True)

    def live_form(self) -> LiveForm | None:
        """The page at each of its changes as data for the browser."""
        if self.story is None:
            return None
        from avickit.show.live.page import page_data

        since = self.moment.since if self.since is not None or self._asked is None else None
        return LiveForm(
            "stepper", {"beat": max(self.beat, self.story.first), "data": page_data(self.story, since, self.at)}
        )

    def widget(self) -> Any:
        """A widget that follows the view, and is followed by it. Raises ImportError where widgets do not run."""
        widget = super().widget()
        if widget is not None:
            widget.observe(self._hear, "beat")
        return widget

    def _hear(self, change: Any) -> None:
        self.beat = change["new"]

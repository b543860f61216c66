"""A machine at a glance: cores with what they run, vCPUs, the pages' hot spots, the last exits, the console.

    m                             the last line of a cell: as things are now
    MachineView(m, beat=17)       as they were after that beat
    MachineView(m, follow=True)   in a notebook: as they are after each cell

Does not model: timelines (see `stepper`).
"""

from typing import Any

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show.glance import Glance, machine_html, machine_text, static
from avickit.show.moment import moment
from avickit.show.view import LiveForm, View


class MachineView(View):
    """A machine after a beat (now, if not given). With `follow` a live view goes with the machine, cell by cell.

    Raises AvicError for a beat that was not recorded, and for a beat together with `follow`.
    """

    title = "A machine at a glance"

    def __init__(self, machine: Machine, *, beat: int | None = None, follow: bool = False) -> None:
        if beat is not None and follow:
            raise AvicError.of("beat", beat, "none where the view follows the machine")
        self.machine = machine
        self.follow = follow
        self.glance = Glance(moment(machine, beat))

    def refresh(self) -> None:
        """Look at the machine as it is now; a live view shows it."""
        before, self.glance = self.glance, Glance(moment(self.machine))
        if self._live is not None:
            self._live.show(self.glance, before)

    @property
    def text(self) -> str:
        """What was seen, as text."""
        return machine_text(self.glance)

    @property
    def html(self) -> str:
        """What was seen, as static HTML."""
        return static(machine_html(self.glance))

    def live_form(self) -> LiveForm:
        """The picture, and for each vCPU its pages."""
        from avickit.show.live.picture import WORDS, picture

        shown = picture(self.glance, "")
        return LiveForm("machine", {"words": WORDS, "shown": shown, "follow": self.follow, "behind": 0, "asked": 0})

    def widget(self) -> Any:
        """A widget that can follow the machine. Raises ImportError where widgets do not run."""
        from avickit.show.live.machine import live

        return live(self)

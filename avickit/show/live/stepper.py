"""The live stepper: an anywidget around the data of a story. The browser steps; Python is told only the beat.

Does not model: what is shown (`data`, `lanes`), how it is drawn (`moves.js`, `timeline.js`, `parts.js`, `stepper.js`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from avickit.show.live.data import live_data

if TYPE_CHECKING:
    from avickit.show.stepper import Stepper

HERE = Path(__file__).parent
SCRIPTS = ("moves.js", "timeline.js", "parts.js", "stepper.js")
"""Read one behind the other: a bundle without a bundler."""


class LiveStepper(anywidget.AnyWidget):
    """The live form of a stepper. `beat` is shared by all its views and with Python; `data` never changes."""

    _esm = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    _css = (HERE / "stepper.css").read_text(encoding="utf-8")
    beat = traitlets.Int().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    @traitlets.validate("beat")
    def _within(self, proposal: Any) -> int:
        """A browser may ask for anything; it gets a beat that is there."""
        beat = int(proposal["value"])
        return min(max(beat, self.data["first"]), self.data["last"]) if self.data else beat


def live(stepper: "Stepper") -> LiveStepper:
    """The live form of a stepper, which follows the browser and is followed by it."""
    widget = LiveStepper(data=live_data(stepper.story), beat=stepper.beat)

    def follow(change: Any) -> None:
        stepper.beat = change["new"]

    widget.observe(follow, "beat")
    return widget

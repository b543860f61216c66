"""The widget of every live view: an anywidget around prepared data. The browser steps; Python is told only the beat.

Does not model: what is shown (`data`, `lanes`), how it is drawn (the scripts that `bundle` names).
"""

from functools import cache
from typing import Any

import anywidget
import traitlets

from avickit.show.live.bundle import script, style


class LiveView(anywidget.AnyWidget):
    """A live form. `beat` is shared by all its views and with Python; `data` never changes."""

    beat = traitlets.Int().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    @classmethod
    def of(cls, stem: str, **traits: Any) -> "LiveView":
        """The widget of a stem's files."""
        return kind(stem)(**traits)

    @traitlets.validate("beat")
    def _within(self, proposal: Any) -> int:
        """A browser may ask for anything; it gets a beat that is there."""
        beat = int(proposal["value"])
        story = self.story()
        return min(max(beat, story["first"]), story["last"]) if story else beat

    def story(self) -> dict[str, Any]:
        """The data that is shown."""
        return self.data


@cache
def kind(stem: str) -> type[LiveView]:
    """The widget class of a stem's files: anywidget wants them on the class."""
    from avickit.show.live.what_if import LiveStepper

    base = LiveStepper if stem == "stepper" else LiveView
    return type(f"Live_{stem}", (base,), {"_esm": script(stem), "_css": style(stem)})

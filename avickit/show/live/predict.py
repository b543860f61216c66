"""The widget of a gate: Python is told which option was chosen, and may choose, too.

Does not model: what is asked (`avickit.show.predict`), how it is drawn (`predict.js`).
"""

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from avickit.show.live.bundle import script, style

if TYPE_CHECKING:
    from avickit.show.predict import Predict


class LivePredict(anywidget.AnyWidget):
    """The live form of a gate. `chosen` is the number of an option, -1 before; all views and Python share it."""

    _esm = script("predict")
    _css = style("predict")
    chosen = traitlets.Int(-1).tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    @traitlets.validate("chosen")
    def _within(self, proposal: Any) -> int:
        """A browser may ask for anything; it gets an option that is there, or none."""
        chosen = int(proposal["value"])
        return chosen if 0 <= chosen < len(self.data.get("options", ())) else -1


def live(gate: "Predict") -> LivePredict:
    """The live form of a gate, which follows the browser and is followed by it."""
    options, traits = list(gate.options), gate.live_form().traits
    widget = LivePredict(data=traits["data"])
    widget.chosen = traits["chosen"]

    def follow(change: Any) -> None:
        gate.chosen = options[change["new"]] if change["new"] >= 0 else ""

    widget.observe(follow, "chosen")
    return widget

"""The live gate: options as buttons; a choice opens every why. Python is told which option, and may choose, too.

Does not model: what is asked (`avickit.show.predict`), how it is drawn (`predict.js`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from avickit.show.predict import ANSWER, lettered

if TYPE_CHECKING:
    from avickit.show.predict import Predict

HERE = Path(__file__).parent
WORDS = {
    "label": "Predict",
    "answer": ANSWER,
    "chosen": "your choice",
    "hide": "hide the answer",
    "said": "You chose {chosen}. The answer is {answer}.",
    "help": "Tab and Enter, or the letter, choose; Escape hides the answer",
}


class LivePredict(anywidget.AnyWidget):
    """The live form of a gate. `chosen` is the number of an option, -1 before; all views and Python share it."""

    _esm = (HERE / "predict.js").read_text(encoding="utf-8")
    _css = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("theme.css", "predict.css"))
    chosen = traitlets.Int(-1).tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    @traitlets.validate("chosen")
    def _within(self, proposal: Any) -> int:
        """A browser may ask for anything; it gets an option that is there, or none."""
        chosen = int(proposal["value"])
        return chosen if 0 <= chosen < len(self.data.get("options", ())) else -1


def live(gate: "Predict") -> LivePredict:
    """The live form of a gate, which follows the browser and is followed by it."""
    options = list(gate.options)
    data = {"question": gate.question, "options": lettered(gate), "answer": options.index(gate.answer), "words": WORDS}
    widget = LivePredict(data=data)
    widget.chosen = options.index(gate.chosen) if gate.chosen else -1

    def follow(change: Any) -> None:
        gate.chosen = options[change["new"]] if change["new"] >= 0 else ""

    widget.observe(follow, "chosen")
    return widget

"""The files of the live views, put one behind the other: a bundle without a bundler.

Does not model: widgets (`widget`); nothing is imported here but the standard library.
"""

from functools import cache
from pathlib import Path

from avickit.errors import AvicError

HERE = Path(__file__).parent
SCRIPTS: dict[str, tuple[str, ...]] = {
    "stepper": (
        *("keys.js", "common.js", "moves.js", "find.js", "memory.js", "stretch.js", "timeline.js", "parts.js"),
        *("detail.js", "slots.js", "chosen.js", "panes.js", "going.js", "stepper.js", "whatform.js", "whatif.js"),
    ),
    "compare": (
        *("keys.js", "common.js", "moves.js", "stretch.js", "timeline.js", "parts.js"),
        *("aligned.js", "beside.js", "compare.js"),
    ),
    "predict": ("keys.js", "common.js", "predict.js"),
    "machine": ("keys.js", "common.js", "machine.js"),
}
"""The scripts of each live form; the last one ends in `export default`."""
STEPPER = ("theme.css", "stepper.css", "timeline.css", "sheets.css", "places.css")
STYLES: dict[str, tuple[str, ...]] = {
    "stepper": (*STEPPER, "whatif.css"),
    "compare": (*STEPPER, "compare.css"),
    "predict": ("theme.css", "predict.css"),
    "machine": ("theme.css", "machine.css"),
}


@cache
def script(stem: str) -> str:
    """The JavaScript of a live form, one module. Raises AvicError for a stem that is none."""
    return read(SCRIPTS, stem)


@cache
def style(stem: str) -> str:
    """Its CSS."""
    return read(STYLES, stem)


def read(files: dict[str, tuple[str, ...]], stem: str) -> str:
    """The files of a stem as one text."""
    if stem not in files:
        raise AvicError.of("live view", stem, ", ".join(files))
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in files[stem])

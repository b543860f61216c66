"""What people look at: text and static HTML; a page, a stepper, a machine, a comparison. Standard library only.

    from avickit.show import PageView, Stepper, look

A sheet (`model`) is what there is to see of a page; `as_text` and `as_html` draw it; `stepper` steps through a trace.
Importing this room gives the handles of the lab their HTML form; what draws it loads when something is first shown.
Does not model: anything.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from avickit.bits import Shown

if TYPE_CHECKING:
    from avickit.show.compare import Compare
    from avickit.show.looks import Look, html, look, tally, text
    from avickit.show.machine import MachineView
    from avickit.show.page_view import PageView
    from avickit.show.predict import Predict
    from avickit.show.stepper import Stepper

__all__ = ["Compare", "Look", "MachineView", "PageView", "Predict", "Stepper", "html", "look", "tally", "text"]

_WHERE = {
    "Compare": "compare",
    "Look": "looks",
    "MachineView": "machine",
    "PageView": "page_view",
    "Predict": "predict",
    "Stepper": "stepper",
    "html": "looks",
    "look": "looks",
    "tally": "looks",
    "text": "looks",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: a Machine is ready before anybody wants to see it."""
    if name not in _WHERE:
        raise AttributeError(f"module 'avickit.show' has no attribute {name!r}")
    return getattr(import_module(f"avickit.show.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _form(thing: Any) -> str:
    from avickit.show.looks import html

    return html(thing)


def _forms_of_machine(machine: Any) -> dict[str, Any]:
    from avickit.show.machine import MachineView

    return MachineView(machine)._repr_mimebundle_()


Shown.form = staticmethod(_form)
Shown.live = staticmethod(_forms_of_machine)

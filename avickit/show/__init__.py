"""What people look at: text and static HTML; a page, a stepper, a machine, a comparison. Standard library only.

    from avickit.show import PageView, Stepper, look

A sheet (`model`) is what there is to see of a page; `as_text` and `as_html` draw it; `stepper` steps through a trace.
Importing this room gives the handles of the lab their HTML form. Does not model: anything.
"""

from avickit.bits import Shown
from avickit.show.compare import Compare
from avickit.show.looks import Look, html, look, tally, text
from avickit.show.machine import MachineView
from avickit.show.page_view import PageView
from avickit.show.predict import Predict
from avickit.show.stepper import Stepper

__all__ = ["Compare", "Look", "MachineView", "PageView", "Predict", "Stepper", "html", "look", "tally", "text"]

Shown.form = staticmethod(html)
Shown.live = staticmethod(lambda machine: MachineView(machine)._repr_mimebundle_())

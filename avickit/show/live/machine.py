"""The widget of a machine view: after each cell it is told how far the machine has gone on, and follows if it is to.

Does not model: what is shown (`picture`), how it is drawn (`machine.js`).
"""

import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import anywidget
import traitlets

from avickit.show.glance import Glance
from avickit.show.live.bundle import script, style
from avickit.show.live.picture import picture, said

if TYPE_CHECKING:
    from avickit.show.machine import MachineView


class LiveMachine(anywidget.AnyWidget):
    """`shown` is the picture: html, details by vCPU, what is said of it. `behind`: nanoseconds since it was taken."""

    _esm = script("machine")
    _css = style("machine")
    words = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    follow = traitlets.Bool().tag(sync=True)
    behind = traitlets.Int().tag(sync=True)
    asked = traitlets.Int().tag(sync=True)
    """Counts how often a browser has asked for the picture as it is now."""

    def show(self, now: Glance, before: Glance | None = None) -> None:
        """Show another picture, and say what is different."""
        self.behind = 0
        self.shown = picture(now, said(before, now) if before else "")


VIEWS: "WeakSet[MachineView]" = WeakSet()
SHELLS: WeakSet[Any] = WeakSet()
"""The notebooks' shells that tell us when a cell has run; one, but for tests."""


def live(view: "MachineView") -> LiveMachine:
    """The live form of a view."""
    widget = LiveMachine(**view.live_form().traits)

    def turn(change: Any) -> None:
        view.follow = bool(change["new"])
        after_cell()

    widget.observe(turn, "follow")
    widget.observe(lambda _: view.refresh(), "asked")
    VIEWS.add(view)
    listen()
    return widget


def listen() -> None:
    """Be told when a cell has run, where there are cells."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and shell not in SHELLS:
        SHELLS.add(shell)
        shell.events.register("post_run_cell", after_cell)


def after_cell(*_: Any) -> None:
    """Bring every view up to date that follows its machine; tell the others how far behind they are."""
    for view in list(VIEWS):
        behind = view.machine.clock - view.glance.clock
        if view._live is None or (behind == 0 and view._live.behind == 0):
            continue
        if view.follow:
            view.refresh()
        else:
            view._live.behind = behind

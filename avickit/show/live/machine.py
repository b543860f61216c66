"""The live form of a machine view: names of vCPUs are buttons that open their pages; after each cell it is told that
the machine has gone on, and follows if it is to.

Does not model: what is shown (`glance`), how it is drawn (`machine.js`).
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import anywidget
import traitlets

from avickit.lab.handles import VcpuHandle
from avickit.show.as_html import sheet_html
from avickit.show.exits import exit_lines
from avickit.show.glance import Glance, machine_html
from avickit.show.sheets import sheet
from avickit.show.tags import beside, cell, head, row, table

if TYPE_CHECKING:
    from avickit.show.machine import MachineView

HERE = Path(__file__).parent
LAST_EXITS = 3
WORDS = {
    "label": "Machine",
    "follow": "follow the machine",
    "now": "show it as it is now",
    "behind": "The machine has gone on by {ns} ns.",
    "detail": "pages and last exits of {name}",
    "close": "close",
    "help": "Tab or the arrows go from name to name, Enter opens its pages, Escape closes them",
}


class LiveMachine(anywidget.AnyWidget):
    """`shown` is the picture: html, details by vCPU, what is said of it. `behind`: nanoseconds since it was taken."""

    _esm = (HERE / "machine.js").read_text(encoding="utf-8")
    _css = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("theme.css", "machine.css"))
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
    widget = LiveMachine(words=WORDS, follow=view.follow)
    widget.show(view.glance)

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


def picture(glance: Glance, spoken: str) -> dict[str, Any]:
    """What the browser shows: the form with names marked, for each name its detail, what is to be spoken."""
    details = {v.name: detail(glance, v) for v in glance.vcpus}
    return {"html": machine_html(glance), "details": details, "said": spoken}


def detail(glance: Glance, v: VcpuHandle) -> str:
    """The pages of a vCPU and its last exits, newest first."""
    pages = beside(sheet_html(sheet(glance.then, page), narrow=True) for page in (v.page, v.vmcb))
    newest = list(enumerate(v.exits, v.exit_count - len(v.exits) + 1))[: -LAST_EXITS - 1 : -1]
    rows = [row([head(n, "row"), cell(" ".join(exit_lines(exit)), left=True)]) for n, exit in newest]
    return pages + (table("", [head("exit"), head("in words")], rows, prose=True) if rows else "")


def said(before: Glance, now: Glance) -> str:
    """What is different, in a sentence or two."""
    told = []
    for name, (state, count) in now.states.items():
        old, was = before.states.get(name, ("new", 0))
        if old != state:
            told.append(f"{name}: {old}, now {state}")
        if count > was:
            told.append(f"{name}: {count - was} more exits")
    return f"{now.headline}. {'; '.join(told) or 'No vCPU has changed its state'}."

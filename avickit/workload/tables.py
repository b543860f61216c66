"""The workload as tables: counts, and the closed form's account with sliders. Each is text and HTML (`show`).

Does not model: anything.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from avickit.show.tags import cell, head, panel, row, table, text
from avickit.show.view import View
from avickit.workload.closed import IPIS, UNEXPLAINED_US, WORK_US, closed_form, ipi_us
from avickit.workload.compare import NAMES
from avickit.workload.counts import counts
from avickit.workload.parameters import CELLS, Parameters


class Table(View):
    """A table with a title: columns, and rows of text; the first cell of a row names it."""

    def __init__(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.title, self.columns, self.rows = title, columns, rows

    @property
    def text(self) -> str:
        """Aligned."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.columns))]
        told = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([self.title, *told])

    @property
    def html(self) -> str:
        """A real table."""
        return panel(self.table)

    @property
    def table(self) -> str:
        """Without a frame."""
        rows = [row([head(line[0], "row"), *(cell(value, right=True) for value in line[1:])]) for line in self.rows]
        return table(text(self.title), [head(name) for name in self.columns], rows)


def count_table() -> Table:
    """What one interrupt costs, counted on the machine: by path and by what the target does."""
    columns = ("path", "target", "exits, sender", "exits, target", "doorbells", "physical IPIs", "beats")
    rows = []
    for (path, state), c in counts().items():
        sides = (exits_text(c.sender_exits), exits_text(c.target_exits))
        rows.append((path.value, state.value, *sides, *map(str, (c.doorbells, c.physical_ipis, c.beats))))
    return Table("One interrupt, counted", columns, rows)


def exits_text(found: Mapping[str, int]) -> str:
    """`3 NPF, 1 INTR`."""
    return ", ".join(f"{n} {name.removeprefix('VMEXIT_').removeprefix('AVIC_')}" for name, n in found.items()) or "none"


class Account(View):
    """The closed form as a table, cell by cell; where widgets run, with sliders for its numbers and for prices.

    `prices` are parameters to slide besides. It distributes what was measured; it predicts nothing.
    """

    def __init__(self, *prices: str, loops: int = 100_000) -> None:
        self.title = "The closed form: accounting, in seconds"
        self.prices, self.base = prices, Parameters(loops=loops)
        self.told: dict[str, float] = {"work_us": WORK_US, "ipis": IPIS, "unexplained_us": UNEXPLAINED_US}

    @property
    def shown(self) -> Table:
        """The table for the numbers as they stand."""
        rows = []
        for avic, pv in CELLS:
            p = self.base.but(avic=avic, pv=pv)
            a = closed_form(p, **self.told)
            parts = (a.work, a.interrupts, a.unexplained, a.seconds)
            rows.append((NAMES[avic, pv], f"{ipi_us(p):.1f}", *(f"{s:.0f}" for s in parts)))
        return Table(self.title, ("cell", "us an IPI", "work", "IPIs", "unexplained", "sum"), rows)

    @property
    def text(self) -> str:
        """The table as text."""
        return self.shown.text

    @property
    def html(self) -> str:
        """The table."""
        return self.shown.html

    def widget(self) -> Any:
        """Sliders above the table. Raises ImportError where widgets do not run."""
        import ipywidgets as w

        out = w.HTML(self.html)

        def slider(make: Callable[..., Any], name: str, words: str, now: float, most: float, step: float) -> Any:
            look = {"style": {"description_width": "14em"}, "layout": {"width": "38em"}}
            made = make(now, min=0, max=most, step=step, description=words, **look)
            made.observe(lambda change: self._slid(name, change.new, out), "value")
            return made

        sliders = [
            slider(partial(w.FloatSlider, readout_format=".4g"), name, SLIDERS[name][0], now, *SLIDERS[name][1:])
            for name, now in self.told.items()
        ]
        for name in self.prices:
            now = int(getattr(self.base, name))
            sliders.append(slider(w.IntSlider, name, f"{name}, cycles", now, max(3 * now, 1000), 50))
        return w.VBox([*sliders, out])

    def _slid(self, name: str, value: float, out: Any) -> None:
        if name in self.told:
            self.told[name] = value
        else:
            self.base = self.base.but(**{name: value})
        out.value = self.html


SLIDERS = {
    "work_us": ("work, us a message", 2, 0.001),
    "ipis": ("IPIs a message", 1, 0.0008),
    "unexplained_us": ("unexplained, us a message", 2, 0.001),
}
"""Words, greatest value and step. The numbers to begin with lie on steps, for a slider rounds what does not."""

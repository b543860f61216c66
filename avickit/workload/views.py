"""The workload as tables and pictures: counts, bands of seeds beside what was measured, the switch, an account.

Each has a text and a table as twins (`show`). Does not model: anything.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from avickit.show.figures import Figure
from avickit.show.figures.inks import ink, scales, words
from avickit.show.tags import cell, head, panel, row, table, text
from avickit.show.view import View
from avickit.workload.closed import IPIS, UNEXPLAINED_US, WORK_US, closed_form, ipi_us
from avickit.workload.compare import NAMES, Band, Cell, simulated
from avickit.workload.counts import counts
from avickit.workload.parameters import CELLS, Parameters
from avickit.workload.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


def bands(results: Sequence[Result], measured: Mapping[Cell, Band]) -> Figure:
    """Seconds of each cell: every seed's run and their mean, beside what was measured."""
    theirs = simulated(results)
    cells = [c for c in CELLS if c in measured and c in theirs]
    rows = [(NAMES[c], str(measured[c]), str(theirs[c])) for c in cells]
    twin = Table("", ("cell", "measured", "simulated"), rows)
    top = max(b.high for b in (*measured.values(), *theirs.values()))

    def draw(axes: "Axes") -> None:
        for n, c in enumerate(cells):
            seeds = [r.seconds for r in results if (r.parameters.avic, r.parameters.pv) == c]
            axes.plot(seeds, [n + 0.15] * len(seeds), "o", color=ink("blue"), fillstyle="none")
            axes.plot([theirs[c].low, theirs[c].high], [n + 0.15] * 2, "-", color=ink("blue"), linewidth=4, alpha=0.4)
            axes.plot([measured[c].mean], [n - 0.15], "D", color=ink("vermillion"))
        words(axes, (top, 2.6), "diamond: measured, mean of 10 runs", side="right")
        words(axes, (top, 2.9), "rings and bar: simulated, a ring a seed", side="right")
        axes.set_ylim(3.6, -0.6)
        axes.set_xlim(0, top * 1.05)
        marks = {float(s): str(s) for s in range(0, int(top) + 1, 100)}
        scales(axes, marks, {n: NAMES[c] for n, c in enumerate(cells)}, "seconds for 100000 loops")

    alt = "; ".join(f"{name}: measured {m}, simulated {s}" for name, m, s in rows)
    return Figure(draw, title="hackbench, measured and simulated", alt=f"Seconds by cell. {alt}.",
                  text=twin.text.lstrip(),
                  table=twin.table, size=(7.6, 3.4), margins=(1.6, 0.6, 0.3, 0.5))  # fmt: skip


def switch(results: Sequence[Result], name: str) -> Figure:
    """Wake-ups a message, each seed's, by one parameter: where batching turns into taking turns."""
    found: dict[int, list[float]] = {}
    for r in results:
        found.setdefault(int(getattr(r.parameters, name)), []).append(r.wakeups_per_message)
    points = sorted(found.items())
    rows = [(f"{x}", f"{min(y):.2f}", f"{sum(y) / len(y):.2f}", f"{max(y):.2f}") for x, y in points]
    twin = Table("", (f"{name}, cycles", "least", "mean", "greatest"), rows)

    def draw(axes: "Axes") -> None:
        for x, seeds in points:
            axes.plot([x] * len(seeds), seeds, "o", color=ink("blue"), fillstyle="none")
        axes.plot([x for x, _ in points], [sum(y) / len(y) for _, y in points], "-", color=ink("blue"), alpha=0.5)
        axes.set_ylim(0, 1)
        heights = {0.0: "0", 0.1: "0.1: batching", 0.5: "0.5", 0.9: "0.9: turns"}
        scales(axes, {float(x): str(x) for x, _ in points}, heights, f"{name}, cycles")

    alt = "; ".join(f"{x} cycles: {low} to {high}" for x, low, _, high in rows)
    return Figure(draw, title="Wake-ups for each message", alt=f"Wake-ups a message by {name}. {alt}.",
                  text=twin.text.lstrip(), table=twin.table, size=(7.6, 3.2), margins=(1.3, 0.6, 0.3, 0.5))  # fmt: skip


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

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {"text/plain": self.text, "text/html": self.html}
        try:
            self._live = self._live or self.widget()
        except ImportError:
            return bundle
        return {**self._live._repr_mimebundle_(), **bundle}

    def widget(self) -> Any:
        """Sliders above the table. Raises ImportError where widgets do not run."""
        import ipywidgets as w

        out = w.HTML(self.html)
        ranges = {"work_us": (0, 2), "ipis": (0, 1), "unexplained_us": (0, 2)}
        sliders = [self._slider(w.FloatSlider, name, ranges[name], self.told[name], 0.01) for name in self.told]
        for name in self.prices:
            now = int(getattr(self.base, name))
            sliders.append(self._slider(w.IntSlider, name, (0, max(3 * now, 1000)), now, 50))
        for slider in sliders:
            slider.observe(lambda change: self._slid(change.owner.description, change.new, out), "value")
        return w.VBox([*sliders, out])

    def _slider(self, make: Callable[..., Any], name: str, span: tuple[float, float], now: float, step: float) -> Any:
        return make(now, min=span[0], max=span[1], step=step, description=name, style={"description_width": "9em"})

    def _slid(self, name: str, value: float, out: Any) -> None:
        if name in self.told:
            self.told[name] = value
        else:
            self.base = self.base.but(**{name: value})
        out.value = self.html

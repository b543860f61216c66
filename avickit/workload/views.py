"""What of the workload is looked at: tables (`tables`), and two pictures, each with a text and a table as twins.

Does not model: anything.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from avickit.show.figures import Figure
from avickit.show.figures.inks import ink, scales, words
from avickit.workload.compare import NAMES, Band, Cell, simulated
from avickit.workload.parameters import CELLS
from avickit.workload.result import Result
from avickit.workload.tables import Account, Table, count_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Account", "Table", "bands", "count_table", "switch"]


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
        below = len(cells) - 0.2  # where no cell has its marks
        words(axes, (top, below), "diamond: measured, mean of 10 runs", side="right")
        words(axes, (top, below + 0.35), "rings and bar: simulated, a ring a seed", side="right")
        axes.set_ylim(below + 0.6, -0.6)
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

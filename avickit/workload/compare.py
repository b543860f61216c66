"""Measured times beside simulated ones, cell by cell: the series' table, or somebody's own.

A measured file is a CSV with the columns avic, xen_nopv and seconds, as data/hackbench.csv, and loops if they were not
100000; a cell may have several rows. Does not model: anything.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from avickit.errors import AvicError
from avickit.workload.formats import csv_rows
from avickit.workload.parameters import CELLS
from avickit.workload.result import Result
from avickit.workload.rows import as_many, flag

FULL = 100_000
"""The loops of the series' table; times of other lengths are scaled to it."""
Cell = tuple[bool, bool]
NAMES = {cell: f"{'AVIC' if cell[0] else 'no AVIC'}, {'PV' if cell[1] else 'xen_nopv'}" for cell in CELLS}


class Band(NamedTuple):
    """Seconds for 100000 loops: least, mean, greatest, and how many."""

    low: float
    mean: float
    high: float
    runs: int

    def __str__(self) -> str:
        if self.runs == 1:  # a file's one number may be the mean of many runs, as the series' are
            return f"{self.mean:.1f} s"
        return f"{self.mean:.1f} s ({self.low:.1f}..{self.high:.1f}, {self.runs} runs)"


class Line(NamedTuple):
    """A cell: what was measured, what was simulated, either perhaps missing."""

    cell: Cell
    measured: Band | None
    simulated: Band | None

    def __str__(self) -> str:
        ratio = f"{self.simulated.mean / self.measured.mean:.2f}" if self.simulated and self.measured else "-"
        said = [str(band) if band else "-" for band in (self.measured, self.simulated)]
        return f"{NAMES[self.cell]:<18} {said[0]:<34} {said[1]:<34} {ratio:>6}"


def measured(path: str | Path) -> dict[Cell, Band]:
    """The measured cells of a file. Raises AvicError naming the line and what is wrong."""
    found: dict[Cell, list[float]] = {}
    for n, row in csv_rows(Path(path), ("avic", "xen_nopv", "seconds")):
        where = f"{Path(path).name}, line {n}"
        as_many(row, len(row), where)
        try:
            cell = flag(row["avic"]), not flag(row["xen_nopv"])
            seconds, loops = float(row["seconds"]), int(row.get("loops") or FULL)
            scaled = seconds * FULL / loops if loops > 0 else 0
        except (ValueError, OverflowError) as error:
            raise AvicError(f"{where}: {error}") from error
        if not 0 < scaled < float("inf"):
            raise AvicError.of(f"{where}: seconds, loops", f"{seconds}, {loops}", "more than 0")
        found.setdefault(cell, []).append(scaled)
    if not found:
        raise AvicError.of(str(Path(path).name), "no row", "at least one measured cell")
    return {cell: band(values) for cell, values in found.items()}


def simulated(results: Iterable[Result]) -> dict[Cell, Band]:
    """The simulated cells, over all seeds."""
    found: dict[Cell, list[float]] = {}
    for r in results:
        found.setdefault((r.parameters.avic, r.parameters.pv), []).append(r.seconds * FULL / r.parameters.loops)
    return {cell: band(values) for cell, values in found.items()}


def band(values: Sequence[float]) -> Band:
    """Of some values."""
    return Band(min(values), sum(values) / len(values), max(values), len(values))


def compare(mine: dict[Cell, Band], results: Iterable[Result]) -> list[Line]:
    """A line for each cell of either."""
    theirs = simulated(results)
    return [Line(cell, mine.get(cell), theirs.get(cell)) for cell in CELLS if cell in mine or cell in theirs]


HEAD = f"{'cell':<18} {'measured, for 100000 loops':<34} {'simulated':<34} {'ratio':>6}"

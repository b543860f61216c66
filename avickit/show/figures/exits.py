"""Exits by cause as bars, run beside run or vCPU beside vCPU.

Does not model: what an exit costs.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show.exits import counts, tally_html, tally_text
from avickit.show.figures.figure import Figure
from avickit.show.figures.inks import HATCHES, ink, scales, words
from avickit.show.overview import all_vcpus
from avickit.silicon.parts import Exit
from avickit.silicon.vmexit import KEEP_EXIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR = 0.26
"""Inches for each bar."""


def exits_by_cause(machine: Machine | None = None, **runs: Sequence[Exit]) -> Figure:
    """How often each kind of #VMEXIT came: of a machine's vCPUs, or of runs by name (`_` stands for a blank).

    `exits_by_cause(m)`; `exits_by_cause(without_AVIC=exits0, with_AVIC=exits10)`. A machine's exits are counted in
    its recording, which must be complete. Raises AvicError for neither, both, or more runs than there are patterns.
    """
    if (machine is None) == (not runs):
        raise AvicError("exits_by_cause: a machine, or runs by name: exits_by_cause(before=..., after=...)")
    told = {name.replace("_", " "): tuple(exits) for name, exits in runs.items()} if machine is None else noted(machine)
    if not 1 <= len(told) <= len(HATCHES):
        raise AvicError.of("runs", len(told), f"1 to {len(HATCHES)}, as many as there are patterns")
    found = counts(told)
    rows = [(name, numbers) for name, _, numbers in found[:-1]]
    total = ", ".join(f"{name} {n}" for name, n in zip(told, found[-1][2], strict=True))
    each = "; ".join(f"{name}: {', '.join(map(str, numbers))}" for name, numbers in rows) or "no exit at all"
    return Figure(
        lambda axes: bars(axes, list(told), rows),
        title="#VMEXITs by cause",
        alt=f"Bars, exits by cause. All exits: {total}. {each}.",
        text=tally_text(told),
        table=tally_html(told),
        size=(7.6, 1.2 + BAR * max(len(rows), 2) * (len(told) + 1)),
        margins=(2.5, 0.5, 1.6, 0.45),
    )


def noted(machine: Machine) -> Mapping[str, Sequence[Exit]]:
    """The exits of each vCPU, from the trace: a vCPU itself remembers its last 256."""
    if not machine.trace.complete or not machine.engine.recording:
        raise AvicError("exits_by_cause needs a complete recording: a higher limit, or record=True")
    of = {v.vcpu.guest.exits: v.name for v in all_vcpus(machine)}
    found: dict[str, list[Exit]] = {name: [] for name in of.values()}
    for site, place, _, new, _, _ in machine.trace.raw:
        if site is KEEP_EXIT and place in of:
            found[of[place]].append(new[-1])
    return found


def bars(axes: "Axes", names: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> None:
    """A group for each cause, a bar for each run, its number at its end; what is which run at the right."""
    thick = 1 / (len(names) + 1)
    most = max((n for _, numbers in rows for n in numbers), default=1)
    for i, name in enumerate(names):
        look: dict[str, Any] = {"facecolor": ink(i), "edgecolor": "black", "hatch": HATCHES[i], "linewidth": 0.8}
        at = [row + (i + 0.5 - len(names) / 2) * thick for row in range(len(rows))]
        numbers = [row[1][i] for row in rows]
        axes.barh(at, numbers, thick, **look)
        for y, n in zip(at, numbers, strict=True):
            words(axes, (n, y), str(n), side="left", shift=(4, 0))
        axes.barh(-0.25 + 0.4 * i, most * 0.08, 0.25, left=most * 1.15, clip_on=False, **look)
        words(axes, (most * 1.25, -0.25 + 0.4 * i), name, side="left")
    axes.set_ylim(max(len(rows), 0.4 * len(names)) - 0.5, -0.5)
    axes.set_xlim(0, most * 1.1)
    scales(axes, {0: "0", most: str(most)}, {row: name for row, (name, _) in enumerate(rows)}, "exits")

"""An IPI as a sequence diagram: cores and pages as life lines, the beats that matter as arrows between them.

Does not model: every beat (`look(m.trace)`), and which beats belong to one IPI: it tells a stretch of the trace.
"""

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from avickit.beat import SIGNAL
from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.lab.trace import Beat
from avickit.manual.exits import exit_name
from avickit.manual.vectors import vectors_of
from avickit.show.figures.figure import Figure
from avickit.show.figures.inks import ink, words
from avickit.show.overview import all_vcpus
from avickit.show.tags import cell, head, row, table, text
from avickit.show.writing import vectors
from avickit.silicon import deliver, doorbell, vmexit, vmrun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 20
"""So many arrows are told."""
SETS = ("IRR", "ISR")
COMMAND = ("ICRL", "ICRH", "EOI")
INK = {"write": "black", "set": "blue", "signal": "reddish purple", "exit": "vermillion", "enter": "bluish green"}
DASH = {"write": "-", "set": "-", "signal": "--"}
MARK = {"exit": "v", "enter": "^", "signal": "s"}
"""For what stays on its line: an exit, an entry, a core that rings itself."""
GREY = (0.45, 0.45, 0.45)


class Arrow(NamedTuple):
    """A beat as an arrow: from a core to a page, a core or itself."""

    beat: int
    source: str
    target: str
    kind: str
    words: str
    rule: str


def sequence(machine: Machine, *, first: int | None = None, last: int | None = None) -> Figure:
    """Beats `first` to `last` of the trace (not given: the last command's) as arrows, at most 20 of them.

    Arrows are: writes of ICR and EOI, changes of IRR and ISR, doorbells and interrupts between cores, exits and
    entries. Raises AvicError for beats that are not there, and where none of them is such a beat.
    """
    trace = machine.trace
    last = len(trace) if last is None else last
    first = (trace.commands[-1].first + 1 if trace.commands else 1) if first is None else first
    if not 1 <= first <= last <= len(trace):
        raise AvicError.of("beats", f"{first} to {last}", f"beats from 1 to {len(trace)}")
    found = arrows(machine, first, last)
    if not found:
        raise AvicError.of("beats", f"{first} to {last}", "some that write ICR, IRR, ISR or EOI, ring, exit or enter")
    told, more = found[:MOST], len(found) - MOST
    lines = life_lines(machine, told)
    note = f", the first {MOST} of {len(found)} arrows" if more > 0 else ""
    steps = "; ".join(f"{a.source}{f' to {a.target}' if a.target != a.source else ''}: {a.words}" for a in told)
    return Figure(
        lambda axes: diagram(axes, lines, told),
        title=f"Beats {first} to {last}{note}",
        alt=f"Sequence diagram of {len(told)} arrows between {', '.join(lines)}. {steps}.",
        text=listing(told),
        table=listed(told),
        size=(max(4.5, 1.9 * len(lines) + 0.6), 1.1 + 0.34 * len(told)),
        margins=(0.1, 0.1, 0.1, 0.4),
    )


def arrows(machine: Machine, first: int, last: int) -> list[Arrow]:
    """The beats of a stretch that are arrows."""
    pages = {v.page.place: f"{v.name} page" for v in all_vcpus(machine)}
    cores = {core.signals: f"core {core.index}" for core in machine.world.objects["cores"]}
    found = []
    for n in range(first, last + 1):
        site, place, old, new, _, actor = machine.trace.raw[n - 1]
        page = next((name for start, name in pages.items() if 0 <= place - start < machine.world.page_places), "")
        if actor < 0 and site.do is not SIGNAL:
            continue
        beat = machine.trace[n]
        if site is vmexit.KEEP_EXIT:
            found.append(Arrow(n, beat.actor, beat.actor, "exit", f"#VMEXIT {exit_name(int(new[-1].code))}", beat.rule))
        elif site is vmrun.ENTER:
            found.append(Arrow(n, beat.actor, beat.actor, "enter", "VMRUN: guest mode", beat.rule))
        elif site.do is SIGNAL and place in cores:
            words = "doorbell" if site is doorbell.RING else "interrupt"
            found.append(Arrow(n, beat.actor, cores[place], "signal", words, beat.rule))
        elif page and old != new:
            found += written(beat, page, "EOI: " if site is deliver.CLEAR_ISR else "")
    return found


def written(beat: Beat, page: str, why: str) -> list[Arrow]:
    """A change of a page as an arrow, if it is one of the registers that the story is told with."""
    name = beat.place.rpartition(" ")[2]
    if name in SETS:
        came, went = vectors(vectors_of(beat.new & ~beat.old), "+"), vectors(vectors_of(beat.old & ~beat.new), "-")
        change = f"{why}{name} {', '.join(filter(None, (came, went)))}"
        return [Arrow(beat.n, beat.actor, page, "set", change, beat.rule)]
    if name in COMMAND:
        return [Arrow(beat.n, beat.actor, page, "write", f"{name} = {beat.new:X}h", beat.rule)]
    return []


def life_lines(machine: Machine, told: list[Arrow]) -> list[str]:
    """Those that come up: each core with the page of the vCPU of its number behind it."""
    order = ["world"]
    vcpus = [f"{v.name} page" for v in all_vcpus(machine)]
    for pair in zip_longest((f"core {i}" for i in range(machine.config["cores"])), vcpus):
        order += [name for name in pair if name]
    return [name for name in order if any(name in (a.source, a.target) for a in told)]


def listing(told: list[Arrow]) -> str:
    """The arrows as text."""
    columns = zip(*((a.source, a.target, a.words) for a in told), strict=True)
    one, other, words = (max(map(len, column)) for column in columns)
    lines = (f"{a.source:<{one}} -> {a.target:<{other}}  {a.words:<{words}}  {a.rule}" for a in told)
    return "\n".join(f"{a.beat:>6}  {line}" for a, line in zip(told, lines, strict=True))


def listed(told: list[Arrow]) -> str:
    """The same as a table."""
    rows = []
    for a in told:
        rows.append(row([head(a.beat, "row"), *(cell(x, left=True) for x in (a.source, a.target, a.words, a.rule))]))
    return table(text("the arrows"), [head(c) for c in ("beat", "from", "to", "what", "rule")], rows)


def diagram(axes: "Axes", lines: list[str], told: list[Arrow]) -> None:
    """Life lines from left to right, arrows from above, the beat's number at the left."""
    axes.set_axis_off()
    axes.set_xlim(-0.6, len(lines) - 0.35)
    axes.set_ylim(len(told) + 0.2, -1.2)
    for x, name in enumerate(lines):
        core = not name.endswith("page")
        axes.plot([x, x], [-0.5, len(told)], color=GREY, linewidth=1, linestyle="-" if core else (0, (4, 3)), zorder=0)
        axes.plot([x - 0.38, x + 0.38], [-0.5, -0.5], color="black", linewidth=2.5 if core else 1)
        words(axes, (x, -0.5), name, shift=(0, 9), bold=True)
    for y, arrow in enumerate(told):
        words(axes, (-0.55, y + 0.3), str(arrow.beat), side="left", size=8)
        draw_arrow(axes, arrow, lines.index(arrow.source), lines.index(arrow.target), y + 0.3)


def draw_arrow(axes: "Axes", arrow: Arrow, source: int, target: int, y: float) -> None:
    """One arrow with its words above it; one that stays on its line is a mark there."""
    colour = ink(INK[arrow.kind])
    if source == target:
        axes.plot([source], [y], marker=MARK[arrow.kind], color=colour, markeredgecolor="black", markersize=9)
        words(axes, (source, y), arrow.words, side="left", shift=(9, 0))
        return
    axes.plot([source, target], [y, y], color=colour, linestyle=DASH[arrow.kind], linewidth=1.6)
    axes.plot([target], [y], marker=">" if target > source else "<", color=colour, markersize=7)
    words(axes, ((source + target) / 2, y), arrow.words, shift=(0, 7))

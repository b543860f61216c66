"""The PPR of a vCPU over time, as it stands in its page: which vectors could interrupt, and when.

Does not model: the priority rules (`silicon.deliver`); a guest that is not running has the PPR that was last written.
"""

from typing import TYPE_CHECKING, NamedTuple

from avickit.errors import AvicError
from avickit.lab.handles import VcpuHandle
from avickit.lab.machine import Machine
from avickit.manual.apic import Offset
from avickit.show.figures.figure import Figure
from avickit.show.figures.inks import ink, scales, words
from avickit.show.tags import cell, head, row, table, text
from avickit.show.writing import vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 40
"""So many steps are listed in the twins; the picture draws all."""
CLASS = 0x10


class Step(NamedTuple):
    """From this beat and time on, PPR has this value."""

    beat: int
    time: int
    value: int


def ppr_over_time(machine: Machine, vcpu: VcpuHandle, *, first: int = 1, last: int | None = None) -> Figure:
    """PPR from beat `first` to `last` (the newest, if not given). APM2 15.29.5, H-PRIO-1.

    Raises AvicError for beats that were not recorded, and for a vCPU of another machine.
    """
    if vcpu._machine is not machine:
        raise AvicError.of("vCPU", vcpu.name, "one of this machine's")
    last = len(machine.trace) if last is None else last
    if not 1 <= first <= last <= len(machine.trace):
        raise AvicError.of("beats", f"{first} to {last}", f"beats from 1 to {len(machine.trace)}")
    found = steps(machine, vcpu.page.place + (Offset.PPR >> 4), first, last)
    end = machine.trace.raw[last - 1][4]
    highest = max(found, key=lambda step: step.value)
    said = f"highest {vector(highest.value)} from {highest.time} ns, at the end {vector(found[-1].value)}"
    return Figure(
        lambda axes: staircase(axes, found, end),
        title=f"PPR of {vcpu.name}, beats {first} to {last}",
        alt=f"Staircase of PPR over time in {len(found) - 1} steps: begins at {vector(found[0].value)}, {said}.",
        text=listing(found),
        table=listed(found),
        size=(7.6, 3.0),
        margins=(1.0, 0.55, 0.3, 0.5),
    )


def steps(machine: Machine, place: int, first: int, last: int) -> list[Step]:
    """The value before the first beat, and each change."""
    before = machine.trace.state(first - 1)
    found = [Step(first - 1, machine.trace.raw[first - 2][4] if first > 1 else 0, int(before[place]))]
    for n in range(first, last + 1):
        _, where, _, new, time, _ = machine.trace.raw[n - 1]
        if where == place and new != found[-1].value:
            found.append(Step(n, time, int(new)))
    return found


def let_through(value: int) -> str:
    """What a PPR lets through: vectors of a higher class interrupt."""
    blocked = value & 0xF0
    return (
        "every vector from 10h can interrupt"
        if not blocked
        else (f"vectors from {vector(blocked + CLASS)} can interrupt" if blocked < 0xF0 else "no vector can interrupt")
    )


def listing(found: list[Step]) -> str:
    """The steps as text."""
    lines = [f"{'beat':>6}  {'ns':>8}  PPR"]
    lines += [f"{s.beat:>6}  {s.time:>8}  {vector(s.value)}  {let_through(s.value)}" for s in found[:MOST]]
    return "\n".join(lines + ([f"... {len(found) - MOST} more steps"] if len(found) > MOST else []))


def listed(found: list[Step]) -> str:
    """The same as a table."""
    rows = []
    for s in found[:MOST]:
        so = cell(let_through(s.value), left=True)
        rows.append(row([head(s.beat, "row"), cell(s.time, right=True), cell(vector(s.value)), so]))
    rows += [row([cell(f"... {len(found) - MOST} more steps", left=True)])] if len(found) > MOST else []
    return table(text("PPR after each change"), [head(c) for c in ("beat", "ns", "PPR", "so")], rows)


def staircase(axes: "Axes", found: list[Step], end: int) -> None:
    """The steps, the ground below them hatched: what PPR holds back."""
    times, values = [s.time for s in found] + [end], [s.value for s in found] + [found[-1].value]
    axes.step(times, values, where="post", color="black", linewidth=1.8)
    axes.fill_between(times, values, step="post", facecolor=ink("sky blue"), edgecolor="black", hatch="//", linewidth=0)
    for s, until in zip(found, times[1:], strict=True):
        if s.value and (until - s.time) * 20 > times[-1] - times[0]:
            words(axes, (s.time, s.value), vector(s.value), side="left", shift=(0, 7))
    top = max(0x40, max(values) + CLASS)
    axes.set_ylim(0, top)
    axes.set_xlim(times[0], max(times[-1], times[0] + 1))
    across: dict[float, str] = {time: str(time) for time in (times[0], (times[0] + times[-1]) // 2, times[-1])}
    upwards: dict[float, str] = {value: vector(value) for value in range(0, top + 1, 0x20 if top <= 0x80 else 0x40)}
    scales(axes, across, upwards, "time (ns)")
    words(axes, (0, 1), "PPR", side="right", shift=(-7, 9), where="axes fraction", bold=True)

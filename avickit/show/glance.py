"""What there is to see of a machine at a moment, and its text and HTML.

In the HTML each name of a vCPU carries `data-for`, of which the live form makes buttons; `static` takes it off. Does
not model: the live form.
"""

import re
from dataclasses import replace

from avickit.show.exits import exit_lines
from avickit.show.hotspots import named, spots, spots_html, spots_text
from avickit.show.moment import Moment, past
from avickit.show.overview import LINE, MOST, VCPU_COLUMNS, all_vcpus, headline, lines_text, vcpu_row
from avickit.show.states import chip, core_state
from avickit.show.tags import beside, box, cell, element, fold, head, panel, row, table, text

MOST_EXITS = 6
"""So many vCPUs' last exits are told."""
LAST_LINES = 3
"""So many lines of the console are shown at once, `MOST` on request."""
CORE_COLUMNS = ("core", "host APIC ID", "state", "runs")
MARK = re.compile(r' data-for="[^"]*"')
"""In text that is escaped there is no such thing."""


class Glance:
    """A machine at a moment: everything is read now, nothing later."""

    def __init__(self, then: Moment) -> None:
        if then.at is then.machine.world.at:  # a copy, for the machine goes on
            then = replace(then, at=then.at.copy())
        self.then, machine = then, past(then)
        self.clock = machine.clock
        self.headline = f"{headline(machine)}, {then.beat} beats"
        cores = [(core, *core_state(machine, core.index)) for core in machine.world.objects["cores"]]
        self.cores = [(f"core {core.index}", str(core.host_apic_id), state, who) for core, state, who in cores]
        vcpus = all_vcpus(machine)
        self.vcpus = vcpus[:MOST]
        self.more_vcpus = len(vcpus) - len(self.vcpus)
        self.waiting = [v for v in vcpus if v.core is None]
        self.rows = [vcpu_row(v) for v in self.vcpus]
        self.states = {v.name: (v.state, v.exit_count) for v in vcpus}
        exited = [v for v in vcpus if v.exits]
        self.exits = [(v.name, " ".join(exit_lines(v.exits[-1]))) for v in exited[:MOST_EXITS]]
        self.more_exits = len(exited) - len(self.exits)
        self.spots = spots(machine, then)
        self.console = [line[:LINE] for line in machine.xen.console] if machine.xen else []

    @property
    def told_cores(self) -> list[tuple[str, str, str, str]]:
        """The cores that are told: of very many, those that are not idle first."""
        if len(self.cores) <= MOST:
            return self.cores
        kept = set(sorted(range(len(self.cores)), key=lambda i: self.cores[i][2] == "idle")[:MOST])
        return [core for i, core in enumerate(self.cores) if i in kept]


def static(html: str) -> str:
    """The static form of `machine_html`."""
    return MARK.sub("", html)


def machine_text(g: Glance) -> str:
    """Everything as aligned text."""
    lines = [g.headline, *lines_text(CORE_COLUMNS, [(*c[:3], c[3] or "-") for c in g.told_cores])]
    lines += [f"... and {len(g.cores) - MOST} more"] if len(g.cores) > MOST else []
    lines += lines_text(VCPU_COLUMNS, g.rows) if g.rows else []
    lines += [f"... and {g.more_vcpus} more"] if g.more_vcpus else []
    lines += spots_text(g.then.note, *g.spots)
    for name, words in g.exits:
        lines.append(f"last exit of {name}: {words}")
    lines += [f"... and of {g.more_exits} more"] if g.more_exits else []
    lines += g.console[-LAST_LINES:]
    return "\n".join(lines)


def machine_html(g: Glance) -> str:
    """The same as HTML: boxes for the cores, tables for the rest."""
    parts = [element("b", text(g.headline)), cores_html(g), vcpus_html(g)]
    parts += [spots_html(g.then.note, *g.spots), exits_html(g), console_html(g)]
    return panel("".join(parts))


def cores_html(g: Glance) -> str:
    """A box for each core with what it runs, and one for the vCPUs that no core runs."""
    boxes = [core_html(*core) for core in g.told_cores]
    if len(g.cores) > MOST:
        boxes.append(panel(text(f"and {len(g.cores) - MOST} more cores")))
    if g.waiting:
        said = [element("div", f"{named(v.name, v.name)} {chip(v.state)}") for v in g.waiting[:MOST]]
        more = len(g.waiting) - MOST
        said += [element("div", text(f"and {more} more"))] if more > 0 else []
        boxes.append(panel(element("small", text("on no core")) + "".join(said)))
    return beside(boxes)


def core_html(name: str, apic_id: str, state: str, who: str) -> str:
    """One core."""
    lead = element("b", text(name)) + " " + element("small", text(f"host APIC ID {apic_id}"))
    runs = element("div", text("runs ") + named(who, who)) if who else ""
    return panel(f"{lead}<div>{chip(state)}</div>{runs}")


def vcpus_html(g: Glance) -> str:
    """A row for each vCPU."""
    rows = []
    for v, cells in zip(g.vcpus, g.rows, strict=False):
        lead = box("th", named(v.name, v.name), left=True, scope="row")
        rest = [box("td", chip(c), left=True) if c == v.state else cell(c, left=True) for c in cells[1:]]
        rows.append(row([lead, *rest]))
    if g.more_vcpus:
        rows.append(row([cell(f"... and {g.more_vcpus} more", left=True)]))
    return table("", [head(c) for c in VCPU_COLUMNS], rows) if rows else ""


def exits_html(g: Glance) -> str:
    """The last #VMEXIT of each vCPU in words."""
    rows = [row([head(name, "row"), cell(words, left=True)]) for name, words in g.exits]
    if g.more_exits:
        rows.append(row([head("...", "row"), cell(f"and of {g.more_exits} more", left=True)]))
    return table("", [head("vCPU"), head("last exit")], rows, prose=True) if rows else ""


def console_html(g: Glance) -> str:
    """The last lines of the console; more of them on request."""
    if not g.console:
        return ""
    shown = element("pre", text("\n".join(g.console[-LAST_LINES:])))
    older = g.console[-MOST:-LAST_LINES]
    said = f"console, {len(g.console)} lines; {len(older)} lines before these"
    return (fold(said, element("pre", text("\n".join(older)))) if older else element("small", text("console"))) + shown

"""A domain and a vCPU at a glance: who runs where, what is pending, the last exit.

Does not model: the whole machine (`glance`), timelines (the live views' matter).
"""

from collections.abc import Sequence

from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.machine import Machine
from avickit.lab.stats import Counters
from avickit.manual.exits import exit_name
from avickit.show.exits import exit_lines
from avickit.show.statistics import Statistics, statistics_table, statistics_text
from avickit.show.tags import cell, element, head, panel, row, table, text
from avickit.show.writing import vectors

MOST = 16
"""So many cores, vCPUs and console lines are shown."""
LINE = 160
"""And so much of a console line."""
VCPU_COLUMNS = ("vCPU", "APIC ID", "state", "core", "pending (IRR)", "in service (ISR)", "PPR", "exits", "last exit")


def vcpu_row(v: VcpuHandle) -> list[str]:
    """A vCPU in one line, by `VCPU_COLUMNS`."""
    core = "-" if v.core is None else str(v.core)
    last = exit_name(int(v.exits[-1].code)) if v.exits else "-"
    page = v.page
    sets = [vectors(found, most=4) or "-" for found in (page.irr, page.isr)]
    return [v.name, str(v.apic_id), v.state, core, *sets, f"{page.ppr:02X}h", str(v.exit_count), last]


def all_vcpus(m: Machine) -> list[VcpuHandle]:
    """Every vCPU of the machine."""
    return [v for d in m.xen.domains for v in d.vcpus] if m.xen else []


def lines_html(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text, its first column naming the row."""
    shown = [row([head(r[0], "row"), *(cell(c, left=True) for c in r[1:])]) for r in rows[:MOST]]
    if len(rows) > MOST:
        shown.append(row([cell(f"... and {len(rows) - MOST} more", left=True)]))
    return table("", [head(c) for c in columns], shown)


def lines_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The same as aligned text."""
    shown = [columns, *rows[:MOST]]
    widths = [max(len(r[i]) for r in shown) for i in range(len(columns))]
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(r, widths, strict=True)).rstrip() for r in shown]
    return lines + ([f"... and {len(rows) - MOST} more"] if len(rows) > MOST else [])


def headline(m: Machine) -> str:
    """What machine it is."""
    booted = f"Xen with {m.xen.patches} patches" if m.xen else "not booted"
    return f"{m.config['cores']} cores, {m.config['cpu']}, {booted}, {m.clock} ns"


def vcpu_html(v: VcpuHandle) -> str:
    """One vCPU and its last exit in words."""
    parts = [lines_html(VCPU_COLUMNS, [vcpu_row(v)])]
    if v.exits:
        parts.append(element("div", text("last exit: " + " ".join(exit_lines(v.exits[-1])))))
    return panel("".join(parts))


def vcpu_text(v: VcpuHandle) -> str:
    """The same as text."""
    last = ["last exit: " + " ".join(exit_lines(v.exits[-1]))] if v.exits else []
    return "\n".join([*lines_text(VCPU_COLUMNS, [vcpu_row(v)]), *last])


def counted(d: DomainHandle) -> Statistics:
    """The counters of patch 10, where there are some."""
    found = {v.vcpu.vcpu_id: Counters(**v.stats) for v in d.vcpus if v.stats}
    return {d.domain.index: found} if found else {}


def domain_html(d: DomainHandle) -> str:
    """The vCPUs of a domain and, from patch 10 on, their statistics."""
    lead = element("b", text(repr(d).strip("<>")))
    parts = [lead, lines_html(VCPU_COLUMNS, [vcpu_row(v) for v in d.vcpus])]
    return panel("".join(parts) + (statistics_table(counted(d)) if counted(d) else ""))


def domain_text(d: DomainHandle) -> str:
    """The same as text."""
    lines = [repr(d).strip("<>"), *lines_text(VCPU_COLUMNS, [vcpu_row(v) for v in d.vcpus])]
    return "\n".join(lines + ([statistics_text(counted(d))] if counted(d) else []))

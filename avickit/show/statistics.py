"""The statistics of patch 10 as a table: by vCPU and in all, of a domain of ours or from somebody's dump.

Does not model: counting (`series.p10_statistics`), reading a dump (`lab.stats`).
"""

from collections.abc import Mapping, Sequence

from avickit.lab.stats import Counters
from avickit.show.tags import cell, head, row, table, text

Statistics = Mapping[int, Mapping[int, Counters]]
"""Domain, vCPU, its four counters: what `lab.stats.parse` gives."""
MEANING = {
    "incomp_ipi": "exits 401h: interrupts that hardware could not deliver to every target",
    "noaccel": "exits 402h: accesses to registers that hardware does not serve alone",
    "post_intr": "interrupts that Xen newly set in IRR",
    "doorbell": "doorbells that Xen rang for it",
}
MOST = 16
"""So many vCPUs are listed; all of them are summed."""


def lines(found: Statistics) -> list[tuple[str, Sequence[int]]]:
    """A line for each vCPU, the sum last."""
    each = [(f"d{d}v{v}", counters) for d, vcpus in sorted(found.items()) for v, counters in sorted(vcpus.items())]
    left = [(f"... {len(each) - MOST} more", ())] if len(each) > MOST else []
    return [*each[:MOST], *left, ("all", [sum(counts) for counts in zip(*(c for _, c in each), strict=True)])]


def statistics_text(found: Statistics) -> str:
    """The counters as aligned text."""
    shown = [("vCPU", Counters._fields), *((name, [f"{n:,}" for n in counts]) for name, counts in lines(found))]
    return "\n".join(f"{name:<12}" + "".join(f"{n:>12}" for n in counts) for name, counts in shown)


def statistics_table(found: Statistics) -> str:
    """The same as a table."""
    columns = [head("vCPU"), *(head(name, title=MEANING[name]) for name in Counters._fields)]
    rows = [row([head(name, "row"), *(cell(f"{n:,}", right=True) for n in counts)]) for name, counts in lines(found)]
    return table(text("AVIC statistics"), columns, rows)

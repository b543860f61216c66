"""A machine at a glance as data for the browser: the form with names marked, and for each name its pages.

Does not model: widgets (`machine`).
"""

from typing import Any

from avickit.lab.handles import VcpuHandle
from avickit.show.as_html import sheet_html
from avickit.show.exits import exit_lines
from avickit.show.glance import Glance, machine_html
from avickit.show.sheets import sheet
from avickit.show.tags import beside, cell, head, row, table

LAST_EXITS = 3
WORDS = {
    "label": "Machine",
    "follow": "follow the machine",
    "now": "show it as it is now",
    "behind": "The machine has gone on by {ns} ns.",
    "lost": "The kernel is gone: the picture stays, and its pages open, but it follows no more.",
    "detail": "pages and last exits of {name}",
    "close": "close",
    "help": "Tab or the arrows go from name to name, Enter opens its pages, Escape closes them",
}
"""What the live form says."""


def picture(glance: Glance, spoken: str) -> dict[str, Any]:
    """What the browser shows: the form with names marked, for each name its detail, what is to be spoken."""
    details = {v.name: detail(glance, v) for v in glance.vcpus}
    return {"html": machine_html(glance), "details": details, "said": spoken}


def detail(glance: Glance, v: VcpuHandle) -> str:
    """The pages of a vCPU and its last exits, newest first."""
    pages = beside(sheet_html(sheet(glance.then, page), narrow=True) for page in (v.page, v.vmcb))
    newest = list(enumerate(v.exits, v.exit_count - len(v.exits) + 1))[: -LAST_EXITS - 1 : -1]
    rows = [row([head(n, "row"), cell(" ".join(exit_lines(exit)), left=True)]) for n, exit in newest]
    return pages + (table("", [head("exit"), head("in words")], rows, prose=True) if rows else "")


def said(before: Glance, now: Glance) -> str:
    """What is different, in a sentence or two."""
    told = []
    for name, (state, count) in now.states.items():
        old, was = before.states.get(name, ("new", 0))
        if old != state:
            told.append(f"{name}: {old}, now {state}")
        if count > was:
            told.append(f"{name}: {count - was} more exits")
    return f"{now.headline}. {'; '.join(told) or 'No vCPU has changed its state'}."

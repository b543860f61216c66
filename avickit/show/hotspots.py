"""The pages' hot spots: what the last command changed, and what holds something, for all pages of a machine.

Does not model: the pages themselves (`sheets`); `look(page)` shows one whole.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show.as_text import vectors_text
from avickit.show.model import Row
from avickit.show.moment import Moment
from avickit.show.overview import all_vcpus
from avickit.show.sheets import Page, sheet
from avickit.show.tags import NOWRAP, box, cell, element, head, row, table, text
from avickit.show.writing import digits

MOST = 12
"""So many pages are listed, those that changed before those that did not."""
MOST_CHANGED, MOST_HELD = 6, 8
"""So many places of a page are named."""


class Spot(NamedTuple):
    """A page with its places that changed, in words, and the names of those that hold something and did not."""

    title: str
    owner: str
    """The vCPU whose page it is, "" for a table."""
    changed: tuple[str, ...]
    held: tuple[str, ...]


def pages(machine: Machine) -> Iterator[tuple[str, Page]]:
    """Each page with its vCPU: backing pages and VMCBs, then the tables."""
    for v in all_vcpus(machine):
        yield v.name, v.page
        yield v.name, v.vmcb
    for domain in machine.xen.domains if machine.xen else []:
        try:
            tables = (domain.physical_table, domain.logical_table)
        except AvicError:
            continue  # without AVIC there are none
        yield from (("", found) for found in tables)


def spots(machine: Machine, then: Moment) -> tuple[list[Spot], int]:
    """The pages that are told, and how many are not."""
    found = [(owner, page, held(page, then.at), held(page, then.before)) for owner, page in pages(machine)]
    found = [line for line in found if any(line[2]) or any(line[3])]
    kept = sorted(range(len(found)), key=lambda i: found[i][2] == found[i][3])[:MOST]
    return [spot(owner, page, then) for owner, page, *_ in (found[i] for i in sorted(kept))], len(found) - len(kept)


def held(page: Page, places: Sequence[Any]) -> Sequence[Any]:
    """Everything that a page holds."""
    return places[page.place : page.place + page._machine.world.page_places]


def spot(owner: str, page: Page, then: Moment) -> Spot:
    """One page."""
    shown = sheet(then, page)
    rows = [
        (f"entry {r.name}" if group.shape == "entries" else r.name, r) for group in shown.groups for r in group.rows
    ]
    changed = [told(name, r) for name, r in rows if r.changed]
    holding = [
        told(name, r) if r.width > 64 else name for name, r in rows if r.value not in (0, r.rest) and not r.changed
    ]
    return Spot(shown.title, owner, few(changed, MOST_CHANGED), few(holding, MOST_HELD))


def told(name: str, r: Row) -> str:
    """A place with its value: `ISR 41h (+41h)`, `PPR 0000_0040`."""
    return f"{name} {vectors_text(r) if r.width > 64 else digits(r.value, r.width)}"


def few(names: list[str], most: int) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    more = len(names) - most
    return (*names[:most], *([f"and {more} more"] if more > 0 else []))


def spots_text(note: str, found: list[Spot], left: int) -> list[str]:
    """A line for each page, `*` before what changed."""
    if not found:
        return []
    width = max(len(s.title) for s in found)
    lines = [f"  {s.title:<{width}}  {'; '.join([*(f'* {c}' for c in s.changed), *s.held])}" for s in found]
    return [f"hot spots {note}", *lines, *([f"  ... {left} more"] if left else [])]


def spots_html(note: str, found: list[Spot], left: int) -> str:
    """The same as a table."""
    rows = []
    for s in found:
        changed = "; ".join(element("mark", text(f"* {c}")) for c in s.changed) or text("-")
        lead = box("th", named(s.owner, s.title), left=True, scope="row")
        rows.append(row([lead, box("td", changed, left=True), cell("; ".join(s.held) or "-", left=True)]))
    if left:
        rows.append(row([cell(f"... {left} more", left=True)]))
    return table(text(f"hot spots {note}"), [head(c) for c in ("page", "changed", "holds")], rows) if rows else ""


def named(owner: str, words: str) -> str:
    """Words that stand for a vCPU; the live form makes a button of them. (see `glance`)"""
    return element("b", text(words), NOWRAP, **{"data-for": owner} if owner else {})

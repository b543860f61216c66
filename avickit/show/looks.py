"""`look(...)`: anything of the machine, now or after any beat, as text and as HTML.

    look(b.page)                            now, with what the last command changed
    look(a.page, b.page, beat=273)          side by side after beat 273, with what that beat changed
    look(m.trace, since=263)                the beats after 263

Does not model: anything; a look is made at once and does not follow the machine.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from avickit.bits import Register
from avickit.errors import AvicError
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.machine import Machine
from avickit.lab.stats import Counters
from avickit.lab.trace import Beat, Trace
from avickit.show.apic import LEGEND
from avickit.show.as_html import sheet_html
from avickit.show.as_text import sheet_text
from avickit.show.beats import MOST_BEATS, beat_html, beat_text, listing_html, listing_text
from avickit.show.exits import exits_html, exits_text, tally_html, tally_text
from avickit.show.machine import MachineView
from avickit.show.moment import moment, past
from avickit.show.overview import domain_html, domain_text, vcpu_html, vcpu_text
from avickit.show.register import register_html
from avickit.show.sheets import PAGES, sheet
from avickit.show.statistics import statistics_table, statistics_text
from avickit.show.tags import beside, element, panel
from avickit.show.tags import text as text_of
from avickit.silicon.parts import Exit

Forms = tuple[str, str]
"""Text and HTML."""


class Look:
    """What was seen: its `repr` is the text form; a notebook shows the HTML form. Both are the same every time."""

    def __init__(self, forms: Sequence[Forms], lead: str = "") -> None:
        self.text = "\n\n".join(text for text, _ in forms)
        self.html = forms[0][1] if len(forms) == 1 else lead + beside(html for _, html in forms)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def look(*things: Any, beat: int | None = None, since: int | None = None, raw: bool = False) -> Look:
    """Pages, tables, VMCBs, vCPUs, domains, the machine, its trace, beats, exits, statistics, explorations, registers.

    `beat`: as things were after that beat; changes are marked that this beat made, or all since `since`. Without
    both, as things are, with what the last command changed. `raw`: a page by plain words. Raises AvicError for what
    has no look, and for beats that were not recorded.
    """
    if not things:
        raise AvicError.of("look", "nothing", "something to look at: look(b.page)")
    several = len(things) > 1
    pages = [thing for thing in things if isinstance(thing, PAGES)]
    lead = element("small", text_of(f"{moment(pages[0]._machine, beat, since).note}. {LEGEND}")) if pages else ""
    return Look([forms_of(thing, beat, since, raw=raw, narrow=several) for thing in things], lead)


def forms_of(
    thing: Any, beat: int | None = None, since: int | None = None, *, raw: bool = False, narrow: bool = False
) -> Forms:
    """The two forms of one thing; a narrow page leaves room for others."""
    if isinstance(thing, PAGES):
        seen = sheet(moment(thing._machine, beat, since), thing, raw=raw)
        return sheet_text(seen), sheet_html(seen, narrow=narrow)
    if isinstance(thing, Trace):
        return trace_forms(thing, beat, since)
    if isinstance(thing, Machine):
        view = MachineView(thing, beat=beat)
        return view.text, view.html
    if isinstance(thing, (DomainHandle, VcpuHandle)):
        text, html = next(forms for kind, forms in HANDLES.items() if isinstance(thing, kind))
        then = thing if beat is None else as_it_was(thing, beat)
        return text(then), html(then)
    if isinstance(thing, Beat):
        return beat_text(thing), beat_html(thing)
    if isinstance(thing, Register):
        return str(thing), register_html(thing)
    if isinstance(thing, Exit):
        return exits_text([thing]), exits_html([thing])
    if isinstance(thing, (tuple, list)) and all(isinstance(x, Exit) for x in thing):
        return exits_text(thing), exits_html(thing)
    if isinstance(thing, list) and all(isinstance(x, Beat) for x in thing):
        return listing_text(thing), listing_html(thing)
    if isinstance(thing, dict) and all(isinstance(c, Counters) for v in thing.values() for c in v.values()):
        return statistics_text(thing), panel(statistics_table(thing))
    if is_exploration(thing):
        from avickit.show.explored import explored_html

        return str(thing), explored_html(thing)
    raise AvicError.of(
        "look", thing, "a page, table, VMCB, vCPU, domain, machine, trace, beat, exit, exploration or register value"
    )


def is_exploration(thing: Any) -> bool:
    """What an exploration found; if nobody has loaded the explorer, nothing is."""
    explorer = sys.modules.get("avickit.lab.explore")
    return explorer is not None and isinstance(thing, explorer.Exploration)


HANDLES: dict[type, tuple[Callable[[Any], str], Callable[[Any], str]]] = {
    DomainHandle: (domain_text, domain_html),
    VcpuHandle: (vcpu_text, vcpu_html),
}


def as_it_was(thing: DomainHandle | VcpuHandle, beat: int) -> DomainHandle | VcpuHandle:
    """The same handle on the machine as it was after a beat."""
    machine = past(moment(thing._machine, beat, beat))
    return VcpuHandle(machine, thing.vcpu) if isinstance(thing, VcpuHandle) else DomainHandle(machine, thing.domain)


def trace_forms(trace: Trace, beat: int | None, since: int | None) -> Forms:
    """The beats after `since` up to `beat`; without `since` the last ones."""
    last = len(trace) if beat is None else beat
    first = (max(last - MOST_BEATS, 0) if since is None else since) + 1
    beats = [trace[n] for n in range(first, last + 1)]
    note = f"beats {first} to {last} of {len(trace)}" if beats else "no beat"
    return listing_text(beats, note), listing_html(beats, note)


def tally(**runs: Sequence[Exit]) -> Look:
    """Exits counted side by side: `tally(emulated=exits0, avic=exits10)`; an underscore stands for a blank."""
    named = {name.replace("_", " "): exits for name, exits in runs.items()}
    return Look([(tally_text(named), tally_html(named))])


def html(thing: Any) -> str:
    """The HTML form of anything that has one; a Look is what it is."""
    return thing.html if isinstance(thing, Look) else forms_of(thing)[1]


def text(thing: Any) -> str:
    """The text form of anything that has one."""
    return thing.text if isinstance(thing, Look) else forms_of(thing)[0]

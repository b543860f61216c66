"""From a handle to its sheet.

Does not model: handles that are no page (see `overview`).
"""

from avickit.errors import AvicError
from avickit.lab.pages import ApicPage, TableView, VmcbView
from avickit.show.apic import LEGEND, apic_groups
from avickit.show.model import Group, Sheet
from avickit.show.moment import Moment
from avickit.show.tables import table_groups
from avickit.show.vmcb import raw_groups, vmcb_groups

Page = ApicPage | TableView | VmcbView
PAGES = (ApicPage, TableView, VmcbView)
EXPECTED = "a vCPU's page or VMCB, or a table of a domain"


def sheet(m: Moment, page: Page, *, raw: bool = False) -> Sheet:
    """The page at a moment; `raw` by plain words, whatever it is."""
    kind, groups = by_type(m, page)
    if raw:
        return Sheet(m.title(page.place), "raw", m.note, raw_groups(m, page.place))
    return Sheet(m.title(page.place), kind, m.note, groups, LEGEND if kind == "apic" else "").fitted()


def by_type(m: Moment, page: Page) -> tuple[str, tuple[Group, ...]]:
    """What the page is, and its groups."""
    if isinstance(page, ApicPage):
        return "apic", apic_groups(m, page)
    if isinstance(page, TableView):
        return "table", table_groups(m, page)
    if isinstance(page, VmcbView):
        return "vmcb", vmcb_groups(m, page)
    raise AvicError.of("page", page, EXPECTED)

"""Places in words: `d1v1 vAPIC page IRR`, `d1 physical table entry 2`, `core 1 signals`."""

from avickit.beat import World, area_of, name_of
from avickit.manual.apic import name_of as register_name
from avickit.manual.vmcb import VMCB_NAMES

SHIFTS = {"apic": 4, "vmcb": 3, "physical": 3, "nested": 3, "logical": 2}
"""How many address bits one place of a page stands for, by what the page is."""


def page_of(w: World, place: int) -> tuple[int, str, str, int] | None:
    """Page number, name, kind and index of a place in a page; None for a cell."""
    if area_of(w, place) is not None:
        return None
    page, index = divmod(place - w.first_page, w.page_places)
    name, kind = w.page_names.get(page, (f"page {page:x}h", ""))
    return page, name, kind, index


def short(w: World, place: int) -> str:
    """The place within its owner: `IRR`, `entry 2`, `VINTR`, `signals`."""
    found = page_of(w, place)
    if found is None:
        area = area_of(w, place)
        return area.labels[place - area.base] if area else "?"
    _, _, kind, index = found
    if kind == "apic":
        return register_name(index << 4)
    if kind == "vmcb":
        return VMCB_NAMES.get(index << 3, f"{index << 3:03X}h")
    return f"entry {index}"


def owner(w: World, place: int) -> str:
    """What the place belongs to: a page by name, or a core, a domain, a vCPU."""
    found = page_of(w, place)
    if found is not None:
        return found[1]
    area = area_of(w, place)
    return area.name if area else "?"


def long(w: World, place: int) -> str:
    """Owner and place in one."""
    return f"{owner(w, place)} {short(w, place)}".strip()


__all__ = ["long", "name_of", "owner", "page_of", "short"]

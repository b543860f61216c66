"""The parts that the rules stand on: cores and guests as cells, memory in pages, the heap."""

from dataclasses import astuple
from typing import Any

import pytest

from avickit import Machine
from avickit.beat import World, area_of, drive
from avickit.errors import AvicError
from avickit.manual.cpuid import cpu_model
from avickit.manual.exits import ExitCode
from avickit.silicon import access, parts, vmrun
from avickit.silicon.parts import alloc_page, clear_page, free_page, new_guest, new_machine, page_at

PAGES = 6


def memory() -> World:
    """A machine of six pages, nothing taken."""
    w = World(PAGES)
    new_machine(w, 2, cpu_model("epyc"))
    return w


def taken(w: World) -> set[int]:
    """The numbers of the pages that are taken."""
    return {n for n in range(PAGES + 2) if w.at[w.objects["memory"][0].taken] >> n & 1}


def alloc(w: World) -> int | None:
    """A page; its number."""
    page = drive(w, alloc_page(w, "a page", "apic"))
    return None if page is None else (page - w.first_page) // w.page_places


def test_pages_are_handed_out_from_the_lowest_and_page_0_never() -> None:
    """H-VMCB-16, X4-2"""
    w = memory()
    assert [alloc(w) for _ in range(PAGES)] == [1, 2, 3, 4, 5, None]
    assert taken(w) == {1, 2, 3, 4, 5}
    assert w.at[w.objects["memory"][0].lock] == 0
    drive(w, free_page(w, w.first_page + 3 * w.page_places))
    assert taken(w) == {1, 2, 4, 5}
    assert [alloc(w), alloc(w)] == [3, None]
    drive(w, free_page(w, w.first_page + 1 * w.page_places))
    drive(w, free_page(w, w.first_page + 5 * w.page_places))
    assert [alloc(w), alloc(w), alloc(w)] == [1, 5, None]


def test_a_page_is_clean_when_it_is_handed_out() -> None:
    """X4-2: whatever the one before has left there."""
    w = memory()
    first = alloc(w)
    assert first == 1
    page = w.first_page + w.page_places
    neighbours = (page - 1, page + w.page_places)
    for place in (page, page + 7, page + 511, *neighbours):
        w.at[place] = 5
    drive(w, free_page(w, page))
    assert w.at[page + 7] == 5, "until then it stays"
    assert alloc(w) == 1
    assert w.at[page : page + 512] == [0] * 512
    assert [w.at[place] for place in neighbours] == [5, 5]
    assert w.page_names[1] == ("a page", "apic")


def test_clearing_stores_only_where_something_stands() -> None:
    """X4-2"""
    w = memory()
    w.at[w.first_page + 9] = 1
    assert [ask[1] for ask in clear_page(w, w.first_page)] == [w.first_page + 9]


def test_addresses_and_places() -> None:
    """H-VMCB-15, H-IPI-4: page n lies at n << 12; behind the last page there is no memory."""
    w = memory()
    for n in range(PAGES):
        assert page_at(w, n << 12) == page_at(w, (n << 12) + 0xFFF) == w.first_page + n * 512
        assert parts.address_of(w, w.first_page + n * 512) == n << 12
    assert page_at(w, PAGES << 12) is None
    assert page_at(w, 1 << 51) is None
    for address, legal in ((0, True), ((1 << 48) - 1, True), (1 << 48, False)):
        assert parts.legal(w, address) == legal


def test_cores_begin_in_host_mode_with_nothing() -> None:
    """H-BELL-3: all their cells are 0, and 0 is host mode; signals is what others may touch."""
    w = memory()
    assert (parts.HOST, parts.GUEST) == (0, 1)
    assert (parts.DOORBELL, parts.INTR, parts.NMI) == (1, 2, 4)
    for n, core in enumerate(w.objects["cores"]):
        assert (core.index, core.host_apic_id, repr(core)) == (n, n, f"core {n}")
        cells = {name: getattr(core, name) for name in parts.CORE_CELLS}
        assert len({*cells.values(), core.signals}) == len(parts.CORE_CELLS) + 1
        for name, place in cells.items():
            assert w.at[place] == 0
            area = area_of(w, place)
            assert area is not None
            assert (area.private, area.labels[place - area.base], area.name) == (True, name, f"core {n}")
        bell = area_of(w, core.signals)
        assert bell is not None
        assert (bell.private, bell.labels) == (False, ("signals",))


def test_guests_have_cells_of_their_own() -> None:
    """H-EVAL-2: 256 counters, one a vector."""
    w = memory()
    a, b = (new_guest(w, name, w.first_page + n * 512) for n, name in enumerate("ab"))
    assert (a.index, b.index) == (0, 1)
    assert [g.vmcb for g in (a, b)] == [w.first_page, w.first_page + 512]
    assert b.interrupt_flag == a.taken + 256, "right behind the last counter"
    for place in (*(getattr(a, name) for name in parts.GUEST_CELLS), a.taken, a.taken + 255):
        area = area_of(w, place)
        assert area is not None
        assert (area.name, area.private) == ("a", True)
    counters = area_of(w, a.taken)
    assert counters is not None
    assert (counters.labels[0x41], len(counters.labels)) == ("taken 41h", 256)


@pytest.mark.parametrize("ids", [(1,), (1, 1), (1, 2, 3)])
def test_host_ids_are_one_each(ids: tuple[int, ...]) -> None:
    with pytest.raises(AvicError, match=r"host physical APIC IDs: .* given, expected 2 different numbers"):
        Machine(cores=2, pages=8, host_ids=ids)


def test_cores_are_found_by_their_host_id() -> None:
    """H-BELL-1"""
    w = Machine(cores=2, pages=8, host_ids=(7, 3)).world
    by_id: list[Any] = w.objects["core_of"]
    assert [c and c.index for c in by_id] == [None, None, None, 1, None, None, None, 0]


def test_bits_of_the_nested_leaf() -> None:
    """H-REG-9, H-EXIT-3: the bits of a page-table entry, and of the error code of a page fault."""
    assert (access.LEAF_PRESENT, access.LEAF_WRITABLE) == (1, 2)
    assert (access.NPF_PRESENT, access.NPF_WRITE, access.NPF_USER, access.NPF_FINAL) == (1, 2, 4, 1 << 32)
    assert vmrun.APIC_LEAF == 0xFEE00 & 0x1FF == 0
    assert access.split(0x220) == (0x20, 64)
    assert access.split(0x27F & ~0xF) == (0x20, 224)
    assert access.split(0x280) == (0x28, 0)
    assert access.split(0x0F0) == (0x0F, 0)
    assert access.split(0x1F0) == (0x18, 224)


def test_latches_begin_switched_off() -> None:
    """H-VMCB-4: what a core holds before its first VMRUN enables nothing."""
    latch = parts.Latch()
    assert not latch.enabled
    assert not any(astuple(latch))
    exit = parts.Exit(ExitCode.VMEXIT_HLT)
    assert exit[1:] == (0, 0, False, "", 0)

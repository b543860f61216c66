"""Proofs of X4-1 .. X4-3: whether AVIC is on, and what it needs of a domain's memory."""

import pytest

from avickit.beat import Beats, World, drive
from avickit.lab.xen import OutOfMemory
from avickit.series import p04_initialization as p04
from avickit.silicon import parts
from avickit.silicon.parts import Core, address_of
from avickit.xen.domain import set_mmio_p2m_entry
from avickit.xen.parts import Domain, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    answered,
    exits,
    field,
    lab,
    overlay,
    poke,
    skip,
    then,
)

PAGES = ("permission_page", "logical_table", "physical_table")


def avic_lines(make: Make, cmdline: str, patches: int = 10, cpu: str = "epyc") -> list[str]:
    """What Xen prints about AVIC while it boots."""
    m = make(cmdline=cmdline, patches=patches, cpu=cpu)
    assert m.xen is not None
    return [line for line in m.xen.console if "AVIC" in line]


@proves("X4-1")
def boot_says_whether_avic_is_on(make: Make) -> None:
    """The list says "AVIC (enabled)" or "(disabled)", nothing without AVIC in CPUID; default off. (series.md X4-1)"""
    for cpu in ("epyc", "carrizo", "zen4"):
        assert avic_lines(make, "svm=avic", cpu=cpu) == ["(XEN)  - AVIC (enabled)"]
    assert avic_lines(make, "") == ["(XEN)  - AVIC (disabled)"]
    assert avic_lines(make, "", patches=4) == ["(XEN)  - AVIC (disabled)"]
    assert avic_lines(make, "", patches=3) == []
    assert avic_lines(make, "svm=avic", cpu="bulldozer") == []


@proves("X4-1")
def no_avic_in_cpuid_means_no_avic(make: Make) -> None:
    """At boot: no AVIC in CPUID -> svm_avic = false. (series.md X4-1)"""
    for cpu, on in (("bulldozer", False), ("fam10h", False), ("epyc", True), ("zen4", True)):
        m, _, _, (a,) = lab(make, 1, cpu=cpu)
        assert (xen(m.world).flags["svm_avic"], field(a, "VINTR", "AVIC_ENABLE")) == (on, int(on))


@breaks("X4-1", patch=True)
def cpuid_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p04, "has", lambda cpu, feature: True)


@breaks("X4-1", patch=True)
def avic_is_on_by_default(patch: pytest.MonkeyPatch) -> None:
    def on(w: World) -> None:
        p04_apply(w)
        xen(w).flags["svm_avic"] = True

    p04_apply = p04.apply
    patch.setattr(p04, "apply", on)


@proves("X4-2")
def three_cleared_pages_per_domain(make: Make) -> None:
    """Permission page (mapped read/write at FEE0_0000h), logical table, physical table, cleared. (series.md X4-2)"""
    taken = {}
    for avic in (False, True):
        m = make(cmdline="svm=avic" if avic else "", record=False)
        assert m.xen is not None
        m.xen.destroy_domain(m.xen.create_domain(8))
        dom = m.xen.create_domain(1)
        taken[avic] = m.world.at[m.world.objects["memory"][0].taken].bit_count()
    assert taken[True] - taken[False] == len(PAGES)
    assert m.xen is not None
    w = m.world
    cells = w.objects["avic_domain"][dom.domain.index]
    assert len({w.at[getattr(cells, name)] for name in PAGES}) == len(PAGES)
    leaf = w.at[w.at[dom.domain.cells.p2m] + (0xFEE00 & 0x1FF)]
    assert leaf == address_of(w, w.at[cells.permission_page]) | 3
    assert [index for index, _ in dom.physical_table] == [0]
    assert list(dom.logical_table) == []
    (a,) = dom.vcpus
    m.xen.run(a, 0)
    assert exits(a, a.guest.read, "ID") == []


@proves("X4-2")
def without_memory_there_is_no_domain(make: Make) -> None:
    """Out of memory at any of the three: free what was taken, ENOMEM, creation fails cleanly. (series.md X4-2)"""
    for pages in (2, 3, 4):
        m = make(pages=pages, cores=1)
        heap = m.world.objects["memory"][0]
        before = m.world.at[heap.taken]
        assert m.xen is not None
        try:
            m.xen.create_domain(1)
        except OutOfMemory:
            assert (m.world.at[heap.taken] | 1, m.world.at[heap.lock]) == (before | 1, 0)
        else:
            raise AssertionError(f"a domain in {pages} pages")
        assert m.xen.domains == []
        assert "-ENOMEM" in m.xen.console[-1]


@breaks("X4-2")
def the_page_is_not_mapped(w: World) -> None:
    skip(w, set_mmio_p2m_entry)


@breaks("X4-2")
def the_tables_are_not_cleared(w: World) -> None:
    skip(w, parts.clear_page)


@breaks("X4-2")
def enomem_is_not_noticed(w: World) -> None:
    answered(w, p04.svm_avic_dom_init, lambda done: True)


@breaks("X4-2")
def the_logical_table_is_the_physical_one(w: World) -> None:
    def shared(w: World, core: Core, d: Domain) -> Beats[None]:
        cells = p04.avic_domain(w, d)
        yield p04.KEEP_PAGE(cells.logical_table, (yield p04.READ_PAGE(cells.physical_table)))

    then(w, p04.svm_avic_dom_init, shared)


@proves("X4-3")
def destroy_frees_all_three_once(make: Make) -> None:
    """svm_avic_dom_destroy frees all three, once, also after a partial init. (series.md X4-3)"""
    m = make(cores=2)
    w, heap = m.world, m.world.objects["memory"][0]
    assert m.xen is not None
    before = w.at[heap.taken]
    first = m.xen.create_domain(2)
    m.xen.destroy_domain(first)
    assert w.at[heap.taken] | 1 == before | 1
    m.xen.create_domain(2)
    held = w.at[heap.taken]
    drive(w, p04.svm_avic_dom_destroy(w, w.objects["cores"][0], first.domain))
    assert w.at[heap.taken] == held
    cells = w.objects["avic_domain"][2]
    poke(m, cells.physical_table, 0)
    drive(w, p04.svm_avic_dom_destroy(w, w.objects["cores"][0], w.objects["domains"][1]))
    assert held.bit_count() - w.at[heap.taken].bit_count() == 2


@breaks("X4-3")
def one_page_is_forgotten(w: World) -> None:
    def two_only(w: World, core: Core, d: Domain) -> Beats[None]:
        yield p04.FORGET_PAGE(p04.avic_domain(w, d).logical_table, 0)
        yield from p04.svm_avic_dom_destroy.fn(w, core, d)

    overlay(w, p04.svm_avic_dom_destroy, two_only)


@breaks("X4-3")
def pages_are_freed_again(w: World) -> None:
    def each_time(w: World, core: Core, d: Domain) -> Beats[None]:
        for name in PAGES:
            page = yield p04.READ_PAGE(getattr(p04.avic_domain(w, d), name))
            if page:
                yield from parts.free_page(w, page)

    overlay(w, p04.svm_avic_dom_destroy, each_time)

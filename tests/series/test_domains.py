"""Creating and destroying domains: no memory, not enough of it, the most vCPUs; nothing is left behind."""

import pytest

from avickit import Machine
from avickit.lab.xen import OutOfMemory
from avickit.manual.tables import PhysicalEntry
from tests.proofs.xen_tools import ALL_BUT_SELF, ENABLED, FIRST_AVIC, cell, exits, ipi
from tests.series.labs import heap, lab

AVIC_PAGES, PER_DOMAIN, PER_VCPU = 3, 1, 2


def works(m: Machine, vcpus: int) -> None:
    """A domain can be created, and an interrupt reaches its last vCPU."""
    assert m.xen is not None
    dom = m.xen.create_domain(vcpus)
    a, b = dom.vcpus[0], dom.vcpus[-1]
    m.xen.run(a, 0)
    m.xen.run(b, 1 if vcpus > 1 else 0)
    if m.xen.patches != FIRST_AVIC:
        b.guest.write("SVR", ENABLED)
    ipi(a, b.apic_id, 0x41)
    assert b.guest.taken == {0x41: 1}
    m.xen.destroy_domain(dom)


@pytest.mark.parametrize("free", range(PER_DOMAIN, PER_DOMAIN + AVIC_PAGES + PER_VCPU))
def test_memory_runs_out_at_each_page(free: int) -> None:
    """X4-2: at each of the three pages (and around them) all is given back, and a domain fits once there is room."""
    room = PER_DOMAIN + AVIC_PAGES + PER_VCPU
    m = Machine(cores=2, pages=1 + room + free)
    xen = m.boot("svm=avic")
    other = xen.create_domain(1)
    before = heap(m)
    for _ in range(3):
        with pytest.raises(OutOfMemory):
            xen.create_domain(1)
        assert (heap(m), m.world.at[m.world.objects["memory"][0].lock]) == (before, 0)
    assert [d.domain.index for d in xen.domains] == [1]
    xen.run(other.vcpus[0], 0)
    assert exits(other.vcpus[0], other.vcpus[0].guest.write, "TPR", 0x20) == []
    xen.destroy_domain(other)
    works(m, 1)
    assert heap(m) == 1


def test_a_smaller_domain_still_fits() -> None:
    """X4-2: where eight vCPUs do not fit, two do."""
    m = Machine(cores=2, pages=1 + PER_DOMAIN + AVIC_PAGES + 2 * PER_VCPU)
    xen = m.boot("svm=avic")
    for vcpus in (8, 3):
        with pytest.raises(OutOfMemory):
            xen.create_domain(vcpus)
        assert heap(m) == 1
    works(m, 2)


@pytest.mark.parametrize("patches", [0, 4, 6, 10])
def test_destroy_frees_all(patches: int) -> None:
    """X4-3: also of a domain that runs, sleeps, or has crashed."""
    on = lab(3, patches=patches)
    _, b, c = on.vcpus
    b.guest.hlt()
    on.xen.pause(c)
    on.xen.destroy_domain(on.dom)
    assert heap(on.m) == 1
    assert [v.state for v in on.vcpus] == ["destroyed"] * 3
    assert all(on.m.world.at[p.current] == on.m.world.at[p.loaded] == 0 for p in on.m.world.objects["pcpus"])
    if patches != FIRST_AVIC:
        works(on.m, 2)
    crashed = on.xen.create_domain(1)
    on.xen.run(crashed.vcpus[0], 0)
    crashed.vcpus[0].guest.write("ICRH", 0xFF << 24)
    crashed.vcpus[0].guest.write("ICRL", 0x700)
    on.xen.destroy_domain(crashed)
    assert heap(on.m) == 1


def test_a_new_domain_in_old_pages_is_new() -> None:
    """X4-2: nothing of the old one shows: registers, tables, translations, timers."""
    on = lab(3, cores=2)
    a, b, _ = on.vcpus
    a.guest.write("LDR", 0x0100_0000)
    b.guest.write("TPR", 0xF0)
    a.guest.write("LVT_TIMER", 1 << 17 | 0x40)
    a.guest.write("TMICT", 1000)
    on.xen.set_irq(b, 0x41)
    on.xen.destroy_domain(on.dom)
    dom = on.xen.create_domain(2)
    for n, v in enumerate(dom.vcpus):
        on.xen.run(v, n)
        v.guest.write("SVR", 0x1FF)
        v.guest.write("LVT_TIMER", 0x40)
    assert [v.page.tpr for v in dom.vcpus] == [0, 0]
    assert list(dom.logical_table) == []
    assert [index for index, _ in dom.physical_table] == [0, 2]
    on.m.advance(100_000)
    assert [(v.page.irr, v.guest.taken) for v in dom.vcpus] == [(set(), {}), (set(), {})]
    assert on.m.next_timer() == 0


def test_two_domains_do_not_hear_each_other() -> None:
    """X4-2: tables are a domain's own."""
    on = lab(2, cores=4)
    other = on.xen.create_domain(2)
    for n, v in enumerate(other.vcpus):
        on.xen.run(v, 2 + n)
    ipi(on.vcpus[0], 0, ALL_BUT_SELF | 0x41)
    ipi(other.vcpus[0], 2, 0x52)
    assert [v.guest.taken for v in (*on.vcpus, *other.vcpus)] == [{}, {0x41: 1}, {}, {0x52: 1}]


def test_128_vcpus() -> None:
    """X0-1, X4-4: IDs 0..254; entry 255 stays empty."""
    m = Machine(cores=3, record=False)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(128)
    first, last = dom.vcpus[0], dom.vcpus[-1]
    assert last.apic_id == 254
    xen.run(first, 0)
    xen.run(last, 1)
    assert exits(first, ipi, first, 254, 0x41) == []
    assert last.guest.taken == {0x41: 1}
    ipi(first, 0xFF, 0x52)
    assert sum(0x52 in v.guest.taken or 0x52 in v.page.irr for v in dom.vcpus) == 128
    assert [i for i, e in dom.physical_table if e.value & PhysicalEntry.VALID.mask] == list(range(0, 255, 2))
    assert cell(last, "is_running") == 1
    xen.destroy_domain(dom)
    assert heap(m) == 1

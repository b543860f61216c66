"""x86/HVM/SVM: Add AVIC initialization code.

Per domain three pages: the permission page, mapped at FEE0_0000h, and the two APIC ID tables (X4-2, X4-3). Per vCPU
the pointers in its VMCB, its entry in the physical table, and AVIC Enable (X4-4). Only if `svm_avic` is set (X4-1).
Why off by default: nested guests are not supported yet. Published differently: X21 (MAX_INDEX).
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.cpuid import has
from avickit.manual.tables import PhysicalEntry
from avickit.manual.vmcb import ApicBar, PhysicalTablePointer, VIntr, VmcbOffset
from avickit.silicon.access import LEAF_PRESENT, LEAF_WRITABLE
from avickit.silicon.guest import APIC_BASE
from avickit.silicon.parts import PAGE_SHIFT, Core, address_of, alloc_page, free_page
from avickit.xen.domain import set_mmio_p2m_entry
from avickit.xen.parts import Domain, Vcpu, xen
from avickit.xen.vmcb import vmcb_read, vmcb_set


@dataclass(frozen=True)
class AvicDomain:
    """struct svm_domain's AVIC part: places of the three pages, 0 where there is none, and the lock of the tables."""

    permission_page: int
    logical_table: int
    physical_table: int
    lock: int


KEEP_PAGE = Site(Kind.UPDATE, STORE, "X4-2", "Xen svm_avic_dom_init", "the domain has its {place}")
FORGET_PAGE = Site(Kind.UPDATE, STORE, "X4-3", "Xen svm_avic_dom_destroy", "the domain has no {place} any more")
READ_PAGE = Site(Kind.READ, LOAD, "X4-4", "Xen svm_avic_init_vmcb", "where is the domain's {place}?")
NEW_ENTRY = Site(Kind.UPDATE, STORE, "X4-4", "Xen svm_avic_init_vmcb", "the vCPU's physical table entry: {new}")

PAGES = ("permission_page", "logical_table", "physical_table")
KINDS = {"permission_page": "apic", "logical_table": "logical", "physical_table": "physical"}


def start(w: World) -> str | None:
    """At boot: no AVIC in CPUID, no svm_avic and no line; else say which. (X4-1)"""
    flags = xen(w).flags
    if not has(w.objects["cpu"][0], "AVIC"):
        flags["svm_avic"] = False
        return None
    return f"AVIC ({'enabled' if flags.get('svm_avic') else 'disabled'})"


def avic_domain(w: World, d: Domain) -> AvicDomain:
    """The domain's AVIC cells; only with svm_avic."""
    return w.objects["avic_domain"][d.index]  # type: ignore[no-any-return]


@Op
def svm_avic_dom_init(w: World, core: Core, d: Domain) -> Beats[bool]:
    """Three cleared pages, the first mapped for the guest; false is ENOMEM, with nothing kept. (X4-2, H-REG-9)"""
    if not xen(w).flags.get("svm_avic"):
        return True
    for name in PAGES:
        page = yield from alloc_avic_page(w, f"d{d.index} {name.replace('_', ' ')}", KINDS[name])
        if page is None:
            yield from svm_avic_dom_destroy(w, core, d)
            return False
        yield KEEP_PAGE(getattr(avic_domain(w, d), name), page)
        if name == "permission_page":
            yield from set_mmio_p2m_entry(w, d, address_of(w, page) | LEAF_PRESENT | LEAF_WRITABLE)
    return True


@Op
def alloc_avic_page(w: World, name: str, kind: str) -> Beats[int | None]:
    """A page of the domain's three, cleared; None where memory is full. (X4-2; P7)"""
    return (yield from alloc_page(w, name, kind))


@Op
def svm_avic_dom_destroy(w: World, core: Core, d: Domain) -> Beats[None]:
    """Free what is there, once, also after a partial init. (X4-3)"""
    if not xen(w).flags.get("svm_avic"):
        return
    for name in PAGES:
        place = getattr(avic_domain(w, d), name)
        page = yield READ_PAGE(place)
        if page:
            if name == "permission_page":
                yield from set_mmio_p2m_entry(w, d, 0)
            yield FORGET_PAGE(place, 0)
            yield from free_page(w, page)


@Op
def svm_avic_init_vmcb(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Pointers, limit and entry first, AVIC Enable last. (X4-4)"""
    if not xen(w).flags.get("svm_avic"):
        return
    cells = avic_domain(w, v.domain)
    logical = yield READ_PAGE(cells.logical_table)
    physical = yield READ_PAGE(cells.physical_table)
    pointer = PhysicalTablePointer.raw(address_of(w, physical)).replace(MAX_INDEX=(yield from max_index(w, v.domain)))
    yield from vmcb_set(w, v, VmcbOffset.BACKING_PAGE, address_of(w, v.page))
    yield from vmcb_set(w, v, VmcbOffset.LOGICAL_TABLE, address_of(w, logical))
    yield from vmcb_set(w, v, VmcbOffset.PHYSICAL_TABLE, pointer.value)
    yield from vmcb_set(w, v, VmcbOffset.APIC_BAR, ApicBar(APIC_BASE).value)
    entry = PhysicalEntry(VALID=1, BACKING_PAGE=address_of(w, v.page) >> PAGE_SHIFT)
    yield NEW_ENTRY(physical + (yield from entry_index(w, v)), entry.value)
    vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
    yield from vmcb_set(w, v, VmcbOffset.VINTR, vintr | VIntr.AVIC_ENABLE.mask)


@Op
def entry_index(w: World, v: Vcpu) -> Beats[int]:
    """The physical table is indexed by the guest APIC ID. (X4-4, H-TAB-1; P3)"""
    return v.apic_id
    yield


@Op
def max_index(w: World, d: Domain) -> Beats[int]:
    """The last APIC ID of the domain: (max_vcpus - 1) * 2. (X4-4; as published (max_vcpus * 2) & FFh: X21)"""
    return (d.max_vcpus - 1) * 2
    yield


@Op
def svm_avic_vcpu_enabled(w: World, v: Vcpu) -> Beats[bool]:
    """The VMCB's avic_enable bit. (X4-5)"""
    return bool((yield from vmcb_read(w, v, VmcbOffset.VINTR)) & VIntr.AVIC_ENABLE.mask)


def apply(w: World) -> None:
    """Three hooks and a boot line; nothing runs unless svm_avic is set. (X4-1, X4-6)"""
    host = xen(w)
    host.flags.setdefault("svm_avic", False)
    host.start.append(start)
    host.domain_fields["avic_domain"] = AvicDomain
    host.funcs.update(domain_init=svm_avic_dom_init, domain_destroy=svm_avic_dom_destroy, init_vmcb=svm_avic_init_vmcb)

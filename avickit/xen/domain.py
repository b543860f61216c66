"""Creating and destroying a domain and its vCPUs. (Xen domain.c, hvm.c)

Does not model: guest memory, devices, the toolstack. A vCPU starts with IF = 1 and nothing to execute.
"""

from avickit.beat import LOAD, OR, STORE, Beats, Kind, Op, Site, World
from avickit.silicon.parts import Core, alloc_page, free_page, new_guest
from avickit.silicon.vmrun import APIC_LEAF
from avickit.xen import vlapic
from avickit.xen.parts import SHUT_DOWN, Domain, DomainCells, Vcpu, VcpuCells, add_fields, printk, vcpus_of, xen
from avickit.xen.vmcb import construct_vmcb

MAX_VCPUS = 128
"""HVM_MAX_VCPUS. (X0-1)"""

NEW_P2M = Site(Kind.UPDATE, STORE, "X0-2", "Xen p2m_init", "the domain has a nested page table")
READ_P2M = Site(Kind.READ, LOAD, "X0-2", "Xen p2m_get_hostp2m", "where is the domain's nested page table?")
IS_GONE = Site(Kind.CHECK, LOAD, "X4-3", "Xen domain_kill", "is the domain gone already? {old}")
GONE = Site(Kind.UPDATE, STORE, "X4-3", "Xen domain_destroy", "the domain is gone")
MAP = Site(Kind.UPDATE, STORE, "H-REG-9", "Xen set_mmio_p2m_entry", "maps the APIC page in {place}: {new}")
SET_IF = Site(Kind.UPDATE, STORE, "H-EVAL-2", "Xen hvm_vcpu_initialise", "the guest starts with IF = 1")
KILL = Site(Kind.UPDATE, OR, "X4-3", "Xen domain_kill", "the vCPU runs no more")


@Op
def domain_create(w: World, core: Core, max_vcpus: int) -> Beats[Domain | None]:
    """A domain with its vCPUs; None, with nothing left behind, where memory runs out. (X0-1, X4-2)"""
    index = len(w.objects["domains"]) + 1
    d = Domain(index, w.cells(DomainCells, f"d{index}"), max_vcpus)
    w.objects["domains"].append(d)
    add_fields(w, xen(w).domain_fields, index, f"d{index}")
    p2m = yield from alloc_page(w, f"d{index} nested page table", "nested")
    if p2m is not None:
        yield NEW_P2M(d.cells.p2m, p2m)
        init = xen(w).funcs.get("domain_init")
        if (init is None or (yield from init(w, core, d))) and (yield from create_vcpus(w, core, d)):
            return d
    yield from domain_destroy(w, core, d)
    yield from printk(w, f"(XEN) d{index}: domain creation failed: -ENOMEM")
    return None


@Op
def create_vcpus(w: World, core: Core, d: Domain) -> Beats[bool]:
    """All vCPUs of a domain: a VMCB and a page for the vlapic registers each. False when memory runs out. (X0-1)"""
    for vcpu_id in range(d.max_vcpus):
        name = f"d{d.index}v{vcpu_id}"
        vmcb = yield from alloc_page(w, f"{name} VMCB", "vmcb")
        if vmcb is None:
            return False
        page = yield from alloc_page(w, f"{name} vAPIC page", "apic")
        if page is None:
            yield from free_page(w, vmcb)
            return False
        guest = new_guest(w, name, vmcb)
        last_core = w.area(name, ("last_core",), private=True)
        v = Vcpu(d, vcpu_id, page, guest, w.cells(VcpuCells, name), last_core)
        w.objects["vcpus"].append(v)
        add_fields(w, xen(w).vcpu_fields, guest.index, name)
        yield SET_IF(guest.interrupt_flag, 1)
        yield from vlapic.vlapic_init(w, core, v)
        yield from construct_vmcb(w, core, v, (yield READ_P2M(d.cells.p2m)))
    return True


@Op
def domain_destroy(w: World, core: Core, d: Domain) -> Beats[None]:
    """Stop the vCPUs, call the destroy hook, free every page; once. (X4-3)"""
    if (yield IS_GONE(d.cells.destroyed)):
        return
    for v in vcpus_of(w, d):
        yield KILL(v.cells.pause_flags, SHUT_DOWN)
    destroy = xen(w).funcs.get("domain_destroy")
    if destroy is not None:
        yield from destroy(w, core, d)
    for v in vcpus_of(w, d):
        yield from vlapic.vlapic_destroy(w, core, v)
        yield from free_page(w, v.page)
        yield from free_page(w, v.guest.vmcb)
    p2m = yield READ_P2M(d.cells.p2m)
    if p2m:
        yield from free_page(w, p2m)
        yield NEW_P2M(d.cells.p2m, 0)
    yield GONE(d.cells.destroyed, 1)


@Op
def set_mmio_p2m_entry(w: World, d: Domain, leaf: int) -> Beats[None]:
    """Map the APIC page of the guest (FEE00h) with this leaf. (H-REG-9, X4-2)"""
    yield MAP((yield READ_P2M(d.cells.p2m)) + APIC_LEAF, leaf)

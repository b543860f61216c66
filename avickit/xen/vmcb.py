"""Xen's access to a vCPU's VMCB: reading a word, and writing one without forgetting its clean bit.

Does not model: MSR and IO permission maps, the save area.
"""

from avickit.beat import AND, LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.cpuid import has
from avickit.manual.exits import EventInj
from avickit.manual.vmcb import (
    CLEAN_COVERS,
    AsidTlb,
    CleanBits,
    InterceptExceptionsMisc1,
    NestedControl,
    TlbControl,
    VIntr,
    VmcbOffset,
)
from avickit.silicon.parts import Core, address_of
from avickit.xen.parts import Vcpu, pcpu, xen

READ = Site(Kind.READ, LOAD, "H-VMCB-7", "Xen vmcb_get", "Xen reads {place}: {old}")
WRITE = Site(Kind.UPDATE, STORE, "H-VMCB-11", "Xen vmcb_set", "Xen writes {place}: {new}")
DIRTY = Site(Kind.UPDATE, AND, "H-VMCB-11", "APM2 15.15.3 p.526", "Xen clears the clean bit: the field has changed")
ALL_CLEAN = Site(Kind.UPDATE, STORE, "H-VMCB-11", "APM2 15.15.3 p.526", "Xen sets the clean bits to {new}")
NOTE_CORE = Site(Kind.UPDATE, STORE, "H-VMCB-11", "Xen svm_asid_handle_vmrun", "Xen notes the core it runs on: {new}")
NOTE_LAST = Site(Kind.UPDATE, STORE, "H-VMCB-17", "Xen svm_asid_handle_vmrun", "Xen notes whom the core ran last")

CLEAN = VmcbOffset.CLEAN >> 3
EVERY_CLEAN_BIT = sum(f.mask for f in CleanBits.fields.values())
CLEAN_BIT = {offset: CleanBits.fields[name].mask for name, words in CLEAN_COVERS.items() for offset in words}
INTERCEPTS = (
    InterceptExceptionsMisc1.INTR.mask
    | InterceptExceptionsMisc1.NMI.mask
    | InterceptExceptionsMisc1.HLT.mask
    | InterceptExceptionsMisc1.MSR_PROT.mask
)


@Op
def vmcb_read(w: World, v: Vcpu, offset: int) -> Beats[int]:
    """A 64-bit word of the VMCB by its offset in bytes."""
    return (yield READ(v.guest.vmcb + (offset >> 3)))  # type: ignore[no-any-return]


@Op
def vmcb_set(w: World, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Write a word, and clear the clean bit that covers it. (H-VMCB-11)"""
    yield WRITE(v.guest.vmcb + (offset >> 3), value)
    if offset in CLEAN_BIT:
        yield DIRTY(v.guest.vmcb + CLEAN, ~CLEAN_BIT[offset])


@Op
def construct_vmcb(w: World, core: Core, v: Vcpu, p2m: int) -> Beats[None]:
    """What Xen puts into a new VMCB: intercepts, V_INTR_MASKING, nested paging. (X0-2, H-VMCB-8, H-MASK-1)"""
    for offset, value in (
        (VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1, INTERCEPTS),
        (VmcbOffset.ASID_TLB, AsidTlb(GUEST_ASID=v.domain.index + 1).value),
        (VmcbOffset.VINTR, VIntr(V_INTR_MASKING=1).value),
        (VmcbOffset.NP, NestedControl(NP_ENABLE=1).value),
        (VmcbOffset.N_CR3, address_of(w, p2m)),
    ):
        yield WRITE(v.guest.vmcb + (offset >> 3), value)
    init = xen(w).funcs.get("init_vmcb")
    if init is not None:
        yield from init(w, core, v)


@Op
def before_vmrun(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Another core than last time: nothing is clean. Another vCPU than last time: flush. (H-VMCB-11, H-VMCB-17)"""
    if w.see[v.last_core] != core.index + 1:
        yield ALL_CLEAN(v.guest.vmcb + CLEAN, 0)
        yield NOTE_CORE(v.last_core, core.index + 1)
    p = pcpu(w, core)
    flush = w.see[p.last_run] != v.guest.index + 1
    asid = AsidTlb(GUEST_ASID=v.domain.index + 1, TLB_CONTROL=TlbControl.GUEST if flush else TlbControl.NOTHING)
    yield WRITE(v.guest.vmcb + (VmcbOffset.ASID_TLB >> 3), asid.value)
    if flush:
        yield NOTE_LAST(p.last_run, v.guest.index + 1)


@Op
def after_exit(w: World, v: Vcpu) -> Beats[None]:
    """What the core has cached is what the VMCB holds: all bits clean until Xen changes something. (H-VMCB-11)"""
    clean = EVERY_CLEAN_BIT if has(w.objects["cpu"][0], "VMCB_CLEAN") else 0
    yield ALL_CLEAN(v.guest.vmcb + CLEAN, clean)


@Op
def inject_event(w: World, v: Vcpu, kind: int, vector: int) -> Beats[None]:
    """EVENTINJ: taken at the next VMRUN, unconditionally. (H-VMCB-10, H-EVAL-3)"""
    event = EventInj(VALID=1, TYPE=kind, VECTOR=vector)
    yield WRITE(v.guest.vmcb + (VmcbOffset.EVENTINJ >> 3), event.value)

"""VMRUN and #VMEXIT: what is checked, loaded, kept by clean bits, and written back. (APM2 15.5, 15.15.3, 15.29.4)

Does not model: the state save area, MSR and IO permission maps, virtual NMIs, checks not about interrupts.
"""

from dataclasses import replace

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.cpuid import CpuModel, has
from avickit.manual.exits import EventInj, ExitCode
from avickit.manual.vmcb import (
    AsidTlb,
    BackingPagePointer,
    CleanBits,
    LogicalTablePointer,
    NestedControl,
    PhysicalTablePointer,
    VIntr,
    VmcbOffset,
)
from avickit.silicon.deliver import evaluate, load_priority
from avickit.silicon.doorbell import miss
from avickit.silicon.guest import APIC_BASE, enter_handler
from avickit.silicon.parts import DOORBELL, GUEST, Core, Exit, Guest, Latch, legal, page_at


def word(offset: int) -> int:
    """A VMCB offset as the number of its 64-bit word."""
    return offset >> 3


CLEAN, VINTR, NP = word(VmcbOffset.CLEAN), word(VmcbOffset.VINTR), word(VmcbOffset.NP)
INTERCEPTS, ASID_TLB, N_CR3 = (
    word(VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1),
    word(VmcbOffset.ASID_TLB),
    word(VmcbOffset.N_CR3),
)
BAR, BACKING = word(VmcbOffset.APIC_BAR), word(VmcbOffset.BACKING_PAGE)
LOGICAL, PHYSICAL = word(VmcbOffset.LOGICAL_TABLE), word(VmcbOffset.PHYSICAL_TABLE)
SHADOW, EVENTINJ = word(VmcbOffset.INTERRUPT_SHADOW), word(VmcbOffset.EVENTINJ)
AVIC_ENABLE, X2AVIC_ENABLE = VIntr.AVIC_ENABLE.mask, VIntr.X2AVIC_ENABLE.mask
XAVIC_LIMIT, X2AVIC_LIMIT = 255, 511
"""The largest MAX_INDEX of each mode. (H-VMCB-15)"""
FLUSH_ALL, FLUSH_GUEST = 1, 3
AS_NPF = "nested page fault: "
"""How a choice marks a failure that is exit 400h. (H-VMCB-15)"""
APIC_LEAF = APIC_BASE >> 12 & 0x1FF
"""The entry of guest page FEE00h in the one nested-table page that is modelled: its low nine bits."""
READ_CLEAN = Site(Kind.READ, LOAD, "H-VMCB-11", "APM2 15.15.3 p.526", "VMRUN reads the clean bits: {old}")
READ_VMCB = Site(Kind.READ, LOAD, "H-VMCB-12", "APM2 15.29.4 p.570", "VMRUN reads {place}: {old}")
READ_TLB = Site(Kind.READ, LOAD, "H-VMCB-17", "APM2 15.29.4.2 p.571", "VMRUN reads ASID and TLB_CONTROL: {old}")
FLUSH = Site(Kind.UPDATE, STORE, "H-VMCB-17", "APM2 15.29.4.2 p.571", "the old translation of the APIC page is flushed")
READ_INJ = Site(Kind.CHECK, LOAD, "H-EVAL-3", "APM2 15.20 p.531", "is there an event to inject? {old}")
CLEAR_INJ = Site(Kind.UPDATE, STORE, "H-VMCB-10", "APM2 15.20 p.531", "the event is injected, whatever IF and PPR say")
LOAD_LATCH = Site(Kind.UPDATE, STORE, "H-VMCB-11", "APM2 15.5.1", "the core keeps the AVIC state of this VMCB")
LOAD_VINTR = Site(Kind.UPDATE, STORE, "H-PRIO-3", "APM2 15.29.5 p.569", "the core loads V_INTR, V_TPR in it: {new}")
LOAD_SHADOW = Site(Kind.UPDATE, STORE, "H-EVAL-2", "APM2 15.21.5", "the core loads the interrupt shadow: {new}")
REMEMBER = Site(Kind.UPDATE, STORE, "H-VMCB-11", "APM2 15.15.3 p.526", "the core remembers whose VMCB it holds")
NAME_GUEST = Site(Kind.UPDATE, STORE, "H-TAB-2", "APM2 15.5.1", "the core is given the guest's registers")
ENTER = Site(Kind.UPDATE, STORE, "H-EVAL-3", "APM2 15.5.1", "{area} enters guest mode")


@Op
def vmrun(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
    """Checks, load, EVENTINJ, evaluation, in this order; an Exit if VMRUN fails. (H-EVAL-3, H-VMCB-8, H-VMCB-15)"""
    if w.see[core.signals] & DOORBELL:
        yield from miss(w, core)
    same = w.see[core.cached_vmcb] == guest.vmcb and has(w.objects["cpu"][0], "VMCB_CLEAN")
    clean = (yield READ_CLEAN(guest.vmcb + CLEAN)) if same else 0
    vintr, latch, failure = yield from load_vmcb(w, core, guest.vmcb, clean)
    if failure:
        code = ExitCode.VMEXIT_NPF if failure.startswith(AS_NPF) else ExitCode.VMEXIT_INVALID
        return Exit(code, reason=failure.removeprefix(AS_NPF))
    yield REMEMBER(core.cached_vmcb, guest.vmcb)
    yield LOAD_LATCH(core.latch, latch)
    yield LOAD_VINTR(core.vintr, vintr)
    yield LOAD_SHADOW(core.shadow, (yield READ_VMCB(guest.vmcb + SHADOW)) & 1)
    yield NAME_GUEST(core.guest, guest.index)
    if latch.enabled:
        yield from load_priority(w, core, latch.page)
    yield ENTER(core.mode, GUEST)
    yield from inject(w, guest)
    yield from evaluate(w, core, guest)
    return None


@Op
def load_vmcb(w: World, core: Core, vmcb: int, clean: int) -> Beats[tuple[int, Latch, str]]:
    """The fields of the VMCB that matter here, from memory or, where a clean bit is set, as the core has them.

    A field changed under a clean bit that stayed 1 is used in its old value. (H-VMCB-11, APM2 15.15.3)
    """
    kept: Latch = w.see[core.latch] or Latch()
    vintr = yield from load_vintr(w, core, vmcb, clean)
    if vintr & X2AVIC_ENABLE and not vintr & AVIC_ENABLE:
        return vintr, kept, "x2AVIC Enable is 1 with AVIC Enable 0 (H-VMCB-5, APM2 15.29.4.1 p.570)"
    intercepts = kept.intercepts if clean & CleanBits.I.mask else (yield READ_VMCB(vmcb + INTERCEPTS))
    asid, leaf = yield from load_translation(w, core, vmcb, clean, kept)
    cpu: CpuModel = w.objects["cpu"][0]
    if not (vintr & AVIC_ENABLE and has(cpu, "AVIC")):
        return vintr, Latch(leaf=leaf, asid=asid, intercepts=intercepts), ""
    if not leaf and (failure := (yield from without_nested_paging(w))):
        return vintr, kept, failure
    if clean & CleanBits.AVIC.mask and kept.page:
        return vintr, replace(kept, enabled=True, leaf=leaf, asid=asid, intercepts=intercepts), ""
    avic, failure = yield from load_avic(w, vmcb, vintr)
    return vintr, replace(avic, leaf=leaf, asid=asid, intercepts=intercepts), failure


@Op
def without_nested_paging(w: World) -> Beats[str]:
    """AVIC needs nested paging; VMRUN refuses it without. (H-VMCB-8, OPEN: the model's choice)"""
    return "AVIC Enable is 1 without nested paging, NP_ENABLE 0 (H-VMCB-8, the model's choice)"
    yield


@Op
def load_vintr(w: World, core: Core, vmcb: int, clean: int) -> Beats[int]:
    """The word at 060h, bits 31:30 included, unless clean bit 3 (TPR) keeps the old one. (H-VMCB-11, OPEN)"""
    return int(w.see[core.vintr]) if clean & CleanBits.TPR.mask else int((yield READ_VMCB(vmcb + VINTR)))


@Op
def load_translation(w: World, core: Core, vmcb: int, clean: int, kept: Latch) -> Beats[tuple[int, int]]:
    """ASID, and the place of the nested leaf of the APIC page (0 without NP); TLB_CONTROL may flush. (H-VMCB-17)"""
    tlb = yield READ_TLB(vmcb + ASID_TLB)
    if AsidTlb.TLB_CONTROL.of(tlb) in (FLUSH_ALL, FLUSH_GUEST):
        yield FLUSH(core.translation, 0)
    asid = kept.asid if clean & CleanBits.ASID.mask else AsidTlb.GUEST_ASID.of(tlb)
    if clean & CleanBits.NP.mask:
        return asid, kept.leaf
    if not (yield READ_VMCB(vmcb + NP)) & NestedControl.NP_ENABLE.mask:
        return asid, 0
    root = page_at(w, (yield READ_VMCB(vmcb + N_CR3)))
    return asid, 0 if root is None else root + APIC_LEAF


@Op
def load_avic(w: World, vmcb: int, vintr: int) -> Beats[tuple[Latch, str]]:
    """The four AVIC words and the checks on them. (H-VMCB-9, H-VMCB-12 .. H-VMCB-15, APM2 15.29.4.1 p.570-571)"""
    bar = yield READ_VMCB(vmcb + BAR)
    backing = (yield READ_VMCB(vmcb + BACKING)) & BackingPagePointer.ADDRESS.mask
    logical = (yield READ_VMCB(vmcb + LOGICAL)) & LogicalTablePointer.ADDRESS.mask
    physical = yield READ_VMCB(vmcb + PHYSICAL)
    most = PhysicalTablePointer.MAX_INDEX.of(physical)
    failure = index_failure(w, most, bool(vintr & X2AVIC_ENABLE))
    pages = []
    table = physical & PhysicalTablePointer.ADDRESS.mask
    for name, address in (("backing page", backing), ("logical table", logical), ("physical table", table)):
        page = page_at(w, address)
        failure = failure or (yield from pointer_failure(w, name, address))
        pages.append(page or 0)
    return Latch(True, bar, pages[0], pages[1], pages[2], most), failure


def index_failure(w: World, most: int, x2avic: bool) -> str:
    """Why AVIC_PHYSICAL_MAX_INDEX is refused; empty if it is not. (H-VMCB-15, APM2 15.29.4.1 p.571)"""
    cpu: CpuModel = w.objects["cpu"][0]
    limit = XAVIC_LIMIT if not x2avic else 0xFFF if has(cpu, "X2AVIC_EXT") else X2AVIC_LIMIT
    if most > limit:
        mode = "x2AVIC" if x2avic else "xAVIC"
        return f"AVIC_PHYSICAL_MAX_INDEX {most} is above {limit} in {mode} mode (H-VMCB-15, APM2 15.29.4.1 p.571)"
    return "x2AVIC mode is not modelled" if x2avic else ""


@Op
def pointer_failure(w: World, name: str, address: int) -> Beats[str]:
    """Why a pointer is refused: outside the physical address range, or no memory there. (H-VMCB-15, OPEN which code)"""
    if not legal(w, address):
        return f"AVIC {name} pointer {address:#x} is outside the physical address range (H-VMCB-15)"
    return "" if page_at(w, address) is not None else f"AVIC {name} pointer {address:#x}: no memory there (H-VMCB-16)"
    yield


@Op
def inject(w: World, guest: Guest) -> Beats[None]:
    """EVENTINJ, if valid, is delivered before the first instruction and touches neither IRR nor ISR. (H-EVAL-3)"""
    event = yield READ_INJ(guest.vmcb + EVENTINJ)
    if event & EventInj.VALID.mask:
        yield CLEAR_INJ(guest.vmcb + EVENTINJ, 0)
        yield from enter_handler(w, guest, EventInj.VECTOR.of(event))

"""The guest's access to its APIC page: translation, then the access filter of Table 15-22. (APM2 15.29.3.1 p.566-568)

One table decides, read from the manual's map; what an accelerated write starts stands in `ACCELERATED`. Does not
model: x2AVIC's MSR path, misaligned and split accesses (they are refused where an instruction is written down).
"""

from collections.abc import Callable

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Access, Offset, filter_for
from avickit.manual.exits import ExitCode, NoAccelInfo1
from avickit.silicon.deliver import write_eoi, write_tpr
from avickit.silicon.guest import Insn
from avickit.silicon.ipi import write_icrl
from avickit.silicon.parts import Core, Exit, Guest, Latch

SLOT_SHIFT = 4
WORD = 0xFFFF_FFFF
VECTOR_BANKS = range(Offset.ISR >> SLOT_SHIFT, (Offset.IRR >> SLOT_SHIFT) + 8)
BANK = 8
"""ISR, TMR and IRR: eight 32-bit words each, kept as one 256-bit place at the first. (H-REG-7)"""
FAULT, TRAP, ACTED_UPON = Access.FAULT, Access.TRAP, (Access.ACCELERATED, Access.EOI)
LEAF_PRESENT, LEAF_WRITABLE = 1, 2
NPF_PRESENT, NPF_WRITE, NPF_USER, NPF_FINAL = 1, 2, 4, 1 << 32

WALK = Site(Kind.CHECK, LOAD, "H-REG-9", "APM2 15.29.3 p.565", "walks the nested table: does {place} allow the access?")
FILL = Site(Kind.UPDATE, STORE, "H-VMCB-17", "APM2 15.29.4.2 p.571", "keeps the translation of the APIC page")
READ_PAGE = Site(Kind.READ, LOAD, "H-REG-2", "APM2 15.29.3.1 p.566", "reads {place} from the backing page: {old}")
WRITE_PAGE = Site(Kind.UPDATE, STORE, "H-REG-2", "APM2 15.29.3.1 p.566", "writes {place} in the backing page: {new}")
MERGE_PAGE = Site(Kind.READ, LOAD, "H-REG-5", "APM2 15.29.3.1 p.566", "reads {place} to change some of its bytes")


@Op
def access_memory(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """A guest load or store, at APIC_BAR with AVIC on: allow, accelerate, trap or fault, as Table 15-22 says.

    (H-VMCB-9, H-REG-2, H-REG-4, H-REG-9) Anywhere else it is a nested page fault. (H-EXIT-3)
    """
    latch: Latch = w.see[core.latch]
    if not latch.enabled or insn.address >> 12 != latch.bar >> 12:
        return nested_fault(w, insn, (yield WALK(latch.leaf)) if latch.leaf else 0)
    if w.see[core.translation] != (latch.asid, latch.page):
        page = yield from translate(w, core, latch)
        if page is None:
            return nested_fault(w, insn, (yield WALK(latch.leaf)))
        if page != latch.page:
            return (yield from stale_access(w, page, insn))
    offset, is_write = insn.address & 0xFFF, insn.op == "write"
    access = w.objects["filter"][is_write][offset >> SLOT_SHIFT]
    if access is FAULT:
        return no_acceleration(offset, is_write, past=False)
    if not is_write:
        return (yield from load_register(w, latch.page, insn))
    if access in ACTED_UPON:
        value = insn.value if insn.size == 4 else (yield from merged(w, latch.page, insn))
        return (yield from ACCELERATED[offset & 0xFF0](w, core, guest, value))
    yield from store_register(w, latch.page, insn)
    return no_acceleration(offset, is_write, past=True) if access is TRAP else 0


def nested_fault(w: World, insn: Insn, leaf: int) -> Exit:
    """Exit 400h: error code in EXITINFO1, guest physical address in EXITINFO2. (H-EXIT-3)"""
    why = NPF_FINAL | NPF_USER | (NPF_PRESENT if leaf & LEAF_PRESENT else 0) | (NPF_WRITE if insn.op == "write" else 0)
    return Exit(ExitCode.VMEXIT_NPF, why, insn.address)


@Op
def translate(w: World, core: Core, latch: Latch) -> Beats[int | None]:
    """The backing page's place if the mapping at APIC_BAR grants read and write; the leaf's address is ignored.

    It is kept under the ASID, and a kept one is used as it is: another vCPU's, if nobody flushed. (H-REG-9, H-VMCB-17)
    """
    kept = w.see[core.translation]
    if kept and kept[0] == latch.asid:
        return int(kept[1])
    leaf = yield WALK(latch.leaf)
    if leaf & (LEAF_PRESENT | LEAF_WRITABLE) != LEAF_PRESENT | LEAF_WRITABLE:
        return None
    yield FILL(core.translation, (latch.asid, latch.page))
    return latch.page


@Op
def stale_access(w: World, page: int, insn: Insn) -> Beats[int | Exit]:
    """The access goes where the old translation leads: another vCPU's backing page. (H-VMCB-17)"""
    if insn.op == "read":
        return (yield from load_register(w, page, insn))
    yield from store_register(w, page, insn)
    return 0


def access_filter(ext_lvt: bool) -> tuple[list[Access], list[Access]]:
    """Table 15-22 for reads and for writes, by 16-byte slot; the extended LVTs depend on EDX[27]. (H-CPUID-4)"""
    slots = range(0, 0x1000, 1 << SLOT_SHIFT)
    return [filter_for(s, False, ext_lvt) for s in slots], [filter_for(s, True, ext_lvt) for s in slots]


def no_acceleration(offset: int, is_write: bool, *, past: bool) -> Exit:
    """#VMEXIT 402h: the offset and the direction; a trap stands past the instruction. (H-EXIT-2, H-REG-3)"""
    info1 = NoAccelInfo1(WRITE=int(is_write), OFFSET=offset >> SLOT_SHIFT)
    return Exit(ExitCode.AVIC_NOACCEL, info1.value, past=past)


@Op
def load_register(w: World, page: int, insn: Insn) -> Beats[int]:
    """1, 2 or 4 bytes of a register of the page; ISR, TMR and IRR by their 32-bit word. (H-REG-1, H-REG-5, H-REG-7)"""
    slot, word = split(insn.address & 0xFFF)
    value = yield READ_PAGE(page + slot)
    return value >> word + 8 * (insn.address & 3) & (1 << 8 * insn.size) - 1  # type: ignore[no-any-return]


def split(offset: int) -> tuple[int, int]:
    """The slot that holds a register, and how far to shift it: `split(0x220)` is (20h, 64). (H-REG-7)"""
    slot = offset >> SLOT_SHIFT
    if slot in VECTOR_BANKS:
        first = slot - (slot - VECTOR_BANKS.start) % BANK
        return first, 32 * (slot - first)
    return slot, 0


@Op
def store_register(w: World, page: int, insn: Insn) -> Beats[None]:
    """The write lands in the page, before a trap leaves the guest. (H-REG-2, H-REG-5)"""
    value = insn.value if insn.size == 4 else (yield from merged(w, page, insn))
    yield WRITE_PAGE(page + (insn.address >> SLOT_SHIFT & 0xFF), value)


@Op
def merged(w: World, page: int, insn: Insn) -> Beats[int]:
    """The register's new 32 bits: a narrow write leaves the other bytes. (H-REG-5)"""
    old: int = yield MERGE_PAGE(page + (insn.address >> SLOT_SHIFT & 0xFF))
    shift = 8 * (insn.address & 3)
    return old & ~((1 << 8 * insn.size) - 1 << shift) & WORD | insn.value << shift


Action = Callable[[World, Core, Guest, int], Beats[int | Exit]]
ACCELERATED: dict[int, Action] = {Offset.TPR: write_tpr, Offset.EOI: write_eoi, Offset.ICRL: write_icrl}
"""The three writes that the hardware acts upon. (H-MAP-080, H-MAP-0B0, H-MAP-300)"""

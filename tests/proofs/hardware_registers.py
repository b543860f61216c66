"""The vAPIC backing page: how a guest reaches its registers, and what they hold at first. H-REG."""

from dataclasses import replace
from functools import partial

import pytest

from avickit.beat import Beats, World
from avickit.errors import UndefinedAccess
from avickit.manual import apic
from avickit.manual.apic import RESET, Access
from avickit.silicon import access, guest, run, vmexit
from avickit.silicon.access import LEAF_PRESENT, LEAF_WRITABLE, split
from avickit.silicon.guest import Insn, read, write
from avickit.silicon.parts import Core, Exit, Guest, Latch
from avickit.silicon.vmrun import APIC_LEAF
from avickit.xen import vlapic_init
from avickit.xen.parts import Vcpu
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import overlay, then
from tests.silicon.bench import INTR_MASKING, NESTED, POKE, SPARE, Bench, refused

NPF, NOACCEL, HLT, MSR = 0x400, 0x402, 0x78, 0x7C
NRIP = 0x0C8
PRESENT, WRITE, USER, FINAL = 1, 2, 4, 1 << 32


@proves("H-REG-1")
def a_register_is_32_bits_of_a_16_byte_slot(make: Make) -> None:
    """Registers are 32 bits wide, at offsets that are multiples of 16; each slot is one of its own.

    (APM2 15.29.3.1, H-REG-1)
    """
    b = Bench(make, 1)
    b.run(0)
    plain = [0x000, 0x010, 0x040, 0x050, 0x290, 0x2A0, 0x310, 0x3A0, 0x430]
    for n, offset in enumerate(plain):
        b.write(0, offset, 0xFFFF_FFF0 | n)
    assert [b.read(0, offset) for offset in plain] == [0xFFFF_FFF0 | n for n in range(len(plain))]
    for n, offset in enumerate(plain):
        assert b.w.at[b.backing(0) + offset // 16] == 0xFFFF_FFF0 | n
    assert [row.offset % 16 for row in apic.MAP] == [0] * len(apic.MAP)


@breaks("H-REG-1")
def slots_are_32_bytes(w: World) -> None:
    """Two neighbouring registers fall together."""

    def store_register(w: World, page: int, insn: Insn) -> Beats[None]:
        yield access.WRITE_PAGE(page + (insn.address >> 5 << 1 & 0xFF), insn.value)

    overlay(w, access.store_register, store_register)


@proves("H-REG-2")
def allow_trap_fault(make: Make) -> None:
    """Allow: the page itself. Trap: #VMEXIT right after the write landed. Fault: before anything.

    (APM2 15.29.3.1, H-REG-2)
    """
    b = Bench(make, 1)
    b.run(0)
    icrh, svr, ppr = b.slot(0, "ICRH"), b.slot(0, "SVR"), b.slot(0, "PPR")
    b.write(0, "ICRH", 5)
    assert (b.read(0, "ICRH"), b.w.at[icrh], b.exits(0)) == (5, 5, ())
    b.forget()
    b.write(0, "SVR", 0x1EE)
    assert (b.w.at[svr], b.codes(0)) == (0x1EE, [NOACCEL])
    assert b.first(svr) < b.first(b.cores[0].mode), "first the write, then the exit"
    assert b.vmrun(0) is None
    before = b.w.at[ppr]
    b.forget()
    b.write(0, "PPR", 0x1EE)
    assert (b.w.at[ppr], b.codes(0)) == (before, [NOACCEL, NOACCEL])
    assert not any(d.place == ppr for d in b.beats), "not even looked at"


@breaks("H-REG-2")
def traps_come_before_the_write(w: World) -> None:
    """A trap leaves the page as it was."""

    def access_memory(w: World, core: Core, who: Guest, insn: Insn) -> Beats[int | Exit]:
        offset = insn.address & 0xFFF
        if insn.op == "write" and w.objects["filter"][True][offset >> 4] is Access.TRAP:
            return access.no_acceleration(offset, True, past=True)
        return (yield from access.access_memory.fn(w, core, who, insn))

    overlay(w, access.access_memory, access_memory)


@breaks("H-REG-2")
def faults_come_after_the_write(w: World) -> None:
    """A write that faults has landed."""

    def access_memory(w: World, core: Core, who: Guest, insn: Insn) -> Beats[int | Exit]:
        if insn.op == "write":
            slot, _ = split(insn.address & 0xFFF)
            yield access.WRITE_PAGE(w.see[core.latch].page + slot, insn.value)
        return (yield from access.access_memory.fn(w, core, who, insn))

    overlay(w, access.access_memory, access_memory)


@proves("H-REG-3")
def where_rip_stands(make: Make) -> None:
    """RIP is past the instruction on a trap, at it on a fault; nRIP is 0 on both. (APM2 15.7.1, H-REG-3)"""
    for insn, past in ((write("SVR", 0x1FF), True), (write("PPR", 0), False), (read("APR"), False)):
        b = Bench(make, 1)
        b.set_vmcb(0, NRIP, 0x5555)
        b.run(0)
        b.do(0, insn, Insn("nop"))
        assert b.codes(0) == [NOACCEL]
        first = b.rip(0) & ~0xFFF
        assert b.rip(0) - first == (4 if past else 0)
        assert b.vmcb(0, NRIP) == 0
        assert b.vmrun(0) is None
        assert (b.rip(0) == 0) == past, "a trap goes on, a fault comes again"
    b = Bench(make)
    b.run(0)
    b.do(0, write("ICRL", 0x441), Insn("nop"))
    assert (b.codes(0), b.rip(0) & 0xFFF, b.vmcb(0, NRIP)) == ([0x401], 4, 0)


@proves("H-REG-3")
def where_nrip_is_told(make: Make) -> None:
    """nRIP is the next instruction on instruction intercepts (HLT, MSR), 0 on NPF and interrupts.

    (APM2 15.7.1, H-REG-3)
    """
    for insn, code, told in (
        (Insn("hlt"), HLT, True),
        (Insn("rdmsr", 0x802), MSR, True),
        (read("ID", base=0), NPF, False),
    ):
        b = Bench(make, 1)
        b.run(0)
        b.do(0, Insn("nop"), insn)
        assert b.codes(0) == [code]
        assert b.rip(0) & 0xFFF == 4, "at the instruction"
        assert b.vmcb(0, NRIP) == (b.rip(0) + 4 if told else 0)
    b = Bench(make, 1)
    b.on(0, 0x41, [Insn("nop"), Insn("nop"), Insn("hlt")])
    b.run(0)
    b.do(0, write("ICRL", 0x4_0041), Insn("nop"))
    handler = b.w.at[b.guests[0].handlers][0x41]
    assert b.vmcb(0, NRIP) == b.rip(0) + 4 == handler * 0x1000 + 12, "of the handler, not of the program below it"


@breaks("H-REG-3")
def traps_stand_at_the_instruction(w: World) -> None:
    """RIP is never past."""

    def complete(w: World, core: Core, who: Guest, insn: Insn, result: int | Exit, shadowed: int) -> Beats[Exit | None]:
        result = result._replace(past=False) if isinstance(result, Exit) else result
        return (yield from run.complete.fn(w, core, who, insn, result, shadowed))

    overlay(w, run.complete, complete)


@breaks("H-REG-3")
def faults_stand_past_the_instruction(w: World) -> None:
    """RIP is always past."""

    def complete(w: World, core: Core, who: Guest, insn: Insn, result: int | Exit, shadowed: int) -> Beats[Exit | None]:
        result = result._replace(past=True) if isinstance(result, Exit) else result
        return (yield from run.complete.fn(w, core, who, insn, result, shadowed))

    overlay(w, run.complete, complete)


@breaks("H-REG-3", patch=True)
def nrip_is_always_told(patch: pytest.MonkeyPatch) -> None:
    """nRIP is saved on every exit."""
    patch.setattr(vmexit, "next_rip", lambda w, who, exit: 0x1000)


@proves("H-REG-5")
def parts_of_a_register_are_served(make: Make) -> None:
    """1, 2 and 4 bytes that stay inside the register are served; the other bytes keep their value.

    (APM2 15.29.3.1, H-REG-5)
    """
    b = Bench(make, 1)
    b.run(0)
    served = [(0, 4), (0, 2), (1, 2), (2, 2), *((n, 1) for n in range(4))]
    for first, size in served:
        b.set_reg(0, "ICRH", 0x4433_2211)
        mask = (1 << 8 * size) - 1
        assert b.read(0, 0x310 + first, size) == 0x4433_2211 >> 8 * first & mask
        b.write(0, 0x310 + first, 0xAABB_CCDD & mask, size)
        assert b.reg(0, "ICRH") == 0x4433_2211 & ~(mask << 8 * first) | (0xAABB_CCDD & mask) << 8 * first
    b.set_vectors(0, "ISR", 0x41, 0x6F)
    assert [b.read(0, 0x120 + n, 1) for n in range(4)] == [1 << 1, 0, 0, 0]
    assert [b.read(0, 0x130 + n, 1) for n in range(4)] == [0, 1 << 7, 0, 0], "6Fh is bit 15 of its word"
    b.write(0, "SVR", 0xEE, size=1)
    assert (b.reg(0, "SVR"), b.codes(0)) == (0x1EE, [NOACCEL])
    assert b.vmrun(0) is None
    b.set_reg(0, "ICRL", 0x4_0041)
    b.write(0, "ICRL", 0x93, size=1)
    assert (b.reg(0, "ICRL"), b.taken(0)) == (0x4_0093, {0x93: 1}), "a byte of ICRL sends all of it"
    b.write(0, 0x302, 0x0004, size=2)
    assert b.taken(0) == {0x93: 1}, "again, and it waits for EOI"
    assert b.irr(0) == {0x93}


@proves("H-REG-5")
def each_byte_of_an_accelerated_register_acts(make: Make) -> None:
    """TPR, EOI and ICRL are acted upon, whichever of their bytes is written. (APM2 15.29.3.1, H-REG-5)"""
    for n in range(4):
        b = Bench(make, 1)
        b.run(0)
        b.set_vectors(0, "ISR", 0x62)
        b.write(0, 0x0B0 + n, 0, size=1)
        assert (b.isr(0), b.codes(0)) == (set(), []), n
        b.set_reg(0, "TPR", 0x35)
        b.write(0, 0x080 + n, 0x43, size=1)
        assert (b.cr8(0), b.reg(0, "PPR")) == ((3, 0x35) if n else (4, 0x43)), n
        b.set_reg(0, "ICRL", 0x4_0081)
        b.write(0, 0x300 + n, (0x81, 0, 4, 0)[n], size=1)
        assert (b.taken(0), b.codes(0)) == ({0x81: 1}, []), n


@proves("H-REG-5")
def whole_registers_are_not_read_to_be_written(make: Make) -> None:
    """Only a narrow write looks at the bytes beside it. (APM2 15.29.3.1, H-REG-5)"""
    b = Bench(make, 1)
    b.run(0)
    for name in ("ICRH", "TPR"):
        b.forget()
        b.write(0, name, 0x12)
        assert not any(d.site is access.MERGE_PAGE for d in b.beats)
        b.write(0, name, 0x13, size=1)
        assert sum(d.site is access.MERGE_PAGE for d in b.beats) == 1


@proves("H-REG-5")
def the_other_twelve_bytes_are_undefined(make: Make) -> None:
    """Bytes 4..15 of a slot: the model's own error, and nothing has changed. Splitting a register is no better.

    (APM2 15.29.3.1, H-REG-5)
    """
    b = Bench(make, 1)
    b.run(0)
    before = b.w.at.copy()
    undefined = [(0x310 + n, 1) for n in range(4, 16)] + [(0x311, 4), (0x312, 4), (0x313, 2), (0x314, 4)]
    for offset, size in undefined:
        for act in (partial(b.read, 0, offset, size), partial(b.write, 0, offset, 1, size)):
            said = refused(act, UndefinedAccess)
            assert hex(offset) in said
            assert "bytes 0..3 of a 16-byte slot" in said
            assert b.w.at == before
    for offset, size, expected in (
        (-1, 1, "000h..FFFh"),
        (0x1000, 4, "000h..FFFh"),
        (0xFFF, 1, "bytes 0..3"),
        (0x310, 3, "1, 2 or 4 bytes"),
        (0x310, 8, "1, 2 or 4 bytes"),
    ):
        for act in (partial(b.read, 0, offset, size), partial(b.write, 0, offset, 1, size)):
            assert expected in refused(act)
            assert b.w.at == before


@breaks("H-REG-5", patch=True)
def any_byte_is_served(patch: pytest.MonkeyPatch) -> None:
    """All sixteen bytes of a slot are taken for the register."""
    patch.setattr(guest, "_checked", lambda register, size: apic.offset_of(register))


@breaks("H-REG-5")
def narrow_writes_are_wide(w: World) -> None:
    """A write of one byte clears the other three."""

    def merged(w: World, page: int, insn: Insn) -> Beats[int]:
        return insn.value << 8 * (insn.address & 3)
        yield

    overlay(w, access.merged, merged)


@proves("H-REG-6")
def the_registers_after_reset(make: Make) -> None:
    """Reset: ID << 24, version 00050014h as Xen shows it, SVR FFh, DFR ones, LVTs masked, the rest 0.

    (APM2 Table 16-2, H-REG-6)
    """
    m = make(cores=1, pages=64, record=False)
    assert m.xen is not None
    for n, v in enumerate(m.xen.create_domain(3).vcpus):
        expected = {0x020: 2 * n << 24, 0x030: 0x0005_0014, 0x0E0: 0xFFFF_FFFF, 0x0F0: 0xFF}
        expected |= dict.fromkeys(range(0x320, 0x380, 0x10), 0x0001_0000)
        held = {o: m.world.at[v.vcpu.page + o // 16] for o in range(0, 0x400, 0x10)}
        assert {o: value for o, value in held.items() if value} == {o: e for o, e in expected.items() if e}
    manual = {0x030: 0x0005_0014, 0x0E0: 0xFFFF_FFFF, 0x0F0: 0xFF, 0x400: 0x0004_0007}
    manual |= dict.fromkeys(range(0x320, 0x380, 0x10), 0x0001_0000)
    manual |= dict.fromkeys(range(0x480, 0x500, 0x10), 0xFFFF_FFFF)
    assert {o: value for o, value in RESET.items() if value} == manual


@breaks("H-REG-6", patch=True)
def lvts_are_not_masked(patch: pytest.MonkeyPatch) -> None:
    """The timer's LVT is open at reset."""
    patch.setitem(RESET, 0x320, 0)


@breaks("H-REG-6")
def the_id_is_not_set(w: World) -> None:
    """Every vCPU has APIC ID 0."""

    def clear_id(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield POKE(v.page + 2, 0)

    then(w, vlapic_init.vlapic_reset, clear_id)


@proves("H-REG-7")
def where_a_vector_lies(make: Make) -> None:
    """Vector v is bit v % 32 of the word at base + (v / 32) * 10h, in ISR, TMR and IRR. (APM2 15.29.3.1, H-REG-7)"""
    b = Bench(make, 1)
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.run(0)
    for v in (16, 31, 32, 0x41, 0x5F, 0x60, 127, 128, 0xA0, 0xC1, 0xE0, 255):
        b.set_vectors(0, "IRR")
        b.write(0, "ICRL", 0x40000 | v)
        words = [b.read(0, 0x200 + 0x10 * n) for n in range(8)]
        assert words == [1 << v % 32 if n == v // 32 else 0 for n in range(8)]
        b.set_vectors(0, "ISR", v)
        b.set_vectors(0, "TMR", v)
        for base in (0x100, 0x180):
            assert [b.read(0, base + 0x10 * n) for n in range(8)] == words


@breaks("H-REG-7")
def words_run_backwards(w: World) -> None:
    """The first word of a 256-bit register holds vectors 224 to 255."""

    def load_register(w: World, page: int, insn: Insn) -> Beats[int]:
        offset = insn.address & 0xFFF
        if 0x100 <= offset < 0x280:
            insn = replace(insn, address=offset & ~0x7F | 0x70 - (offset & 0x70))
        return (yield from access.load_register.fn(w, page, insn))

    overlay(w, access.load_register, load_register)


@proves("H-REG-8")
def registers_as_msrs(make: Make) -> None:
    """x2APIC MSR = 800h + (offset >> 4); ICR is one 64-bit MSR 830h, Self IPI 83Fh; DFR and RRR have none.

    (APM2 16.11.1, H-REG-8)
    """
    for offset in (0x020, 0x030, 0x080, 0x0A0, 0x0B0, 0x0D0, 0x0F0, 0x170, 0x270, 0x280, 0x320, 0x3E0, 0x3F0):
        assert apic.msr_of(offset) == 0x800 + (offset >> 4)
        assert apic.offset_of_msr(0x800 + (offset >> 4)) == offset
    assert apic.msr_of(0x300) == apic.msr_of(0x310) == 0x830
    assert apic.msr_of("SELF_IPI") == 0x83F
    for name in ("DFR", "RRR"):
        assert "x2APIC MSR" in refused(partial(apic.msr_of, name))
    for msr in (0x80C, 0x80E, 0x831):
        assert f"{msr:#x}" in refused(partial(apic.offset_of_msr, msr))
    m = make(cores=1, pages=64, cmdline="", record=False)
    assert m.xen is not None
    v = m.xen.create_domain(1).vcpus[0]
    m.xen.run(v, 0)
    v.guest.wrmsr(0x1B, 0xFEE0_0000 | 1 << 11 | 1 << 10 | 1 << 8)
    v.guest.wrmsr(0x830, 0x0000_0123_0000_0000 | 0xC_0041)
    page = [m.world.at[v.vcpu.page + o // 16] for o in (0x300, 0x310)]
    assert page == [0xC_0041, 0x123]


@breaks("H-REG-8", patch=True)
def msrs_begin_at_801h(patch: pytest.MonkeyPatch) -> None:
    """Every number is one too high."""
    patch.setattr(apic, "msr_of", lambda register: 0x801 + (apic.offset_of(register) >> 4))


@breaks("H-REG-8", patch=True)
def dfr_has_an_msr(patch: pytest.MonkeyPatch) -> None:
    """80Eh is DFR."""
    patch.setattr("avickit.manual.apic_names.NO_MSR", {})


@proves("H-REG-9")
def the_mapping_must_grant_read_and_write(make: Make) -> None:
    """The nested mapping at APIC_BAR must grant read and write, else exit 400h, for reads too.

    (APM2 15.29.3, H-REG-9)
    """
    for leaf in (0, LEAF_PRESENT, LEAF_WRITABLE, LEAF_PRESENT | LEAF_WRITABLE):
        for insn in (read("SVR"), write("ICRH", 5)):
            b = Bench(make, 1)
            b.w.at[b.page(NESTED) + APIC_LEAF] = leaf
            b.run(0)
            b.do(0, insn)
            if leaf == LEAF_PRESENT | LEAF_WRITABLE:
                assert b.codes(0) == []
                continue
            assert b.codes(0) == [NPF]
            why = FINAL | USER | (leaf & PRESENT) | (WRITE if insn.op == "write" else 0)
            assert (b.vmcb(0, 0x078), b.vmcb(0, 0x080)) == (why, insn.address)
            assert b.rip(0) & 0xFFF == 0
            assert b.rip(0) != 0, "a fault: RIP stands at the instruction"
            assert b.reg(0, "ICRH") == 0


@proves("H-REG-9")
def the_address_in_the_leaf_is_ignored(make: Make) -> None:
    """Hardware goes to AVIC_BACKING_PAGE, whatever page the leaf names. (APM2 15.29.3, H-REG-9)"""
    b = Bench(make, 1)
    b.w.at[b.page(NESTED) + APIC_LEAF] = SPARE << 12 | LEAF_PRESENT | LEAF_WRITABLE
    b.w.at[b.page(SPARE) + 0x0F] = 0x5555
    b.run(0)
    assert b.read(0, "SVR") == 0x1FF
    b.write(0, "ICRH", 5)
    assert (b.reg(0, "ICRH"), b.w.at[b.page(SPARE) + 0x31]) == (5, 0)


@proves("H-REG-9")
def without_avic_nobody_is_there(make: Make) -> None:
    """With AVIC off the access is an ordinary one: a nested page fault where nothing is mapped.

    (APM2 15.29.3, H-REG-9)
    """
    for np, leaf in ((1, 0), (0, 0), (0, LEAF_PRESENT)):
        b = Bench(make, 1, avic=False)
        b.w.at[b.page(NESTED) + APIC_LEAF] = leaf
        b.set_vmcb(0, 0x060, INTR_MASKING)
        b.set_vmcb(0, 0x090, np)
        b.run(0)
        b.do(0, write("TPR", 0x40))
        assert (b.codes(0), b.vmcb(0, 0x078)) == ([NPF], FINAL | USER | WRITE)


@breaks("H-REG-9")
def permissions_are_not_looked_at(w: World) -> None:
    """Any mapping will do."""

    def translate(w: World, core: Core, latch: Latch) -> Beats[int | None]:
        return latch.page
        yield

    overlay(w, access.translate, translate)


@breaks("H-REG-9")
def the_leaf_leads(w: World) -> None:
    """The access goes where the leaf's address points, as for any other page."""

    def translate(w: World, core: Core, latch: Latch) -> Beats[int | None]:
        leaf = yield access.WALK(latch.leaf)
        allowed = yield from access.translate.fn(w, core, latch)
        return allowed and (leaf >> 12) * w.page_places + w.first_page

    overlay(w, access.translate, translate)


@breaks("H-REG-9")
def reading_needs_no_write_permission(w: World) -> None:
    """A mapping that can only be read serves reads."""

    def access_memory(w: World, core: Core, who: Guest, insn: Insn) -> Beats[int | Exit]:
        latch = w.see[core.latch]
        if insn.op == "read" and (yield access.WALK(latch.leaf)) == LEAF_PRESENT:
            return (yield from access.load_register(w, latch.page, insn))
        return (yield from access.access_memory.fn(w, core, who, insn))

    overlay(w, access.access_memory, access_memory)

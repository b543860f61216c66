"""What a write keeps and does, what a read gives, accesses of 1, 2 and 4 bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.xen import vlapic
from tests.xen.vlapic_machine import enabled, fresh

WORDS = st.integers(0, 0xFFFF_FFFF)
LVT_MASKS = {0x320: 0x710FF, 0x330: 0x117FF, 0x340: 0x117FF, 0x350: 0x1F7FF, 0x360: 0x1F7FF, 0x370: 0x110FF}
KEPT = {0x20: 0xFFFFFFFF, 0x80: 0xFF, 0xD0: 0xFF000000, 0x310: 0xFF000000, 0x3E0: 0xB} | LVT_MASKS


@given(st.sampled_from(sorted(KEPT)), WORDS)
def test_bits_that_a_write_keeps(offset: int, value: int) -> None:
    """X0-4, X0-4a: TPR & FFh, LDR and ICRH & FF000000h, TDCR & Bh, the LVT masks; the ID is stored raw."""
    rig = enabled()
    assert rig.write(rig.vcpus[1], offset, value)
    assert rig.page(rig.vcpus[1], offset) == value & KEPT[offset]


@given(WORDS)
def test_dfr(value: int) -> None:
    """X0-4: | 0FFFFFFFh."""
    rig = enabled()
    rig.write(rig.vcpus[0], "DFR", value)
    assert rig.page(rig.vcpus[0], "DFR") == value | 0x0FFFFFFF


@given(WORDS)
def test_svr(value: int) -> None:
    """X0-4: & 3FFh; bit 8 = 0 masks all LVTs, bit 8 = 1 leaves them masked or not as they were."""
    rig = enabled()
    v = rig.vcpus[0]
    for lvt in LVT_MASKS:
        rig.write(v, lvt, 0x30)
    rig.write(v, "SVR", value)
    assert rig.page(v, "SVR") == value & 0x3FF
    on = bool(value & 0x100)
    assert {rig.page(v, lvt) for lvt in LVT_MASKS} == {0x30 if on else 0x1_0030}
    assert rig.do(vlapic.vlapic_enabled, v) is on


@given(st.sampled_from(sorted(LVT_MASKS)), WORDS)
def test_lvts_are_masked_while_the_apic_is_disabled_by_software(offset: int, value: int) -> None:
    """X0-4: the mask bit, 16, is set whatever is written."""
    rig = fresh()
    rig.write(rig.vcpus[0], offset, value)
    assert rig.page(rig.vcpus[0], offset) == (value | 0x1_0000) & LVT_MASKS[offset]


@pytest.mark.parametrize("offset", [0x30, 0x90, 0xA0, 0xC0, *range(0x100, 0x280, 0x10), 0x280, 0x390])
def test_writes_that_are_ignored(offset: int) -> None:
    """X0-4a: ESR, RRR, version, PPR, APR, ISR/TMR/IRR and TMCCT; ESR is not cleared."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, offset, 0x60)
    assert rig.write(v, offset, 0xFFFF_FFFF)
    assert rig.page(v, offset) == 0x60


@pytest.mark.parametrize("offset", [0x00, 0x40, 0x2F0, 0x3F0, 0x400, 0x500, 0xFF0, 0x84])
def test_where_no_register_is(offset: int) -> None:
    """X0-4: nothing happens, and the answer is false."""
    rig = enabled()
    before = list(rig.w.at)
    assert not rig.write(rig.vcpus[0], offset, 0xFFFF_FFFF)
    assert rig.w.at[1:] == before[1:]


def test_the_icr_is_sent_then_stored_without_delivery_status() -> None:
    """X0-4: bit 12 is cleared; X0-4a: send first, then store; ICRH is where the destination is."""
    rig = enabled()
    a, b = rig.vcpus[:2]
    rig.write(a, "ICRH", 2 << 24)
    beats = vlapic.vlapic_reg_write(rig.w, rig.cores[0], a, 0x300, 0x1041)
    places = list(rig.steps(beats))
    assert places.index(b.page + 0x20) < places.index(a.page + 0x30)
    assert rig.page(a, "ICRL") == 0x41
    assert rig.page(b, "IRR") == 1 << 0x41


def test_the_banks_are_read_by_their_words() -> None:
    """X0-4, H-REG-7: vector v is bit v % 32 of word v / 32."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "IRR", 1 << 0x41 | 1 << 0xFF | 1 << 0x20)
    assert [rig.read(v, 0x200 + 0x10 * n) for n in range(8)] == [0, 1, 2, 0, 0, 0, 0, 1 << 31]


@given(st.integers(0, 0x3E3), st.sampled_from([1, 2, 4]), WORDS)
def test_narrow_accesses(offset: int, size: int, stored: int) -> None:
    """X0-4: 1, 2 and 4 bytes inside a register are served; across its end the domain is crashed."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "LDR", stored)
    offset = 0xD0 | offset & 3
    got = rig.do(vlapic.vlapic_mmio_read, v, offset, size)
    whole = (offset & 3) + size <= 4
    assert got == (int.from_bytes(stored.to_bytes(4, "little")[offset & 3 :][:size], "little") if whole else 0)
    assert rig.w.at[v.domain.cells.crashed] == (not whole)


@given(st.integers(0, 3), st.sampled_from([1, 2, 4]), WORDS, WORDS)
def test_narrow_writes(first: int, size: int, stored: int, value: int) -> None:
    """X0-4: the other bytes stay as a read gives them."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "ID", stored)
    rig.do(vlapic.vlapic_mmio_write, v, 0x20 + first, value & (1 << 8 * size) - 1, size)
    wanted = bytearray(stored.to_bytes(4, "little"))
    if first + size <= 4:
        wanted[first : first + size] = value.to_bytes(4, "little")[:size]
    assert rig.page(v, "ID") == int.from_bytes(wanted, "little")
    assert rig.w.at[v.domain.cells.crashed] == (first + size > 4)


@pytest.mark.parametrize("size", [0, 3, 8])
def test_other_sizes_crash_the_domain(size: int) -> None:
    """X0-4: only 1, 2 and 4."""
    rig = enabled()
    assert rig.do(vlapic.vlapic_mmio_read, rig.vcpus[0], 0x80, size) == 0
    assert rig.w.at[rig.vcpus[0].domain.cells.crashed] == 1


def test_tdcr_is_the_last() -> None:
    """X0-4: 3E0h is served."""
    rig = enabled()
    rig.do(vlapic.vlapic_mmio_write, rig.vcpus[0], 0x3E0, 0xFFFF_FFFF, 4)
    assert rig.do(vlapic.vlapic_mmio_read, rig.vcpus[0], 0x3E0, 4) == 0xB


@pytest.mark.parametrize("offset", [0x3E4, 0x3E5, 0x3F0, 0x400, 0xFFC])
def test_behind_3e3h_nothing_is_served(offset: int) -> None:
    """X0-4: reads give 0, writes are ignored."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, offset & 0xFF0, 0x55)
    before = list(rig.w.at)
    assert rig.do(vlapic.vlapic_mmio_read, v, offset, 4) == 0
    rig.do(vlapic.vlapic_mmio_write, v, offset, 0xFFFF_FFFF, 4)
    assert rig.w.at[1:] == before[1:]


@given(st.integers(0, 0x3EF), WORDS)
def test_bytes_4_to_15_of_a_slot(offset: int, value: int) -> None:
    """X0-4: read 0, write nothing; no neighbour is touched."""
    rig = enabled()
    v = rig.vcpus[0]
    offset = offset & 0x3F0 | 4 + offset % 3 * 4
    before = list(rig.w.at)
    assert rig.do(vlapic.vlapic_reg_read, v, offset) == 0
    assert not rig.do(vlapic.vlapic_reg_write, v, offset, value)
    assert rig.w.at[1:] == before[1:]


def test_the_range_of_the_page() -> None:
    """X0-2: the page at the base, 4 KiB of it, while the APIC is enabled; it moves with IA32_APIC_BASE."""
    rig = enabled()
    v = rig.vcpus[1]
    served = [a for a in (0xFEDFFFFF, 0xFEE00000, 0xFEE00FFF, 0xFEE01000) if rig.do(vlapic.vlapic_range, v, a)]
    assert served == [0xFEE00000, 0xFEE00FFF]
    assert rig.do(vlapic.guest_wrmsr_apic_base, v, 0x1_2345_6800)
    assert rig.do(vlapic.vlapic_range, v, 0x1_2345_6020)
    assert not rig.do(vlapic.vlapic_range, v, 0xFEE00020)
    assert rig.do(vlapic.guest_wrmsr_apic_base, v, 0x1_2345_6000)
    assert not rig.do(vlapic.vlapic_range, v, 0x1_2345_6020)

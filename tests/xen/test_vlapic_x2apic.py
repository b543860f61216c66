"""IA32_APIC_BASE and the x2APIC MSRs."""

from dataclasses import replace

import pytest

from avickit.xen import vlapic
from avickit.xen.parts import Vcpu
from tests.xen.vlapic_machine import Rig, enabled

BASE = 0xFEE00000
DISABLED, XAPIC, INVALID, X2APIC = BASE, BASE | 0x800, BASE | 0x400, BASE | 0xC00
READABLE = {0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, 0x828, 0x82F, 0x830, 0x83E} | {*range(0x810, 0x828)}
READABLE |= {*range(0x832, 0x83A)}
WRITABLE = {
    0x808: 0xFF,
    0x80B: 0,
    0x80F: 0x1FF,
    0x828: 0,
    0x82F: 0x117FF,
    0x830: 0xFFFF_FFFF_000C_CFFF,
    0x832: 0x710FF,
    0x833: 0x117FF,
    0x834: 0x117FF,
    0x835: 0x1F7FF,
    0x836: 0x1F7FF,
    0x837: 0x110FF,
    0x838: 0xFFFF_FFFF_FFFF_FFFF,
    0x83E: 0xB,
    0x83F: 0xFF,
}


def base(rig: Rig, v: Vcpu, value: int) -> bool:
    return rig.do(vlapic.guest_wrmsr_apic_base, v, value)


def wrmsr(rig: Rig, v: Vcpu, msr: int, value: int) -> bool:
    return rig.do(vlapic.guest_wrmsr_x2apic, v, msr, value)


def rdmsr(rig: Rig, v: Vcpu, msr: int) -> int | None:
    return rig.do(vlapic.guest_rdmsr_x2apic, v, msr)


def x2apic(*numbers: int) -> Rig:
    rig = enabled()
    for n in numbers or (0, 1, 2):
        assert base(rig, rig.vcpus[n], X2APIC)
    return rig


@pytest.mark.parametrize(
    ("start", "to", "legal"),
    [
        (XAPIC, XAPIC, True),
        (XAPIC, X2APIC, True),
        (XAPIC, DISABLED, True),
        (XAPIC, INVALID, False),
        (X2APIC, X2APIC, True),
        (X2APIC, XAPIC, False),
        (X2APIC, DISABLED, True),
        (X2APIC, INVALID, False),
        (DISABLED, DISABLED, True),
        (DISABLED, XAPIC, True),
        (DISABLED, X2APIC, False),
        (DISABLED, INVALID, False),
    ],
)
def test_transitions(start: int, to: int, legal: bool) -> None:
    """X0-10: the legal transitions of IA32_APIC_BASE; any other is #GP and changes nothing."""
    rig = enabled()
    v = rig.vcpus[1]
    assert base(rig, v, start)
    before = list(rig.w.at)
    assert base(rig, v, to) is legal
    assert rig.do(vlapic.guest_rdmsr_apic_base, v) == (to if legal else start)
    if not legal:
        assert rig.w.at[1:] == before[1:]


@pytest.mark.parametrize("bit", [0, 7, 9, 52, 63, 64])
def test_reserved_bits_of_the_base(bit: int) -> None:
    """X0-10: #GP."""
    rig = enabled()
    assert not base(rig, rig.vcpus[1], XAPIC | 1 << bit)


def test_enabling_is_a_reset() -> None:
    """X0-10: disabled and enabled again, the registers are as after reset; the written base stands."""
    rig = enabled()
    v = rig.vcpus[1]
    rig.write(v, "TPR", 0x50)
    assert base(rig, v, DISABLED)
    assert rig.do(vlapic.vlapic_hw_disabled, v)
    assert rig.page(v, "TPR") == 0x50
    assert base(rig, v, 0x1234_5800)
    assert rig.page(v, "TPR") == 0
    assert rig.page(v, "ID") == 2 << 24
    assert rig.do(vlapic.guest_rdmsr_apic_base, v) == 0x1234_5800
    assert not rig.do(vlapic.vlapic_hw_disabled, v)
    assert rig.do(vlapic.vlapic_sw_disabled, v)


def test_an_apic_disabled_in_hardware_hears_nothing() -> None:
    """X0-5a: though SVR has its bit 8."""
    rig = enabled()
    assert base(rig, rig.vcpus[1], DISABLED)
    rig.ipi(rig.vcpus[0], 0x41, 2)
    assert rig.page(rig.vcpus[1], "IRR") == 0
    assert rig.page(rig.vcpus[1], "SVR") == 0x1FF


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_id_in_x2apic_mode(number: int) -> None:
    """X0-10, X0-1: not shifted (X08); LDR made of the vCPU's number, as Xen had it."""
    rig = x2apic()
    assert rdmsr(rig, rig.vcpus[number], 0x802) == 2 * number
    assert rdmsr(rig, rig.vcpus[number], 0x80D) == 1 << number


@pytest.mark.parametrize("msr", range(0x800, 0x900))
def test_which_msrs_can_be_read(msr: int) -> None:
    """X0-10, H-REG-8: DFR, Remote Read, EOI, Self IPI and ICRH are not among them."""
    rig = x2apic()
    assert (rdmsr(rig, rig.vcpus[0], msr) is not None) == (msr in READABLE)


@pytest.mark.parametrize("msr", WRITABLE)
def test_which_bits_can_be_written(msr: int) -> None:
    """X0-10: a bit that must be 0 is #GP."""
    rig = x2apic()
    a = rig.vcpus[0]
    assert wrmsr(rig, a, msr, 0)
    assert sum(1 << bit for bit in range(65) if wrmsr(rig, a, msr, 1 << bit)) == WRITABLE[msr]


@pytest.mark.parametrize("value", [0, 1])
def test_which_msrs_can_be_written(value: int) -> None:
    """X0-10: any other is #GP, and changes nothing."""
    rig = x2apic()
    before = list(rig.w.at)
    assert not [msr for msr in range(0x800, 0x900) if msr not in WRITABLE and wrmsr(rig, rig.vcpus[0], msr, value)]
    assert rig.w.at[1:] == before[1:]


def test_the_destination_is_written_with_the_icr_only() -> None:
    """X0-10: another MSR's high half goes nowhere."""
    rig = x2apic()
    rig.poke(rig.vcpus[0], "ICRH", 4)
    assert wrmsr(rig, rig.vcpus[0], 0x838, 7 << 32 | 1)
    assert rig.page(rig.vcpus[0], "ICRH") == 4


def test_clusters_have_16_members() -> None:
    """X0-10: vCPU 17 is the second of cluster 1."""
    rig = enabled()
    v = replace(rig.vcpus[0], vcpu_id=17)
    rig.do(vlapic.set_x2apic_id, v)
    assert (rig.page(v, "ID"), rig.page(v, "LDR")) == (34, 1 << 16 | 1 << 1)


def test_without_x2apic_mode_every_msr_is_gp() -> None:
    """X0-10: 800h and up."""
    rig = enabled()
    assert rdmsr(rig, rig.vcpus[0], 0x802) is None
    assert not wrmsr(rig, rig.vcpus[0], 0x80B, 0)


def test_the_icr_is_one_register() -> None:
    """X0-10, H-REG-8: 64 bits; the destination has 32 of them."""
    rig = x2apic()
    a, b = rig.vcpus[:2]
    assert wrmsr(rig, a, 0x830, 2 << 32 | 0x41)
    assert rig.page(b, "IRR") == 1 << 0x41
    assert rdmsr(rig, a, 0x830) == 2 << 32 | 0x41
    assert rig.page(a, "ICRH") == 2


@pytest.mark.parametrize(("dest", "who"), [(0xFFFF_FFFF, {0, 1, 2}), (0xFF, set()), (4, {2}), (4 << 24, set())])
def test_physical_destinations(dest: int, who: set[int]) -> None:
    """X0-5, X0-10: FFFF_FFFFh is everybody, FFh is nobody."""
    rig = x2apic()
    assert wrmsr(rig, rig.vcpus[0], 0x830, dest << 32 | 0x41)
    assert {v.vcpu_id for v in rig.vcpus if rig.page(v, "IRR")} == who


@pytest.mark.parametrize(("dest", "who"), [(0b101, {0, 2}), (0x1_0001, set()), (0b1000, set())])
def test_logical_destinations(dest: int, who: set[int]) -> None:
    """X0-5, H-X2-2: cluster in bits 31:16, members below."""
    rig = x2apic()
    assert wrmsr(rig, rig.vcpus[1], 0x830, dest << 32 | 0x841)
    assert {v.vcpu_id for v in rig.vcpus if rig.page(v, "IRR")} == who


def test_modes_side_by_side() -> None:
    """X0-5, X0-10: the sender's mode says where the destination stands, the target's mode how its ID is read."""
    rig = x2apic(1)
    a, b, c = rig.vcpus
    rig.ipi(a, 0x41, 2)
    assert rig.page(b, "IRR") == 1 << 0x41
    assert wrmsr(rig, b, 0x830, 4 << 32 | 0x42)
    assert rig.page(c, "IRR") == 1 << 0x42
    rig.ipi(a, 0x43, 0xFF)
    assert not rig.page(b, "IRR") >> 0x43 & 1, "FFh is no broadcast for an APIC in x2APIC mode"
    assert rig.page(c, "IRR") >> 0x43 & 1


def test_self_ipi() -> None:
    """X0-10: 83Fh, an ICR with the shorthand self; the destination half stays."""
    rig = x2apic()
    a = rig.vcpus[0]
    rig.poke(a, "ICRH", 4)
    assert wrmsr(rig, a, 0x83F, 0x41)
    assert [rig.page(v, "IRR") for v in rig.vcpus] == [1 << 0x41, 0, 0]
    assert rdmsr(rig, a, 0x830) == 4 << 32 | 0x4_0041


def test_eoi() -> None:
    """X0-10: software edits ISR in the page."""
    rig = x2apic()
    a = rig.vcpus[0]
    rig.poke(a, "ISR", 1 << 0x41 | 1 << 0x31)
    assert wrmsr(rig, a, 0x80B, 0)
    assert rig.page(a, "ISR") == 1 << 0x31


def test_the_page_is_gone_in_x2apic_mode() -> None:
    """X0-10: nothing answers at the base address."""
    rig = x2apic()
    assert not rig.do(vlapic.vlapic_range, rig.vcpus[0], 0xFEE00020)


def test_tmict_takes_the_low_half() -> None:
    """X0-10: no bit of 838h is refused; the register has 32."""
    rig = x2apic()
    assert wrmsr(rig, rig.vcpus[0], 0x838, 0xFFFF_FFFF_0000_1000)
    assert rig.page(rig.vcpus[0], "TMICT") == 0x1000

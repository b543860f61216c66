"""Reset values, INIT, and the state of a new vCPU's APIC."""

import pytest

from avickit.manual.apic import Version
from avickit.xen import vlapic
from avickit.xen.parts import Vcpu
from tests.xen.vlapic_machine import Rig, enabled, fresh

LVTS = (0x320, 0x330, 0x340, 0x350, 0x360, 0x370)
AFTER_RESET = {0x30: 0x00050014, 0xE0: 0xFFFFFFFF, 0xF0: 0xFF} | dict.fromkeys(LVTS, 0x00010000)


def not_zero(rig: Rig, v: Vcpu) -> dict[int, int]:
    return {offset: rig.page(v, offset) for offset in range(0, 0x1000, 0x10) if rig.page(v, offset)}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_power_on_values(number: int) -> None:
    """H-REG-6, X0-1: Table 16-2, with Xen's version and an ID of twice the vCPU's number; all others 0."""
    rig = fresh()
    v = rig.vcpus[number]
    wanted = AFTER_RESET | {0x20: 2 * number << 24}
    assert not_zero(rig, v) == {offset: value for offset, value in wanted.items() if value}


def test_the_version_register() -> None:
    """X0-1: 00050014h says six LVTs; a write changes nothing."""
    rig = fresh()
    rig.write(rig.vcpus[0], "VERSION", 0)
    version = Version(rig.read(rig.vcpus[0], "VERSION"))
    assert (0x14, len(LVTS)) == (version.VERSION, version.MAX_LVT + 1)


def test_init_of_a_new_vcpu_clears_its_page() -> None:
    """X0-1: whatever the page held before."""
    rig = fresh()
    v = rig.vcpus[0]
    for register in (0x10, "ESR", "RRR", "IRR", 0xFF0):
        rig.poke(v, register, 0x55)
    rig.do(vlapic.vlapic_init, v)
    assert not_zero(rig, v) == {offset: value for offset, value in AFTER_RESET.items() if value}


def test_a_destroyed_vcpu_has_no_timer() -> None:
    """X4-3: nothing fires for a domain that is gone."""
    rig = enabled()
    rig.write(rig.vcpus[0], "TMICT", 1000)
    rig.do(vlapic.vlapic_destroy, rig.vcpus[0])
    assert vlapic.next_expiry(rig.w) == 0


def test_apic_base_after_reset() -> None:
    """X0-1: FEE0_0000h, enabled; only vCPU 0 is the boot processor (bit 8)."""
    rig = fresh()
    assert [rig.do(vlapic.guest_rdmsr_apic_base, v) for v in rig.vcpus] == [0xFEE00900, 0xFEE00800, 0xFEE00800]


def test_reset_leaves_the_apic_disabled_by_software() -> None:
    """X0-4a, H-REG-6: SVR is FFh after reset, so bit 8 is 0."""
    rig = fresh()
    v = rig.vcpus[1]
    assert not rig.do(vlapic.vlapic_enabled, v)
    assert rig.do(vlapic.vlapic_sw_disabled, v)
    assert not rig.do(vlapic.vlapic_hw_disabled, v)


def test_init_leaves_id_and_esr() -> None:
    """X0-4a: INIT resets all but the ID and ESR."""
    rig = enabled()
    v = rig.vcpus[1]
    for register in ("ID", "TPR", "LDR", "ESR", "ICRL", "ICRH", "TMICT", "TDCR", "IRR", "ISR", "TMR"):
        rig.poke(v, register, 0x5500_0003)
    rig.write(v, "DFR", 0)
    rig.write(v, "LVT_LINT0", 0x700)
    rig.do(vlapic.vlapic_do_init, v)
    wanted = AFTER_RESET | {0x20: 0x5500_0003, 0x280: 0x5500_0003}
    assert not_zero(rig, v) == wanted
    assert not rig.do(vlapic.vlapic_enabled, v)


def test_init_stops_the_timer() -> None:
    """X0-4a: and the divider is 2 again."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.write(v, "TDCR", 0xB)
    rig.write(v, "TMICT", 1000)
    rig.do(vlapic.vlapic_do_init, v)
    assert vlapic.next_expiry(rig.w) == 0
    assert rig.w.at[v.cells.timer_divisor] == 2


def test_init_keeps_the_ldr_in_x2apic_mode() -> None:
    """X0-4a: LDR cannot be written in x2APIC mode, so INIT leaves it."""
    rig = enabled()
    v = rig.vcpus[1]
    assert rig.do(vlapic.guest_wrmsr_apic_base, v, 0xFEE00C00)
    rig.do(vlapic.vlapic_do_init, v)
    assert rig.page(v, "LDR") == 1 << 1

"""Exit codes and their details, against Linux's and Xen's numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.errors import AvicError
from avickit.manual.decode import explain
from avickit.manual.exits import (
    EventInj,
    EventType,
    ExitCode,
    IncompleteIpiInfo1,
    IncompleteIpiInfo2,
    IpiFailure,
    NoAccelInfo1,
    NoAccelInfo2,
    NpfInfo1,
    exit_code,
    exit_name,
)

# Linux's uapi/asm/svm.h, kernel names; they differ from the manual's in few cases.
SVM_EXIT = {
    "CR0_READ": 0x000,
    "CR3_READ": 0x003,
    "CR4_READ": 0x004,
    "CR8_READ": 0x008,
    "CR0_WRITE": 0x010,
    "CR3_WRITE": 0x013,
    "CR4_WRITE": 0x014,
    "CR8_WRITE": 0x018,
    "INTR": 0x060,
    "NMI": 0x061,
    "SMI": 0x062,
    "INIT": 0x063,
    "VINTR": 0x064,
    "CR0_SEL_WRITE": 0x065,
    "IDTR_READ": 0x066,
    "GDTR_READ": 0x067,
    "LDTR_READ": 0x068,
    "TR_READ": 0x069,
    "IDTR_WRITE": 0x06A,
    "GDTR_WRITE": 0x06B,
    "LDTR_WRITE": 0x06C,
    "TR_WRITE": 0x06D,
    "RDTSC": 0x06E,
    "RDPMC": 0x06F,
    "PUSHF": 0x070,
    "POPF": 0x071,
    "CPUID": 0x072,
    "RSM": 0x073,
    "IRET": 0x074,
    "SWINT": 0x075,
    "INVD": 0x076,
    "PAUSE": 0x077,
    "HLT": 0x078,
    "INVLPG": 0x079,
    "INVLPGA": 0x07A,
    "IOIO": 0x07B,
    "MSR": 0x07C,
    "TASK_SWITCH": 0x07D,
    "FERR_FREEZE": 0x07E,
    "SHUTDOWN": 0x07F,
    "VMRUN": 0x080,
    "VMMCALL": 0x081,
    "VMLOAD": 0x082,
    "VMSAVE": 0x083,
    "STGI": 0x084,
    "CLGI": 0x085,
    "SKINIT": 0x086,
    "RDTSCP": 0x087,
    "ICEBP": 0x088,
    "WBINVD": 0x089,
    "MONITOR": 0x08A,
    "MWAIT": 0x08B,
    "MWAIT_CONDITIONAL": 0x08C,
    "XSETBV": 0x08D,
    "RDPRU": 0x08E,
    "INVPCID": 0x0A2,
    "BUSLOCK": 0x0A5,
    "IDLE_HLT": 0x0A6,
    "NPF": 0x400,
    "VMGEXIT": 0x403,
    "INVALID": -1,
    "BUSY": -2,
    "IDLE_REQUIRED": -3,
    "INVALID_PMC": -4,
}


def test_exit_codes() -> None:
    """H-EXIT-3"""
    ours = {m.name.removeprefix("VMEXIT_"): int(m) for m in ExitCode if m.name.startswith("VMEXIT_")}
    assert ours == SVM_EXIT
    assert (ExitCode.AVIC_INCOMPLETE_IPI, ExitCode.AVIC_NOACCEL) == (0x401, 0x402)


def test_raw_exit_codes_are_signed() -> None:
    """H-VMCB-7"""
    for raw in (-1, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, ExitCode.VMEXIT_INVALID):
        assert exit_code(raw) is ExitCode.VMEXIT_INVALID
        assert exit_name(raw) == "VMEXIT_INVALID"
    assert exit_code(0xFFFF_FFFB) == 0xFFFF_FFFB
    assert exit_code(0x402) is ExitCode.AVIC_NOACCEL
    assert exit_code(0xFFFF_FFFF_FFFF_FF00) == -0x100


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x02, "VMEXIT_CR2_READ"),
        (0x18, "VMEXIT_CR8_WRITE"),
        (0x27, "VMEXIT_DR7_READ"),
        (0x36, "VMEXIT_DR6_WRITE"),
        (0x4E, "VMEXIT_EXCP14"),
        (0x401, "AVIC_INCOMPLETE_IPI"),
        (0xDEAD, "0xdead"),
    ],
)
def test_names_of_ranges(code: int, name: str) -> None:
    """H-EXIT-3"""
    assert exit_name(code) == name


def test_why_an_ipi_is_incomplete() -> None:
    """H-EXIT-1: the order of Linux's enum avic_ipi_failure_cause, and 5 from the manual."""
    assert [m.name for m in sorted(IpiFailure)] == [
        "INVALID_TYPE",
        "NOT_RUNNING",
        "INVALID_TARGET",
        "INVALID_PAGE",
        "INVALID_VECTOR",
        "UNACCELERATED",
    ]


def test_a_kernel_warning_of_2021() -> None:
    """H-EXIT-1 H-IPI-8: `Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f`."""
    info1, info2 = IncompleteIpiInfo1(0x0400_0000_0000_082F), IncompleteIpiInfo2(0x2_0000_0002)
    assert (info1.ICRH, info1.ICRL) == (0x04000000, 0x082F)
    assert info2.ID is IpiFailure.INVALID_TARGET
    assert str(info2) == "0x0000000200000002 (ID=INVALID_TARGET, INDEX=0x2)"
    assert explain(0x401, int(info1), int(info2)) == [
        "AVIC_INCOMPLETE_IPI (0x401): hardware could not deliver an interrupt to every target.",
        "The guest asked for: FIXED vector 0x2f, EDGE, to logical destination 0x4.",
        "ID 2 INVALID_TARGET: a target is not in the table.",
        "Index 0x2 of the logical APIC ID table.",
    ]


@pytest.mark.parametrize("icr", [0x0100_0000_0000_0041, 0x0000_0000_000C_0041, 0xFF00_0000_0000_0841])
def test_other_indices_are_of_the_physical_table(icr: int) -> None:
    """H-IPI-8: physical destination, shorthand, broadcast."""
    assert explain(0x401, icr, 0x1_0000_0003)[-1] == "Index 0x3 of the physical APIC ID table."


def test_ids_without_an_index() -> None:
    """H-EXIT-1"""
    assert explain(0x401, 0x0400_0000_0000_0005, 0x4_0000_0000)[-1] == "ID 4 INVALID_VECTOR: the vector is below 16."
    assert explain(0x401, 0, 0x9_0000_1000)[-2:] == [
        "ID 0x9 is not documented.",
        "EXITINFO2: reserved bits 31:12 are set.",
    ]


def test_noaccel() -> None:
    """H-EXIT-2: a level-triggered EOI of vector 41h, by hand."""
    info1, info2 = NoAccelInfo1(WRITE=1, OFFSET=0x0B), NoAccelInfo2(VECTOR=0x41)
    assert (int(info1), int(info2), info1.offset) == (0x1_0000_00B0, 0x41, 0x0B0)
    assert explain(0x402, int(info1), int(info2)) == [
        "AVIC_NOACCEL (0x402): the guest touched an APIC register that hardware does not serve alone.",
        "The guest wrote EOI (offset 0xb0).",
        "A trap: the value stands in the page, RIP is past the instruction.",
        "It ends vector 0x41, which is level-triggered.",
    ]
    assert NoAccelInfo1.raw(0x1_0000_0FF0).offset == 0xFF0
    with pytest.raises(AvicError, match=r"NoAccelInfo1: reserved bits 3:0 are set"):
        NoAccelInfo1(0xB4)


@pytest.mark.parametrize(
    ("info1", "said"),
    [
        (0x0_0000_0390, "A fault: nothing was accessed, RIP is at the instruction."),
        (0x1_0000_00D0, "A trap: the value stands in the page, RIP is past the instruction."),
        (0x0_0000_0080, "By the map, hardware serves this access alone; this exit is not expected."),
        (0x1_0000_0500, "A fault: nothing was accessed, RIP is at the instruction."),
    ],
)
def test_trap_or_fault(info1: int, said: str) -> None:
    """H-EXIT-2 H-REG-2 H-REG-3"""
    assert explain(0x402, info1)[2] == said


def test_extended_lvts_trap_on_newer_cores() -> None:
    """H-MAP-500"""
    assert explain(0x402, 0x1_0000_0500, ext_lvt=True)[2].startswith("A trap")


def test_nested_page_fault() -> None:
    """H-EXIT-3 H-REG-9: Linux's PFERR bits; a write to the APIC page without a mapping."""
    bits = {f.name: f.lsb for f in NpfInfo1.fields.values()}
    assert (bits["GUEST_ADDRESS"], bits["GUEST_TABLE"]) == (32, 33)
    assert (bits["PRESENT"], bits["WRITE"], bits["USER"], bits["RESERVED_BIT"], bits["INSTRUCTION"]) == (0, 1, 2, 3, 4)
    assert (bits["RMP"], bits["ENC"], bits["SIZEM"], bits["VMPL"]) == (31, 34, 35, 36)
    said = explain(0x400, 0x1_0000_0006, 0xFEE00300)
    assert said[1] == "Guest physical address 0xfee00300."
    assert said[2].startswith("Error code: GUEST_ADDRESS (")


def test_msr_exit() -> None:
    """H-EXIT-3"""
    assert explain(0x7C, 1)[1] == "The guest wrote the MSR."
    assert explain(0x7C, 0)[1] == "The guest read the MSR."


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_any_exit_can_be_explained(code: int, info1: int, info2: int) -> None:
    """H-EXIT-1 H-EXIT-2 H-EXIT-3"""
    for asked in (code, 0x400, 0x401, 0x402):
        assert all(line.endswith(".") for line in explain(asked, info1, info2))


def test_event_injection() -> None:
    """H-VMCB-10: Linux's SVM_EVTINJ masks, and a page fault with error code 4 by hand."""
    assert EventInj.VECTOR.mask == 0xFF
    assert EventInj.TYPE.mask == 7 << 8
    assert EventInj.EV.mask == 1 << 11
    assert EventInj.VALID.mask == 1 << 31
    assert [int(t) for t in EventType] == [0, 2, 3, 4]
    fault = EventInj(VALID=1, EV=1, TYPE=EventType.EXCEPTION, VECTOR=14, ERRORCODE=4)
    assert int(fault) == 0x0000_0004_8000_0B0E
    assert str(EventInj(0x80000041)) == "0x0000000080000041 (VALID=1, VECTOR=0x41)"

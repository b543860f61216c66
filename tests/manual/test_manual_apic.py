"""The register map and its access filter, against the manual's tables typed in a second time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.bits import Register
from avickit.errors import AvicError
from avickit.manual.apic import (
    MAP,
    RESET,
    Access,
    ApicId,
    Apr,
    Dfr,
    DfrModel,
    Eoi,
    Esr,
    ExtControl,
    ExtFeature,
    ExtLvt,
    Ldr,
    LvtError,
    LvtLint0,
    LvtLint1,
    LvtPerf,
    LvtThermal,
    LvtTimer,
    Offset,
    Ppr,
    RemoteRead,
    SelfIpi,
    Seoi,
    Svr,
    Tdcr,
    TimerMode,
    Tmcct,
    Tmict,
    Tpr,
    Vectors,
    Version,
    filter_for,
    msr_of,
    name_of,
    offset_of,
    offset_of_msr,
    row_at,
    vectors_of,
    vectors_value,
    word_of,
)

# APM2 Table 15-22, p.566-568: first offset, last offset, guest read, guest write; E = by EDX[27], X = level decides.
TABLE_15_22 = """
020 020 allow trap
030 030 allow fault
080 080 allow accelerated
090 090 fault fault
0A0 0A0 allow fault
0B0 0B0 allow eoi
0C0 0C0 allow trap
0D0 0D0 allow trap
0E0 0E0 allow trap
0F0 0F0 allow trap
100 170 allow fault
180 1F0 allow fault
200 270 allow fault
280 280 allow trap
300 300 allow accelerated
310 310 allow allow
320 370 allow trap
380 380 allow trap
390 390 fault fault
3E0 3E0 allow trap
3F0 3F0 allow self_ipi
400 420 fault fault
480 4F0 fault fault
500 530 ext_read ext_write
540 FF0 fault fault
"""
ROWS = [
    (int(first, 16), int(last, 16), read, write)
    for first, last, read, write in (line.split() for line in TABLE_15_22.split("\n") if line)
]


@pytest.mark.parametrize(("first", "last", "read", "write"), ROWS)
def test_each_row_of_the_manual(first: int, last: int, read: str, write: str) -> None:
    """H-MAP-020 H-MAP-030 H-MAP-080 H-MAP-090 H-MAP-0A0 H-MAP-0B0 H-MAP-0C0 H-MAP-0D0 H-MAP-0E0 H-MAP-0F0 H-MAP-100
    H-MAP-180 H-MAP-200 H-MAP-280 H-MAP-300 H-MAP-310 H-MAP-320 H-MAP-380 H-MAP-390 H-MAP-3E0 H-MAP-3F0 H-MAP-400
    H-MAP-500 H-MAP-540 H-REG-1 H-REG-2
    """
    for offset in range(first, last + 1, 0x10):
        row = row_at(offset)
        assert (row.read, row.write) == (Access[read.upper()], Access[write.upper()]), hex(offset)
        expected = "H-MAP-400" if 0x400 <= offset <= 0x4F0 else f"H-MAP-{first:03X}"
        assert row.rule == expected


def test_offsets_the_table_does_not_list_are_plain_memory() -> None:
    """H-REG-4: below 540h, 3F0h in xAVIC mode among them."""
    listed = {o for first, last, _, _ in ROWS for o in range(first, last + 1, 0x10)} - {0x3F0}
    others = [o for o in range(0, 0x540, 0x10) if o not in listed]
    assert others[:3] == [0x000, 0x010, 0x040]
    assert {0x040, 0x290, 0x2F0, 0x3A0, 0x3F0, 0x430, 0x470} <= set(others)
    for offset in others:
        for write in (False, True):
            assert filter_for(offset, write, ext_lvt=True) is Access.ALLOW, hex(offset)


def test_the_map_covers_the_page_once_and_in_order() -> None:
    """H-REG-1: sixteen bytes a slot, 000h to FFFh."""
    assert [o for row in MAP for o in row.offsets] == list(range(0, 0x1000, 0x10))


@given(st.integers(0, 0xFFF))
def test_a_byte_belongs_to_its_slot(offset: int) -> None:
    """H-REG-1"""
    row = row_at(offset)
    assert row.offset <= offset <= row.last + 0xF
    assert row is row_at(offset & ~0xF)


def test_extended_lvts_depend_on_cpuid() -> None:
    """H-MAP-500: allow and trap with EDX[27], else fault."""
    assert [filter_for(0x510, write, ext) for ext in (True, False) for write in (False, True)] == [
        Access.ALLOW,
        Access.TRAP,
        Access.FAULT,
        Access.FAULT,
    ]


def test_self_ipi_exists_in_x2avic_mode_only() -> None:
    """H-MAP-3F0: accelerated like the ICR; otherwise H-REG-4."""
    assert filter_for(Offset.SELF_IPI, write=True, x2avic=True) is Access.ACCELERATED
    assert filter_for(Offset.SELF_IPI, write=True) is Access.ALLOW


def test_the_filter_leaves_eoi_to_the_trigger_mode() -> None:
    """H-MAP-0B0"""
    assert filter_for(Offset.EOI, write=True) is Access.EOI
    assert filter_for(Offset.EOI, write=False) is Access.ALLOW


@pytest.mark.parametrize("offset", [-1, 0x1000])
def test_outside_the_page(offset: int) -> None:
    """H-REG-1"""
    for call in (row_at, lambda o: filter_for(o, write=False)):
        with pytest.raises(AvicError, match=r"offset in the APIC page: -?0x\w+ given, expected 0..0xfff"):
            call(offset)


# Constants of Linux's and Xen's apicdef.h, by their names there.
APICDEF = {
    "APIC_ID": 0x20,
    "APIC_LVR": 0x30,
    "APIC_TASKPRI": 0x80,
    "APIC_ARBPRI": 0x90,
    "APIC_PROCPRI": 0xA0,
    "APIC_EOI": 0xB0,
    "APIC_RRR": 0xC0,
    "APIC_LDR": 0xD0,
    "APIC_DFR": 0xE0,
    "APIC_SPIV": 0xF0,
    "APIC_ISR": 0x100,
    "APIC_TMR": 0x180,
    "APIC_IRR": 0x200,
    "APIC_ESR": 0x280,
    "APIC_ICR": 0x300,
    "APIC_ICR2": 0x310,
    "APIC_LVTT": 0x320,
    "APIC_LVTTHMR": 0x330,
    "APIC_LVTPC": 0x340,
    "APIC_LVT0": 0x350,
    "APIC_LVT1": 0x360,
    "APIC_LVTERR": 0x370,
    "APIC_TMICT": 0x380,
    "APIC_TMCCT": 0x390,
    "APIC_TDCR": 0x3E0,
    "APIC_SELF_IPI": 0x3F0,
    "APIC_EFEAT": 0x400,
    "APIC_ECTRL": 0x410,
    "APIC_EILVT0": 0x500,
    "APIC_EILVT3": 0x530,
}


def test_xen_and_linux_names() -> None:
    """H-REG-1"""
    for name, offset in APICDEF.items():
        assert offset_of(name) == offset_of(name.lower()) == offset, name
        assert row_at(offset).register is not None


@pytest.mark.parametrize(
    ("given_as", "offset"),
    [
        ("ICRL", 0x300),
        ("tpr", 0x80),
        ("lvt-timer", 0x320),
        (" Irr2 ", 0x220),
        ("0x300", 0x300),
        ("300h", 0x300),
        (5, 5),
    ],
)
def test_a_register_by_any_name(given_as: str | int, offset: int) -> None:
    assert offset_of(given_as) == offset


def test_names_and_offsets_agree() -> None:
    for row in MAP:
        if row.register:
            assert offset_of(row.name) == row.offset == getattr(Offset, row.name)
            assert offset_of(name_of(row.last)) == row.last
    assert (name_of(0x200), name_of(0x210), name_of(0x530), name_of(0x040)) == ("IRR", "IRR1", "EXT_LVT3", "0x040")


def test_an_unknown_name_is_told_what_comes_near() -> None:
    with pytest.raises(AvicError, match=r"APIC register: TRP given, expected a name such as ICRL, .*near it: .*TPR"):
        offset_of("TRP")
    for wrong in ("beef", "12", "0xzz", "", True, 2.5):
        with pytest.raises(AvicError, match="APIC register"):
            offset_of(wrong)  # type: ignore[arg-type]
    with pytest.raises(AvicError, match=r"offset in the APIC page: 0x1000 given"):
        offset_of("0x1000")


# Table 16-2 p.631, with the version that Xen shows its guests.
RESET_16_2 = {
    0x030: 0x00050014,
    0x0E0: 0xFFFFFFFF,
    0x0F0: 0x000000FF,
    **dict.fromkeys(range(0x320, 0x380, 0x10), 0x00010000),
    0x400: 0x00040007,
    **dict.fromkeys(range(0x480, 0x500, 0x10), 0xFFFFFFFF),
}


def test_reset_values() -> None:
    """H-REG-6"""
    assert {o: v for o, v in RESET.items() if v} == RESET_16_2
    assert set(RESET) == {o for row in MAP if row.register for o in row.offsets}
    assert Svr(RESET[0xF0]).ENABLE == 0
    assert Dfr(RESET[0xE0]).MODEL is DfrModel.FLAT
    assert LvtTimer(RESET[0x320]).MASK == 1
    version = Version(RESET[0x030])
    assert (version.VERSION, version.MAX_LVT + 1, version.EXT_APIC_SPACE) == (0x14, 6, 0)


@pytest.mark.parametrize("row", [r for r in MAP if r.register and r.register.width == 32], ids=lambda r: r.name)
def test_reset_values_are_legal(row: object) -> None:
    """H-REG-6: no reserved bit is set."""
    register, reset = row.register, row.reset  # type: ignore[attr-defined]
    assert issubclass(register, Register)
    assert int(register(reset)) == reset


def test_a_vector_has_its_word_and_bit() -> None:
    """H-REG-7, worked by hand: 41h = 65 = 2 * 32 + 1."""
    assert word_of(0x41) == (0x20, 1)
    assert word_of(0xFF) == (0x70, 31)
    assert Offset.IRR + word_of(0x41)[0] == 0x220


@given(st.sets(st.integers(0, 255)))
def test_sets_of_vectors(vectors: set[int]) -> None:
    """H-REG-7"""
    value = vectors_value(vectors)
    assert vectors_of(value) == tuple(sorted(vectors))
    words = [value >> 32 * i & 0xFFFFFFFF for i in range(8)]
    for vector in vectors:
        offset, bit = word_of(vector)
        assert words[offset >> 4] >> bit & 1


def test_vectors_show_themselves() -> None:
    """H-REG-7: 0..15 are reserved."""
    assert str(Vectors.of(0x82, 0x41)) == "{0x41, 0x82}"
    with pytest.raises(AvicError, match=r"vector: 256 given, expected 0..255"):
        Vectors.of(256)
    with pytest.raises(AvicError, match=r"Vectors: reserved bits 15:0 are set"):
        Vectors.of(15)


def test_x2apic_msrs() -> None:
    """H-REG-8"""
    assert [msr_of(n) for n in ("ID", "TPR", "EOI", "LDR", "SVR", "ISR", "IRR7", "ESR", "TDCR", "SELF_IPI")] == [
        0x802,
        0x808,
        0x80B,
        0x80D,
        0x80F,
        0x810,
        0x827,
        0x828,
        0x83E,
        0x83F,
    ]
    assert msr_of("ICRL") == msr_of("ICRH") == 0x830
    assert offset_of_msr(0x830) == Offset.ICRL
    for name in ("DFR", "RRR"):
        with pytest.raises(AvicError, match=r"x2APIC MSR: .* given, expected a register that x2APIC mode has"):
            msr_of(name)
    for msr in (0x7FF, 0x80C, 0x80E, 0x831, 0x900):
        with pytest.raises(AvicError, match=f"x2APIC MSR: {msr:#x} given"):
            offset_of_msr(msr)


@given(st.integers(0x800, 0x8FF).filter(lambda m: m not in (0x80C, 0x80E, 0x831)))
def test_msr_and_offset_are_inverse(msr: int) -> None:
    """H-REG-8"""
    assert msr_of(offset_of_msr(msr)) == msr


def test_the_timer_divides_by() -> None:
    """H-MAP-3E0: APM2 Table 16-3 p.638, bits 3 and 1:0."""
    assert [Tdcr(v).divisor for v in (0, 1, 2, 3, 8, 9, 10, 11)] == [2, 4, 8, 16, 32, 64, 128, 1]


# Masks of Linux's and Xen's apicdef.h, and of the figures of APM2 chapter 16 where these have none.
APICDEF_MASKS: list[tuple[type[Register], dict[str, int]]] = [
    (ApicId, {"ID": 0xFF << 24}),
    (Version, {"VERSION": 0xFF, "MAX_LVT": 0xFF << 16, "DIRECTED_EOI": 1 << 24, "EXT_APIC_SPACE": 1 << 31}),
    (Tpr, {"PRIORITY": 0xF0, "SUBCLASS": 0x0F}),
    (Ppr, {"PRIORITY": 0xF0, "SUBCLASS": 0x0F}),
    (Apr, {"PRIORITY": 0xF0, "SUBCLASS": 0x0F}),
    (Ldr, {"LOGICAL_ID": 0xFF << 24}),
    (Dfr, {"MODEL": 0xF << 28, "ONES": 0x0FFFFFFF}),
    (Svr, {"VECTOR": 0xFF, "ENABLE": 1 << 8, "FOCUS_DISABLE": 1 << 9}),
    (
        Esr,
        {
            "SEND_ACCEPT_ERROR": 0x04,
            "RECEIVE_ACCEPT_ERROR": 0x08,
            "SENT_ILLEGAL_VECTOR": 0x20,
            "RECEIVED_ILLEGAL_VECTOR": 0x40,
            "ILLEGAL_REGISTER": 0x80,
        },
    ),
    (LvtTimer, {"VECTOR": 0xFF, "DELIVERY_STATUS": 1 << 12, "MASK": 1 << 16, "MODE": 3 << 17}),
    *(
        (register, {"VECTOR": 0xFF, "MESSAGE_TYPE": 0x700, "DELIVERY_STATUS": 1 << 12, "MASK": 1 << 16} | pin)
        for registers, pin in (
            ((LvtThermal, LvtPerf, LvtError, ExtLvt), {}),
            ((LvtLint0, LvtLint1), {"POLARITY": 1 << 13, "REMOTE_IRR": 1 << 14, "TRIGGER_MODE": 1 << 15}),
        )
        for register in registers
    ),
    (ExtFeature, {"IER": 1, "SEOI": 2, "EXT_APIC_ID": 4, "EXT_LVT_COUNT": 0xFF << 16}),
    (ExtControl, {"IER": 1, "SEOI": 2, "EXT_APIC_ID": 4}),
    (Seoi, {"VECTOR": 0xFF}),
    (SelfIpi, {"VECTOR": 0xFF}),
    *(
        (whole, {name: 0xFFFFFFFF})
        for whole, name in ((Eoi, "EOI"), (RemoteRead, "DATA"), (Tmict, "COUNT"), (Tmcct, "COUNT"))
    ),
    (Vectors, {"VECTORS": (1 << 256) - (1 << 16)}),
]


@pytest.mark.parametrize(("register", "masks"), APICDEF_MASKS, ids=lambda p: p.__name__ if isinstance(p, type) else "")
def test_fields_of_registers(register: type[Register], masks: dict[str, int]) -> None:
    """H-MAP-020 H-MAP-030 H-MAP-080 H-MAP-0D0 H-MAP-0E0 H-MAP-0F0 H-MAP-280 H-MAP-320 H-MAP-400 H-MAP-500"""
    assert {f.name: f.mask for f in register.fields.values()} == masks


def test_what_xen_lets_a_guest_write_is_declared() -> None:
    """H-MAP-320: Xen's masks of the six LVTs touch no reserved bit."""
    xen = [0x710FF, 0x117FF, 0x117FF, 0x1F7FF, 0x1F7FF, 0x110FF]
    for offset, mask in zip(range(0x320, 0x380, 0x10), xen, strict=True):
        register = row_at(offset).register
        assert register is not None
        assert int(register(mask)) == mask


def test_worked_examples() -> None:
    assert str(ApicId(ID=2)) == "0x02000000 (ID=0x2)"
    assert str(LvtTimer(0x000200EC)) == "0x000200ec (MODE=PERIODIC, VECTOR=0xec)"
    assert LvtTimer(0x000400EC).MODE is TimerMode.TSC_DEADLINE
    assert str(Dfr(0x0FFFFFFF)) == "0x0fffffff (ONES=0xfffffff)"

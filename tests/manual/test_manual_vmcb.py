"""The VMCB, against the layout in Linux's svm.h and Xen's vmcb.h."""

import pytest

from avickit.bits import Register
from avickit.errors import AvicError
from avickit.manual.exits import EventInj, ExitCode
from avickit.manual.vmcb import (
    AVIC_IGNORES,
    CLEAN_COVERS,
    CONTROL_AREA_BYTES,
    VMCB_NAMES,
    VMCB_QWORDS,
    VMCB_WORDS,
    XEN_NAMES,
    ApicBar,
    AsidTlb,
    BackingPagePointer,
    CleanBits,
    ExitIntInfo,
    InsnBytes,
    InterceptCrDr,
    InterceptExceptionsMisc1,
    InterceptMisc2,
    InterruptShadow,
    LogicalTablePointer,
    NestedControl,
    PauseFilter,
    PhysicalTablePointer,
    SaveOffset,
    SevFeatures,
    TlbControl,
    UpdateIrr,
    VIntr,
    VirtExt,
    VmcbOffset,
)

# struct vmcb_control_area: field, byte offset, size in bytes; computed by hand from the order of its members.
CONTROL_AREA = [
    ("INTERCEPT_CR_DR", 0x000),
    ("INTERCEPT_EXCEPTIONS_MISC1", 0x008),
    ("INTERCEPT_MISC2", 0x010),
    ("PAUSE_FILTER", 0x038),
    ("IOPM_BASE_PA", 0x040),
    ("MSRPM_BASE_PA", 0x048),
    ("TSC_OFFSET", 0x050),
    ("ASID_TLB", 0x058),
    ("VINTR", 0x060),
    ("INTERRUPT_SHADOW", 0x068),
    ("EXITCODE", 0x070),
    ("EXITINFO1", 0x078),
    ("EXITINFO2", 0x080),
    ("EXITINTINFO", 0x088),
    ("NP", 0x090),
    ("APIC_BAR", 0x098),
    ("GHCB", 0x0A0),
    ("EVENTINJ", 0x0A8),
    ("N_CR3", 0x0B0),
    ("LBR", 0x0B8),
    ("CLEAN", 0x0C0),
    ("NRIP", 0x0C8),
    ("INSN_BYTES", 0x0D0),
    ("INSN_BYTES_MORE", 0x0D8),
    ("BACKING_PAGE", 0x0E0),
    ("LOGICAL_TABLE", 0x0F0),
    ("PHYSICAL_TABLE", 0x0F8),
    ("VMSA", 0x108),
    ("VMGEXIT_RAX", 0x110),
    ("VMGEXIT_CPL", 0x118),
    ("BUS_LOCK_THRESHOLD", 0x120),
    ("UPDATE_IRR", 0x130),
    ("ALLOWED_SEV_FEATURES", 0x138),
    ("GUEST_SEV_FEATURES", 0x140),
    ("REQUESTED_IRR", 0x150),
]


def test_control_area() -> None:
    """H-VMCB-7 H-VMCB-9 H-VMCB-10 H-VMCB-12 H-VMCB-13 H-VMCB-14"""
    assert [(n, v) for n, v in vars(VmcbOffset).items() if n.isupper()] == CONTROL_AREA
    assert set(VMCB_WORDS) == {v for _, v in CONTROL_AREA} | {0x158, 0x160, 0x168}
    assert (CONTROL_AREA_BYTES, VMCB_QWORDS * 8) == (1024, 4096)


def test_save_area() -> None:
    """H-VMCB-11: offsets of struct vmcb_save_area, which starts at 400h."""
    save = {"EFER": 0x0D0, "CR4": 0x148, "CR0": 0x158, "RFLAGS": 0x170, "RIP": 0x178, "RSP": 0x1D8, "S_CET": 0x1E0}
    save |= {"RAX": 0x1F8, "CR2": 0x240, "G_PAT": 0x268, "DBGCTL": 0x270, "LASTEXCP_TO": 0x290, "GDTR": 0x060}
    for name, offset in save.items():
        assert getattr(SaveOffset, name) == CONTROL_AREA_BYTES + offset, name


def test_words_are_qwords() -> None:
    for offset, register in VMCB_WORDS.items():
        assert offset % 8 == 0
        assert issubclass(register, Register)
        assert register.width == 64
        assert offset in VMCB_NAMES
    assert VMCB_NAMES[0x160] == "REQUESTED_IRR2"


def test_virtual_interrupt_control() -> None:
    """H-VMCB-1 H-VMCB-2 H-VMCB-3 H-VMCB-4 H-VMCB-5 H-VMCB-6: Linux's masks of int_ctl."""
    assert {f.name: f.mask for f in VIntr.fields.values()} == {
        "V_TPR": 0x0F,
        "V_IRQ": 1 << 8,
        "VGIF": 1 << 9,
        "V_NMI": 1 << 11,
        "V_NMI_MASK": 1 << 12,
        "V_INTR_PRIO": 0x0F << 16,
        "V_IGN_TPR": 1 << 20,
        "V_INTR_MASKING": 1 << 24,
        "VGIF_ENABLE": 1 << 25,
        "V_NMI_ENABLE": 1 << 26,
        "X2AVIC_ENABLE": 1 << 30,
        "AVIC_ENABLE": 1 << 31,
        "V_INTR_VECTOR": 0xFF << 32,
    }


@pytest.mark.parametrize(
    ("bit", "span"), [(4, "7:4"), (10, "10"), (13, "15:13"), (22, "23:21"), (29, "29:27"), (63, "63:40")]
)
def test_reserved_bits_of_virtual_interrupt_control(bit: int, span: str) -> None:
    """H-VMCB-6"""
    with pytest.raises(AvicError, match=rf"VIntr: reserved bits {span} are set"):
        VIntr(1 << bit)


def test_what_avic_ignores() -> None:
    """H-VMCB-2: the four fields, and no other, say so."""
    assert set(AVIC_IGNORES) == {n for n, f in VIntr.fields.items() if "ignored under AVIC" in f.doc}
    assert len(AVIC_IGNORES) == 4


def test_asid_and_flush() -> None:
    """H-VMCB-17: the byte at 05Ch."""
    assert (AsidTlb.TLB_CONTROL.lsb >> 3) + VmcbOffset.ASID_TLB == 0x05C
    assert {t.name: int(t) for t in TlbControl} == {"NOTHING": 0, "ALL": 1, "GUEST": 3, "GUEST_NONGLOBAL": 7}
    assert str(AsidTlb(GUEST_ASID=1, TLB_CONTROL=3)) == "0x0000000300000001 (TLB_CONTROL=GUEST, GUEST_ASID=1)"


def test_nested_paging_and_shadow() -> None:
    """H-VMCB-8: Linux's SVM_MISC_ENABLE and interrupt shadow masks."""
    assert [NestedControl.fields[n].mask for n in ("NP_ENABLE", "SEV", "SEV_ES")] == [1, 2, 4]
    assert [InterruptShadow.fields[n].mask for n in ("INTERRUPT_SHADOW", "GUEST_INTERRUPT_MASK")] == [1, 2]
    assert [VirtExt.fields[n].mask for n in ("LBR", "VMSAVE_VMLOAD")] == [1, 2]


def test_pointers() -> None:
    """H-VMCB-9 H-VMCB-12 H-VMCB-13 H-VMCB-14 H-VMCB-16: 4 KiB aligned, 52 bits, MAX_INDEX in the low bits."""
    page = ((1 << 52) - 1) & ~0xFFF
    for pointer in (BackingPagePointer, LogicalTablePointer, PhysicalTablePointer):
        assert pointer.fields["ADDRESS"].mask == page
        with pytest.raises(AvicError, match="reserved bits 63:52"):
            pointer(1 << 52)
    for pointer in (BackingPagePointer, LogicalTablePointer):
        with pytest.raises(AvicError, match=r"reserved bits 11:0 are set in 0x0000000000012001"):
            pointer(0x12001)
    assert int(PhysicalTablePointer(ADDRESS=0x12, MAX_INDEX=2)) == 0x12002
    assert ApicBar(0xFEE00000).ADDRESS == 0xFEE00000


# The order of enum vmcb clean bits in Linux's svm.h and of vmcbcleanbits_t in Xen's vmcb.h.
CLEAN_ORDER = ["I", "IOPM", "ASID", "TPR", "NP", "CRX", "DRX", "DT", "SEG", "CR2", "LBR", "AVIC", "CET"]


def test_clean_bits() -> None:
    """H-VMCB-11"""
    assert [CleanBits.fields[n].msb for n in CLEAN_ORDER] == list(range(13))
    assert list(CLEAN_COVERS) == CLEAN_ORDER
    assert CLEAN_COVERS["AVIC"] == (0x098, 0x0E0, 0x0F0, 0x0F8)
    assert CLEAN_COVERS["TPR"] == (0x060,)
    assert CLEAN_COVERS["NP"] == (0x090, 0x0B0, 0x668)
    covered = [word for words in CLEAN_COVERS.values() for word in words]
    assert len(covered) == len(set(covered)), "no word under two bits"
    assert len(CLEAN_COVERS["SEG"]) == 9
    assert CLEAN_COVERS["LBR"] == (0x670, 0x678, 0x680, 0x688, 0x690)


def test_intercepts() -> None:
    """H-EXIT-3: bit n of 00Ch belongs to exit 60h + n, bit n of 010h to exit 80h + n."""
    special = {"IOIO_PROT": "IOIO", "MSR_PROT": "MSR"}
    for name, field in InterceptExceptionsMisc1.fields.items():
        if name != "EXCEPTIONS":
            assert ExitCode[f"VMEXIT_{special.get(name, name)}"] == 0x60 + field.msb - 32
    for name, field in InterceptMisc2.fields.items():
        if field.msb < 15:
            assert ExitCode[f"VMEXIT_{name}"] == 0x80 + field.msb
    assert InterceptMisc2.IDLE_HLT.msb + 128 == 166, "INTERCEPT_IDLE_HLT"
    assert int(InterceptCrDr(CR_WRITE=1 << 8)) == 1 << 24, "CR_INTERCEPT_CR8_WRITE"


def test_fields_inside_a_word() -> None:
    """H-VMCB-7 H-VMCB-17: byte offsets of the small members of struct vmcb_control_area."""
    inside = [
        (VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1, InterceptExceptionsMisc1.INTR, 0x00C),
        (VmcbOffset.INTERCEPT_MISC2, InterceptMisc2.INVLPGB, 0x014),
        (VmcbOffset.PAUSE_FILTER, PauseFilter.THRESHOLD, 0x03C),
        (VmcbOffset.PAUSE_FILTER, PauseFilter.COUNT, 0x03E),
        (VmcbOffset.ASID_TLB, AsidTlb.ALLOW_LARGER_RAP, 0x05D),
        (VmcbOffset.VINTR, VIntr.V_INTR_VECTOR, 0x064),
        (VmcbOffset.EXITINTINFO, ExitIntInfo.ERRORCODE, 0x08C),
        (VmcbOffset.EVENTINJ, EventInj.ERRORCODE, 0x0AC),
        (VmcbOffset.INSN_BYTES, InsnBytes.BYTES, 0x0D1),
        (VmcbOffset.UPDATE_IRR, UpdateIrr.UPDATE_IRR, 0x134),
        (VmcbOffset.ALLOWED_SEV_FEATURES, SevFeatures.ENABLE, 0x13F),
    ]
    for word, field, byte in inside:
        assert word + (field.lsb >> 3) == byte, field.name
    assert {n: f.mask for n, f in ExitIntInfo.fields.items()} == {n: f.mask for n, f in EventInj.fields.items()}


def test_xen_names() -> None:
    """X1-1 H-VMCB-4 H-VMCB-11: the fields of the first patch, and those beside them."""
    new = {
        "avic_vapic_bar": 0x098,
        "avic_bk_pg_pa": 0x0E0,
        "avic_logical_id_table_pa": 0x0F0,
        "avic_physical_id_table_pa": 0x0F8,
    }
    assert {n: XEN_NAMES[n].offset for n in new} == new
    for name, (offset, field) in XEN_NAMES.items():
        assert offset in VMCB_WORDS, name
        assert field is None or field in VMCB_WORDS[offset].fields, name
    assert VMCB_WORDS[0x060].fields[XEN_NAMES["vintr.avic_enable"].field or ""].msb == 31
    assert VMCB_WORDS[0x0C0].fields[XEN_NAMES["cleanbits.avic"].field or ""].msb == 11


def test_a_virtual_interrupt_control_by_hand() -> None:
    """H-VMCB-1 H-VMCB-4: AVIC on, masking on, task priority class 4."""
    assert str(VIntr(0x81000004)) == "0x0000000081000004 (AVIC_ENABLE=1, V_INTR_MASKING=1, V_TPR=0x4)"

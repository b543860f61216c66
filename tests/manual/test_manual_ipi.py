"""The ICR, the two tables and what their indices mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.errors import AvicError
from avickit.manual import tables
from avickit.manual.icr import (
    ICRH,
    ICRL,
    DestinationMode,
    MessageType,
    RemoteReadStatus,
    Shorthand,
    TriggerMode,
    icr_text,
)
from avickit.manual.msrs import APIC_BASE_MSR, APIC_DEFAULT_BASE, DOORBELL_MSR, ApicBase, Doorbell
from avickit.manual.tables import (
    LogicalEntry,
    PhysicalEntry,
    logical_indices,
    physical_table_pages,
    x2apic_logical_id,
    x2apic_targets,
)

# Masks of Linux's and Xen's apicdef.h.
ICR_MASKS = [
    ({"VECTOR": 0xFF}, 0x000FF),
    ({"MESSAGE_TYPE": MessageType.FIXED}, 0x00000),
    ({"MESSAGE_TYPE": MessageType.LOWEST_PRIORITY}, 0x00100),
    ({"MESSAGE_TYPE": MessageType.SMI}, 0x00200),
    ({"MESSAGE_TYPE": MessageType.REMOTE_READ}, 0x00300),
    ({"MESSAGE_TYPE": MessageType.NMI}, 0x00400),
    ({"MESSAGE_TYPE": MessageType.INIT}, 0x00500),
    ({"MESSAGE_TYPE": MessageType.STARTUP}, 0x00600),
    ({"MESSAGE_TYPE": MessageType.EXTINT}, 0x00700),
    ({"DESTINATION_MODE": DestinationMode.LOGICAL}, 0x00800),
    ({"DELIVERY_STATUS": 1}, 0x01000),
    ({"LEVEL": 1}, 0x04000),
    ({"TRIGGER_MODE": TriggerMode.LEVEL}, 0x08000),
    ({"REMOTE_READ_STATUS": RemoteReadStatus.PENDING}, 0x10000),
    ({"REMOTE_READ_STATUS": RemoteReadStatus.DONE}, 0x20000),
    ({"DESTINATION_SHORTHAND": Shorthand.SELF}, 0x40000),
    ({"DESTINATION_SHORTHAND": Shorthand.ALL}, 0x80000),
    ({"DESTINATION_SHORTHAND": Shorthand.ALL_BUT_SELF}, 0xC0000),
]


@pytest.mark.parametrize(("parts", "mask"), ICR_MASKS)
def test_icr_fields(parts: dict[str, int], mask: int) -> None:
    """H-IPI-0 H-MAP-300"""
    assert int(ICRL(**parts)) == mask


def test_the_destination_is_the_top_byte() -> None:
    """H-MAP-310"""
    assert int(ICRH(DESTINATION=0x42)) == 0x42000000
    with pytest.raises(AvicError, match=r"ICRH: reserved bits 23:0 are set in 0x00000042"):
        ICRH(0x42)


@pytest.mark.parametrize(
    ("icrh", "icrl", "text"),
    [
        (0x01000000, 0x00041, "FIXED vector 0x41, EDGE, to physical ID 0x1"),
        (0x04000000, 0x0082F, "FIXED vector 0x2f, EDGE, to logical destination 0x4"),
        (0xFF000000, 0x000FD, "FIXED vector 0xfd, EDGE, to everybody (0xff)"),
        (0x00000000, 0x440B0, "FIXED vector 0xb0, EDGE, to the sender itself"),
        (0x00000000, 0xC0400, "NMI, EDGE, to all but the sender"),
        (0x00000000, 0x800F0, "FIXED vector 0xf0, EDGE, to all"),
        (0x02000000, 0x0C500, "INIT, LEVEL assert, to physical ID 0x2"),
        (0x02000000, 0x08500, "INIT, LEVEL de-assert, to physical ID 0x2"),
        (0x02000000, 0x0069A, "STARTUP vector 0x9a, EDGE, to physical ID 0x2"),
    ],
)
def test_an_icr_read_aloud(icrh: int, icrl: int, text: str) -> None:
    """H-IPI-0 H-IPI-2; the second is an ICR from a kernel warning, the fourth from a trace of a self-IPI."""
    assert icr_text(icrh, icrl) == text


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.booleans())
def test_any_icr_can_be_read_aloud(icrh: int, icrl: int, x2apic: bool) -> None:
    """H-IPI-0"""
    assert ", to " in icr_text(icrh, icrl, x2apic)


def test_x2apic_destinations_are_32_bits() -> None:
    """H-IPI-2 H-REG-8"""
    assert icr_text(0x00000123, 0x41, x2apic=True).endswith("to physical ID 0x123")
    assert icr_text(0xFFFFFFFF, 0x41, x2apic=True).endswith("to everybody (0xffffffff)")
    assert icr_text(0x000000FF, 0x41, x2apic=True).endswith("to physical ID 0xff")


def test_physical_entry() -> None:
    """H-TAB-1 H-TAB-2: Linux's masks, then an entry worked by hand."""
    assert PhysicalEntry.VALID.mask == 1 << 63
    assert PhysicalEntry.IS_RUNNING.mask == 1 << 62
    assert PhysicalEntry.BACKING_PAGE.mask == ((1 << 52) - 1) & ~0xFFF
    assert PhysicalEntry.HOST_APIC_ID.mask == 0xFFF
    assert PhysicalEntry.reserved.mask == 0x3FF << 52
    entry = PhysicalEntry(VALID=1, IS_RUNNING=1, BACKING_PAGE=0x12345, HOST_APIC_ID=7)
    assert int(entry) == 0xC000_0000_1234_5007
    assert str(entry) == "0xc000000012345007 (VALID=1, IS_RUNNING=1, BACKING_PAGE=0x12345, HOST_APIC_ID=0x7)"


def test_logical_entry() -> None:
    """H-TAB-3"""
    assert LogicalEntry.VALID.mask == 1 << 31
    assert LogicalEntry.GUEST_APIC_ID.mask == 0xFF
    assert int(LogicalEntry(VALID=1, GUEST_APIC_ID=2)) == 0x80000002
    with pytest.raises(AvicError, match=r"LogicalEntry: reserved bits 30:8"):
        LogicalEntry(0x100)


def test_sizes() -> None:
    """H-TAB-1 H-TAB-3 H-VMCB-15 H-VMCB-16 H-CPUID-3 H-X2-3: one page each, and Linux's limits."""
    assert tables.PHYSICAL_ENTRIES * PhysicalEntry.width // 8 == 4096
    assert tables.LOGICAL_ENTRIES * LogicalEntry.width // 8 == 4096
    assert tables.XAVIC_ENTRIES - 1 == 0xFE, "AVIC_MAX_PHYSICAL_ID"
    assert tables.X2AVIC_MAX_INDEX == 0x1FF, "X2AVIC_MAX_PHYSICAL_ID"
    assert tables.X2AVIC_EXT_MAX_INDEX == 0xFFF, "X2AVIC_4K_MAX_PHYSICAL_ID"
    assert tables.XAVIC_MAX_INDEX == 255
    assert [physical_table_pages(i) for i in (0, 511, 512, 4095)] == [1, 1, 2, 8]


FLAT, CLUSTER = 0xFFFFFFFF, 0x0FFFFFFF


@given(st.integers(0, 255))
def test_flat_logical_destinations(mda: int) -> None:
    """H-IPI-3a H-TAB-3: entry i for bit i."""
    assert logical_indices(FLAT, mda) == tuple(i for i in range(tables.FLAT_ENTRIES) if mda & 1 << i)


@given(st.integers(0, 14), st.integers(0, 15))
def test_cluster_logical_destinations(cluster: int, members: int) -> None:
    """H-IPI-3a H-TAB-3: entry 4 * cluster + bit."""
    found = logical_indices(CLUSTER, cluster << 4 | members)
    assert found is not None
    assert list(found) == [4 * cluster + bit for bit in range(4) if members & 1 << bit]
    assert all(i < tables.CLUSTER_ENTRIES for i in found)


def test_logical_destinations_that_do_not_exist() -> None:
    """H-IPI-3a: cluster Fh, and every model but Fh and 0."""
    assert logical_indices(CLUSTER, 0xF1) is None
    assert logical_indices(CLUSTER, 0xFF) is None
    for model in range(1, 15):
        assert logical_indices(model << 28 | 0x0FFFFFFF, 0x01) is None
    assert logical_indices(FLAT, 0) == logical_indices(CLUSTER, 0x20) == ()


@given(st.integers(0, 0xFFFFF))
def test_x2apic_logical_ids(apic_id: int) -> None:
    """H-X2-2 H-IPI-3: the destination that is one's own logical ID names oneself."""
    logical = x2apic_logical_id(apic_id)
    assert logical >> 16 == apic_id >> 4
    assert x2apic_targets(logical) == (apic_id,)


def test_x2apic_cluster_by_hand() -> None:
    """H-X2-2 H-IPI-3: ID 25h is member 5 of cluster 2."""
    assert x2apic_logical_id(0x25) == 0x0002_0020
    assert x2apic_targets(0x0002_0021) == (0x20, 0x25)


def test_msrs() -> None:
    """H-BELL-1 H-VMCB-9: numbers of Linux's msr-index.h."""
    assert (APIC_BASE_MSR, DOORBELL_MSR, APIC_DEFAULT_BASE) == (0x1B, 0xC001011B, 0xFEE00000)
    assert str(ApicBase(0xFEE00900)) == "0x00000000fee00900 (ADDRESS=0xfee00, AE=1, BSC=1)"
    assert (ApicBase.AE.msb, ApicBase.EXTD.msb, ApicBase.BSC.msb) == (11, 10, 8)
    with pytest.raises(AvicError, match=r"Doorbell: reserved bits 63:8 are set"):
        Doorbell(0x100)

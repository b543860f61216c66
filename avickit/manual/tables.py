"""The two tables by which hardware finds the target of an interrupt, and what their indices mean.

Both are one per VM; the hypervisor writes them, hardware only reads them. (APM2 15.29.5.2 p.571, H-TAB-4)
Does not model: reading and writing them (`silicon`, `xen`).
"""

from typing import Final

from avickit.bits import Bit, Bits, Register, Reserved

PHYSICAL_ENTRIES: Final = 512  # 8-byte entries in one 4 KiB page (H-TAB-1)
LOGICAL_ENTRIES: Final = 1024  # 4-byte entries in one 4 KiB page (H-TAB-3)
XAVIC_ENTRIES: Final = 255  # usable physical entries in xAVIC mode: 0..254 (H-TAB-1)
XAVIC_BROADCAST: Final = 0xFF  # destination FFh is everybody, so entry 255 stays reserved (H-IPI-9, H-TAB-1)
X2AVIC_BROADCAST: Final = 0xFFFF_FFFF  # the same in x2AVIC mode (H-IPI-2)
XAVIC_MAX_INDEX: Final = 255  # the largest AVIC_PHYSICAL_MAX_INDEX that VMRUN takes (H-VMCB-15)
X2AVIC_MAX_INDEX: Final = 511  # the same in x2AVIC mode (H-VMCB-15)
X2AVIC_EXT_MAX_INDEX: Final = 4095  # the same in x2AVIC mode with x2AVIC_EXT (H-CPUID-3, H-X2-3)
FLAT_ENTRIES: Final = 8  # logical entries used in the flat model: one per logical ID bit (H-TAB-3)
CLUSTER_ENTRIES: Final = 60  # and in the cluster model: clusters 0..14, four bits each (H-TAB-3)
RESERVED_CLUSTER: Final = 0xF  # cluster Fh has no entries (H-TAB-3)


class PhysicalEntry(Register, width=64):
    """One entry of the physical APIC ID table, indexed by guest physical APIC ID. (APM2 15.29.5.2 p.572, H-TAB-1)"""

    VALID = Bit(63, "the entry is in use")
    IS_RUNNING = Bit(62, "the hypervisor has assigned a core to this virtual CPU; not: it is in guest mode (H-TAB-2)")
    RESERVED = Reserved((61, 52))
    BACKING_PAGE = Bits(51, 12, "page number of the target's vAPIC backing page")
    HOST_APIC_ID = Bits(11, 0, "physical APIC ID of the assigned core; meaningful only with IS_RUNNING = 1 (H-TAB-2)")


class LogicalEntry(Register):
    """One entry of the logical APIC ID table. (APM2 15.29.5.3 p.573-575, H-TAB-3)"""

    VALID = Bit(31, "the entry is in use")
    RESERVED = Reserved((30, 8))
    GUEST_APIC_ID = Bits(7, 0, "guest physical APIC ID of the virtual CPU that has this logical ID")


_FLAT: Final = tuple(tuple(bit for bit in range(8) if mda >> bit & 1) for mda in range(256))
_CLUSTER: Final = tuple(
    None if mda >> 4 == RESERVED_CLUSTER else tuple(4 * (mda >> 4) + bit for bit in range(4) if mda >> bit & 1)
    for mda in range(256)
)


def logical_indices(dfr: int, mda: int) -> tuple[int, ...] | None:
    """Which logical entries an 8-bit logical destination names, lowest first; None: no such destination. (H-IPI-3a)

    `dfr` is the 32-bit Destination Format Register; its bits 31:28 choose the model. No bit set: no entry, `()`.

    >>> logical_indices(0xFFFFFFFF, 0x05), logical_indices(0x0FFFFFFF, 0x23), logical_indices(0x0FFFFFFF, 0xF1)
    ((0, 2), (8, 9), None)
    """
    model = dfr >> 28
    return _FLAT[mda] if model == 0xF else _CLUSTER[mda] if model == 0 else None


def x2apic_logical_id(apic_id: int) -> int:
    """The fixed logical ID of an x2APIC: cluster in 31:16, one bit in 15:0. (APM2 15.29.5.3 p.574, H-X2-2)

    >>> hex(x2apic_logical_id(0x25))
    '0x20020'
    """
    return (apic_id >> 4 & 0xFFFF) << 16 | 1 << (apic_id & 0xF)


def x2apic_targets(destination: int) -> tuple[int, ...]:
    """The physical IDs that a 32-bit logical x2APIC destination names, lowest first. (H-IPI-3)

    >>> [hex(i) for i in x2apic_targets(0x0002_0021)]
    ['0x20', '0x25']
    """
    base = destination >> 16 << 4
    return tuple(base + bit for bit in range(16) if destination >> bit & 1)


def physical_table_pages(max_index: int) -> int:
    """How many 4 KiB pages the physical table has for a MAX_INDEX: bits 11:9, plus 1. (APM2 15.29.5.2 p.571, H-X2-3)"""
    return (max_index >> 9) + 1

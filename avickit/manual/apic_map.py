"""The register map of the vAPIC backing page: what hardware does when the guest reads or writes each register.

One table, `MAP`, in the manual's order; everything else here is looked up in it.
Does not model: the accesses themselves (`silicon`); the checks of x2APIC mode that come before this filter (H-X2-1).
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from avickit.bits import Register
from avickit.errors import AvicError
from avickit.manual import apic_lvt as lvt
from avickit.manual import apic_registers as reg
from avickit.manual.icr import ICRH, ICRL
from avickit.manual.vectors import Vectors


class Access(Enum):
    """The closed vocabulary of the map: what one access by the guest does. (APM2 15.29.3.1 p.566, H-REG-2)

    After a trap the guest's RIP is past the instruction, after a fault at it. (15.7.1 p.508, H-REG-3)
    """

    ALLOW = "the page itself is read or written"
    ACCELERATED = "the page is written, and hardware does what the register is for"
    TRAP = "#VMEXIT right after the write has landed in the page"
    FAULT = "#VMEXIT before anything was accessed"
    EOI = "accelerated if the highest interrupt in service is edge-triggered, trap if level-triggered"
    EXT_READ = "allow if CPUID Fn8000_000A_EDX[27] is set, else fault"
    EXT_WRITE = "trap if CPUID Fn8000_000A_EDX[27] is set, else fault"
    SELF_IPI = "accelerated in x2AVIC mode; allow in xAVIC mode, where the register does not exist"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the map: registers at `offset` to `last`, 10h apart. (APM2 Table 15-22 p.566-568, H-REG-1)"""

    offset: int
    name: str
    read: Access
    write: Access
    register: type[Register] | None
    meaning: str
    rule: str
    reset: int
    last: int

    @property
    def offsets(self) -> range:
        """The offset of every 16-byte slot of the row."""
        return range(self.offset, self.last + 0x10, 0x10)


def _row(
    offset: int,
    name: str,
    read: Access,
    write: Access,
    register: type[Register] | None,
    rule: str,
    meaning: str,
    reset: int = 0,
    last: int = -1,
) -> Row:
    return Row(offset, name, read, write, register, meaning, rule, reset, max(offset, last))


_A, _X, _T, _F = Access.ALLOW, Access.ACCELERATED, Access.TRAP, Access.FAULT
_EXT_R, _EXT_W = Access.EXT_READ, Access.EXT_WRITE
_FREE: Final = "no register: plain memory of the page"
_MASKED: Final = 0x00010000
_ONES: Final = 0xFFFFFFFF
XEN_VERSION: Final = 0x00050014  # what Xen shows its guests: version 14h, six LVTs (H-REG-6)

MAP: Final[tuple[Row, ...]] = (
    _row(0x000, "OTHER", _A, _A, None, "H-REG-4", _FREE, last=0x010),
    _row(0x020, "ID", _A, _T, reg.ApicId, "H-MAP-020", "the APIC ID; reset: the core's own ID in 31:24"),
    _row(0x030, "VERSION", _A, _F, reg.Version, "H-MAP-030", "version and number of LVTs", XEN_VERSION),
    _row(0x040, "OTHER", _A, _A, None, "H-REG-4", _FREE, last=0x070),
    _row(0x080, "TPR", _A, _X, reg.Tpr, "H-MAP-080", "task priority: what the guest does not want to hear of"),
    _row(0x090, "APR", _F, _F, reg.Apr, "H-MAP-090", "arbitration priority"),
    _row(0x0A0, "PPR", _A, _F, reg.Ppr, "H-MAP-0A0", "processor priority: the higher of TPR and in service"),
    _row(0x0B0, "EOI", _A, Access.EOI, reg.Eoi, "H-MAP-0B0", "end of interrupt"),
    _row(0x0C0, "RRR", _A, _T, reg.RemoteRead, "H-MAP-0C0", "remote read"),
    _row(0x0D0, "LDR", _A, _T, reg.Ldr, "H-MAP-0D0", "logical destination: the logical ID"),
    _row(0x0E0, "DFR", _A, _T, reg.Dfr, "H-MAP-0E0", "destination format: flat or cluster", _ONES),
    _row(0x0F0, "SVR", _A, _T, reg.Svr, "H-MAP-0F0", "spurious interrupt vector and software enable", 0xFF),
    _row(0x100, "ISR", _A, _F, Vectors, "H-MAP-100", "in service: taken, EOI not yet written", last=0x170),
    _row(0x180, "TMR", _A, _F, Vectors, "H-MAP-180", "trigger mode: 1 = level-triggered", last=0x1F0),
    _row(0x200, "IRR", _A, _F, Vectors, "H-MAP-200", "interrupt request: pending", last=0x270),
    _row(0x280, "ESR", _A, _T, reg.Esr, "H-MAP-280", "error status"),
    _row(0x290, "OTHER", _A, _A, None, "H-REG-4", _FREE, last=0x2F0),
    _row(0x300, "ICRL", _A, _X, ICRL, "H-MAP-300", "interrupt command, low: sends; trap for advanced functions"),
    _row(0x310, "ICRH", _A, _A, ICRH, "H-MAP-310", "interrupt command, high: the destination"),
    _row(0x320, "LVT_TIMER", _A, _T, lvt.LvtTimer, "H-MAP-320", "local vector table: timer", _MASKED),
    _row(0x330, "LVT_THERMAL", _A, _T, lvt.LvtThermal, "H-MAP-320", "local vector table: thermal sensor", _MASKED),
    _row(0x340, "LVT_PERF", _A, _T, lvt.LvtPerf, "H-MAP-320", "local vector table: performance counter", _MASKED),
    _row(0x350, "LVT_LINT0", _A, _T, lvt.LvtLint0, "H-MAP-320", "local vector table: pin LINT0", _MASKED),
    _row(0x360, "LVT_LINT1", _A, _T, lvt.LvtLint1, "H-MAP-320", "local vector table: pin LINT1", _MASKED),
    _row(0x370, "LVT_ERROR", _A, _T, lvt.LvtError, "H-MAP-320", "local vector table: APIC error", _MASKED),
    _row(0x380, "TMICT", _A, _T, lvt.Tmict, "H-MAP-380", "timer initial count: starts the timer"),
    _row(0x390, "TMCCT", _F, _F, lvt.Tmcct, "H-MAP-390", "timer current count"),
    _row(0x3A0, "OTHER", _A, _A, None, "H-REG-4", _FREE, last=0x3D0),
    _row(0x3E0, "TDCR", _A, _T, lvt.Tdcr, "H-MAP-3E0", "timer divide configuration"),
    _row(0x3F0, "SELF_IPI", _A, Access.SELF_IPI, reg.SelfIpi, "H-MAP-3F0", "interrupt to oneself, x2APIC only"),
    _row(0x400, "EXT_FEATURE", _F, _F, reg.ExtFeature, "H-MAP-400", "extended APIC: feature", 0x00040007),
    _row(0x410, "EXT_CONTROL", _F, _F, reg.ExtControl, "H-MAP-400", "extended APIC: control"),
    _row(0x420, "SEOI", _F, _F, reg.Seoi, "H-MAP-400", "extended APIC: specific end of interrupt"),
    _row(0x430, "OTHER", _A, _A, None, "H-REG-4", _FREE, last=0x470),
    _row(0x480, "IER", _F, _F, Vectors, "H-MAP-400", "extended APIC: interrupt enable", _ONES, 0x4F0),
    _row(0x500, "EXT_LVT", _EXT_R, _EXT_W, lvt.ExtLvt, "H-MAP-500", "extended local vector table", last=0x530),
    _row(0x540, "RESERVED", _F, _F, None, "H-MAP-540", "reserved", last=0xFF0),
)

_SLOTS: Final = tuple(row for row in MAP for _ in row.offsets)

# Reset value of every 32-bit word that is a register; ID is 0 here, and APIC ID << 24 on a core. (Table 16-2, H-REG-6)
# The extended LVTs are 0 in the manual's table; AMD's processor references say 00010000h, masked.
RESET: Final[dict[int, int]] = {offset: row.reset for row in MAP if row.register for offset in row.offsets}


def row_at(offset: int) -> Row:
    """The row of an offset 0..FFFh, bytes inside a 16-byte slot included. Raises AvicError outside. (H-REG-1)"""
    if not 0 <= offset <= 0xFFF:
        raise AvicError.of("offset in the APIC page", f"{offset:#x}", "0..0xfff")
    return _SLOTS[offset >> 4]


@cache
def filter_for(offset: int, write: bool, ext_lvt: bool = False, x2avic: bool = False) -> Access:
    """What an access does, from the table alone; EOI stays EOI, because the TMR decides. (APM2 15.29.3.1, H-REG-2)

    `ext_lvt` is CPUID Fn8000_000A_EDX[27], `x2avic` the mode. Raises AvicError outside 0..FFFh.
    """
    row = row_at(offset)
    word = row.write if write else row.read
    if word is Access.EXT_READ:
        return Access.ALLOW if ext_lvt else Access.FAULT
    if word is Access.EXT_WRITE:
        return Access.TRAP if ext_lvt else Access.FAULT
    if word is Access.SELF_IPI:
        return Access.ACCELERATED if x2avic else Access.ALLOW
    return word

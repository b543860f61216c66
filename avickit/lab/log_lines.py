"""Lines that engineers find in logs and traces, read into the manual's registers and told in its words.

The warning of KVM and the errors of Xen about an IPI that could not be completed, and the payloads of two tracepoints
of KVM. What stands around them on the line (time stamps, process, `kvm:`) is passed over. (H-EXIT-1, H-EXIT-2)
Does not model: whole trace files, other tracepoints, dumps.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from avickit.errors import AvicError
from avickit.manual.apic import offset_of
from avickit.manual.decode import explain
from avickit.manual.exits import ExitCode, IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure, NoAccelInfo1
from avickit.manual.icr import ICRH, ICRL

HEX = r"(?:0x)?([0-9a-fA-F]+)"
KVM_WARNING = re.compile(rf"Invalid IPI target: index=(\d+), vcpu=(\d+), icr={HEX}:{HEX}")
XEN_ERROR = re.compile(rf"Invalid (IPI target|bk page) \(icr={HEX}:{HEX}, idx=(\d+)\)")
INCOMPLETE = re.compile(rf"vcpu=(0x[0-9a-fA-F]+|\d+), icrh:icrl={HEX}:{HEX}, id=(\d+), index=(\d+)")
UNACCELERATED = re.compile(rf"vcpu=(\d+), offset={HEX}\(([^)]*)\), (trap|fault), (write|read), vec={HEX}")
WORD = 0xFFFF_FFFF


class IncompleteIpi(NamedTuple):
    """An IPI that the hardware could not complete: who sent it (None if unsaid), the ICR, why, at which index."""

    vcpu: int | None
    icrh: ICRH
    icrl: ICRL
    id: int
    table_index: int

    @property
    def exit(self) -> tuple[int, int, int]:
        """EXITCODE, EXITINFO1 and EXITINFO2 of the exit that the line tells of."""
        info1 = IncompleteIpiInfo1(ICRH=self.icrh.value, ICRL=self.icrl.value)
        return ExitCode.AVIC_INCOMPLETE_IPI, info1.value, self.id << IncompleteIpiInfo2.ID.lsb | self.table_index

    def words(self) -> list[str]:
        """The line in sentences."""
        return sender(self.vcpu) + explain(*self.exit)


class Unaccelerated(NamedTuple):
    """An access that the hardware left to software: whose, to which register, how, and the vector of an EOI."""

    vcpu: int
    offset: int
    register: str
    trap: bool
    write: bool
    vector: int

    @property
    def exit(self) -> tuple[int, int, int]:
        """EXITCODE, EXITINFO1 and EXITINFO2 of the exit that the line tells of."""
        info1 = NoAccelInfo1(WRITE=int(self.write), OFFSET=self.offset >> NoAccelInfo1.OFFSET.lsb)
        return ExitCode.AVIC_NOACCEL, info1.value, self.vector

    def words(self) -> list[str]:
        """The line in sentences, and what does not fit together in it."""
        said = sender(self.vcpu) + explain(*self.exit)
        try:
            named = offset_of(self.register)
        except AvicError:
            return [*said, f"The line calls the register {self.register}, which the manual does not know."]
        other = [f"The line calls the register {self.register}, which lies at {named:#x}."]
        return said + (other if named != self.offset & 0xFF0 else [])


Line = IncompleteIpi | Unaccelerated


def sender(vcpu: int | None) -> list[str]:
    """Who it was."""
    return [] if vcpu is None else [f"On vCPU {vcpu}."]


def parse(line: str) -> Line:
    """The record in a line. Raises AvicError for a line without one, or with a number that does not fit.

    >>> parse("Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f").icrh
    ICRH(0x4000000)
    """
    for pattern, make in READERS:
        match = pattern.search(line)
        if match:
            return make(match, line)
    short = line.strip() if len(line.strip()) <= 80 else f"{line.strip()[:77]}..."
    raise AvicError.of("line", short or "an empty one", "one of " + "; ".join(FORMATS))


def fits(name: str, value: int, most: int, line: str) -> int:
    """A number that its field can hold."""
    if value > most:
        raise AvicError(f"line {line.strip()[:60]!r}: {name} {value:#x} given, expected at most {most:#x}")
    return value


def incomplete(line: str, vcpu: str | None, icrh: str, icrl: str, cause: int, index: str) -> IncompleteIpi:
    """An IPI from the texts of a line."""
    high, low = fits("ICRH", int(icrh, 16), WORD, line), fits("ICRL", int(icrl, 16), WORD, line)
    at = fits("index", int(index), IncompleteIpiInfo2.INDEX.max, line)
    return IncompleteIpi(None if vcpu is None else int(vcpu, 0), ICRH.raw(high), ICRL.raw(low), cause, at)


def kvm_warning(m: re.Match[str], line: str) -> Line:
    """`Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f`: ID 2. (KVM)"""
    return incomplete(line, m[2], m[3], m[4], IpiFailure.INVALID_TARGET, m[1])


def xen_error(m: re.Match[str], line: str) -> Line:
    """`SVM: Invalid bk page (icr=0x02000000:00000041, idx=2)`: ID 3, or ID 2. (X5-3)"""
    cause = IpiFailure.INVALID_PAGE if m[1] == "bk page" else IpiFailure.INVALID_TARGET
    return incomplete(line, None, m[2], m[3], cause, m[4])


def incomplete_ipi(m: re.Match[str], line: str) -> Line:
    """kvm_avic_incomplete_ipi. (KVM)"""
    return incomplete(line, m[1], m[2], m[3], fits("id", int(m[4]), WORD, line), m[5])


def unaccelerated(m: re.Match[str], line: str) -> Line:
    """kvm_avic_unaccelerated_access. (KVM)"""
    offset, vector = fits("offset", int(m[2], 16), 0xFFF, line), fits("vec", int(m[6], 16), 0xFF, line)
    return Unaccelerated(int(m[1]), offset, m[3].upper().removeprefix("APIC_"), m[4] == "trap", m[5] == "write", vector)


Reader = Callable[[re.Match[str], str], Line]
READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (KVM_WARNING, kvm_warning),
    (XEN_ERROR, xen_error),
    (INCOMPLETE, incomplete_ipi),
    (UNACCELERATED, unaccelerated),
)
FORMATS = (
    "Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f",
    "Invalid bk page (icr=0x02000000:00000041, idx=2)",
    "vcpu=0, icrh:icrl=0x02000000:00000041, id=1, index=2",
    "vcpu=0, offset=0x320(APIC_LVTT), trap, write, vec=0x0",
)
"""An example of each line that is read."""


def record(found: Line) -> dict[str, Any]:
    """A record as plain data, for JSON."""
    kind = "incomplete_ipi" if isinstance(found, IncompleteIpi) else "unaccelerated_access"
    parts = {key: int(part) if isinstance(part, ICRH | ICRL) else part for key, part in found._asdict().items()}
    code, info1, info2 = found.exit
    return {"kind": kind, **parts, "exitcode": code, "exitinfo1": info1, "exitinfo2": info2, "words": found.words()}

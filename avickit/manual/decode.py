"""Exit codes and their details in plain sentences, as an engineer would read a dump aloud.

Does not model: what a handler does with the exit (`xen`).
"""

from avickit.bits import Register
from avickit.manual.apic_map import Access, filter_for
from avickit.manual.apic_names import Offset, name_of
from avickit.manual.exit_codes import ExitCode, exit_code, exit_name
from avickit.manual.exit_info import (
    IncompleteIpiInfo1,
    IncompleteIpiInfo2,
    IpiFailure,
    NoAccelInfo1,
    NoAccelInfo2,
    NpfInfo1,
)
from avickit.manual.icr import ICRH, ICRL, DestinationMode, Shorthand, icr_text
from avickit.manual.tables import XAVIC_BROADCAST


def explain(code: int, info1: int = 0, info2: int = 0, ext_lvt: bool = False) -> list[str]:
    """What an exit says, one sentence each; takes raw values, reserved bits included. (APM2 15.29.9 p.580, H-EXIT-1)

    `ext_lvt` is CPUID Fn8000_000A_EDX[27]. Never raises: an unknown code is named by its number.
    """
    known = exit_code(code)
    head = f"{exit_name(code)} ({code:#x})"
    lines = [f"{head}: {known.doc}." if isinstance(known, ExitCode) and known.doc else f"{head}."]
    if known == ExitCode.AVIC_INCOMPLETE_IPI:
        lines += _incomplete_ipi(IncompleteIpiInfo1.raw(info1), IncompleteIpiInfo2.raw(info2))
    elif known == ExitCode.AVIC_NOACCEL:
        lines += _noaccel(NoAccelInfo1.raw(info1), NoAccelInfo2.raw(info2), ext_lvt)
    elif known == ExitCode.VMEXIT_NPF:
        lines += _nested_page_fault(NpfInfo1.raw(info1), info2)
    elif known == ExitCode.VMEXIT_MSR:
        lines.append(f"The guest {'wrote' if info1 & 1 else 'read'} the MSR.")
    return lines


def _reserved(name: str, register: Register) -> list[str]:
    """A sentence if bits are set that the manual reserves."""
    hit = register.reserved.hit(register.value)
    return [f"{name}: reserved bits {hit} are set."] if hit else []


def _incomplete_ipi(info1: IncompleteIpiInfo1, info2: IncompleteIpiInfo2) -> list[str]:
    """The two words of exit 401h. (H-EXIT-1, H-IPI-8)"""
    cause, index = info2.ID, info2.INDEX
    lines = [f"The guest asked for: {icr_text(info1.ICRH, info1.ICRL)}."]
    if not isinstance(cause, IpiFailure):
        return [*lines, f"ID {cause:#x} is not documented.", *_reserved("EXITINFO2", info2)]
    lines.append(f"ID {cause:d} {cause.name}: {cause.doc}.")
    if cause in (IpiFailure.NOT_RUNNING, IpiFailure.INVALID_TARGET, IpiFailure.INVALID_PAGE):
        low = ICRL.raw(info1.ICRL)
        directed = low.DESTINATION_SHORTHAND == Shorthand.NONE
        directed = directed and ICRH.raw(info1.ICRH).DESTINATION != XAVIC_BROADCAST
        logical = directed and low.DESTINATION_MODE == DestinationMode.LOGICAL
        lines.append(f"Index {index:#x} of the {'logical' if logical else 'physical'} APIC ID table.")
    return [*lines, *_reserved("EXITINFO2", info2)]


def _noaccel(info1: NoAccelInfo1, info2: NoAccelInfo2, ext_lvt: bool) -> list[str]:
    """The two words of exit 402h. (H-EXIT-2)"""
    write, offset = bool(info1.WRITE), info1.offset
    access = filter_for(offset, write, ext_lvt)
    lines = [f"The guest {'wrote' if write else 'read'} {name_of(offset)} (offset {offset:#x})."]
    if access in (Access.TRAP, Access.EOI, Access.ACCELERATED):
        lines.append("A trap: the value stands in the page, RIP is past the instruction.")
    elif access is Access.FAULT:
        lines.append("A fault: nothing was accessed, RIP is at the instruction.")
    else:
        lines.append("By the map, hardware serves this access alone; this exit is not expected.")
    if write and offset == Offset.EOI:
        lines.append(f"It ends vector {info2.VECTOR:#x}, which is level-triggered.")
    return [*lines, *_reserved("EXITINFO1", info1)]


def _nested_page_fault(info1: NpfInfo1, address: int) -> list[str]:
    """The error code and the address of exit 400h. (H-EXIT-3)"""
    said = [f"{field.name} ({field.doc})" for field, value in info1.parts() if value]
    return [f"Guest physical address {address:#x}.", f"Error code: {', '.join(said) or 'no bit set'}."]

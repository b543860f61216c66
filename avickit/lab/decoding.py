"""Values decoded into plain data: what the command line prints, and what other programs take as JSON.

Does not model: files and terminals (`commands`).
"""

import struct
from collections.abc import Sequence
from typing import Any

from avickit.bits import Register, show
from avickit.errors import AvicError
from avickit.lab import log_lines, wanted
from avickit.manual.apic import name_of, offset_of, row_at
from avickit.manual.cpuid import SvmFeatureEcx, SvmFeatureEdx
from avickit.manual.decode import explain
from avickit.manual.exits import exit_code
from avickit.manual.icr import ICRH, ICRL, icr_text
from avickit.manual.msrs import ApicBase, Doorbell
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vmcb import VMCB_NAMES, VMCB_WORDS
from avickit.manual.words import Word

PAGE = 4096
WORD = 0xFFFF_FFFF
CONTROL_AREA = 0x400
ELSEWHERE: dict[str, type[Register]] = {
    "CPUID_EDX": SvmFeatureEdx,
    "CPUID_ECX": SvmFeatureEcx,
    "MSR_APIC_BASE": ApicBase,
    "MSR_DOORBELL": Doorbell,
}
"""Registers that lie neither in the APIC page nor in the VMCB."""
ENTRIES: dict[str, type[Register]] = {"physical": PhysicalEntry, "logical": LogicalEntry}


def value_data(name: str, register: type[Register], value: int) -> dict[str, Any]:
    """A value with its fields, reserved bits named. Raises AvicError if it is too wide."""
    if value >> register.width:
        raise AvicError.of(name, f"{value:#x}", f"a value of {register.width} bits")
    shown = register.raw(value)
    fields = [
        {"name": f.name, "bits": f.where, "value": int(part), "shown": show(part), "meaning": meaning(f.doc, part)}
        for f, part in shown.parts()
    ]
    return {
        "name": name,
        "register": register.__name__,
        "value": value,
        "text": str(shown),
        "reserved": register.reserved.hit(value),
        "fields": fields,
    }


def meaning(doc: str, part: Any) -> str:
    """What the field is, and what this value of it says."""
    return f"{doc}: {part.doc}" if isinstance(part, Word) and part.doc else doc


def exit_data(code: int | str, info1: int, info2: int, ext_lvt: bool = False) -> dict[str, Any]:
    """An exit in sentences. Raises AvicError for an unknown name or a value of more than 64 bits."""
    number = int(wanted.exit_code_of(code.upper())) if isinstance(code, str) else code
    for name, value in (("EXITCODE", number), ("EXITINFO1", info1), ("EXITINFO2", info2)):
        if value >> 64 not in (0, -1):
            raise AvicError.of(name, f"{value:#x}", "a value of 64 bits")
    words = explain(number, info1, info2, ext_lvt)
    return {"code": int(exit_code(number)), "info1": info1, "info2": info2, "words": words}


def register_data(name: str, parts: Sequence[int]) -> list[dict[str, Any]]:
    """A register by any of its names; ICR as one 64-bit value or as high and low. Raises AvicError."""
    plain = name.strip().upper().removeprefix("APIC_")
    if plain == "ICR" and (len(parts) == 2 or parts[0] > WORD):
        high, low = parts if len(parts) == 2 else (parts[0] >> 32, parts[0] & WORD)
        data = [value_data("ICRH", ICRH, high), value_data("ICRL", ICRL, low)]
        data[-1]["words"] = [f"The guest asks for: {icr_text(high, low)}."]
        return data
    if len(parts) != 1:
        raise AvicError.of(f"value of {name}", ":".join(map(hex, parts)), "one number; only ICR is a pair")
    if plain in ELSEWHERE:
        return [value_data(plain, ELSEWHERE[plain], parts[0])]
    if plain in VMCB_NAMES.values():
        return [value_data(plain, wanted.vmcb_register(plain)[1], parts[0])]
    return [apic_data(name, parts[0])]


def apic_data(name: str, value: int) -> dict[str, Any]:
    """A register of the APIC page; a word of ISR, TMR and IRR as the vectors that it stands for. (H-REG-7)"""
    try:
        offset, register = wanted.page_register(name)
    except AvicError as error:
        known = " ".join([*(VMCB_NAMES[o] for o in VMCB_WORDS), *ELSEWHERE])
        raise AvicError(f"{error}; or a word of the VMCB or another register: {known}") from error
    row = row_at(offset)
    data = value_data(name_of(offset), register, value)
    if row.name in ("ISR", "TMR", "IRR", "IER"):
        first = (offset - row.offset) // 0x10 * 32
        vectors = [first + bit for bit in range(32) if value >> bit & 1]
        data |= {"vectors": vectors, "fields": []}
        data["words"] = [f"Vectors {first:X}h to {first + 31:X}h: {' '.join(f'{v:X}h' for v in vectors) or 'none'}."]
    return data


def entry_data(table: str, value: int) -> dict[str, Any]:
    """A table entry. Raises AvicError if it is too wide."""
    return value_data(f"{table} APIC ID table entry", ENTRIES[table], value)


def vmcb_data(page: bytes, everything: bool = False) -> dict[str, Any]:
    """A VMCB page: its words that are not 0 (or all that have a name), and its exit in sentences.

    Raises AvicError for a page of another size.
    """
    if len(page) != PAGE:
        raise AvicError.of("VMCB page", f"{len(page)} bytes", f"{PAGE} bytes")
    words = []
    values = struct.unpack(f"<{PAGE // 8}Q", page)
    for offset, value in zip(range(0, PAGE, 8), values, strict=True):
        if not value and not (everything and offset in VMCB_NAMES):
            continue
        register = VMCB_WORDS.get(offset, wanted.Word64)
        data = value_data(VMCB_NAMES.get(offset, ""), register, value)
        if offset not in VMCB_NAMES:
            data["name"] = "reserved" if offset < CONTROL_AREA else "save area"
        if offset not in VMCB_WORDS:
            data |= {"text": f"{value:#018x}", "fields": []}
        words.append({"offset": offset} | data)
    code, info1, info2 = (values[offset_in(name) >> 3] for name in ("EXITCODE", "EXITINFO1", "EXITINFO2"))
    return {"words": words, "exit": explain(code, info1, info2)}


def offset_in(name: str) -> int:
    """The offset of a word of the VMCB."""
    return wanted.vmcb_register(name)[0]


def line_data(text: str, *, many: bool) -> list[dict[str, Any]]:
    """The records in a line; of many lines those that are records. Raises AvicError if there is none at all."""
    if not many:
        return [log_lines.record(log_lines.parse(text))]
    found, refused = [], None
    for line in text.splitlines():
        try:
            found.append(log_lines.record(log_lines.parse(line)))
        except AvicError as error:
            refused = refused or error
    if not found:
        raise refused or AvicError.of("standard input", "no line", "lines of a log")
    return found


__all__ = ["entry_data", "exit_data", "line_data", "offset_of", "register_data", "value_data", "vmcb_data"]

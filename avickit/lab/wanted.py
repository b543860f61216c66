"""What a register should hold: a number or some fields, and in which fields what it holds differs from that.

`wanted(ICRL, {"VECTOR": 0x41, "MESSAGE_TYPE": "NMI"})` looks at these two fields only; a number looks at all bits.
Does not model: where the register is.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from avickit.bits import Bits, Field, Register, show
from avickit.errors import AvicError
from avickit.manual.apic import name_of, offset_of, row_at
from avickit.manual.exits import (
    ExitCode,
    IncompleteIpiInfo1,
    IncompleteIpiInfo2,
    NoAccelInfo1,
    NoAccelInfo2,
    NpfInfo1,
)
from avickit.manual.vmcb import VMCB_NAMES, VMCB_WORDS
from avickit.manual.words import Word


class Word32(Register):
    """32 bits of the page without fields of their own: plain memory, or a word of ISR, TMR, IRR. (H-REG-4, H-REG-7)"""

    VALUE = Bits(31, 0, "the whole word")


class Word64(Register, width=64):
    """64 bits without fields of their own."""

    VALUE = Bits(63, 0, "the whole word")


class Wanted(NamedTuple):
    """The bits of `mask` should be those of `value`."""

    register: type[Register]
    mask: int
    value: int

    def __str__(self) -> str:
        if self.mask == (1 << self.register.width) - 1:
            return str(self.register.raw(self.value))
        fields = [f for f in self.register.fields.values() if self.mask & f.mask]
        return ", ".join(f"{f.name}={show(f.of(self.value))}" for f in fields)

    def fits(self, found: int) -> bool:
        """Whether the wanted bits are there."""
        return not (found ^ self.value) & self.mask

    def differences(self, found: int) -> list[str]:
        """Each wanted field that differs: `VECTOR (bits 7:0) is 0x52, expected 0x41`."""
        wrong = (found ^ self.value) & self.mask
        said = [
            f"{f.name} ({f.where}) is {show(f.of(found))}, expected {show(f.of(self.value))}"
            for f in self.register.fields.values()
            if wrong & f.mask
        ]
        reserved = wrong & self.register.reserved.mask
        if reserved:
            said.append(f"reserved bits {self.register.reserved.hit(reserved)} are {found & reserved:#x}")
        return said


def wanted(register: type[Register], given: int | Mapping[str, int | str]) -> Wanted:
    """What is given for a register, as bits. Raises AvicError for a field or a value it does not have."""
    if isinstance(given, int):
        if given >> register.width:
            raise AvicError.of(register.__name__, f"{given:#x}", f"a value of {register.width} bits")
        return Wanted(register, (1 << register.width) - 1, given)
    mask = value = 0
    for name, part in given.items():
        field = field_of(register, name)
        mask |= field.mask
        value = field.put(value, number_of(field, part))
    return Wanted(register, mask, value)


def field_of(register: type[Register], name: str) -> Field[Any]:
    """The field of that name. Raises AvicError with the names there are."""
    if name not in register.fields:
        raise AvicError.of(f"field of {register.__name__}", name, " ".join(register.fields))
    return register.fields[name]


def number_of(field: Field[Any], part: int | str) -> int:
    """A field's value from a number or from the name that the manual gives it: `NMI`."""
    if isinstance(part, int):
        return part
    names = {member.name: int(member) for member in field.named.values() if isinstance(member, Word)}
    if part not in names:
        raise AvicError.of(f"value of {field.name}", part, " ".join(names) or "a number")
    return names[part]


def fields_of(register: type[Register], given: Mapping[str, int | str]) -> dict[str, int]:
    """Fields by name, with their values as numbers. Raises AvicError for a field or a value that the register lacks."""
    found = {name: number_of(field_of(register, name), part) for name, part in given.items()}
    for name, part in found.items():
        register.fields[name].put(0, part)
    return found


def page_register(name: str | int) -> tuple[int, type[Register]]:
    """Offset and register of a name in the backing page; words of ISR, TMR and IRR one by one. Raises AvicError."""
    offset = offset_of(name)
    register = row_at(offset).register
    return offset, register if register is not None and register.width == 32 else Word32


def vmcb_register(name: str) -> tuple[int, type[Register]]:
    """Offset and register of a word of the VMCB. Raises AvicError with names that come near."""
    known = {VMCB_NAMES[offset]: offset for offset in VMCB_WORDS}
    offset = known.get(name.upper())
    if offset is None:
        close = get_close_matches(name.upper(), known, n=3, cutoff=0.5)
        raise AvicError.of("VMCB word", name, f"{' '.join(known)}{'; near it: ' if close else ''}{', '.join(close)}")
    return offset, VMCB_WORDS[offset]


def exit_registers(code: ExitCode) -> tuple[type[Register], type[Register]]:
    """How EXITINFO1 and EXITINFO2 of an exit are read. (H-EXIT-1, H-EXIT-2)"""
    return {
        ExitCode.AVIC_INCOMPLETE_IPI: (IncompleteIpiInfo1, IncompleteIpiInfo2),
        ExitCode.AVIC_NOACCEL: (NoAccelInfo1, NoAccelInfo2),
        ExitCode.VMEXIT_NPF: (NpfInfo1, Word64),
    }.get(code, (Word64, Word64))


def exit_code_of(name: str) -> ExitCode:
    """An exit by name. Raises AvicError with names that come near."""
    if name not in ExitCode.__members__:
        close = get_close_matches(name.upper(), ExitCode.__members__, n=3, cutoff=0.4)
        raise AvicError.of(
            "exit code", name, f"a name such as AVIC_NOACCEL{'; near it: ' if close else ''}{', '.join(close)}"
        )
    return ExitCode[name]


__all__ = [
    "Wanted",
    "exit_code_of",
    "exit_registers",
    "field_of",
    "fields_of",
    "name_of",
    "number_of",
    "page_register",
    "vmcb_register",
    "wanted",
]

"""A scenario's instructions: from the words and tables of the file to what a guest executes.

Does not model: programs that decide anything; those are Python functions (`guest.execute`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from avickit.errors import in_range
from avickit.silicon.guest import Insn, eoi, read, write

CR8 = 8
MSRS = 1 << 32


def program(entries: Sequence[str | Mapping[str, Any]]) -> tuple[Insn, ...]:
    """A program of the file. Raises AvicError for what no guest can execute."""
    return tuple(word(entry) if isinstance(entry, str) else instruction(entry) for entry in entries)


def word(name: str) -> Insn:
    """An instruction without an operand: eoi, hlt, sti, cli, nop."""
    return eoi() if name == "eoi" else Insn(name)


def instruction(entry: Mapping[str, Any]) -> Insn:
    """`{write = "ICRL", value = 0x41}` and the like; CR8 counts as a register here."""
    if "do" in entry:
        return word(entry["do"])
    if "rdmsr" in entry:
        return Insn("rdmsr", in_range("MSR", entry["rdmsr"], 0, MSRS - 1))
    if "wrmsr" in entry:
        value = in_range("value of an MSR", entry["value"], 0, (1 << 64) - 1)
        return Insn("wrmsr", in_range("MSR", entry["wrmsr"], 0, MSRS - 1), value, 8)
    register, size = entry.get("write", entry.get("read", "")), entry.get("size", 4)
    if isinstance(register, str) and register.upper() == "CR8":
        if "write" in entry:
            return Insn("write_cr8", CR8, in_range("CR8", entry["value"], 0, 0xF))
        return Insn("read_cr8")
    return write(register, entry["value"], size) if "write" in entry else read(register, size)

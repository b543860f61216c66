"""How an answer differs from what is right: by the bits of a register, or by words. Never says what is right.

differing(ICRL, 0x41, 0x4041)  -> 0x41 differs in bit 14 (LEVEL).
"""

from collections.abc import Iterable
from operator import index
from typing import Any, SupportsIndex

from avickit.bits import Register


def number(got: Any) -> int | None:
    """A whole number, a register value among them; None if it is something else."""
    return index(got) if hasattr(got, "__index__") and not isinstance(got, bool) else None


def differing(register: type[Register], got: Any, right: SupportsIndex) -> str:
    """Which bits of an answer differ, with their fields; empty if none does."""
    value = number(got)
    if value is None:
        return f"{got!r} is no value of {register.__name__}."
    if not 0 <= value < 1 << register.width:
        return f"{value:#x} does not fit: {register.__name__} has {register.width} bits."
    wrong = value ^ index(right)
    named = [f"{span(wrong & f.mask)} ({f.name})" for f in register.fields.values() if wrong & f.mask]
    if wrong & register.reserved.mask:
        named.append(f"{span(wrong & register.reserved.mask)} (reserved)")
    return f"{value:#x} differs in {', '.join(named)}." if named else ""


def span(mask: int) -> str:
    """The bits of a mask in words: `bit 31`, `bits 7:4`, `bits 15, 3:0`."""
    runs: list[str] = []
    for msb in range(mask.bit_length() - 1, -1, -1):
        if mask >> msb & 1 and not mask >> msb + 1 & 1:
            lsb = next(n for n in range(msb, -1, -1) if n == 0 or not mask >> n - 1 & 1)
            runs.append(str(msb) if msb == lsb else f"{msb}:{lsb}")
    return f"{'bit' if mask & mask - 1 == 0 else 'bits'} {', '.join(runs)}"


def one_of(got: Any, words: Iterable[str]) -> str:
    """Empty if the answer is one of the words; else says which there are."""
    known = list(words)
    return "" if got in known else f"{got!r} is not one of {', '.join(map(repr, known))}."


def numbers(got: Any, count: int) -> tuple[int, ...] | None:
    """So many whole numbers in a tuple, register values among them; None if it is something else."""
    if not isinstance(got, tuple) or len(got) != count:
        return None
    found = [number(n) for n in got]
    return tuple(n for n in found if n is not None) if None not in found else None

"""Sets of interrupt vectors: the 256-bit registers, and where one vector lies in the page.

Does not model: who sets and clears the bits (`silicon`).
"""

from collections.abc import Iterable

from avickit.bits import Bits, Register, Reserved
from avickit.errors import AvicError


class Vectors(Register, width=256):
    """In-Service, Trigger Mode or Interrupt Request: one bit per vector. (APM2 16.6.3 p.647-650, H-REG-7)

    The page holds it as eight 32-bit words, 10h apart; as one value, vector v is bit v.
    """

    VECTORS = Bits(255, 16, "bit v of the register is vector v")
    RESERVED = Reserved((15, 0))

    @classmethod
    def of(cls, *vectors: int) -> "Vectors":
        """The register with exactly these vectors: `Vectors.of(0x41, 0x82)`. Raises AvicError outside 16..255."""
        return cls(vectors_value(vectors))

    def __str__(self) -> str:
        return "{" + ", ".join(f"{v:#x}" for v in vectors_of(self.value)) + "}"


def vectors_of(value: int) -> tuple[int, ...]:
    """The vectors of a 256-bit value, lowest first. (H-REG-7)

    >>> vectors_of(1 << 0x41 | 1 << 0x82)
    (65, 130)
    """
    found = []
    while value:
        lowest = value & -value
        found.append(lowest.bit_length() - 1)
        value ^= lowest
    return tuple(found)


def vectors_value(vectors: Iterable[int]) -> int:
    """The 256-bit value of some vectors. Raises AvicError if one is not 0..255. (H-REG-7)"""
    value = 0
    for vector in vectors:
        if not 0 <= vector <= 255:
            raise AvicError.of("vector", vector, "0..255")
        value |= 1 << vector
    return value


def word_of(vector: int) -> tuple[int, int]:
    """Where a vector lies in the page: offset of its 32-bit word from the register's base, and its bit. (H-REG-7)

    >>> word_of(0x41)
    (32, 1)
    """
    return vector >> 5 << 4, vector & 31

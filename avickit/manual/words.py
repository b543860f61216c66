"""A value with a name and a plain meaning: the base of the enumerations of this room.

Does not model: registers (see `avickit.bits`).
"""

from enum import IntEnum
from typing import Self


class Word(IntEnum):
    """An IntEnum whose members carry a meaning: `NMI = 4, "a non-maskable interrupt"`; read it as `.doc`."""

    doc: str

    def __new__(cls, value: int, doc: str = "") -> Self:
        """A member from its value and meaning."""
        self = int.__new__(cls, value)
        self._value_ = value
        self.doc = doc
        return self

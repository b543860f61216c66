"""How bits, values and vectors are written, the same way everywhere.

Does not model: what they mean.
"""

from collections.abc import Iterable, Iterator

BITS = "·1"
"""How a bit is written: a dot is easier to tell from a one than a zero is."""
NIBBLE = "\N{NO-BREAK SPACE}"
"""What stands between groups of four bits: a line never breaks there."""
MOST_VECTORS = 12
"""So many vectors of a set are listed."""


def cut(bits: str, changed: int, width: int, *, rising: bool = False) -> Iterator[tuple[str, bool]]:
    """A string of bits in runs of (text, changed), with a gap after every fourth bit.

    `rising` says that the first character is bit 0; else it is the highest.
    """
    text, state = "", False
    for i, bit in enumerate(bits):
        now = bool(changed >> (i if rising else width - 1 - i) & 1)
        gap = NIBBLE if i and i % 4 == 0 else ""
        if now == state:
            text += gap + bit
            continue
        if text or gap:
            yield text + gap, state
        text, state = bit, now
    yield text, state


def written(value: int, width: int) -> str:
    """The bits of a value, bit 0 first.

    >>> written(0b0110, 4)
    '·11·'
    """
    return "".join(BITS[value >> bit & 1] for bit in range(width))


def digits(value: int, width: int) -> str:
    """A value in hex, a blank-free group for every 16 bits.

    >>> digits(0x2000000, 32)
    '0200_0000'
    """
    return f"{value:0{width // 4 + width // 16 - 1}_x}".upper() if width > 16 else f"{value:0{width // 4}X}"


def vector(number: int) -> str:
    """A vector as the manual writes it: `41h`."""
    return f"{number:02X}h"


def vectors(found: Iterable[int], sign: str = "", most: int = MOST_VECTORS) -> str:
    """Vectors, lowest first; nothing for none.

    >>> vectors({0x52, 0x41}), vectors(range(16, 256), "+", 2)
    ('41h, 52h', '+10h, +11h and 238 more')
    """
    known = sorted(found)
    shown = ", ".join(f"{sign}{vector(v)}" for v in known[:most])
    return f"{shown} and {len(known) - most} more" if len(known) > most else shown

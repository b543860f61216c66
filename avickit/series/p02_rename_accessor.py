"""x86/HVM: Rename vlapic_read_aligned() to vlapic_reg_read().

One name pair, one convention of parameters with vlapic_reg_write(). (X2-1) Why a patch of its own: a rename is
reviewed by looking for what it does *not* change, and a bisection that lands on it has nothing to find.
"""

from dataclasses import replace

from avickit.beat import World
from avickit.xen.parts import xen


def apply(w: World) -> None:
    """The same function under another name. (X2-1)"""
    symbols = xen(w).symbols
    symbols["vlapic_reg_read"] = replace(symbols.pop("vlapic_read_aligned"))

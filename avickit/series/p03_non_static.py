"""x86/HVM: Make vlapic_reg_read/write() non-static.

Both become visible outside vlapic.c. (X3-1) Why: the #VMEXIT handlers of patch 5 call them, and would not link.
"""

from dataclasses import replace

from avickit.beat import World
from avickit.xen.parts import xen


def apply(w: World) -> None:
    """Two functions lose their `static`. (X3-1)"""
    symbols = xen(w).symbols
    for name in ("vlapic_reg_read", "vlapic_reg_write"):
        symbols[name] = replace(symbols[name], static=False)

"""x86/SVM: Modify VMCB fields to add AVIC support.

Gives names to four words of the VMCB, to bit 31 of V_INTR and to clean bit 11. (X1-1, H-VMCB-4, H-VMCB-11 .. 14)
Why: everything later writes them. Nothing behaves differently. The four V_INTR fields that the core ignores while
AVIC is on are marked in `manual.vmcb.AVIC_IGNORES`. (X1-2, H-VMCB-2)
"""

from avickit.beat import World
from avickit.manual.vmcb import XEN_NAMES
from avickit.xen.parts import xen


def apply(w: World) -> None:
    """Give struct vmcb_struct its AVIC names. (X1-1)"""
    xen(w).vmcb_names.update(name for name in XEN_NAMES if "avic" in name)

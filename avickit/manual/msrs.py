"""The two MSRs outside the x2APIC range that AVIC needs: the doorbell, and the guest's APIC base.

Does not model: what a doorbell does (`silicon`); the x2APIC MSRs are in `manual.apic_names`.
"""

from typing import Final

from avickit.bits import Bit, Bits, Register, Reserved

APIC_BASE_MSR: Final = 0x0000_001B  # (H-VMCB-9)
APIC_DEFAULT_BASE: Final = 0xFEE0_0000  # where the APIC page lies after reset (H-VMCB-9)
DOORBELL_MSR: Final = 0xC001_011B  # (H-BELL-1)


class ApicBase(Register, width=64):
    """APIC Base Address Register, MSR 1Bh. (APM2 Figure 16-2 p.630, H-VMCB-9)"""

    ADDRESS = Bits(51, 12, "page number of the APIC page")
    AE = Bit(11, "the APIC is enabled")
    EXTD = Bit(10, "x2APIC mode; needs AE")
    BSC = Bit(8, "this core started the system")
    RESERVED = Reserved((63, 52), 9, (7, 0))


class Doorbell(Register, width=64):
    """Doorbell Register, MSR C001_011Bh; writing it signals a core, reading it is #GP. (APM2 15.29.8.2 p.579, H-BELL-1)

    The manual gives eight bits; processor references of later families give 32.
    """

    APIC_ID = Bits(7, 0, "physical APIC ID of the core to signal")
    RESERVED = Reserved((63, 8))

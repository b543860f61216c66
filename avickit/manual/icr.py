"""The interrupt command register, by which a guest sends an interrupt to another core.

Does not model: what sending does (`silicon`); these are the words it is asked in.
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.words import Word


class MessageType(Word):
    """What kind of interrupt is sent: ICRL 10:8. (APM2 16.5 p.642-643, H-IPI-0)"""

    FIXED = 0, "the interrupt of the given vector"
    LOWEST_PRIORITY = 1, "the given vector, to one of the addressed cores: the one doing the least urgent work"
    SMI = 2, "a system management interrupt"
    REMOTE_READ = 3, "read a register of another core's APIC"
    NMI = 4, "a non-maskable interrupt"
    INIT = 5, "reset the core and wait for STARTUP"
    STARTUP = 6, "start the core at page vector * 1000h"
    EXTINT = 7, "an interrupt whose vector an external controller gives"


class DestinationMode(Word):
    """How the destination is read: ICRL 11. (APM2 16.5 p.643, H-IPI-3)"""

    PHYSICAL = 0, "the destination is an APIC ID"
    LOGICAL = 1, "the destination is a set of logical IDs, as the LDR and DFR define them"


class TriggerMode(Word):
    """Edge or level: ICRL 15. (APM2 16.5 p.643, H-IPI-0)"""

    EDGE = 0, "one interrupt per event"
    LEVEL = 1, "asserted until the cause is removed"


class Shorthand(Word):
    """A destination without a number: ICRL 19:18. (APM2 16.5 p.643-644, H-IPI-1)"""

    NONE = 0, "the destination is in ICRH"
    SELF = 1, "the sender itself"
    ALL = 2, "every core, the sender too"
    ALL_BUT_SELF = 3, "every core but the sender"


class RemoteReadStatus(Word):
    """How a remote read went: ICRL 17:16. (APM2 16.5 p.643, H-IPI-0)"""

    INVALID = 0, "no valid answer"
    PENDING = 1, "the read is on its way"
    DONE = 2, "the answer is in the Remote Read register"


class ICRL(Register):
    """Interrupt Command Register Low, offset 300h; writing it sends. (APM2 16.5 p.642; 15.29.6.1 p.576, H-MAP-300)"""

    VECTOR = Bits(7, 0, "the interrupt vector to send, 10h..FFh")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt is sent", MessageType)
    DESTINATION_MODE = Bits(11, 11, "whether the destination is an APIC ID or a set of logical IDs", DestinationMode)
    DELIVERY_STATUS = Bit(12, "the last interrupt is still on its way; read-only")
    LEVEL = Bit(14, "assert (1) or de-assert (0); matters for INIT and level-triggered interrupts")
    TRIGGER_MODE = Bits(15, 15, "edge or level", TriggerMode)
    REMOTE_READ_STATUS = Bits(17, 16, "how the last remote read went; read-only", RemoteReadStatus)
    DESTINATION_SHORTHAND = Bits(19, 18, "a destination without a number", Shorthand)
    RESERVED = Reserved((31, 20), 13)


class ICRH(Register):
    """Interrupt Command Register High, offset 310h, in xAPIC mode. (APM2 16.5 p.642, H-MAP-310)"""

    DESTINATION = Bits(31, 24, "who is addressed: an APIC ID or a set of logical IDs; FFh is everybody")
    RESERVED = Reserved((23, 0))


class X2ICRH(Register):
    """The high half of the 64-bit ICR in x2APIC mode, MSR 830h bits 63:32. (APM2 15.29.10 p.583, H-REG-8)"""

    DESTINATION = Bits(31, 0, "who is addressed: an APIC ID, or cluster and mask; FFFF_FFFFh is everybody")


def icr_text(icrh: int, icrl: int, x2apic: bool = False) -> str:
    """What an ICR write asks for, in words; takes any 32-bit values, reserved bits included. (H-IPI-0)

    >>> icr_text(0x01000000, 0x41)
    'FIXED vector 0x41, EDGE, to physical ID 0x1'
    """
    low = ICRL.raw(icrl)
    kind, trigger, to = low.MESSAGE_TYPE, low.TRIGGER_MODE, low.DESTINATION_SHORTHAND
    destination = icrh if x2apic else ICRH.raw(icrh).DESTINATION
    if to is Shorthand.NONE and destination == (0xFFFF_FFFF if x2apic else 0xFF):
        where = f"everybody ({destination:#x})"
    elif to is Shorthand.NONE:
        mode = "logical destination" if low.DESTINATION_MODE is DestinationMode.LOGICAL else "physical ID"
        where = f"{mode} {destination:#x}"
    else:
        where = {Shorthand.SELF: "the sender itself", Shorthand.ALL: "all"}.get(to, "all but the sender")
    vector = "" if kind in (MessageType.SMI, MessageType.NMI, MessageType.INIT) else f" vector {low.VECTOR:#x}"
    level = "" if trigger is TriggerMode.EDGE else " assert" if low.LEVEL else " de-assert"
    return f"{kind.name}{vector}, {trigger.name}{level}, to {where}"

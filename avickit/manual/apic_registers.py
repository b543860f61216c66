"""The registers of the local APIC, bit by bit, in the order of their offsets.

Does not model: where they lie and who may touch them (`manual.apic_map`); the ICR (`manual.icr`), the sets of vectors
(`manual.vectors`), the local vector table and the timer (`manual.apic_lvt`).
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.words import Word


class DfrModel(Word):
    """How a logical destination is read: DFR 31:28. (APM2 16.6.1 p.646, H-IPI-3a)"""

    CLUSTER = 0x0, "bits 7:4 name a cluster, bits 3:0 its members"
    FLAT = 0xF, "each of the eight bits names one member"


class ApicId(Register):
    """APIC ID, offset 020h. (APM2 16.3.3 p.632, H-MAP-020)"""

    ID = Bits(31, 24, "the APIC ID in xAPIC mode; Xen gives virtual CPU n the ID 2n")
    RESERVED = Reserved((23, 0))


class Version(Register):
    """APIC version, offset 030h. (APM2 16.3.4 p.632, H-MAP-030)"""

    EXT_APIC_SPACE = Bit(31, "the extended registers from 400h on exist")
    DIRECTED_EOI = Bit(
        24, "an EOI can be directed to one I/O APIC; reserved in the manual, named in AMD's processor references"
    )
    MAX_LVT = Bits(23, 16, "number of local vector table entries, minus 1")
    VERSION = Bits(7, 0, "version of the APIC; Xen shows 14h")
    RESERVED = Reserved((30, 25), (15, 8))


class Tpr(Register):
    """Task Priority, offset 080h. (APM2 16.6.4 p.650, H-MAP-080)"""

    PRIORITY = Bits(7, 4, "interrupts of this class and below wait; the same number as CR8 and V_TPR (H-PRIO-2)")
    SUBCLASS = Bits(3, 0, "sub-class, for lowest-priority interrupts only; a write of CR8 makes it 0")
    RESERVED = Reserved((31, 8))


class Apr(Register):
    """Arbitration Priority, offset 090h. (APM2 16.6.2 p.647, H-MAP-090)"""

    PRIORITY = Bits(7, 4, "class by which cores compete for a lowest-priority interrupt")
    SUBCLASS = Bits(3, 0, "sub-class of the same")
    RESERVED = Reserved((31, 8))


class Ppr(Register):
    """Processor Priority, offset 0A0h: the higher of task priority and interrupt in service. (p.651, H-MAP-0A0)"""

    PRIORITY = Bits(7, 4, "a pending interrupt is taken only if its class is higher than this (H-EVAL-2)")
    SUBCLASS = Bits(3, 0, "from the TPR, or 0 (H-PRIO-1)")
    RESERVED = Reserved((31, 8))


class Eoi(Register):
    """End of Interrupt, offset 0B0h: writing it ends the highest interrupt in service. (p.569, H-MAP-0B0)"""

    EOI = Bits(31, 0, "any value; the write itself counts")


class RemoteRead(Register):
    """Remote Read, offset 0C0h. (APM2 16.5 p.644, H-MAP-0C0)"""

    DATA = Bits(31, 0, "the register of another core, as the last remote read answered")


class Ldr(Register):
    """Logical Destination, offset 0D0h. (APM2 16.6.1 p.645, H-MAP-0D0)"""

    LOGICAL_ID = Bits(31, 24, "the logical ID: one bit (flat), or cluster and bit (cluster)")
    RESERVED = Reserved((23, 0))


class Dfr(Register):
    """Destination Format, offset 0E0h; not in x2APIC mode. (APM2 16.6.1 p.646, H-MAP-0E0)"""

    MODEL = Bits(31, 28, "how logical destinations are read", DfrModel)
    ONES = Bits(27, 0, "reserved; read as ones")


class Svr(Register):
    """Spurious Interrupt Vector, offset 0F0h. (APM2 16.4.7 p.641, H-MAP-0F0)"""

    FOCUS_DISABLE = Bit(9, "no focus core for lowest-priority interrupts")
    ENABLE = Bit(8, "the APIC is enabled by software; 0 masks every LVT")
    VECTOR = Bits(7, 0, "vector of a spurious interrupt")
    RESERVED = Reserved((31, 10))


class Esr(Register):
    """Error Status, offset 280h. (APM2 16.4.6 p.640, H-MAP-280)"""

    ILLEGAL_REGISTER = Bit(7, "an APIC register that does not exist was touched")
    RECEIVED_ILLEGAL_VECTOR = Bit(6, "an interrupt with a vector below 16 came in")
    SENT_ILLEGAL_VECTOR = Bit(5, "an interrupt with a vector below 16 was to be sent")
    RECEIVE_ACCEPT_ERROR = Bit(3, "a message came that no APIC accepted")
    SEND_ACCEPT_ERROR = Bit(2, "a message went out that no APIC accepted")
    RESERVED = Reserved((31, 8), 4, (1, 0))


class SelfIpi(Register):
    """Self IPI, MSR 83Fh, x2APIC only: an interrupt to oneself. (APM2 16.15 p.662, H-MAP-3F0)"""

    VECTOR = Bits(7, 0, "the vector")
    RESERVED = Reserved((31, 8))


class ExtFeature(Register):
    """Extended APIC feature, offset 400h. (APM2 16.3.5 p.633, H-MAP-400)"""

    EXT_LVT_COUNT = Bits(23, 16, "number of extended local vector table entries")
    EXT_APIC_ID = Bit(2, "8-bit APIC IDs are possible")
    SEOI = Bit(1, "the specific EOI register exists")
    IER = Bit(0, "the interrupt enable registers exist")
    RESERVED = Reserved((31, 24), (15, 3))


class ExtControl(Register):
    """Extended APIC control, offset 410h. (APM2 16.3.6 p.634, H-MAP-400)"""

    EXT_APIC_ID = Bit(2, "use 8-bit APIC IDs")
    SEOI = Bit(1, "use specific EOI")
    IER = Bit(0, "use interrupt enable")
    RESERVED = Reserved((31, 3))


class Seoi(Register):
    """Specific End of Interrupt, offset 420h. (APM2 16.7.1 p.652, H-MAP-400)"""

    VECTOR = Bits(7, 0, "the vector whose service ends")
    RESERVED = Reserved((31, 8))

"""The APIC's own interrupts: the local vector table and the timer, bit by bit.

Does not model: the timer running; the access rules (`manual.apic_map`).
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.icr import MessageType
from avickit.manual.words import Word


class TimerMode(Word):
    """How the APIC timer runs: timer LVT 18:17. (APM2 16.4.1 p.636, H-MAP-320)"""

    ONE_SHOT = 0, "once per write of the initial count"
    PERIODIC = 1, "over and over"
    TSC_DEADLINE = 2, "at a time stamp; not in AMD's manual, but Xen offers it to its guests"


class LvtTimer(Register):
    """Local vector table: timer, offset 320h. (APM2 16.4.1 p.636, H-MAP-320)"""

    MODE = Bits(18, 17, "how the timer runs; bit 18 is reserved in AMD's manual", TimerMode)
    MASK = Bit(16, "no interrupt")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 19), (15, 13), (11, 8))


class LvtThermal(Register):
    """Local vector table: thermal sensor, offset 330h. (APM2 16.4.4 p.639, H-MAP-320)"""

    MASK = Bit(16, "no interrupt")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), (15, 13), 11)


class LvtPerf(Register):
    """Local vector table: performance counter, offset 340h. (APM2 16.4.3 p.638, H-MAP-320)"""

    MASK = Bit(16, "no interrupt")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), (15, 13), 11)


class LvtLint0(Register):
    """Local vector table: pin LINT0, offset 350h. (APM2 16.4.2 p.638, H-MAP-320)"""

    MASK = Bit(16, "no interrupt")
    TRIGGER_MODE = Bit(15, "level-triggered")
    REMOTE_IRR = Bit(14, "a level-triggered interrupt waits for its EOI; read-only")
    POLARITY = Bit(13, "the pin is active low; reserved in AMD's manual, kept by Xen")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), 11)


class LvtLint1(Register):
    """Local vector table: pin LINT1, offset 360h. (APM2 16.4.2 p.638, H-MAP-320)"""

    MASK = Bit(16, "no interrupt")
    TRIGGER_MODE = Bit(15, "level-triggered")
    REMOTE_IRR = Bit(14, "a level-triggered interrupt waits for its EOI; read-only")
    POLARITY = Bit(13, "the pin is active low; reserved in AMD's manual, kept by Xen")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), 11)


class LvtError(Register):
    """Local vector table: APIC error, offset 370h. (APM2 16.4.6 p.639, H-MAP-320)"""

    MASK = Bit(16, "no interrupt")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), (15, 13), 11)


class ExtLvt(Register):
    """Extended interrupt local vector table, offsets 500h-530h. (APM2 16.4.5 p.639, H-MAP-500)"""

    MASK = Bit(16, "no interrupt")
    DELIVERY_STATUS = Bit(12, "the interrupt is still on its way; read-only")
    MESSAGE_TYPE = Bits(10, 8, "what kind of interrupt", MessageType)
    VECTOR = Bits(7, 0, "its vector")
    RESERVED = Reserved((31, 17), (15, 13), 11)


class Tmict(Register):
    """Timer Initial Count, offset 380h; writing it starts the timer. (APM2 16.4.1 p.637, H-MAP-380)"""

    COUNT = Bits(31, 0, "the count to start from; 0 stops the timer")


class Tmcct(Register):
    """Timer Current Count, offset 390h. (APM2 16.4.1 p.637, H-MAP-390)"""

    COUNT = Bits(31, 0, "what is left")


class Tdcr(Register):
    """Timer Divide Configuration, offset 3E0h. (APM2 16.4.1 p.637, H-MAP-3E0)"""

    DIVIDE_HIGH = Bit(3, "high bit of the divider")
    DIVIDE_LOW = Bits(1, 0, "low bits of the divider")
    RESERVED = Reserved((31, 4), 2)

    @property
    def divisor(self) -> int:
        """The clock is divided by 2, 4, 8 ... 128, or (0Bh) by 1."""
        return 1 << ((self.value >> 1 & 4 | self.value & 3) + 1 & 7)

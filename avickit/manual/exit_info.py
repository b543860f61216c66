"""What comes with a #VMEXIT in EXITINFO1 and EXITINFO2, and the event to inject at the next VMRUN.

Does not model: the details of exits that AVIC and the series do not need.
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.words import Word


class IpiFailure(Word):
    """Why an interrupt was not delivered to everyone: ID of exit 401h. (APM2 15.29.9.1 p.580-581, H-EXIT-1)"""

    INVALID_TYPE = 0, "not a fixed, edge-triggered interrupt: hardware leaves it to software, nothing was delivered"
    NOT_RUNNING = 1, "a target is not running: every IRR bit is set, software must get the target scheduled"
    INVALID_TARGET = 2, "a target is not in the table"
    INVALID_PAGE = 3, "the backing page pointer of a target is no legal address"
    INVALID_VECTOR = 4, "the vector is below 16"
    UNACCELERATED = 5, "Secure AVIC leaves this interrupt to software"


class EventType(Word):
    """What is injected or was interrupted: EVENTINJ and EXITINTINFO 10:8. (APM2 15.20 p.531, H-VMCB-10)"""

    INTR = 0, "an external or virtual interrupt"
    NMI = 2, "a non-maskable interrupt"
    EXCEPTION = 3, "an exception (fault or trap)"
    SOFTWARE = 4, "a software interrupt, INTn"


class IncompleteIpiInfo1(Register, width=64):
    """EXITINFO1 of exit 401h: the ICR as the guest wrote it. (APM2 15.29.9.1 p.580-581, H-EXIT-1)"""

    ICRH = Bits(63, 32, "Interrupt Command Register High, as written")
    ICRL = Bits(31, 0, "Interrupt Command Register Low, as written")


class IncompleteIpiInfo2(Register, width=64):
    """EXITINFO2 of exit 401h: why, and at which table entry. (APM2 15.29.9.1 p.580-581, H-EXIT-1)"""

    ID = Bits(63, 32, "why the interrupt was not delivered to everyone", IpiFailure)
    RESERVED = Reserved((31, 12))
    INDEX = Bits(11, 0, "the table entry, for IDs 1 to 3: of the physical or of the logical table (H-IPI-8)")


class NoAccelInfo1(Register, width=64):
    """EXITINFO1 of exit 402h: which register, read or written. (APM2 15.29.9.2 p.581-582, H-EXIT-2)"""

    WRITE = Bit(32, "1: the guest wrote, 0: it read")
    OFFSET = Bits(11, 4, "bits 11:4 of the register's offset in the vAPIC page")
    RESERVED = Reserved((63, 33), (31, 12), (3, 0))

    @property
    def offset(self) -> int:
        """The register's offset in the page, 000h..FF0h."""
        return self.value & 0xFF0


class NoAccelInfo2(Register, width=64):
    """EXITINFO2 of exit 402h: the vector of an EOI write, else undefined. (APM2 15.29.9.2 p.581-582, H-EXIT-2)"""

    VECTOR = Bits(7, 0, "the vector whose end the guest signalled; only for a write of the EOI register")
    RESERVED = Reserved((63, 8))


class EventInj(Register, width=64):
    """EVENTINJ, VMCB 0A8h: what VMRUN delivers before the guest's first instruction. (APM2 15.20 p.531, H-VMCB-10)"""

    ERRORCODE = Bits(63, 32, "the error code to push, if EV = 1")
    VALID = Bit(31, "inject; 0: the other fields mean nothing")
    RESERVED = Reserved((30, 12))
    EV = Bit(11, "push the error code")
    TYPE = Bits(10, 8, "what kind of event", EventType)
    VECTOR = Bits(7, 0, "the vector of the interrupt or exception")


class NpfInfo1(Register, width=64):
    """EXITINFO1 of exit 400h: why the nested page walk failed. (APM2 15.25.6, H-REG-9)"""

    SUPERVISOR_SHADOW_STACK = Bit(37, "a supervisor shadow stack access that the nested table forbids")
    VMPL = Bit(36, "the privilege level of the encrypted guest forbids the access")
    SIZEM = Bit(35, "page sizes of nested table and RMP do not match")
    ENC = Bit(34, "the guest's effective C-bit was 1")
    GUEST_TABLE = Bit(33, "the fault came while walking the guest's own page table")
    GUEST_ADDRESS = Bit(32, "the fault came at the final guest physical address")
    RMP = Bit(31, "a reverse map table check failed")
    SHADOW_STACK = Bit(6, "a shadow stack access")
    INSTRUCTION = Bit(4, "an instruction fetch")
    RESERVED_BIT = Bit(3, "a reserved bit is set in the nested table")
    USER = Bit(2, "an access as user; always 1 for the final address")
    WRITE = Bit(1, "a write")
    PRESENT = Bit(0, "the nested page is present, so the access was forbidden")
    RESERVED = Reserved((63, 38), (30, 7), 5)

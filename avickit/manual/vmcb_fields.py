"""The other words of the VMCB control area, bit by bit; each is one qword.

Does not model: nested paging, encryption and Secure AVIC beyond their bits.
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.exit_info import EventType


class PauseFilter(Register, width=64):
    """PAUSE filter, VMCB 03Ch and 03Eh. (Table B-1 p.739-740)"""

    COUNT = Bits(63, 48, "how many PAUSE the guest may execute before the intercept")
    THRESHOLD = Bits(47, 32, "PAUSEs further apart than this many cycles start the count again")
    RESERVED = Reserved((31, 0))


class PermissionMap(Register, width=64):
    """IOPM_BASE_PA, VMCB 040h, and MSRPM_BASE_PA, VMCB 048h. (Table B-1 p.739-740)"""

    ADDRESS = Bits(51, 12, "page number of the map that chooses I/O ports or MSRs to intercept")
    IGNORED = Bits(11, 0, "ignored")
    RESERVED = Reserved((63, 52))


class TscOffset(Register, width=64):
    """TSC_OFFSET, VMCB 050h. (Table B-1 p.739-740)"""

    OFFSET = Bits(63, 0, "added to the time stamp counter that the guest reads")


class ExitCodeWord(Register, width=64):
    """EXITCODE, VMCB 070h. (Table B-1 p.741, H-VMCB-7)"""

    EXITCODE = Bits(63, 0, "why the guest stopped; see ExitCode")


class ExitInfo(Register, width=64):
    """EXITINFO1 and EXITINFO2, VMCB 078h and 080h; their layout depends on EXITCODE. (Table B-1 p.741, H-VMCB-7)"""

    INFO = Bits(63, 0, "details of the exit")


class ExitIntInfo(Register, width=64):
    """EXITINTINFO, VMCB 088h: the event whose delivery the exit interrupted. (APM2 15.7.2, H-VMCB-7)"""

    ERRORCODE = Bits(63, 32, "its error code, if EV = 1")
    VALID = Bit(31, "there was one")
    RESERVED = Reserved((30, 12))
    EV = Bit(11, "it has an error code")
    TYPE = Bits(10, 8, "what kind of event", EventType)
    VECTOR = Bits(7, 0, "its vector")


class Address(Register, width=64):
    """A word that is one address: GHCB 0A0h, N_CR3 0B0h, nRIP 0C8h, VMGEXIT_RAX 110h. (Table B-1 p.741-742)"""

    ADDRESS = Bits(63, 0, "the address or value")


class VirtExt(Register, width=64):
    """Virtualization of LBR, VMSAVE, IBS and PMC, VMCB 0B8h. (Table B-1 p.742)"""

    PMC = Bit(3, "performance counter virtualization")
    IBS = Bit(2, "instruction-based sampling virtualization")
    VMSAVE_VMLOAD = Bit(1, "virtualized VMSAVE and VMLOAD")
    LBR = Bit(0, "last branch record virtualization")
    RESERVED = Reserved((63, 4))


class InsnBytes(Register, width=64):
    """Instruction bytes, VMCB 0D0h; the rest follows at 0D8h. (Table B-1 p.742)"""

    BYTES = Bits(63, 8, "the first seven bytes of the instruction")
    COUNT = Bits(3, 0, "how many bytes were fetched, at most 15")
    RESERVED = Reserved((7, 4))


class InsnBytesMore(Register, width=64):
    """Instruction bytes 7 to 14, VMCB 0D8h. (Table B-1 p.742)"""

    BYTES = Bits(63, 0, "the last eight bytes")


class VmsaPointer(Register, width=64):
    """VMSA pointer of an encrypted guest, VMCB 108h. (Table B-1 p.742)"""

    ADDRESS = Bits(51, 12, "page number of the encrypted save area")
    RESERVED = Reserved((63, 52), (11, 0))


class VmgexitCpl(Register, width=64):
    """VMGEXIT_CPL, VMCB 118h. (Table B-1 p.742)"""

    CPL = Bits(7, 0, "privilege level at VMGEXIT")
    RESERVED = Reserved((63, 8))


class BusLockThreshold(Register, width=64):
    """Bus lock threshold counter, VMCB 120h. (Table B-1 p.742)"""

    COUNTER = Bits(15, 0, "how many bus locks the guest may take before the intercept")
    RESERVED = Reserved((63, 16))


class UpdateIrr(Register, width=64):
    """UPDATE_IRR, VMCB 134h: Secure AVIC. (Table B-1 p.742)"""

    UPDATE_IRR = Bits(63, 32, "take over the vectors of REQUESTED_IRR")
    RESERVED = Reserved((31, 0))


class SevFeatures(Register, width=64):
    """ALLOWED_SEV_FEATURES, VMCB 138h, and GUEST_SEV_FEATURES, 140h. (Table B-1 p.742)"""

    ENABLE = Bit(63, "138h: the mask is in force")
    FEATURES = Bits(61, 0, "one bit per feature of encrypted guests")
    RESERVED = Reserved(62)


class RequestedIrr(Register, width=64):
    """REQUESTED_IRR, VMCB 150h-16Fh: 64 of the 256 vectors. (Table B-1 p.742)"""

    VECTORS = Bits(63, 0, "Secure AVIC: vectors that the hypervisor asks for")

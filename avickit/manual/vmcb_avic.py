"""The words of the VMCB control area that AVIC and its hypervisor look at, bit by bit; each is one qword.

Does not model: which core has cached which word (`silicon`).
"""

from avickit.bits import Bit, Bits, Register, Reserved
from avickit.manual.words import Word


class TlbControl(Word):
    """What VMRUN flushes from the TLB: VMCB 05Ch. (Table B-1 p.739-740, H-VMCB-17)"""

    NOTHING = 0, "nothing"
    ALL = 1, "every entry of every guest"
    GUEST = 3, "this guest's entries; needed when a core runs another virtual CPU of the same VM"
    GUEST_NONGLOBAL = 7, "this guest's non-global entries"


class AsidTlb(Register, width=64):
    """Guest ASID and TLB control, VMCB 058h. (Table B-1 p.739-740, H-VMCB-17)"""

    GUEST_ASID = Bits(31, 0, "number under which the TLB keeps this guest's entries; not 0")
    TLB_CONTROL = Bits(39, 32, "what VMRUN flushes", TlbControl)
    ALLOW_LARGER_RAP = Bit(40, "the guest may use the larger return address predictor")
    CLEAR_RAP = Bit(41, "VMRUN clears the return address predictor")
    RESERVED = Reserved((63, 42))


class VIntr(Register, width=64):
    """Virtual interrupt control, VMCB 060h; the reserved bits are H-VMCB-6. (Table B-1 p.740, H-VMCB-1 to H-VMCB-5)"""

    V_INTR_VECTOR = Bits(39, 32, "vector of the virtual interrupt; ignored under AVIC (H-VMCB-2)")
    AVIC_ENABLE = Bit(31, "AVIC serves this virtual CPU (H-VMCB-4)")
    X2AVIC_ENABLE = Bit(30, "x2AVIC: the guest reaches its APIC by MSRs; needs AVIC_ENABLE (H-VMCB-5)")
    V_NMI_ENABLE = Bit(26, "virtual NMIs (H-VMCB-3)")
    VGIF_ENABLE = Bit(25, "the guest has a virtual GIF (H-VMCB-3)")
    V_INTR_MASKING = Bit(24, "the guest's IF gates virtual interrupts only (H-VMCB-3, H-MASK-1)")
    V_IGN_TPR = Bit(20, "the virtual interrupt ignores V_TPR; ignored under AVIC (H-VMCB-2)")
    V_INTR_PRIO = Bits(19, 16, "priority of the virtual interrupt; ignored under AVIC (H-VMCB-2)")
    V_NMI_MASK = Bit(12, "virtual NMIs are masked (H-VMCB-3)")
    V_NMI = Bit(11, "a virtual NMI is pending (H-VMCB-3)")
    VGIF = Bit(9, "the virtual GIF: 0 masks virtual interrupts (H-VMCB-3)")
    V_IRQ = Bit(8, "a virtual interrupt is pending; ignored under AVIC (H-VMCB-2)")
    V_TPR = Bits(3, 0, "the guest's task priority class, CR8; written back at #VMEXIT (H-VMCB-1)")
    RESERVED = Reserved((63, 40), (29, 27), (23, 21), (15, 13), 10, (7, 4))


class InterruptShadow(Register, width=64):
    """Interrupt state, VMCB 068h. (Table B-1 p.741, H-EVAL-2)"""

    GUEST_INTERRUPT_MASK = Bit(1, "the guest's IF; only for encrypted guests")
    INTERRUPT_SHADOW = Bit(0, "the guest is in the shadow of STI or MOV SS: no interrupt before the next instruction")
    RESERVED = Reserved((63, 2))


class NestedControl(Register, width=64):
    """Nested paging and encryption, VMCB 090h. (Table B-1 p.741, H-VMCB-8)"""

    INVLPGB_ENABLE = Bit(7, "the guest may use INVLPGB and TLBSYNC")
    READ_ONLY_GPT = Bit(6, "read-only guest page tables")
    VIRTUAL_TRANSPARENT_ENCRYPTION = Bit(5, "virtual transparent encryption")
    SSS_CHECK = Bit(4, "supervisor shadow stack restrictions in nested page tables")
    GMET = Bit(3, "guest mode execute trap")
    SEV_ES = Bit(2, "encrypted register state")
    SEV = Bit(1, "encrypted memory")
    NP_ENABLE = Bit(0, "nested paging; AVIC needs it")
    RESERVED = Reserved((63, 8))


class ApicBar(Register, width=64):
    """AVIC APIC_BAR, VMCB 098h; not used in x2AVIC mode. (Table B-1 p.741, H-VMCB-9)"""

    ADDRESS = Bits(51, 0, "guest physical address of the APIC page: FEE0_0000h after reset")
    RESERVED = Reserved((63, 52))


class CleanBits(Register, width=64):
    """VMCB clean bits, VMCB 0C0h: 1 = unchanged since the last run, the core may use its copy. (p.526, H-VMCB-11)"""

    CET = Bit(12, "S_CET, SSP, ISST_ADDR")
    AVIC = Bit(11, "APIC_BAR, backing page, physical and logical table pointers")
    LBR = Bit(10, "DBGCTL, BR_FROM, BR_TO, LASTEXCP_FROM, LASTEXCP_TO")
    CR2 = Bit(9, "CR2")
    SEG = Bit(8, "CS, DS, SS, ES, CPL")
    DT = Bit(7, "GDT and IDT limit and base")
    DRX = Bit(6, "DR6, DR7")
    CRX = Bit(5, "CR0, CR3, CR4, EFER")
    NP = Bit(4, "nested paging: N_CR3, G_PAT and the word at 090h")
    TPR = Bit(3, "the word at 060h: V_TPR and virtual interrupt control")
    ASID = Bit(2, "the guest's ASID")
    IOPM = Bit(1, "IOPM_BASE_PA, MSRPM_BASE_PA")
    I = Bit(0, "intercepts, TSC offset, PAUSE filter")  # noqa: E741
    RESERVED = Reserved((63, 13))


class BackingPagePointer(Register, width=64):
    """AVIC_BACKING_PAGE pointer, VMCB 0E0h. (Table B-1 p.742, H-VMCB-12)

    The page is 4 KiB aligned, write-back memory, and stays where it is for the life of the VM; so do both tables.
    (APM2 15.29.4.3 p.571, H-VMCB-16)
    """

    ADDRESS = Bits(51, 12, "page number of this virtual CPU's vAPIC backing page")
    RESERVED = Reserved((63, 52), (11, 0))


class LogicalTablePointer(Register, width=64):
    """AVIC_LOGICAL_TABLE pointer, VMCB 0F0h; not used in x2AVIC mode. (Table B-1 p.742, H-VMCB-13)"""

    ADDRESS = Bits(51, 12, "page number of the VM's logical APIC ID table")
    RESERVED = Reserved((63, 52), (11, 0))


class PhysicalTablePointer(Register, width=64):
    """AVIC_PHYSICAL_TABLE pointer, VMCB 0F8h. (Table B-1 p.742, H-VMCB-14)"""

    ADDRESS = Bits(51, 12, "page number of the VM's physical APIC ID table")
    MAX_INDEX = Bits(11, 0, "index of the last entry that may be used; bits 7:0 in the manuals of 2018")
    RESERVED = Reserved((63, 52))

"""Where each word of the VMCB lies, and which clean bit covers it.

The VMCB is modelled as 512 qwords: the word at offset `o` is place `page + (o >> 3)`. Words not named here are reserved
and must be 0. Does not model: the segment registers of the save area beyond their offsets.
"""

from typing import Final

from avickit.bits import Register
from avickit.manual import vmcb_avic as avic
from avickit.manual import vmcb_fields as field
from avickit.manual import vmcb_intercepts as intercept
from avickit.manual.exit_info import EventInj


class VmcbOffset:
    """Offsets of the words of the control area, 000h-3FFh. (APM2 Table B-1 p.736-742, H-VMCB-1 to H-VMCB-14)"""

    INTERCEPT_CR_DR: Final = 0x000
    INTERCEPT_EXCEPTIONS_MISC1: Final = 0x008
    INTERCEPT_MISC2: Final = 0x010
    PAUSE_FILTER: Final = 0x038
    IOPM_BASE_PA: Final = 0x040
    MSRPM_BASE_PA: Final = 0x048
    TSC_OFFSET: Final = 0x050
    ASID_TLB: Final = 0x058
    VINTR: Final = 0x060
    INTERRUPT_SHADOW: Final = 0x068
    EXITCODE: Final = 0x070
    EXITINFO1: Final = 0x078
    EXITINFO2: Final = 0x080
    EXITINTINFO: Final = 0x088
    NP: Final = 0x090
    APIC_BAR: Final = 0x098
    GHCB: Final = 0x0A0
    EVENTINJ: Final = 0x0A8
    N_CR3: Final = 0x0B0
    LBR: Final = 0x0B8
    CLEAN: Final = 0x0C0
    NRIP: Final = 0x0C8
    INSN_BYTES: Final = 0x0D0
    INSN_BYTES_MORE: Final = 0x0D8
    BACKING_PAGE: Final = 0x0E0
    LOGICAL_TABLE: Final = 0x0F0
    PHYSICAL_TABLE: Final = 0x0F8
    VMSA: Final = 0x108
    VMGEXIT_RAX: Final = 0x110
    VMGEXIT_CPL: Final = 0x118
    BUS_LOCK_THRESHOLD: Final = 0x120
    UPDATE_IRR: Final = 0x130
    ALLOWED_SEV_FEATURES: Final = 0x138
    GUEST_SEV_FEATURES: Final = 0x140
    REQUESTED_IRR: Final = 0x150


class SaveOffset:
    """Offsets of the save area's words that the clean bits cover or the model uses. (APM2 Table B-2)"""

    ES: Final = 0x400
    CS: Final = 0x410
    SS: Final = 0x420
    DS: Final = 0x430
    GDTR: Final = 0x460
    IDTR: Final = 0x480
    CPL: Final = 0x4C8  # the byte 4CBh of this word
    EFER: Final = 0x4D0
    CR4: Final = 0x548
    CR3: Final = 0x550
    CR0: Final = 0x558
    DR7: Final = 0x560
    DR6: Final = 0x568
    RFLAGS: Final = 0x570
    RIP: Final = 0x578
    RSP: Final = 0x5D8
    S_CET: Final = 0x5E0
    SSP: Final = 0x5E8
    ISST_ADDR: Final = 0x5F0
    RAX: Final = 0x5F8
    CR2: Final = 0x640
    G_PAT: Final = 0x668
    DBGCTL: Final = 0x670
    BR_FROM: Final = 0x678
    BR_TO: Final = 0x680
    LASTEXCP_FROM: Final = 0x688
    LASTEXCP_TO: Final = 0x690


CONTROL_AREA_BYTES: Final = 0x400  # the save area starts here
VMCB_QWORDS: Final = 512  # one 4 KiB page

VMCB_WORDS: Final[dict[int, type[Register]]] = {
    VmcbOffset.INTERCEPT_CR_DR: intercept.InterceptCrDr,
    VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1: intercept.InterceptExceptionsMisc1,
    VmcbOffset.INTERCEPT_MISC2: intercept.InterceptMisc2,
    VmcbOffset.PAUSE_FILTER: field.PauseFilter,
    VmcbOffset.IOPM_BASE_PA: field.PermissionMap,
    VmcbOffset.MSRPM_BASE_PA: field.PermissionMap,
    VmcbOffset.TSC_OFFSET: field.TscOffset,
    VmcbOffset.ASID_TLB: avic.AsidTlb,
    VmcbOffset.VINTR: avic.VIntr,
    VmcbOffset.INTERRUPT_SHADOW: avic.InterruptShadow,
    VmcbOffset.EXITCODE: field.ExitCodeWord,
    VmcbOffset.EXITINFO1: field.ExitInfo,
    VmcbOffset.EXITINFO2: field.ExitInfo,
    VmcbOffset.EXITINTINFO: field.ExitIntInfo,
    VmcbOffset.NP: avic.NestedControl,
    VmcbOffset.APIC_BAR: avic.ApicBar,
    VmcbOffset.GHCB: field.Address,
    VmcbOffset.EVENTINJ: EventInj,
    VmcbOffset.N_CR3: field.Address,
    VmcbOffset.LBR: field.VirtExt,
    VmcbOffset.CLEAN: avic.CleanBits,
    VmcbOffset.NRIP: field.Address,
    VmcbOffset.INSN_BYTES: field.InsnBytes,
    VmcbOffset.INSN_BYTES_MORE: field.InsnBytesMore,
    VmcbOffset.BACKING_PAGE: avic.BackingPagePointer,
    VmcbOffset.LOGICAL_TABLE: avic.LogicalTablePointer,
    VmcbOffset.PHYSICAL_TABLE: avic.PhysicalTablePointer,
    VmcbOffset.VMSA: field.VmsaPointer,
    VmcbOffset.VMGEXIT_RAX: field.Address,
    VmcbOffset.VMGEXIT_CPL: field.VmgexitCpl,
    VmcbOffset.BUS_LOCK_THRESHOLD: field.BusLockThreshold,
    VmcbOffset.UPDATE_IRR: field.UpdateIrr,
    VmcbOffset.ALLOWED_SEV_FEATURES: field.SevFeatures,
    VmcbOffset.GUEST_SEV_FEATURES: field.SevFeatures,
} | {VmcbOffset.REQUESTED_IRR + 8 * i: field.RequestedIrr for i in range(4)}

VMCB_NAMES: Final[dict[int, str]] = {
    offset: name for names in (VmcbOffset, SaveOffset) for name, offset in vars(names).items() if name.isupper()
} | {VmcbOffset.REQUESTED_IRR + 8 * i: f"REQUESTED_IRR{i}" for i in range(4)}

# Which words each clean bit covers; TLB_CONTROL shares a word with the ASID but is read at every VMRUN. (H-VMCB-11)
CLEAN_COVERS: Final[dict[str, tuple[int, ...]]] = {
    "I": (0x000, 0x008, 0x010, VmcbOffset.PAUSE_FILTER, VmcbOffset.TSC_OFFSET),
    "IOPM": (VmcbOffset.IOPM_BASE_PA, VmcbOffset.MSRPM_BASE_PA),
    "ASID": (VmcbOffset.ASID_TLB,),
    "TPR": (VmcbOffset.VINTR,),
    "NP": (VmcbOffset.NP, VmcbOffset.N_CR3, SaveOffset.G_PAT),
    "CRX": (SaveOffset.CR0, SaveOffset.CR3, SaveOffset.CR4, SaveOffset.EFER),
    "DRX": (SaveOffset.DR6, SaveOffset.DR7),
    "DT": (SaveOffset.GDTR, SaveOffset.GDTR + 8, SaveOffset.IDTR, SaveOffset.IDTR + 8),
    "SEG": (*range(SaveOffset.ES, SaveOffset.DS + 16, 8), SaveOffset.CPL),
    "CR2": (SaveOffset.CR2,),
    "LBR": tuple(range(SaveOffset.DBGCTL, SaveOffset.LASTEXCP_TO + 8, 8)),
    "AVIC": (VmcbOffset.APIC_BAR, VmcbOffset.BACKING_PAGE, VmcbOffset.LOGICAL_TABLE, VmcbOffset.PHYSICAL_TABLE),
    "CET": (SaveOffset.S_CET, SaveOffset.SSP, SaveOffset.ISST_ADDR),
}

# Fields of VIntr that hardware does not look at on VMRUN while AVIC is enabled. (APM2 15.29.4.1 p.570, H-VMCB-2)
AVIC_IGNORES: Final = ("V_IRQ", "V_INTR_PRIO", "V_IGN_TPR", "V_INTR_VECTOR")

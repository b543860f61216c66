"""What Xen calls the fields of the VMCB, before the series and by its first patch.

Does not model: the segment registers and the rest of the save area.
"""

from typing import Final, NamedTuple

from avickit.manual.vmcb_map import VmcbOffset


class XenName(NamedTuple):
    """What a name of Xen's `struct vmcb_struct` stands for: a word, and a field of it or the whole."""

    offset: int
    field: str | None = None


# Xen's names, those that the series adds (X1-1) and those that stand beside them. (series patch 1, X1-1)
XEN_NAMES: Final[dict[str, XenName]] = {
    "avic_vapic_bar": XenName(VmcbOffset.APIC_BAR),
    "avic_bk_pg_pa": XenName(VmcbOffset.BACKING_PAGE),
    "avic_logical_id_table_pa": XenName(VmcbOffset.LOGICAL_TABLE),
    "avic_physical_id_table_pa": XenName(VmcbOffset.PHYSICAL_TABLE),
    "vintr.avic_enable": XenName(VmcbOffset.VINTR, "AVIC_ENABLE"),
    "cleanbits.avic": XenName(VmcbOffset.CLEAN, "AVIC"),
    "vintr.tpr": XenName(VmcbOffset.VINTR, "V_TPR"),
    "vintr.irq": XenName(VmcbOffset.VINTR, "V_IRQ"),
    "vintr.prio": XenName(VmcbOffset.VINTR, "V_INTR_PRIO"),
    "vintr.ign_tpr": XenName(VmcbOffset.VINTR, "V_IGN_TPR"),
    "vintr.intr_masking": XenName(VmcbOffset.VINTR, "V_INTR_MASKING"),
    "vintr.vector": XenName(VmcbOffset.VINTR, "V_INTR_VECTOR"),
    "cr_intercepts": XenName(VmcbOffset.INTERCEPT_CR_DR),
    "general1_intercepts": XenName(VmcbOffset.INTERCEPT_EXCEPTIONS_MISC1),
    "general2_intercepts": XenName(VmcbOffset.INTERCEPT_MISC2),
    "iopm_base_pa": XenName(VmcbOffset.IOPM_BASE_PA),
    "msrpm_base_pa": XenName(VmcbOffset.MSRPM_BASE_PA),
    "tsc_offset": XenName(VmcbOffset.TSC_OFFSET),
    "guest_asid": XenName(VmcbOffset.ASID_TLB, "GUEST_ASID"),
    "tlb_control": XenName(VmcbOffset.ASID_TLB, "TLB_CONTROL"),
    "vintr": XenName(VmcbOffset.VINTR),
    "interrupt_shadow": XenName(VmcbOffset.INTERRUPT_SHADOW),
    "exitcode": XenName(VmcbOffset.EXITCODE),
    "exitinfo1": XenName(VmcbOffset.EXITINFO1),
    "exitinfo2": XenName(VmcbOffset.EXITINFO2),
    "exitintinfo": XenName(VmcbOffset.EXITINTINFO),
    "np_enable": XenName(VmcbOffset.NP),
    "eventinj": XenName(VmcbOffset.EVENTINJ),
    "h_cr3": XenName(VmcbOffset.N_CR3),
    "virt_ext": XenName(VmcbOffset.LBR),
    "cleanbits": XenName(VmcbOffset.CLEAN),
    "nextrip": XenName(VmcbOffset.NRIP),
}

"""The emulated local APIC of a vCPU, as Xen had it before the series. (X0-1 .. X0-6, X0-10)

Gathers its parts under one name, in reading order: `vlapic_state`, `vlapic_irq`, `vlapic_match`, `vlapic_init`,
`vlapic_sipi`, `vlapic_ipi`, `vlapic_pt`, `vlapic_timer`, `vlapic_deadline`, `vlapic_lvt`, `vlapic_regs`, `vlapic_mmio`,
`vlapic_x2apic`. Does not model: save and restore, Viridian's APIC assist, I/O APIC and 8259.
"""

from avickit.xen.vlapic_deadline import vlapic_tdt_msr_get, vlapic_tdt_msr_set
from avickit.xen.vlapic_init import vlapic_destroy, vlapic_do_init, vlapic_init, vlapic_reset
from avickit.xen.vlapic_ipi import vlapic_accept_irq, vlapic_ipi
from avickit.xen.vlapic_irq import (
    ESR_RECVILL,
    ESR_SENDILL,
    vlapic_ack_pending_irq,
    vlapic_EOI_set,
    vlapic_error,
    vlapic_handle_EOI,
    vlapic_has_pending_irq,
    vlapic_set_irq,
    vlapic_test_and_set_irr,
)
from avickit.xen.vlapic_match import vlapic_destination, vlapic_lowest_prio, vlapic_match_dest
from avickit.xen.vlapic_mmio import vlapic_mmio_read, vlapic_mmio_write
from avickit.xen.vlapic_pt import (
    armed,
    next_expiry,
    pt_intr_post,
    pt_update_irq,
    vlapic_timer_check,
    vlapic_timer_fire,
)
from avickit.xen.vlapic_regs import vlapic_reg_read, vlapic_reg_write
from avickit.xen.vlapic_state import (
    ApicBase,
    vlapic_enabled,
    vlapic_find_highest_irr,
    vlapic_find_highest_isr,
    vlapic_get_ppr,
    vlapic_hw_disabled,
    vlapic_range,
    vlapic_sw_disabled,
    vlapic_x2apic_mode,
    vlapic_xapic_mode,
)
from avickit.xen.vlapic_timer import vlapic_get_tmcct
from avickit.xen.vlapic_x2apic import (
    guest_rdmsr_apic_base,
    guest_rdmsr_x2apic,
    guest_wrmsr_apic_base,
    guest_wrmsr_x2apic,
    set_x2apic_id,
)

__all__ = [
    "ESR_RECVILL",
    "ESR_SENDILL",
    "ApicBase",
    "armed",
    "guest_rdmsr_apic_base",
    "guest_rdmsr_x2apic",
    "guest_wrmsr_apic_base",
    "guest_wrmsr_x2apic",
    "next_expiry",
    "pt_intr_post",
    "pt_update_irq",
    "set_x2apic_id",
    "vlapic_EOI_set",
    "vlapic_accept_irq",
    "vlapic_ack_pending_irq",
    "vlapic_destination",
    "vlapic_destroy",
    "vlapic_do_init",
    "vlapic_enabled",
    "vlapic_error",
    "vlapic_find_highest_irr",
    "vlapic_find_highest_isr",
    "vlapic_get_ppr",
    "vlapic_get_tmcct",
    "vlapic_handle_EOI",
    "vlapic_has_pending_irq",
    "vlapic_hw_disabled",
    "vlapic_init",
    "vlapic_ipi",
    "vlapic_lowest_prio",
    "vlapic_match_dest",
    "vlapic_mmio_read",
    "vlapic_mmio_write",
    "vlapic_range",
    "vlapic_reg_read",
    "vlapic_reg_write",
    "vlapic_reset",
    "vlapic_set_irq",
    "vlapic_sw_disabled",
    "vlapic_tdt_msr_get",
    "vlapic_tdt_msr_set",
    "vlapic_test_and_set_irr",
    "vlapic_timer_check",
    "vlapic_timer_fire",
    "vlapic_x2apic_mode",
    "vlapic_xapic_mode",
]

"""The MSRs that a guest can reach: IA32_APIC_BASE, TSC deadline, and the x2APIC range. (Xen hvm_msr_*_intercept)

Does not model: every other MSR, which is #GP here.
"""

from avickit.beat import Beats, Op, World
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import vlapic
from avickit.xen.parts import Vcpu

MSR_APIC_BASE, MSR_TSC_DEADLINE = 0x1B, 0x6E0
X2APIC_MSRS = range(0x800, 0xC00)


@Op
def access(w: World, core: Core, v: Vcpu, insn: Insn) -> Beats[int | None]:
    """The value read, 0 for a write that was done, None for #GP. (X0-10)"""
    if insn.op == "rdmsr":
        return (yield from read(w, core, v, insn.address))
    done = yield from write(w, core, v, insn.address, insn.value)
    return 0 if done else None


@Op
def read(w: World, core: Core, v: Vcpu, msr: int) -> Beats[int | None]:
    """RDMSR. (X0-10)"""
    if msr == MSR_APIC_BASE:
        return (yield from vlapic.guest_rdmsr_apic_base(w, core, v))
    if msr == MSR_TSC_DEADLINE:
        return (yield from vlapic.vlapic_tdt_msr_get(w, core, v))
    if msr in X2APIC_MSRS:
        return (yield from vlapic.guest_rdmsr_x2apic(w, core, v, msr))
    return None


@Op
def write(w: World, core: Core, v: Vcpu, msr: int, value: int) -> Beats[bool]:
    """WRMSR; false is #GP. (X0-10)"""
    if msr == MSR_APIC_BASE:
        return (yield from vlapic.guest_wrmsr_apic_base(w, core, v, value))
    if msr == MSR_TSC_DEADLINE:
        yield from vlapic.vlapic_tdt_msr_set(w, core, v, value)
        return True
    if msr in X2APIC_MSRS:
        return (yield from vlapic.guest_wrmsr_x2apic(w, core, v, msr, value))
    return False

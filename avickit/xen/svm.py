"""#VMEXIT handling and the way back into the guest. (Xen svm/svm.c, svm/entry.S)

Does not model: CLGI/STGI as such, exits that have nothing to do with interrupts, an instruction decoder: Xen's
emulator asks the guest's program for the instruction at RIP.
"""

from avickit.beat import AND, LOAD, SIGNAL, STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import Offset
from avickit.manual.exits import EventType, ExitCode
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.silicon.guest import current, retire
from avickit.silicon.parts import INTR, Core
from avickit.silicon.run import ANSWER
from avickit.silicon.vmexit import vmexit
from avickit.silicon.vmrun import vmrun
from avickit.xen import intr, vlapic, x86_msr
from avickit.xen.parts import (
    SOFTIRQ_KICK,
    SOFTIRQ_SCHEDULE,
    SOFTIRQ_TIMER,
    Vcpu,
    domain_crash,
    pcpu,
    vcpu_of,
    xen,
)
from avickit.xen.sched import schedule, vcpu_block, vcpu_down
from avickit.xen.vlapic_sipi import vlapic_init_sipi_action
from avickit.xen.vmcb import after_exit, before_vmrun, inject_event, vmcb_read, vmcb_set

UD_VECTOR, GP_VECTOR = 6, 13
NOBODY_THERE = 0xFFFF_FFFF
TPR_SLOT = Offset.TPR >> 4

TAKE_INTERRUPT = Site(Kind.READ, AND, "X0-8", "Xen smp call, event check", "{area} takes the physical interrupt")
READ_SOFTIRQ = Site(Kind.CHECK, LOAD, "X0-9", "Xen svm_asm_do_resume", "is a softirq pending? {old}")
TAKE_SOFTIRQ = Site(Kind.UPDATE, AND, "X0-9", "Xen do_softirq", "takes the softirqs {old}")
TASKLET_DONE = Site(Kind.UPDATE, STORE, "X0-5", "Xen do_tasklet", "the tasklet of {area} is done")
RELAX = Site(Kind.SIGNAL, SIGNAL, "X0-5", "Xen vcpu_sleep_sync", "a vCPU has not left its guest: {area} looks again")
READ_TPR = Site(Kind.READ, LOAD, "X7-2", "Xen svm_vmexit_handler", "Xen reads the page's TPR: {old}")
SET_TPR = Site(Kind.UPDATE, STORE, "X7-2", "Xen svm_vmexit_handler", "Xen copies V_TPR into the page's TPR: {new}")


@Op
def hypervisor(w: World, core: Core, exited: bool) -> Beats[bool]:
    """From #VMEXIT (or idle) to the next VMRUN: true when a guest runs again, false when the core idles. (X0-9)"""
    p = pcpu(w, core)
    if exited:
        yield from vmexit_handler(w, core, vcpu_of(w, w.see[p.current] - 1))
    while True:
        if w.see[core.signals] & INTR:
            yield TAKE_INTERRUPT(core.signals, ~INTR)
        if w.see[p.current]:
            yield from intr.intr_assist(w, core, vcpu_of(w, w.see[p.current] - 1))
        if (yield READ_SOFTIRQ(p.softirq)):
            yield from do_softirq(w, core)
            continue
        if not w.see[p.current]:
            if w.see[core.signals] & INTR:
                continue
            if w.see[p.tasklet] and (yield from do_tasklet(w, core)):
                continue
            return False
        v = vcpu_of(w, w.see[p.current] - 1)
        yield from before_vmrun(w, core, v)
        failure = yield from vmrun(w, core, v.guest)
        if failure is None:
            return True
        yield from vmexit(w, core, v.guest, failure)
        yield from vmexit_handler(w, core, v)


@Op
def do_softirq(w: World, core: Core) -> Beats[None]:
    """Run what is pending. The kick softirq does nothing: to have left the guest is its effect. (X0-8)"""
    pending = yield TAKE_SOFTIRQ(pcpu(w, core).softirq, ~(SOFTIRQ_SCHEDULE | SOFTIRQ_KICK | SOFTIRQ_TIMER))
    if pending & SOFTIRQ_TIMER:
        yield from run_timers(w, core)
    if pending & SOFTIRQ_SCHEDULE:
        yield from schedule(w, core)


@Op
def do_tasklet(w: World, core: Core) -> Beats[bool]:
    """What vlapic_ipi has left to the idle core: true when it is done, else the others run before another look. (X0-5)

    Xen spins meanwhile (cpu_relax); here the core signals itself.
    """
    p = pcpu(w, core)
    done = yield from vlapic_init_sipi_action(w, core, vcpu_of(w, w.see[p.tasklet] - 1))
    if done:
        yield TASKLET_DONE(p.tasklet, 0)
    else:
        yield RELAX(core.signals, INTR)
    return done


@Op
def run_timers(w: World, core: Core) -> Beats[None]:
    """The timer softirq: every vlapic timer of this core's vCPUs that is due. (X0-4)"""
    for v in w.objects["vcpus"]:
        yield from vlapic.vlapic_timer_check(w, core, v)


@Op
def vmexit_handler(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_vmexit_handler: TPR into the page, the handler of this code, TPR back into V_TPR. (X7-2)"""
    yield from after_exit(w, v)
    yield from v_tpr_to_page(w, core, v)
    code = yield from vmcb_read(w, v, VmcbOffset.EXITCODE)
    handler = xen(w).vmexits.get(code if code < 1 << 63 else code - (1 << 64), unexpected_exit)
    yield from handler(w, core, v)
    yield from page_to_v_tpr(w, core, v)


@Op
def v_tpr_to_page(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """If the guest changed CR8, the page's TPR follows, its low nibble stays. (X7-2; patch 7 skips it with AVIC on)"""
    v_tpr = VIntr.V_TPR.of((yield from vmcb_read(w, v, VmcbOffset.VINTR)))
    tpr = (yield READ_TPR(v.page + TPR_SLOT)) & 0xFF
    if tpr >> 4 != v_tpr:
        yield SET_TPR(v.page + TPR_SLOT, v_tpr << 4 | tpr & 0xF)


@Op
def page_to_v_tpr(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """V_TPR = TPR[7:4], at the end of each exit. (X7-2)"""
    tpr = ((yield READ_TPR(v.page + TPR_SLOT)) & 0xFF) >> 4
    vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
    if VIntr.V_TPR.of(vintr) != tpr:
        yield from vmcb_set(w, v, VmcbOffset.VINTR, VIntr.V_TPR.put(vintr, tpr))


@Op
def reflect_tpr(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """svm_do_resume reflects the page's TPR in V_TPR. (X7-2; patch 7 skips it with AVIC on: X24)"""
    yield from page_to_v_tpr(w, core, v)


@Op
def unexpected_exit(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Unexpected vmexit: the domain is crashed at CPL 0, #UD goes into the guest otherwise. (X4-6)"""
    code = yield from vmcb_read(w, v, VmcbOffset.EXITCODE)
    info1 = yield from vmcb_read(w, v, VmcbOffset.EXITINFO1)
    info2 = yield from vmcb_read(w, v, VmcbOffset.EXITINFO2)
    if w.see[v.guest.cpl]:
        past = w.see[v.guest.exits][-1].past
        yield from inject_event(w, v, EventType.EXCEPTION, UD_VECTOR) if past else inject_fault(w, v, UD_VECTOR)
        return
    said = f"Unexpected vmexit: reason {code:#x}, exitinfo1 {info1:#x}, exitinfo2 {info2:#x}"
    yield from domain_crash(w, v.domain, f"{v.name} {said}")


@Op
def inject_fault(w: World, v: Vcpu, vector: int) -> Beats[None]:
    """An exception into the guest. Its stub handler is taken to step over the instruction. (X5-5)"""
    yield from inject_event(w, v, EventType.EXCEPTION, vector)
    if current(w, v.guest) is not None:
        yield from retire(w, v.guest, 0)


@Op
def update_guest_rip(w: World, v: Vcpu, answer: int) -> Beats[None]:
    """__update_guest_eip: the emulated instruction is done, and with it an interrupt shadow. (X0-7)"""
    yield from retire(w, v.guest, answer)
    if (yield from vmcb_read(w, v, VmcbOffset.INTERRUPT_SHADOW)):
        yield from vmcb_set(w, v, VmcbOffset.INTERRUPT_SHADOW, 0)


@Op
def exit_intr(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """060h: a physical interrupt; it is taken once the host lets interrupts in. (X0-8, H-EXIT-3)"""
    return
    yield


@Op
def exit_vintr(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """064h: the interrupt window has opened; svm_intr_assist will inject. (X0-2)"""
    yield from intr.close_intr_window(w, core, v)


@Op
def exit_hlt(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """078h: RIP past HLT, shadow gone, then EVENTINJ, IF, block. (X0-7)"""
    yield from update_guest_rip(w, v, 0)
    if (yield from vmcb_read(w, v, VmcbOffset.EVENTINJ)):
        return
    if w.see[v.guest.interrupt_flag]:
        yield from vcpu_block(w, core, v)
    else:
        yield from vcpu_down(w, core, v)


@Op
def exit_msr(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """07Ch: RDMSR or WRMSR; what Xen does not know or refuses is #GP. (X0-10)"""
    insn = current(w, v.guest)
    assert insn is not None
    value = yield from x86_msr.access(w, core, v, insn)
    if value is None:
        yield from inject_fault(w, v, GP_VECTOR)
        return
    if insn.op == "rdmsr":
        yield ANSWER(v.guest.answer, value)
    yield from update_guest_rip(w, v, value)


@Op
def exit_npf(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """400h: the APIC page is not mapped; the access is decoded and emulated by vlapic. (X0-2)

    What is no access (VMRUN has failed with this code, H-VMCB-15) crashes the domain, as any violation of its p2m does.
    """
    why = w.see[v.guest.exits][-1].reason
    if why or not (yield from emulate(w, core, v)):
        yield from domain_crash(w, v.domain, f"{v.name} SVM violation: {why or 'no access at RIP'}")


@Op
def emulate(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Emulate the instruction at RIP: vlapic if it is an access to this vCPU's APIC page, else nobody is there."""
    insn = current(w, v.guest)
    if insn is None or insn.op not in ("read", "write"):
        return False
    offset, value = insn.address & 0xFFF, 0
    mine = yield from vlapic.vlapic_range(w, core, v, insn.address)
    if insn.op == "write" and mine:
        yield from vlapic.vlapic_mmio_write(w, core, v, offset, insn.value, insn.size)
    elif insn.op == "read":
        value = NOBODY_THERE & (1 << 8 * insn.size) - 1
        if mine:
            value = yield from vlapic.vlapic_mmio_read(w, core, v, offset, insn.size)
        yield ANSWER(v.guest.answer, value)
    yield from update_guest_rip(w, v, value)
    return True


@Op
def exit_invalid(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """VMRUN failed: the VMCB is wrong, the domain is crashed. (H-VMCB-15)"""
    why = w.see[v.guest.exits][-1].reason
    yield from domain_crash(w, v.domain, f"{v.name} invalid VMCB: {why}")


VMEXITS = {
    ExitCode.VMEXIT_INTR: exit_intr,
    ExitCode.VMEXIT_VINTR: exit_vintr,
    ExitCode.VMEXIT_HLT: exit_hlt,
    ExitCode.VMEXIT_MSR: exit_msr,
    ExitCode.VMEXIT_NPF: exit_npf,
    ExitCode.VMEXIT_INVALID: exit_invalid,
}
"""The handlers that Xen had. The AVIC exits are not among them before patch 5. (X4-6)"""

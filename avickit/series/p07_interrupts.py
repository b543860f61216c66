"""x86/SVM: Add interrupt management code via AVIC.

An interrupt for a vCPU is an IRR bit and a doorbell: no exit. (X7-1) The interrupt window, V_IRQ, is dead under AVIC
and is no longer asked for (X7-2); V_TPR is the guest's own. Why: before it each such interrupt costs a physical IPI and
an exit (X7-3). Published differently: X02, X07. Left as published, for want of an answer: X23, X24.
"""

from avickit.beat import LOAD, OR, Beats, Kind, Op, Site, World
from avickit.manual.apic import Offset
from avickit.manual.exits import ExitCode
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon.doorbell import write_doorbell_msr
from avickit.silicon.parts import Core
from avickit.xen import intr, svm
from avickit.xen.parts import Vcpu, domain_crash, pcpu, xen
from avickit.xen.sched import vcpu_kick, vcpu_unblock

IRR = Offset.IRR >> 4

SET_IRR = Site(Kind.UPDATE, OR, "X7-1", "Xen svm_avic_deliver_posted_intr", "Xen sets the IRR bit of vector {bits}")
IS_RUNNING = Site(Kind.CHECK, LOAD, "X7-1", "Xen svm_avic_deliver_posted_intr", "does the vCPU run on a core? {old}")
WHERE = Site(Kind.READ, LOAD, "X7-1", "Xen svm_avic_deliver_posted_intr", "on which core? {old}")


@Op
def svm_avic_deliver_posted_intr(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """Set IRR; if it was not set, unblock, then ring or kick. With AVIC off for v: IRR and a kick. (X7-1; X07)"""
    avic = yield from svm_avic_vcpu_enabled(w, v)
    if (yield SET_IRR(v.page + IRR, 1 << vector)) >> vector & 1:
        return
    if not avic:
        yield from vcpu_kick(w, core, v)
        return
    yield from count_post_intr(w, v)
    yield from notify(w, core, v)


@Op
def notify(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Unblock always; a doorbell if it runs on another core, else a kick. (X7-1; as published no unblock: X02)"""
    yield from wake_first(w, core, v)
    if (yield from runs_elsewhere(w, core, v)):
        host_apic_id = yield from doorbell_target(w, v)
        yield from count_doorbell(w, v)
        yield from write_doorbell_msr(w, core, host_apic_id)
    else:
        yield from vcpu_kick(w, core, v)


@Op
def wake_first(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A doorbell wakes nobody: who has just blocked is unblocked first. (X7-1, H-BELL-2; X02)"""
    yield from vcpu_unblock(w, core, v)


@Op
def runs_elsewhere(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """Whether the scheduler's flag says that v runs, on another core than this. (X7-1; K04, P5)"""
    elsewhere = w.see[pcpu(w, core).current] != v.guest.index + 1
    return bool((yield IS_RUNNING(v.cells.is_running)) and elsewhere)


@Op
def doorbell_target(w: World, v: Vcpu) -> Beats[int]:
    """The physical APIC ID of the core that runs v. (X7-1, H-BELL-1; P4)"""
    return w.objects["cores"][(yield WHERE(v.cells.processor))].host_apic_id  # type: ignore[no-any-return]


@Op
def count_post_intr(w: World, v: Vcpu) -> Beats[None]:
    """Where patch 10 counts. (X10-1)"""
    return
    yield


@Op
def count_doorbell(w: World, v: Vcpu) -> Beats[None]:
    """Where patch 10 counts. (X10-1)"""
    return
    yield


def start(w: World) -> str | None:
    """The hook goes into the function table only if svm_avic is set. (X7-1)"""
    if xen(w).flags["svm_avic"]:
        xen(w).funcs["deliver_posted_intr"] = svm_avic_deliver_posted_intr
    return None


@Op
def vintr_is_a_bug(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """A VINTR exit with AVIC on cannot be: log, and crash the domain. (X7-2)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield from domain_crash(w, v.domain, "AVIC VINTR:")
    else:
        yield from svm.exit_vintr(w, core, v)


def apply(w: World) -> None:
    """Delivery by IRR and doorbell; no window, and two of three TPR copies less, where AVIC is on. (X7-1, X7-2)"""
    host = xen(w)
    host.start.append(start)
    host.vmexits[int(ExitCode.VMEXIT_VINTR)] = vintr_is_a_bug
    before = w.current(intr.enable_intr_window), w.current(svm.v_tpr_to_page), w.current(svm.reflect_tpr)

    def enable_intr_window(w: World, core: Core, v: Vcpu, source: intr.Source, vector: int) -> Beats[None]:
        """V_IRQ is unusable: ask for nothing. (X7-2, H-VMCB-2; who waits for the window starves: X23)"""
        if not (yield from svm_avic_vcpu_enabled(w, v)):
            yield from before[0](w, core, v, source, vector)

    def v_tpr_to_page(w: World, core: Core, v: Vcpu) -> Beats[None]:
        """The hardware keeps the page's TPR itself. (X7-2)"""
        if not (yield from svm_avic_vcpu_enabled(w, v)):
            yield from before[1](w, core, v)

    def reflect_tpr(w: World, core: Core, v: Vcpu) -> Beats[None]:
        """Nothing to reflect. (X7-2; a TPR changed from outside stays unseen until the next exit: X24)"""
        if not (yield from svm_avic_vcpu_enabled(w, v)):
            yield from before[2](w, core, v)

    w.replace(intr.enable_intr_window, enable_intr_window, "patch 7")
    w.replace(svm.v_tpr_to_page, v_tpr_to_page, "patch 7")
    w.replace(svm.reflect_tpr, reflect_tpr, "patch 7")

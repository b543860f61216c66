"""Defects of patch 7: interrupts posted by software. (defects.md 1a, 1e, section 3)

Does not model: what the core's registers hold where no guest runs; X07 drops nothing there.
"""

from avickit.beat import LOAD, Beats, Kind, Site, World
from avickit.errors import AvicError
from avickit.museum.registry import brings
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon import ipi
from avickit.silicon.open_points import unlocked_irr
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, pcpu, vcpu_of
from avickit.xen.sched import vcpu_kick

BAD_APICID = 0xFF

IN_TABLE = Site(Kind.CHECK, LOAD, "X7-1", "defect K04", "does the table say that it runs? {old}")


@brings("X02")
def doorbell_without_unblock(w: World) -> None:
    """If v->is_running: the doorbell, and nothing else. (X7-1)"""
    w.replace(p07.wake_first, wakes_nobody, "X02")


def wakes_nobody(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """Who has set blocked and is about to be descheduled gets a doorbell that nobody hears. (X7-1, H-BELL-2; X02)"""
    return
    yield


@brings("X07")
def drop_by_the_senders_flag(w: World) -> None:
    """The registers that are asked are those of whoever runs on this core. (X7-1)"""
    w.replace(p07.svm_avic_deliver_posted_intr, only_if_current_has_if, "X07")


def only_if_current_has_if(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """With IF = 0 on this core, another vCPU's interrupt is dropped: no IRR bit. (X7-1; X07)"""
    current = w.see[pcpu(w, core).current]
    if current and not w.see[vcpu_of(w, current - 1).guest.interrupt_flag]:
        return
    yield from p07.svm_avic_deliver_posted_intr.fn(w, core, v, vector)


@brings("K01")
def erratum_1235(w: World) -> None:
    """The core's IRR write is no barrier, so that it may miss that IsRunning was cleared. (H-CPUID-5)"""
    for cpu in w.objects.get("cpu", ()):
        if not cpu.erratum_1235:
            raise AvicError.of("defect K01 on", cpu.name, "a CPU that has erratum 1235: Family 17h (epyc)")
    w.replace(ipi.accept_ipi, unlocked_irr, "K01")


@brings("K04")
def doorbell_by_the_table(w: World) -> None:
    """Whom the table calls running gets a doorbell, in guest mode or not. (X7-1, H-TAB-2)"""
    w.replace(p07.runs_elsewhere, table_says_running, "K04")


def table_says_running(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """IsRunning outlives the guest mode: a lazily descheduled vCPU still has it. (X7-1, H-TAB-2, X6-6; K04)"""
    if not (yield from svm_avic_vcpu_enabled(w, v)):
        return False
    elsewhere = w.see[pcpu(w, core).current] != v.guest.index + 1
    return bool((yield IN_TABLE((yield from p06.physical_entry(w, v)))) & p06.IS_RUNNING and elsewhere)


@brings("P4")
def doorbell_to_the_next_core(w: World) -> None:
    """The doorbell's target is looked up under cpu + 1. (X7-1, H-BELL-1)"""
    w.replace(p07.doorbell_target, next_cores_id, "P4")


def next_cores_id(w: World, v: Vcpu) -> Beats[int]:
    """The ID of the core behind the right one; FFh, nobody's, behind the last. (X7-1, H-BELL-1; P4)"""
    number = (yield p07.WHERE(v.cells.processor)) + 1
    cores = w.objects["cores"]
    return cores[number].host_apic_id if number < len(cores) else BAD_APICID


@brings("P5")
def never_a_doorbell(w: World) -> None:
    """The macro that asks for guest mode means nested guest mode. (X7-1)"""
    w.replace(p07.runs_elsewhere, in_nested_guest_mode, "P5")


def in_nested_guest_mode(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """No guest of this machine is nested: every interrupt is a kick. (X7-1; P5)"""
    return False
    yield


@brings("P6")
def kick_on_every_duplicate(w: World) -> None:
    """The answer of test-and-set is not looked at. (X7-1)"""
    w.replace(p07.svm_avic_deliver_posted_intr, notify_always, "P6")


def notify_always(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
    """A vector that was pending already is told of again. (X7-1; P6)"""
    avic = yield from svm_avic_vcpu_enabled(w, v)
    yield p07.SET_IRR(v.page + p07.IRR, 1 << vector)
    if not avic:
        yield from vcpu_kick(w, core, v)
        return
    yield from p07.count_post_intr(w, v)
    yield from p07.notify(w, core, v)

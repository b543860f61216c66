"""Defects of principle as overlays on the real code: what the rows of the race table say, on the whole machine."""

from avickit.beat import STORE, Beats, Kind, Site, World
from avickit.errors import AvicError
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon import ipi
from avickit.silicon.doorbell import ring, write_doorbell_msr
from avickit.silicon.ipi import HOST_ID, IS_RUNNING
from avickit.silicon.parts import Core
from avickit.silicon.targets import Failed, Target
from avickit.xen import sched
from avickit.xen.parts import BLOCKED, SOFTIRQ_SCHEDULE, Vcpu, pcpu

PLAIN_CLEAR = Site(Kind.UPDATE, STORE, "X6-3", "Xen avic_vcpu_block", "writes {place} back with IsRunning = 0: {new}")


def plain_clear(w: World) -> None:
    """X03: IsRunning is cleared by reading the entry and writing it back."""

    def avic_vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if (yield from svm_avic_vcpu_enabled(w, v)):
            place = yield from p06.physical_entry(w, v)
            yield PLAIN_CLEAR(place, (yield p06.READ_ENTRY(place)) & ~IS_RUNNING)

    w.replace(p06.avic_vcpu_block, avic_vcpu_block, "X03")


def look_then_clear(w: World) -> None:
    """IRR is looked at before IsRunning is cleared."""

    def vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield sched.BLOCK(v.cells.pause_flags, BLOCKED)
        pending = yield from sched.local_events_need_delivery(w, core, v)
        yield from sched.arch_vcpu_block(w, core, v)
        if pending:
            yield from sched.block_aborted(w, core, v)
        else:
            yield from sched.raise_softirq(w, core, pcpu(w, core), SOFTIRQ_SCHEDULE)

    w.replace(sched.vcpu_block, vcpu_block, "wrong order")


def running_then_irr(w: World) -> None:
    """The hardware reads IsRunning before it sets IRR."""

    def post_to_all(w: World, core: Core, targets: tuple[Target, ...], vector: int) -> Beats[Failed | None]:
        stopped: Failed | None = None
        for target in targets:
            entry = yield ipi.READ_RUNNING(target.entry)
            yield from ipi.accept_ipi(w, target.page, vector)
            if entry & IS_RUNNING:
                yield from ring(w, core, entry & HOST_ID)
            else:
                stopped = yield from ipi.blame(w, stopped, target.number)
        return stopped

    w.replace(ipi.post_to_all, post_to_all, "wrong order")


def never_cleared(w: World) -> None:
    """X01: the block hook is not connected."""

    def arch_vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
        return
        yield

    w.replace(sched.arch_vcpu_block, arch_vcpu_block, "X01")


def no_unblock(w: World) -> None:
    """X02: a doorbell to whoever is_running says runs, without an unblock."""

    def notify(w: World, core: Core, v: Vcpu) -> Beats[None]:
        elsewhere = w.see[pcpu(w, core).current] != v.guest.index + 1
        if (yield p07.IS_RUNNING(v.cells.is_running)) and elsewhere:
            processor = yield p07.WHERE(v.cells.processor)
            yield from write_doorbell_msr(w, core, w.objects["cores"][processor].host_apic_id)
        else:
            yield from sched.vcpu_kick(w, core, v)

    w.replace(p07.notify, notify, "X02")


def broken_hypervisor(w: World) -> None:
    """Xen runs into an error of its own while it blocks a vCPU."""

    def arch_vcpu_block(w: World, core: Core, v: Vcpu) -> Beats[None]:
        raise AvicError("a NULL pointer")
        yield

    w.replace(sched.arch_vcpu_block, arch_vcpu_block, "crash")

"""x86/SVM: Append AMD AVIC related data to IRQ keyhandler 'i'.

Four counters a vCPU: incomp_ipi, noaccel, post_intr, doorbell. (X10-1) Why: without them nobody can see what AVIC
saves, or that timer programming still exits. Published differently: X43 (key 'v', another layout, non-atomic counting).
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.series import p05_vmexit_handlers as p05
from avickit.series import p07_interrupts as p07
from avickit.xen.keys import live_domains
from avickit.xen.parts import Vcpu, printk, vcpus_of, xen

COUNTER_MASK = 0xFFFF_FFFF


@dataclass(frozen=True)
class AvicStats:
    """Four 32-bit counters: the first two count on the accessor, the others on the target. (X10-1)"""

    incomp_ipi: int
    noaccel: int
    post_intr: int
    doorbell: int


READ_COUNT = Site(Kind.READ, LOAD, "X10-1", "Xen avic stats", "reads {place}: {old}")
COUNT = Site(Kind.UPDATE, STORE, "X10-1", "Xen avic stats", "{place} is {new}")

HEADER = "*********** SVM AVIC Statistics **************"
FOOTER = "**************************************"
LINES = (
    ("incomp_ipi", "incomp_ipi"),
    ("noaccel", "noaccel   "),
    ("post_intr", "post_intr "),
    ("doorbell", "doorbell  "),
)


@Op
def count(w: World, place: int) -> Beats[None]:
    """One more, by an ordinary read and write: increments from two cores can be lost. (X10-1, X43)"""
    yield COUNT(place, (yield READ_COUNT(place)) + 1 & COUNTER_MASK)


def stats(w: World, v: Vcpu) -> AvicStats:
    """The counters of a vCPU."""
    return w.objects["avic_stats"][v.guest.index]  # type: ignore[no-any-return]


def count_incomplete_ipi(w: World, v: Vcpu) -> Beats[None]:
    """Exit 401h, on the sender. (X10-1)"""
    yield from count(w, stats(w, v).incomp_ipi)


def count_no_acceleration(w: World, v: Vcpu) -> Beats[None]:
    """Exit 402h, on the accessor: one counter for all registers. (X10-1, X10-2)"""
    yield from count(w, stats(w, v).noaccel)


def count_post_intr(w: World, v: Vcpu) -> Beats[None]:
    """An interrupt that newly set IRR, on the target. (X10-1)"""
    yield from count(w, stats(w, v).post_intr)


def count_doorbell(w: World, v: Vcpu) -> Beats[None]:
    """A doorbell rung by Xen, on the target. (X10-1)"""
    yield from count(w, stats(w, v).doorbell)


@Op
def avic_dump(w: World) -> Beats[None]:
    """The layout of the commit message: header, domain, vCPU, four lines. (X10-1, X10-2)"""
    yield from printk(w, HEADER)
    for d in (yield from live_domains(w)):
        yield from printk(w, f">>> Domain {d.index} <<<")
        for v in vcpus_of(w, d):
            yield from printk(w, f"    VCPU {v.vcpu_id}")
            for name, label in LINES:
                number = yield READ_COUNT(getattr(stats(w, v), name))
                yield from printk(w, f"    * {label} = {number}")
    yield from printk(w, FOOTER)


def apply(w: World) -> None:
    """Count at the four places; key 'i' prints. (X10-1)"""
    host = xen(w)
    host.vcpu_fields["avic_stats"] = AvicStats
    what, before = host.keys["i"]

    def dump_irqs(w: World) -> Beats[None]:
        """Key 'i': what it printed before, then the statistics. (X10-1)"""
        yield from before(w)
        if xen(w).flags["svm_avic"]:
            yield from avic_dump(w)

    host.keys["i"] = (what, dump_irqs)
    w.replace(p05.count_incomplete_ipi, count_incomplete_ipi, "patch 10")
    w.replace(p05.count_no_acceleration, count_no_acceleration, "patch 10")
    w.replace(p07.count_post_intr, count_post_intr, "patch 10")
    w.replace(p07.count_doorbell, count_doorbell, "patch 10")

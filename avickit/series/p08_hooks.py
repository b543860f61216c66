"""x86/HVM: Hook up miscellaneous AVIC functions.

virtual_intr_delivery_enabled: acknowledging is the hardware's work, software no longer moves a vector from IRR to
ISR. (X8-1) Why: with two who acknowledge, ISR is written by both and PPR in the page is stale. Published differently:
X22 (svm_intr_assist still injects, so the interrupt arrives twice).
"""

from avickit.beat import Beats, World
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon.parts import Core
from avickit.xen import intr, vlapic, vlapic_irq
from avickit.xen.intr import Source
from avickit.xen.parts import Vcpu, xen


def start(w: World) -> str | None:
    """hvm_funcs.virtual_intr_delivery_enabled = svm_avic. (X8-1)"""
    xen(w).flags["virtual_intr_delivery_enabled"] = xen(w).flags["svm_avic"]
    return None


def apply(w: World) -> None:
    """The flag, asked for each vCPU, and an svm_intr_assist that leaves LAPIC vectors to the hardware. (X8-1, X8-2)"""
    xen(w).start.append(start)
    before = w.current(intr.pending_for_injection)
    delivers = w.current(vlapic_irq.vlapic_virtual_intr_delivery_enabled)

    def vlapic_virtual_intr_delivery_enabled(w: World, v: Vcpu) -> Beats[bool]:
        """Only where AVIC is on: for any other vCPU nobody but software acknowledges, as X7-1 only kicks it. (X8-1)"""
        if not (yield from delivers(w, v)):
            return False
        return (yield from svm_avic_vcpu_enabled(w, v))

    def pending_for_injection(w: World, core: Core, v: Vcpu) -> Beats[tuple[Source, int]]:
        """With AVIC on a LAPIC vector is not injected; its timer bookkeeping is done. (X8-2; X22 and its naive fix)"""
        if not (yield from svm_avic_vcpu_enabled(w, v)):
            return (yield from before(w, core, v))
        tick = yield from vlapic.pt_update_irq(w, core, v)
        if tick >= 0:
            yield from vlapic.pt_intr_post(w, core, v, tick)
        source, vector = yield from before(w, core, v)
        return (Source.NONE, 0) if source is Source.LAPIC else (source, vector)

    w.replace(vlapic_irq.vlapic_virtual_intr_delivery_enabled, vlapic_virtual_intr_delivery_enabled, "patch 8")
    w.replace(intr.pending_for_injection, pending_for_injection, "patch 8")

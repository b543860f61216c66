"""Xen's debug keys that the kit knows: 'i' (interrupts) and 'v' (VMCBs).

Does not model: host interrupts, which key 'i' also lists; the VMCB's save area.
"""

from avickit.beat import LOAD, Beats, Kind, Op, Site, World
from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.parts import address_of
from avickit.xen.parts import Domain, Vcpu, printk, vcpus_of, xen
from avickit.xen.vmcb import vmcb_read

IS_GONE = Site(Kind.CHECK, LOAD, "X10-1", "Xen for_each_domain", "is the domain still there?")


@Op
def handle_keypress(w: World, key: str) -> Beats[None]:
    """What `xl debug-keys KEY` does. (X10-1)"""
    what, handler = xen(w).keys[key]
    yield from printk(w, f"(XEN) '{key}' pressed -> {what}")
    yield from handler(w)


@Op
def dump_irqs(w: World) -> Beats[None]:
    """Key 'i'. (X10-1; the host's own interrupts are not modelled)"""
    yield from printk(w, "(XEN) IRQ information:")


@Op
def dump_vmcbs(w: World) -> Beats[None]:
    """Key 'v': every vCPU's VMCB, in the words of Xen's svm_vmcb_dump. (X10-1)"""
    yield from printk(w, "(XEN) *********** VMCB Areas **************")
    for d in (yield from live_domains(w)):
        yield from printk(w, "(XEN) ")
        yield from printk(w, f"(XEN) >>> Domain {d.index} <<<")
        for v in vcpus_of(w, d):
            yield from printk(w, f"(XEN) \tVCPU {v.vcpu_id}")
            yield from dump_vmcb(w, v)
    yield from printk(w, "(XEN) **************************************")


@Op
def live_domains(w: World) -> Beats[list[Domain]]:
    """The domains that have not been destroyed."""
    found = []
    for d in w.objects["domains"]:
        if not (yield IS_GONE(d.cells.destroyed)):
            found.append(d)
    return found


@Op
def dump_vmcb(w: World, v: Vcpu) -> Beats[None]:
    """One VMCB: the control area's words that the model fills. Zero prints as 0, as Xen's %# does."""
    word = {}
    for name in ("ASID_TLB", "VINTR", "INTERRUPT_SHADOW", "EVENTINJ", "EXITCODE", "EXITINTINFO", "EXITINFO1", "NP"):
        word[name] = yield from vmcb_read(w, v, getattr(VmcbOffset, name))
    for name in ("EXITINFO2", "N_CR3", "CLEAN"):
        word[name] = yield from vmcb_read(w, v, getattr(VmcbOffset, name))
    for line in (
        f"Size of VMCB = 4096, paddr = {address_of(w, v.guest.vmcb):016x}",
        f"tlb_control = {alt(word['ASID_TLB'] >> 32)} vintr = {alt(word['VINTR'])} "
        f"interrupt_shadow = {alt(word['INTERRUPT_SHADOW'])}",
        f"eventinj {word['EVENTINJ']:016x}, valid? {word['EVENTINJ'] >> 31 & 1}",
        f"exitcode = {alt(word['EXITCODE'])} exitintinfo = {alt(word['EXITINTINFO'])}",
        f"exitinfo1 = {alt(word['EXITINFO1'])} exitinfo2 = {alt(word['EXITINFO2'])}",
        f"np_enable = {alt(word['NP'])} guest_asid = {alt(word['ASID_TLB'] & 0xFFFFFFFF)}",
        f"H_CR3 = 0x{word['N_CR3']:016x} CleanBits = {alt(word['CLEAN'])}",
    ):
        yield from printk(w, f"(XEN) {line}")


def alt(value: int) -> str:
    """Xen's %#lx: 0 has no prefix."""
    return f"{value:#x}" if value else "0"


KEYS = {"i": ("dump interrupt bindings", dump_irqs), "v": ("dump VMCBs", dump_vmcbs)}

"""The emulated ICR: what each message type does to those who are meant. (Xen vlapic_ipi, vlapic_accept_irq)

Who is meant is `vlapic_match`'s matter, INIT and STARTUP are `vlapic_sipi`'s. Does not model: the batching of
physical IPIs to several targets.
"""

from collections.abc import Callable

from avickit.beat import OR, Beats, Kind, Op, Site, World
from avickit.manual.icr import ICRL, DestinationMode, MessageType
from avickit.silicon.ipi import FIRST_LEGAL_VECTOR
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, domain_crash, printk, vcpus_of
from avickit.xen.sched import vcpu_kick, vcpu_up
from avickit.xen.vlapic_irq import EDGE, ESR_SENDILL, vlapic_error, vlapic_set_irq
from avickit.xen.vlapic_match import matches, vlapic_destination, vlapic_lowest_prio
from avickit.xen.vlapic_sipi import READ_WAITS, send_init_sipi
from avickit.xen.vlapic_state import vlapic_enabled

PEND_NMI = Site(Kind.UPDATE, OR, "X0-5", "Xen vlapic_accept_irq", "an NMI is pending; was one before? {old}")


@Op
def vlapic_ipi(w: World, core: Core, v: Vcpu, icrl: int, icrh: int) -> Beats[None]:
    """Send what the ICR says, all in software. (X0-5, X0-5a)"""
    dest = yield from vlapic_destination(w, core, v, icrh)
    yield from SEND.get(ICRL.MESSAGE_TYPE.of(icrl), send_to_all)(w, core, v, icrl, dest)


@Op
def send_to_all(w: World, core: Core, v: Vcpu, icrl: int, dest: int) -> Beats[None]:
    """To every vCPU that is meant, in the order of their numbers. (X0-5)"""
    for target in vcpus_of(w, v.domain):
        if (yield from matches(w, target, v, icrl, dest)):
            yield from vlapic_accept_irq(w, core, target, icrl)


@Op
def send_fixed(w: World, core: Core, v: Vcpu, icrl: int, dest: int) -> Beats[None]:
    """A vector below 16 is the sender's error, ESR bit 5; else to everybody who is meant. (X0-5)"""
    if ICRL.VECTOR.of(icrl) < FIRST_LEGAL_VECTOR:
        yield from vlapic_error(w, core, v, ESR_SENDILL)
    else:
        yield from send_to_all(w, core, v, icrl, dest)


@Op
def send_lowest(w: World, core: Core, v: Vcpu, icrl: int, dest: int) -> Beats[None]:
    """To the least busy of those who are meant; it is chosen before the vector is looked at. (X0-5, X0-5a)"""
    low = ICRL.raw(icrl)
    logical = low.DESTINATION_MODE == DestinationMode.LOGICAL
    target = yield from vlapic_lowest_prio(w, core, v, low.DESTINATION_SHORTHAND, dest, logical)
    if low.VECTOR < FIRST_LEGAL_VECTOR:
        yield from vlapic_error(w, core, v, ESR_SENDILL)
    elif target is not None:
        yield from vlapic_accept_irq(w, core, target, icrl)


@Op
def vlapic_accept_irq(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """What an interrupt message does to one target. ExtINT is not known, and crashes the domain. (X0-5, X0-5a)"""
    yield from ACCEPT.get(ICRL.MESSAGE_TYPE.of(icrl), accept_unknown)(w, core, target, icrl)


@Op
def accept_vector(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """Fixed and lowest priority: only an enabled APIC hears it, and always as edge. (X0-5a)"""
    if (yield from vlapic_enabled(w, core, target)):
        yield from vlapic_set_irq(w, core, target, ICRL.VECTOR.of(icrl), EDGE)


@Op
def accept_nmi(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """Pending; if it was not yet, a vCPU that went down comes up, unless it waits for STARTUP. (X0-5)"""
    if (yield PEND_NMI(target.cells.nmi_pending, 1)):
        return
    if not (yield READ_WAITS(target.cells.waits_for_sipi)):
        yield from vcpu_up(w, core, target)
    yield from vcpu_kick(w, core, target)


@Op
def accept_smi(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """Ignored, with a warning. (X0-5)"""
    yield from printk(w, f"(XEN) {target.name}: an SMI is ignored")


@Op
def accept_remote_read(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """Ignored, with a warning. (X0-5)"""
    yield from printk(w, f"(XEN) {target.name}: a remote read is ignored")


@Op
def accept_unknown(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
    """ExtINT: the domain is crashed. (X0-5a)"""
    yield from domain_crash(w, target.domain, f"{target.name}: ICR {icrl:x} asks for a message type that Xen lacks")


SEND: dict[int, Callable[[World, Core, Vcpu, int, int], Beats[None]]] = {
    MessageType.FIXED: send_fixed,
    MessageType.LOWEST_PRIORITY: send_lowest,
    MessageType.INIT: send_init_sipi,
    MessageType.STARTUP: send_init_sipi,
}
"""How a message type is sent; the others go to everybody who is meant. (X0-5)"""
ACCEPT: dict[int, Callable[[World, Core, Vcpu, int], Beats[None]]] = {
    MessageType.FIXED: accept_vector,
    MessageType.LOWEST_PRIORITY: accept_vector,
    MessageType.SMI: accept_smi,
    MessageType.REMOTE_READ: accept_remote_read,
    MessageType.NMI: accept_nmi,
}
"""What a message type does to a target. (X0-5)"""

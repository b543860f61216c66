"""Defects of patch 5's two #VMEXIT handlers. (defects.md 1a, 1b, 1c, section 3)

Does not model: what lies in memory behind Xen's trap bitmap; X30 takes it that a 1 stands there.
"""

from avickit.beat import Beats, World
from avickit.manual.exits import IncompleteIpiInfo2
from avickit.manual.icr import ICRH, ICRL
from avickit.museum.registry import brings
from avickit.series import p05_vmexit_handlers as p05
from avickit.silicon.parts import Core
from avickit.xen import vlapic
from avickit.xen.parts import Vcpu, domain_crash, panic, printk, vcpus_of
from avickit.xen.sched import vcpu_kick

BITMAP_BYTES = 0x400
"""The trap bitmap has a bit for each register below this offset."""


@brings("X06")
def wake_the_first_only(w: World) -> None:
    """A `break` after the first match. (X5-2)"""
    w.replace(p05.wake_targets, wake_first_match, "X06")


def wake_first_match(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """One target is kicked; the others have their IRR bit and sleep on. (X5-2, H-IPI-6; X06)"""
    for target in vcpus_of(w, v.domain):
        if target.vcpu_id != v.vcpu_id and (yield from p05.is_target(w, core, v, target, icrl, icrh)):
            yield from vcpu_kick(w, core, target)
            return


@brings("X06-a1")
def wake_the_sender_perhaps(w: World) -> None:
    """The same in A1, where the sender itself may be the first match. (X5-2)"""
    w.replace(p05.wake_targets, wake_first_match_or_self, "X06-a1")


def wake_first_match_or_self(
    w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2
) -> Beats[None]:
    """One who matches is kicked, and with "all including self" that is vCPU 0, the sender. (X5-2, H-IPI-6; X06)"""
    for target in vcpus_of(w, v.domain):
        if (yield from p05.is_target(w, core, v, target, icrl, icrh)):
            yield from vcpu_kick(w, core, target)
            return


@brings("X18")
def crash_on_invalid_target(w: World) -> None:
    """ID 2 crashes the domain. (X5-3)"""
    w.replace(p05.invalid_target, crash_the_domain, "X18")


def crash_the_domain(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """What any guest can ask for ends it. (X5-3, H-IPI-7; X18)"""
    index = yield from p05.printed_index(w, info2)
    yield from domain_crash(w, v.domain, f"SVM: Invalid IPI target (icr=0x{icrh:08x}:{icrl:08x}, idx={index})")


@brings("X18-a2")
def drop_on_invalid_target(w: World) -> None:
    """ID 2 prints a line, and that is all. (X5-3)"""
    w.replace(p05.invalid_target, print_and_drop, "X18-a2")


def print_and_drop(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """The hardware has delivered to nobody, so the valid targets lose it too. (X5-3, H-IPI-7; X18)"""
    index = yield from p05.printed_index(w, info2)
    yield from printk(w, f"(XEN) SVM: Invalid IPI target (icr=0x{icrh:08x}:{icrl:08x}, idx={index})")


@brings("X18-p16")
def bug_on_invalid_target(w: World) -> None:
    """ID 2 is BUG_ON(1): a guest takes the host with it. (X5-3)"""
    w.replace(p05.invalid_target, crash_the_host, "X18-p16")


def crash_the_host(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """An IPI to an ID that nobody has ends everything. (X5-3, H-IPI-7; X18)"""
    index = yield from p05.printed_index(w, info2)
    yield from panic(w, f"Xen BUG: {v.name} sent an IPI to an invalid target, idx={index}")


@brings("X19")
def index_by_logical_and(w: World) -> None:
    """`exitinfo2 && 0xFF`. (H-EXIT-1)"""
    w.replace(p05.printed_index, index_is_0_or_1, "X19")


def index_is_0_or_1(w: World, info2: IncompleteIpiInfo2) -> Beats[int]:
    """Two ampersands where one was meant: whatever the index is, 1 is printed. (X5-3, H-EXIT-1; X19)"""
    return int(bool(info2.value & 0xFFFF_FFFF))
    yield


@brings("X29")
def crash_on_illegal_vector(w: World) -> None:
    """ID 4 falls into the default case. (X5-3)"""
    w.replace(p05.invalid_vector, p05.unknown_failure.fn, "X29")


@brings("X30")
def bitmap_overrun(w: World) -> None:
    """The trap bitmap is asked for bits that it does not have. (X5-4)"""
    w.replace(p05.is_trap, stray_bit, "X30")


def stray_bit(w: World, offset: int) -> Beats[bool]:
    """Behind the bitmap lies other memory; here it is taken to hold a 1. (X5-4; X30)"""
    return offset >= BITMAP_BYTES or offset in p05.TRAPS
    yield


@brings("X31")
def bug_on_trap_read(w: World) -> None:
    """A read trap is BUG(), and a trap write that failed is nobody's business. (X5-4)"""
    w.replace(p05.trap_read, crash_on_trap_read, "X31")
    w.replace(p05.trap_failed, ignore_failure, "X31")


def crash_on_trap_read(w: World, core: Core, v: Vcpu, offset: int) -> Beats[None]:
    """The host goes down for what one guest's exit said. (X5-4; X31)"""
    yield from panic(w, f"Xen BUG: {v.name}: trap read at {offset:#x}")


def ignore_failure(w: World, core: Core, v: Vcpu, offset: int) -> Beats[None]:
    """The page keeps what the guest wrote, the tables what was before. (X5-4; X31)"""
    return
    yield


@brings("X44")
def ff_is_no_broadcast(w: World) -> None:
    """The handler asks vlapic_match_dest, for which logical FFh is an address like others. (X5-2)"""
    w.replace(p05.is_target, match_dest_alone, "X44")


def match_dest_alone(w: World, core: Core, v: Vcpu, target: Vcpu, icrl: int, icrh: int) -> Beats[bool]:
    """Who has no logical ID is not meant, though the hardware has set its IRR bit. (X5-2, H-IPI-9; X44)"""
    shorthand, destination = ICRL.DESTINATION_SHORTHAND.of(icrl), ICRH.DESTINATION.of(icrh)
    logical = bool(icrl & ICRL.DESTINATION_MODE.mask)
    return (yield from vlapic.vlapic_match_dest(w, target, v, shorthand, destination, logical))


@brings("K07")
def warn_and_drop(w: World) -> None:
    """KVM's answer to ID 2 for some years: a warning that any guest can cause. (H-EXIT-1)"""
    w.replace(p05.invalid_target, kvm_warning, "K07")


def kvm_warning(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """The line that so many logs hold, and the IPI is lost for its valid targets. (X5-3, H-IPI-7; K07)"""
    said = f"index={info2.INDEX}, vcpu={v.vcpu_id}, icr={icrh:#x}:{icrl:#x}"
    yield from printk(w, f"(KVM) Invalid IPI target: {said}")


@brings("K08")
def rewrite_the_icr(w: World) -> None:
    """The ICR is written once more on every incomplete IPI. (H-IPI-6)"""
    w.replace(p05.wake_targets, send_again, "K08")


def send_again(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
    """For ID 1 the IRR bits were set already: a target that was quick gets the vector twice. (X5-2, H-IPI-6; K08)"""
    yield from p05.emulate_ipi(w, core, v, icrl, icrh, info2)
    yield from p05.wake_targets.fn(w, core, v, icrl, icrh, info2)

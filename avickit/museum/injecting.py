"""Defects around injection, the interrupt window, priorities and registers that trap. (defects.md 1c, 1d)

X23 to X27 and X33 are in the series itself, which has no answer to them: their own overlay does nothing, and the
repair is the overlay. Does not model: save and restore of an APIC's state (INIT shows X24 as well).
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Site, World
from avickit.manual.apic import LvtTimer, Offset
from avickit.manual.exits import ExitCode, NoAccelInfo1, NoAccelInfo2
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.museum.registry import OVERLAYS, brings
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.series.p04_initialization import svm_avic_vcpu_enabled
from avickit.silicon.guest import APIC_BASE
from avickit.silicon.parts import Core
from avickit.xen import intr, svm, vlapic, vlapic_init, vlapic_irq, vlapic_lvt, vlapic_regs, vlapic_timer, vlapic_x2apic
from avickit.xen.intr import Source
from avickit.xen.parts import Vcpu, xen
from avickit.xen.vlapic_state import ApicBase, at
from avickit.xen.vmcb import vmcb_read, vmcb_set

READ_MODE = Site(Kind.READ, LOAD, "X0-4a", "repair of X25", "the timer's mode before this write: {old}")
KEEP_MODE = Site(Kind.UPDATE, STORE, "X0-4a", "repair of X25", "the timer's mode is {new}")
CLEAR_REG = Site(Kind.UPDATE, STORE, "X0-4a", "repair of X26", "{place} is no register to keep what a guest wrote")


@dataclass(frozen=True)
class TimerMode:
    """Per vCPU: the mode of its APIC timer as it was last handled. (repair of X25)"""

    last_mode: int


def of_the_series(w: World) -> None:
    """The series has it itself: nothing is to be replaced."""


for number in ("X23", "X24", "X25", "X26", "X27", "X33"):
    OVERLAYS[number] = of_the_series


@brings("X22")
def inject_what_hardware_delivers(w: World) -> None:
    """svm_intr_assist as it was before the series. (X8-2)"""
    w.replace(intr.pending_for_injection, intr.pending_for_injection.fn, "X22")


@brings("X22-naive")
def skip_without_bookkeeping(w: World) -> None:
    """LAPIC vectors are left to the hardware, and with them pt_intr_post is forgotten. (X8-2)"""
    w.replace(intr.pending_for_injection, nothing_of_the_lapic, "X22-naive")


def nothing_of_the_lapic(w: World, core: Core, v: Vcpu) -> Beats[tuple[Source, int]]:
    """A periodic timer is never told that its tick was taken, and stops. (X8-2, X0-4; X22)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield from vlapic.pt_update_irq(w, core, v)
    source, vector = yield from intr.pending_for_injection.fn(w, core, v)
    avic = yield from svm_avic_vcpu_enabled(w, v)
    return (Source.NONE, 0) if avic and source is Source.LAPIC else (source, vector)


@brings("X23-fix")
def window_without_avic(w: World) -> None:
    """As KVM does: AVIC is off while a window is wanted, so that V_IRQ works. (X7-2, H-VMCB-2)"""
    w.replace(intr.enable_intr_window, open_window, "X23-fix")
    w.replace(p07.vintr_is_a_bug, window_opened, "X23-fix")


def open_window(w: World, core: Core, v: Vcpu, source: Source, vector: int) -> Beats[None]:
    """AVIC off for this vCPU, not running in the table, then the window as ever. (X7-2, X0-2; X23)"""
    if (yield from svm_avic_vcpu_enabled(w, v)):
        yield from p06.avic_vcpu_unload(w, core, v)
        yield from set_avic(w, v, on=False)
    yield from intr.enable_intr_window.fn(w, core, v, source, vector)


def window_opened(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """The window is there: AVIC on again, then the event goes in by EVENTINJ. (X7-2, X0-2; X23)"""
    yield from svm.exit_vintr(w, core, v)
    if not (yield from svm_avic_vcpu_enabled(w, v)):
        yield from set_avic(w, v, on=True)
        yield from p06.avic_vcpu_load(w, core, v)


def set_avic(w: World, v: Vcpu, on: bool) -> Beats[None]:
    """AVIC Enable of a vCPU. (H-VMCB-4)"""
    vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
    yield from vmcb_set(w, v, VmcbOffset.VINTR, VIntr.AVIC_ENABLE.put(vintr, int(on)))


@brings("X24-fix")
def reflect_tpr_again(w: World) -> None:
    """svm_do_resume copies the page's TPR to V_TPR, as it did before patch 7. (X7-2)"""
    w.replace(svm.reflect_tpr, svm.reflect_tpr.fn, "X24-fix")


@brings("X25-fix")
def mode_kept_beside_the_page(w: World) -> None:
    """The mode before the write is what was handled last, not what the page holds. (X0-4a)"""
    xen(w).vcpu_fields["x25"] = TimerMode
    w.replace(vlapic_timer.vlapic_previous_timer_mode, mode_handled_last, "X25-fix")
    w.replace(vlapic_lvt.vlapic_write_lvtt, write_lvtt, "X25-fix")
    w.replace(vlapic_init.vlapic_do_init, init_and_forget, "X25-fix")


def last_mode(w: World, v: Vcpu) -> int:
    """The place of the vCPU's TimerMode cell."""
    return w.objects["x25"][v.guest.index].last_mode  # type: ignore[no-any-return]


def mode_handled_last(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """The mode before this write. (X0-4a; X25)"""
    return (yield READ_MODE(last_mode(w, v)))  # type: ignore[no-any-return]


def write_lvtt(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """The write as ever, then its mode is noted. (X0-4a; X25)"""
    yield from vlapic_lvt.vlapic_write_lvtt.fn(w, core, v, offset, value)
    yield KEEP_MODE(last_mode(w, v), LvtTimer.MODE.of(value))


def init_and_forget(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """INIT makes the timer one-shot. (X0-4a, H-REG-6; X25)"""
    yield from vlapic_init.vlapic_do_init.fn(w, core, v)
    yield KEEP_MODE(last_mode(w, v), 0)


@brings("X26-fix")
def put_back_after_a_trap(w: World) -> None:
    """ESR and Remote Read do not keep what the guest wrote. (X0-4a)"""
    w.replace(vlapic_regs.vlapic_write_ignored, write_is_not_kept, "X26-fix")


def write_is_not_kept(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[bool]:
    """A write of ESR clears it, Remote Read is 0. (X0-4a, H-MAP-280, H-MAP-0C0; X26)"""
    if offset in (Offset.ESR, Offset.RRR):
        yield CLEAR_REG(at(v, offset), 0)
    return (yield from vlapic_regs.vlapic_write_ignored.fn(w, core, v, offset, value))


@brings("X27-fix")
def eoi_by_exitinfo2(w: World) -> None:
    """The vector that an EOI exit ends is the one that the exit names. (H-EOI-2, H-EXIT-2)"""
    w.replace(vlapic_irq.vlapic_eoi_vector, vector_of_the_exit, "X27-fix")


def vector_of_the_exit(w: World, core: Core, v: Vcpu) -> Beats[int]:
    """EXITINFO2[7:0] of exit 402h for an EOI write; else the highest in service. (H-EXIT-2, X0-4; X27)"""
    info1 = NoAccelInfo1.raw((yield from vmcb_read(w, v, VmcbOffset.EXITINFO1)))
    code = yield from vmcb_read(w, v, VmcbOffset.EXITCODE)
    if code == ExitCode.AVIC_NOACCEL and info1.OFFSET << 4 == Offset.EOI:
        return NoAccelInfo2.VECTOR.of((yield from vmcb_read(w, v, VmcbOffset.EXITINFO2)))
    return (yield from vlapic_irq.vlapic_eoi_vector.fn(w, core, v))


@brings("X33-fix")
def off_where_the_page_has_moved(w: World) -> None:
    """As KVM does: no acceleration for an APIC that is disabled or not at FEE0_0000h. (H-VMCB-9)"""
    w.replace(vlapic_x2apic.guest_wrmsr_apic_base, wrmsr_apic_base, "X33-fix")


def wrmsr_apic_base(w: World, core: Core, v: Vcpu, value: int) -> Beats[bool]:
    """The write as ever; then AVIC is on only if the page is where APIC_BAR says. (X0-10, H-VMCB-9; X33)"""
    if not (yield from vlapic_x2apic.guest_wrmsr_apic_base.fn(w, core, v, value)):
        return False
    usual = bool(value & ApicBase.ENABLE.mask) and value & ApicBase.BASE.mask == APIC_BASE
    if usual != (yield from svm_avic_vcpu_enabled(w, v)):
        yield from p06.avic_vcpu_unload(w, core, v)
        yield from set_avic(w, v, on=usual)
        yield from p06.avic_vcpu_load(w, core, v)
    return True

"""A core at work: guest instructions until the next #VMEXIT, the hypervisor until the next VMRUN.

Does not model: SMM, machine checks, physical NMIs, the length of an instruction.
"""

from collections.abc import Callable

from avickit.beat import AND, STORE, Beats, Kind, Op, Site, World
from avickit.manual.exits import ExitCode
from avickit.manual.vmcb import InterceptExceptionsMisc1, VIntr
from avickit.silicon.access import access_memory
from avickit.silicon.deliver import LOOK, V_TPR, became_able, can_take, evaluate, write_cr8
from avickit.silicon.doorbell import hear
from avickit.silicon.guest import Insn, current, enter_handler, leave_frame, retire
from avickit.silicon.parts import DOORBELL, GUEST, INTR, Core, Exit, Guest, Latch
from avickit.silicon.vmexit import vmexit

V_IRQ, V_IGN_TPR = VIntr.V_IRQ.mask, VIntr.V_IGN_TPR.mask
V_INTR_MASKING = VIntr.V_INTR_MASKING.mask
INTERCEPT_VINTR, INTERCEPT_HLT = InterceptExceptionsMisc1.VINTR.mask, InterceptExceptionsMisc1.HLT.mask

SET_IF = Site(Kind.UPDATE, STORE, "H-EVAL-1", "APM3 STI, CLI", "IF is {new}")
SET_SHADOW = Site(Kind.UPDATE, STORE, "H-EVAL-2", "APM2 15.21.5", "the interrupt shadow is {new}")
ANSWER = Site(Kind.UPDATE, STORE, "H-REG-2", "APM2 15.29.3.1", "the guest has read {new}")
FETCH_AND = Site(Kind.UPDATE, AND, "X0-11", "the guest's memory", "the guest clears bits of {place}: {old} -> {new}")
CLEAR_V_IRQ = Site(Kind.UPDATE, STORE, "H-VMCB-2", "APM2 15.21.4", "the virtual interrupt is taken")


@Op
def run_core(w: World, core: Core) -> Beats[None]:
    """Guest, #VMEXIT, hypervisor, VMRUN, guest ... until nothing is left to do or to hear. (H-EXIT-3, H-BELL-3)"""
    hypervisor: Callable[[World, Core, bool], Beats[bool]] = w.hooks["hypervisor"]
    exited = False
    while True:
        if w.see[core.mode] == GUEST:
            exited = yield from run_guest(w, core)
            if not exited:
                return
        if not (yield from hypervisor(w, core, exited)):
            return


@Op
def run_guest(w: World, core: Core) -> Beats[bool]:
    """Guest mode, an instruction at a time: true after a #VMEXIT, false with nothing to do. (H-REG-2, H-MASK-1)"""
    see = w.see
    signals, vintr = core.signals, core.vintr
    guest: Guest = w.objects["guests"][see[core.guest]]
    while True:
        exit = None
        if see[signals] or see[vintr] & V_IRQ:
            exit = yield from boundary(w, core, guest)
        if exit is None and see[guest.frames]:
            insn = current(w, guest)
            if insn is None:
                yield from leave(w, core, guest)
            else:
                shadowed = see[core.shadow]
                result = yield from INSTRUCTIONS[insn.op](w, core, guest, insn)
                exit = yield from complete(w, core, guest, insn, result, shadowed)
        elif exit is None and not see[core.signals] & ~INTR:
            return False
        if exit is not None:
            yield from vmexit(w, core, guest, exit)
            return True


@Op
def boundary(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
    """Between instructions: physical interrupts first, then the doorbell, then V_IRQ. (H-MASK-1, H-BELL-2)"""
    signals = w.see[core.signals]
    if signals & INTR and (w.see[core.vintr] & V_INTR_MASKING or w.see[guest.interrupt_flag]):
        return Exit(ExitCode.VMEXIT_INTR)
    if signals & DOORBELL:
        yield from hear(w, core)
        yield from evaluate(w, core, guest)
    if w.see[core.vintr] & V_IRQ:
        return (yield from virtual_interrupt(w, core, guest))
    return None


@Op
def virtual_interrupt(w: World, core: Core, guest: Guest) -> Beats[Exit | None]:
    """V_IRQ: the window exit, or the vector itself. Ignored while AVIC is enabled. (H-VMCB-2, H-EXIT-3)"""
    vintr, latch = w.see[core.vintr], w.see[core.latch]
    above = VIntr.V_INTR_PRIO.of(vintr) > vintr & V_TPR or vintr & V_IGN_TPR
    if latch.enabled or not above or not can_take(w, core, guest):
        return None
    if latch.intercepts & INTERCEPT_VINTR:
        return Exit(ExitCode.VMEXIT_VINTR)
    yield CLEAR_V_IRQ(core.vintr, vintr & ~V_IRQ)
    yield from enter_handler(w, guest, VIntr.V_INTR_VECTOR.of(vintr))
    return None


@Op
def complete(w: World, core: Core, guest: Guest, insn: Insn, result: int | Exit, shadowed: int) -> Beats[Exit | None]:
    """The end of an instruction: a fault leaves RIP at it, everything else past it. (H-REG-2, H-REG-3, H-EVAL-1)"""
    if isinstance(result, Exit):
        if result.past:
            yield from retire(w, guest, 0)
            if shadowed:
                yield SET_SHADOW(core.shadow, 0)
        return result
    if insn.op in ANSWERS:
        yield ANSWER(guest.answer, result)
    yield from retire(w, guest, result if insn.op in ANSWERS else 0)
    if result == LOOK:
        yield from evaluate(w, core, guest)
    if shadowed and not (insn.op == "sti" and result):
        yield SET_SHADOW(core.shadow, 0)
        yield from became_able(w, core, guest)
    return None


@Op
def leave(w: World, core: Core, guest: Guest) -> Beats[None]:
    """The end of a handler is an IRET; pending vectors are looked at if it lets the guest take one. (H-EVAL-1)"""
    handler = w.see[guest.frames][-1].vector >= 0
    able = yield from leave_frame(w, guest)
    if handler and w.see[core.shadow]:
        yield SET_SHADOW(core.shadow, 0)
        able = True
    if able:
        yield from became_able(w, core, guest)


def read_cr8(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """CR8 reads return V_TPR. (H-PRIO-2, APM2 15.29.5)"""
    return w.see[core.vintr] & V_TPR  # type: ignore[no-any-return]
    yield


def move_to_cr8(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """CR8 writes set V_TPR and the page's TPR. (H-PRIO-2)"""
    return (yield from write_cr8(w, core, guest, insn.value))


def sti(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """IF becomes 1; if it was 0 (the result is 1), the next instruction still runs undisturbed. (H-EVAL-1, APM3 STI)"""
    if w.see[guest.interrupt_flag]:
        return 0
    yield SET_IF(guest.interrupt_flag, 1)
    yield SET_SHADOW(core.shadow, 1)
    return 1


def cli(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """IF becomes 0. (H-EVAL-2)"""
    yield SET_IF(guest.interrupt_flag, 0)
    return 0


def hlt(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """HLT leaves the guest if intercepted (Xen always does), else it waits for an interrupt. (H-EXIT-3, X0-7)"""
    latch: Latch = w.see[core.latch]
    return Exit(ExitCode.VMEXIT_HLT) if latch.intercepts & INTERCEPT_HLT else 0
    yield


def msr(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """RDMSR and WRMSR of APIC registers leave the guest: Xen intercepts them. (X0-10, H-EXIT-3)"""
    return Exit(ExitCode.VMEXIT_MSR, int(insn.op == "wrmsr"))
    yield


def vmmcall(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """VMMCALL leaves the guest: Xen intercepts it. (X0-11, H-EXIT-3)"""
    return Exit(ExitCode.VMEXIT_VMMCALL)
    yield


def fetch_and(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """A locked AND on a word shared with the hypervisor, `address` its place; the answer is what was there. (X0-11)"""
    return (yield FETCH_AND(insn.address, insn.value))  # type: ignore[no-any-return]


def nop(w: World, core: Core, guest: Guest, insn: Insn) -> Beats[int | Exit]:
    """An instruction that does nothing but end an interrupt shadow. (H-EVAL-1)"""
    return 0
    yield


INSTRUCTIONS: dict[str, Callable[[World, Core, Guest, Insn], Beats[int | Exit]]] = {
    "read": access_memory,
    "write": access_memory,
    "read_cr8": read_cr8,
    "write_cr8": move_to_cr8,
    "sti": sti,
    "cli": cli,
    "hlt": hlt,
    "rdmsr": msr,
    "wrmsr": msr,
    "vmmcall": vmmcall,
    "fetch_and": fetch_and,
    "nop": nop,
}
ANSWERS = frozenset(("read", "read_cr8", "rdmsr", "fetch_and"))

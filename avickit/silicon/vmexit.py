"""#VMEXIT: what the core writes back into the VMCB when it leaves the guest. (APM2 15.6, 15.29.4)

Does not model: the state save area, and information that has nothing to do with interrupts.
"""

from avickit.beat import AND, OR, STORE, Beats, Kind, Op, Site, World
from avickit.manual.exits import ExitCode
from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.deliver import V_TPR
from avickit.silicon.guest import rip
from avickit.silicon.parts import GUEST, HOST, Core, Exit, Guest
from avickit.silicon.vmrun import SHADOW, VINTR, word

EXITCODE, INFO1, INFO2 = word(VmcbOffset.EXITCODE), word(VmcbOffset.EXITINFO1), word(VmcbOffset.EXITINFO2)
INTINFO, NRIP = word(VmcbOffset.EXITINTINFO), word(VmcbOffset.NRIP)
LEAVE_GUEST = Site(Kind.EXIT, STORE, "H-EXIT-3", "APM2 15.6", "#VMEXIT: {area} is in host mode")
WRITE_CODE = Site(Kind.EXIT, STORE, "H-VMCB-7", "APM2 15.6, B-1", "#VMEXIT writes {place}: {new}")
WRITE_V_TPR = Site(Kind.UPDATE, OR, "H-VMCB-1", "APM2 15.6, Table B-1 p.740", "#VMEXIT writes V_TPR back: {new}")
CLEAR_V_TPR = Site(Kind.UPDATE, AND, "H-VMCB-1", "APM2 15.6, Table B-1 p.740", "#VMEXIT makes room for V_TPR")
WRITE_SHADOW = Site(Kind.UPDATE, STORE, "H-EVAL-2", "APM2 15.21.5", "#VMEXIT writes the shadow back: {new}")
KEEP_EXIT = Site(Kind.EXIT, STORE, "H-EXIT-3", "APM2 15.6", "the exit is noted: {exit}")
COUNT_EXIT = Site(Kind.UPDATE, STORE, "H-EXIT-3", "APM2 15.6", "exits so far: {new}")
EXITS_KEPT = 256


@Op
def vmexit(w: World, core: Core, guest: Guest, exit: Exit) -> Beats[None]:
    """Leave the guest: code and information, V_TPR and shadow go to the VMCB. (H-VMCB-1, H-VMCB-7, APM2 15.6)"""
    vmcb = guest.vmcb
    if w.see[core.mode] == GUEST:
        yield CLEAR_V_TPR(vmcb + VINTR, ~V_TPR)
        yield WRITE_V_TPR(vmcb + VINTR, w.see[core.vintr] & V_TPR)
        yield WRITE_SHADOW(vmcb + SHADOW, w.see[core.shadow])
    yield LEAVE_GUEST(core.mode, HOST)
    for place, value in (
        (EXITCODE, int(exit.code) & (1 << 64) - 1),
        (INFO1, exit.info1),
        (INFO2, exit.info2),
        (INTINFO, exit.intinfo),
        (NRIP, next_rip(w, guest, exit)),
    ):
        yield WRITE_CODE(vmcb + place, value)
    yield from note_exit(w, guest, exit)


def next_rip(w: World, guest: Guest, exit: Exit) -> int:
    """nRIP: 0 on the AVIC exits and nested page faults, else past the instruction. (H-REG-3, APM2 15.7.1 p.509)"""
    told = exit.code in (ExitCode.VMEXIT_HLT, ExitCode.VMEXIT_MSR, ExitCode.VMEXIT_VMMCALL)
    return rip(w, guest) + 4 if told else 0


@Op
def note_exit(w: World, guest: Guest, exit: Exit) -> Beats[None]:
    """The model's own memory of exits: the last 256 and how many there were. Not hardware state. (H-EXIT-3)"""
    yield COUNT_EXIT(guest.exit_count, w.see[guest.exit_count] + 1)
    yield KEEP_EXIT(guest.exits, ((w.see[guest.exits] or ()) + (exit,))[-EXITS_KEPT:])

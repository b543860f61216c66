"""Hypercalls: VMMCALL leaves the guest (exit 081h), and Xen does what is asked. (X0-11, Xen arch/x86/hvm/hypercall.c)

An instruction says by its `address` which hypercall and by its `value` which operation and argument: the model has no
guest memory to hold the argument's structure. Does not model: any other hypercall, which answers -ENOSYS.
"""

from avickit.beat import Beats, Op, World
from avickit.errors import in_range
from avickit.silicon.guest import Insn, current
from avickit.silicon.parts import Core
from avickit.silicon.run import ANSWER
from avickit.xen import evtchn
from avickit.xen.parts import Vcpu
from avickit.xen.svm import update_guest_rip

EVENT_CHANNEL_OP, HVM_OP = 32, 34
"""__HYPERVISOR_event_channel_op and __HYPERVISOR_hvm_op. (Xen public/xen.h)"""
EVTCHNOP_SEND, EVTCHNOP_BIND_IPI, HVMOP_SET_PARAM = 4, 7, 0
"""Operations of the two. (Xen public/event_channel.h, public/hvm/hvm_op.h)"""
OPERATION = 32
"""Bits 63:32 of `value` are the operation, bits 31:0 its argument."""
EINVAL, ENOSYS = (1 << 64) - 22, (1 << 64) - 38
"""-EINVAL and -ENOSYS as the guest reads them in RAX."""


def send(port: int) -> Insn:
    """VMMCALL, event_channel_op, EVTCHNOP_send: an event on this port."""
    return vmmcall(EVENT_CHANNEL_OP, EVTCHNOP_SEND, in_range("event channel port", port, 1, (1 << OPERATION) - 1))


def bind_ipi() -> Insn:
    """VMMCALL, event_channel_op, EVTCHNOP_bind_ipi: a port of this vCPU's own; the answer is its number."""
    return vmmcall(EVENT_CHANNEL_OP, EVTCHNOP_BIND_IPI, 0)


def set_callback(vector: int) -> Insn:
    """VMMCALL, hvm_op, HVMOP_set_param, HVM_PARAM_CALLBACK_IRQ: upcalls come by this vector."""
    return vmmcall(HVM_OP, HVMOP_SET_PARAM, in_range("callback vector", vector, 0x10, 0xFF))


def vmmcall(number: int, operation: int, argument: int) -> Insn:
    """The instruction."""
    return Insn("vmmcall", number, operation << OPERATION | argument, 8)


@Op
def exit_vmmcall(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """081h: do what is asked, answer in RAX, RIP past VMMCALL. (X0-11, Xen svm_vmexit_handler, hvm_hypercall)"""
    insn = current(w, v.guest)
    assert insn is not None
    answer = yield from hvm_hypercall(w, core, v, insn)
    yield ANSWER(v.guest.answer, answer)
    yield from update_guest_rip(w, v, answer)


@Op
def hvm_hypercall(w: World, core: Core, v: Vcpu, insn: Insn) -> Beats[int]:
    """The hypercall's answer: 0, a port, -EINVAL, -ENOSYS. (X0-11)"""
    operation, argument = insn.value >> OPERATION, insn.value & (1 << OPERATION) - 1
    if (insn.address, operation) == (EVENT_CHANNEL_OP, EVTCHNOP_SEND):
        return 0 if (yield from evtchn.evtchn_send(w, core, v, argument)) else EINVAL
    if (insn.address, operation) == (EVENT_CHANNEL_OP, EVTCHNOP_BIND_IPI):
        return (yield from evtchn.evtchn_bind_ipi(w, core, v))
    if (insn.address, operation) == (HVM_OP, HVMOP_SET_PARAM):
        yield from evtchn.hvm_set_callback_via(w, core, v, argument)
        return 0
    return ENOSYS

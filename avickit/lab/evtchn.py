"""The guest's side of event channels: binding a port, sending, and the handler that looks which ports are pending.

    port = bind(b, vector=0xF3)
    a.guest.execute((send(port),))

Does not model: a guest kernel; the handler is Linux's xen_evtchn_do_upcall without what it calls. (X0-11, X0-12)
"""

from collections.abc import Generator

from avickit.lab.handles import VcpuHandle
from avickit.silicon.guest import Insn, Program
from avickit.xen.evtchn import PORTS_A_WORD, shared_info, vcpu_info
from avickit.xen.hypercall import bind_ipi, send, set_callback

__all__ = ["bind", "send", "upcall"]


def bind(v: VcpuHandle, vector: int) -> int:
    """A port for interrupts to this vCPU, which has to be in guest mode, and the handler of its upcalls. The port.

    The vector is the whole domain's (X0-12). Raises AvicError for a vector out of range.
    """
    v.guest.execute((set_callback(vector),))
    v.guest.on(vector, upcall(v))
    v.guest.execute((bind_ipi(),))
    return int(v._machine.world.at[v.vcpu.guest.answer])


def upcall(v: VcpuHandle) -> Program:
    """The handler: clear upcall_pending, take the selector, clear each pending bit of the words it names. (X0-11)"""
    w = v._machine.world
    shared, mine = shared_info(w, v.vcpu.domain), vcpu_info(w, v.vcpu)

    def handler() -> Generator[Insn, int, None]:
        yield clear(mine.evtchn_upcall_pending, -1)
        selected = yield clear(mine.evtchn_pending_sel, -1)
        while selected:
            word = selected.bit_length() - 1
            selected &= ~(1 << word)
            yield clear(shared.evtchn_pending, ((1 << PORTS_A_WORD) - 1) << word * PORTS_A_WORD)

    return handler


def clear(place: int, bits: int) -> Insn:
    """A locked AND that takes bits out of a shared word; its answer is the word as it was."""
    return Insn("fetch_and", place, ~bits)

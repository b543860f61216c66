"""What the proofs of Xen and of the series share: small machines, what one looks at, and ways to break a step."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from avickit import Machine
from avickit.beat import Beats, Op, World
from avickit.errors import AvicError
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.scripts import SCRIPTS
from avickit.lab.trace import Command
from avickit.lab.xen import XenHandle
from avickit.manual.exits import ExitCode
from tests.proofs.frame import Make

INTR, VINTR, HLT, MSR, NPF = 0x60, 0x64, 0x78, 0x7C, int(ExitCode.VMEXIT_NPF)
INCOMPLETE, NOACCEL = int(ExitCode.AVIC_INCOMPLETE_IPI), int(ExitCode.AVIC_NOACCEL)
ENABLED = 0x1FF
"""SVR with software enable and spurious vector FFh."""
LOGICAL, ASSERT, LEVEL = 0x800, 0x4000, 0x8000
LOWEST, SMI, REMOTE, NMI, INIT, STARTUP, EXTINT = (kind << 8 for kind in range(1, 8))
SELF, ALL, ALL_BUT_SELF = 0x4_0000, 0x8_0000, 0xC_0000
RUNNING = 1 << 62
FIRST_AVIC, FIRST_OPTION = 4, 9


class Lab(NamedTuple):
    """A booted machine with one domain whose vCPUs run on cores 0, 1, 2..., their APICs enabled."""

    m: Machine
    xen: XenHandle
    dom: DomainHandle
    vcpus: tuple[VcpuHandle, ...]


def lab(make: Make, vcpus: int = 2, *, patches: int = 10, avic: bool = True, enable: bool = True, **kw: Any) -> Lab:
    """Such a machine, with AVIC on where the patches have it. (At 4 no guest may write SVR: X4-6.)"""
    kw.setdefault("cores", vcpus + 1)
    variable = avic if FIRST_AVIC <= patches < FIRST_OPTION else None
    m = make(patches=patches, cmdline="svm=avic" if avic and patches >= FIRST_OPTION else "", svm_avic=variable, **kw)
    assert m.xen is not None
    dom = m.xen.create_domain(vcpus)
    for n, v in enumerate(dom.vcpus[: kw["cores"]]):
        m.xen.run(v, n)
        if enable and not (patches == FIRST_AVIC and avic):
            v.guest.write("SVR", ENABLED)
    return Lab(m, m.xen, dom, dom.vcpus)


def ipi(v: VcpuHandle, destination: int, icrl: int) -> None:
    """The two writes that send an interrupt."""
    v.guest.write("ICRH", destination << 24)
    v.guest.write("ICRL", icrl)


def exits(v: VcpuHandle, act: Callable[..., Any], *args: Any, **how: Any) -> list[int]:
    """The codes of the exits that the vCPU has while something is done."""
    before = v.exit_count
    act(*args, **how)
    return [int(e.code) for e in v.exits[before - v.exit_count :]] if v.exit_count > before else []


def cell(v: VcpuHandle, name: str) -> Any:
    """One of Xen's words about a vCPU: `is_running`, `pause_flags`, ..."""
    return v._machine.world.at[getattr(v.vcpu.cells, name)]


def field(v: VcpuHandle, word: str, name: str) -> int:
    """A field of a word of the vCPU's VMCB."""
    return int(getattr(v.vmcb[word], name))


def poke(m: Machine, place: int, value: Any) -> None:
    """Write a place behind everybody's back."""
    m.world.at[place] = value


def stop_inside(m: Machine, beats: int, name: str, *args: Any) -> bool:
    """Play a command of the lab for so many beats; whether it still stands inside. `m.finish()` goes on."""
    first = len(m.trace)
    m.engine.play(Command(name, args, first, first + beats), SCRIPTS[name](m, *args))
    return bool(m.engine.stopped)


def said(m: Machine, first: int, *words: str, actor: str = "") -> list[str]:
    """Which of these words the beats after beat `first` say, in their order; of one actor or all."""
    found = []
    for n in range(first + 1, len(m.trace) + 1):
        beat = m.trace[n]
        if actor in ("", beat.actor):
            found += [word for word in words if word in f"{beat.place}: {beat.say}"]
    return found


def refused(act: Callable[..., Any], *args: Any) -> str:
    """The message of the AvicError that something raises; empty if it does not."""
    try:
        act(*args)
    except AvicError as error:
        return str(error)
    return ""


def overlay(w: World, op: Op[..., Any], fn: Callable[..., Beats[Any]]) -> None:
    """Put `fn` in place of a step; it takes the step's arguments as they come."""

    @wraps(op.fn)
    def other(*args: Any) -> Beats[Any]:
        return fn(*args)

    w.replace(op, other, "breaker")


def skip(w: World, op: Op[..., Any], answer: Any = None) -> None:
    """The step does nothing, and answers this."""

    def nothing(*args: Any) -> Beats[Any]:
        return answer
        yield

    overlay(w, op, nothing)


def changed(w: World, op: Op[..., Any], change: Callable[..., tuple[Any, ...]]) -> None:
    """The step gets other arguments: `change(*args)` makes them, World apart."""

    def other(w: World, *args: Any) -> Beats[Any]:
        return (yield from op.fn(w, *change(*args)))

    overlay(w, op, other)


def answered(w: World, op: Op[..., Any], change: Callable[[Any], Any]) -> None:
    """The step gives another answer."""

    def other(w: World, *args: Any) -> Beats[Any]:
        return change((yield from op.fn(w, *args)))

    overlay(w, op, other)


def then(w: World, op: Op[..., Any], more: Callable[..., Beats[None]]) -> None:
    """The step, and more after it."""

    def longer(w: World, *args: Any) -> Beats[Any]:
        answer = yield from op.fn(w, *args)
        yield from more(w, *args)
        return answer

    overlay(w, op, longer)

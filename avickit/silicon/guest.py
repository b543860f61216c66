"""What a guest runs: instructions, programs, and the stack of frames that an interrupt makes.

A program is a sequence of instructions, or a function of no argument that returns an iterator of them; a generator
function gets back what its reads read: `value = yield read("PPR")`. Both sit behind the same two questions (what is
next, what came of it), so real machine code can sit there too. Does not model: registers but IF, memory but the APIC.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from avickit.beat import STORE, Beats, Kind, Op, Site, World
from avickit.errors import AvicError, UndefinedAccess
from avickit.manual.apic import offset_of
from avickit.silicon.parts import Guest

APIC_BASE = 0xFEE0_0000
"""Where a guest finds its APIC after reset of MSR 1Bh. (H-VMCB-9)"""


@dataclass(frozen=True, slots=True)
class Insn:
    """One guest instruction: `op`, and for an access its guest physical address (or MSR, or CR), value and size."""

    op: str
    address: int = 0
    value: int = 0
    size: int = 4


class GuestCode(Protocol):
    """Anything that can be a guest's program: it is asked for the instruction at `pc`, with all answers so far."""

    def fetch(self, pc: int, answers: Callable[[], list[int]]) -> Insn | None:
        """The instruction at position `pc`, None at the end. `answers()` are the results of those before it."""


Program: TypeAlias = Sequence[Insn] | Callable[[], Iterable[Insn] | Generator[Insn, int, None]] | GuestCode


class Frame(NamedTuple):
    """A program in progress: which, how far, its last answer (an index into the log), how it came to run."""

    program: int
    pc: int = 0
    last: int = 0
    vector: int = -1
    saved_if: int = 0


PUSH = Site(Kind.UPDATE, STORE, "H-EVAL-2", "APM2 15.29.5", "the guest enters its handler of vector {frame}")
MASK = Site(Kind.UPDATE, STORE, "H-EVAL-3", "APM2 8.9.2", "the interrupt gate clears IF")
COUNT = Site(Kind.UPDATE, STORE, "H-EVAL-2", "APM2 15.29.5", "the guest takes the interrupt: {place} is {new}")
RETIRE = Site(Kind.UPDATE, STORE, "H-REG-3", "APM2 15.7.1 p.508", "RIP moves past the instruction")
START = Site(Kind.UPDATE, STORE, "H-REG-2", "the guest's program", "the guest executes {frame}")
FINISH = Site(Kind.UPDATE, STORE, "H-REG-3", "APM2 15.7.1 p.508", "RIP moves past the last instruction")
IRET = Site(Kind.UPDATE, STORE, "H-EVAL-1", "APM2 8.9.3", "IRET: the guest leaves its handler")
RESTORE = Site(Kind.UPDATE, STORE, "H-EVAL-1", "APM2 8.9.3", "IRET restores IF to {new}")


def read(register: str | int, size: int = 4, *, base: int = APIC_BASE) -> Insn:
    """A load from the APIC page: `read("PPR")`, `read(0x204)`; `size` is 1, 2 or 4 bytes."""
    return Insn("read", base + _checked(register, size), 0, size)


def write(register: str | int, value: int, size: int = 4, *, base: int = APIC_BASE) -> Insn:
    """A store to the APIC page: `write("ICRL", 0x41)`."""
    if not 0 <= value < 1 << 8 * size:
        raise AvicError.of(f"value for {register}", f"{value:#x}", f"{size} bytes")
    return Insn("write", base + _checked(register, size), value, size)


def eoi() -> Insn:
    """The end-of-interrupt write: 0 to offset 0B0h."""
    return write("EOI", 0)


def _checked(register: str | int, size: int) -> int:
    offset = offset_of(register) if isinstance(register, str) else register
    if size not in (1, 2, 4):
        raise AvicError.of("access size", size, "1, 2 or 4 bytes")
    if not 0 <= offset < 0x1000:
        raise AvicError.of("APIC offset", f"{offset:#x}", "000h..FFFh")
    if (offset & 0xF) + size > 4:
        raise UndefinedAccess.of(
            "APIC access", f"{size} bytes at {offset:#x}", "bytes 0..3 of a 16-byte slot (H-REG-5)"
        )
    return offset


def program(w: World, code: Program) -> int:
    """Register a program; answers with its number, from 1. Programs are never forgotten, so a replay finds them."""
    w.programs.append(tuple(code) if isinstance(code, Sequence) else code)
    return len(w.programs)


def fetch(w: World, guest: Guest, frame: Frame) -> Insn | None:
    """The next instruction of a frame whose program is not a sequence; None where it has ended."""
    code = w.programs[frame.program - 1]
    if hasattr(code, "fetch"):
        found: Insn | None = code.fetch(frame.pc, lambda: answers(w, frame))
        return found
    return _from_iterator(w, guest, frame, code)


def answers(w: World, frame: Frame) -> list[int]:
    """What each instruction of the frame so far has read, oldest first."""
    found: list[int] = []
    at = frame.last
    while at:
        at, value = w.answers[at - 1]
        found.append(value)
    return found[::-1]


class Cursor(NamedTuple):
    """Where a Python iterator stands: only a cache, it can be wound forward again from the answers."""

    iterator: Any
    program: int
    pc: int
    last: int
    insn: Insn | None


def _from_iterator(w: World, guest: Guest, frame: Frame, code: Callable[[], Any]) -> Insn | None:
    key = (guest.index, len(w.see[guest.frames]))
    seen: Cursor | None = w.cache.get(key)
    if seen and seen[1:4] == frame[:3]:
        return seen.insn
    if seen and seen[1:3] == (frame.program, frame.pc - 1) and w.answers[frame.last - 1][0] == seen.last:
        iterator, insn = seen.iterator, _advance(seen.iterator, w.answers[frame.last - 1][1])
    else:
        iterator = iter(code())
        insn = _advance(iterator, None)
        for value in answers(w, frame):
            insn = _advance(iterator, value)
    w.cache[key] = Cursor(iterator, frame.program, frame.pc, frame.last, insn)
    return insn


def _advance(iterator: Any, value: int | None) -> Insn | None:
    try:
        return iterator.send(value) if hasattr(iterator, "send") else next(iterator)  # type: ignore[no-any-return]
    except StopIteration:
        return None


def start(w: World, guest: Guest, program: int) -> Beats[None]:
    """Give the guest a program to execute, on top of what it has. (H-REG-2)"""
    yield START(guest.frames, (w.see[guest.frames] or ()) + (Frame(program),))


@Op
def enter_handler(w: World, guest: Guest, vector: int) -> Beats[None]:
    """The guest takes an interrupt: counted; with a handler IF is cleared and the handler begins. (H-EVAL-2)

    Without a handler it is a stub that returns at once, with no EOI.
    """
    counter = guest.taken + vector
    yield COUNT(counter, w.see[counter] + 1)
    handlers = w.see[guest.handlers]
    if not handlers or not handlers[vector]:
        return
    saved = w.see[guest.interrupt_flag]
    yield PUSH(guest.frames, (w.see[guest.frames] or ()) + (Frame(handlers[vector], 0, 0, vector, saved),))
    yield MASK(guest.interrupt_flag, 0)


@Op
def retire(w: World, guest: Guest, value: int) -> Beats[None]:
    """The instruction is done: RIP moves past it, and the program gets its answer. (H-REG-3)"""
    frames: tuple[Frame, ...] = w.see[guest.frames]
    program, pc, last, vector, saved_if = frames[-1]
    code = w.programs[program - 1]
    if type(code) is not tuple:
        w.answers.append((last, value))
        last = len(w.answers)
    elif vector < 0 and pc + 1 == len(code):
        yield FINISH(guest.frames, frames[:-1])
        return
    yield RETIRE(guest.frames, (*frames[:-1], Frame(program, pc + 1, last, vector, saved_if)))


@Op
def leave_frame(w: World, guest: Guest) -> Beats[bool]:
    """The program has ended: IRET from a handler restores IF; true if IF went from 0 to 1. (H-EVAL-1)"""
    frames: tuple[Frame, ...] = w.see[guest.frames]
    if frames[-1].vector < 0:
        yield FINISH(guest.frames, frames[:-1])
        return False
    yield IRET(guest.frames, frames[:-1])
    saved, was = frames[-1].saved_if, w.see[guest.interrupt_flag]
    if saved or was:
        yield RESTORE(guest.interrupt_flag, saved)
    return bool(saved and not was)


def current(w: World, guest: Guest) -> Insn | None:
    """The instruction at RIP, as the hypervisor's emulator would fetch it; None where the guest has nothing to run."""
    frames: tuple[Frame, ...] = w.see[guest.frames]
    if not frames:
        return None
    top = frames[-1]
    code = w.programs[top[0] - 1]
    if type(code) is tuple:
        return code[top[1]] if top[1] < len(code) else None
    return fetch(w, guest, top)


def rip(w: World, guest: Guest) -> int:
    """A stand-in for RIP: 4 bytes an instruction, 4 KiB a program. 0 where the guest has nothing to run."""
    frames: tuple[Frame, ...] = w.see[guest.frames]
    return frames[-1].program * 0x1000 + 4 * frames[-1].pc if frames else 0

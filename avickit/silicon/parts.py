"""The parts of the machine: pages of memory, cores, and the virtual processors that a core can run.

All of them are names of places. Does not model: caches, more than one leaf of a nested page table, the TSC.
"""

from dataclasses import dataclass
from typing import NamedTuple

from avickit.beat import AND, LOAD, LOCK, OR, STORE, Beats, Kind, Op, Site, World
from avickit.errors import AvicError
from avickit.manual.cpuid import CpuModel
from avickit.manual.exits import ExitCode

PAGE_SHIFT = 12
HOST, GUEST = 0, 1
"""Core modes."""
DOORBELL, INTR, NMI = 1, 2, 4
"""Bits of a core's `signals`: what has been signalled to it and not yet been noticed."""
TAKEN = 256
"""Vectors that a guest counts."""


class Exit(NamedTuple):
    """A #VMEXIT: its code and information; `past` says that RIP stands after the instruction. (H-REG-3)"""

    code: ExitCode
    info1: int = 0
    info2: int = 0
    past: bool = False
    reason: str = ""
    intinfo: int = 0


@dataclass(frozen=True, slots=True)
class Latch:
    """What VMRUN loaded into the core: the AVIC fields of the VMCB, addresses already turned into places."""

    enabled: bool = False
    bar: int = 0
    page: int = 0
    logical: int = 0
    physical: int = 0
    max_index: int = 0
    leaf: int = 0
    asid: int = 0
    intercepts: int = 0


@dataclass(frozen=True)
class Core:
    """A core of the host. Its registers are private cells; `signals` is where others ring."""

    index: int
    host_apic_id: int
    mode: int
    guest: int
    latch: int
    vintr: int
    shadow: int
    pending: int
    cached_vmcb: int
    translation: int
    signals: int

    def __repr__(self) -> str:
        return f"core {self.index}"


@dataclass(frozen=True)
class Guest:
    """A virtual processor as a core sees it: its VMCB and the guest's own registers and program.

    `frames` is the stack of programs (a base program, handlers above it), `insn` the instruction being executed,
    `answer` what it read, `taken` the first of 256 counters of interrupts taken, one a vector; `start_program` is where
    STARTUP lets it begin.
    """

    index: int
    name: str
    vmcb: int
    interrupt_flag: int
    frames: int
    insn: int
    answer: int
    cpl: int
    handlers: int
    exits: int
    exit_count: int
    start_program: int
    taken: int


CORE_CELLS = ("mode", "guest", "latch", "vintr", "shadow", "pending", "cached_vmcb", "translation")
GUEST_CELLS = ("interrupt_flag", "frames", "insn", "answer", "cpl", "handlers", "exits", "exit_count", "start_program")

TAKE_HEAP = Site(Kind.CHECK, LOCK, "X4-2", "Xen heap", "takes the heap lock")
READ_HEAP = Site(Kind.READ, LOAD, "X4-2", "Xen heap", "looks for a free page")
MARK_PAGE = Site(Kind.UPDATE, OR, "H-VMCB-16", "APM2 15.29.4.1", "takes a 4 KiB page of memory")
FREE_PAGE = Site(Kind.UPDATE, AND, "X4-3", "Xen heap", "gives a page back")
DROP_HEAP = Site(Kind.UPDATE, STORE, "X4-2", "Xen heap", "drops the heap lock")
CLEAR_WORD = Site(Kind.UPDATE, STORE, "X4-2", "Xen clear_domain_page", "clears {place}")


@dataclass(frozen=True)
class Memory:
    """The heap of the machine: which pages are taken (one bit a page), and its lock."""

    lock: int
    taken: int


def new_machine(w: World, cores: int, cpu: CpuModel, host_ids: tuple[int, ...] | None = None) -> None:
    """Lay out memory and cores in an empty World. Host physical APIC IDs are 0, 1, 2... unless given."""
    ids = host_ids if host_ids is not None else tuple(range(cores))
    if len(ids) != cores or len(set(ids)) != cores:
        raise AvicError.of("host physical APIC IDs", ids, f"{cores} different numbers")
    w.objects["cpu"] = [cpu]
    w.objects["memory"] = [w.cells(Memory, "heap")]
    w.objects["cores"] = []
    w.objects["guests"] = []
    for index, host_id in enumerate(ids):
        base = w.area(f"core {index}", CORE_CELLS, private=True)
        bell = w.area(f"core {index}", ("signals",))
        w.objects["cores"].append(Core(index, host_id, signals=bell, **by_name(CORE_CELLS, base)))
    by_id = {core.host_apic_id: core for core in w.objects["cores"]}
    w.objects["core_of"] = [by_id.get(n) for n in range(max(ids) + 1)]


def new_guest(w: World, name: str, vmcb: int) -> Guest:
    """A virtual processor whose VMCB is the page at place `vmcb`."""
    base = w.area(name, GUEST_CELLS, private=True)
    taken = w.area(name, tuple(f"taken {v:02x}h" for v in range(TAKEN)), private=True)
    guest = Guest(len(w.objects["guests"]), name, vmcb, taken=taken, **by_name(GUEST_CELLS, base))
    w.objects["guests"].append(guest)
    return guest


def by_name(labels: tuple[str, ...], base: int) -> dict[str, int]:
    """Consecutive places, by their labels."""
    return dict(zip(labels, range(base, base + len(labels)), strict=True))


def page_at(w: World, address: int) -> int | None:
    """The place where the page at a host physical address begins; None where this machine has no memory."""
    page = address >> PAGE_SHIFT
    return w.first_page + page * w.page_places if page < w.pages else None


def address_of(w: World, page: int) -> int:
    """The host physical address of the page that begins at this place."""
    return (page - w.first_page) // w.page_places << PAGE_SHIFT


def legal(w: World, address: int) -> bool:
    """Whether the address lies in this CPU's physical address range. (H-VMCB-15, APM2 15.29.4.1)"""
    cpu: CpuModel = w.objects["cpu"][0]
    return address < 1 << cpu.physical_address_bits


@Op
def alloc_page(w: World, name: str, kind: str) -> Beats[int | None]:
    """The first free page, cleared; None when memory is full. Page 0 is never handed out. (X4-2, H-VMCB-16)

    `kind` (`apic`, `vmcb`, `physical`, `logical`, `nested`) says how people look at it, not what it can hold.
    """
    page = yield from take_page(w, name, kind)
    if page is not None:
        yield from clear_page(w, page)
    return page


@Op
def take_page(w: World, name: str, kind: str) -> Beats[int | None]:
    """The first free page, as whoever had it before left it; None when memory is full. (X4-2, H-VMCB-16)"""
    heap: Memory = w.objects["memory"][0]
    yield TAKE_HEAP(heap.lock)
    taken = (yield READ_HEAP(heap.taken)) | 1
    number: int = (~taken & taken + 1).bit_length() - 1
    if number < w.pages:
        yield MARK_PAGE(heap.taken, 1 << number)
    yield DROP_HEAP(heap.lock, 0)
    if number >= w.pages:
        return None
    w.page_names[number] = (name, kind)
    return w.first_page + number * w.page_places


@Op
def clear_page(w: World, page: int) -> Beats[None]:
    """Store 0 to every word of a page that is not 0 already. (X4-2)"""
    for place in range(page, page + w.page_places):
        if w.see[place]:
            yield CLEAR_WORD(place, 0)


@Op
def free_page(w: World, page: int) -> Beats[None]:
    """Give a page back to the heap; what it held stays there until it is handed out again. (X4-3)"""
    heap: Memory = w.objects["memory"][0]
    yield TAKE_HEAP(heap.lock)
    yield FREE_PAGE(heap.taken, ~(1 << (page - w.first_page) // w.page_places))
    yield DROP_HEAP(heap.lock, 0)

"""Xen's structures: physical CPUs, domains, vCPUs, and what boot fixes. Names are Xen's where Xen has one.

Records are names of places; what changes lives in the World. Does not model: NUMA, cpupools, real p2m tables.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from avickit.beat import LOAD, OR, SIGNAL, STORE, Beats, Kind, Op, Site, World
from avickit.errors import AvicError
from avickit.silicon.parts import INTR, Core, Guest

SOFTIRQ_SCHEDULE, SOFTIRQ_KICK, SOFTIRQ_TIMER = 1, 2, 4
"""Bits of a physical CPU's pending softirqs. (X0-8, X0-9)"""
BLOCKED, DOWN, SHUT_DOWN = 1, 2, 8
"""Bits of a vCPU's pause_flags: blocked by HLT, down (HLT with IF 0, or waiting for SIPI) (X0-7); and its domain has
crashed or is gone, which nothing takes back. (X4-3, X4-6)"""
ONE_PAUSE = 0x100
PAUSED = -ONE_PAUSE
"""pause_count, in the same place from bit 8 up: how many pauses have not been taken back. Xen has two words and reads
both in vcpu_runnable(): a vCPU may run while all of this is 0. (X0-5, X0-7)"""


@dataclass(frozen=True)
class PCpu:
    """Xen's view of a core: pending softirqs, the vCPU it runs (`current`), whose state is loaded (`loaded`).

    `current`, `loaded` and `next` hold a vCPU's guest index + 1, 0 for idle. They differ after a lazy switch to
    idle (X6-6). `next` is whom the scheduler shall run: the user drives it. `tasklet` is the vCPU whose INIT or
    STARTUP is this core's work when it idles. (X0-5)
    """

    core: Core
    softirq: int
    current: int
    loaded: int
    next: int
    last_run: int
    tasklet: int


@dataclass(frozen=True)
class DomainCells:
    """Per domain: crashed, destroyed, its nested page table's place, pi_ops flags, the lowest-priority round robin."""

    crashed: int
    destroyed: int
    p2m: int
    pi_ops: int
    last_lowest: int
    eoi_broadcasts: int


@dataclass(frozen=True)
class VcpuCells:
    """Per vCPU: the scheduler's words, pending events outside the LAPIC, and what vlapic keeps beside its page."""

    is_running: int
    processor: int
    pause_flags: int
    nmi_pending: int
    callback_pending: int
    extint_pending: int
    waits_for_sipi: int
    sipi_vector: int
    init_sipi_icr: int
    init_sipi_dest: int
    init_sipi_targets: int
    apic_base: int
    apic_disabled: int
    timer_divisor: int
    timer_start: int
    timer_expiry: int
    timer_period: int
    timer_vector: int
    timer_pending: int
    timer_issued: int
    tdt_msr: int
    loaded_on: int


@dataclass(frozen=True)
class Domain:
    """A domain and its vCPUs."""

    index: int
    cells: DomainCells
    max_vcpus: int

    def __repr__(self) -> str:
        return f"d{self.index}"


@dataclass(frozen=True)
class Vcpu:
    """struct vcpu: its APIC ID is 2 * vcpu_id (X0-1); `page` is where the vlapic registers live (the backing page)."""

    domain: Domain
    vcpu_id: int
    page: int
    guest: Guest
    cells: VcpuCells
    last_core: int

    @property
    def apic_id(self) -> int:
        """The guest APIC ID. (X0-1)"""
        return 2 * self.vcpu_id

    @property
    def name(self) -> str:
        """`d1v0`, as Xen prints it."""
        return f"d{self.domain.index}v{self.vcpu_id}"

    def __repr__(self) -> str:
        return self.name


@dataclass
class Hypervisor:
    """What boot fixes, and never changes after it: function table, #VMEXIT handlers, hooks, options, debug keys.

    A patch adds to these tables; an entry that nobody has set is absent, as a NULL pointer is in Xen.
    `domain_fields` and `vcpu_fields` are what a patch adds to struct domain and struct vcpu: shapes of cells by name.
    """

    patches: int = 0
    funcs: dict[str, Callable[..., Any]] = field(default_factory=dict)
    vmexits: dict[int, Callable[..., Beats[None]]] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    params: dict[str, Callable[..., Any]] = field(default_factory=dict)
    keys: dict[str, tuple[str, Callable[..., Beats[None]]]] = field(default_factory=dict)
    symbols: dict[str, "Symbol"] = field(default_factory=dict)
    start: list[Callable[[World], str | None]] = field(default_factory=list)
    vmcb_names: set[str] = field(default_factory=set)
    domain_fields: dict[str, type] = field(default_factory=dict)
    vcpu_fields: dict[str, type] = field(default_factory=dict)


@dataclass(frozen=True)
class Symbol:
    """A function of Xen by name: who has it, and whether it is static there. (X2-1, X3-1)"""

    function: Op[..., Any]
    file: str
    static: bool


@dataclass(frozen=True)
class Host:
    """Whether Xen itself has crashed (1): then nothing on this machine runs any more. (defects.md X09, X18, X31)"""

    crashed: int


@dataclass(frozen=True)
class Console:
    """The console's length; the lines themselves stand in a registry of the World."""

    length: int


PRINT = Site(Kind.UPDATE, STORE, "X4-1", "Xen console", "Xen prints a line")
PAUSE = Site(Kind.UPDATE, OR, "X4-6", "Xen domain_shutdown", "the vCPU runs no more")
WHOSE = Site(Kind.CHECK, LOAD, "X4-6", "Xen vcpu_sleep_nosync", "does {area} run one of its vCPUs?")
READ_RUNNING = Site(Kind.CHECK, LOAD, "X0-8", "Xen vcpu_kick", "reads is_running, the scheduler's flag: {old}")
READ_PROCESSOR = Site(Kind.READ, LOAD, "X0-8", "Xen vcpu_kick", "reads the vCPU's processor: {old}")
RAISE = Site(Kind.UPDATE, OR, "X0-8", "Xen cpu_raise_softirq", "raises a softirq in {place}")
INTERRUPT = Site(Kind.SIGNAL, SIGNAL, "X0-8", "Xen smp_send_event_check_mask", "sends a physical IPI to {area}")
PANIC = Site(Kind.UPDATE, STORE, "X5-4", "Xen panic, BUG_ON", "Xen crashes, and the whole host with it")
CRASH = Site(Kind.UPDATE, STORE, "X4-6", "Xen domain_crash", "Xen crashes the domain")


def xen(w: World) -> Hypervisor:
    """The hypervisor of this World."""
    return w.objects["xen"][0]  # type: ignore[no-any-return]


def pcpu(w: World, core: Core) -> PCpu:
    """Xen's record of a core."""
    return w.objects["pcpus"][core.index]  # type: ignore[no-any-return]


def add_fields(w: World, shapes: dict[str, type], index: int, name: str) -> None:
    """Cells for what the patches added to struct domain or struct vcpu."""
    for key, shape in shapes.items():
        w.objects.setdefault(key, {})[index] = w.cells(shape, name)


def link(w: World, name: str, file: str) -> Op[..., Any]:
    """What the linker does: the function of that name, as far as `file` can see it. (X3-1)

    Raises AvicError for a name that is not there, or static in another file.
    """
    symbol = xen(w).symbols.get(name)
    if symbol is None or (symbol.static and symbol.file != file):
        why = "no such function" if symbol is None else f"static in {symbol.file}"
        raise AvicError(f"{file}: undefined reference to `{name}' ({why})")
    return symbol.function


def vcpus_of(w: World, d: Domain) -> "list[Vcpu]":
    """The vCPUs of a domain, by vcpu_id."""
    return [v for v in w.objects["vcpus"] if v.domain.index == d.index]


def vcpu_of(w: World, guest_index: int) -> "Vcpu":
    """The vCPU whose guest has this index."""
    return w.objects["vcpus"][guest_index]  # type: ignore[no-any-return]


@Op
def printk(w: World, line: str) -> Beats[None]:
    """One line on Xen's console."""
    console: Console = w.objects["console"][0]
    length = w.see[console.length]
    lines = w.objects["lines"]
    del lines[length:]
    lines.append(line)
    yield PRINT(console.length, length + 1)


@Op
def domain_crash(w: World, d: Domain, why: str) -> Beats[None]:
    """The domain is crashed: a state with a log line, not a Python exception; its vCPUs run no more. (X4-6)

    Xen holds the scheduler's lock while it looks who runs. Here each core that runs one of them, or is about to, is
    sent to the scheduler.
    """
    if w.see[d.cells.crashed]:
        return
    yield CRASH(d.cells.crashed, 1)
    yield from printk(w, f"(XEN) {why}")
    yield from printk(w, f"(XEN) domain_crash called from d{d.index}")
    for v in vcpus_of(w, d):
        yield PAUSE(v.cells.pause_flags, SHUT_DOWN)
    for p in w.objects["pcpus"]:
        chosen = yield WHOSE(p.next)
        if chosen and vcpu_of(w, chosen - 1).domain.index == d.index:
            yield RAISE(p.softirq, SOFTIRQ_SCHEDULE)
            yield INTERRUPT(p.core.signals, INTR)


@Op
def panic(w: World, why: str) -> Beats[None]:
    """Xen itself crashes: every vCPU of the host stops. Only defects get here. (X5-4; X09, X18, X31)

    What the caller would have done after it is still done; on a real host nothing is.
    """
    host: Host = w.objects["host"][0]
    yield PANIC(host.crashed, 1)
    yield from printk(w, f"(XEN) {why}")
    yield from printk(w, "(XEN) Panic: the host is down")
    for v in w.objects["vcpus"]:
        yield PAUSE(v.cells.pause_flags, SHUT_DOWN)
    for where in w.objects["pcpus"]:
        yield RAISE(where.softirq, SOFTIRQ_SCHEDULE)
        yield INTERRUPT(where.core.signals, INTR)

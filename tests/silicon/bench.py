"""A host without Xen: the test is the hypervisor. It lays out VMCBs, backing pages and the two tables by hand.

b = Bench(make)                      # two vCPUs, APIC IDs 0 and 1, one core each
b.run(0, 1)                          # table entries as for running vCPUs, then VMRUN on cores 0 and 1
b.write(0, "ICRL", 0x41)             # guest instructions; a core that leaves its guest stays in host mode
b.irr(1), b.taken(1), b.exit(0)      # what came of it, and `b.beats`, every beat since `b.forget()`
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from avickit.beat import LOAD, SIGNAL, STORE, Beats, Do, Kind, Site, World, perform
from avickit.errors import AvicError
from avickit.manual.apic import offset_of
from avickit.manual.exits import ExitCode
from avickit.manual.vectors import vectors_of
from avickit.silicon import guest as instructions
from avickit.silicon.access import LEAF_PRESENT, LEAF_WRITABLE, split
from avickit.silicon.guest import Insn, Program, program, rip, start
from avickit.silicon.parts import GUEST, TAKEN, Core, Exit, Guest, new_guest
from avickit.silicon.run import run_core
from avickit.silicon.vmexit import vmexit
from avickit.silicon.vmrun import APIC_LEAF, vmrun
from tests.proofs.frame import Make

PAGES = 64
PHYSICAL, LOGICAL, NESTED, VMCB, BACKING, SPARE = 1, 2, 3, 8, 24, 48
"""Page numbers: the tables, the nested table's leaf page, the first VMCB, the first backing page, pages to spare."""
VALID, RUNNING, LOGICAL_VALID = 1 << 63, 1 << 62, 1 << 31
AVIC, X2AVIC, INTR_MASKING = 1 << 31, 1 << 30, 1 << 24
INTERCEPTS = 1 << 32 | 1 << 33 | 1 << 56 | 1 << 60
"""INTR, NMI, HLT and the MSR map, as a hypervisor has it. (VMCB 008h)"""
FLUSH_GUEST = 3 << 32
WORD = 0xFFFF_FFFF
RAISE = Site(Kind.SIGNAL, SIGNAL, "the test", "the test", "signals {area}")
PEEK = Site(Kind.READ, LOAD, "broken", "a breaker", "a broken core looks at {place}")
POKE = Site(Kind.UPDATE, STORE, "broken", "a breaker", "a broken core writes {place}")


class Done(NamedTuple):
    """A beat that was performed: its site, place, value asked for, and what stood there before."""

    site: Site
    place: int
    value: Any
    old: Any
    do: Do


class Bench:
    """`vcpus` virtual processors of one VM; vCPU n has APIC ID n, flat logical ID 1 << n, and runs on core n."""

    def __init__(self, make: Make, vcpus: int = 2, cores: int | None = None, *, avic: bool = True, **kw: Any) -> None:
        self.m = make(boot=False, cores=vcpus if cores is None else cores, pages=PAGES, record=False, **kw)
        self.w: World = self.m.world
        self.w.hooks["hypervisor"] = stay_in_host
        self.cores: list[Core] = self.w.objects["cores"]
        self.beats: list[Done] = []
        self.guests: list[Guest] = [new_guest(self.w, f"v{n}", self.page(VMCB + n)) for n in range(vcpus)]
        self.w.at[self.page(NESTED) + APIC_LEAF] = LEAF_PRESENT | LEAF_WRITABLE
        for n, guest in enumerate(self.guests):
            self.w.at[guest.interrupt_flag] = 1
            self.set_reg(n, "ID", n << 24)
            self.set_reg(n, "LDR", 1 << n + 24 if n < 8 else 0)
            self.set_reg(n, "DFR", WORD)
            self.set_reg(n, "SVR", 0x1FF)
            for offset, value in {
                0x008: INTERCEPTS,
                0x058: 1,
                0x060: INTR_MASKING | (AVIC if avic else 0),
                0x090: 1,
                0x098: 0xFEE0_0000,
                0x0B0: NESTED << 12,
                0x0E0: BACKING + n << 12,
                0x0F0: LOGICAL << 12,
                0x0F8: PHYSICAL << 12 | max(vcpus - 1, 0),
            }.items():
                self.set_vmcb(n, offset, value)
            self.set_entry(n, VALID | BACKING + n << 12)
            if n < 8:
                self.set_logical(n, LOGICAL_VALID | n)

    # ---- memory, as a hypervisor sees it ----

    def page(self, number: int) -> int:
        """The place where the page with this number begins."""
        return self.w.first_page + number * self.w.page_places

    def backing(self, n: int) -> int:
        """The place where vCPU n's backing page begins."""
        return self.page(BACKING + n)

    def vmcb(self, n: int, offset: int) -> int:
        """A 64-bit word of a VMCB."""
        return int(self.w.at[self.guests[n].vmcb + (offset >> 3)])

    def set_vmcb(self, n: int, offset: int, value: int, *, clean: int | None = None) -> None:
        """Write a word of a VMCB; without `clean` all clean bits become 0, as a careful hypervisor would have it."""
        self.w.at[self.guests[n].vmcb + (offset >> 3)] = value
        self.w.at[self.guests[n].vmcb + (0x0C0 >> 3)] = 0 if clean is None else clean

    def entry(self, n: int) -> int:
        """An entry of the physical APIC ID table."""
        return int(self.w.at[self.page(PHYSICAL) + n])

    def set_entry(self, n: int, value: int) -> None:
        """Write an entry of the physical APIC ID table."""
        self.w.at[self.page(PHYSICAL) + n] = value

    def set_logical(self, index: int, value: int) -> None:
        """Write an entry of the logical APIC ID table."""
        self.w.at[self.page(LOGICAL) + index] = value

    def set_max_index(self, most: int) -> None:
        """AVIC_PHYSICAL_MAX_INDEX, in every VMCB."""
        for n in range(len(self.guests)):
            self.set_vmcb(n, 0x0F8, PHYSICAL << 12 | most)

    def reg(self, n: int, name: str | int) -> int:
        """A 32-bit register as it stands in vCPU n's backing page."""
        slot, shift = split(offset_of(name) if isinstance(name, str) else name)
        return int(self.w.at[self.backing(n) + slot]) >> shift & WORD

    def set_reg(self, n: int, name: str | int, value: int) -> None:
        """Write a 32-bit register in vCPU n's backing page, as software on another core could."""
        slot, shift = split(offset_of(name) if isinstance(name, str) else name)
        place = self.backing(n) + slot
        self.w.at[place] = self.w.at[place] & ~(WORD << shift) | value << shift

    def slot(self, n: int, name: str) -> int:
        """The place of a register, for looking it up among the beats."""
        return self.backing(n) + split(offset_of(name))[0]

    def vectors(self, n: int, name: str) -> set[int]:
        """ISR, TMR or IRR as a set."""
        return set(vectors_of(self.w.at[self.slot(n, name)]))

    def set_vectors(self, n: int, name: str, *vectors: int) -> None:
        """Write ISR, TMR or IRR whole."""
        self.w.at[self.slot(n, name)] = sum(1 << v for v in set(vectors))

    def irr(self, n: int) -> set[int]:
        """Pending vectors."""
        return self.vectors(n, "IRR")

    def isr(self, n: int) -> set[int]:
        """Vectors in service."""
        return self.vectors(n, "ISR")

    # ---- running ----

    def play(self, beats: Beats[Any]) -> Any:
        """Perform beats to their end and keep them."""
        try:
            ask = beats.send(None)
            while True:
                old = perform(self.w, ask)
                self.beats.append(Done(ask[0], ask[1], ask[2], old, ask[3]))
                ask = beats.send(old)
        except StopIteration as end:
            return end.value

    def settle(self) -> None:
        """Cores that have been signalled look, until all is quiet."""
        while self.w.signalled:
            places, self.w.signalled[:] = set(self.w.signalled), []
            for core in self.cores:
                if core.signals in places:
                    self.play(run_core(self.w, core))

    def vmrun(self, n: int, core: int | None = None) -> Exit | None:
        """VMRUN; a failing one writes its exit code, like any other exit."""
        on = self.cores[n if core is None else core]
        failed: Exit | None = self.play(vmrun(self.w, on, self.guests[n]))
        if failed is not None:
            self.play(vmexit(self.w, on, self.guests[n], failed))
        else:
            self.play(run_core(self.w, on))
        return failed

    def run(self, *which: int) -> None:
        """Table entry (IsRunning, the core's APIC ID), then VMRUN, of vCPU n on core n; with no number, of all."""
        for n in which or range(len(self.guests)):
            self.mark_running(n)
            assert self.vmrun(n) is None

    def mark_running(self, n: int, core: int | None = None) -> None:
        """What a hypervisor writes when it assigns a core."""
        host = self.cores[n if core is None else core].host_apic_id
        self.set_entry(n, VALID | RUNNING | BACKING + n << 12 | host)

    def leave(self, n: int) -> None:
        """A physical interrupt makes vCPU n's core leave its guest. The table stays as it is."""
        core = self.core_of(n)
        self.play(vmexit(self.w, core, self.guests[n], Exit(ExitCode.VMEXIT_INTR)))

    def core_of(self, n: int) -> Core:
        """The core that runs vCPU n in guest mode."""
        found = [c for c in self.cores if self.w.at[c.mode] == GUEST and self.w.at[c.guest] == n]
        assert found, f"v{n} is not in guest mode"
        return found[0]

    def in_guest(self, n: int) -> bool:
        """Whether vCPU n is in guest mode somewhere."""
        return any(self.w.at[c.mode] == GUEST and self.w.at[c.guest] == n for c in self.cores)

    def start(self, n: int, code: Program) -> None:
        """Let vCPU n execute a program."""
        core = self.core_of(n)
        self.play(start(self.w, self.guests[n], program(self.w, code)))
        self.play(run_core(self.w, core))
        self.settle()

    def do(self, n: int, *insns: Insn) -> int:
        """Let vCPU n execute instructions; what the last of them read."""
        self.start(n, insns)
        return int(self.w.at[self.guests[n].answer])

    def read(self, n: int, name: str | int, size: int = 4) -> int:
        """The guest reads an APIC register."""
        return self.do(n, instructions.read(name, size))

    def write(self, n: int, name: str | int, value: int, size: int = 4) -> None:
        """The guest writes an APIC register."""
        self.do(n, instructions.write(name, value, size))

    def eoi(self, n: int) -> None:
        """The guest writes EOI."""
        self.do(n, instructions.eoi())

    def op(self, n: int, *ops: str) -> None:
        """The guest executes instructions without operands: sti, cli, hlt, nop."""
        self.do(n, *(Insn(op) for op in ops))

    def cr8(self, n: int, value: int | None = None) -> int:
        """The guest reads CR8, or writes it."""
        return self.do(n, Insn("read_cr8") if value is None else Insn("write_cr8", 8, value))

    def ipi(self, n: int, destination: int, icrl: int) -> None:
        """The guest sends an IPI: ICRH, then ICRL."""
        self.do(n, instructions.write("ICRH", destination << 24), instructions.write("ICRL", icrl))

    def on(self, n: int, vector: int, code: Program = ()) -> None:
        """Install a handler: entered with IF = 0, IRET at its end."""
        table = self.w.at[self.guests[n].handlers] or (0,) * TAKEN
        number = program(self.w, code)
        self.w.at[self.guests[n].handlers] = (*table[:vector], number, *table[vector + 1 :])

    # ---- what came of it ----

    def exits(self, n: int) -> tuple[Exit, ...]:
        """All exits of vCPU n, oldest first."""
        return self.w.at[self.guests[n].exits] or ()

    def exit(self, n: int) -> Exit | None:
        """The newest exit of vCPU n."""
        return self.exits(n)[-1] if self.exits(n) else None

    def codes(self, n: int) -> list[int]:
        """The codes of all exits of vCPU n."""
        return [int(e.code) for e in self.exits(n)]

    def taken(self, n: int) -> dict[int, int]:
        """How often vCPU n took each vector."""
        first = self.guests[n].taken
        return {v: c for v, c in enumerate(self.w.at[first : first + TAKEN]) if c}

    def rip(self, n: int) -> int:
        """The guest's RIP, 0 with nothing to execute."""
        return rip(self.w, self.guests[n])

    def clear_frames(self, n: int) -> None:
        """The guest forgets what it was executing."""
        self.w.at[self.guests[n].frames] = 0

    def forget(self) -> None:
        """Forget the beats so far."""
        self.beats.clear()

    def stores(self, place: int) -> list[Any]:
        """The values that beats have asked to put at a place, in order."""
        return [d.value for d in self.beats if d.place == place and d.do in (Do.STORE, Do.OR, Do.AND)]

    def first(self, place: int, *kinds: Do) -> int:
        """The number of the first beat at a place (of these kinds)."""
        found = [i for i, d in enumerate(self.beats) if d.place == place and (not kinds or d.do in kinds)]
        assert found, "no such beat"
        return found[0]

    def signal(self, core: int, bits: int) -> None:
        """Somebody signals a core; then the machine settles."""
        self.play(signal(self.cores[core], bits))
        self.settle()


def signal(core: Core, bits: int) -> Beats[None]:
    """A core is signalled: DOORBELL, INTR."""
    yield RAISE(core.signals, bits)


def refused(act: Callable[[], object], kind: type[AvicError] = AvicError) -> str:
    """The message of the error that something raises; empty if it does not."""
    try:
        act()
    except kind as error:
        return str(error)
    return ""


def dirty(place: int, bits: int) -> Beats[None]:
    """Set bits by a read and a write, as no hardware should."""
    yield POKE(place, (yield PEEK(place)) | bits)


def stay_in_host(w: World, core: Core, exited: bool) -> Beats[bool]:
    """The hypervisor of the bench: whoever leaves the guest waits for the test."""
    return False
    yield

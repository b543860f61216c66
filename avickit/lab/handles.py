"""What a user holds of a domain: vCPUs, their guests, pages, VMCBs and tables. All of it is a view of the World.

Does not model: anything; reading through a handle is looking, and takes no beat.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from avickit.bits import Register, Shown
from avickit.errors import AvicError, in_range
from avickit.manual.apic import Offset, offset_of, row_at
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vectors import vectors_of
from avickit.manual.vmcb import VMCB_NAMES, VMCB_WORDS
from avickit.silicon.access import split
from avickit.silicon.guest import Insn, Program, eoi, read, write
from avickit.silicon.parts import TAKEN, Exit
from avickit.xen.parts import BLOCKED, DOWN, PAUSED, Domain, Vcpu

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

WORD = 0xFFFF_FFFF


class ApicPage(Shown):
    """A vAPIC backing page: `page.irr`, `.isr`, `.tmr` are sets of vectors, `page["ICRL"]` is a register."""

    def __init__(self, machine: "Machine", place: int) -> None:
        self._machine, self.place = machine, place

    def _vectors(self, offset: int) -> set[int]:
        return set(vectors_of(self._machine.world.at[self.place + (offset >> 4)]))

    irr = property(lambda self: self._vectors(Offset.IRR), doc="Pending vectors.")
    isr = property(lambda self: self._vectors(Offset.ISR), doc="Vectors in service.")
    tmr = property(lambda self: self._vectors(Offset.TMR), doc="Level-triggered vectors.")
    ppr = property(lambda self: int(self["PPR"]), doc="The processor priority as it stands in the page.")
    tpr = property(lambda self: int(self["TPR"]), doc="The task priority as it stands in the page.")

    def __getitem__(self, name: str | int) -> Register | int:
        """The 32-bit register at a name or offset, as a Register where the manual has fields for it."""
        offset = offset_of(name) if isinstance(name, str) else name
        slot, shift = split(offset)
        value = self._machine.world.at[self.place + slot] >> shift & WORD
        register = row_at(offset).register
        return register.raw(value) if register is not None and register.width == 32 else value

    def __repr__(self) -> str:
        sets = (
            (n, " ".join(f"{v:X}h" for v in sorted(getattr(self, n.lower()))) or "-") for n in ("IRR", "ISR", "TMR")
        )
        return f"<vAPIC page: {', '.join(f'{n} {v}' for n, v in sets)}, TPR {self.tpr:#04x}, PPR {self.ppr:#04x}>"


class VmcbView(Shown):
    """A VMCB: `vmcb["VINTR"]` is the word as a Register, `vmcb["VINTR"].V_TPR` one field."""

    def __init__(self, machine: "Machine", place: int) -> None:
        self._machine, self.place = machine, place

    def __getitem__(self, name: str | int) -> Register:
        offsets = {n: o for o, n in VMCB_NAMES.items()}
        offset = offsets.get(name.upper(), -1) if isinstance(name, str) else name
        if offset not in VMCB_WORDS:
            raise AvicError.of("VMCB word", name, " ".join(VMCB_NAMES[o] for o in VMCB_WORDS))
        return VMCB_WORDS[offset].raw(self._machine.world.at[self.place + (offset >> 3)])

    def __repr__(self) -> str:
        return f"<VMCB: VINTR {self['VINTR']}, EXITCODE {self['EXITCODE'].value:#x}>"


class TableView(Shown):
    """A physical or logical APIC ID table: `table[2]` is an entry, iteration gives the valid ones with their index."""

    def __init__(self, machine: "Machine", place: int, entry: type[Register], length: int) -> None:
        self._machine, self.place, self._entry, self._length = machine, place, entry, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Register:
        in_range("table index", index, 0, self._length - 1)
        return self._entry.raw(self._machine.world.at[self.place + index])

    def __iter__(self) -> Iterator[tuple[int, Register]]:
        return ((i, e) for i in range(self._length) if (e := self[i]).value)

    def __repr__(self) -> str:
        lines = [f"{i:>3}: {e}" for i, e in self]
        return f"<{self._entry.__name__} table{':' if lines else ', empty'}>" + "".join(f"\n{x}" for x in lines)


class GuestHandle:
    """The guest's hand: each method is one instruction, after which the machine settles."""

    def __init__(self, machine: "Machine", vcpu: Vcpu) -> None:
        self._machine, self._v = machine, vcpu

    def read(self, register: str | int, size: int = 4) -> int:
        """Read an APIC register; the value."""
        return self._do(read(register, size))

    def write(self, register: str | int, value: int, size: int = 4) -> None:
        """Write an APIC register: `write("ICRL", 0x41)`."""
        self._do(write(register, int(value), size))

    def eoi(self) -> None:
        """End of interrupt."""
        self._do(eoi())

    def read_cr8(self) -> int:
        """Read CR8, which is V_TPR."""
        return self._do(Insn("read_cr8"))

    def write_cr8(self, value: int) -> None:
        """Write CR8, 0..15."""
        self._do(Insn("write_cr8", 8, in_range("CR8", value, 0, 0xF)))

    def rdmsr(self, msr: int) -> int:
        """Read a model-specific register."""
        return self._do(Insn("rdmsr", msr))

    def wrmsr(self, msr: int, value: int) -> None:
        """Write a model-specific register."""
        self._do(Insn("wrmsr", msr, value, 8))

    def hlt(self) -> None:
        """Halt: Xen blocks the vCPU until an interrupt can be taken."""
        self._do(Insn("hlt"))

    def sti(self) -> None:
        """IF = 1, after the shadow of one instruction."""
        self._do(Insn("sti"))

    def cli(self) -> None:
        """IF = 0."""
        self._do(Insn("cli"))

    def nop(self) -> None:
        """An instruction that does nothing: ends an interrupt shadow."""
        self._do(Insn("nop"))

    def execute(self, program: Program) -> None:
        """Run a program: a list of instructions, or a function that returns or yields them."""
        self._machine.command("execute", self._v.guest.index, self._machine.program(program))

    def on(self, vector: int, handler: Program | None) -> None:
        """Install a handler for a vector; None takes it away. Without one a stub counts and returns, with no EOI."""
        in_range("vector", vector, 0, TAKEN - 1)
        number = 0 if handler is None else self._machine.program(handler)
        self._machine.command("on", self._v.guest.index, vector, number)

    def _do(self, insn: Insn) -> int:
        return int(self._machine.command("execute", self._v.guest.index, self._machine.instruction(insn)) or 0)

    @property
    def taken(self) -> dict[int, int]:
        """How often each vector was taken; only those that were."""
        counts = self._machine.world.at[self._v.guest.taken : self._v.guest.taken + TAKEN]
        return {vector: n for vector, n in enumerate(counts) if n}

    @property
    def interrupt_flag(self) -> bool:
        """The guest's IF."""
        return bool(self._machine.world.at[self._v.guest.interrupt_flag])


class VcpuHandle(Shown):
    """A vCPU: `.guest` acts, `.page`, `.vmcb`, `.exits`, `.state` look."""

    def __init__(self, machine: "Machine", vcpu: Vcpu) -> None:
        self._machine, self.vcpu = machine, vcpu
        self.guest = GuestHandle(machine, vcpu)
        self.page = ApicPage(machine, vcpu.page)
        self.vmcb = VmcbView(machine, vcpu.guest.vmcb)

    name = property(lambda self: self.vcpu.name, doc="`d1v0`.")
    apic_id = property(lambda self: self.vcpu.apic_id, doc="The guest APIC ID: 2 * vcpu_id. (X0-1)")

    @property
    def exits(self) -> tuple[Exit, ...]:
        """The last 256 #VMEXITs, oldest first; each has code, info1, info2."""
        return self._machine.world.at[self.vcpu.guest.exits] or ()

    @property
    def exit_count(self) -> int:
        """How many #VMEXITs there have been."""
        return int(self._machine.world.at[self.vcpu.guest.exit_count])

    @property
    def core(self) -> int | None:
        """The core that runs it, None if none does."""
        index = self.vcpu.guest.index + 1
        at = self._machine.world.at
        return next((p.core.index for p in self._machine.world.objects["pcpus"] if at[p.current] == index), None)

    @property
    def state(self) -> str:
        """`crashed`, `paused`, `down`, `blocked`, `guest mode`, `host mode` or `runnable`."""
        at = self._machine.world.at
        flags = at[self.vcpu.cells.pause_flags]
        if at[self.vcpu.domain.cells.crashed]:
            return "crashed"
        for bit, word in ((PAUSED, "paused"), (DOWN, "down"), (BLOCKED, "blocked")):
            if flags & bit:
                return word
        core = self.core
        if core is None:
            return "runnable"
        return "guest mode" if at[self._machine.world.objects["cores"][core].mode] else "host mode"

    @property
    def stats(self) -> dict[str, int]:
        """The four counters of patch 10; empty without it."""
        cells = self._machine.world.objects.get("avic_stats", {}).get(self.vcpu.guest.index)
        return {n: self._machine.world.at[getattr(cells, n)] for n in cells.__dataclass_fields__} if cells else {}

    def __repr__(self) -> str:
        where = "" if self.core is None else f" on core {self.core}"
        return f"<{self.name}: APIC ID {self.apic_id}, {self.state}{where}, {self.exit_count} exits>"


class DomainHandle(Shown):
    """A domain: `.vcpus`, `.crashed`, and with AVIC its two tables."""

    def __init__(self, machine: "Machine", domain: Domain) -> None:
        self._machine, self.domain = machine, domain
        vcpus = [v for v in machine.world.objects["vcpus"] if v.domain.index == domain.index]
        self.vcpus = tuple(VcpuHandle(machine, v) for v in vcpus)

    @property
    def crashed(self) -> bool:
        """Whether Xen has crashed it; the console says why."""
        return bool(self._machine.world.at[self.domain.cells.crashed])

    @property
    def physical_table(self) -> TableView:
        """The physical APIC ID table. Raises AvicError where there is none."""
        return self._table("physical_table", PhysicalEntry)

    @property
    def logical_table(self) -> TableView:
        """The logical APIC ID table. Raises AvicError where there is none."""
        return self._table("logical_table", LogicalEntry)

    def _table(self, name: str, entry: type[Register]) -> TableView:
        world = self._machine.world
        cells = world.objects.get("avic_domain", {}).get(self.domain.index)
        place: Any = world.at[getattr(cells, name)] if cells else 0
        if not place:
            raise AvicError(f"d{self.domain.index} has no {name.replace('_', ' ')}: AVIC is off, or before patch 4")
        return TableView(self._machine, place, entry, 256)

    def __repr__(self) -> str:
        return f"<d{self.domain.index}: {len(self.vcpus)} vCPUs{', crashed' if self.crashed else ''}>"

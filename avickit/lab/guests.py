"""The guest's hand: what a user has it do, an instruction or a program at a time.

Does not model: anything; each method is a command of the machine.
"""

from typing import TYPE_CHECKING

from avickit.errors import AvicError, in_range
from avickit.silicon.guest import Insn, Program, eoi, read, write
from avickit.silicon.parts import TAKEN

if TYPE_CHECKING:
    from avickit.lab.machine import Machine
    from avickit.xen.parts import Vcpu


def living(machine: "Machine", v: "Vcpu") -> int:
    """The vCPU's number, for a command. Raises AvicError if its domain has been destroyed. (X4-3)"""
    if machine.world.at[v.domain.cells.destroyed]:
        raise AvicError.of(v.name, "a vCPU of a destroyed domain", "a vCPU of a domain that exists")
    return v.guest.index


class GuestHandle:
    """The guest's hand: each method is one instruction, after which the machine settles."""

    def __init__(self, machine: "Machine", vcpu: "Vcpu") -> None:
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
        self._machine.command("execute", living(self._machine, self._v), self._machine.program(program))

    def on(self, vector: int, handler: Program | None) -> None:
        """Install a handler for a vector; None takes it away. Without one a stub counts and returns, with no EOI."""
        in_range("vector", vector, 0, TAKEN - 1)
        index = living(self._machine, self._v)
        number = 0 if handler is None else self._machine.program(handler)
        self._machine.command("on", index, vector, number)

    def start_ap(self, program: Program | None) -> None:
        """Where this vCPU begins when another one's STARTUP comes, with IF = 0; None: with nothing to execute. (X0-5)

        After it, as after any start of a processor, nothing is left of what it did before INIT; handlers stay.
        """
        index = living(self._machine, self._v)
        self._machine.command("start_ap", index, 0 if program is None else self._machine.program(program))

    def _do(self, insn: Insn) -> int:
        index = living(self._machine, self._v)
        return int(self._machine.command("execute", index, self._machine.instruction(insn)) or 0)

    @property
    def taken(self) -> dict[int, int]:
        """How often each vector was taken; only those that were."""
        counts = self._machine.world.at[self._v.guest.taken : self._v.guest.taken + TAKEN]
        return {vector: n for vector, n in enumerate(counts) if n}

    @property
    def interrupt_flag(self) -> bool:
        """The guest's IF."""
        return bool(self._machine.world.at[self._v.guest.interrupt_flag])

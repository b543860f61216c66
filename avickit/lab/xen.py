"""What a user holds of Xen: create domains, schedule, raise interrupts, read the console, press debug keys."""

from typing import TYPE_CHECKING

from avickit.errors import AvicError, in_range
from avickit.lab.guests import living
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.silicon.doorbell import MAX_DOORBELL_ID
from avickit.xen.domain import MAX_VCPUS
from avickit.xen.parts import PAUSED

if TYPE_CHECKING:
    from avickit.lab.machine import Machine


class OutOfMemory(AvicError):
    """Xen could not create the domain: -ENOMEM. Nothing of it is left behind. (X4-2)"""


class XenHandle:
    """The booted hypervisor."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine

    @property
    def patches(self) -> int:
        """How many patches of the series it has."""
        return int(self._machine.world.objects["xen"][0].patches)

    @property
    def console(self) -> list[str]:
        """The lines it has printed."""
        world = self._machine.world
        lines: list[str] = world.objects["lines"]
        return lines[: world.at[world.objects["console"][0].length]]

    @property
    def vmcb_names(self) -> list[str]:
        """What its source can call by name in the VMCB, sorted. (X1-1)"""
        return sorted(self._machine.world.objects["xen"][0].vmcb_names)

    @property
    def symbols(self) -> dict[str, str]:
        """Its functions that the series touches: name, and the file with `static` before it or not. (X2-1, X3-1)"""
        found = self._machine.world.objects["xen"][0].symbols
        return {name: f"{'static, ' if found[name].static else ''}{found[name].file}" for name in sorted(found)}

    @property
    def crashed(self) -> bool:
        """Whether Xen itself has crashed, and the whole host with it; the console says why."""
        world = self._machine.world
        return bool(world.at[world.objects["host"][0].crashed])

    @property
    def domains(self) -> list[DomainHandle]:
        """The domains that exist."""
        world = self._machine.world
        return [DomainHandle(self._machine, d) for d in world.objects["domains"] if not world.at[d.cells.destroyed]]

    def create_domain(self, vcpus: int = 1) -> DomainHandle:
        """A domain with this many vCPUs, 1..128, none of them running yet. Raises OutOfMemory."""
        domain = self._machine.command("create_domain", in_range("vcpus", vcpus, 1, MAX_VCPUS))
        if domain is None:
            raise OutOfMemory(f"domain with {vcpus} vCPUs: out of memory (-ENOMEM); give Machine(pages=...) more")
        return DomainHandle(self._machine, domain)

    def destroy_domain(self, domain: DomainHandle) -> None:
        """Stop and free a domain; it takes its vCPUs with it. Raises AvicError if that has been done."""
        if self._machine.world.at[domain.domain.cells.destroyed]:
            raise AvicError.of(f"d{domain.domain.index}", "a destroyed domain", "a domain that exists")
        self._machine.command("destroy_domain", domain.domain.index)

    def run(self, vcpu: VcpuHandle, core: int) -> None:
        """Schedule a vCPU on a core, in place of whoever runs there."""
        self._core(core)
        self._living(vcpu)
        if vcpu.state in ("blocked", "down", "paused", "crashed"):
            raise AvicError.of(f"run {vcpu.name}", vcpu.state, "a vCPU that can run; wake it first")
        self._machine.command("run", self._living(vcpu), core)

    def migrate(self, vcpu: VcpuHandle, core: int) -> None:
        """The same, for a vCPU that runs elsewhere."""
        self.run(vcpu, core)

    def deschedule(self, vcpu: VcpuHandle, *, sync: bool = False) -> None:
        """Its core goes idle. Lazily, as Xen does: the from hook waits until the core runs another (X6-6).

        `sync=True` saves the state at once, so that IsRunning is cleared.
        """
        self._machine.command("deschedule", self._living(vcpu), sync)

    def pause(self, vcpu: VcpuHandle) -> None:
        """Take it off its core, and keep it from running; pauses are counted."""
        self._machine.command("pause", self._living(vcpu))

    def unpause(self, vcpu: VcpuHandle) -> None:
        """Let it run again when asked, after as many unpauses as pauses. Raises AvicError if it is not paused."""
        index = self._living(vcpu)
        if not self._machine.world.at[vcpu.vcpu.cells.pause_flags] & PAUSED:
            raise AvicError.of(f"unpause {vcpu.name}", vcpu.state, "a vCPU that is paused")
        self._machine.command("unpause", index)

    def wake(self, vcpu: VcpuHandle) -> None:
        """Unblock a vCPU, as an event would; it then waits for `run`."""
        self._machine.command("wake", self._living(vcpu))

    def set_irq(self, vcpu: VcpuHandle, vector: int, *, level: bool = False, core: int | None = None) -> None:
        """A device model raises a vector in the vCPU's LAPIC; on an idle core's time unless a core is named."""
        self._vector(vector)
        if core is not None:
            self._core(core)
        self._machine.command("set_irq", self._living(vcpu), vector, level, core)

    def nmi(self, vcpu: VcpuHandle) -> None:
        """Raise an NMI: it brings back who is down after HLT, not who waits for STARTUP. (X0-5, X0-7)"""
        self._machine.command("event", self._living(vcpu), "nmi", 0)

    def callback(self, vcpu: VcpuHandle, vector: int) -> None:
        """An event channel upcall by vector, which goes past the LAPIC."""
        self._vector(vector)
        self._machine.command("event", self._living(vcpu), "callback", vector)

    def extint(self, vcpu: VcpuHandle, vector: int) -> None:
        """An interrupt from the PIC."""
        self._vector(vector)
        self._machine.command("event", self._living(vcpu), "extint", vector)

    def ring(self, core: int) -> None:
        """Software writes MSR C001_011Bh, so that this core's doorbell rings. (H-BELL-1)

        Raises AvicError for a core whose physical APIC ID does not fit the MSR.
        """
        self._core(core)
        host_apic_id = self._machine.world.objects["cores"][core].host_apic_id
        in_range("physical APIC ID of the core", host_apic_id, 0, MAX_DOORBELL_ID)
        self._machine.command("ring", host_apic_id)

    def key(self, letter: str) -> list[str]:
        """Press a debug key; the lines it printed."""
        keys = self._machine.world.objects["xen"][0].keys
        if letter not in keys:
            raise AvicError.of("debug key", letter, " ".join(sorted(keys)))
        before = len(self.console)
        self._machine.command("key", letter)
        return self.console[before:]

    def set_cpl(self, vcpu: VcpuHandle, cpl: int) -> None:
        """The guest's privilege level, 0..3."""
        self._machine.command("set_cpl", self._living(vcpu), in_range("CPL", cpl, 0, 3))

    def _core(self, core: int) -> None:
        in_range("core", core, 0, self._machine.config["cores"] - 1)

    def _living(self, vcpu: VcpuHandle) -> int:
        return living(self._machine, vcpu.vcpu)

    def _vector(self, vector: int) -> None:
        in_range("vector", vector, 0, 0xFF)

    def __repr__(self) -> str:
        return f"<Xen with {self.patches} patches, {len(self.domains)} domains>"

"""What a user holds of a domain: vCPUs, their guests, pages, VMCBs and tables. All of it is a view of the World.

Does not model: anything; reading through a handle is looking, and takes no beat.
"""

from typing import TYPE_CHECKING, Any

from avickit.beat import World
from avickit.bits import Register, Shown
from avickit.errors import AvicError
from avickit.lab.guests import GuestHandle
from avickit.lab.pages import ApicPage, TableView, VmcbView
from avickit.manual.apic import Svr
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vectors import vectors_value
from avickit.silicon.deliver import ppr_of
from avickit.silicon.parts import Exit
from avickit.xen.parts import BLOCKED, DOWN, PAUSED, SHUT_DOWN, Domain, Vcpu

if TYPE_CHECKING:
    from avickit.lab.machine import Machine


def core_of(w: World, v: Vcpu) -> int | None:
    """The number of the core that runs a vCPU, None if none does."""
    return next((p.core.index for p in w.objects["pcpus"] if w.at[p.current] == v.guest.index + 1), None)


def state(w: World, v: Vcpu) -> str:
    """What a vCPU is up to, in one word: see `VcpuHandle.state`."""
    at, flags = w.at, w.at[v.cells.pause_flags]
    for holds, word in (
        (at[v.domain.cells.destroyed], "destroyed"),
        (at[v.domain.cells.crashed], "crashed"),
        (flags & (PAUSED | SHUT_DOWN), "paused"),
        (flags & DOWN, "down"),
        (flags & BLOCKED, "blocked"),
    ):
        if holds:
            return word
    core = core_of(w, v)
    if core is None:
        return "runnable"
    return "guest mode" if at[w.objects["cores"][core].mode] else "host mode"


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
        return core_of(self._machine.world, self.vcpu)

    @property
    def state(self) -> str:
        """`destroyed`, `crashed`, `paused`, `down`, `blocked`, `guest mode`, `host mode` or `runnable`."""
        return state(self._machine.world, self.vcpu)

    @property
    def lost_wakeup(self) -> bool:
        """Whether it is blocked although a vector waits in IRR that it could take: nobody will wake it. (X6-5)

        Not if its APIC is disabled by SVR, which is the guest's own wish. (X0-5a)
        """
        if self.state != "blocked" or not int(self.page["SVR"]) & Svr.ENABLE.mask:
            return False
        ppr = ppr_of(self.page.tpr, vectors_value(self.page.isr))
        return max(self.page.irr, default=0) >> 4 > ppr >> 4

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
        if world.at[self.domain.cells.destroyed]:
            raise AvicError.of(f"d{self.domain.index}", "a destroyed domain", "a domain that exists")
        if not place:
            raise AvicError(f"d{self.domain.index} has no {name.replace('_', ' ')}: AVIC is off, or before patch 4")
        return TableView(self._machine, place, entry, 256)

    def __repr__(self) -> str:
        return f"<d{self.domain.index}: {len(self.vcpus)} vCPUs{', crashed' if self.crashed else ''}>"

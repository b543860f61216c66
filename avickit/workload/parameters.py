"""The parameters of the simulated hackbench, with their units, and what a cell's interrupts cost by them.

    Parameters(loops=3000, avic=True, pv=False, seed=1)

Does not model: anything; it is the list of what the engines are told.
"""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from avickit.errors import AvicError, in_range
from avickit.workload.prices import HERTZ, PRICES

Unit = Literal["cycles", "tasks", "messages", "pages", "vCPUs", "flag", "Hz", "1"]
MOST_TASKS, MOST_VCPUS, MOST_FDS = 1024, 32, 60
MOST_CYCLES = 1 << 40


def known(unit: Unit, default: int, low: int, high: int, meaning: str) -> Any:
    """A field with its unit, its range and its meaning."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "meaning": meaning})


def price(name: str) -> Any:
    """A field whose default is the price of that name."""
    return known("cycles", PRICES[name].cycles, 0, MOST_CYCLES, PRICES[name].buys)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """One simulated run: a cell of the table (`avic`, `pv`), hackbench's size, the guest's scheduler, prices, a seed.

    All are whole numbers; `Parameters.table()` lists unit and meaning of each. Raises AvicError for one out of range.
    """

    avic: bool = known("flag", False, 0, 1, "Xen has svm=avic")
    pv: bool = known("flag", False, 0, 1, "the guest uses Xen's event channels (false: xen_nopv)")
    loops: int = known("messages", 1000, 1, 10**7, "hackbench -l: messages of a sender to each receiver of its group")
    groups: int = known("1", 10, 1, 512, "hackbench -g: groups of senders and receivers")
    fds: int = known("tasks", 20, 1, MOST_FDS, "hackbench -f: senders, and receivers, of a group")
    vcpus: int = known("vCPUs", 3, 1, MOST_VCPUS, "virtual CPUs, each on a core of its own")
    seed: int = known("1", 1, 0, 2**31 - 1, "draws where tasks live, how they start, how much switches differ")
    pages: int = known("pages", 16, 1, 4096, "pages of a pipe")
    records: int = known("messages", 40, 1, 4096, "messages that fit into a page of a pipe")
    hertz: int = known("Hz", HERTZ, 1, 10**11, "cycles a second")
    tick: int = known("cycles", HERTZ // 250, 1, MOST_CYCLES, "between two ticks of a vCPU that does not sleep")
    granularity: int = known("cycles", 3_300_000, 0, MOST_CYCLES, "a task runs this long before a tick may take it off")
    wakeup_granularity: int = known("cycles", 4_400_000, 0, MOST_CYCLES, "lead a woken task needs to preempt")
    sleeper_credit: int = known("cycles", 13_200_000, 0, MOST_CYCLES, "how far behind a woken task may be put")
    steal_every: int = known(
        "cycles", 0, 0, MOST_CYCLES, "the host takes a running vCPU off its core so often; 0 never"
    )
    steal: int = known("cycles", 0, 0, MOST_CYCLES, "for so long")

    world_switch: int = price("world_switch")
    mmio_emulation: int = price("mmio_emulation")
    hypercall: int = price("hypercall")
    incomplete_ipi: int = price("incomplete_ipi")
    noaccel: int = price("noaccel")
    interrupt_exit: int = price("interrupt_exit")
    injection: int = price("injection")
    physical_ipi: int = price("physical_ipi")
    icrl_write: int = price("icrl_write")
    doorbell: int = price("doorbell")
    block: int = price("block")
    wake: int = price("wake")
    write: int = price("write")
    read: int = price("read")
    block_task: int = price("block_task")
    switch: int = price("switch")
    switch_spread: int = price("switch_spread")
    wakeup: int = price("wakeup")
    remote_wakeup: int = price("remote_wakeup")
    handler: int = price("handler")
    tick_work: int = price("tick_work")

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.metadata["unit"] == "flag":
                if not isinstance(value, bool):
                    raise AvicError.of(f.name, value, "True or False")
            else:
                in_range(f.name, value, f.metadata["low"], f.metadata["high"])
        if self.tasks > MOST_TASKS:
            raise AvicError.of("groups x 2 x fds", self.tasks, f"at most {MOST_TASKS} tasks")
        if not self.write or not self.read:
            raise AvicError.of("write and read", (self.write, self.read), "at least 1 cycle each")

    @property
    def tasks(self) -> int:
        """Senders and receivers of all groups."""
        return 2 * self.fds * self.groups

    @property
    def messages(self) -> int:
        """Messages of the whole run: each sender, each receiver of its group, each loop."""
        return self.groups * self.fds * self.fds * self.loops

    def but(self, **changes: Any) -> "Parameters":
        """The same with some changed. Raises AvicError for a name that is not one."""
        unknown = sorted(changes.keys() - names())
        if unknown:
            raise AvicError.of("parameter", ", ".join(unknown), ", ".join(sorted(names())))
        return replace(self, **changes)

    def data(self) -> dict[str, int | bool]:
        """All of them, by name."""
        return asdict(self)

    @staticmethod
    def table() -> list[tuple[str, str, Any, str]]:
        """Name, unit, default and meaning of each."""
        return [(f.name, f.metadata["unit"], f.default, f.metadata["meaning"]) for f in fields(Parameters)]


def names() -> set[str]:
    """The names of all parameters."""
    return {f.name for f in fields(Parameters)}


CELLS = ((False, False), (True, False), (False, True), (True, True))
"""(avic, pv) of the table's four cells, in the order of data/hackbench.csv."""

"""What things cost, in processor cycles: one table, each price with its source and its standing. The only free numbers.

How often each thing happens is counted (`counts`), never set here. Does not model: caches, SMT, frequency changes, or
how a price depends on what else goes on; a price is one number, its range says how far it might be off.
"""

from dataclasses import dataclass
from enum import Enum

HERTZ = 2_200_000_000
"""Cycles a second: the base clock of the Family 17h Epyc that the cover letter's machine may have been. Assumption."""


class Standing(Enum):
    """What a price rests on."""

    LITERATURE = "literature"
    ASSUMPTION = "assumption"
    REMEMBERED = "remembered, unverified"


@dataclass(frozen=True)
class Price:
    """Cycles, the range they may be in, what is bought, what the number rests on, and where it is from."""

    cycles: int
    low: int
    high: int
    buys: str
    standing: Standing
    source: str


L, A, R = Standing

HYPERVISOR = {
    "world_switch": Price(
        1360, 1344, 1376, "#VMEXIT and VMRUN, there and back", L,
        "time stamps around VMRUN on AMD, Linux KVM mailing list, December 2020, SEV-ES vmload/vmsave thread",
    ),
    "mmio_emulation": Price(
        4250, 2500, 6000, "Xen decodes and emulates an access to the APIC page (exit 400h)", A, "middle of the range"
    ),
    "hypercall": Price(1200, 600, 2400, "Xen handles an event channel or timer hypercall (exit 081h)", R, "Xen talks"),
    "incomplete_ipi": Price(1500, 800, 3000, "Xen handles exit 401h and kicks the target", A, "like a hypercall"),
    "noaccel": Price(1500, 800, 3000, "Xen handles exit 402h: a write that is a trap", A, "like a hypercall"),
    "interrupt_exit": Price(800, 400, 1600, "Xen takes a physical interrupt (exit 060h) and returns", A, "a guess"),
    "injection": Price(300, 100, 600, "Xen finds the vector and fills in EVENTINJ", A, "a guess"),
    "physical_ipi": Price(1000, 500, 2000, "from the host's ICR write to the other core's interrupt", A, "a guess"),
    "icrl_write": Price(600, 300, 1200, "an accelerated ICRL write: tables, IRR, doorbell", A, "0.5-0.8 us in all"),
    "doorbell": Price(500, 300, 1000, "from the doorbell to the evaluation on the other core", A, "0.5-0.8 us in all"),
    "block": Price(3000, 1500, 6000, "Xen blocks a vCPU that executes HLT (exit 078h), core to idle", A, "a guess"),
    "wake": Price(4000, 2000, 8000, "Xen wakes a vCPU: idle core, schedule, switch, VMRUN", A, "a guess"),
}  # fmt: skip
"""What Xen and the hardware are paid for."""

GUEST = {
    "write": Price(600, 400, 1000, "a sender writes a 100-byte message", A, "0.52 us with `read`: fitted to the table"),
    "read": Price(550, 400, 1000, "a receiver reads a 100-byte message", A, "0.52 us with `write`: not measured"),
    "block_task": Price(600, 300, 1200, "a task goes to sleep on a pipe", A, "a guess"),
    "switch": Price(1500, 800, 3000, "the guest's scheduler picks and switches to a task", A, "a guess"),
    "switch_spread": Price(400, 0, 1000, "what a switch may cost more, drawn from the seed", A, "a guess"),
    "wakeup": Price(800, 400, 1600, "a task is woken and put on a run queue", A, "a guess"),
    "remote_wakeup": Price(500, 250, 1000, "a task is put on another vCPU's wake list", A, "a guess"),
    "handler": Price(700, 400, 1500, "the guest's interrupt entry, reschedule handler, IRET", A, "a guess"),
    "tick_work": Price(2500, 1000, 5000, "the guest's own work in a timer tick", A, "a guess"),
}  # fmt: skip
"""What the guest is paid for."""

PRICES: dict[str, Price] = {**HYPERVISOR, **GUEST}

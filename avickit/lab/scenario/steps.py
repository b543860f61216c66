"""What each verb of a scenario does on the machine, and how the story says it.

Does not model: orders other than the given one; that is the race explorer's.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError
from avickit.lab.scenario.guest import program
from avickit.lab.scenario.store import store
from avickit.lab.xen import OutOfMemory

if TYPE_CHECKING:
    from avickit.lab.scenario.run import Runner

Step = Mapping[str, Any]
Do = Callable[["Runner", Step], None]


def do(r: "Runner", step: Step) -> None:
    """An instruction without an operand."""
    getattr(r.vcpu(step["vcpu"]).guest, step["do"])()


def read(r: "Runner", step: Step) -> None:
    """A register or CR8 is read, and compared with what it must give."""
    guest = r.vcpu(step["vcpu"]).guest
    is_cr8 = str(step["read"]).upper() == "CR8"
    r.compare(step, guest.read_cr8() if is_cr8 else guest.read(step["read"], step.get("size", 4)))


def write(r: "Runner", step: Step) -> None:
    """A register or CR8 is written."""
    guest = r.vcpu(step["vcpu"]).guest
    if str(step["write"]).upper() == "CR8":
        guest.write_cr8(step["value"])
    else:
        guest.write(step["write"], step["value"], step.get("size", 4))


def rdmsr(r: "Runner", step: Step) -> None:
    """An MSR is read."""
    r.compare(step, r.vcpu(step["vcpu"]).guest.rdmsr(step["rdmsr"]))


def wrmsr(r: "Runner", step: Step) -> None:
    """An MSR is written."""
    r.vcpu(step["vcpu"]).guest.wrmsr(step["wrmsr"], step["value"])


def execute(r: "Runner", step: Step) -> None:
    """Several instructions."""
    r.vcpu(step["vcpu"]).guest.execute(program(step["execute"]))


def on(r: "Runner", step: Step) -> None:
    """A handler."""
    r.vcpu(step["vcpu"]).guest.on(step["on"], program(step["handler"]))


def cpl(r: "Runner", step: Step) -> None:
    """A privilege level."""
    r.xen.set_cpl(r.vcpu(step["vcpu"]), step["cpl"])


def run(r: "Runner", step: Step) -> None:
    """Schedule in."""
    r.xen.run(r.vcpu(step["run"]), core=step["core"])


def migrate(r: "Runner", step: Step) -> None:
    """Schedule in on another core."""
    r.xen.migrate(r.vcpu(step["migrate"]), core=step["core"])


def deschedule(r: "Runner", step: Step) -> None:
    """Schedule out."""
    r.xen.deschedule(r.vcpu(step["deschedule"]), sync=step.get("sync", False))


def pause(r: "Runner", step: Step) -> None:
    """vcpu_pause."""
    r.xen.pause(r.vcpu(step["pause"]))


def unpause(r: "Runner", step: Step) -> None:
    """vcpu_unpause."""
    r.xen.unpause(r.vcpu(step["unpause"]))


def wake(r: "Runner", step: Step) -> None:
    """vcpu_unblock."""
    r.xen.wake(r.vcpu(step["wake"]))


def set_irq(r: "Runner", step: Step) -> None:
    """A device model's interrupt."""
    vcpu, core = r.vcpu(step["set_irq"]), step.get("core")
    r.xen.set_irq(vcpu, step["vector"], level=step.get("level", False), core=core)


def nmi(r: "Runner", step: Step) -> None:
    """An NMI."""
    r.xen.nmi(r.vcpu(step["nmi"]))


def callback(r: "Runner", step: Step) -> None:
    """An event channel upcall."""
    r.xen.callback(r.vcpu(step["callback"]), step["vector"])


def extint(r: "Runner", step: Step) -> None:
    """The PIC."""
    r.xen.extint(r.vcpu(step["extint"]), step["vector"])


def advance(r: "Runner", step: Step) -> None:
    """Time passes."""
    r.machine.advance(step["advance"])


def key(r: "Runner", step: Step) -> None:
    """A debug key."""
    r.xen.key(step["key"])


def create_domain(r: "Runner", step: Step) -> None:
    """One more domain, or the failure that was announced."""
    expected = step.get("gives", "a domain")
    try:
        r.result.add(r.xen.create_domain(vcpus=step["create_domain"]))
        found = "a domain"
    except OutOfMemory:
        found = "out of memory"
    r.check("create_domain", expected, found, ok=expected == found)
    if expected != found and found == "out of memory":
        raise AvicError("the story needs this domain")


def destroy_domain(r: "Runner", step: Step) -> None:
    """A domain goes."""
    r.xen.destroy_domain(r.domain(step["destroy_domain"]))


def mark(r: "Runner", step: Step) -> None:
    """From here on is counted."""
    r.set_mark(step["mark"])


def expect(r: "Runner", step: Step) -> None:
    """What holds now."""
    r.expect(step["expect"], r.place)


VERBS: dict[str, Do] = {f.__name__: f for f in (do, read, write, rdmsr, wrmsr, execute, on, cpl)}
VERBS.update({f.__name__: f for f in (run, migrate, deschedule, pause, unpause, wake, set_irq, nmi, callback, extint)})
VERBS.update({f.__name__: f for f in (advance, key, create_domain, destroy_domain, store, mark, expect)})
"""What each verb does."""


def verb(step: Step) -> str:
    """The verb of a step."""
    return next(name for name in VERBS if name in step)

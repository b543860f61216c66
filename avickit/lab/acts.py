"""Acts: what somebody may do to a machine that stands between two beats, as data that a person or a browser gives.

    do(m, "deschedule", "d1v1", "at once")
    do(m, "store", "d1 physical table", 2, "IS_RUNNING=0")

An argument is a handle, a name or a number; numbers in text are `41h`, `0x41` or `65`. Everything is read before
anything is done. Does not model: what an act brings about (the commands of `scripts`, which each act is made of).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.errors import AvicError
from avickit.lab.given import LAZY, READ, Place, number, register, value_of, vectors, xen
from avickit.lab.host_store import store_vectors
from avickit.lab.pages import ApicPage, TableView
from avickit.manual.apic import NAMES, row_at

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

BANKS = ("ISR", "TMR", "IRR")
"""Registers that hold a set of 256 vectors."""


class Input(NamedTuple):
    """What an act must be told: its name, its kind (a key of `READ`), what holds if nothing is given."""

    name: str
    kind: str
    given: str = ""


class Act(NamedTuple):
    """Something to do: its name, its words, what it must be told, and what does it."""

    name: str
    words: str
    inputs: tuple[Input, ...]
    do: Callable[..., object]


def do(m: "Machine", name: str, *given: Any) -> None:
    """Do an act. Raises AvicError for one that does not exist or is impossible now, naming what was expected."""
    act = act_of(name)
    if len(given) > len(act.inputs):
        raise AvicError.of(f"arguments of {name}", len(given), ", ".join(i.name for i in act.inputs) or "none")
    filled = [*given, *(i.given or None for i in act.inputs[len(given) :])]
    act.do(m, *[READ[i.kind](m, i.name, value) for i, value in zip(act.inputs, filled, strict=True)])


def act_of(name: str) -> Act:
    """The act of that name. Raises AvicError with the names there are."""
    found = next((act for act in ACTS if act.name == name), None)
    if found is None:
        raise AvicError.of("what if", name, ", ".join(act.name for act in ACTS))
    return found


def store(m: "Machine", where: Place, name: Any, given: Any) -> None:
    """Software of the host writes to a page: a register or entry as a number, or fields of it; vectors to a bank."""
    if isinstance(where, ApicPage):
        offset = register(m, "register", name)
        if row_at(offset).name in BANKS:
            store_vectors(m, where.place + (NAMES[row_at(offset).name] >> 4), vectors(m, given))
            return
    whole, fields = value_of(m, given)
    if isinstance(where, ApicPage):
        where.store(offset, whole, **fields)
    elif isinstance(where, TableView):
        where.store(number(m, "entry", name, "entry"), whole, **fields)
    else:
        where.store(str(name).strip(), whole, **fields)


WHO = Input("vCPU", "vcpu")
ACTS: tuple[Act, ...] = (
    Act(
        "deschedule",
        "deschedule a vCPU",
        (WHO, Input("how", "how", LAZY)),
        lambda m, v, sync: xen(m).deschedule(v, sync=sync),
    ),
    Act("run", "run a vCPU", (WHO, Input("core", "core")), lambda m, v, core: xen(m).run(v, core)),
    Act(
        "write",
        "guest write",
        (WHO, Input("register", "register"), Input("value", "number")),
        lambda m, v, r, n: v.guest.write(r, n),
    ),
    Act(
        "store",
        "hypervisor write",
        (Input("page", "page"), Input("register or entry", "text"), Input("value or fields", "text")),
        store,
    ),
    Act("ring", "ring a doorbell", (Input("core", "core"),), lambda m, core: xen(m).ring(core)),
    Act("set_irq", "raise an interrupt", (WHO, Input("vector", "vector")), lambda m, v, n: xen(m).set_irq(v, n)),
    Act("nmi", "raise an NMI", (WHO,), lambda m, v: xen(m).nmi(v)),
    Act("wake", "unblock a vCPU", (WHO,), lambda m, v: xen(m).wake(v)),
    Act("pause", "pause a vCPU", (WHO,), lambda m, v: xen(m).pause(v)),
    Act("unpause", "unpause a vCPU", (WHO,), lambda m, v: xen(m).unpause(v)),
    Act("eoi", "guest EOI", (WHO,), lambda m, v: v.guest.eoi()),
    Act("hlt", "guest HLT", (WHO,), lambda m, v: v.guest.hlt()),
    Act("advance", "let time pass", (Input("ns", "nanoseconds"),), lambda m, ns: m.advance(ns)),
)
"""Everything that can be done between two beats."""

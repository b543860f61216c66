"""Random machines and what users may do with them, as data; and the comparison of two Worlds, place by place."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from avickit import Machine
from avickit.errors import AvicError
from avickit.silicon.choices import CHOICES
from avickit.silicon.guest import Insn, eoi, read, write

REGISTERS = ("ID", "TPR", "PPR", "EOI", "LDR", "DFR", "SVR", "ISR", "TMR", "IRR", "ESR", "ICRL", "ICRH", "LVT_TIMER")
MORE_REGISTERS = ("LVT_LINT0", "LVT_ERROR", "TMICT", "TMCCT", "TDCR", "VERSION", "RRR", 0x210, 0x400, 0x4)
VECTORS = st.sampled_from((0x0, 0xF, 0x10, 0x31, 0x41, 0x52, 0xEF, 0xFF))
VCPU, CORE = st.integers(0, 3), st.integers(0, 2)
VALUE = st.one_of(st.sampled_from((0, 1, 0x1FF, 0x10000, 0x20031, 0x40031, 0xFFFF_FFFF)), st.integers(0, (1 << 32) - 1))


class DeviceGone(Exception):
    """What a handler of a guest raises here."""


def looks_around() -> Iterator[Insn]:
    """A guest's handler that lets lower vectors in before it ends."""
    value: int = yield read("PPR")  # type: ignore[assignment]
    yield write("TPR", value & 0xF0)
    yield Insn("sti")
    yield write("TPR", 0)
    yield eoi()


def fails() -> Iterator[Insn]:
    """A guest's handler that fails in the middle."""
    yield read("IRR")
    raise DeviceGone("no such device")


HANDLERS: tuple[Any, ...] = ([eoi()], [], looks_around, [write("ICRL", 0x400F3), eoi()], fails, [Insn("hlt"), eoi()])


class Do(NamedTuple):
    """One thing that a user does: to a vCPU's guest, by Xen to a vCPU, or to the machine."""

    whose: str
    name: str
    vcpu: int = 0
    args: tuple[Any, ...] = ()


def acts() -> st.SearchStrategy[Do]:
    """Anything that a user can do."""

    def do(whose: str, names: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Do]:
        return st.builds(Do, st.just(whose), st.sampled_from(names.split()), VCPU, st.tuples(*args))

    register, size = st.sampled_from((*REGISTERS, *MORE_REGISTERS)), st.sampled_from((4, 4, 4, 1, 2))
    msr = st.sampled_from((0x1B, 0x6E0, 0x802, 0x808, 0x830, 0x83F, 0x10))
    handler = st.sampled_from(range(len(HANDLERS)))
    return st.one_of(
        do("guest", "send", st.sampled_from((0, 2, 4, 6, 3, 255)), icrl()),
        do("guest", "send", st.sampled_from((0, 2, 4, 6, 3, 255)), icrl()),
        do("guest", "put", register, VALUE, size),
        do("guest", "read", register, size),
        do("guest", "eoi sti cli nop hlt read_cr8"),
        do("guest", "write_cr8", st.integers(0, 15)),
        do("guest", "wrmsr", msr, VALUE),
        do("guest", "rdmsr", msr),
        do("guest", "arm", st.integers(0, 3), st.sampled_from((1, 20, 300))),
        do("guest", "on", VECTORS, handler),
        do("guest", "execute", handler),
        do("xen", "run", CORE),
        do("xen", "run", CORE),
        do("xen", "deschedule pause unpause wake nmi"),
        do("xen", "set_irq callback extint", VECTORS),
        do("xen", "set_cpl", st.integers(0, 3)),
        do("machine", "level", VECTORS),
        do("machine", "sync destroy create"),
        do("machine", "key", st.sampled_from("iv")),
        do("machine", "advance", st.sampled_from((1, 100, 5000))),
    )


def icrl() -> st.SearchStrategy[int]:
    """Mostly what the hardware does by itself; also every message type, trigger mode and level."""
    vector, short, mode, type_, level, trigger = VECTORS, st.integers(0, 3), *[st.integers(0, n) for n in (1, 7, 1, 1)]
    usual, rare = st.tuples(vector, short, mode), st.tuples(vector, short, mode, type_, level, trigger)
    shifts = (0, 18, 11, 8, 14, 15)
    return st.one_of(usual, rare).map(lambda parts: sum(p << s for p, s in zip(parts, shifts, strict=False)))


def choices() -> st.SearchStrategy[dict[str, str]]:
    """Up to three open points of the manual taken the other way; never two that replace the same step."""
    one = st.sampled_from([(name, answer) for name, choice in CHOICES.items() for answer in choice.others])
    return st.lists(one, max_size=3, unique_by=lambda c: CHOICES[c[0]].others[c[1]][0].name).map(dict)


class Bench:
    """A machine with a domain of four vCPUs, three of them running; `do` answers with what came of it."""

    def __init__(self, patches: int, **kw: Any) -> None:
        self.m = Machine(cores=3, pages=40, record=False, **kw)
        on = True if 4 <= patches < 9 else None
        self.xen = self.m.boot("svm=avic" * (patches >= 9), patches=patches, svm_avic=on)
        self.domain = self.xen.create_domain(vcpus=4)
        for n in range(3):
            self.do(Do("xen", "run", n, (n,)))
            self.do(Do("guest", "put", n, ("SVR", 0x1FF, 4)))
            self.do(Do("guest", "put", n, ("LDR", 1 << 24 + n, 4)))

    def do(self, act: Do) -> tuple[str, Any]:
        """The answer, or the exception's name and text."""
        try:
            return "", self._do(act)
        except (AvicError, DeviceGone) as error:
            return type(error).__name__, str(error)

    def _do(self, act: Do) -> Any:
        vcpu = self.domain.vcpus[act.vcpu]
        own: dict[str, Callable[..., Any]] = {
            "send": lambda to, low: write_all(vcpu, ("ICRH", to << 24), ("ICRL", low)),
            "put": lambda register, value, size: vcpu.guest.write(register, value & (1 << 8 * size) - 1, size),
            "arm": lambda mode, count: write_all(vcpu, ("LVT_TIMER", 0x31 | mode << 17), ("TMICT", count)),
            "on": lambda vector, handler: vcpu.guest.on(vector, HANDLERS[handler]),
            "execute": lambda handler: vcpu.guest.execute(HANDLERS[handler]),
            "level": lambda vector: self.xen.set_irq(vcpu, vector, level=True, core=0),
            "sync": lambda: self.xen.deschedule(vcpu, sync=True),
            "destroy": lambda: self.xen.destroy_domain(self.xen.domains[-1]) if len(self.xen.domains) > 1 else None,
            "create": lambda: repr(self.xen.create_domain(vcpus=1)),
            "key": self.xen.key,
            "advance": self.m.advance,
        }
        if act.name in own:
            return own[act.name](*act.args)
        if act.whose == "guest":
            return getattr(vcpu.guest, act.name)(*act.args)
        return getattr(self.xen, act.name)(vcpu, *act.args)


def write_all(vcpu: Any, *writes: tuple[str, int]) -> None:
    """A guest writes several registers, one instruction each."""
    for register, value in writes:
        vcpu.guest.write(register, value)


def differences(one: Bench, other: Bench) -> dict[str, Any]:
    """In what two machines differ: places by number, and what else belongs to the state; empty if in nothing."""
    a, b = one.m.world, other.m.world
    found: dict[str, Any] = {}
    if a.at != b.at:
        found = {f"place {n}": (x, y) for n, (x, y) in enumerate(zip(a.at, b.at, strict=False)) if x != y}
        found["places"] = len(a.at), len(b.at)
    for name in ("answers", "signalled", "page_names", "areas"):
        if getattr(a, name) != getattr(b, name):
            found[name] = getattr(a, name), getattr(b, name)
    if one.xen.console != other.xen.console:
        found["console"] = one.xen.console, other.xen.console
    return found

"""Random machines, random guests, random schedules: what the properties are tested on."""

from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Any, NamedTuple

from hypothesis import strategies as st

from avickit import Machine
from avickit.errors import AvicError
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.scripts import SCRIPTS
from avickit.lab.trace import Command
from avickit.silicon.guest import Insn, eoi, read, write

VECTORS = (0x10, 0x1F, 0x20, 0x41, 0x42, 0x4F, 0x50, 0x8F, 0xE0, 0xFF)
REGISTERS = ("ID", "VERSION", "TPR", "APR", "PPR", "LDR", "DFR", "SVR", "IRR2", "ISR", "ESR", "ICRL", "ICRH", "TMCCT")
KINDS = (0, 0, 0, 1, 2, 3, 4, 5, 6)
"""Message types, more often fixed. Not ExtINT: it crashes the domain, which ends the fun."""


class Run(NamedTuple):
    """What a random machine does: `acts` are (who, what, arguments)."""

    cores: int
    vcpus: int
    acts: tuple[tuple[int, str, tuple[Any, ...]], ...]


@st.composite
def icrl(draw: Callable[[st.SearchStrategy[Any]], Any]) -> int:
    """Any ICRL: all kinds, destinations and trigger modes, vectors legal or not, reserved bits too."""
    value: int = draw(st.sampled_from((*VECTORS, *VECTORS, 0x0F))) | draw(st.sampled_from((0, 0, 0x800)))
    value |= draw(st.sampled_from((0, 0, 0, 1, 2, 3))) << 18
    if draw(st.integers(0, 3)) == 3:
        value |= draw(st.sampled_from(KINDS)) << 8 | draw(st.sampled_from((0, 0x8000, 0x4000, 0xC000)))
        value |= draw(st.sampled_from((0, 0x1000, 0x2000, 0xFFF0_0000)))
    return value


DESTINATIONS = st.sampled_from((0, 2, 1, 4, 3, 6, 0, 2, 4, 0x0F, 5, 8, 0x10, 0x21, 0xFE, 0xFF))
LDRS = st.sampled_from((0x00, 0x01, 0x02, 0x04, 0x08, 0x06, 0x11, 0x21))


def instructions() -> st.SearchStrategy[list[Insn]]:
    """What a guest does at a stroke: an IPI, an EOI, a change of priority, of IF, a look, a nap."""
    ipi = st.builds(lambda to, low: [write("ICRH", to << 24), write("ICRL", low)], DESTINATIONS, icrl())
    plain = st.sampled_from([[eoi()], [Insn("sti")], [Insn("cli")], [Insn("nop")], [Insn("hlt")]])
    tpr = st.integers(0, 0xFF).map(lambda v: [write("TPR", v)])
    cr8 = st.integers(0, 15).map(lambda v: [Insn("write_cr8", 8, v)])
    look = st.sampled_from(REGISTERS).map(lambda name: [read(name)])
    ldr = LDRS.map(lambda v: [write("LDR", v << 24)])
    other = st.sampled_from([[write("DFR", 0x0FFF_FFFF)], [write("DFR", 0xFFFF_FFFF)], [write("SVR", 0x1FF)]])
    more = st.sampled_from([[write("SVR", 0xFF)], [Insn("read_cr8")], [write("LVT_LINT0", 0x10041)], [write("ESR", 0)]])
    return often({ipi: 8, plain: 5, tpr: 1, cr8: 1, look: 1, ldr: 1, other: 1, more: 1})


def often(shares: dict[st.SearchStrategy[Any], int]) -> st.SearchStrategy[Any]:
    """One of several, each with its share."""
    return st.sampled_from([s for s, n in shares.items() for _ in range(n)]).flatmap(lambda s: s)


@st.composite
def runs(draw: Callable[[st.SearchStrategy[Any]], Any], least: int = 15, most: int = 30) -> Run:
    """A machine and what happens on it."""
    cores, vcpus = draw(st.integers(2, 4)), draw(st.sampled_from((2, 3, 4, 1)))
    who = st.integers(0, vcpus - 1)
    strokes = st.lists(instructions(), min_size=1, max_size=6)
    execute = strokes.map(lambda parts: ("execute", ([insn for part in parts for insn in part],)))
    run = st.integers(0, cores - 1).map(lambda core: ("run", (core,)))
    leave = st.booleans().map(lambda sync: ("deschedule", (sync,)))
    irq = st.tuples(st.sampled_from(VECTORS), st.booleans()).map(lambda a: ("irq", a))
    act = often({execute: 8, run: 3, leave: 1, irq: 1, st.just(("wake", ())): 1})
    acts = draw(st.lists(st.tuples(who, act), min_size=least, max_size=most))
    return Run(cores, vcpus, tuple((w, *a) for w, a in acts))


def prepared(run: Run, **kw: Any) -> tuple[Machine, DomainHandle]:
    """The machine of a run with Xen on it, all vCPUs with an enabled APIC, a logical ID and some handlers."""
    m = Machine(cores=run.cores, pages=32, **kw)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(run.vcpus)
    for n, v in enumerate(dom.vcpus):
        xen.run(v, n % run.cores)
        v.guest.execute([write("SVR", 0x1FF), write("LDR", 1 << 24 + n)])
        v.guest.on(0x41, [eoi()])
        v.guest.on(0x50, [Insn("sti"), Insn("nop"), read("PPR"), eoi()])
        v.guest.on(0x8F, [Insn("cli"), eoi(), Insn("sti")])
        v.guest.on(0xE0, lambda: iter([read("PPR"), eoi()]))
    return m, dom


def act(m: Machine, v: VcpuHandle, what: str, args: tuple[Any, ...]) -> None:
    """One thing that happens, if it can."""
    assert m.xen is not None
    if what == "execute":
        if v.state == "runnable":
            m.xen.run(v, v.vcpu.vcpu_id % m.config["cores"])
        if v.state == "guest mode":
            v.guest.execute(*args)
    elif what == "run":
        if v.state in ("runnable", "guest mode"):
            m.xen.run(v, *args)
    elif what == "deschedule":
        m.xen.deschedule(v, sync=args[0])
    elif what == "irq":
        m.xen.set_irq(v, args[0], level=args[1])
    else:
        m.xen.wake(v)


def played(run: Run, **kw: Any) -> tuple[Machine, DomainHandle]:
    """A machine on which all of it has happened."""
    m, dom = prepared(run, **kw)
    for who, what, args in run.acts:
        act(m, dom.vcpus[who], what, args)
    return m, dom


def interleaved(run: Run, stops: tuple[int, ...]) -> tuple[Machine, DomainHandle]:
    """The same, but guests are stopped in the middle of what they execute, and others go on meanwhile.

    `stops` are numbers of beats, by turns. Who would need the core that stands, waits until it has gone on.
    """
    m, dom = prepared(run)
    turns = cycle(stops)
    for who, what, args in run.acts:
        v = dom.vcpus[who]
        standing = m.engine.stopped[0].actor if m.engine.stopped else None
        if standing is None and what == "execute" and v.state == "guest mode":
            first = len(m.trace)
            command = Command("execute", (v.vcpu.guest.index, m.program(*args)), first, first + next(turns))
            m.engine.play(command, SCRIPTS["execute"](m, *command.args))
        elif standing is None or standing not in (v.core, args[0] if what == "run" else None):
            with suppress(AvicError):
                act(m, v, what, args)
            if standing is not None and next(turns) % 2:
                m.finish()
    if m.engine.stopped:
        m.finish()
    return m, dom

"""What a machine cuts off and refuses: a guest that never becomes quiet, vCPUs of a domain that is gone."""

from typing import TYPE_CHECKING, Any

import pytest

from avickit import AvicError, Machine
from avickit.beat import CLOCK
from avickit.errors import OverBudget
from avickit.lab.handles import VcpuHandle
from avickit.silicon.guest import Insn, eoi, write
from avickit.silicon.ipi import SET_IRR

if TYPE_CHECKING:
    from collections.abc import Callable

TO_SELF = 0x4_0041
BUDGET = 4000
HOW: dict[str, dict[str, Any]] = {
    "recorded": {},
    "past the recording limit": {"limit": 500},
    "unrecorded": {"record": False},
    "plain form": {"record": False, "fast": True},
    "with prices": {"record": False, "prices": {SET_IRR: 0}},
}
EVERY_WAY = pytest.mark.parametrize("how", HOW.values(), ids=list(HOW))


def pair(how: dict[str, Any], **kw: Any) -> tuple[Machine, VcpuHandle, VcpuHandle]:
    m = Machine(cores=3, budget=BUDGET, **how, **kw)
    xen = m.boot("svm=avic")
    a, b = xen.create_domain(2).vcpus
    for n, v in enumerate((a, b)):
        xen.run(v, n)
        v.guest.write("SVR", 0x1FF)
        v.guest.write("ICRH", (2 - v.apic_id) << 24)
    return m, a, b


@EVERY_WAY
def test_a_handler_that_interrupts_itself_is_cut_off(how: dict[str, Any]) -> None:
    """The error says who, how many beats, and what allows more."""
    m, a, _ = pair(how)
    a.guest.on(0x41, [eoi(), write("ICRL", TO_SELF)])
    before = m.clock
    with pytest.raises(OverBudget, match=rf"core 0: {BUDGET} beats.*Machine\(budget=\.\.\.\)"):
        a.guest.write("ICRL", TO_SELF)
    assert a.guest.taken[0x41] > 50
    assert m.clock - before <= BUDGET + 100
    assert m.world.deadline > 1 << 60, "the next command has a budget of its own"


@EVERY_WAY
def test_so_are_two_that_interrupt_each_other(how: dict[str, Any]) -> None:
    """Each turn of a core is short; the command is not."""
    _, a, b = pair(how)
    for v in (a, b):
        v.guest.on(0x41, [eoi(), write("ICRL", 0x41)])
    with pytest.raises(OverBudget, match=rf"core [01]: {BUDGET} beats"):
        a.guest.write("ICRL", 0x41)
    assert min(v.guest.taken[0x41] for v in (a, b)) > 50


@EVERY_WAY
def test_the_budget_is_for_one_command(how: dict[str, Any]) -> None:
    """Many commands, or many ticks of a timer, each with its own, may take more."""
    m, a, b = pair(how)
    b.guest.on(0x41, [eoi()])
    a.guest.on(0x40, [eoi()])
    for _ in range(200):
        a.guest.write("ICRL", 0x41)
    a.guest.execute([Insn("nop")] * (BUDGET // 4))
    a.guest.write("LVT_TIMER", 1 << 17 | 0x40)
    a.guest.write("TMICT", 100)
    m.advance(400_000)
    assert (b.guest.taken, a.guest.taken[0x40] > 100) == ({0x41: 200}, True)


def test_the_budget_ends_between_two_beats() -> None:
    """With n beats to do a budget of n is enough, of n - 1 is not; recorded or not, the same beats have been done."""
    whole, a, _ = pair({})
    first = len(whole.trace)
    a.guest.write("ICRL", 0x41)
    need = len(whole.trace) - first
    for record in (True, False):
        for budget in (need, need - 1):
            m, a, _ = pair({"record": record})
            m.engine.budget = budget
            if budget == need:
                a.guest.write("ICRL", 0x41)
            else:
                with pytest.raises(OverBudget):
                    a.guest.write("ICRL", 0x41)
            assert m.world.at == [m.clock, *whole.trace.state(first + budget)[1:]]
            assert m.clock == whole.trace.state(first + budget)[CLOCK]


@pytest.mark.parametrize("budget", [0, -1, True, "many"])
def test_a_budget_is_a_number(budget: Any) -> None:
    with pytest.raises(AvicError, match="budget: "):
        Machine(budget=budget)


def test_a_destroyed_vcpu_says_so() -> None:
    """X4-3: it is destroyed, whatever it was; nobody can act on it, and nothing changes when one tries."""
    m, a, b = pair({})
    xen = m.xen
    assert xen is not None
    domain = xen.domains[0]
    b.guest.hlt()
    xen.destroy_domain(domain)
    assert [v.state for v in (a, b)] == ["destroyed"] * 2
    assert "destroyed" in repr(a)
    acts: list[Callable[[], Any]] = [
        lambda: xen.run(a, 0),
        lambda: xen.migrate(a, 0),
        lambda: xen.deschedule(a),
        lambda: xen.pause(a),
        lambda: xen.unpause(a),
        lambda: xen.wake(b),
        lambda: xen.set_irq(a, 0x41),
        lambda: xen.nmi(a),
        lambda: xen.callback(a, 0x41),
        lambda: xen.extint(a, 0x41),
        lambda: xen.set_cpl(a, 3),
        lambda: a.guest.read("TPR"),
        a.guest.eoi,
        lambda: a.guest.execute([eoi()]),
        lambda: a.guest.on(0x41, None),
        lambda: a.guest.start_ap([eoi()]),
        lambda: xen.destroy_domain(domain),
        lambda: domain.physical_table,
    ]
    before = (list(m.world.at), len(m.trace), len(m.trace.commands))
    for act in acts:
        with pytest.raises(AvicError, match=r"d1.*destroyed domain given, expected .*domain that exists"):
            act()
    assert (list(m.world.at), len(m.trace), len(m.trace.commands)) == before


def test_only_who_is_paused_is_unpaused() -> None:
    """X0-7: a pause too little would be somebody else's."""
    m, a, _ = pair({})
    assert m.xen is not None
    with pytest.raises(AvicError, match="unpause d1v0: guest mode given, expected a vCPU that is paused"):
        m.xen.unpause(a)


def test_round_robin_acts_after_every_command() -> None:
    """A runnable vCPU takes an idle core whichever command made it runnable or the core idle; in turn."""
    m = Machine(cores=2, scheduler="round-robin")
    m.advance(5)
    xen = m.boot("svm=avic")
    assert xen.domains == []
    dom = xen.create_domain(3)
    a, b, c = dom.vcpus
    assert [v.core for v in dom.vcpus] == [0, 1, None]
    xen.deschedule(a)
    assert [v.core for v in dom.vcpus] == [None, 1, 0]
    xen.deschedule(c)
    assert [v.core for v in dom.vcpus] == [0, 1, None]
    b.guest.hlt()
    assert (b.state, [v.core for v in dom.vcpus]) == ("blocked", [0, None, 1])
    a.guest.hlt()
    xen.wake(b)
    assert [v.core for v in dom.vcpus] == [None, 0, 1]
    xen.pause(c)
    xen.wake(a)
    assert [v.core for v in dom.vcpus] == [1, 0, None]
    xen.pause(b)
    xen.unpause(c)
    assert [v.core for v in dom.vcpus] == [1, None, 0]
    xen.run(c, 1)
    assert [v.core for v in dom.vcpus] == [0, None, 1]
    other = xen.create_domain(1).vcpus[0]
    assert other.core is None
    xen.destroy_domain(dom)
    assert other.core is not None


def test_round_robin_starts_an_ap() -> None:
    """X0-5: STARTUP makes it runnable; it begins at its start program without being asked to."""
    m = Machine(cores=2, scheduler="round-robin")
    xen = m.boot("svm=avic")
    a, b = xen.create_domain(2).vcpus
    b.guest.start_ap([write("SVR", 0x1FF), Insn("sti"), Insn("nop")])
    a.guest.write("ICRH", 2 << 24)
    a.guest.execute([write("ICRL", 0x4500), write("ICRL", 0x610)])
    assert (b.state, b.guest.interrupt_flag, b.guest.read("SVR")) == ("guest mode", True, 0x1FF)

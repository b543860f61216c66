"""The scheduler and AVIC's IsRunning: lazy switches, blocking beat by beat, migration, pause, crash, round robin."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avickit import Machine
from avickit.lab.handles import VcpuHandle
from avickit.silicon.guest import Insn, write
from avickit.xen.parts import PAUSED
from tests.proofs.xen_tools import ALL_BUT_SELF, ASSERT, INCOMPLETE, INIT, Lab, cell, exits, ipi, said
from tests.series.labs import lab

VECTOR = 0x41


def entry(on: Lab, n: int) -> tuple[int, int]:
    """IsRunning and the host ID in the entry of a vCPU."""
    found = on.dom.physical_table[2 * n].value
    return found >> 62 & 1, found & 0xFFF


def forks(on: Lab, act: Callable[[], None]) -> Iterator[tuple[Machine, int]]:
    """Do it once; then a machine that stands behind each of its beats, the last one at the end."""
    first = len(on.m.trace)
    act()
    for n in range(first + 1, len(on.m.trace) + 1):
        yield on.m.fork(n), n - first


def go_on(m: Machine) -> None:
    """Finish what stands between two beats; let everybody run who can."""
    while m.engine.stopped:
        m.finish()
    assert m.xen is not None
    for n, v in enumerate(m.xen.domains[0].vcpus):
        if v.state == "runnable":
            m.xen.run(v, n)


def both(m: Machine) -> tuple[VcpuHandle, VcpuHandle]:
    """The first two vCPUs."""
    return m.vcpu(0), m.vcpu(1)


def test_the_switch_to_idle_is_lazy() -> None:
    """X6-6, X0-8: IsRunning stays 1 and the state stays loaded; is_running goes, at context_saved, last."""
    on = lab(2)
    b = on.vcpus[1]
    seen = []
    for m, _ in forks(on, lambda: on.xen.deschedule(b)):
        seen.append((cell(m.vcpu(1), "is_running"), m.vcpu(1).core, entry(on._replace(dom=m.xen.domains[0]), 1)))  # type: ignore[union-attr]
    assert [s for n, s in enumerate(seen) if n == 0 or s != seen[n - 1]] == [
        (1, 1, (1, 1)),
        (1, None, (1, 1)),
        (0, None, (1, 1)),
    ]
    assert on.m.world.at[on.m.world.objects["pcpus"][1].loaded] == b.vcpu.guest.index + 1
    on.xen.deschedule(b, sync=True)
    assert entry(on, 1) == (0, 1)


def test_an_idle_core_that_hears_a_doorbell_does_nothing() -> None:
    """X6-6, H-BELL-3: the descheduled vCPU has its IRR bit, and takes it when it runs again."""
    on = lab(2)
    a, b = on.vcpus
    on.xen.deschedule(b)
    assert exits(a, ipi, a, 2, VECTOR) == []
    assert (b.state, b.page.irr, b.guest.taken) == ("runnable", {VECTOR}, {})
    on.xen.run(b, 1)
    assert b.guest.taken == {VECTOR: 1}


SENDERS: dict[str, Callable[[Machine], None]] = {
    "a guest": lambda m: m.vcpu(0).guest.write("ICRL", VECTOR),
    "a device": lambda m: m.xen.set_irq(m.vcpu(1), VECTOR, core=2),  # type: ignore[union-attr]
}


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("patches", [0, 6, 7, 10])
def test_no_wakeup_is_lost_while_blocking(sender: str, patches: int) -> None:
    """X6-5, X7-1, X0-8: whatever beat of HLT it falls between, the interrupt is taken, once."""
    on = lab(2, patches=patches)
    on.vcpus[0].guest.write("ICRH", 2 << 24)
    states = set()
    for m, beat in forks(on, on.vcpus[1].guest.hlt):
        _, b = both(m)
        SENDERS[sender](m)
        while m.engine.stopped:
            m.finish()
        states.add(b.state)
        assert b.guest.taken or b.state in ("runnable", "guest mode"), f"asleep after beat {beat}"
        go_on(m)
        assert (b.guest.taken, b.page.irr, b.page.isr) == ({VECTOR: 1}, set(), {VECTOR}), f"beat {beat}"
    assert states == {"guest mode", "runnable"}


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("patches", [0, 6, 7, 10])
def test_no_wakeup_is_lost_while_sending(sender: str, patches: int) -> None:
    """X6-5: the other way round, the target falls asleep between two beats of the sender."""
    on = lab(2, patches=patches)
    on.vcpus[0].guest.write("ICRH", 2 << 24)
    for m, beat in forks(on, lambda: SENDERS[sender](on.m)):
        _, b = both(m)
        if b.state == "guest mode" and not any(s.actor == 1 for s in m.engine.stopped):
            b.guest.hlt()
        go_on(m)
        assert (b.guest.taken, b.page.irr, b.page.isr) == ({VECTOR: 1}, set(), {VECTOR}), f"beat {beat}"


@pytest.mark.parametrize("move", ["deschedule", "run", "migrate"])
def test_no_interrupt_is_lost_while_switching(move: str) -> None:
    """X6-1, X6-2: between any two beats of a switch; R4 of the races: a doorbell too late is harmless."""
    on = lab(2, cores=4)
    a, b = on.vcpus
    a.guest.write("ICRH", 2 << 24)
    if move == "run":
        on.xen.deschedule(b, sync=True)
    act = {"deschedule": lambda: on.xen.deschedule(b, sync=True), "run": lambda: on.xen.run(b, 1)}
    for m, beat in forks(on, act.get(move, lambda: on.xen.migrate(b, 3))):
        m.vcpu(0).guest.write("ICRL", VECTOR)
        go_on(m)
        assert (m.vcpu(1).guest.taken, m.vcpu(1).page.isr) == ({VECTOR: 1}, {VECTOR}), f"beat {beat}"


def test_migration() -> None:
    """X6-1: the entry names the new core, and that one's doorbell is rung."""
    on = lab(2, cores=4, host_ids=(4, 5, 6, 7))
    a, b = on.vcpus
    for core in (2, 3, 1):
        on.xen.migrate(b, core)
        assert entry(on, 1) == (1, 4 + core)
        first = len(on.m.trace)
        assert exits(a, ipi, a, 2, VECTOR) == []
        words = [f"rings the doorbell of core {n}" for n in range(4)]
        assert said(on.m, first, *words) == [words[core]]
        b.guest.eoi()
    assert b.guest.taken == {VECTOR: 3}


def test_two_vcpus_take_turns_on_a_core() -> None:
    """X6-1, X6-2: who is out exits the sender; nobody gets another's interrupt."""
    on = lab(3, cores=2)
    a, b, c = on.vcpus
    for n in range(4):
        here, there = (b, c) if n % 2 else (c, b)
        on.xen.run(here, 1)
        assert exits(a, ipi, a, here.apic_id, VECTOR) == []
        assert exits(a, ipi, a, there.apic_id, 0x52) == [INCOMPLETE]
        here.guest.eoi()
        here.guest.eoi()
    on.xen.run(b, 1)
    assert b.guest.taken == {VECTOR: 2, 0x52: 2}


def test_pause_and_unpause() -> None:
    """X0-7: a paused vCPU runs no more, keeps what comes, and goes on when unpaused and run."""
    on = lab(2)
    a, b = on.vcpus
    on.xen.pause(b)
    assert (b.state, b.core) == ("paused", None)
    ipi(a, 2, VECTOR)
    on.m.command("run", b.vcpu.guest.index, 1)
    assert (b.core, b.page.irr, b.guest.taken) == (None, {VECTOR}, {})
    on.xen.unpause(b)
    on.xen.run(b, 1)
    assert (b.state, b.guest.taken) == ("guest mode", {VECTOR: 1})


def test_a_sleeper_that_is_paused_stays_asleep() -> None:
    """X0-7: unpausing does not wake; the interrupt does, in either order."""
    on = lab(2)
    a, b = on.vcpus
    b.guest.hlt()
    on.xen.pause(b)
    ipi(a, 2, VECTOR)
    assert b.state == "paused"
    on.xen.unpause(b)
    assert b.state == "runnable"
    on.xen.run(b, 1)
    assert b.guest.taken == {VECTOR: 1}


@pytest.mark.parametrize("patches", [0, 4, 10])
def test_a_crash_stops_all_vcpus(patches: int) -> None:
    """X4-6: also those in guest mode on other cores; the domain stays crashed, others live on."""
    on = lab(3, patches=patches, cores=4)
    a, b, c = on.vcpus
    other = on.xen.create_domain(1).vcpus[0]
    on.xen.run(other, 3)
    a.guest.write("ICRH", 2 << 24)
    a.guest.execute((write("ICRL", 0x700), write("TPR", 0x20)))
    assert on.dom.crashed
    assert [(v.state, v.core) for v in (a, b, c)] == [("crashed", None)] * 3
    assert a.page.tpr == 0
    for v in (a, b, c):
        on.xen.pause(v)
        on.xen.unpause(v)
        on.m.command("run", v.vcpu.guest.index, v.vcpu.vcpu_id)
        assert v.core is None
    other.guest.write("TPR", 0x30)
    assert other.state == "guest mode"


def test_a_crash_is_not_forgotten_by_init() -> None:
    """X0-5, X4-6: the sender of INIT is paused and unpaused; a crash in between stays."""
    on = lab(3)
    a = on.vcpus[0]
    a.guest.write("ICRH", 4 << 24)
    between = 0
    for m, _ in forks(on, lambda: a.guest.write("ICRL", INIT | ASSERT)):
        paused = cell(m.vcpu(0), "pause_flags") & PAUSED
        if m.vcpu(1).state == "guest mode":
            m.vcpu(1).guest.write("ID", 1 << 24)
        while m.engine.stopped:
            m.finish()
        assert m.vcpu(0).core is None
        between += bool(paused)
    assert between


def test_vmrun_fails() -> None:
    """H-VMCB-15: VMEXIT_INVALID crashes the domain and says why; its other vCPUs stop."""
    on = lab(2)
    a, b = on.vcpus
    on.xen.deschedule(b)
    place = b.vcpu.guest.vmcb + (0xF8 >> 3)
    on.m.world.at[place] |= 0x1FF
    on.m.world.at[b.vcpu.guest.vmcb + (0xC0 >> 3)] = 0
    on.xen.run(b, 1)
    assert (b.exits[-1].code, on.dom.crashed, a.core, b.core) == (-1, True, None, None)
    assert any("d1v1 invalid VMCB: AVIC_PHYSICAL_MAX_INDEX 511 is above 255" in line for line in on.xen.console)


def test_vmrun_fails_with_the_other_code() -> None:
    """H-VMCB-15: where the open choice says nested page fault, that is no access either."""
    m = Machine(cores=1, choices={"pointer_out_of_range": "npf"})
    xen = m.boot("svm=avic")
    dom = xen.create_domain(1)
    m.world.at[dom.vcpus[0].vcpu.guest.vmcb + (0xE0 >> 3)] = 0xF_FFFF_FFFF_F000
    xen.run(dom.vcpus[0], 0)
    assert (dom.crashed, dom.vcpus[0].exit_count, dom.vcpus[0].core) == (True, 1, None)


def test_key_v_prints_every_vmcb() -> None:
    """X10-1: in Xen's words; only bit 31 of vintr shows AVIC, and zero prints as 0."""
    on = lab(2)
    lines = on.xen.key("v")
    assert lines[0] == "(XEN) 'v' pressed -> dump VMCBs"
    assert [line for line in lines if "VCPU" in line] == ["(XEN) \tVCPU 0", "(XEN) \tVCPU 1"]
    assert "(XEN) >>> Domain 1 <<<" in lines
    assert sum("vintr = 0x81000000" in line for line in lines) == 2
    assert sum(line.startswith("(XEN) exitinfo1 = 0x1000000f0 exitinfo2 = 0") for line in lines) == 2
    assert lines[-1] == "(XEN) **************************************"


moves = st.one_of(
    st.tuples(st.just("hlt"), st.integers(0, 4)),
    st.tuples(st.just("ipi"), st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.just("all"), st.integers(0, 4)),
    st.tuples(st.just("irq"), st.integers(0, 4)),
    st.tuples(st.just("cli"), st.integers(0, 4)),
    st.tuples(st.just("nmi"), st.integers(0, 4)),
)


@settings(max_examples=40)
@given(st.sampled_from([0, 10]), st.integers(1, 4), st.lists(moves, max_size=15))
def test_round_robin_leaves_nobody_waiting(patches: int, cores: int, todo: list[tuple[Any, ...]]) -> None:
    """After each of its moves no runnable vCPU waits while a core idles; nothing that came is lost."""
    m = Machine(cores=cores, scheduler="round-robin")
    xen = m.boot("svm=avic" if patches else "", patches=patches)
    vcpus = xen.create_domain(5).vcpus
    xen.set_irq(vcpus[0], 0x31)
    for v in vcpus:
        if v.state == "guest mode":
            v.guest.write("SVR", 0x1FF)
    for what, who, *to in todo:
        v = vcpus[who]
        if what in ("irq", "nmi"):
            xen.set_irq(v, 0x62) if what == "irq" else xen.nmi(v)
        elif v.state == "guest mode":
            if what == "ipi":
                ipi(v, vcpus[to[0]].apic_id, VECTOR)
            elif what == "all":
                ipi(v, 0, ALL_BUT_SELF | VECTOR)
            else:
                v.guest.execute((Insn(what),))
        waiting = [v.name for v in vcpus if v.state == "runnable"]
        idle = [p.core.index for p in m.world.objects["pcpus"] if not m.world.at[p.current]]
        assert not (waiting and idle), (what, who)

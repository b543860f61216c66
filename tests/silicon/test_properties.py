"""What holds for every machine, guest and schedule: no interrupt lost, none twice, PPR always right."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avickit import Machine
from avickit.beat import Do, Site
from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.manual.apic import Offset
from avickit.silicon import deliver, guest, vmexit, vmrun
from avickit.silicon.guest import Insn, write
from avickit.silicon.parts import GUEST
from avickit.xen import vlapic_init
from tests.silicon.random_runs import Run, interleaved, played, runs

IRR, ISR, TPR, PPR, SVR = (o >> 4 for o in (Offset.IRR, Offset.ISR, Offset.TPR, Offset.PPR, Offset.SVR))
ENABLED = 1 << 8
"""The software enable bit of SVR: Xen asks it, the hardware does not."""
HERE = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def bits(value: int) -> set[int]:
    """The vectors of a 256-bit value."""
    return {n for n in range(256) if value >> n & 1}


def at_rest(v: VcpuHandle) -> tuple[int, int, bool]:
    """IRR, PPR and whether the guest's IF lets an interrupt in."""
    at = v._machine.world.at
    return at[v.vcpu.page + IRR], at[v.vcpu.page + PPR], bool(at[v.vcpu.guest.interrupt_flag])


def no_interrupt_is_lost_and_none_comes_twice(m: Machine, dom: DomainHandle) -> None:
    """H-IPI-5, H-IPI-6, H-EVAL-2, X7-1: each IRR bit that was set is taken once, or still pending, or reset."""
    for v in dom.vcpus:
        place = v.vcpu.page + IRR
        was_set: Counter[int] = Counter()
        cleared: Counter[int] = Counter()
        for site, where, old, new, _, _ in m.trace.raw:
            if where != place or old == new:
                continue
            if new & ~old:
                assert site.rule in ("H-IPI-5", "X7-1"), site.say
                assert site.do is Do.OR
                was_set.update(bits(new & ~old))
            if old & ~new:
                assert site in (deliver.CLEAR_IRR, vlapic_init.RESET_REG), site.say
                if site is vlapic_init.RESET_REG:
                    cleared.update(bits(old & ~new))
        taken = Counter({vector: n for vector, n in v.guest.taken.items() if vector >= 16})
        pending = Counter(bits(m.world.at[place]))
        assert was_set == taken + pending + cleared, v.name


def who_can_take_an_interrupt_has_taken_it(m: Machine, dom: DomainHandle) -> None:
    """H-EVAL-1, X6-5: at rest nobody runs, and nobody sleeps, over an interrupt that he could take.

    But for who sleeps with its APIC disabled by SVR: Xen's look at IRR stops there (X0-5a), the hardware's does not
    (H-IPI-12).
    """
    for v in dom.vcpus:
        irr, ppr, flag = at_rest(v)
        if not flag or irr == 0 or (irr.bit_length() - 1) >> 4 <= ppr >> 4:
            continue
        if v.state == "guest mode":
            assert v.core is not None
            assert m.world.at[m.world.objects["cores"][v.core].shadow], f"{v.name} runs on"
        if m.world.at[v.vcpu.page + SVR] & ENABLED:
            assert v.state != "blocked", f"{v.name} sleeps on"


def test_a_disabled_apic_sleeps_over_what_the_hardware_would_deliver() -> None:
    """H-IPI-12, X0-5a, X6-5: vlapic_has_pending_irq finds nothing in an APIC that SVR disables; VMRUN would."""
    m = Machine(cores=2, pages=32)
    xen = m.boot("svm=avic")
    v = xen.create_domain(1).vcpus[0]
    xen.run(v, 0)
    v.guest.cli()
    v.guest.execute([write("ICRL", 0x4_0041), write("SVR", 0xFF), Insn("sti"), Insn("hlt")])
    assert (v.state, v.page.irr) == ("blocked", {0x41})
    xen.wake(v)
    xen.run(v, 0)
    assert (v.state, v.page.irr, v.guest.taken[0x41]) == ("guest mode", set(), 1)


def expected_ppr(v_tpr: int, tpr: int, isr: int) -> int:
    """H-PRIO-1 and H-PRIO-3: V_TPR masks; the page gives the low nibble where the classes agree."""
    tpr = tpr if tpr >> 4 & 0xF == v_tpr else v_tpr << 4
    isrv = isr.bit_length() - 1 if isr else 0
    return tpr & 0xFF if tpr >> 4 & 0xF >= isrv >> 4 else isrv & 0xF0


STEPS_OF_A_GUEST: tuple[Site, ...] = (
    guest.START,
    guest.RETIRE,
    guest.FINISH,
    guest.COUNT,
    guest.PUSH,
    guest.IRET,
    deliver.LEAVE,
    vmexit.LEAVE_GUEST,
)


def ppr_is_always_right_and_isr_nests_by_class(m: Machine, dom: DomainHandle) -> None:
    """H-PRIO-1, H-PRIO-3, H-EVAL-2: whenever a guest goes on, PPR in its page is that of V_TPR and ISR."""
    at = m.trace.state(0)
    page_of = {v.vcpu.guest.index: v.vcpu.page for v in dom.vcpus}
    priority = {page + slot: page for page in page_of.values() for slot in (TPR, ISR, PPR)}
    in_service = {page + ISR for page in page_of.values()}
    cores: list[Any] = m.world.objects["cores"]
    from_outside: set[int] = set()
    for site, place, old, new, _, actor in m.trace.raw:
        if site in STEPS_OF_A_GUEST and actor >= 0 and at[cores[actor].mode] == GUEST:
            page = page_of[at[cores[actor].guest]]
            v_tpr = at[cores[actor].vintr] & 0xF
            if page not in from_outside:
                assert at[page + PPR] == expected_ppr(v_tpr, at[page + TPR], at[page + ISR]), site.say
        if place in priority and old != new and site.module.startswith(("avickit.xen", "avickit.series")):
            from_outside.add(priority[place])
        if site is vmrun.ENTER:
            from_outside.discard(page_of[at[cores[actor].guest]])
        if place in in_service and new & ~old:
            highest_before = old.bit_length() - 1 if old else 0
            assert site is deliver.SET_ISR
            assert (new & ~old).bit_length() - 1 >> 4 > highest_before >> 4, "a class above all that are in service"
        at[place] = new


def hardware_never_writes_the_tables(m: Machine, dom: DomainHandle) -> None:
    """H-TAB-4: no beat of silicon changes a page of either table, but for the heap that hands it out."""
    places = {t.place + n for t in (dom.physical_table, dom.logical_table) for n in range(512)}
    for site, place, *_ in m.trace.raw:
        if place in places and site.do is not Do.LOAD and site.do is not Do.FENCE:
            assert not site.module.startswith("avickit.silicon"), site.say


def exits_are_told_as_they_were(m: Machine, dom: DomainHandle) -> None:
    """H-IPI-10, H-EXIT-1, H-EXIT-2: a trap's register holds what EXITINFO1 says was written."""
    for v in dom.vcpus:
        for e in v.exits:
            assert e.code != -1, e.reason
            if e.code == 0x401:
                assert e.past
                assert e.info2 >> 32 in (0, 1, 2, 4)
                assert not e.info1 >> 12 & 1
            elif e.code == 0x402:
                assert e.past == (e.info1 & 0xFF0 not in (0x090, 0x0A0, 0x390))


def audit(m: Machine, dom: DomainHandle) -> None:
    """All of it, of one machine."""
    no_interrupt_is_lost_and_none_comes_twice(m, dom)
    who_can_take_an_interrupt_has_taken_it(m, dom)
    ppr_is_always_right_and_isr_nests_by_class(m, dom)
    hardware_never_writes_the_tables(m, dom)
    exits_are_told_as_they_were(m, dom)


@HERE
@given(runs())
def test_on_random_runs(run: Run) -> None:
    audit(*played(run))


@HERE
@given(runs(), st.lists(st.integers(0, 70), min_size=3, max_size=8).map(tuple))
def test_where_guests_are_stopped_inside_an_algorithm(run: Run, stops: tuple[int, ...]) -> None:
    """The same with others acting in between: no order of the beats loses anything."""
    audit(*interleaved(run, stops))


def test_the_runs_are_worth_while() -> None:
    """Among random runs every kind of exit occurs, nested handlers, and every failure but the broken page."""
    seen: Counter[str] = Counter()

    @settings(max_examples=40, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(runs())
    def collect(run: Run) -> None:
        for v in played(run, record=False)[1].vcpus:
            seen.update(f"exit {int(e.code):x}" for e in v.exits)
            seen.update(f"id {e.info2 >> 32}" for e in v.exits if e.code == 0x401)
            seen.update(f"taken {vector:x}" for vector in v.guest.taken)
            seen.update((v.state, f"in service {len(v.page.isr)}"))

    collect()
    wanted = (
        "exit 60,exit 78,exit 401,exit 402,id 0,id 1,id 2,id 4,taken 41,taken 50,taken 8f,taken e0,guest mode,blocked"
    )
    assert not set(wanted.split(",")) - set(seen), seen
    assert seen["in service 2"] + seen["in service 3"] > 0


def test_a_lost_interrupt_would_be_found() -> None:
    """The oracle is not blind: take a bit away behind everybody's back, and the sums do not agree."""
    m = Machine(cores=2, pages=32)
    xen = m.boot("svm=avic")
    v = xen.create_domain(1).vcpus[0]
    xen.run(v, 0)
    v.guest.cli()
    v.guest.write("ICRL", 0x4_0041)
    was_set = sum(1 for s, p, old, new, _, _ in m.trace.raw if p == v.vcpu.page + IRR and new & ~old)
    assert (was_set, v.page.irr) == (1, {0x41})
    m.world.at[v.vcpu.page + IRR] = 0
    v.guest.execute([])
    assert was_set != sum(v.guest.taken.values()) + len(v.page.irr)

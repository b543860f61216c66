"""What if: a fork between two beats, an act, and the rest of the program; the original is never touched."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avickit.errors import AvicError
from avickit.lab.acts import ACTS, do
from avickit.lab.aligned import beat_key
from avickit.lab.explore import explore
from avickit.lab.given import READ, pages
from avickit.lab.machine import Machine
from avickit.lab.what_if import what_if
from tests.lab.test_aligned import play


@pytest.fixture
def sent() -> Machine:
    """One IPI from d1v0 to d1v1, and its end."""
    return play(["send", "eoi"])


def handed(m: Machine) -> int:
    """The beat that sets the target's IRR bit; the next one reads IsRunning. (H-IPI-5)"""
    return m.trace.where(rule="H-IPI-5", kind="UPDATE")[0].n


POSSIBLE: list[tuple[Any, ...]] = [
    ("deschedule", "d1v1"),
    ("deschedule", "d1v1", "at once"),
    ("run", "d1v1", 2),
    ("write", "d1v1", "TPR", "50h"),
    ("store", "d1 physical table", 2, "IS_RUNNING=0"),
    ("store", "d1v1 vAPIC page", "IRR", "41 52h"),
    ("store", "d1v0 VMCB", "CLEAN", 0),
    ("ring", "1"),
    ("set_irq", "d1v1", "63h"),
    ("nmi", "d1v1"),
    ("wake", "d1v1"),
    ("pause", "d1v1"),
    ("eoi", "d1v1"),
    ("hlt", "d1v1"),
    ("advance", 1000),
]


def test_every_act_is_tried() -> None:
    assert {name for name, *_ in POSSIBLE} | {"unpause"} == {act.name for act in ACTS}
    assert {i.kind for act in ACTS for i in act.inputs} <= set(READ)


def test_who_is_paused_can_be_unpaused_and_nobody_else(sent: Machine) -> None:
    with pytest.raises(AvicError, match="expected a vCPU that is paused"):
        what_if(sent, len(sent.trace), "unpause", "d1v1")
    assert sent.xen
    m = sent.fork()
    assert m.xen
    b = m.xen.domains[0].vcpus[1]
    m.xen.pause(b)
    paused = len(m.trace)
    m.xen.set_irq(b, 0x63)
    made = what_if(m, paused, "unpause", "d1v1")
    assert made.machine.xen
    assert (b.state, made.machine.xen.domains[0].vcpus[1].state) == ("paused", "runnable")


@pytest.mark.parametrize("act", POSSIBLE, ids=lambda act: f"{act[0]} {act[-1]}")
def test_between_irr_and_is_running_everything_can_happen(sent: Machine, act: tuple[Any, ...]) -> None:
    """Also while core 0 stands in the middle of its write to ICRL."""
    n, before, beats, commands = handed(sent), sent.world.at.copy(), len(sent.trace), list(sent.trace.commands)
    made = what_if(sent, n, *act)
    assert made.name.startswith(f"what if at beat {n}: ")
    keys = [[beat_key(m.trace, k) for k in range(1, n + 1)] for m in (sent, made.machine)]
    assert keys[0] == keys[1]
    assert made.machine.trace.state(n) == sent.trace.state(n)
    assert not made.machine.engine.stopped, "the rest has followed"
    assert sent.world.at == before
    assert (len(sent.trace), sent.trace.commands) == (beats, commands)
    assert repr(what_if(sent, n, *act).machine.trace[n + 1]) == repr(made.machine.trace[n + 1]), "the same every time"


@settings(max_examples=30)
@given(st.data())
def test_a_fork_is_the_original_up_to_the_act_at_any_beat(data: st.DataObject) -> None:
    m = play(["send", "eoi", "tpr", "send"])
    n = data.draw(st.integers(m.trace.commands[2].first, len(m.trace)))
    act = data.draw(st.sampled_from(POSSIBLE))
    before = m.world.at.copy()
    with suppress(AvicError):  # not every act is possible at every beat
        made = what_if(m, n, *act)
        assert made.machine.trace.state(n) == m.trace.state(n)
        assert made.machine.fork().world.at == made.machine.world.at, "what was done is in the log, and replays"
    assert m.world.at == before


def test_descheduled_in_between_the_sender_exits_instead_of_ringing(sent: Machine) -> None:
    """H-IPI-5, H-IPI-6: IRR is set already, then IsRunning reads 0."""
    made = what_if(sent, handed(sent), "deschedule", "d1v1", "at once")
    assert made.machine.xen
    a, b = made.machine.xen.domains[0].vcpus
    assert a.exits[-1].code.name == "AVIC_INCOMPLETE_IPI"
    assert b.page.irr == {0x41}
    assert not b.guest.taken
    assert made.note == "", "d1v0's EOI follows"


def test_what_cannot_follow_is_told(sent: Machine) -> None:
    made = what_if(sent, handed(sent), "pause", "d1v0")
    assert made.note.startswith("then d1v0: EOI: d1v0 is not in guest mode: paused")
    assert made.machine.trace.commands[-1].name == "resume", "what stood there has ended"


def test_a_doorbell_too_early_takes_the_vector_before_is_running_is_read(sent: Machine) -> None:
    """H-BELL-1, H-BELL-2: software may write the doorbell MSR, too."""
    made = what_if(sent, handed(sent), "ring", 1)
    assert made.name.endswith(": ring the doorbell of core 1")
    world = [b for b in made.machine.trace if b.actor == "world" and b.rule == "H-BELL-1"]
    assert [b.say for b in world] == ["rings the doorbell of core 1"]
    read = next(b.n for b in made.machine.trace.where(rule="H-IPI-5", kind="CHECK"))
    taken = next(b.n for b in made.machine.trace if b.place == "d1v1 taken 41h")
    assert world[0].n < taken < read
    assert made.machine.xen
    assert made.machine.xen.domains[0].vcpus[1].guest.taken == {0x41: 1}


def test_a_table_entry_that_lies_costs_an_exit(sent: Machine) -> None:
    """H-TAB-4, H-IPI-6."""
    made = what_if(sent, handed(sent), "store", "d1 physical table", "2", "IS_RUNNING=0")
    assert made.machine.xen
    a, _ = made.machine.xen.domains[0].vcpus
    assert [e.code.name for e in a.exits] == ["AVIC_NOACCEL", "AVIC_INCOMPLETE_IPI"]
    assert made.note == ""


def test_handles_of_the_original_name_what_is_meant(sent: Machine) -> None:
    assert sent.xen
    a, b = sent.xen.domains[0].vcpus
    n = handed(sent)
    by_handle = what_if(sent, n, "store", b.page, "TPR", 0x50)
    by_name = what_if(sent, n, "store", "d1v1 vAPIC page", "80h", "0x50")
    assert by_handle.name == by_name.name == f"what if at beat {n}: store 50h to d1v1 vAPIC page TPR"
    assert a.page.tpr == b.page.tpr == 0
    assert what_if(sent, n, "store", sent.xen.domains[0].physical_table, 2, {"IS_RUNNING": 0})


def test_between_two_commands_nobody_stands(sent: Machine) -> None:
    n = sent.trace.commands[-1].first
    made = what_if(sent, n, "write", "d1v0", "ICRL", 0x52)
    assert made.note == ""
    assert made.machine.xen
    assert made.machine.xen.domains[0].vcpus[1].guest.taken == {0x41: 1, 0x52: 1}


def test_what_if_in_a_branch(sent: Machine) -> None:
    one = what_if(sent, handed(sent), "deschedule", "d1v1", "at once")
    end = len(one.machine.trace)
    two = what_if(one.machine, end, "run", "d1v1", 2)
    assert two.machine.xen
    assert two.machine.xen.domains[0].vcpus[1].guest.taken == {0x41: 1}
    inside = what_if(one.machine, handed(one.machine) + 3, "ring", 1)
    assert inside.machine.trace.state(handed(sent) + 3) == one.machine.trace.state(handed(sent) + 3)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (("dance",), "what if: dance given, expected deschedule, run"),
        (("ring",), "core: nothing given"),
        (("ring", 9), r"core: 9 given, expected 0\.\.3"),
        (("ring", "one"), "core: one given, expected a core such as"),
        (("ring", 1, 2), "arguments of ring: 2 given, expected core"),
        (("run", "d1v7", 1), "vCPU: d1v7 given, expected a vCPU: d1v0, d1v1"),
        (("write", "d1v1", "ICRX", 1), "APIC register: ICRX given.*near it: ICR"),
        (("write", "d1v1", "TPR", 1 << 40), "value for"),
        (("write", "d1v0", "TPR", 1), "write: core 0 is in the middle of d1v0: write 41h to ICRL"),
        (("store", "d9 page", "TPR", 1), "page: d9 page given, expected a page: d1v0 vAPIC page"),
        (("store", "d1 physical table", 999, 1), "table index: 999 given"),
        (("store", "d1 physical table", 2, "IS_FLYING=0"), "field of PhysicalEntry: IS_FLYING given"),
        (("store", "d1 physical table", 2, "value=0"), "field: value given"),
        (("store", "d1v1 vAPIC page", "SVR", "much"), "value: much given"),
        (("store", "d1v1 vAPIC page", "IRR", "300"), r"vector: 300 given, expected 0\.\.255"),
        (("store", "d1v1 VMCB", "NONSENSE", 1), "VMCB word: NONSENSE given"),
        (("store", "d1v1 vAPIC page", "", 1), "register or entry: nothing given"),
        (("deschedule", "d1v1", "soon"), "how: soon given"),
        (("set_irq", "d1v1", 256), "vector: 256 given"),
        (("advance", 0), "ns: 0 given"),
        (("advance", True), "ns: True given"),
    ],
)
def test_impossible_acts_are_named_and_change_nothing(sent: Machine, act: tuple[Any, ...], said: str) -> None:
    before, beats = sent.world.at.copy(), len(sent.trace)
    with pytest.raises(AvicError, match=f"what if at beat {handed(sent)}: {said}"):
        what_if(sent, handed(sent), *act)
    assert sent.world.at == before
    assert len(sent.trace) == beats


def test_in_a_race_too_and_the_order_goes_on_as_far_as_it_can() -> None:
    """Each act at some beats of an order that the explorer found; a thread may now end before the order says."""
    m = explore("race-sleep-against-ipi", defects=["X01"]).machine
    assert m is not None
    first, refused, made = m.trace.commands[-1].first, 0, 0
    for n in range(first + 1, len(m.trace), 9):
        for act in (("nmi", "d1v1"), ("store", "d1 physical table", 2, 0), ("run", "d1v1", 2)):
            try:
                fork = what_if(m, n, *act).machine
            except AvicError:
                refused += 1
                continue
            made += 1
            assert fork.trace.state(n) == m.trace.state(n)
            assert not fork.engine.stopped
            assert fork.fork().world.at == fork.world.at
    assert made > refused


def test_nothing_that_comes_of_nothing(sent: Machine) -> None:
    assert sent.xen
    sent.xen.deschedule(sent.xen.domains[0].vcpus[1], sync=True)
    with pytest.raises(AvicError, match="deschedule d1v1: nothing comes of it"):
        what_if(sent, len(sent.trace), "deschedule", "d1v1")


def test_beats_and_recordings_that_are_not_there(sent: Machine) -> None:
    with pytest.raises(AvicError, match="beat: 100000 given"):
        what_if(sent, 100_000, "ring", 1)
    short = Machine(cores=1, limit=3)
    short.boot("svm=avic")
    with pytest.raises(AvicError, match="complete recording"):
        what_if(short, 2, "ring", 0)
    with pytest.raises(AvicError, match="has not booted"):
        do(Machine(cores=1), "nmi", "d1v0")


def test_every_page_has_one_name(sent: Machine) -> None:
    found = pages(sent)
    assert len({page.place for page in found.values()}) == len(found)
    assert [sent.trace.world.page_names[(p.place - 1) // 512][0] for p in found.values()] == list(found)


def test_doorbells_of_software_are_commands_like_others(sent: Machine) -> None:
    assert sent.xen
    sent.xen.ring(1)
    assert sent.trace.commands[-1].name == "ring"
    assert sent.fork().world.at == sent.world.at
    with pytest.raises(AvicError, match="core: 4 given"):
        sent.xen.ring(4)
    far = Machine(cores=2, host_ids=(0, 300))
    with pytest.raises(AvicError, match=r"physical APIC ID of the core: 300 given, expected 0\.\.255"):
        far.boot("svm=avic").ring(1)

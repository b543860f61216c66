"""`explore` as a user has it: verdicts, counterexamples as ordinary traces, limits, predicates, what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from avickit import Stepper, data
from avickit.beat import Beats, World
from avickit.errors import AvicError
from avickit.lab import trace_json
from avickit.lab.explore import Exploration, Predicate, explore
from avickit.lab.scenario import ScenarioError, load
from avickit.series import p05_vmexit_handlers as p05
from avickit.silicon import guest
from avickit.silicon.deliver import IRR
from avickit.silicon.parts import Core, Guest
from avickit.xen import intr
from avickit.xen.parts import Vcpu, domain_crash
from tests.lab import overlays

IPI = "race-sleep-against-ipi"
TEXT = data.scenario(IPI).read_text("utf-8")
RACES = [
    path.stem
    for path in data.scenarios()
    if path.stem.startswith("race-") and "defects = " not in path.read_text("utf-8")
]


def with_erratum(choices: str = "") -> Any:
    """The race on a part with erratum 1235."""
    return load(f"{TEXT}\n[machine]\nerrata = [1235]\n{choices}")


def test_a_defect_by_name_and_the_fix() -> None:
    """X03: the file's defect, another one instead of it, none."""
    assert explore("race-plain-store").verdict == "lost wake-up"
    assert explore("race-plain-store", "sc").verdict == "pass"
    assert explore("race-plain-store", "sc", defects=["X01"]).verdict == "lost wake-up"
    fixed = explore("race-plain-store", defects=())
    assert (fixed.verdict, fixed.complete) == ("pass", True)
    assert explore(IPI, "tso", version="A2").bad["lost wake-up"]


@pytest.fixture(scope="module")
def lost() -> Exploration:
    """X03's lost wake-up, by erratum 1235 instead, which a fork knows of."""
    return explore(with_erratum(), "tso")


# ---- correct code ----


@pytest.mark.parametrize("name", RACES)
def test_the_correct_code_is_explored_to_the_end(name: str) -> None:
    """2 and 3 vCPUs, with store buffers: every order, and nothing found."""
    result = explore(name, "tso")
    assert (result.verdict, result.complete, dict(result.bad)) == ("pass", True, {})
    assert result.executions > 10
    assert 1 < result.finals <= result.executions


def test_there_are_races_of_two_and_of_three_vcpus() -> None:
    assert {sum(load(name).domains) for name in RACES} == {2, 3}


def test_it_is_deterministic() -> None:
    one, two = explore(with_erratum(), "tso"), explore(with_erratum(), "tso")
    assert one.data() == two.data()
    assert repr(one) == repr(two)
    assert str(one) == str(two)


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_reduction_and_full_search_agree_on_the_machine(memory: str) -> None:
    for scenario in (IPI, with_erratum()):
        one, all_ = explore(scenario, memory), explore(scenario, memory, reduction=False)
        assert (one.finals, one.bad, one.verdict) == (all_.finals, all_.bad, all_.verdict)
        assert all_.orders is not None
        assert all_.orders > 1000 * one.executions


# ---- the counterexample ----


def test_the_counterexample_is_an_ordinary_trace(lost: Exploration) -> None:
    m = lost.machine
    assert lost.verdict == "lost wake-up"
    assert lost.says == "d1v1 sleeps, and vector 41h waits in its IRR"
    v = m.vcpu(1)
    assert (v.state, v.page.irr) == ("blocked", {0x41})
    assert m.trace.commands[-1].name == "race"
    assert lost.first == m.trace.commands[-1].first + 1
    assert [beat.n for beat in lost.beats] == list(range(lost.first, len(m.trace) + 1))
    assert {beat.actor for beat in lost.beats} == {"core 0", "core 1"}


def test_it_forks_at_any_beat_and_goes_on(lost: Exploration) -> None:
    m = lost.machine
    for n in (lost.first + 5, lost.racing[0], len(m.trace)):  # type: ignore[index]
        other = m.fork(n)
        assert other.world.at == m.trace.state(n)
        if n < len(m.trace):
            other.finish()
        assert list(other.trace) == list(m.trace)
    assert trace_json.loads(m.trace.json()).commands == m.trace.commands


def test_the_two_beats_that_race_are_marked(lost: Exploration) -> None:
    """H-CPUID-5: the sender's read of IsRunning against the sleeper's clear, or the two accesses of IRR."""
    assert lost.racing is not None
    one, two = (lost.machine.trace[n] for n in lost.racing)
    assert one.place == two.place
    assert one.place in ("d1 physical table entry 2", "d1v1 vAPIC page IRR")
    assert one.say.endswith(f"; races with beat {two.n}")
    assert two.say.endswith(f"; races with beat {one.n}")
    assert one.actor != two.actor


def test_no_shorter_order_goes_wrong(lost: Exploration) -> None:
    """The full search knows of none."""
    everything = explore(with_erratum(), "tso", reduction=False)
    assert everything.shortest.beats == lost.shortest.beats


def test_it_opens_in_the_stepper(lost: Exploration) -> None:
    stepper = Stepper(lost)
    assert stepper.beat == lost.opens == lost.racing[0]  # type: ignore[index]
    assert stepper.story.first == lost.first
    assert "races with beat" in stepper.text
    assert Stepper(lost, beat=lost.first + 1).beat == lost.first + 1


def test_store_buffers_are_seen(lost: Exploration) -> None:
    """A store waits in a cell of its core, and is gone from it when it has reached memory."""
    held = [beat for beat in lost.beats if "store buffer" in beat.place]
    assert held
    assert held[-1].new == ()
    assert lost.beats[-1].actor in ("core 0", "core 1")


def test_the_diagram_has_a_column_for_each_actor(lost: Exploration) -> None:
    lines = str(lost).splitlines()
    assert lines[0].startswith("<text>, tso: lost wake-up; ")
    head = next(line for line in lines if line.startswith("   beat"))
    assert head.split()[1::3] == ["sleeper", "sender"]
    marked = [line for line in lines if line.startswith(" > ") and line[3:8].strip()]
    assert [int(line[3:8]) for line in marked] == list(lost.racing or ())


def test_the_diagram_shows_when_a_store_begins_to_wait() -> None:
    """It is the line that explains the loss: the store waits while IRR is read."""
    text = " ".join(str(explore("race-plain-store", "tso")).split())
    waits = text.index("core's store buffer: d1 physical table entry 2 = 8000000000008001h")
    assert waits < text.index("reads IRR") < text.index("(out of the store buffer)")
    assert "('" not in text, "words, no tuple"


def test_nothing_found_has_no_counterexample() -> None:
    result = explore(IPI, "sc")
    assert result.ok
    assert result.says == ""
    assert result.data()["counterexample"] is None
    with pytest.raises(AvicError, match="nothing was found"):
        _ = result.machine


# ---- the doorbell ----


@pytest.mark.parametrize(
    ("memory", "order", "verdict"),
    [
        ("tso", "may-overtake", "late delivery"),
        ("tso", "after-stores", "pass"),
        ("sc", "may-overtake", "pass"),
    ],
)
def test_a_doorbell_may_overtake_the_interrupt(memory: str, order: str, verdict: str) -> None:
    """H-BELL-1: not serializing. An IRR write that is no barrier may come behind its own doorbell."""
    scenario = with_erratum(f'choices = {{ doorbell_order = "{order}" }}\n')
    text = scenario.source.text.replace('sleeper = [{ vcpu = "v1", do = "hlt" }]\n', "")
    assert explore(load(text), memory, properties=["late delivery"]).verdict == verdict


# ---- the properties ----


def broken(replace: Callable[[World], None], race: str = "") -> Exploration:
    """The race with a defect, and perhaps another race."""
    text = TEXT.replace('sender = [{ vcpu = "v0", write = "ICRL", value = 0x41 }]\n', race) if race else TEXT
    return explore(load(text), "sc", overlay=replace)


def test_double_delivery_is_found() -> None:
    """X22: Xen injects what the hardware delivers again."""

    def injects(w: World) -> None:
        before = intr.pending_for_injection.fn

        def pending_for_injection(w: World, core: Core, v: Vcpu) -> Beats[tuple[intr.Source, int]]:
            return (yield from before(w, core, v))

        w.replace(intr.pending_for_injection, pending_for_injection, "X22")

    race = 'sender = [{ vcpu = "v0", write = "ICRL", value = 0x41 }]\nscheduler = [{ run = "v1", core = 1 }]\n'
    result = broken(injects, race)
    assert result.verdict == "double delivery"
    assert result.says == "d1v1 took vector 41h 2 times, and accepted it 1 times"
    assert broken(lambda _: None, race).verdict == "pass"


def test_wrong_delivery_is_found() -> None:
    def another(w: World) -> None:
        def enter_handler(w: World, guest_: Guest, vector: int) -> Beats[None]:
            yield from guest.enter_handler.fn(w, guest_, vector + 1)

        def same_names(w: World, guest: Guest, vector: int) -> Beats[None]:
            yield from enter_handler(w, guest, vector)

        w.replace(guest.enter_handler, same_names, "wrong vector")

    text = TEXT.replace('sleeper = [{ vcpu = "v1", do = "hlt" }]\n', "")
    result = explore(load(text), "sc", overlay=another)
    assert result.verdict == "wrong delivery"
    assert result.says == "d1v1 took vector 42h, which its APIC never accepted"


def test_a_crashed_domain_is_found() -> None:
    def crashes(w: World) -> None:
        def wake_targets(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: Any) -> Beats[None]:
            yield from domain_crash(w, v.domain, "no target")

        wake_targets.__annotations__ = p05.wake_targets.fn.__annotations__
        w.replace(p05.wake_targets, wake_targets, "crash")

    result = broken(crashes)
    assert "domain" in result.bad
    assert "d1 is crashed" in {found[0].says for found in result._found.values()}


def test_an_error_of_the_hypervisor_is_found_and_played_again() -> None:
    result = broken(overlays.broken_hypervisor)
    assert "host" in result.bad
    assert "sleeper: AvicError: a NULL pointer" in {found[0].says for found in result._found.values()}
    assert len(result.machine.trace) > result.first


# ---- limits ----


def test_few_preemptions() -> None:
    """A bound leaves orders out; to look before the clear needs one preemption to go wrong."""
    counts = [explore(IPI, "sc", preemptions=n).orders for n in range(3)]
    assert counts == sorted(counts)  # type: ignore[type-var]
    found = [explore(IPI, "sc", preemptions=n, overlay=overlays.look_then_clear) for n in range(2)]
    assert [result.verdict for result in found] == ["pass", "lost wake-up"]
    assert "at most 1 preemptions" in repr(found[1])
    assert not found[1].reduced


def test_so_many_orders() -> None:
    result = explore(IPI, "sc", executions=7)
    assert (result.executions, result.complete, result.verdict) == (7, False, "unfinished")
    assert repr(result).endswith("not finished>")


def test_ctrl_c_gives_what_was_found_so_far() -> None:
    calls = []

    def holds(look: Callable[[int], Any]) -> bool:
        calls.append(1)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return True

    result = explore(IPI, "sc", always=lambda m: [Predicate("counted", (m.vcpu(1).page.place + IRR,), holds)])
    assert (result.interrupted, result.complete, result.verdict) == (True, False, "unfinished")
    assert result.executions > 0


# ---- predicates on the way ----


@pytest.mark.parametrize("reduction", [True, False])
def test_a_predicate_on_the_way(reduction: bool) -> None:
    """IsRunning is 1 as long as is_running is: nothing but the block hook breaks that, in the middle of a race."""

    def predicates(m: Any) -> list[Predicate]:
        v = m.vcpu(1).vcpu
        entry, is_running = m.xen.domains[0].physical_table.place + 2, v.cells.is_running
        return [Predicate("in step", (entry, is_running), lambda look: look(entry) >> 62 & 1 == look(is_running))]

    result = explore(IPI, "sc", always=predicates, reduction=reduction)
    assert result.verdict == "in step"
    assert "IsRunning" in result.beats[-1].say
    assert result.machine.fork(result.first - 1).vcpu(1).state == "guest mode"


def test_a_predicate_looks_only_where_it_says() -> None:
    with pytest.raises(AvicError, match="a place that it declares"):
        explore(IPI, "sc", always=[Predicate("curious", (5,), lambda look: look(6))])


# ---- what is refused ----

REFUSED = {
    "there is no .race. to explore": ('sleeper = [{ vcpu = "v1", do = "hlt" }]', None),
    "this step cannot race": ("sleeper = [{ advance = 5 }]", ""),
    "deschedule with sync cannot race": ('sleeper = [{ deschedule = "v1", sync = true }]', ""),
    "is another actor's already": ('sleeper = [{ set_irq = "v1", vector = 0x41, core = 0 }]', ""),
    "an actor works on one core": (
        'sleeper = [{ wake = "v1" }, { set_irq = "v1", vector = 0x41, core = 2 }, '
        '{ set_irq = "v1", vector = 0x42, core = 3 }]',
        "",
    ),
    "expected instructions of v1 only": ('sleeper = [{ vcpu = "v1", do = "hlt" }, { wake = "v1" }]', ""),
    "depends on the order of the race": ('sleeper = [{ vcpu = "v1", read = "PPR", gives = 0 }]', ""),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_race_is_refused_with_its_place(message: str) -> None:
    line, rest = REFUSED[message]
    text = TEXT.replace('sleeper = [{ vcpu = "v1", do = "hlt" }]', line)
    if rest is None:
        text = TEXT[: TEXT.index("[race]")]
    with pytest.raises(ScenarioError, match=message):
        explore(load(text), "sc")


def test_a_sleeper_cannot_begin_asleep() -> None:
    text = TEXT.replace('{ mark = "the race" }', '{ vcpu = "v1", do = "hlt" },\n  { mark = "the race" }', 1)
    with pytest.raises(ScenarioError, match="d1v1 is blocked when the race begins, expected guest mode"):
        explore(load(text), "sc")


def test_unknown_words_are_refused() -> None:
    with pytest.raises(AvicError, match="memory: pso given, expected sc or tso"):
        explore(IPI, "pso")
    with pytest.raises(AvicError, match="property: luck given"):
        explore(IPI, properties=["luck"])
    with pytest.raises(AvicError, match="preemptions"):
        explore(IPI, preemptions=-1)
    with pytest.raises(AvicError, match="near it: race-sleep"):
        explore("race-sleep")

"""The plain form does what the generators do: the same places, clock, console, answers and exceptions."""

import ast
import importlib
import inspect
import pkgutil
from contextlib import suppress
from inspect import isgeneratorfunction
from itertools import product
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import avickit.series
import avickit.silicon
import avickit.xen
from avickit import Machine
from avickit.beat import CLOCK, LOAD, STORE, WAIT, Beats, Kind, Site, World, drive
from avickit.errors import Deadlock
from avickit.lab import scripts
from avickit.lab.derive import Underivable, derive, plain_source, run_plain
from avickit.manual.exits import ExitCode
from avickit.silicon import deliver, doorbell, ipi
from avickit.silicon.guest import eoi
from avickit.silicon.parts import TAKE_HEAP, Core
from avickit.silicon.run import complete, run_core
from avickit.xen import sched
from avickit.xen.vlapic_pt import READ_CLOCK
from tests.lab.derive_programs import Bench, Do, acts, choices, differences

PATCHES = st.sampled_from((0, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10))
CPU = st.sampled_from(("epyc", "epyc", "epyc", "carrizo", "bulldozer"))
LOOK = Site(Kind.READ, LOAD, "test", "test", "looks")
COMES = Site(Kind.CHECK, WAIT, "test", "test", "waits for it")
MARK = Site(Kind.UPDATE, STORE, "test", "test", "marks")
NO_SOURCE: dict[str, Any] = {"LOOK": LOOK}
exec("def from_nowhere(w, page, vector):\n    yield LOOK(page)", NO_SOURCE)


def both(patches: int = 10, **kw: Any) -> tuple[Bench, Bench]:
    return Bench(patches, fast=False, **kw), Bench(patches, fast=True, **kw)


def same(slow: Bench, fast: Bench, program: list[Do]) -> None:
    assert differences(slow, fast) == {}
    for n, act in enumerate(program):
        one, other = slow.do(act), fast.do(act)
        assert one == other, f"step {n}: {act}"
        assert differences(slow, fast) == {}, f"step {n}: {act} {one}"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PATCHES, choices(), CPU, st.lists(acts(), min_size=5, max_size=30))
def test_random_programs(patches: int, chosen: dict[str, str], cpu: str, program: list[Do]) -> None:
    same(*both(patches, cpu=cpu, choices=chosen), program)


@pytest.mark.parametrize("patches", [0, 5, 6, 7, 8, 10])
def test_every_kind_of_interrupt_command(patches: int) -> None:
    slow, fast = both(patches, errata=(1235,))
    kinds = product((0x41, 0x5), range(8), (0, 1), (0, 1), range(4))
    program = [Do("guest", "on", n, (0x41, n % 3)) for n in range(4)]
    for n, (vector, kind, mode, trigger, short) in enumerate(kinds):
        low = vector | kind << 8 | mode << 11 | 1 << 14 | trigger << 15 | short << 18
        program += [Do("guest", "send", n % 3, (2 + n % 5, low)), Do("guest", "eoi", n % 2), Do("xen", "run", 3, (1,))]
    same(slow, fast, program)


@pytest.mark.parametrize("patches", [0, 5, 6, 7, 10])
def test_interrupts_that_wait_for_a_window(patches: int) -> None:
    slow, fast = both(patches)
    raised = [
        Do("xen", name, 0, (vector,)) for name, vector in (("set_irq", 0x31), ("extint", 0x52), ("callback", 0xEF))
    ]
    shut, opened = Do("guest", "cli"), [Do("guest", "sti"), Do("guest", "nop"), Do("guest", "eoi")]
    level = Do("machine", "level", 0, (0x41,))
    same(slow, fast, [step for act in raised for step in (shut, act, *opened)])
    same(slow, fast, [shut, *raised, *opened, level, *opened])
    exits = [[e.code for e in bench.domain.vcpus[0].exits] for bench in (slow, fast)]
    assert exits[0] == exits[1]
    assert (ExitCode.VMEXIT_VINTR in exits[0]) == (patches == 0)


@pytest.mark.parametrize("patches", [0, 5, 7, 8, 10])
def test_timers_read_the_same_clock(patches: int) -> None:
    slow, fast = both(patches)
    program = [Do("guest", "arm", 0, (mode, 300)) for mode in (0, 1, 2)]
    looks = [Do("guest", "read", 0, ("TMCCT", 4)), Do("machine", "advance", 0, (777,)), Do("guest", "eoi", 0)]
    same(slow, fast, [Do("guest", "on", 0, (0x31, 2)), *(step for act in program for step in (act, *looks, *looks))])
    assert slow.m.clock == fast.m.clock > 3 * 2 * 777


def test_prices_fall_back_to_the_generators() -> None:
    slow, fast = both(prices={ipi.SET_IRR: 40, doorbell.RING: 100})
    same(slow, fast, [Do("guest", "send", 0, (2, 0x41)), Do("guest", "read", 1, ("IRR", 4))])
    w = fast.m.world
    run_plain(w, run_core(w, w.objects["cores"][0]))
    assert derive(w).fresh == {}


@pytest.mark.parametrize("recorded", [False, True])
def test_waiting_alone_is_the_same_deadlock(recorded: bool) -> None:
    slow, fast = both()
    for bench in (slow, fast):
        bench.m.engine.recording = recorded
        bench.m.world.at[bench.m.world.objects["memory"][0].lock] = 1
    assert slow.do(Do("machine", "create"))[0] == Deadlock.__name__
    assert fast.do(Do("machine", "create"))[0] == Deadlock.__name__
    assert differences(slow, fast) == {}


def functions() -> dict[str, Any]:
    """Every generator function of beats in the package, by module and name."""
    modules: list[ModuleType] = [scripts]
    for room in (avickit.silicon, avickit.xen, avickit.series):
        modules += [importlib.import_module(m.name) for m in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")]
    found = {}
    for module in modules:
        for name, value in vars(module).items():
            fn = getattr(value, "fn", value)
            beats = isgeneratorfunction(fn) and fn.__code__.co_varnames[0] in ("w", "ask")
            if beats and fn.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = fn
    return found


def test_every_function_of_the_package_has_a_plain_form() -> None:
    m = Machine(cores=2, record=False)
    m.boot("svm=avic")
    assert len(functions()) > 250
    for fn in functions().values():
        tree = ast.parse(plain_source(m.world, fn))
        assert not any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(tree)), fn
        assert not any(isinstance(node, ast.Attribute) and node.attr == "see" for node in ast.walk(tree)), fn


def test_a_named_number_is_a_number_in_the_code_and_a_name_in_the_text() -> None:
    m = Machine(cores=2, record=False)
    m.boot("svm=avic")
    code = derive(m.world)[deliver.accept].__code__
    assert not {"IRR", "ISR", "PPR", "CLASS"} & {*code.co_names, *code.co_freevars}
    assert {deliver.IRR, deliver.ISR, deliver.PPR, deliver.CLASS} <= {*code.co_consts}
    assert "CLASS" in plain_source(m.world, deliver.accept)
    assert "CLASS" in plain_source(m.world, deliver.accept)


def test_the_plain_form_is_readable() -> None:
    m = Machine(cores=2, record=False)
    m.boot("svm=avic")
    assert plain_source(m.world, deliver.accept) == (
        "def accept(w, core, page, vector):\n"
        "    _at[page + IRR] &= ~(1 << vector)\n"
        "    _at[page + ISR] |= 1 << vector\n"
        "    _at[page + PPR] = vector & CLASS\n"
        "    _at[0] += 3"
    )


def test_a_call_with_a_condition_among_its_arguments_is_no_call_any_more() -> None:
    m = Machine(cores=2, record=False)
    m.boot("svm=avic")
    assert "retire(" in inspect.getsource(complete.fn)
    assert "retire(" not in plain_source(m.world, complete)


# Overlays


def counted(place: int) -> Any:
    def accept_ipi(w: World, page: int, vector: int) -> Beats[None]:
        yield MARK(place, (yield LOOK(place)) + 1)
        yield from ipi.accept_ipi.fn(w, page, vector)

    return accept_ipi


def test_an_overlay_keeps_its_closure_in_each_world() -> None:
    for bench, area in ((Bench(10, fast=fast), n) for fast in (False, True) for n in range(2)):
        w = bench.m.world
        places = [w.area(f"count {n}", ("posts",)) for n in range(2)]
        w.replace(ipi.accept_ipi, counted(places[area]), "test")
        for _ in range(3):
            bench.do(Do("guest", "send", 0, (2, 0x41)))
        assert [w.at[place] for place in places] == [3 * (n == area) for n in range(2)]


def test_an_overlay_that_comes_later_counts() -> None:
    for fast in (False, True):
        bench = Bench(10, fast=fast)
        w = bench.m.world
        place = w.area("count", ("posts",))
        bench.do(Do("guest", "send", 0, (2, 0x41)))
        w.replace(ipi.accept_ipi, counted(place), "test")
        bench.do(Do("guest", "send", 0, (2, 0x42)))
        assert w.at[place] == 1


def silent(w: World, core: Core, host_apic_id: int) -> Beats[None]:
    return
    yield LOOK(0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_was_made_for_one_world_is_not_used_in_another(order: tuple[int, int]) -> None:
    benches = [Bench(10, fast=True), Bench(10, fast=True)]
    benches[1].m.world.replace(doorbell.ring, silent, "test")
    taken = {}
    for n in order:
        benches[n].do(Do("guest", "send", 0, (2, 0x41)))
        taken[n] = benches[n].domain.vcpus[1].guest.taken
    assert taken == {0: {0x41: 1}, 1: {}}


def test_a_copy_of_the_world_has_plain_forms_of_its_own() -> None:
    bench = Bench(10, fast=True)
    bench.do(Do("guest", "send", 0, (2, 0x41)))
    copy, clock = bench.m.world.copy(), bench.m.clock
    core = copy.objects["cores"][0]
    derive(copy)[sched.vcpu_kick](copy, core, copy.objects["vcpus"][1])
    assert copy.at[CLOCK] > clock == bench.m.clock


def test_a_started_generator_goes_on_as_a_generator() -> None:
    bench = Bench(10)
    w = bench.m.world
    beats = ipi.accept_ipi(w, bench.domain.vcpus[0].vcpu.page, 0x41)
    next(beats)
    derive(w)(beats)
    assert w.objects["vcpus"][0] is bench.domain.vcpus[0].vcpu


# What the program has to get right in a function's flow; each of these is run both ways


def loops(w: World, place: int, n: int) -> Beats[int]:
    found = 0
    while (yield LOOK(place)) < n:
        yield MARK(place, (yield LOOK(place)) + 1)
        if found > n:
            break
        if (yield LOOK(place)) % 2:
            continue
        found += (yield LOOK(place)) if n > 2 else (yield READ_CLOCK(CLOCK))
    return found


def answers(w: World, place: int, n: int) -> Beats[tuple[int, ...]]:
    before = yield ipi.SET_IRR(place, n)
    then = (yield deliver.CLEAR_IRR(place, ~1)) + (yield READ_CLOCK(CLOCK))
    if ((yield ipi.SET_IRR(place, 8)) and (yield LOOK(place)) > n) or (yield LOOK(place)) == n:
        then += yield READ_CLOCK(CLOCK)
    ask = MARK(place, n)
    last = yield ask
    return before, then, last, (yield READ_CLOCK(CLOCK)), (yield LOOK(place))


def raises(w: World, place: int, n: int) -> Beats[int]:
    yield MARK(place, n)
    if n > 1:
        yield MARK(place, n + 1)
        raise ValueError((yield LOOK(place)))
    assert n, (yield LOOK(place))
    total = sum([place, n]) + (yield LOOK(place))
    return total if n else (yield LOOK(place))  # type: ignore[no-any-return]


def sets_time(w: World, place: int, n: int) -> Beats[int]:
    yield LOOK(place)
    yield scripts.TIME(CLOCK, 1000 * n)
    yield from loops(w, place, n) if n > 1 else answers(w, place, n)
    return (yield LOOK(place)) + (yield from last(w, place, n=n))  # type: ignore[no-any-return]


def last(w: World, place: int, n: int = 3) -> Beats[int]:
    clock: int = yield READ_CLOCK(CLOCK)
    for step in [w.see[place], n]:
        clock += step + (yield LOOK(place))
    else:  # noqa: PLW0120
        yield MARK(place, clock)
    return clock


def hides(w: World, place: int, n: int) -> Beats[int]:
    see = w.see
    yield MARK(place, see[place] + n)
    with suppress(ValueError):
        n = [see[place], n, *(see[p] for p in (place,))].index(n + 7)
    found = [see[place]]
    del found[see[place] - see[place] :]
    return len(found) + n + sum(see[p] for p in (place, place))  # type: ignore[no-any-return]


def waits(w: World, place: int, n: int) -> Beats[int]:
    yield MARK(place, n // 2)
    yield TAKE_HEAP(place)
    yield MARK(place, n - 1)
    return (yield COMES(place))  # type: ignore[no-any-return]


def takes(w: World, place: int, n: int) -> Beats[tuple[int, ...]]:
    yield MARK(place, n)
    first = yield from deliver.tpr_value(w, (yield LOOK(place)) + (300 if n > 2 else 7))
    ppr = deliver.ppr_of(n << 4, 1 << 0x31 if n % 2 else 0)
    then = n + (yield from ipi.written_icrl(w, (n := n + 5)))
    later = (yield LOOK(place)) + (yield from deliver.tpr_value(w, n if n > 6 else (yield MARK(place, 9))))
    return first, ppr, then, later, n


def outcome(run: Any, w: World, fn: Any, n: int) -> Any:
    place = w.area("test", ("place",))
    try:
        found = run(fn(w, place, n))
    except (ValueError, AssertionError) as error:
        found = type(error).__name__, str(error).splitlines()[0]
    return found, w.at[place], w.at[CLOCK]


@pytest.mark.parametrize("fn", [loops, answers, raises, sets_time, last, hides, waits, takes])
@pytest.mark.parametrize("n", range(5))
def test_the_flow_of_a_function(fn: Any, n: int) -> None:
    one, other = World(), World()
    assert outcome(lambda beats: drive(one, beats), one, fn, n) == outcome(derive(other), other, fn, n)


# What cannot be derived


def tries(w: World, page: int, vector: int) -> Beats[None]:
    try:
        yield LOOK(page)
    finally:
        pass


def nests(w: World, page: int, vector: int) -> Beats[None]:
    def inner() -> Beats[None]:
        yield LOOK(page)

    yield from inner()


def many(*whatever: Any) -> Beats[None]:
    yield LOOK(1)


@pytest.mark.parametrize(
    ("fn", "why"),
    [
        (tries, r"test_derive.py:\d+: tries: a beat inside `try`, line \d+"),
        (nests, r"test_derive.py:\d+: nests: a beat inside `functiondef`, line \d+"),
        (many, r"test_derive.py:\d+: many: only plain positional parameters"),
        (NO_SOURCE["from_nowhere"], r"<string>:1: from_nowhere: its source is not to be had"),
    ],
)
def test_what_cannot_be_derived_is_named(fn: FunctionType, why: str) -> None:
    with pytest.raises(Underivable, match=why):
        derive(World())[fn]


def test_an_overlay_that_cannot_be_derived_is_refused_before_anything_has_run() -> None:
    bench = Bench(10, fast=True)
    before = bench.m.world.at.copy()
    bench.m.world.replace(ipi.accept_ipi, tries, "test")
    with pytest.raises(Underivable, match="tries"):
        bench.domain.vcpus[0].guest.write("ICRL", 0x41)
    assert bench.m.world.at == before


def test_a_source_that_has_changed_since_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from avickit.xen.sched import UNBLOCK\ndef changes(w, place):\n    yield UNBLOCK(place, ~1)\n"
    file = tmp_path / "module_that_changes.py"
    file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("module_that_changes")
    file.write_text(text.replace("~1", "~3"))
    with pytest.raises(Underivable, match=r"module_that_changes\.py:2: changes: its source has changed"):
        derive(World())[module.changes]


def test_what_is_not_recorded_any_more_runs_plain() -> None:
    slow = Machine(cores=2, record=False)
    fast = Machine(cores=2, limit=700, fast=True)
    for m in (slow, fast):
        a, b = m.boot("svm=avic").create_domain(vcpus=2).vcpus
        m.command("run", 0, 0)
        m.command("run", 1, 1)
        b.guest.on(0x41, [eoi()])
        a.guest.write("ICRH", b.apic_id << 24)
        for _ in range(20):
            a.guest.write("ICRL", 0x41)
    assert not fast.trace.complete
    assert fast.world.cache["plain"].fresh
    assert slow.world.at == fast.world.at

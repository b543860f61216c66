"""All state is in the World: undo, replay, fork and stepping agree, and nothing changes elsewhere."""

import dataclasses
import sys
from itertools import count
from types import FunctionType, ModuleType
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avickit import Machine
from avickit.beat import World
from tests.silicon.random_runs import Run, played, runs

HERE = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
SHORT = runs(least=4, most=12)


def console(m: Machine) -> list[str]:
    """What Xen has printed."""
    assert m.xen is not None
    return m.xen.console


def catch_up(other: Machine, m: Machine) -> None:
    """Finish the command inside which a fork stands, then do the commands that come after it."""
    done = sum(command.name != "resume" for command in other.trace.commands)
    if other.engine.stopped:
        other.finish()
    for name, args, _, _ in m.trace.commands[done:]:
        if name == "boot_xen":
            other.boot(args[0], patches=args[1], svm_avic=args[2])
        else:
            other.command(name, *args)


@HERE
@given(SHORT)
def test_undone_to_the_start_it_is_a_fresh_machine(run: Run) -> None:
    m, _ = played(run)
    fresh = Machine(**m.config).world.at
    start = m.trace.state(0)
    assert start[: len(fresh)] == fresh
    assert not any(start[len(fresh) :]), "cells that came later were 0"
    assert m.trace.state(len(m.trace)) == m.world.at


@HERE
@given(SHORT, st.data())
def test_forth_and_back_is_the_same_place(run: Run, data: st.DataObject) -> None:
    m, _ = played(run)
    n = data.draw(st.integers(0, len(m.trace)))
    forth = m.trace.state(0)
    for site_place_old_new in list(m.trace.raw)[:n]:
        _, place, old, new, time, _ = site_place_old_new
        assert forth[place] == old or place == 0, "a beat answers with what stands there"
        forth[place] = new
        forth[0] = time
    assert forth == m.trace.state(n)


@HERE
@given(SHORT, st.data())
def test_a_fork_anywhere_ends_where_the_original_ended(run: Run, data: st.DataObject) -> None:
    m, _ = played(run)
    before = m.world.at.copy(), len(m.trace.commands)
    for _ in range(3):
        n = data.draw(st.integers(0, len(m.trace)))
        other = m.fork(n)
        assert other.world.at == m.trace.state(n)[: len(other.world.at)]
        catch_up(other, m)
        assert other.world.at == m.world.at
        assert other.trace.raw.flat == m.trace.raw.flat
        assert console(other) == console(m)
        assert (other.world.programs, other.world.answers) == (m.world.programs, m.world.answers)
    assert (m.world.at, len(m.trace.commands)) == before, "forks leave the original alone"


@HERE
@given(SHORT, st.data())
def test_a_fork_stepped_beat_by_beat_goes_the_same_way(run: Run, data: st.DataObject) -> None:
    m, _ = played(run)
    n = data.draw(st.integers(0, len(m.trace)))
    other = m.fork(n)
    for beat in count(n + 1):
        if not other.engine.stopped:
            break
        if beat > n + 25:
            other.finish()
            break
        other.step()
        if len(other.trace) >= beat:
            assert other.world.at == m.trace.state(beat)[: len(other.world.at)]
    assert other.trace.raw.flat == m.trace.raw.flat[: len(other.trace.raw.flat)]
    catch_up(other, m)
    assert other.world.at == m.world.at


@HERE
@given(SHORT)
def test_unrecorded_it_is_the_same(run: Run) -> None:
    """The driver without a recorder does what the recorded one does."""
    m, _ = played(run)
    plain, _ = played(run, record=False)
    assert plain.world.at == m.world.at
    assert console(plain) == console(m)


# ---- nothing changes outside the World ----


def frozen(value: Any, seen: dict[int, Any]) -> Any:
    """A value as deep as it goes, for comparing; what has been seen is not entered again."""
    if value is None or isinstance(value, (int, str, bytes, float, frozenset)):
        return value
    if id(value) in seen:
        return "seen"
    seen[id(value)] = value
    if isinstance(value, dict):
        return {str(k): frozen(v, seen) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [frozen(v, seen) for v in value]
    if isinstance(value, set):
        return sorted(map(str, value))
    if isinstance(value, World):
        return {k: frozen(v, seen) for k, v in vars(value).items() if k not in GROWS}
    if isinstance(value, type):
        return (
            {k: frozen(v, seen) for k, v in vars(value).items() if not k.startswith("__")} if ours(value) else id(value)
        )
    if isinstance(value, FunctionType):
        return (id(value), frozen(vars(value), seen)) if ours(value) else id(value)
    if hasattr(value, "__dict__") and ours(type(value)):
        return type(value).__name__, {k: frozen(v, seen) for k, v in vars(value).items() if k not in GROWS}
    if dataclasses.is_dataclass(value):
        return [frozen(getattr(value, f.name), seen) for f in dataclasses.fields(value)]
    return id(value)


def ours(thing: Any) -> bool:
    """Whether something is the package's own."""
    return str(getattr(thing, "__module__", "")).startswith("avickit")


GROWS = {
    "at": "the state itself",
    "see": "a look at the state",
    "programs": "guest programs are never forgotten",
    "answers": "what guests have read, for replay",
    "cache": "Python iterators, which can be made again from the answers",
    "signalled": "empty whenever the machine is at rest",
    "trace": "the recording",
    "_programs": "numbers of single instructions that are registered already",
}
"""What may change on a Machine or a World, and why."""


def all_else(m: Machine, *more: Any) -> Any:
    """The package's modules, the machine and its records and handles, without what may change."""
    modules: list[ModuleType] = [v for k, v in sorted(sys.modules.items()) if k.split(".")[0] == "avickit"]
    seen: dict[int, Any] = {}
    found = {
        module.__name__: {k: frozen(v, seen) for k, v in vars(module).items() if k[:2] != "__"} for module in modules
    }
    lines, m.world.objects["lines"] = m.world.objects["lines"], []
    found["machine"] = frozen([m, *more], seen)
    m.world.objects["lines"] = lines
    return found


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(runs(least=8, most=16))
def test_no_attribute_changes_outside_the_world(run: Run) -> None:
    from tests.silicon.random_runs import act, prepared

    played(run)  # so that every module is there, and every cache is warm
    m, dom = prepared(run)
    before = all_else(m, dom, *dom.vcpus)
    programs, answers = list(m.world.programs), list(m.world.answers)
    lines = list(m.world.objects["lines"])
    for who, what, args in run.acts:
        act(m, dom.vcpus[who], what, args)
    assert all_else(m, dom, *dom.vcpus) == before
    assert m.world.programs[: len(programs)] == programs
    assert m.world.answers[: len(answers)] == answers
    assert m.world.objects["lines"][: len(lines)] == lines
    assert m.world.signalled == []
    assert m.engine.stopped == []


def test_a_hidden_attribute_would_be_found() -> None:
    """The net has no such holes: a module, a step, a handle; a table of Xen's, hooks, a registry."""
    m, dom = played(Run(2, 1, ()))
    before = all_else(m, dom)
    module = sys.modules["avickit.silicon.run"]
    things: list[Any] = [module, module.run_core, dom, dom.vcpus[0].guest]
    for thing in things:
        thing.hidden = 1
        assert all_else(m, dom) != before
        del thing.hidden
    tables: list[Any] = [m.world.objects["xen"][0].flags, m.world.hooks, m.world.objects["avic_domain"], m.config]
    for table in tables:
        table["hidden"] = 1
        assert all_else(m, dom) != before
        del table["hidden"]
    m.world.objects["cores"].append(1)
    assert all_else(m, dom) != before
    m.world.objects["cores"].pop()
    assert all_else(m, dom) == before

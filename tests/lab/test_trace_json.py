"""A trace as JSON: out and in are inverse, and a bad file says which beat is wrong and what about it."""

import json
from typing import Any

import pytest

from avickit import Machine, data
from avickit.errors import AvicError
from avickit.lab.scenario import load as load_scenario
from avickit.lab.trace import load
from avickit.lab.trace_json import loads, plain, value
from avickit.silicon.parts import Exit

SOME = [path.stem for path in data.scenarios()][::8]


@pytest.mark.parametrize("name", SOME)
def test_out_and_in(name: str) -> None:
    """Beats and commands come back equal, in their types too."""
    trace = load_scenario(name).run().machine.trace
    text = trace.json()
    beats, commands, complete = loads(text)
    assert beats == list(trace)
    assert repr(beats) == repr(list(trace))
    assert commands == trace.commands
    assert complete
    assert load(text) == beats
    assert [beat.time for beat in beats] == [raw[4] for raw in trace.raw]


def test_handlers_and_records_come_back() -> None:
    m = Machine(cores=1)
    xen = m.boot("svm=avic")
    [v] = xen.create_domain(vcpus=1).vcpus
    xen.run(v, core=0)
    v.guest.on(0xFF, [])
    v.guest.write("SVR", 0x1FF)
    beats = load(m.trace.json())
    assert beats == list(m.trace)
    exits = [beat.new for beat in beats if beat.place == "d1v0 exits"]
    assert exits == [v.exits]
    assert isinstance(exits[0][0], Exit)
    assert exits[0][0].code.name == "AVIC_NOACCEL"


def test_large_numbers_are_exact_for_every_reader() -> None:
    """IRR has 256 bits; JSON numbers are safe to 2^53 only."""
    for number in (0, 2**53 - 1, 2**53, 1 << 255, -(1 << 60)):
        out = plain(number)
        assert isinstance(out, int) == (abs(number) < 2**53)
        assert value("x", json.loads(json.dumps(out))) == number


def test_a_recording_that_stopped_says_so() -> None:
    m = Machine(cores=1, limit=20)
    m.boot("svm=avic").create_domain(vcpus=1)
    beats, _, complete = loads(m.trace.json())
    assert len(beats) == 20
    assert not complete


def test_what_would_not_come_back_is_refused() -> None:
    with pytest.raises(AvicError, match="value in a trace"):
        plain([1])


def small() -> dict[str, Any]:
    """A trace of two beats and a command, as data."""
    m = Machine(cores=1)
    m.boot()
    whole: dict[str, Any] = json.loads(m.trace.json())
    return whole | {"beats": whole["beats"][:2]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "trace, line 1: no JSON"),
        ('{\n"format": 1,\n', "trace, line 3: no JSON"),
        ("[]", "list given, expected an object with format 1"),
        ('{"format": 2}', "2 given, expected an object with format 1"),
        ('{"format": 1, "commands": []}', "beats is missing"),
        ('{"format": 1, "beats": []}', "commands is missing"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_no_trace(text: str, words: str) -> None:
    with pytest.raises(AvicError) as caught:
        load(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("key", "put", "words"),
    [
        ("n", 7, "trace beat 2, n: 7 given, expected 2"),
        ("n", "2", "trace beat 2, n: 2 given, expected a number"),
        ("n", True, "expected a number"),
        ("time", -1, "trace beat 2, time: -1 given, expected at least"),
        ("time", 1.5, "expected a whole number"),
        ("kind", "JUMP", "READ CHECK UPDATE SIGNAL EXIT"),
        ("actor", None, "trace beat 2, actor: None given, expected a text"),
        ("old", {"int": "xyz"}, "trace beat 2, old: xyz given, expected a number in hex"),
        ("old", {"int": 3}, "a number in hex"),
        ("new", {"record": "Coffee"}, "expected a record: Exit Latch Frame"),
        ("new", {"record": "Frame", "program": 1}, "missing; expected program"),
        ("new", [1, 2.5], "expected a whole number"),
    ],
)
def test_a_beat_that_is_wrong(key: str, put: Any, words: str) -> None:
    whole = small()
    whole["beats"][1][key] = put
    with pytest.raises(AvicError) as caught:
        load(json.dumps(whole))
    assert words in str(caught.value)


def test_an_exit_code_that_there_is_not() -> None:
    whole = small()
    fields = {"info1": 0, "info2": 0, "past": False, "reason": "", "intinfo": 0}
    whole["beats"][1]["new"] = {"record": "Exit", "code": 12345} | fields
    with pytest.raises(AvicError, match="beat 2, new, code: 12345 given, expected an exit code"):
        load(json.dumps(whole))


def test_keys_missing_and_unknown() -> None:
    whole = small()
    whole["beats"][0]["colour"] = whole["beats"][0].pop("rule")
    with pytest.raises(AvicError, match="trace beat 1: rule missing, colour unknown"):
        load(json.dumps(whole))
    whole["beats"][0] = 3
    with pytest.raises(AvicError, match="trace beat 1: 3 given, expected an object"):
        load(json.dumps(whole))


@pytest.mark.parametrize(("key", "put"), [("name", 1), ("args", 1), ("first", "x"), ("until", "x")])
def test_a_command_that_is_wrong(key: str, put: Any) -> None:
    whole = small()
    whole["commands"][0][key] = put
    with pytest.raises(AvicError, match="trace command 1"):
        loads(json.dumps(whole))

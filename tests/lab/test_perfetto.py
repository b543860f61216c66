"""A trace in the Chrome trace event format: what the format's documentation demands is there and fits together.

The demands are those of the Trace Event Format (JSON Object Format) and of Perfetto's page on external formats: `ts`
and `dur` in microseconds; pid and tid with every event but process metadata; X slices of a thread nest; flows have
name, cat and id in common and lie inside slices, an end with bp "e" binds to the slice around it; counters have
numbers as args.
"""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from avickit import Machine
from avickit.lab.perfetto import chrome_trace
from avickit.lab.scenario import load

Event = dict[str, Any]
SCENARIOS = sorted((Path(__file__).parents[2] / "data/scenarios").glob("*.toml"))
NEEDED = {
    "M": {"name", "pid", "args"},
    "X": {"name", "cat", "ts", "dur", "pid", "tid"},
    "i": {"name", "cat", "ts", "s", "pid", "tid"},
    "s": {"name", "cat", "id", "ts", "pid", "tid"},
    "f": {"name", "cat", "id", "bp", "ts", "pid", "tid"},
    "C": {"name", "ts", "pid", "args"},
}
METADATA = {"process_name": "name", "thread_name": "name", "process_sort_index": "sort_index"}
METADATA |= {"thread_sort_index": "sort_index"}


def played() -> Machine:
    m = Machine(cores=3)
    xen = m.boot("svm=avic")
    a, b = xen.create_domain(vcpus=2).vcpus
    xen.run(a, core=0)
    xen.run(b, core=1)
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    b.guest.eoi()
    b.guest.hlt()
    a.guest.write("ICRL", 0x42)
    xen.run(b, core=2)
    return m


@pytest.fixture(scope="module")
def machine() -> Machine:
    return played()


@pytest.fixture(scope="module")
def events(machine: Machine) -> list[Event]:
    found: list[Event] = json.loads(chrome_trace(machine.trace))["traceEvents"]
    return found


def assert_valid(events: list[Event]) -> None:
    for event in events:
        assert NEEDED[event["ph"]] <= set(event), event
        assert event.get("dur", 0) >= 0
        assert isinstance(event.get("ts", 0), int)
        assert event.get("tid") != 0, "thread 0 is the idle thread"
        if event["ph"] == "M":
            assert METADATA[event["name"]] in event["args"]
        if event["ph"] == "i":
            assert event["s"] in ("g", "p", "t")
        if event["ph"] == "C":
            assert all(isinstance(value, int) for value in event["args"].values())
    assert_slices(events)
    assert_flows(events)


def track(event: Event) -> tuple[int, int]:
    return event["pid"], event["tid"]


def assert_slices(events: list[Event]) -> None:
    """One behind the other on each thread; no thread in two processes; every thread that is used has a name."""
    slices = [e for e in events if e["ph"] == "X"]
    for which in {track(e) for e in slices}:
        spans = sorted((e["ts"], e["ts"] + e["dur"]) for e in slices if track(e) == which)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
    used = {track(e) for e in events if e["ph"] in "XCsf"}
    assert used <= {track(e) for e in events if e["name"] == "thread_name"}
    assert max(Counter(tid for _, tid in used).values(), default=1) == 1


def assert_flows(events: list[Event]) -> None:
    """Each start has one end, later, alike, on another track; both lie inside a slice."""
    starts, ends = ({e["id"]: e for e in events if e["ph"] == phase} for phase in "sf")
    assert starts.keys() == ends.keys()
    assert len(starts) == sum(e["ph"] == "s" for e in events)
    for n, start in starts.items():
        end = ends[n]
        assert (start["name"], start["cat"]) == (end["name"], end["cat"])
        assert start["ts"] < end["ts"]
        assert end["bp"] == "e"
        assert track(start) != track(end)
        for event in (start, end):
            around = [s for s in events if s["ph"] == "X" and track(s) == track(event)]
            assert any(s["ts"] <= event["ts"] <= s["ts"] + s["dur"] for s in around), event


def test_what_the_format_demands(events: list[Event]) -> None:
    assert_valid(events)
    assert set(NEEDED) == {e["ph"] for e in events}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_can_be_exported(file: Path) -> None:
    """Also where VMRUN is refused before a guest was named, and where nothing is booted with AVIC."""
    trace = load(file).run(None).machine.trace
    assert_valid(json.loads(chrome_trace(trace, beats=False))["traceEvents"])


def test_the_whole_is_an_object_that_says_its_unit(machine: Machine) -> None:
    whole = json.loads(chrome_trace(machine.trace))
    assert whole["displayTimeUnit"] in ("ms", "ns")
    assert "1 simulated nanosecond" in whole["otherData"]["unit"]
    assert whole["otherData"]["beats"] == len(machine.trace)
    assert chrome_trace(machine.trace) == chrome_trace(played().trace), "the same every time"


def test_cores_are_tracks_in_their_order(events: list[Event]) -> None:
    tracks = {e["args"]["name"]: track(e) for e in events if e["name"] == "thread_name"}
    order = {track(e): e["args"]["sort_index"] for e in events if e["name"] == "thread_sort_index"}
    cores = [tracks[f"core {n}"] for n in range(3)]
    assert [order[core] for core in cores] == sorted(order[core] for core in cores)
    assert {"d1v0", "d1v1"} <= tracks.keys()


def test_exits_are_slices_with_their_information_in_words(events: list[Event]) -> None:
    exits = {e["name"]: e["args"] for e in events if e["ph"] == "X" and e["cat"] == "exit"}
    assert "NOT_RUNNING" in exits["d1v0 #VMEXIT AVIC_INCOMPLETE_IPI"]["words"]
    assert exits["d1v0 #VMEXIT AVIC_INCOMPLETE_IPI"]["EXITINFO2"] == "100000002h"
    assert "d1v1 #VMEXIT VMEXIT_HLT" in exits


def test_as_many_exits_as_the_vcpus_count(machine: Machine, events: list[Event]) -> None:
    assert machine.xen
    counted = sum(v.exit_count for d in machine.xen.domains for v in d.vcpus)
    assert sum(e["ph"] == "X" and e["cat"] == "exit" for e in events) == counted


def test_a_core_is_idle_when_its_vcpu_sleeps(machine: Machine, events: list[Event]) -> None:
    slept = machine.trace.where(place="core 1 current", kind="UPDATE")[-1]
    last = max((e for e in events if e["ph"] == "X" and track(e) == (1, 2)), key=lambda e: int(e["ts"]))
    assert (last["name"], last["ts"], last["ts"] + last["dur"]) == ("idle", slept.time, machine.clock)


def test_a_vcpu_is_where_it_runs(events: list[Event]) -> None:
    runs = [e["name"] for e in events if e["ph"] == "X" and track(e) == (2, 1001)]
    assert runs == ["core 1", "core 2"]


def test_doorbells_are_flows_between_cores(machine: Machine, events: list[Event]) -> None:
    [rung] = [b for b in machine.trace.where(kind="SIGNAL") if b.rule == "H-BELL-1"]
    [start] = [e for e in events if e["ph"] == "s" and e["name"] == "doorbell"]
    assert (start["id"], start["ts"], track(start)) == (rung.n, rung.time, (1, 1))


def test_an_emulated_ipi_kicks_by_a_physical_interrupt() -> None:
    m = Machine(cores=2)
    xen = m.boot("", patches=0)
    a, b = xen.create_domain(vcpus=2).vcpus
    for core, vcpu in enumerate((a, b)):
        xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    found = json.loads(chrome_trace(m.trace))["traceEvents"]
    assert_valid(found)
    assert [e["name"] for e in found if e["ph"] == "s"] == ["interrupt"]


def test_ppr_is_a_counter(machine: Machine, events: list[Event]) -> None:
    found = [(e["ts"], e["args"]["PPR"]) for e in events if e["ph"] == "C" and e["name"] == "d1v1 PPR"]
    beats = machine.trace.where(place="d1v1 vAPIC page PPR", kind="UPDATE")
    assert found == [(b.time, b.new) for b in beats if b.old != b.new]


def test_beats_can_be_left_out(machine: Machine, events: list[Event]) -> None:
    without = json.loads(chrome_trace(machine.trace, beats=False))["traceEvents"]
    assert [e for e in events if e["ph"] != "i"] == without
    assert sum(e["ph"] == "i" for e in events) == len(machine.trace)


def limited(limit: int) -> Machine:
    """A vCPU that exits once, of which so many beats are recorded."""
    m = Machine(cores=2, limit=limit)
    xen = m.boot("svm=avic")
    v = xen.create_domain().vcpus[0]
    xen.run(v, core=0)
    v.guest.write("SVR", 0x1FF)
    return m


def test_a_recording_that_broke_off_can_be_exported() -> None:
    """Wherever: also between leaving the guest and noting why."""
    beats = len(limited(10_000).trace)
    for limit in range(beats - 60, beats):
        whole = json.loads(chrome_trace(limited(limit).trace))
        assert_valid(whole["traceEvents"])
        assert whole["otherData"]["complete"] is False

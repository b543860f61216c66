"""A trace in the Chrome trace event format: what Perfetto needs is there and fits together."""

import json
from itertools import pairwise
from typing import Any

import pytest

from avickit import Machine
from avickit.lab.perfetto import chrome_trace


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
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
    text = chrome_trace(m.trace)
    assert len(json.loads(chrome_trace(m.trace, beats=False))["traceEvents"]) < len(json.loads(text)["traceEvents"])
    found: list[dict[str, Any]] = json.loads(text)["traceEvents"]
    return found


def test_every_event_has_what_its_phase_demands(events: list[dict[str, Any]]) -> None:
    needed = {"M": {"pid", "args"}, "X": {"ts", "dur", "pid", "tid"}, "i": {"ts", "s", "pid", "tid"}}
    needed |= {"s": {"id", "cat", "ts", "pid", "tid"}, "f": {"id", "cat", "bp", "ts", "pid", "tid"}}
    for event in events:
        assert needed[event["ph"]] <= set(event), event
        assert event.get("dur", 0) >= 0


def test_the_slices_of_a_core_do_not_overlap(events: list[dict[str, Any]]) -> None:
    for core in range(3):
        found = [e for e in events if (e["ph"], e["pid"], e.get("tid")) == ("X", 1, core)]
        slices = sorted((e["ts"], e["ts"] + e["dur"]) for e in found)
        assert slices
        assert all(before[1] <= after[0] for before, after in pairwise(slices))


def test_exits_are_slices_by_name_and_doorbells_are_flows_between_cores(events: list[dict[str, Any]]) -> None:
    exits = [e["name"] for e in events if e["ph"] == "X" and e["cat"] == "exit"]
    assert "d1v0 #VMEXIT AVIC_INCOMPLETE_IPI" in exits
    assert "d1v1 #VMEXIT VMEXIT_HLT" in exits
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    assert starts.keys() == ends.keys()
    assert all(starts[i]["tid"] != ends[i]["tid"] and starts[i]["ts"] < ends[i]["ts"] for i in starts)

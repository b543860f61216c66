"""Booting with a version or with defects: what is there, what the boot log says, what is refused before it begins."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit import Machine
from avickit.errors import AvicError
from avickit.lab.derive import derive
from avickit.lab.exhibit import exhibits
from avickit.lab.scenario import ScenarioError, load
from avickit.lab.trace_json import loads
from avickit.museum import OVERLAYS
from avickit.museum.catalogue import catalogue, item, versions
from avickit.museum.versions import version_of

VERSIONS = list(versions())


def booted(**how: Any) -> Any:
    """A machine with two vCPUs in guest mode."""
    m = Machine(cores=3)
    xen = m.boot("svm=avic", **how)
    dom = xen.create_domain(vcpus=2)
    for core, v in enumerate(dom.vcpus):
        xen.run(v, core)
        v.guest.write("SVR", 0x1FF)
    return m, xen, dom, dom.vcpus


def log(xen: Any) -> list[str]:
    return [line for line in xen.console if line.startswith("(avickit)")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_holds_all_its_items_together(version: str) -> None:
    """Every item that the catalogue gives to it and that is modelled is on the machine, and it works."""
    m, xen, _, (a, b) = booted(version=version)
    wanted = {d.id for d in catalogue().values() if version in d.versions and d.modelled}
    assert set(version_of(version).brought) == wanted
    assert "AVIC (enabled)" in " ".join(xen.console)
    brought = {by for by in m.world.by.values() if by in OVERLAYS}
    replaces = {name for name in wanted if not item(name).built_in and name not in ("X32", "X32-b1", "X43")}
    shared = {"X09"}
    assert brought >= replaces - shared
    a.guest.write("ICRL", 0x40041)
    assert a.guest.taken == {0x41: 1}
    assert m.fork().world.at == m.world.at
    assert b.state == "guest mode"


@pytest.mark.parametrize(("version", "says"), [("A2", "X31"), ("B2", "X44")])
def test_the_boot_log_says_what_is_there_and_what_is_not(version: str, says: str) -> None:
    _, xen, _, _ = booted(version=version)
    first, *rest = log(xen)
    assert first.startswith(f"(avickit) version {version}: the intended series with ")
    assert says in first.split()
    assert any(line.startswith(f"(avickit) version {version}: not modelled: X17") for line in rest)
    assert any("the catalogue is silent on" in line and "they are left out" in line for line in rest)


def test_a_version_with_fewer_patches_has_fewer_items_and_says_so() -> None:
    m = Machine()
    xen = m.boot(version="B2", patches=5, svm_avic=True)
    assert any("these sit in later patches: X01 X02" in line for line in log(xen))
    assert "X01" not in log(xen)[0]
    assert not [by for by in m.world.by.values() if by in ("X01", "X02", "X22")]


def test_the_versions_differ_as_the_lineage_says() -> None:
    """From B1 to B2: four old defects repaired, five new ones. (defects.md 1f)"""
    b1, b2 = set(version_of("B1").brought), set(version_of("B2").brought)
    assert {"X05", "X06", "X07", "X30"} <= b1 - b2
    assert {"X01", "X08", "X11", "X32"} <= b2 - b1
    assert {"X03", "X04"} <= set(version_of("A2").brought) - b1


CONSEQUENCES = [
    ("museum-x01", {"P16": "host", "B2": "lost_wakeup"}),
    ("museum-x12", {"B1": "crashed", "B2": "crashed"}),
    ("museum-x15", {"B1": "crashed", "B2": "crashed"}),
    ("museum-x18", {"P16": "host", "B1": "crashed", "B2": "crashed"}),
    ("museum-x21", {"B1": "crashed", "B2": "crashed"}),
]


@pytest.mark.parametrize(("name", "ends"), CONSEQUENCES)
def test_what_a_whole_version_makes_of_a_scenario(name: str, ends: dict[str, str]) -> None:
    """As the catalogue tells of the versions: who loses a wake-up, whose domain and whose host goes down.

    In P16 ID 2 is nobody's entry (P3), and an invalid target is BUG_ON (X18). X12's invalid target crashes the domain
    in B1 and B2 (X18); LDR 0 passes in A1 and A2, where failed traps are silence (X31); 128 vCPUs are too many for B1
    and B2 (X21). (defects.md 1a, 1b)
    """
    for version in VERSIONS:
        result = load(name).run(version=version, defects=())
        assert not result.stopped, version
        assert result.machine.xen is not None
        found = "host" if result.machine.xen.crashed else "crashed" if result["d1"].crashed else ""
        found = found or ("lost_wakeup" if any(v.lost_wakeup for v in result["d1"].vcpus) else "")
        assert found == ends.get(version, ""), (version, [str(c) for c in result.failures])


def test_defects_are_told_one_a_line() -> None:
    _, xen, _, _ = booted(defects=["K04", "X24"])
    assert log(xen) == [
        "(avickit) K04: KVM's defect on this machine: The doorbell is rung for a vCPU that is not in guest mode [-]",
        "(avickit) X24: a defect of the Xen series (the series has it itself): V_TPR does not follow a TPR that was "
        "changed from outside [H]",
    ]


def test_without_any_the_console_is_as_ever() -> None:
    m = Machine()
    assert log(m.boot("svm=avic")) == []
    assert m.trace.commands[0].args == ("svm=avic", 10, None)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"defects": ["X99"]}, "defect: X99 given, expected a number of the catalogue; near it"),
        ({"defects": ["X17"]}, "defect X17 .* is not modelled: no run can show it"),
        ({"defects": ["X11"], "patches": 4}, "defect X11 sits in patch 5: 4 patches do not have it yet"),
        ({"defects": ["X43"], "patches": 9}, "defect X43 sits in patch 10: 9 patches"),
        ({"version": "C3"}, "version: C3 given, expected P16 or A1 or A2 or B1 or B2"),
        ({"defects": ["X11", "X11-b1"]}, "defects X11 and X11-b1 both replace series.logical_table.rewrite"),
        ({"defects": ["X18", "K07"]}, "defects X18 and K07 both replace series.p05_vmexit_handlers.invalid_target"),
        ({"defects": ["X32", "X32-b1"]}, "defects X32 and X32-b1 both replace parse_svm_param"),
        ({"version": "B2", "defects": ["X10"]}, "X10 both replace series.p06_scheduling.physical_entry"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(how: dict[str, Any], error: str) -> None:
    m = Machine(cores=2)
    before = m.world.at.copy(), dict(m.world.table), set(m.world.objects)
    with pytest.raises(AvicError, match=error):
        m.boot(**how)
    assert (m.world.at, dict(m.world.table), set(m.world.objects)) == before
    assert m.xen is None
    assert not m.trace.commands
    m.boot(defects=["X01"])


def test_k01_needs_a_part_that_has_the_erratum() -> None:
    """Family 17h has it. (H-CPUID-5; defects.md K01)"""
    with pytest.raises(AvicError, match="defect K01 on: zen4 given, expected a CPU that has erratum 1235"):
        Machine(cpu="zen4").boot(defects=["K01"])
    assert Machine(cpu="epyc", errata=[1235]).boot(defects=["K01"]).patches == 10


def test_two_numbers_of_one_piece_of_code_go_together() -> None:
    """X08 and X09 are one line of B2. (defects.md 1a)"""
    m = Machine()
    m.boot(defects=["X08", "X09"])
    assert m.fork().world.at == m.world.at


def test_one_name_may_be_given_as_a_text() -> None:
    m = Machine()
    assert len(log(m.boot(defects="X11"))) == 1


def test_a_boot_with_defects_is_in_the_command_log() -> None:
    """It replays: forked anywhere, and its trace comes back from JSON. (design.md, idea 4)"""
    m, _, _, (a, b) = booted(version="B2", defects=["X29"])
    a.guest.write("ICRH", 0x02000000)
    a.guest.write("ICRL", 0x41)
    assert m.trace.commands[0].args == ("svm=avic", 10, None, "B2", ("X29",))
    for n in (1, len(m.trace) // 2, len(m.trace)):
        assert m.fork(n).world.at == m.trace.state(n)[: len(m.fork(n).world.at)]
    kept = loads(m.trace.json())
    assert kept.commands == m.trace.commands
    assert b.guest.taken == {0x41: 1}


@given(st.lists(st.sampled_from(sorted(OVERLAYS)), max_size=6))
def test_any_defects_boot_together_or_are_refused_whole(names: list[str]) -> None:
    m = Machine(cores=2, pages=40)
    try:
        xen = m.boot("svm=avic", defects=names)
    except AvicError:
        xen = None
    if xen is None:
        with pytest.raises(AvicError, match="both replace"):
            m.boot("svm=avic", defects=names)
        assert m.xen is None
        assert len(m.trace) == 0
        return
    dom = xen.create_domain(vcpus=2)
    xen.run(dom.vcpus[0], 0)
    assert m.fork().world.at == m.world.at


@pytest.mark.parametrize("name", [d.id for d in exhibits() if not d.cut and d.id != "X21"])
def test_a_defect_can_be_run_in_the_plain_form(name: str) -> None:
    """Derived from the same source, it leaves every place as the generators do. (design.md, idea 2)"""
    told = load(item(name).scenario).run(defects=[name]).machine
    fast = Machine(**{**told.config, "prices": None}, record=False, fast=True)
    fast.world.programs = told.world.programs.copy()
    fast._replay(told.trace, len(told.trace))
    assert fast.world.at == told.world.at
    assert derive(fast.world)


class TestHostCrash:
    """A panic is a state of the host, with its lines, not a Python exception. (defects.md X09, X18)"""

    def crashed(self) -> Any:
        m, xen, dom, (a, b) = booted(defects=["X18-p16"])
        a.guest.write("ICRH", 0x55000000)
        a.guest.write("ICRL", 0x41)
        return m, xen, dom, a, b

    def test_everything_stops(self) -> None:
        _, xen, dom, a, b = self.crashed()
        assert xen.crashed
        assert xen.console[-1] == "(XEN) Panic: the host is down"
        assert not dom.crashed, "no domain was to blame"
        assert (a.core, b.core) == (None, None)

    def test_nothing_more_can_be_done_but_to_look(self) -> None:
        m, xen, _, a, _ = self.crashed()
        for act in (partial(xen.create_domain, 1), partial(xen.wake, a), a.guest.nop, partial(xen.key, "i")):
            with pytest.raises(AvicError, match="the host has crashed; its console says why"):
                act()
        m.advance(10)
        assert m.fork().world.at == m.world.at
        assert a.page.irr == set()


class TestScenarioFiles:
    HEAD = 'format = 1\ntitle = "t"\n[boot]\ncmdline = "svm=avic"\n'

    def test_defects_and_version_of_a_file(self) -> None:
        result = load(self.HEAD + 'defects = ["X06"]\n[expect.xen]\ncontains = ["X06: a defect"]\n').run()
        assert result.ok, str(result)
        result = load(self.HEAD + 'version = "A2"\n[expect.xen]\ncontains = ["version A2: "]\ncrashed = false\n').run()
        assert result.ok, str(result)

    @pytest.mark.parametrize(
        ("line", "error"),
        [
            ('defects = ["X99"]', "line 5: boot.defects item 1: defect: X99 given"),
            ('defects = ["X01", "X11"]\npatches = 5', "boot.defects item 1: defect X01 sits in patch 6"),
            ('defects = ["X11", "X11-b1"]', "boot: defects X11 and X11-b1 both replace"),
            ('version = "Z"', "boot.version: version: Z given, expected P16"),
            ("defects = [1]", "boot.defects item 1"),
        ],
    )
    def test_errors_name_file_key_and_line(self, line: str, error: str) -> None:
        with pytest.raises(ScenarioError, match=error):
            load(self.HEAD + line + "\n")

    def test_run_takes_others(self) -> None:
        scenario = load("museum-x23")
        assert scenario.run().ok
        assert not scenario.run(defects=()).ok
        assert not scenario.run(version="B2", defects=()).ok
        with pytest.raises(AvicError, match="defect X01 sits in patch 6"):
            scenario.run(5, defects=["X01"])

"""Every scenario file that comes along is a vector: its expectations hold, and each patch makes a difference."""

import tomllib
from functools import cache

import pytest

from avickit import data
from avickit.lab.rules import numbers
from avickit.lab.scenario import Scenario, load
from avickit.lab.scenario.counts import XEN
from avickit.lab.scenario.expect import OF_DOMAIN, OF_VCPU
from avickit.lab.scenario.steps import VERBS
from avickit.manual.exits import IpiFailure

NAMES = [path.stem for path in data.scenarios()]
PATCHES = {n: [name for name in NAMES if name.startswith(f"patch-{n:02}-")] for n in range(11)}
OPEN = [name for name in NAMES if "open_at" in tomllib.loads(data.scenario(name).read_text("utf-8"))]


@cache
def loaded(name: str) -> Scenario:
    return load(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_story_ends_as_expected(name: str) -> None:
    result = loaded(name).run()
    assert not result.stopped
    assert [str(check) for check in result.failures] == []
    assert result.checks, "a scenario expects something"


def test_a_file_says_what_it_is_about() -> None:
    for name in NAMES:
        scenario = loaded(name)
        assert scenario.why, name
        assert scenario.rules, name
        assert set(scenario.rules) <= set(numbers()), name
        assert scenario.title[-1] not in ".!", name


def test_there_are_many_and_each_title_is_its_own() -> None:
    assert len(NAMES) >= 30
    assert len({loaded(name).title for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("n", range(11))
def test_each_patch_has_a_scenario(n: int) -> None:
    assert PATCHES[n]
    assert {loaded(name).patches for name in PATCHES[n]} == {n}


@pytest.mark.parametrize(("n", "name"), [(n, name) for n in range(1, 11) for name in PATCHES[n]])
def test_it_passes_with_the_patch_and_fails_without(n: int, name: str) -> None:
    assert loaded(name).run(patches=n).ok
    before = loaded(name).run(patches=n - 1)
    assert not before.ok
    assert before.patches == n - 1
    assert before.failures


def test_the_series_changes_what_was_before_it() -> None:
    assert loaded("patch-00-all-emulated").run(patches=0).ok
    assert not loaded("patch-00-all-emulated").run(patches=10).ok


@pytest.mark.parametrize("name", OPEN)
def test_a_stepper_opens_at_a_beat_of_the_story(name: str) -> None:
    scenario, result = loaded(name), loaded(name).run()
    assert result.open_beat is not None
    assert 1 <= result.open_beat <= len(result.machine.trace)
    if "rule" in scenario.open_at:
        assert result.machine.trace[result.open_beat].rule == scenario.open_at["rule"]


def test_a_story_can_be_told_again_and_forked() -> None:
    """Storing behind Xen's back is a command like the others: it is in the log, and a fork replays it."""
    first, second = loaded("clean-bit-forgotten").run(), loaded("clean-bit-forgotten").run()
    assert list(first.machine.trace) == list(second.machine.trace)
    again = first.machine.fork()
    assert again.world.at == first.machine.world.at
    assert list(again.trace) == list(first.machine.trace)


FAMILIES = ("H-CPUID", "H-VMCB", "H-REG", "H-MAP", "H-PRIO", "H-EVAL", "H-EOI", "H-MASK", "H-IPI", "H-TAB", "H-BELL")


@pytest.mark.parametrize("family", [*FAMILIES, "H-EXIT", *(f"X{n}" for n in range(11))])
def test_each_family_of_rules_has_a_scenario(family: str) -> None:
    assert any(rule.startswith(f"{family}-") for name in NAMES for rule in loaded(name).rules)


def test_all_reasons_of_the_incomplete_ipi_are_told() -> None:
    """IDs 0 to 4; ID 5 belongs to Secure AVIC."""
    text = "".join(data.scenario(name).read_text("utf-8") for name in NAMES)
    told = {reason.name for reason in IpiFailure if f'ID = "{reason.name}"' in text}
    assert told == {reason.name for reason in IpiFailure if reason < 5}


def test_the_example_of_the_guide_holds() -> None:
    guide = data.path("SCENARIOS.md").read_text("utf-8")
    result = load(guide.partition("```toml\n")[2].partition("```")[0]).run()
    assert result.ok, str(result)
    assert result.open_beat is not None


def test_the_guide_names_every_key() -> None:
    guide = data.path("SCENARIOS.md").read_text("utf-8")
    missing = [key for key in {*VERBS, *OF_VCPU, *OF_DOMAIN, *XEN} if f"`{key}" not in guide]
    assert missing == []

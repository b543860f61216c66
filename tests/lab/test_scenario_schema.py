"""The schema that the package ships: its verbs are those that can be run, and it explains itself."""

import random
import re
from typing import Any

from avickit import data
from avickit.errors import AvicError
from avickit.lab.scenario import load
from avickit.lab.scenario.check import CHECKS
from avickit.lab.scenario.counts import COUNTS, XEN
from avickit.lab.scenario.expect import OF_DOMAIN, OF_VCPU
from avickit.lab.scenario.schema import schema
from avickit.lab.scenario.steps import VERBS, verb
from avickit.lab.scenario.story import tell

DEFINITIONS: dict[str, Any] = schema()["definitions"]
STEPS = {name.removeprefix("step_"): d for name, d in DEFINITIONS.items() if name.startswith("step_")}


def test_the_verbs_are_those_that_can_be_run() -> None:
    step = DEFINITIONS["step"]
    assert set(STEPS) == set(VERBS)
    assert [choice["if"]["required"][0] for choice in step["allOf"]] == [c["required"][0] for c in step["anyOf"]]
    assert {choice["required"][0] for choice in step["anyOf"]} == set(VERBS)
    for name, definition in STEPS.items():
        assert name in definition["required"]
        assert definition["description"].endswith(".")
        assert definition["additionalProperties"] is False
        assert "say" in definition["properties"]


def test_what_can_be_expected_can_be_looked_at() -> None:
    assert set(DEFINITIONS["expect_vcpu"]["properties"]) == set(OF_VCPU)
    assert set(DEFINITIONS["expect_domain"]["properties"]) == set(OF_DOMAIN)
    assert set(DEFINITIONS["expect"]["properties"]["count"]["properties"]) == set(COUNTS)
    assert set(DEFINITIONS["expect"]["properties"]["xen"]["properties"]) == set(XEN)


def test_keys_with_a_meaning_are_checked() -> None:
    keys = {key for definition in STEPS.values() for key in definition["properties"]}
    plain = {"say", "vector", "value", "size", "gives", "level", "sync", "do", "on", "cpl", "key"}
    of_store = {"vmcb", "page", "physical", "logical", "nested", "set", "vectors"}
    assert keys - plain - of_store == set(CHECKS)


def test_each_verb_is_used_and_told() -> None:
    steps = [step for path in data.scenarios() for step in load(path).setup]
    assert {verb(step) for step in steps} >= set(VERBS) - {"wake", "extint"}
    for step in steps:
        assert "{" not in tell(step)
        assert len(tell(step)) > 4


def test_any_text_is_a_scenario_or_an_avicerror() -> None:
    """Tokens of the shipped files, put into each other's places: no other exception comes out."""
    texts = [path.read_text("utf-8") for path in data.scenarios()]
    words = sorted({word for text in texts for word in re.findall(r'[\w"]+', text)} | {"-1", "1.5", "[]", "{}", "true"})
    dice = random.Random(20)
    ran = 0
    for _ in range(150):
        text = dice.choice(texts)
        token = dice.choice(list(re.finditer(r'[\w"]+|[^\w\s]', text)))
        try:
            scenario = load(text[: token.start()] + dice.choice(words) + text[token.end() :])
        except AvicError:
            continue
        ran += len(str(scenario.run())) > 0
    assert ran

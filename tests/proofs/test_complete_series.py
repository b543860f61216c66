"""Every rule of the series' facts has a proof and a breaker. The list is typed in, so that nothing falls out of it."""

import pytest

import tests.proofs.test_proofs  # noqa: F401  (it gathers them)
from tests.proofs.frame import BREAKERS, PROOFS

RULES = [
    *("X0-1", "X0-2", "X0-3", "X0-4", "X0-4a", "X0-5", "X0-5a", "X0-6", "X0-7", "X0-8", "X0-9", "X0-10"),
    *("X0-11", "X0-12"),
    *("X1-1", "X1-2", "X2-1", "X3-1"),
    *("X4-1", "X4-2", "X4-3", "X4-4", "X4-5", "X4-6"),
    *("X5-1", "X5-2", "X5-3", "X5-4", "X5-5", "X5-6"),
    *("X6-0", "X6-1", "X6-2", "X6-3", "X6-4", "X6-5", "X6-6"),
    *("X7-1", "X7-2", "X7-3", "X8-1", "X8-2", "X9-1", "X10-1", "X10-2"),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_has_a_proof_and_a_breaker(rule: str) -> None:
    assert any(rule in proof.rules for proof in PROOFS), f"nothing proves {rule}"
    assert any(rule == breaker.rule for breaker in BREAKERS), f"nothing violates {rule}"


def test_no_rule_is_invented() -> None:
    known = {rule for proof in PROOFS for rule in proof.rules} | {breaker.rule for breaker in BREAKERS}
    assert {rule for rule in known if rule.startswith("X")} == set(RULES)


def test_every_proof_says_the_rule_in_words() -> None:
    ours = [p for p in PROOFS if p.rules[0].startswith("X")]
    assert [p.run.__name__ for p in ours if not (p.run.__doc__ or "").count("X")] == []

"""Every hardware rule has a proof and a breaker. The list is typed in, so that nothing falls out of it."""

import re
import tomllib
from pathlib import Path

import pytest

import tests.proofs.test_proofs  # noqa: F401  (it gathers them)
from tests.proofs.frame import BREAKERS, PROOFS, Breaker, maker

ROWS = "020 030 080 090 0A0 0B0 0C0 0D0 0E0 0F0 100 180 200 280 300 310 320 380 390 3E0 3F0 400 500 540"
RULES = [
    *(f"H-CPUID-{n}" for n in range(1, 6)),
    *(f"H-VMCB-{n}" for n in range(1, 18)),
    *(f"H-REG-{n}" for n in range(1, 10)),
    *(f"H-MAP-{row}" for row in ROWS.split()),
    *(f"H-PRIO-{n}" for n in range(1, 4)),
    *(f"H-EVAL-{n}" for n in range(1, 4)),
    *(f"H-EOI-{n}" for n in range(1, 4)),
    "H-MASK-1",
    *(f"H-IPI-{n}" for n in range(13)),
    "H-IPI-3a",
    *(f"H-TAB-{n}" for n in range(1, 5)),
    *(f"H-BELL-{n}" for n in range(1, 4)),
    *(f"H-MEM-{n}" for n in range(1, 4)),
    *(f"H-EXIT-{n}" for n in range(1, 4)),
]
HARDWARE = [b for b in BREAKERS if b.rule.startswith("H")]


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_has_a_proof_and_a_breaker(rule: str) -> None:
    assert any(rule in proof.rules for proof in PROOFS), f"nothing proves {rule}"
    assert any(rule == breaker.rule for breaker in BREAKERS), f"nothing violates {rule}"


def test_the_list_is_that_of_the_rule_book() -> None:
    book = tomllib.loads((Path(__file__).parents[2] / "data" / "rules.toml").read_text("utf-8"))
    modelled = [r["number"] for r in book["rule"] if r["number"].startswith("H") and r.get("modelled", True)]
    assert sorted(modelled) == sorted(RULES)


def test_no_rule_is_invented() -> None:
    known = {rule for proof in PROOFS for rule in proof.rules} | {breaker.rule for breaker in BREAKERS}
    assert {rule for rule in known if rule.startswith("H")} == set(RULES)


def test_every_proof_says_its_rule_in_words() -> None:
    for proof in PROOFS:
        words = proof.run.__doc__ or ""
        assert any(rule in words for rule in proof.rules), proof.run.__name__
        if proof.rules[0].startswith("H"):
            assert re.search(r"APM[23] |cover letter", words), f"{proof.run.__name__} cites no manual"
    for breaker in HARDWARE:
        assert breaker.apply.__doc__, breaker.apply.__name__


@pytest.mark.parametrize("breaker", HARDWARE, ids=lambda b: b.apply.__name__)
def test_a_breaker_fails_an_assertion(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by a slip of its own, which would count as found out too."""
    if breaker.patch:
        breaker.apply(monkeypatch)
    maker(breaker)(boot=False, pages=8, cores=1)
    for proof in PROOFS:
        if breaker.rule in proof.rules:
            try:
                proof.run(maker(breaker))
            except AssertionError:
                return
    pytest.fail(f"{breaker.apply.__name__} fails no assertion")

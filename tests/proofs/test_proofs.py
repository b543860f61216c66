"""Every rule is proven: each proof passes, each breaker makes a proof of its rule fail, each rule has both."""

import importlib
import pkgutil

import pytest

import tests.proofs
from tests.proofs.frame import BREAKERS, PROOFS, Breaker, Proof, maker

for module in pkgutil.iter_modules(tests.proofs.__path__):
    if module.name.startswith(("hardware", "series", "xen")):
        importlib.import_module(f"tests.proofs.{module.name}")


@pytest.mark.parametrize("proof", PROOFS, ids=lambda p: p.run.__name__)
def test_the_machine_keeps_the_rule(proof: Proof) -> None:
    proof.run(maker())


@pytest.mark.parametrize("breaker", BREAKERS, ids=lambda b: f"{b.rule}-{b.apply.__name__}")
def test_a_machine_that_breaks_the_rule_is_found_out(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = [p for p in PROOFS if breaker.rule in p.rules]
    assert proofs, f"no proof of {breaker.rule}"
    if breaker.patch:
        breaker.apply(monkeypatch)
    for proof in proofs:
        try:
            proof.run(maker(breaker))
        except Exception:
            return
    pytest.fail(f"{breaker.apply.__name__} violates {breaker.rule}, and no proof of it fails")

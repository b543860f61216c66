"""How a rule is proven: a proof that passes on the machine, and a breaker of just this rule that makes it fail.

    @proves("H-IPI-5")
    def irr_is_set_before_isrunning_is_read(make):
        m = make(cores=2)            # an avickit.Machine, broken if a breaker is active
        ...

    @breaks("H-IPI-5")
    def running_targets_get_no_irr(w):   # an overlay on the World of every machine that `make` builds
        w.replace(ipi.accept_ipi, ..., "breaker")

A breaker may also be a context manager factory (`@breaks(rule, patch=True)`, taking pytest's monkeypatch), for rules
that live in declarations.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from avickit import Machine
from avickit.beat import World

Make = Callable[..., Machine]


class Proof(NamedTuple):
    """A function that fails (by an assertion or any other exception) where its rules do not hold."""

    rules: tuple[str, ...]
    run: Callable[[Make], None]


class Breaker(NamedTuple):
    """What violates one rule: an overlay on a World, or (`patch`) a change made through pytest's monkeypatch."""

    rule: str
    apply: Callable[..., None]
    patch: bool


PROOFS: list[Proof] = []
BREAKERS: list[Breaker] = []


def proves(*rules: str) -> Callable[[Callable[[Make], None]], Callable[[Make], None]]:
    """Register a proof of these rules."""

    def keep(run: Callable[[Make], None]) -> Callable[[Make], None]:
        PROOFS.append(Proof(rules, run))
        return run

    return keep


def breaks(rule: str, *, patch: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a breaker of this rule."""

    def keep(apply: Callable[..., None]) -> Callable[..., None]:
        BREAKERS.append(Breaker(rule, apply, patch))
        return apply

    return keep


def maker(breaker: Breaker | None = None) -> Make:
    """A `make`: builds machines; with a breaker (an overlay), each is broken right after its Xen is booted.

    `make(patches=10, cmdline="svm=avic", ...)` boots as well when `boot=True` (the default); `make(boot=False)` leaves
    the machine as it is, broken at once.
    """

    def make(
        *, boot: bool = True, cmdline: str | None = None, patches: int = 10, svm_avic: Any = None, **kw: Any
    ) -> Machine:
        machine = Machine(**kw)
        if breaker is not None and not breaker.patch:
            broken(machine.world, breaker)
        if boot:
            wanted = ("svm=avic" if patches >= 9 else "") if cmdline is None else cmdline
            machine.boot(wanted, patches=patches, svm_avic=svm_avic)
        return machine

    return make


def broken(w: World, breaker: Breaker) -> None:
    """Apply the breaker; what later overlays the same step (a patch) must not undo it, so its table wins."""
    breaker.apply(w)
    kept = dict(w.table)

    class Stubborn(dict[Any, Any]):
        def __setitem__(self, op: Any, fn: Any) -> None:
            super().__setitem__(op, kept.get(op, fn))

    w.table = Stubborn(w.table)

"""Fixtures for runs that are worked out on paper: who lives where is told, not drawn; both engines run them."""

from collections.abc import Sequence
from typing import Any

import pytest

from avickit.workload.fast import Fast
from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain
from avickit.workload.result import Result
from avickit.workload.setup import Setup
from tests.workload.paper import FREE, Place, Run


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Says on which vCPU each task lives, senders first, how far it is in its virtual time, and the dice."""

    def placed(home: Sequence[int], vruntime: Sequence[int], dice: int = 0) -> None:
        told = Setup(list(home), list(vruntime), dice)
        for engine in ("plain", "fast"):
            monkeypatch.setattr(f"avickit.workload.{engine}.setup", lambda _: told)

    return placed


@pytest.fixture
def run(place: Place) -> Run:
    """Runs both engines."""

    def both(home: Sequence[int], vruntime: Sequence[int] | None = None, dice: int = 0, **kw: Any) -> Result:
        place(home, vruntime or [0] * len(home), dice)
        p = Parameters(**FREE | kw)
        found = Plain(p).run()
        assert Fast(p).run() == found
        return found

    return both

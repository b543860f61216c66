"""The compiled loop: what numba keeps between processes never outlives a change, and turns stay in order."""

import shutil
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from avickit.workload import kernel
from avickit.workload.fast import Fast
from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain


def test_any_change_of_a_file_is_another_stamp(tmp_path: Path) -> None:
    folder = tmp_path / "kernel"
    shutil.copytree(Path(kernel.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert kernel.stamp(folder) == kernel.stamp()
    for file in sorted(folder.glob("*.py")):
        before, text = kernel.stamp(folder), file.read_text()
        file.write_text(text.replace("1", "2", 1) if "1" in text else text + "\n")
        assert kernel.stamp(folder) != before, file.name


def test_a_kept_loop_serves_its_own_stamp_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short loop in place of the real one, kept in a folder of its own: what was kept under 1 is not taken for 2."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel, "loop", numba.njit(lambda m, limit: None))

    def found(stamp: int) -> tuple[int, int]:
        run: Any = kernel.kept(stamp)
        run(np.zeros(1, np.int64), 0)
        return sum(run.stats.cache_hits.values()), sum(run.stats.cache_misses.values())

    assert [found(1), found(1), found(2), found(2), found(1)] == [(0, 1), (1, 0), (0, 1), (1, 0), (1, 0)]


def test_turns_stay_in_order() -> None:
    """Stopped after each event, with sleepers and without: but for the vCPU at work all lie in order."""
    p = Parameters(loops=3, groups=2, fds=3, vcpus=6, tick=30_000)
    fast, asleep = Fast(p), 0
    k = fast.k
    for _ in fast.steps(every=1):
        turns = fast.m[k.TURNS : k.TURNS + p.vcpus + 1].tolist()
        assert turns[1:] == sorted(turns[1:])
        assert sorted(turn & k.VCPU_MASK for turn in turns[:-1]) == list(range(p.vcpus))
        halted = fast.m[k.HALTED : p.vcpus * k.VCPU : k.VCPU].tolist()
        never = {turn & k.VCPU_MASK for turn in turns[:-1] if turn >> k.CLOCK_SHIFT == k.NEVER}
        assert never == {v for v, is_halted in enumerate(halted) if is_halted}
        asleep += len(never) > 1
    assert asleep > 50
    assert fast.result() == Plain(p).run()


@pytest.mark.parametrize("vcpus", [1, 2, 31, 32])
def test_as_many_vcpus_as_can_be(vcpus: int) -> None:
    """The row of turns from one to full."""
    p = Parameters(loops=10, groups=4, fds=10, vcpus=vcpus)
    assert Fast(p).run() == Plain(p).run()


@pytest.mark.parametrize(("groups", "fds", "vcpus"), [(512, 1, 1), (512, 1, 32), (13, 20, 1), (8, 60, 2)])
def test_as_many_tasks_as_can_be(groups: int, fds: int, vcpus: int) -> None:
    """A heap from half full to full, all senders of a pipe in its word of waiting ones; with pipes of one message."""
    p = Parameters(loops=1, groups=groups, fds=fds, vcpus=vcpus, pages=1, records=1)
    assert Fast(p).run() == Plain(p).run()

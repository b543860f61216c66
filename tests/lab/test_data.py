"""The data files are found by the same code in a checkout and in an install."""

from pathlib import Path

import pytest

from avickit import data
from avickit.errors import AvicError


def test_in_this_checkout() -> None:
    assert data.path("hackbench.csv").read_text("utf-8").startswith("#")
    assert data.scenario("ipi-running") in data.scenarios()


def test_in_an_install(tmp_path: Path) -> None:
    """There `data/` lies inside the package, as the wheel has it; a folder of that name beside it is another's."""
    package = tmp_path / "avickit"
    (package / "data").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for folder in (package / "data", tmp_path / "data"):
        (folder / "rules.toml").touch()
    assert data.folder(package) == package / "data"


def test_in_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "avickit").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rules.toml").touch()
    assert data.folder(tmp_path / "avickit") == tmp_path / "data"


def test_an_installation_that_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(AvicError, match="install avickit again"):
        data.folder(tmp_path / "avickit")


def test_names_that_are_not_there() -> None:
    with pytest.raises(AvicError, match=r"data file: hackbench\.txt given, expected .*hackbench\.csv"):
        data.path("hackbench.txt")
    with pytest.raises(AvicError, match=r"one of the \d+ that come along; near it: ipi-self"):
        data.scenario("ipi-selv")
    with pytest.raises(AvicError, match=r"that come along$"):
        data.scenario("zzz")

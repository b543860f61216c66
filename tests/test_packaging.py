"""The files around the code agree with each other, and a wheel holds all that the code needs."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = [Requirement(line) for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")]
ENVIRONMENT: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]

# Python versions and systems for which the lock has to hold.
TARGETS = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5", "sys_platform": system, "os_name": os_name}
    for minor in (11, 12, 13, 14)
    for system, os_name in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
]


def bounds(lines: list[str]) -> dict[str, str]:
    """Package name to version bound."""
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): str(r.specifier) for r in requirements}


def files_of_the_project() -> list[Path]:
    """What git tracks or would track; in an unpacked sdist, which has no git, all files but what tools have made."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    made = re.compile(r"^(\.venv|my|\..*_cache|\.hypothesis)$|__pycache__")
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not any(made.search(part) for part in path.relative_to(ROOT).parts)]


def tree_for_a_build(folder: Path) -> Path:
    """A copy of the project, so that a build neither leaves anything behind nor takes what is ignored."""
    for path in files_of_the_project():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return folder


class TestEnvironmentForConda:
    def test_holds_what_pyproject_says(self) -> None:
        checkers = [line for line in EXTRAS["test"] if Requirement(line).name in ("nbval", "pytest")]
        expected = bounds(PROJECT["dependencies"] + EXTRAS["notebook"] + checkers)
        expected |= {"python": PROJECT["requires-python"], "pip": ""}
        assert bounds(CONDA) == expected

    def test_holds_the_packages_that_the_notebooks_were_asked_for_with(self) -> None:
        assert {"jupyterlab", "ipywidgets", "numpy", "matplotlib", "nbval"} <= bounds(CONDA).keys()

    def test_installs_the_kit_itself(self) -> None:
        assert {"pip": ["-e ."]} in ENVIRONMENT["dependencies"]


class TestLock:
    def test_names_no_address_and_no_path(self) -> None:
        assert not re.search(r"://|^\s*-|@ |[/\\]", re.sub(r"\(pyproject\.toml\)", "", LOCK), re.MULTILINE)

    def test_pins_each_package_exactly(self) -> None:
        assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in PINS)

    @pytest.mark.parametrize("target", TARGETS, ids=lambda t: f"{t['python_version']}-{t['sys_platform']}")
    def test_has_one_pin_within_the_bounds_for_each_dependency(self, target: dict[str, str]) -> None:
        applying = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate(target)]
        names = [canonicalize_name(pin.name) for pin in applying]
        assert len(names) == len(set(names))
        versions = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in applying}
        for line in PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra]:
            wanted = Requirement(line)
            assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), line

    def test_holds_no_giant(self) -> None:
        assert not {"torch", "jax", "tensorflow", "scipy", "pandas"} & {pin.name for pin in PINS}


class TestPyproject:
    def test_sets_lower_bounds_and_no_upper_ones(self) -> None:
        for line in PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra]:
            assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line

    def test_asks_for_the_python_that_kit_py_asks_for(self) -> None:
        assert PROJECT["requires-python"] == ">=3.11"
        assert sys.version_info >= (3, 11)

    def test_agrees_with_the_citation(self) -> None:
        citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
        assert citation["version"] == PROJECT["version"]
        assert citation["license"] == PROJECT["license"]
        assert {"cff-version", "message", "title", "authors"} <= citation.keys()


class TestLicences:
    def test_code_is_under_apache_2(self) -> None:
        text = (ROOT / "LICENSE").read_text(encoding="utf-8")
        assert "Apache License\n                           Version 2.0, January 2004" in text
        assert "END OF TERMS AND CONDITIONS" in text

    def test_notebooks_are_under_cc_by_4(self) -> None:
        text = (ROOT / "notebooks/LICENSE").read_text(encoding="utf-8")
        assert text.startswith("Attribution 4.0 International\n")
        assert [int(n) for n in re.findall(r"^Section (\d) --", text, re.MULTILINE)] == list(range(1, 9))


def test_no_file_names_a_machine_or_a_registry() -> None:
    machine = re.compile(rb"(?<![\w.~-])/(work|root|home/\w+|Users/\w+)/")
    registry = re.compile(rb"(pypi|pythonhosted|npmjs|anaconda|debian)\.(org|com|io)")
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in files_of_the_project()
        for pattern in (machine, registry)
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


class TestBuild:
    def test_wheel_holds_code_data_and_types(self, tmp_path: Path) -> None:
        tree = tree_for_a_build(tmp_path / "tree")
        [wheel] = WheelBuilder(str(tree)).build(directory=str(tmp_path), versions=["standard"])
        names = set(zipfile.ZipFile(wheel).namelist())
        beside = [*(tree / "data").rglob("*"), *(tree / "notebooks").rglob("*")]
        data = {f"avickit/{p.relative_to(tree)}" for p in beside if p.is_file()}
        code = {str(p.relative_to(tree)) for p in (tree / "avickit").rglob("*") if p.is_file()}
        info = {name for name in names if ".dist-info/" in name}
        assert data
        assert "avickit/py.typed" in names
        assert names - info == data | code
        assert any(name.endswith("licenses/LICENSE") for name in info)
        entry_points = zipfile.ZipFile(wheel).read(f"avickit-{PROJECT['version']}.dist-info/entry_points.txt").decode()
        assert "avickit = avickit.cli:main" in entry_points

    def test_editable_install_reads_this_folder_only(self, tmp_path: Path) -> None:
        tree = tree_for_a_build(tmp_path / "tree")
        [wheel] = WheelBuilder(str(tree)).build(directory=str(tmp_path), versions=["editable"])
        names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
        assert names == ["_avickit.pth"]
        assert zipfile.ZipFile(wheel).read("_avickit.pth").decode().strip() == str(tree)

    def test_sdist_is_complete(self, tmp_path: Path) -> None:
        tree = tree_for_a_build(tmp_path / "tree")
        [sdist] = SdistBuilder(str(tree)).build(directory=str(tmp_path), versions=["standard"])
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert {str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file()} <= names

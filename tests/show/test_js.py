"""The JavaScript of the live views: node's own test runner for its pure part, and what it must not know."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from avickit.show.live.bundle import SCRIPTS as SCRIPTS_OF
from avickit.show.live.bundle import script

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "avickit/show/live").glob("*.js"))
TESTS = sorted((ROOT / "tests/js").glob("*.test.mjs"))
OLDEST = 18
WORDS = re.compile(
    r"\b(s?v?m?avic|x?2?apic|irr|isr|tmr|tpr|ppr|icr[hl]?|eoi|ldr|dfr|svr|vmcb|v?cpus?|guests?|hosts?|cores?|xen"
    r"|hypervisor|doorbells?|vmexits?|exits?|vmrun|vectors?|interrupts?|instructions?|patch(es)?|lapic)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def node() -> str:
    """A node that is new enough."""
    found = shutil.which("node")
    cure = (
        f"install Node.js {OLDEST} or newer (Debian and Ubuntu: sudo apt-get install nodejs; macOS: brew install node)"
    )
    if found is None:
        pytest.fail(f"The tests of the live views' JavaScript need node: {cure}")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < OLDEST:
        pytest.fail(f"node is {version}: {cure}")
    return found


def test_the_pure_part(node: str) -> None:
    assert TESTS
    run = subprocess.run([node, "--test", *map(str, TESTS)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"pass [1-9]", run.stdout)


@pytest.mark.parametrize("stem", SCRIPTS_OF)
def test_the_bundle_is_one_module(node: str, tmp_path: Path, stem: str) -> None:
    bundle = tmp_path / "bundle.mjs"
    bundle.write_text(script(stem), encoding="utf-8")
    run = subprocess.run([node, "--check", str(bundle)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert script(stem).count("export default") == 1
    assert "</script" not in script(stem), "it is put into a page as it is"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_it_draws_and_knows_none_of_our_words(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert [match.group() for match in WORDS.finditer(text)] == []
    assert "import" not in text, "the files are read one behind the other"
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"\beval\(|new Function|document\.write|outerHTML|insertAdjacentHTML", text)

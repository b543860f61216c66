"""The README claims nothing that does not hold: its example runs, its files are there, its commands exist."""

import contextlib
import io
import re
from pathlib import Path

import pytest

import kit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_example_prints_what_its_comments_say() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code[1], {})
    lines = printed.getvalue().splitlines()
    promised = re.findall(r"^print\(.*\)  # (.*)$", code[1], re.MULTILINE)
    assert lines[:2] == promised[:2]
    assert "sets the target's IRR bit of vector 41h" in lines[2]


def test_every_file_of_the_reading_order_is_there_and_none_is_forgotten() -> None:
    listed = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", README, re.MULTILINE)))
    assert all((ROOT / name).exists() for name in listed), [n for n in listed if not (ROOT / n).exists()]
    rooms = [f"avickit/{p.name}" for p in (ROOT / "avickit").iterdir() if p.suffix == ".py" and p.stem[0] != "_"]
    rooms += [f"avickit/silicon/{p.name}" for p in (ROOT / "avickit/silicon").glob("[a-z]*.py")]
    assert not [room for room in rooms if room not in listed]


def test_the_two_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        kit.main(["--help"])
    known = capsys.readouterr().out
    named = re.findall(r"^python3 kit.py (\w+)", README, re.MULTILINE)
    assert named == ["lab", "test"]
    assert all(command in known for command in named)


def test_the_picture_is_there_and_small() -> None:
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size < 200_000

"""The lines of keys in TOML texts: right for every key of every scenario, and for the odd ways to write TOML."""

import tomllib
from typing import Any

import pytest

from avickit import data
from avickit.lab.scenario.schema import key_text
from avickit.lab.scenario.toml_lines import Path, lines, nearest


def paths(value: Any, place: Path = ()) -> list[Path]:
    """Every key and element of some data."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in [(*place, key), *paths(inner, (*place, key))]]


def test_each_key_of_each_scenario_has_a_line_that_mentions_it() -> None:
    for file in data.scenarios():
        text = file.read_text("utf-8")
        found, rows = lines(text), text.splitlines()
        assert set(found) == set(paths(tomllib.loads(text))), file.stem
        for path, line in found.items():
            assert isinstance(path[-1], int) or path[-1] in rows[line - 1], (file.stem, path)


ODD = """\
# a comment with = and [
a.b . "c d" = 1   # 1
'q' = '''
[no.header]
x = 1'''
t = "\\"]" # "

[ one . two ]
list = [
  1, # ]
  [ 2,
    3 ],
  { x = "}", y.z = [ ] }, 'l#',
]
[[many]]
v = -1.5e3
[many.sub]
w = 1979-05-27 07:32:00
[[many]]
v = { a = true }
"""


def test_odd_ways_to_write_it() -> None:
    found = lines(ODD)
    assert set(found) == set(paths(tomllib.loads(ODD)))
    assert found["a", "b", "c d"] == 2
    assert found["q",] == 3
    assert found["one", "two", "list", 1, 1] == 12
    assert found["one", "two", "list", 2, "y", "z"] == 13
    assert found["one", "two", "list", 3] == 13
    assert found["many", 0, "sub", "w"] == 18
    assert found["many", 1, "v", "a"] == 20


def test_windows_line_ends() -> None:
    assert lines("a = 1\r\n[t]\r\nb = [\r\n 1,\r\n]\r\n")["t", "b", 0] == 4


def test_the_nearest_line_of_what_is_missing() -> None:
    found = lines("[a]\nb = { c = 1 }\n")
    assert nearest(found, ("a", "b", "x")) == 2
    assert nearest(found, ("z",)) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("setup", 3, "core"), "setup step 4, core"),
        (("race", "sender", 0, "execute", 1), "race.sender step 1, execute item 2"),
        (("expect", "v1", "irr", 0), "expect.v1.irr item 1"),
        (("domain", 1, "vcpus"), "domain item 2, vcpus"),
        ((), ""),
    ],
)
def test_keys_as_people_say_them(path: Path, text: str) -> None:
    assert key_text(path) == text

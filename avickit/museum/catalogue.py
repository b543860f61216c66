"""What data/defects.toml says of each defect; the file is checked against its schema when it is first read.

Does not model: the defects; those are overlays, by the same names (`registry`).
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

from avickit import data
from avickit.errors import AvicError

FILE, SCHEMA = "defects.toml", "defects.schema.json"
CONFIDENCE = {
    "S": "follows from the code alone, or was executed",
    "H": "the code is certain; the consequence leans on hardware behaviour that the manual leaves open",
    "M": "plausible, not fully traced",
    "-": "no letter: KVM's items are known by their fixes, the prototypes' by their code",
}
"""What the letters of a confidence mean; S/H is certain in one part and H in another."""


@dataclass(frozen=True)
class Defect:
    """One item of the catalogue, or another form of one (`X18-a2`). Which words are there depends on the item."""

    id: str
    title: str
    patch: int
    rules: tuple[str, ...]
    confidence: str
    function: str
    form: str = ""
    versions: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    where: str = ""
    when: str = ""
    consequence: str = ""
    notices: str = ""
    fix: str = ""
    not_modelled: str = ""
    built_in: bool = False
    shows: str = ""
    scenario: str = ""
    cut: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    symptoms: tuple[str, ...] = ()
    same_as: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The catalogue's number: `X18` of `X18-a2`."""
        return self.id.partition("-")[0]

    @property
    def modelled(self) -> bool:
        """Whether there is an overlay."""
        return not self.not_modelled

    @property
    def whose(self) -> str:
        """Whose defect it is, as the museum says it."""
        if self.number.startswith("K"):
            return "KVM's defect on this machine"
        return "a defect of the prototypes of 2016" if self.number.startswith("P") else "a defect of the Xen series"

    @property
    def certainty(self) -> str:
        """The letters of its confidence in words."""
        return "; ".join(f"{letter}: {CONFIDENCE[letter]}" for letter in self.confidence.split("/"))


@cache
def catalogue() -> dict[str, Defect]:
    """Every item by its name, in the file's order. Raises AvicError if the file is not whole."""
    return read(data.path(FILE).read_text(encoding="utf-8"))


@cache
def versions() -> dict[str, str]:
    """The published versions, oldest first, with a sentence each."""
    found = tomllib.loads(data.path(FILE).read_text(encoding="utf-8"))
    return {version["name"]: version["says"] for version in found["version"]}


def read(text: str) -> dict[str, Defect]:
    """The items in a text. Raises AvicError naming the item and the key that is wrong."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AvicError(f"{FILE}: no TOML: {error}") from error
    from fastjsonschema import JsonSchemaValueException

    try:
        validator()(found)
    except JsonSchemaValueException as error:
        raise AvicError(
            f"{FILE}: {told(found, error.path[1:])}: {error.message.removeprefix(error.name or '')}"
        ) from error
    items: dict[str, Defect] = {}
    for item in found["defect"]:
        words: dict[str, Any] = {key: tuple(part) if isinstance(part, list) else part for key, part in item.items()}
        made = Defect(**words)
        if made.id in items:
            raise AvicError(f"{FILE}: {made.id} comes a second time")
        items[made.id] = made
    for made in items.values():
        check(made, items)
    return items


def check(item: Defect, items: Mapping[str, Defect]) -> None:
    """What a schema cannot say of an item."""
    both = set(item.versions) & set(item.absent)
    if both:
        raise AvicError(f"{FILE}: {item.id}: {' '.join(sorted(both))} both in versions and in absent")
    if bool(item.form) != ("-" in item.id) or item.number not in items:
        raise AvicError(f"{FILE}: {item.id}: a name with a suffix, and no other, has a form and an item without one")
    words = ("where", "when", "consequence", "notices", "fix", "shows", "scenario")
    missing = [key for key in words if not getattr(item, key)] if item.modelled and not item.form else []
    if missing:
        raise AvicError(f"{FILE}: {item.id}: {' '.join(missing)} missing; not_modelled says why there is no overlay")


def told(found: Any, path: Iterable[str]) -> str:
    """The library's path with the item's name where it is one."""
    said = []
    for part in path:
        found = found[int(part)] if isinstance(found, list) and part.isdigit() else found.get(part, {})
        said.append(str(found.get("id", part)) if isinstance(found, dict) else part)
    return " ".join(said) or "the file"


@cache
def validator() -> Any:
    """The schema as a function; fastjsonschema makes it once."""
    import fastjsonschema

    return fastjsonschema.compile(json.loads(data.path(SCHEMA).read_text(encoding="utf-8")))


def item(name: str) -> Defect:
    """The item of that name. Raises AvicError with the names that come near it."""
    known = catalogue()
    if name in known:
        return known[name]
    raise AvicError.of("defect", name, f"a number of the catalogue; near it: {', '.join(near(name, known))}")


def near(name: str, known: Iterable[str]) -> list[str]:
    """What may have been meant: the same in capitals, with leading zeros or a suffix, else what looks like it."""
    asked = re.sub(r"^([XK])(\d)(?!\d)", r"\g<1>0\2", name.upper().strip())
    alike = [other for other in known if other.upper() == asked or other.startswith(f"{asked}-")]
    return alike or get_close_matches(asked, [*known], n=3, cutoff=0.4) or ["X11", "K01", "P1"]

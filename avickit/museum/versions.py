"""Which defects a published version has, and what a boot with defects says of itself on the console.

A version is the intended series plus that version's items; it is not the version's code. Does not model: what else the
versions differ in (debug keys, messages, structure).
"""

from collections.abc import Iterable
from typing import NamedTuple

from avickit.beat import World
from avickit.errors import AvicError
from avickit.museum.catalogue import Defect, catalogue, item, versions
from avickit.museum.registry import bring_all


class Version(NamedTuple):
    """A published version's items: on this machine, not modelled, and those of which the catalogue does not speak."""

    name: str
    brought: tuple[str, ...]
    later: tuple[str, ...]
    not_modelled: tuple[str, ...]
    silent: tuple[str, ...]


def version_of(name: str, patches: int = 10) -> Version:
    """The items of a version, with the first `patches` of the series. Raises AvicError for an unknown name.

    `later` are those that sit in a patch which is not there.
    """
    if name not in versions():
        raise AvicError.of("version", name, " or ".join(versions()))
    mine = [d for d in catalogue().values() if name in d.versions]
    brought = tuple(d.id for d in mine if d.modelled and d.patch <= patches)
    later = tuple(d.id for d in mine if d.modelled and d.patch > patches)
    missing = tuple(d.id for d in mine if not d.modelled)
    return Version(name, brought, later, missing, silent(name))


def silent(name: str) -> tuple[str, ...]:
    """The series' numbers of which the catalogue says neither that this version has them nor that it has not."""
    said: set[str] = set()
    numbers: dict[str, None] = {}
    for d in catalogue().values():
        if d.number.startswith("X"):
            numbers[d.number] = None
            said.update([d.number] if name in (*d.versions, *d.absent) else [])
    return tuple(number for number in numbers if number not in said)


def chosen(version: str | None, defects: Iterable[str], patches: int) -> tuple[str, ...]:
    """The overlays of a boot, by name, each once. Raises AvicError for what cannot be, before anything is done."""
    names = list(version_of(version, patches).brought) if version is not None else []
    for name in (defects,) if isinstance(defects, str) else defects:
        found = item(name)
        if not found.modelled:
            raise AvicError(f"defect {name} ({found.title}) is not modelled: {found.not_modelled}")
        if found.patch > patches:
            raise AvicError(f"defect {name} sits in patch {found.patch}: {patches} patches do not have it yet")
        names.append(name)
    return tuple(dict.fromkeys(names))


def bring(w: World, version: str | None, defects: Iterable[str], patches: int) -> list[str]:
    """Bring them to a World that has its patches; the lines that the boot log says of it."""
    names = chosen(version, defects, patches)
    bring_all(w, names)
    lines = [] if version is None else version_lines(version_of(version, patches))
    return lines + [f"(avickit) {line(item(name))}" for name in dict.fromkeys(defects)]


def line(d: Defect) -> str:
    """A defect that was asked for by its number."""
    whose = " (the series has it itself)" if d.built_in else ""
    return f"{d.id}: {d.whose}{whose}: {d.title} [{d.confidence}]"


def version_lines(v: Version) -> list[str]:
    """What a version is, in at most four lines."""
    said = [f"version {v.name}: the intended series with {len(v.brought)} published defects: {' '.join(v.brought)}"]
    if v.later:
        said.append(f"version {v.name}: these sit in later patches: {' '.join(v.later)}")
    if v.not_modelled:
        said.append(f"version {v.name}: not modelled: {' '.join(v.not_modelled)}")
    if v.silent:
        said.append(f"version {v.name}: the catalogue is silent on {' '.join(v.silent)}; they are left out")
    return [f"(avickit) {line}" for line in said]

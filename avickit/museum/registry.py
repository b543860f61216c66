"""By its number, what brings a defect to a Xen: one function a name, registered where the overlay is written.

A name is a catalogue number (`X11`), with a suffix for another form of it: as another version had it (`X18-a2`), a
partial repair (`X11-polarity`), or the repair of what the series itself leaves as it was published (`X23-fix`).
Does not model: what the catalogue says of it (`catalogue`).
"""

from collections.abc import Callable, Iterable

from avickit.beat import World

Bring = Callable[[World], None]
OVERLAYS: dict[str, Bring] = {}
"""Every overlay by name, in the order of the modules that hold them."""


def brings(name: str) -> Callable[[Bring], Bring]:
    """Register what brings this defect (or repair) to a World that has been given its patches."""

    def keep(bring: Bring) -> Bring:
        assert name not in OVERLAYS, f"{name} is there already"
        OVERLAYS[name] = bring
        return bring

    return keep


def bring_all(w: World, names: Iterable[str]) -> None:
    """Bring each of them. Raises AvicError where two of them replace one step in two ways."""
    for name in dict.fromkeys(names):
        OVERLAYS[name](w)

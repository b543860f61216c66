"""Beats as people read them: one in a few lines, many as a listing.

Does not model: pages (see `sheets`).
"""

from collections.abc import Sequence
from typing import Any

from avickit.lab.trace import Beat
from avickit.manual.vectors import vectors_of
from avickit.show import palette
from avickit.show.tags import cell, element, head, panel, row, table, text
from avickit.show.writing import vectors

SETS = ("page IRR", "page ISR", "page TMR")
MOST_BEATS = 50
"""So many beats of a listing are shown: its beginning and its end."""


def value_text(value: Any) -> str:
    """A value as a beat shows it: a number in hex, a short state, or nothing."""
    if isinstance(value, int):
        return f"{value:X}h" if value > 9 else str(value)
    return "nothing" if not value else "set"


def change_text(beat: Beat) -> str:
    """`0 -> 2h`, `2h` if it was only read; sets of vectors by their vectors."""
    old, new = ((vectors_text if beat.place.endswith(SETS) else value_text)(v) for v in (beat.old, beat.new))
    return old if beat.old == beat.new else f"{old} -> {new}"


def vectors_text(value: int) -> str:
    """`41h, 52h`."""
    return vectors(vectors_of(value)) or "no vector"


def beat_text(beat: Beat) -> str:
    """A beat in three lines: who and what, where, by which rule."""
    return (
        f"beat {beat.n}: {beat.actor}, {beat.kind}\n  {beat.say}\n"
        f"  {beat.place}: {change_text(beat)}\n  rule {beat.rule}; {beat.cite}"
    )


def beat_html(beat: Beat) -> str:
    """The same with the sentence large."""
    kind = element("b", text(beat.kind), f"padding:0 5px;background:{palette.wash(palette.KIND[beat.kind])}")
    lead = f"{text(f'beat {beat.n} ')}{kind} {text(beat.actor)}"
    place = element("code", text(f"{beat.place}: {change_text(beat)}"))
    source = element("small", text(f"rule {beat.rule}; {beat.cite}"))
    said = element("b", text(beat.say))
    return panel(f"<div>{lead}: {said}</div><div>{place} {source}</div>")


def listing_text(beats: Sequence[Beat], note: str = "") -> str:
    """A line for each beat."""
    width = max((len(beat.place) for beat in beats), default=0)
    lines = []
    for n, beat in ends(beats):
        if n:
            lines.append(f"       ... {n} beats not shown ...")
        elif beat:
            who = f"{beat.n:>6}  {beat.actor:<7} {beat.kind:<6}"
            lines.append(f"{who} {beat.place:<{width}}  {beat.say}  [{beat.rule}]")
    return "\n".join(([note] if note else []) + lines)


def listing_html(beats: Sequence[Beat], note: str = "") -> str:
    """A row for each beat."""
    columns = [head(name) for name in ("beat", "actor", "kind", "place", "what it does", "rule")]
    rows = []
    for n, beat in ends(beats):
        if n:
            rows.append(row([cell(f"... {n} beats not shown", left=True)]))
        elif beat:
            hue = palette.KIND[beat.kind] if beat.kind != "READ" else ""
            rows.append(
                row(
                    [
                        head(beat.n, "row"),
                        cell(beat.actor, left=True),
                        cell(beat.kind, hue, left=True),
                        cell(beat.place, left=True, title=change_text(beat)),
                        cell(beat.say, left=True),
                        cell(beat.rule, left=True, title=beat.cite),
                    ]
                )
            )
    return panel(table(text(note), columns, rows))


def ends(beats: Sequence[Beat]) -> list[tuple[int, Beat | None]]:
    """The beats, or the first and the last of them with how many are left out between."""
    if len(beats) <= MOST_BEATS:
        return [(0, beat) for beat in beats]
    half = MOST_BEATS // 2
    left = len(beats) - 2 * half
    return [*((0, b) for b in beats[:half]), (left, None), *((0, b) for b in beats[-half:])]

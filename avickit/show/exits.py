"""#VMEXITs in words, their counts side by side, and the statistics of patch 10.

Does not model: what Xen does with an exit (read the beats).
"""

from collections.abc import Mapping, Sequence

from avickit.manual.decode import explain
from avickit.manual.exits import exit_name
from avickit.show.tags import box, cell, element, head, panel, row, table, text
from avickit.silicon.parts import Exit

MOST_EXITS = 12


def exit_lines(exit: Exit) -> list[str]:
    """What an exit says, one sentence each; why VMRUN refused, if it did."""
    said = explain(int(exit.code), exit.info1, exit.info2)
    return [*said, f"{exit.reason}."] if exit.reason else said


def exits_text(exits: Sequence[Exit]) -> str:
    """The newest exits, oldest first."""
    lines = []
    for n, exit in numbered(exits):
        first, *rest = exit_lines(exit)
        lines += [f"{n:>4}  {first}", f"      EXITINFO1 {exit.info1:016X}h, EXITINFO2 {exit.info2:016X}h"]
        lines += [f"      {line}" for line in rest]
    return "\n".join(lines) or "no exit"


def exits_html(exits: Sequence[Exit]) -> str:
    """The same as a table."""
    columns = [head(name) for name in ("exit", "code", "EXITINFO1", "EXITINFO2", "in words")]
    rows = []
    for n, exit in numbered(exits):
        words = " ".join(exit_lines(exit))
        code, infos = f"{int(exit.code) & 0xFFFF:X}h", [cell(f"{info:X}h") for info in (exit.info1, exit.info2)]
        cells = [head(n, "row"), cell(code), *infos]
        rows.append(row([*cells, cell(words, left=True)]))
    return panel(table("", columns, rows) if rows else text("no exit"))


def numbered(exits: Sequence[Exit]) -> list[tuple[int, Exit]]:
    """The newest, with their numbers."""
    return list(enumerate(exits, 1))[-MOST_EXITS:]


Tally = Mapping[str, Sequence[Exit]]


def counts(tally: Tally) -> list[tuple[str, str, list[int]]]:
    """For each kind of exit its name, its meaning and how often it came in each run; the sum last."""
    codes = sorted({int(exit.code) for exits in tally.values() for exit in exits})
    found = []
    for code in codes:
        member = next(exit.code for exits in tally.values() for exit in exits if exit.code == code)
        meaning = getattr(member, "doc", "")
        found.append((exit_name(code), meaning, [sum(e.code == code for e in exits) for exits in tally.values()]))
    return [*found, ("all exits", "", [len(exits) for exits in tally.values()])]


def tally_text(tally: Tally) -> str:
    """The counts of exits side by side."""
    widths = [max(len(name), 5) for name in tally]
    lines = [f"{'':<22}" + "".join(f"  {name:>{w}}" for name, w in zip(tally, widths, strict=True))]
    for name, meaning, numbers in counts(tally):
        shown = "".join(f"  {n:>{w}}" for n, w in zip(numbers, widths, strict=True))
        lines.append(f"{name:<22}{shown}  {meaning}".rstrip())
    return "\n".join(lines)


def tally_html(tally: Tally) -> str:
    """The same as a table."""
    rows = []
    for name, meaning, numbers in counts(tally):
        shown = [element("b", text(n)) if not meaning else text(n) for n in numbers]
        cells = [box("td", n, right=True) for n in shown]
        rows.append(row([head(name, "row"), *cells, cell(meaning, left=True)]))
    return panel(table("", [head("#VMEXIT"), *(head(name) for name in tally), head("meaning")], rows))

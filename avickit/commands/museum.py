"""The command of the museum: list the exhibits, or show some of them with the defect and without.

Does not model: the exhibits (`lab.exhibit`).
"""

import sys
from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, json_option, paint

if TYPE_CHECKING:
    from avickit.lab.exhibit import Exhibit
    from avickit.museum.catalogue import Defect


@click.command(epilog="Example: avickit museum X11")
@click.argument("names", nargs=-1, metavar="[DEFECT]...")
@click.option("--all", "everything", is_flag=True, help="Show every exhibit.")
@click.option("--missing", is_flag=True, help="List what the catalogue has and the museum has not, and why.")
@json_option
def museum(names: tuple[str, ...], everything: bool, missing: bool, as_json: bool) -> None:
    """Defects that were really published in AVIC code: list them, or show some.

    DEFECT is a number of the catalogue, such as X11. Each is told twice, by the correct code and with the defect. Exit
    code 0 if each shows what the catalogue says, 1 if one does not, 2 for bad input.
    """
    from avickit.lab import exhibit as lab
    from avickit.museum.catalogue import catalogue

    if missing:
        lacking = [d for d in catalogue().values() if not d.modelled]
        if as_json:
            echo_json([{"id": d.id, "title": d.title, "not_modelled": d.not_modelled} for d in lacking])
        else:
            click.echo("\n".join(f"{d.id:<5} {d.title}: {d.not_modelled}" for d in lacking))
        return
    if not names and not everything:
        listing(lab.exhibits(), as_json)
        return
    chosen = [d.id for d in lab.exhibits()] if everything else [lab.shown(name).id for name in names]
    found = [lab.exhibit(name) for name in chosen]
    if as_json:
        echo_json([shown.data() for shown in found])
    else:
        click.echo("\n\n".join("\n".join(lines(shown, brief=everything)) for shown in found))
    sys.exit(0 if all(shown.ok for shown in found) else 1)


def listing(found: "list[Defect]", as_json: bool) -> None:
    """One line an exhibit."""
    if as_json:
        words = ("id", "title", "whose", "confidence", "patch", "shows", "scenario")
        echo_json([{w: getattr(d, w) for w in words} | {"versions": list(d.versions)} for d in found])
        return
    for d in found:
        versions = " ".join(d.versions)
        click.echo(f"{paint(f'{d.id:<12}', 'cyan')} {d.confidence:<4} {d.shows:<8} {versions:<15} {d.title}")
    click.echo(f"{len(found)} exhibits; avickit museum X11 shows one, avickit museum --missing what is not here")


def lines(shown: "Exhibit", *, brief: bool = False) -> list[str]:
    """An exhibit as people read it."""
    d = shown.defect
    head = [paint(f"{d.id}: {d.title}", "cyan", bold=True)]
    if not brief:
        head += story(d)
    head.append(f"Correct code, scenario {d.scenario}: {len(shown.right.checks)} expectations, {said(shown)}.")
    head += [paint(f"  {check}", "red") for check in shown.right.failures]
    for memory, (right, wrong) in shown.explored.items():
        head.append(f"All orders, {memory}: {right.verdict} ({right.executions:,}); with it {wrong.executions:,}.")
    order = f" ({d.cut['actor']} stops after beat {d.cut['nth']} of {d.cut['rule']})" if d.cut else ""
    beside = f" beside {d.number}" if d.form == "repair" else ""
    head.append(f"With {d.id}{beside}{order}:")
    head += [f"  {paint('differs', 'yellow')} {line}" for line in shown.differs] or ["  nothing differs"]
    head += ["  repaired"] if d.form == "repair" and shown.ok else []
    return head if shown.ok else [*head, paint("This is not what the catalogue says.", "red", bold=True)]


def said(shown: "Exhibit") -> str:
    """How the correct code fares."""
    return "all hold" if shown.right.ok else f"{len(shown.right.failures)} do not hold"


def story(d: "Defect") -> list[str]:
    """What the catalogue says of it."""
    from avickit.lab.exhibit import code

    words = [("Where", d.where), ("When", d.when), ("Consequence", d.consequence), ("Who notices", d.notices)]
    words += [("Fix", d.fix), ("In versions", " ".join(d.versions)), ("Not in", " ".join(d.absent))]
    patch = f", patch {d.patch}" if d.patch else ""
    told = [f"{d.whose[0].upper()}{d.whose[1:]}{patch}: {d.function}"]
    told += [f"  {name + ':':<13} {text}" for name, text in words if text]
    if d.built_in:
        told.append("  The series has it itself; the correct code here is the repair.")
    told += [f"  {'Same as:':<13} {name}, {why}" for name, why in d.same_as.items()]
    told.append(f"  {'Confidence:':<13} {d.certainty}")
    told += [f"  {'Rules:':<13} {' '.join(d.rules)}", *(f"  {'Code:':<13} {place}" for place in code(d.id))]
    return told

"""What `avickit hackbench` prints: the parameters, and measured times beside simulated ones.

Does not model: hackbench (`workload`).
"""

from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, paint

if TYPE_CHECKING:
    from avickit.workload.compare import Band, Cell
    from avickit.workload.result import Result


def show_parameters(as_json: bool) -> None:
    """All parameters: unit, default, meaning; for prices what they rest on."""
    from avickit.workload.parameters import Parameters
    from avickit.workload.prices import PRICES

    rows = [
        {"name": n, "unit": unit, "default": default, "meaning": meaning}
        | ({"standing": PRICES[n].standing.value, "source": PRICES[n].source} if n in PRICES else {})
        for n, unit, default, meaning in Parameters.table()
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        rests = f" [{row['standing']}: {row['source']}]" if "standing" in row else ""
        click.echo(f"{row['name']:<20} {row['default']!s:>13} {row['unit']:<9} {row['meaning']}{rests}")


def show_comparison(mine: "dict[Cell, Band]", results: "list[Result]", as_json: bool) -> None:
    """Cell by cell."""
    from avickit.workload.compare import HEAD, NAMES, compare

    lines = compare(mine, results)
    if as_json:
        bands = [(b and b._asdict() for b in (x.measured, x.simulated)) for x in lines]
        keys = ("measured", "simulated")
        echo_json(
            [{"cell": NAMES[x.cell]} | dict(zip(keys, b, strict=True)) for x, b in zip(lines, bands, strict=True)]
        )
        return
    click.echo(paint(HEAD, "cyan", bold=True))
    for found in lines:
        click.echo(str(found))
    click.echo("The simulation is no prediction: most of its prices are assumptions (avickit hackbench --parameters).")

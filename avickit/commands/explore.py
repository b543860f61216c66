"""The command that explores the race of a scenario.

Does not model: the exploration (`lab.explore`).
"""

import sys
from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, json_option, paint
from avickit.commands.tell import files_argument, load, patches_option

if TYPE_CHECKING:
    from avickit.lab.explore import Exploration


@click.command(epilog="Example: avickit explore race-sleep-against-ipi --memory tso")
@files_argument
@click.option("--memory", type=click.Choice(["sc", "tso"]), help="The memory model, instead of the file's.")
@click.option("--preemptions", type=click.IntRange(0), metavar="N", help="Only orders with at most N preemptions.")
@click.option("--executions", type=click.IntRange(1), metavar="N", help="Stop after N orders.")
@click.option("--reduction/--no-reduction", default=True, help="Leave out orders that end like others, or do not.")
@patches_option
@json_option
def explore(
    files: tuple[str, ...],
    memory: str | None,
    preemptions: int | None,
    executions: int | None,
    reduction: bool,
    patches: int | None,
    as_json: bool,
) -> None:
    """Try all orders of a race, and show the shortest one in which something goes wrong.

    FILE is a scenario file, - for standard input, or the name of a scenario that comes along. Ctrl-C ends the search
    with what was found so far. Exit code 1 if something was found, 2 for bad input.
    """
    from avickit.lab.explore import explore as explore_race

    results = [
        explore_race(
            load(file),
            memory,
            preemptions=preemptions,
            executions=executions,
            reduction=reduction,
            patches=patches,
        )
        for file in files
    ]
    if as_json:
        echo_json([result.data() for result in results])
    else:
        for result in results:
            click.echo("\n".join(told(result)))
    sys.exit(0 if all(result.ok for result in results) else 1)


def told(result: "Exploration") -> list[str]:
    """The verdict in a line, painted; what was explored; the counterexample as a diagram."""
    first, *rest = str(result).splitlines()
    return [paint(first, "green" if result.ok else "red", bold=True), *rest]

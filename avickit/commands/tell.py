"""Commands for scenario files: run one and tell its story, check many, list those that come along.

Does not model: the scenarios (`lab.scenario`).
"""

import sys
from typing import TYPE_CHECKING, Any

import click

from avickit.commands.common import echo_json, json_option, paint, standard_input
from avickit.errors import AvicError

if TYPE_CHECKING:
    from avickit.lab.scenario.file import Scenario
    from avickit.lab.scenario.result import Check, Result

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")
patches_option = click.option(
    "--patches", type=click.IntRange(0, 10), metavar="N", help="Boot with the first N patches instead of the file's."
)


def load(file: str) -> "Scenario":
    """A scenario from a file, from standard input, or by its name."""
    from avickit.lab.scenario import load as load_scenario

    return load_scenario(standard_input() + "\n" if file == "-" else file)


@click.command(epilog="Example: avickit run ipi-descheduled --no-beats")
@files_argument
@click.option("--beats/--no-beats", default=True, help="Print every beat, or the steps only.  [default: beats]")
@patches_option
@json_option
def run(files: tuple[str, ...], beats: bool, patches: int | None, as_json: bool) -> None:
    """Run scenarios and print their stories.

    FILE is a scenario file, - for standard input, or the name of a scenario that comes along. Exit code 1 if an
    expectation does not hold, 2 for bad input.
    """
    results = [load(file).run(patches) for file in files]
    if as_json:
        echo_json([told(result, beats) for result in results])
    else:
        for result in results:
            click.echo("\n".join(story(result, beats)))
    sys.exit(0 if all(result.ok for result in results) else 1)


def told(result: "Result", beats: bool) -> dict[str, Any]:
    """A result as data, with its beats."""
    from avickit.lab.trace_json import plain

    data = result.data()
    if beats:
        data["beats"] = [{k: plain(v) for k, v in beat._asdict().items()} for beat in result.machine.trace]
    return data


def story(result: "Result", beats: bool) -> list[str]:
    """Title, why, the steps with their beats, the expectations."""
    lines = [paint(result.scenario.title, "cyan", bold=True)]
    lines += [f"  {line}".rstrip() for line in result.scenario.why.strip().splitlines()]
    for step in result.story:
        lines.append(paint(step.text, "yellow"))
        if beats:
            lines += [f"  {result.machine.trace[n]}" for n in range(step.first, step.last + 1)]
    lines.append(f"{len(result.checks)} expectations with {result.patches} patches:")
    lines += [f"  {painted(check)}" for check in result.checks]
    return lines


def painted(check: "Check") -> str:
    """An expectation, green or red, and in words for everybody."""
    return paint(str(check), "green" if check.ok else "red")


@click.command(epilog="Example: avickit check data/scenarios/*.toml")
@files_argument
@patches_option
@click.option("-v", "--verbose", is_flag=True, help="Print the expectations that hold, too.")
@json_option
def check(files: tuple[str, ...], patches: int | None, verbose: bool, as_json: bool) -> None:
    """Run scenarios and look at their expectations only.

    Exit code 0 if all hold, 1 if some do not, 2 if a file cannot be used; the other files are checked all the same.
    """
    status, data = 0, []
    for file in files:
        try:
            result = load(file).run(patches)
        except AvicError as error:
            status = 2
            data.append({"file": file, "ok": False, "error": str(error)})
            if not as_json:
                click.echo(f"{paint('error', 'red')} {error}", err=True)
            continue
        status = max(status, 0 if result.ok else 1)
        data.append(result.data())
        if not as_json:
            word = paint("ok   ", "green") if result.ok else paint("FAILS", "red")
            click.echo(f"{word} {result.scenario.name}: {len(result.checks)} expectations")
            for line in result.checks if verbose else result.failures:
                click.echo(f"      {painted(line)}")
    if as_json:
        echo_json(data)
    sys.exit(status)


@click.command(epilog="Example: avickit scenarios")
@json_option
def scenarios(as_json: bool) -> None:
    """List the scenarios that come along."""
    from avickit import data

    found = [load(path.stem) for path in data.scenarios()]
    if as_json:
        shown = [{"name": s.name, "title": s.title, "patches": s.patches, "rules": list(s.rules)} for s in found]
        echo_json(shown)
        return
    width = max(len(s.name) for s in found)
    for s in found:
        click.echo(f"{paint(s.name.ljust(width), 'cyan')}  {s.title}")

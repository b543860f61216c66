"""The command that shows each rule with the code and the tests that cite it.

Does not model: the rules (`lab.rules`).
"""

import sys
from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, json_option, paint

if TYPE_CHECKING:
    from avickit.lab.rules import Standing


@click.command(epilog="Example: avickit rules --missing")
@click.argument("numbers", nargs=-1, metavar="[RULE]...")
@click.option("--missing", is_flag=True, help="Only rules that no code or no test cites; exit code 1 if there are any.")
@json_option
def rules(numbers: tuple[str, ...], missing: bool, as_json: bool) -> None:
    """Show each rule with the code and the tests that cite it.

    With the number of a rule, or of several, where they are cited.
    """
    from avickit.errors import AvicError
    from avickit.lab import rules as kept

    unknown = [number for number in numbers if number not in kept.numbers()]
    if unknown:
        raise AvicError.of("rule", ", ".join(unknown), "numbers as avickit rules lists them")
    found, with_tests = kept.standing()
    chosen = [s for s in found if not numbers or s.rule.number in numbers]
    lacking = [s for s in chosen if s.rule.modelled and (not s.code or (with_tests and not s.tests))]
    if missing:
        chosen = lacking
    if as_json:
        echo_json([data(s, with_tests) for s in chosen])
    else:
        for s in chosen:
            click.echo("\n".join(lines(s, with_tests, at_length=bool(numbers))))
        if not numbers:
            click.echo(summary(found, with_tests))
    sys.exit(1 if missing and lacking else 0)


def data(s: "Standing", with_tests: bool) -> dict[str, object]:
    """A rule as plain data; `tests` is null where the tests are not at hand."""
    tests = [where._asdict() for where in s.tests] if with_tests else None
    return s.rule._asdict() | {"code": [c._asdict() for c in s.code], "tests": tests, "scenarios": s.scenarios}


def lines(s: "Standing", with_tests: bool, *, at_length: bool) -> list[str]:
    """A rule in a line; at length, with everybody who cites it."""
    if not s.rule.modelled:
        word = paint("not modelled yet", "yellow")
    else:
        tests = f"tests {len(s.tests):>3}" if with_tests else "tests   ?"
        lacking = not s.code or (with_tests and not s.tests)
        word = paint(f"code {len(s.code):>3}  {tests}", "red" if lacking else "green")
    found = [f"{s.rule.number:<10} {word:<16}  {s.rule.says}"]
    if at_length:
        found.append(f"  source: {s.rule.source}")
        for name, cited in (("code", s.code), ("test", s.tests)):
            found += [f"  {name}: {where}" for where in cited]
        found += [f"  scenario: {name}" for name in s.scenarios]
    return found


def summary(found: "list[Standing]", with_tests: bool) -> str:
    """How many rules are cited by code, by tests, by scenarios."""
    modelled = [s for s in found if s.rule.modelled]
    parts = [("code", sum(bool(s.code) for s in modelled)), ("scenarios", sum(bool(s.scenarios) for s in modelled))]
    if with_tests:
        parts.insert(1, ("tests", sum(bool(s.tests) for s in modelled)))
    said = ", ".join(f"{name} cite {count} ({100 * count // len(modelled)} %)" for name, count in parts)
    later = len(found) - len(modelled)
    return f"{len(modelled)} rules: {said}; {later} more are not modelled yet"

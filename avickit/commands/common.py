"""What the commands share: numbers as people write them, files or standard input, JSON, colour on a terminal only.

Does not model: any command.
"""

import json
import os
import sys
from typing import Any

import click


def number(text: str) -> int:
    """A whole number as people write it: 0x401, 401h, 1025; digits with letters need 0x or h. Refuses others."""
    plain = text.strip().lower().replace("_", "")
    try:
        value = int(plain[:-1], 16) if plain.endswith("h") else int(plain, 0 if plain.startswith("0x") else 10)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number: expected 0x401, 401h or 1025") from None
    if value < 0:
        raise click.BadParameter(f"{text!r} is negative: give it as 64 bits")
    return value


def standard_input() -> str:
    """All of standard input, as text."""
    return sys.stdin.read()


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """Coloured on a terminal; click takes the colour out where there is none, NO_COLOR everywhere."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour, bold=bold)


def echo_json(data: Any) -> None:
    """Data for a machine."""
    click.echo(json.dumps(data, indent=2))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")

"""The command line: `avickit run`, `check`, `explore`, `museum`, `hackbench`, `decode`, `rules`, and what teachers use.

Exit code 0: all is well; 1: an expectation does not hold, a race can go wrong, an exhibit shows nothing, a rule is
cited by nobody; 2: bad input. Commands take files or `-`, standard input. What a command needs is loaded when it runs.
Does not model: the commands (`commands`).
"""

from typing import Any

import click

from avickit import __version__
from avickit.commands.decode import decode
from avickit.commands.explore import explore
from avickit.commands.hackbench import hackbench
from avickit.commands.museum import museum
from avickit.commands.rules import rules
from avickit.commands.teach import html, lesson, slides
from avickit.commands.tell import check, run, scenarios
from avickit.errors import AvicError


class BadInput(click.ClickException):
    """An AvicError on a command line: one sentence on standard error, exit code 2."""

    exit_code = 2


class Kit(click.Group):
    """The group of all commands; it turns the package's exception into a message."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AvicError as error:
            raise BadInput(str(error)) from error


@click.group(
    cls=Kit, epilog="Example: avickit run ipi-running", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="avickit")
def main() -> None:
    """AMD's AVIC and the Xen series that brought it, as a machine you can run without the machine."""


for command in (run, check, explore, scenarios, museum, hackbench, decode, rules, lesson, slides, html):
    main.add_command(command)

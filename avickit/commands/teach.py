"""Commands for teachers: a folder for a class, a deck of slides, a site to read without Jupyter.

Does not model: what is in them (`lessons`).
"""

from pathlib import Path

import click

from avickit.errors import AvicError


@click.command(epilog="Example: avickit lesson 05 06 --without-solutions --to monday")
@click.argument("numbers", nargs=-1, required=True, metavar="NN...")
@click.option("--without-solutions", is_flag=True, help="Leave the solutions out.")
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("lesson"), show_default=True)
def lesson(numbers: tuple[str, ...], without_solutions: bool, folder: Path) -> None:
    """Pack notebooks into a new folder for a class.

    NN is the number of a notebook. With its exercises it takes the solutions along, if not told otherwise.
    """
    from avickit.lessons.books import book
    from avickit.lessons.pack import pack

    chosen = [book(number) for number in dict.fromkeys(numbers)]
    for file in pack(chosen, folder, solutions=not without_solutions):
        click.echo(file)


@click.command(epilog="Example: avickit slides 05")
@click.argument("number", metavar="NN")
@click.option("--to", "file", type=click.Path(path_type=Path), help="The file to write.  [default: NAME.slides.html]")
def slides(number: str, file: Path | None) -> None:
    """Make one HTML file of slides from a notebook, which needs no network.

    NN is the number of a notebook. Open the file in a browser; arrow keys turn the pages, F is full screen, ? lists
    all keys.
    """
    from avickit.lessons.books import book
    from avickit.lessons.deck import deck

    chosen = book(number)
    target = file or Path(f"{chosen.file.stem}.slides.html")
    target.write_text(deck(chosen), encoding="utf-8")
    click.echo(target)


@click.command(epilog="Example: avickit html --to site")
@click.argument("numbers", nargs=-1, metavar="[NN]...")
@click.option("--live/--stored", default=True, help="Run the notebooks, so that views are live; or as stored.  [live]")
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("site"), show_default=True)
def html(numbers: tuple[str, ...], live: bool, folder: Path) -> None:
    """Build notebooks, all or those of the numbers NN, as a site that is read without Jupyter.

    It works from a disk or a server. In it views can be stepped through; there is no kernel behind them.
    """
    from avickit.lessons.books import book
    from avickit.lessons.site import build

    if folder.exists() and any(folder.iterdir()) and not (folder / "searchindex.js").is_file():
        raise AvicError.of("folder", str(folder), "an empty one, or a site that was built before")
    click.echo(build(folder, [book(number) for number in dict.fromkeys(numbers)], live=live))

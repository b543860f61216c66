#!/usr/bin/env python3
"""Two commands from a fresh clone: `python3 kit.py lab` opens the tour, `python3 kit.py test` runs all tests.

It needs Python 3.11 and its standard library; the rest goes into .venv beside this file. Notebooks open as working
copies under my/, so that exploring never changes the clone. `python3 kit.py --help` lists the other commands.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree


def refuse_old_python(version: "tuple[int, ...]") -> None:
    """End with one sentence on a Python that is too old; so this file has to parse, and run up to here, on 3.6."""
    if version[:2] < (3, 11):
        sys.exit("kit.py: this is Python {}.{}: start kit.py with Python 3.11 or newer.".format(*version))


refuse_old_python(sys.version_info[:2])

ROOT = Path(__file__).resolve().parent
NETWORK_TROUBLE = re.compile(
    r"failed to establish a new connection|connection (was )?(broken|refused|reset|timed out)|connect error|dns error"
    r"|network is unreachable|name resolution|getaddrinfo|(read|operation) timed out|certificate verify failed"
    r"|invalid peer certificate|error sending request|proxyerror|tunnel connection failed",
    re.IGNORECASE,
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "{PROGRAMFILES}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Google/Chrome/Application/chrome.exe",
    "{LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Microsoft/Edge/Application/msedge.exe",
)
ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
)
ASK_VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3]); sys.exit(sys.version_info < (3, 11))"


class Trouble(Exception):
    """What went wrong and what to do about it, in one sentence."""


class Result(NamedTuple):
    """The outcome of one stage of the tests."""

    name: str
    passed: int
    failed: int
    skipped: int
    remark: str


def say(text: str) -> None:
    """Tell what is being done, at once even when the output goes to a file."""
    print(text, flush=True)


# The environment


def venv_python() -> Path:
    """Where the environment has its Python on this system."""
    return ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ask_venv(question: str) -> str:
    """What the environment's Python prints for a small program; nothing if it is not there or the program fails."""
    try:
        answer = subprocess.run([venv_python(), "-c", question], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def stamp(version: str) -> str:
    """What a complete environment is stamped with: a line on where it can be used, a line on what it was made from."""
    sources = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "requirements.lock"))
    return f"Python {version} in {ROOT}\n{hashlib.sha256(sources).hexdigest()}\n"


def setup() -> None:
    """Make .venv complete; when it is, this only asks its Python for the version."""
    version, file = ask_venv(ASK_VERSION), ROOT / ".venv" / "kit-stamp"
    found, wanted = file.read_text(encoding="utf-8") if file.is_file() else "", stamp(version)
    if version and found == wanted:
        return
    uv = shutil.which("uv")
    if not version or found.partition("\n")[0] != wanted.partition("\n")[0]:
        make_venv(uv)
    file.unlink(missing_ok=True)
    for doing, command in install_commands(uv):
        attempt(doing, command)
    file.write_text(stamp(ask_venv(ASK_VERSION)), encoding="utf-8")
    say("The environment in .venv is complete.")


def make_venv(uv: "str | None") -> None:
    """Make an empty .venv in place of what an interrupted setup or another Python may have left there."""
    folder = ROOT / ".venv"
    if Path(sys.prefix).resolve() == folder.resolve():
        raise Trouble("kit.py has to make .venv anew while its own Python lives there: start it with another Python.")
    if not uv and not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        cure = "run `sudo apt-get install python3-venv`" if shutil.which("apt-get") else "install a complete Python"
        raise Trouble(f"This Python lacks the venv module that kit.py needs: {cure} and start kit.py again.")
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        say("The .venv here is unfinished, or of another Python or place; it is made anew.")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise Trouble(f".venv cannot be removed ({error}): end what still runs from there.") from None
    attempt(f"Making .venv with Python {sys.version.split()[0]}", venv_command(uv))


def venv_command(uv: "str | None") -> list[str]:
    """The command that makes an empty .venv, with pip in any case, for `%pip install` in a notebook."""
    folder = str(ROOT / ".venv")
    return [uv, "venv", "--seed", "--python", sys.executable, folder] if uv else [sys.executable, "-m", "venv", folder]


def install_commands(uv: "str | None") -> list[tuple[str, list[str]]]:
    """What fills .venv: the pinned packages, then this folder itself, for which no index is needed any more."""
    python, lock = str(venv_python()), (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "3"]
    install = [uv, "pip", "install", "--python", python] if uv else pip
    doing = f"Installing {len(re.findall('==[0-9]', lock))} packages with {'uv' if uv else 'pip'}"
    return [
        (doing, [*install, "-r", "requirements.lock"]),
        ("Installing avickit itself", [*install, "--no-deps", "--no-build-isolation", "-e", "."]),
    ]


def attempt(doing: str, command: list[str]) -> None:
    """Run a step of the setup quietly, with a sign of life every ten seconds; if it fails, say why."""
    say(f"{doing} ...")
    begin = time.monotonic()
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as child:
            while child.poll() is None:
                try:
                    child.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    say(f"  ... at it for {time.monotonic() - begin:.0f} s")
        log.seek(0)
        output = log.read().decode(errors="replace")
    if child.returncode and NETWORK_TROUBLE.search(output):
        raise Trouble("The Python package index cannot be reached: check the network and the settings of pip or uv.")
    if child.returncode:
        say("\n".join(output.splitlines()[-20:]))
        raise Trouble(f"'{doing}' failed for the reason above: remedy that and start kit.py again.")


def run(command: list[str], **variables: str) -> int:
    """Run a command in the environment; Ctrl-C goes to the command, too, and counts here when that has ended."""
    path = f"{venv_python().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(ROOT / ".venv"), **variables}
    program, interrupt = shutil.which(command[0], path=path), None
    if not program:
        raise Trouble(f"There is no command '{command[0]}', neither in .venv nor on the PATH.")
    with subprocess.Popen([program, *command[1:]], cwd=ROOT, env=environment) as child:
        while child.poll() is None:
            try:
                child.wait()
            except KeyboardInterrupt as error:
                interrupt = error
    if interrupt:
        raise interrupt
    return child.returncode


# Working copies of the notebooks


def shipped() -> dict[str, Path]:
    """The notebooks of the kit by their path below notebooks/, such as "00-tour.ipynb"."""
    found = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    return {p.relative_to(ROOT / "notebooks").as_posix(): p for p in found if ".ipynb_checkpoints" not in p.parts}


def pages() -> dict[str, Path]:
    """What the notebooks link to besides each other, such as "GLOSSARY.md"."""
    return {p.name: p for p in sorted((ROOT / "notebooks").glob("*.md"))}


def choose(name: str) -> str:
    """The shipped notebook that is meant by "00-tour", "my/00-tour.ipynb" or a beginning that fits no other."""
    wanted, names = re.sub(r"^(my|notebooks)[/\\]|\.ipynb$", "", name).replace("\\", "/"), list(shipped())
    fits = [n for n in names if n == f"{wanted}.ipynb"] or [n for n in names if n.startswith(wanted)]
    if len(fits) != 1:
        raise Trouble(f"No one notebook is called '{name}': choose from {', '.join(names) or 'none at all'}.")
    return fits[0]


def fingerprint(notebook: Path) -> list[str]:
    """Two hashes: of the file, and of what a person writes in it, which stays the same when cells are only run."""
    written = data = notebook.read_bytes()
    try:
        cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(data)["cells"]]
        written = json.dumps(cells).encode()
    except (ValueError, KeyError, TypeError):
        pass
    return [hashlib.sha256(part).hexdigest() for part in (data, written)]


def update_copies(reset: str = "") -> None:
    """Bring my/ up to date: make missing copies, refresh unedited ones, keep edited ones, put back the one to reset."""
    mine, manifest = ROOT / "my", ROOT / "my" / ".kit.json"
    mine.mkdir(exist_ok=True)
    try:
        taken = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        taken = {}
    for name, source in {**shipped(), **pages()}.items():
        copy, now, before = mine / name, fingerprint(source), taken.get(name, ["", ""])
        if copy.exists() and name == reset:
            say(f"Your my/{name} is kept as my/{keep_old(copy).relative_to(mine).as_posix()}.")
        elif copy.exists() and now == before:
            continue
        elif copy.exists() and fingerprint(copy)[1] not in (now[1], before[1]):
            say(f"There is a new {name}, and my/{name} keeps your changes; `kit.py lab --reset {name}` gives you both.")
            taken[name] = now
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        taken[name] = now
    manifest.write_text(json.dumps(taken, indent=1), encoding="utf-8")


def keep_old(copy: Path) -> Path:
    """Move a working copy beside itself, to the first free name of the form 00-tour.old-1.ipynb."""
    number = 1
    while copy.with_name(f"{copy.stem}.old-{number}.ipynb").exists():
        number += 1
    return copy.rename(copy.with_name(f"{copy.stem}.old-{number}.ipynb"))


def lab(notebook: str, reset: str, options: list[str]) -> int:
    """Open JupyterLab at a working copy."""
    name = choose(reset or notebook)
    setup()
    update_copies(name if reset else "")
    command = [str(venv_python()), "-m", "jupyterlab", "--ip=127.0.0.1", f"--ServerApp.root_dir={ROOT}"]
    command.append(f"--LabApp.default_url=/lab/tree/my/{quote(name)}")  # so the printed address leads there, too
    command.append("--ServerApp.answer_yes=True")  # Ctrl-C ends it without a question
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # as in containers; the address and the token guard it all the same
    say(f"Opening my/{name} in JupyterLab; Ctrl-C here ends it.")
    try:
        return run(command + options)
    except KeyboardInterrupt:
        return 0


# The tests


def find_chromium(environ: Mapping[str, str] = os.environ) -> "str | None":
    """A Chromium for the browser tests: the one that AVICKIT_CHROMIUM names, the PATH's, the system's, Playwright's."""
    named = environ.get("AVICKIT_CHROMIUM")
    if named and not shutil.which(named):
        raise Trouble(f"AVICKIT_CHROMIUM names '{named}', which is no program: correct it or unset it.")
    places = [re.sub(r"{(.*)}", lambda name: environ.get(name[1], "?"), place) for place in CHROMIUM_PLACES]
    for candidate in (named or "", *CHROMIUM_NAMES, *places):
        found = shutil.which(candidate, path=environ.get("PATH", ""))
        if found:
            return found
    return shutil.which(ask_venv(ASK_PLAYWRIGHT))


def browser_cure() -> str:
    """The one command that brings a Chromium to this system."""
    if shutil.which("apt-get"):
        return "sudo apt-get install chromium"
    return f"{venv_python().relative_to(ROOT)} -m playwright install chromium"


def stage(name: str, arguments: list[str], **variables: str) -> Result:
    """Run pytest and count; a run without a test, or one that broke off, counts as a failed test."""
    say(f"\n== {name}: pytest {' '.join(arguments)}")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run([str(venv_python()), "-m", "pytest", f"--junitxml={report}", *arguments], **variables)
        suites = list(ElementTree.parse(report).iter("testsuite")) if report.is_file() else []
    kinds = ("tests", "failures", "errors", "skipped")
    tests, failures, errors, skipped = (sum(int(suite.get(kind, "0")) for suite in suites) for kind in kinds)
    passed = tests - failures - errors - skipped
    failed = failures + errors or int(code != 0 or passed < 1)
    remark = "no test ran" if tests == 0 else f"in {time.monotonic() - begin:.0f} s"
    return Result(name, passed, failed, skipped, remark)


def test(arguments: list[str]) -> int:
    """Run all tests, in three stages; with arguments, run pytest once with just these."""
    setup()
    chromium = find_chromium()
    variables = {"AVICKIT_CHROMIUM": chromium} if chromium else {}
    if arguments:
        return report([stage("pytest", arguments, **variables)])
    results = [
        stage("unit tests", ["-m", "not browser", "-n", "auto"]),
        stage("notebooks", ["--nbval", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "notebooks"]),
    ]
    if chromium:
        results.append(stage("browser tests", ["-m", "browser", "tests/browser"], **variables))
    else:
        results.append(Result("browser tests", 0, 1, 0, f"not run, for want of a Chromium: {browser_cure()}"))
    return report(results)


def report(results: list[Result]) -> int:
    """Print a line for each stage, then the sum alone on the last line."""
    say("")
    for name, passed, failed, skipped, remark in results:
        say(f"{name:<14}{passed} passed, {failed} failed, {skipped} skipped; {remark}")
    failed = sum(result.failed for result in results)
    say(f"{sum(result.passed for result in results)} passed, {failed} failed")
    return int(failed > 0)


def check() -> int:
    """Lint, formatting and types; all three are always run."""
    setup()
    tools = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])
    return max([int(run([str(venv_python()), "-m", *tool]) != 0) for tool in tools])


def main(argv: list[str]) -> int:
    """Understand the command line and carry it out."""
    parser = argparse.ArgumentParser(prog="kit.py", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    opener = commands.add_parser("lab", help="open the tour, or another notebook, in JupyterLab")
    opener.add_argument("notebook", nargs="?", default="00-tour", help="its name or the beginning of it (00-tour)")
    opener.add_argument("--reset", metavar="NAME", default="", help="put this notebook back; the old one is kept")
    opener.add_argument("--no-browser", action="store_true", help="only print the address")
    opener.add_argument("--port", type=int, help="the port to listen on")
    commands.add_parser("test", help="run all tests; with arguments: pytest with these")
    commands.add_parser("check", help="run ruff and mypy")
    commands.add_parser("bench", help="run the benchmarks; arguments go to pytest")
    commands.add_parser("run", help="run a command in the environment: run -- avickit rules")
    commands.add_parser("setup", help="only make .venv complete")
    options, rest = parser.parse_known_args(argv)
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if rest and options.command not in ("test", "bench", "run"):
        parser.error(f"'{options.command}' does not take {' '.join(rest)}")
    try:
        return carry_out(options, rest)
    except Trouble as trouble:
        print(f"kit.py: {trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def carry_out(options: argparse.Namespace, rest: list[str]) -> int:
    """Do what the command line asks for."""
    if options.command == "lab":
        port = [f"--port={options.port}"] if options.port else []
        return lab(options.notebook, options.reset, [*port, *(["--no-browser"] if options.no_browser else [])])
    if options.command == "test":
        return test(rest)
    if options.command == "check":
        return check()
    setup()
    if options.command == "bench":
        return run([str(venv_python()), "-m", "pytest", "bench", "--benchmark-only", *rest])
    return run(rest) if rest else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

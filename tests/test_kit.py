"""kit.py without a network: what it decides, what it would run and what it says."""

import ast
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import kit

Calls = list[list[str]]


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and not re.search(r"[.!?]\s", text) and "\n" not in text


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small clone of the kit that kit.py takes for its own."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "requirements.lock").write_text("one==1.0\ntwo==2.0\n    # via one\n")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def attempts(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The commands that the setup would run; making .venv really makes its folder."""
    calls: Calls = []

    def attempt(doing: str, command: list[str]) -> None:
        assert doing
        calls.append(command)
        (kit.ROOT / ".venv").mkdir(exist_ok=True)

    monkeypatch.setattr(kit, "attempt", attempt)
    monkeypatch.setattr(kit, "ask_venv", lambda _: "3.11.7")
    monkeypatch.setattr("shutil.which", lambda name, **_: None)
    return calls


class TestOldPython:
    @pytest.mark.parametrize("version", [(3, 6), (3, 10)])
    def test_is_refused_in_one_sentence(self, version: tuple[int, int]) -> None:
        with pytest.raises(SystemExit) as end:
            kit.refuse_old_python(version)
        assert (
            end.value.code
            == f"kit.py: this is Python {version[0]}.{version[1]}: start kit.py with Python 3.11 or newer."
        )
        assert is_one_sentence(str(end.value.code).removeprefix("kit.py: "))

    @pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
    def test_newer_ones_are_welcome(self, version: tuple[int, int]) -> None:
        kit.refuse_old_python(version)

    def test_can_read_the_whole_file(self) -> None:
        ast.parse(Path(kit.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))


class TestSetup:
    def test_does_nothing_when_all_is_there(self, clone: Path, attempts: Calls) -> None:
        kit.setup()
        attempts.clear()
        kit.setup()
        assert attempts == []

    def test_makes_and_fills_a_missing_environment(self, clone: Path, attempts: Calls) -> None:
        kit.setup()
        assert [command[2:4] for command in attempts] == [
            ["venv", str(clone / ".venv")],
            ["pip", "install"],
            ["pip", "install"],
        ]
        assert (clone / ".venv/kit-stamp").read_text() == kit.stamp("3.11.7")

    @pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock"])
    def test_only_installs_when_the_requirements_changed(self, changed: str, clone: Path, attempts: Calls) -> None:
        kit.setup()
        attempts.clear()
        (clone / changed).write_text("three==3.0\n")
        kit.setup()
        assert [command[2:4] for command in attempts] == [["pip", "install"]] * 2

    def test_makes_an_interrupted_one_anew(self, clone: Path, attempts: Calls) -> None:
        (clone / ".venv/half").mkdir(parents=True)
        kit.setup()
        assert not (clone / ".venv/half").exists()
        assert len(attempts) == 3

    def test_makes_one_with_a_broken_python_anew(
        self, clone: Path, attempts: Calls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit.setup()
        attempts.clear()
        monkeypatch.setattr(kit, "ask_venv", lambda _: "")
        kit.setup()
        assert len(attempts) == 3

    def test_makes_one_that_was_copied_anew(
        self, clone: Path, attempts: Calls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit.setup()
        attempts.clear()
        moved = clone.rename(clone.with_name("moved"))
        monkeypatch.setattr(kit, "ROOT", moved)
        kit.setup()
        assert len(attempts) == 3

    def test_leaves_no_stamp_when_it_fails(self, clone: Path, attempts: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
        kit.setup()
        (clone / "requirements.lock").write_text("three==3.0\n")
        monkeypatch.setattr(kit, "attempt", refuse)
        with pytest.raises(kit.Trouble):
            kit.setup()
        assert not (clone / ".venv/kit-stamp").exists()

    def test_never_follows_a_link(self, clone: Path, attempts: Calls) -> None:
        elsewhere = clone / "elsewhere"
        elsewhere.mkdir()
        (clone / ".venv").symlink_to(elsewhere)
        kit.setup()
        assert elsewhere.exists()
        assert not (clone / ".venv").is_symlink()

    def test_names_the_remedy_when_venv_is_missing(self, attempts: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        with pytest.raises(kit.Trouble, match="install a complete Python") as trouble:
            kit.setup()
        assert is_one_sentence(str(trouble.value))
        monkeypatch.setattr("shutil.which", lambda name: name if name == "apt-get" else None)
        with pytest.raises(kit.Trouble, match="sudo apt-get install python3-venv"):
            kit.setup()

    def test_does_not_saw_off_its_own_branch(
        self, clone: Path, attempts: Calls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "prefix", str(clone / ".venv"))
        with pytest.raises(kit.Trouble, match="start it with another Python") as trouble:
            kit.setup()
        assert is_one_sentence(str(trouble.value))

    def test_a_missing_or_failing_python_answers_nothing(self, clone: Path) -> None:
        assert kit.ask_venv("print(1)") == ""
        python = kit.venv_python()
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        assert kit.ask_venv("print(1)") == "1"
        assert kit.ask_venv("print(1); raise SystemExit(1)") == ""
        assert kit.ask_venv(kit.ASK_VERSION) == "{}.{}.{}".format(*sys.version_info)


def refuse(doing: str, command: list[str]) -> None:
    raise kit.Trouble("No.")


class TestCommands:
    def test_with_pip(self, clone: Path) -> None:
        python = str(kit.venv_python())
        assert kit.venv_command(None) == [sys.executable, "-m", "venv", str(clone / ".venv")]
        (doing, packages), (_, itself) = kit.install_commands(None)
        assert doing == "Installing 2 packages with pip"
        assert packages[:4] == [python, "-m", "pip", "install"]
        assert packages[-2:] == ["-r", "requirements.lock"]
        assert itself[-4:] == ["--no-deps", "--no-build-isolation", "-e", "."]

    def test_with_uv(self, clone: Path) -> None:
        python = str(kit.venv_python())
        assert kit.venv_command("uv") == ["uv", "venv", "--seed", "--python", sys.executable, str(clone / ".venv")]
        (doing, packages), (_, itself) = kit.install_commands("uv")
        assert doing == "Installing 2 packages with uv"
        assert packages == ["uv", "pip", "install", "--python", python, "-r", "requirements.lock"]
        assert itself[:5] == packages[:5]

    @pytest.mark.parametrize(
        "output",
        [
            "NewConnectionError: Failed to establish a new connection: [Errno 111] Connection refused",
            "error: Request failed after 3 retries. Caused by: tcp connect error: Connection refused (os error 111)",
            "Temporary failure in name resolution",
            "ReadTimeoutError: HTTPSConnectionPool(host='h', port=443): Read timed out. (read timeout=15)",
            "SSLCertVerificationError: certificate verify failed: unable to get local issuer certificate",
        ],
    )
    def test_an_unreachable_index_is_one_sentence(
        self, output: str, clone: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(kit.Trouble, match="index cannot be reached") as trouble:
            kit.attempt("Installing", [sys.executable, "-c", f"print({output!r}); raise SystemExit(1)"])
        assert is_one_sentence(str(trouble.value))
        assert capsys.readouterr().out == "Installing ...\n"

    def test_another_failure_is_shown(self, clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(kit.Trouble, match="'Installing' failed") as trouble:
            kit.attempt("Installing", [sys.executable, "-c", "print('no room left'); raise SystemExit(1)"])
        assert is_one_sentence(str(trouble.value))
        assert "no room left" in capsys.readouterr().out

    def test_success_is_quiet(self, clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
        kit.attempt("Installing", [sys.executable, "-c", "print('much')"])
        assert capsys.readouterr().out == "Installing ...\n"

    def test_run_hands_back_the_exit_code_and_the_variables(self, clone: Path) -> None:
        program = "import os; raise SystemExit(int(os.environ['NUMBER']))"
        assert kit.run([sys.executable, "-c", program], NUMBER="7") == 7

    def test_run_names_a_missing_command(self, clone: Path) -> None:
        with pytest.raises(kit.Trouble, match="no command 'no-such-command'") as trouble:
            kit.run(["no-such-command"])
        assert is_one_sentence(str(trouble.value))


def write_notebook(path: Path, source: str, output: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [source], "outputs": [output]}]}))


class TestWorkingCopies:
    @pytest.fixture(autouse=True)
    def tour(self, clone: Path) -> None:
        write_notebook(clone / "notebooks/00-tour.ipynb", "first")
        write_notebook(clone / "notebooks/solutions/01-fields.ipynb", "solved")
        write_notebook(clone / "notebooks/.ipynb_checkpoints/00-tour-checkpoint.ipynb", "old")
        kit.update_copies()

    def test_are_made_when_missing(self, clone: Path) -> None:
        assert (clone / "my/00-tour.ipynb").read_bytes() == (clone / "notebooks/00-tour.ipynb").read_bytes()
        assert (clone / "my/solutions/01-fields.ipynb").exists()
        assert len(list((clone / "my").rglob("*.ipynb"))) == 2

    def test_pages_come_along_so_that_links_lead_somewhere(self, clone: Path) -> None:
        (clone / "notebooks/GLOSSARY.md").write_text("words")
        kit.update_copies()
        assert (clone / "my/GLOSSARY.md").read_text() == "words"
        (clone / "my/GLOSSARY.md").write_text("my words")
        (clone / "notebooks/GLOSSARY.md").write_text("more words")
        kit.update_copies()
        assert (clone / "my/GLOSSARY.md").read_text() == "my words"

    def test_are_kept_when_nothing_changed(self, clone: Path) -> None:
        write_notebook(clone / "my/00-tour.ipynb", "mine")
        kit.update_copies()
        assert "mine" in (clone / "my/00-tour.ipynb").read_text()

    @pytest.mark.parametrize("output", ["", "42"], ids=["as taken", "only run"])
    def test_are_refreshed_when_nobody_edited_them(self, output: str, clone: Path) -> None:
        write_notebook(clone / "my/00-tour.ipynb", "first", output)
        write_notebook(clone / "notebooks/00-tour.ipynb", "second")
        kit.update_copies()
        assert "second" in (clone / "my/00-tour.ipynb").read_text()

    def test_are_kept_when_edited_and_that_is_said_once(self, clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_notebook(clone / "my/00-tour.ipynb", "mine")
        for version in ("second", "third"):
            write_notebook(clone / "notebooks/00-tour.ipynb", version)
            kit.update_copies()
            assert "keeps your changes" in capsys.readouterr().out
            kit.update_copies()
            assert capsys.readouterr().out == ""
        assert "mine" in (clone / "my/00-tour.ipynb").read_text()

    def test_are_kept_when_the_manifest_is_lost_or_damaged(self, clone: Path) -> None:
        write_notebook(clone / "my/00-tour.ipynb", "mine")
        (clone / "my/.kit.json").write_text("{")
        kit.update_copies()
        assert "mine" in (clone / "my/00-tour.ipynb").read_text()
        (clone / "my/.kit.json").unlink()
        kit.update_copies()
        assert "mine" in (clone / "my/00-tour.ipynb").read_text()

    def test_a_file_that_is_no_notebook_any_more_is_kept(self, clone: Path) -> None:
        (clone / "my/00-tour.ipynb").write_text("<<<<<<< mine")
        write_notebook(clone / "notebooks/00-tour.ipynb", "second")
        kit.update_copies()
        assert (clone / "my/00-tour.ipynb").read_text() == "<<<<<<< mine"

    def test_reset_keeps_every_old_one_beside_the_new(self, clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for words in ("mine", "mine again"):
            write_notebook(clone / "my/00-tour.ipynb", words)
            kit.update_copies(reset="00-tour.ipynb")
            assert "first" in (clone / "my/00-tour.ipynb").read_text()
        assert "mine" in (clone / "my/00-tour.old-1.ipynb").read_text()
        assert "mine again" in (clone / "my/00-tour.old-2.ipynb").read_text()
        assert "kept as my/00-tour.old-2.ipynb" in capsys.readouterr().out

    def test_reset_touches_no_other(self, clone: Path) -> None:
        write_notebook(clone / "my/solutions/01-fields.ipynb", "mine")
        kit.update_copies(reset="00-tour.ipynb")
        assert "mine" in (clone / "my/solutions/01-fields.ipynb").read_text()

    @pytest.mark.parametrize("name", ["00-tour", "00-tour.ipynb", "my/00-tour.ipynb", "notebooks/00-tour.ipynb", "00"])
    def test_are_chosen_by_name_or_beginning(self, name: str) -> None:
        assert kit.choose(name) == "00-tour.ipynb"

    def test_an_exact_name_wins_over_a_beginning(self, clone: Path) -> None:
        write_notebook(clone / "notebooks/00-tour-long.ipynb", "more")
        assert kit.choose("00-tour") == "00-tour.ipynb"

    @pytest.mark.parametrize("name", ["01-nothing", ""])
    def test_an_unclear_name_is_answered_with_the_choice(self, name: str) -> None:
        with pytest.raises(kit.Trouble, match=r"choose from 00-tour.ipynb, solutions/01-fields.ipynb") as trouble:
            kit.choose(name)
        assert is_one_sentence(str(trouble.value))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Makes an executable file of this name and hands back its path."""

    def make(name: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.chmod(0o755)
        return str(path)

    return make


class TestChromium:
    @pytest.fixture(autouse=True)
    def no_system(self, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kit, "CHROMIUM_PLACES", ("{PROGRAMFILES(X86)}/chrome.exe",))

    def test_is_sought_in_this_order(
        self, tmp_path: Path, program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environ = {"PATH": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"}
        assert kit.find_chromium(environ) is None
        playwright = program("playwright")
        monkeypatch.setattr(kit, "ask_venv", lambda question: playwright if "playwright" in question else "")
        assert kit.find_chromium(environ) == playwright
        environ["PROGRAMFILES(X86)"] = str(tmp_path / "files")
        assert kit.find_chromium(environ) == playwright
        placed = program("files/chrome.exe")
        assert kit.find_chromium(environ) == placed
        chrome = program("a/google-chrome")
        assert kit.find_chromium(environ) == chrome
        chromium = program("b/chromium")
        assert kit.find_chromium(environ) == chromium
        environ["AVICKIT_CHROMIUM"] = program("named")
        assert kit.find_chromium(environ) == str(tmp_path / "named")

    def test_a_wrong_variable_is_an_error(self) -> None:
        with pytest.raises(kit.Trouble, match="AVICKIT_CHROMIUM names '/no/chromium'") as trouble:
            kit.find_chromium({"AVICKIT_CHROMIUM": "/no/chromium"})
        assert is_one_sentence(str(trouble.value))

    def test_a_playwright_without_a_browser_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kit, "ask_venv", lambda _: "/not/downloaded/chrome")
        assert kit.find_chromium({}) is None

    def test_the_cure_is_one_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda name: name)
        assert kit.browser_cure() == "sudo apt-get install chromium"
        monkeypatch.setattr("shutil.which", lambda name: None)
        python = kit.venv_python().relative_to(kit.ROOT)
        assert kit.browser_cure() == f"{python} -m playwright install chromium"


class TestStages:
    @pytest.mark.parametrize(
        ("code", "suite", "expected"),
        [
            (0, 'tests="5" failures="0" errors="0" skipped="1"', (4, 0, 1)),
            (1, 'tests="5" failures="1" errors="1" skipped="0"', (3, 2, 0)),
            (5, 'tests="0" failures="0" errors="0" skipped="0"', (0, 1, 0)),
            (0, 'tests="2" failures="0" errors="0" skipped="2"', (0, 1, 2)),
            (3, 'tests="5" failures="0" errors="0" skipped="0"', (5, 1, 0)),
            (4, None, (0, 1, 0)),
        ],
        ids=["passed", "failed", "no test", "only skipped", "internal error", "no report"],
    )
    def test_are_counted(
        self,
        code: int,
        suite: str | None,
        expected: tuple[int, int, int],
        clone: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def run(command: list[str], **variables: str) -> int:
            report = next(word for word in command if word.startswith("--junitxml=")).partition("=")[2]
            if suite:
                Path(report).write_text(f"<testsuites><testsuite {suite}/></testsuites>")
            assert variables == {"A": "b"}
            return code

        monkeypatch.setattr(kit, "run", run)
        assert kit.stage("some", ["-x"], A="b")[1:4] == expected

    def test_all_three_run_and_the_sum_comes_last(
        self, clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names: list[str] = []

        def stage(name: str, arguments: list[str], **variables: str) -> kit.Result:
            names.append(name)
            return kit.Result(name, 3, 0, 0, "in 1 s")

        monkeypatch.setattr(kit, "setup", lambda: None)
        monkeypatch.setattr(kit, "stage", stage)
        monkeypatch.setattr(kit, "find_chromium", lambda: "/a/chromium")
        assert kit.main(["test"]) == 0
        assert names == ["unit tests", "notebooks", "browser tests"]
        assert capsys.readouterr().out.splitlines()[-1] == "9 passed, 0 failed"

        monkeypatch.setattr(kit, "find_chromium", lambda: None)
        assert kit.main(["test"]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert kit.browser_cure() in lines[-2]
        assert lines[-1] == "6 passed, 1 failed"

        names.clear()
        assert kit.main(["test", "-k", "ipi"]) == 0
        assert names == ["pytest"]


class TestCommandLine:
    @pytest.fixture
    def runs(self, clone: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
        calls: Calls = []
        write_notebook(clone / "notebooks/00-tour.ipynb", "first")
        monkeypatch.setattr(kit, "setup", lambda: None)

        def run(command: list[str]) -> int:
            calls.append(command)
            return 3

        monkeypatch.setattr(kit, "run", run)
        return calls

    def test_lab_opens_the_working_copy_on_this_machine_only(self, clone: Path, runs: Calls) -> None:
        assert kit.main(["lab", "--no-browser", "--port", "9001"]) == 3
        [command] = runs
        assert command[:3] == [str(kit.venv_python()), "-m", "jupyterlab"]
        assert {"--LabApp.default_url=/lab/tree/my/00-tour.ipynb", "--ip=127.0.0.1"} < set(command)
        assert {"--no-browser", "--port=9001"} < set(command)
        assert not any("token" in word for word in command)
        assert (clone / "my/00-tour.ipynb").exists()

    def test_lab_resets(self, clone: Path, runs: Calls) -> None:
        kit.main(["lab"])
        kit.main(["lab", "--reset", "00"])
        assert (clone / "my/00-tour.old-1.ipynb").exists()

    def test_run_and_bench_pass_words_on(self, runs: Calls) -> None:
        assert kit.main(["run", "--", "avickit", "--help"]) == 3
        assert kit.main(["bench", "-k", "ipi"]) == 3
        assert runs[0] == ["avickit", "--help"]
        assert runs[1][2:] == ["pytest", "bench", "--benchmark-only", "-k", "ipi"]

    def test_check_runs_all_three_and_fails_with_one(self, runs: Calls) -> None:
        assert kit.main(["check"]) == 1
        assert [command[2] for command in runs] == ["ruff", "ruff", "mypy"]

    def test_trouble_is_one_line_and_exit_code_2(self, runs: Calls, capsys: pytest.CaptureFixture[str]) -> None:
        assert kit.main(["lab", "99"]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_ctrl_c_is_quiet(self, runs: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(command: list[str]) -> int:
            raise KeyboardInterrupt

        monkeypatch.setattr(kit, "run", interrupt)
        assert kit.main(["lab"]) == 0
        assert kit.main(["bench"]) == 130

    def test_words_that_a_command_does_not_take_are_refused(self, runs: Calls) -> None:
        with pytest.raises(SystemExit):
            kit.main(["lab", "--slow"])

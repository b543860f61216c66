"""The command line: what it prints, its exit codes, bad input, JSON, standard input."""

import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from avickit import __version__, data
from avickit.cli import main
from avickit.commands.common import number, paint

GOOD = 'format = 1\ntitle = "good"\n[boot]\npatches = 0\n[expect.xen]\nabsent = ["AVIC"]\n'
FAILS = GOOD.replace("absent", "contains").replace('"good"', '"fails"')
BAD = "format = 1\n"
REAL = "Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f"


def avickit(*args: str, stdin: str | bytes | None = None) -> Any:
    return CliRunner().invoke(main, args, input=stdin)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    for name, text in (("good", GOOD), ("fails", FAILS), ("bad", BAD)):
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    return {name: str(tmp_path / f"{name}.toml") for name in ("good", "fails", "bad", "none")}


class TestWhole:
    def test_version(self) -> None:
        assert avickit("--version").output == f"avickit, version {__version__}\n"

    def test_help_of_each_command_has_an_example(self) -> None:
        def walk(command: click.Command, path: tuple[str, ...]) -> None:
            result = avickit(*path, "--help")
            assert result.exit_code == 0
            assert "Example: avickit" in result.output, path
            for name, inner in getattr(command, "commands", {}).items():
                walk(inner, (*path, name))

        walk(main, ())

    def test_no_such_command(self) -> None:
        assert avickit("ran").exit_code == 2

    def test_help_loads_neither_the_model_nor_the_schema_library(self) -> None:
        code = "import sys, avickit.cli; print(*(m for m in sys.modules if m.startswith(('avickit', 'fastjson'))))"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert not [m for m in out if m.startswith(("avickit.lab", "avickit.silicon", "avickit.manual", "fastjson"))]

    def test_the_examples_in_help_work(self) -> None:
        lines = [
            line.partition("Example: avickit ")[2]
            for path in ((), ("run",), ("scenarios",), ("rules",), ("decode",), ("decode", "exit"), ("decode", "entry"))
            for line in avickit(*path, "--help").output.splitlines()
            if "Example: avickit " in line
        ]
        assert len(lines) == 7
        for line in lines:
            assert avickit(*line.split()).exit_code in (0, 1), line


class TestRun:
    def test_the_story_beat_by_beat(self) -> None:
        result = avickit("run", "ipi-self")
        assert result.exit_code == 0
        assert result.output.startswith("The self shorthand needs no table\n  Software has made")
        assert "\nd1v0 writes 40041h to ICRL\n" in result.output
        assert re.search(r"\n +\d+  core 0  SIGNAL core 0 signals: rings its own doorbell  \[H-", result.output)
        assert result.output.endswith("  ok    beats of " + "H-IPI" + "-4: 0\n")

    def test_steps_only(self) -> None:
        output = avickit("run", "ipi-self", "--no-beats").output
        assert "d1v0 writes 40041h to ICRL" in output
        assert "signals" not in output

    def test_with_fewer_patches(self) -> None:
        result = avickit("run", "patch-06-scheduling", "--patches", "5", "--no-beats")
        assert result.exit_code == 1
        assert "expectations with 5 patches:" in result.output
        assert "FAILS doorbells" in result.output

    def test_json(self) -> None:
        [found] = json.loads(avickit("run", "ipi-self", "--json").output)
        assert found["ok"] is True
        assert found["story"][-1]["last"] == len(found["beats"])
        assert found["beats"][0]["n"] == 1
        [found] = json.loads(avickit("run", "ipi-self", "--json", "--no-beats").output)
        assert "beats" not in found

    def test_standard_input(self) -> None:
        assert avickit("run", "-", stdin=GOOD).exit_code == 0
        assert avickit("run", "-", stdin=FAILS).exit_code == 1

    def test_bad_input(self, files: dict[str, str]) -> None:
        result = avickit("run", files["bad"])
        assert result.exit_code == 2
        assert f"Error: {files['bad']}: title is missing\n" in result.output
        assert avickit("run", "-", stdin="x").exit_code == 2
        assert avickit("run", files["none"]).exit_code == 2
        assert avickit("run").exit_code == 2
        assert avickit("run", "ipi-self", "--patches", "11").exit_code == 2


class TestCheck:
    def test_all_that_come_along(self) -> None:
        result = avickit("check", *map(str, data.scenarios()))
        assert result.exit_code == 0
        assert len(result.output.splitlines()) == len(data.scenarios())
        assert all(line.startswith("ok    ") for line in result.output.splitlines())

    def test_exit_codes(self, files: dict[str, str]) -> None:
        assert avickit("check", files["good"]).exit_code == 0
        assert avickit("check", files["good"], files["fails"]).exit_code == 1
        assert avickit("check", files["fails"], files["bad"], files["good"]).exit_code == 2
        assert avickit("check", files["none"]).exit_code == 2

    def test_a_bad_file_does_not_hide_the_others(self, files: dict[str, str]) -> None:
        result = avickit("check", files["bad"], files["fails"])
        assert "title is missing" in result.stderr
        assert "FAILS fails: 1 expectations" in result.stdout
        assert "console line 'AVIC' (line 6): expected there, found not there" in result.stdout

    def test_verbose(self, files: dict[str, str]) -> None:
        assert "ok    console line 'AVIC': not there" in avickit("check", "-v", files["good"]).output
        assert "console line" not in avickit("check", files["good"]).output

    def test_json(self, files: dict[str, str]) -> None:
        result = avickit("check", "--json", files["good"], files["fails"], files["bad"])
        assert result.exit_code == 2
        good, fails, bad = json.loads(result.stdout)
        assert (good["ok"], fails["ok"], bad["ok"]) == (True, False, False)
        assert fails["checks"][0]["line"] == 6
        assert "title is missing" in bad["error"]

    def test_with_other_patches(self) -> None:
        assert avickit("check", "patch-09-option", "--patches", "8").exit_code == 1


def test_scenarios() -> None:
    lines = avickit("scenarios").output.splitlines()
    assert len(lines) == len(data.scenarios())
    assert any(re.match(r"ipi-running +A fixed IPI to a running", line) for line in lines)
    found = json.loads(avickit("scenarios", "--json").output)
    assert {"name", "title", "patches", "rules"} == set(found[0])


class TestDecode:
    def test_exit(self) -> None:
        for code in ("0x401", "401h", "1025", "AVIC_INCOMPLETE_IPI", "avic_incomplete_ipi"):
            output = avickit("decode", "exit", code, "0x04000000_0000082f", "0x2_00000002").output
            assert "The guest asked for: FIXED vector 0x2f, EDGE, to logical destination 0x4." in output
            assert "ID 2 INVALID_TARGET" in output
        assert "VMEXIT_HLT" in avickit("decode", "exit", "0x78").output
        assert "VMEXIT_INVALID" in avickit("decode", "exit", "0xffffffffffffffff").output

    def test_exit_json(self) -> None:
        found = json.loads(avickit("decode", "exit", "0x402", "0x100000320", "--json").output)
        assert (found["code"], found["info1"], found["info2"]) == (0x402, 0x1_0000_0320, 0)
        assert "The guest wrote LVT_TIMER (offset 0x320)." in found["words"]

    def test_exit_of_the_extended_lvt(self) -> None:
        assert "A fault" in avickit("decode", "exit", "0x402", "0x100000500").output
        assert "A trap" in avickit("decode", "exit", "0x402", "0x100000500", "--ext-lvt").output

    def test_register_by_name(self) -> None:
        output = avickit("decode", "reg", "ICRL", "0x82f").output
        assert output.startswith("ICRL = 0x0000082f (DESTINATION_MODE=LOGICAL, VECTOR=0x2f)\n")
        assert re.search(r"VECTOR +bits 7:0  0x2f", output)
        for name in ("apic_icr", "0x300", "300h"):
            assert avickit("decode", "reg", name, "0x82f").output == output

    def test_words_of_the_vmcb(self) -> None:
        output = avickit("decode", "reg", "vintr", "0x81000000").output
        assert output.startswith("VINTR = 0x0000000081000000 (AVIC_ENABLE=1, V_INTR_MASKING=1)")

    def test_the_icr_as_a_pair(self) -> None:
        pair = avickit("decode", "reg", "ICR", "0x4000000:0x82f").output
        assert pair == avickit("decode", "reg", "ICR", "0x04000000_0000082f").output
        assert pair.startswith("ICRH = 0x04000000 (DESTINATION=0x4)")
        assert pair.endswith("The guest asks for: FIXED vector 0x2f, EDGE, to logical destination 0x4.\n")

    def test_a_word_of_irr_as_vectors(self) -> None:
        output = avickit("decode", "reg", "IRR2", "0x40002").output
        assert output == "IRR2 = 0x00040002 (VALUE=0x40002)\nVectors 40h to 5Fh: 41h 52h.\n"
        assert json.loads(avickit("decode", "reg", "IRR2", "2", "--json").output)["vectors"] == [0x41]

    def test_other_registers(self) -> None:
        assert "AVIC=1" in avickit("decode", "reg", "CPUID_EDX", "0x2000").output
        assert "EXTD=1" in avickit("decode", "reg", "MSR_APIC_BASE", "0xfee00d00").output

    def test_reserved_bits_are_shown(self) -> None:
        found = json.loads(avickit("decode", "reg", "ICRL", "0x2041", "--json").output)
        assert found["reserved"] == "13"
        assert "RESERVED[13]!" in found["text"]

    def test_entries(self) -> None:
        output = avickit("decode", "entry", "physical", "0xc000000000008001").output
        assert "(VALID=1, IS_RUNNING=1, BACKING_PAGE=0x8, HOST_APIC_ID=1)" in output
        found = json.loads(avickit("decode", "entry", "logical", "0x80000002", "--json").output)
        assert {f["name"]: f["value"] for f in found["fields"]} == {"VALID": 1, "GUEST_APIC_ID": 2}

    def test_a_vmcb(self, tmp_path: Path) -> None:
        page = bytearray(4096)
        words = {0x60: 0x8100_0000, 0x70: 0x402, 0x78: 0x1_0000_0320, 0x98: 0xFEE0_0000, 0xF8: 0x8002, 0x18: 1}
        for offset, word in (words | {0x578: 0x1000, 0x600: 7}).items():
            struct.pack_into("<Q", page, offset, word)
        (tmp_path / "vmcb.bin").write_bytes(page)
        output = avickit("decode", "vmcb", str(tmp_path / "vmcb.bin")).output
        assert re.search(r"^060h VINTR +0x0000000081000000 \(AVIC_ENABLE=1, V_INTR_MASKING=1\)$", output, re.MULTILINE)
        assert re.search(r"^0F8h PHYSICAL_TABLE .*MAX_INDEX=0x2", output, re.MULTILINE)
        assert re.search(r"^018h reserved +0x0000000000000001$", output, re.MULTILINE)
        assert re.search(r"^578h RIP +0x0000000000001000$", output, re.MULTILINE)
        assert re.search(r"^600h save area ", output, re.MULTILINE)
        assert "The guest wrote LVT_TIMER (offset 0x320)." in output
        assert "N_CR3" not in output
        assert "N_CR3" in avickit("decode", "vmcb", "--all", str(tmp_path / "vmcb.bin")).output
        found = json.loads(avickit("decode", "vmcb", "-", "--json", stdin=bytes(page)).output)
        assert {word["offset"]: word["value"] for word in found["words"]} == words | {0x578: 0x1000, 0x600: 7}

    def test_lines(self) -> None:
        for output in (
            avickit("decode", "line", REAL).output,
            avickit("decode", "line", *REAL.split()).output,
            avickit("decode", "line", stdin=f"noise\n{REAL}\nmore noise\n").output,
            avickit("decode", "line", "-", stdin=REAL).output,
        ):
            assert output.splitlines()[0] == "On vCPU 0."
            assert output.splitlines()[-1] == "Index 0x2 of the logical APIC ID table."
        [found] = json.loads(avickit("decode", "line", "--json", REAL).output)
        assert (found["icrh"], found["icrl"], found["table_index"]) == (0x0400_0000, 0x82F, 2)

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("exit", "hlt"), "'hlt' is no number"),
            (("exit", "AVIC_NOACCL"), "near it: AVIC_NOACCEL"),
            (("exit", "0x1ffffffffffffffff"), "a value of 64 bits"),
            (("exit", "0x401", "-1"), "No such option"),
            (("reg", "ICRX", "1"), "or a word of the VMCB"),
            (("reg", "ICRL", "0x100000000"), "a value of 32 bits"),
            (("reg", "ICRL", "1:2"), "only ICR is a pair"),
            (("reg", "ICR", "0x100000000:1"), "ICRH: 0x100000000 given"),
            (("reg", "ICRL", "82f"), "expected 0x401, 401h or 1025"),
            (("reg", "ICRL"), "Missing argument"),
            (("entry", "flat", "1"), "'physical', 'logical'"),
            (("entry", "logical", "0x100000000"), "a value of 32 bits"),
            (("vmcb", "/no/such/file"), "No such file"),
            (("line", "hello"), "expected one of Invalid IPI target"),
        ],
    )
    def test_bad_input(self, args: tuple[str, ...], words: str) -> None:
        result = avickit("decode", *args)
        assert result.exit_code == 2
        assert words in result.stderr
        assert result.stdout == ""

    def test_bad_standard_input(self) -> None:
        assert "expected 4096 bytes" in avickit("decode", "vmcb", "-", stdin=b"x").stderr
        assert avickit("decode", "line", stdin="noise\n").exit_code == 2
        assert avickit("decode", "line", stdin="").exit_code == 2


class TestCommon:
    @pytest.mark.parametrize(("text", "value"), [("0x41", 65), ("41h", 65), ("41H", 65), ("65", 65), ("0x4_1", 65)])
    def test_numbers(self, text: str, value: int) -> None:
        assert number(text) == value

    @pytest.mark.parametrize("text", ["", "h", "4f", "-1", "0b1", "1.0", "0xfg"])
    def test_no_numbers(self, text: str) -> None:
        with pytest.raises(click.BadParameter):
            number(text)

    def test_colour_on_a_terminal_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert "\x1b[" in paint("x", "red")
        assert "\x1b[" not in avickit("run", "ipi-self").output
        assert "\x1b[" in CliRunner().invoke(main, ["run", "ipi-self"], color=True).output
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in CliRunner().invoke(main, ["run", "ipi-self"], color=True).output

"""A scenario file that cannot be used says which file, which key, and on which line; nothing has run then."""

from pathlib import Path

import pytest

from avickit.errors import AvicError
from avickit.lab.rules import numbers
from avickit.lab.scenario import ScenarioError, load

HEAD = 'format = 1\ntitle = "a story"\n'
MACHINE = '[machine]\ncores = 2\n[boot]\ncmdline = "svm=avic"\n[domain]\nvcpus = 2\n'


def refused(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(text)
    assert caught.value.file == "<text>"
    assert str(caught.value).startswith("<text>")
    return caught.value


def step(one: str) -> ScenarioError:
    """A setup of one good step on line 4 and this one on line 5."""
    error = refused(f'{HEAD}setup = [\n  {{ run = "v0", core = 0 }},\n  {one},\n]\n{MACHINE}')
    assert error.line == 5
    assert error.key.startswith("setup step 2")
    return error


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ("format = 1\n", "", None, "title is missing"),
        ('format = 2\ntitle = "x"\n', "format", 1, "2 given, expected 1"),
        ("format = 1\ntitle = 3\n", "title", 2, "must be string"),
        (f"{HEAD}colour = 1\n", "colour", 3, "unknown key"),
        (f'{HEAD}[boot]\n\nversion = "A3"\n', "boot.version", 5, "P16 or A1 or A2"),
        (f'{HEAD}[boot]\ndefects = ["X11", "X9"]\n', "boot.defects item 2", 4, "near it: X09"),
        (f"{HEAD}[boot]\npatches = 11\n", "boot.patches", 4, "10"),
        (f"{HEAD}[boot]\npatches = 3\nsvm_avic = true\n", "boot.svm_avic", 5, "patch 4"),
        (f'{HEAD}memory = "pso"\n', "memory", 3, "'sc', 'tso'"),
        (f'{HEAD}[machine]\ncpu = "k6"\n', "machine.cpu", 4, "carrizo"),
        (f'{HEAD}[machine.choices]\neoi_levl = "trap"\n', "machine.choices.eoi_levl", 4, "eoi_level"),
        (f'{HEAD}[machine]\nchoices = {{ eoi_level = "x" }}\n', "machine.choices.eoi_level", 4, "trap or"),
        (f"{HEAD}[machine]\nerrata = [1]\n", "machine.errata item 1", 4, "1235"),
        (f'{HEAD}[machine]\ncpu = "zen4"\nerrata = [1235]\n', "machine.errata item 1", 5, "zen4"),
        (f"{HEAD}[machine]\ncores = 2\nhost_ids = [0]\n", "machine.host_ids", 5, "each of 2 cores"),
        (f"{HEAD}[[domain]]\nvcpus = 0\n", "domain item 1, vcpus", 4, "1"),
        (f'{HEAD}rules = ["H-NAME-55"]\n', "rules item 1", 3, "is no rule"),
        (f'{HEAD}[race]\nA = [{{ key = "i" }}]\n', "race.A", 4, "lower case"),
        (f"{HEAD}[race]\na = []\n", "race.a", 4, "at least 1"),
        (f'{HEAD}[race]\na = [{{ run = "v0", core = 0 }}]\n', "race.a step 1, run", 4, "a domain first"),
        (f"{HEAD}open_at = {{ beat = 0 }}\n", "open_at.beat", 3, "1"),
        (f'{HEAD}open_at = {{ mark = "x" }}\n', "open_at.mark", 3, "no mark"),
        (f'{HEAD}open_at = {{ rule = "H-XYZ-1" }}\n', "open_at.rule", 3, "no rule"),
        (f'{HEAD}open_at = {{ rule = "{numbers()[0]}", beat = 3 }}\n', "open_at", 3, "alone"),
    ],
)
def test_file_key_and_line(text: str, key: str, line: int | None, words: str) -> None:
    error = refused(text)
    assert (error.key, error.line) == (key, line)
    assert words in str(error)
    assert line is None or f"line {line}" in str(error)


@pytest.mark.parametrize(
    ("text", "line"),
    [("format = 1\ntitle = \n", 2), ('format = 1\ntitle = "x\n', 2), ("format = 1\n\n[[\n", 3), ("x = 1\nx = 2\n", 2)],
)
def test_no_toml(text: str, line: int) -> None:
    error = refused(text)
    assert error.line == line
    assert "no TOML" in str(error)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        ("{ dance = 1 }", "no verb among dance"),
        ('{ say = "hm" }', "expected one of do read write"),
        ('{ run = "v0" }', "core is missing"),
        ('{ run = "v0", core = 2 }', "core: 2 given, expected 0..1"),
        ('{ run = "v7", core = 1 }', "expected a vCPU of the story: d1v0, d1v1"),
        ('{ run = "d2v0", core = 1 }', "expected a vCPU of the story"),
        ('{ run = "cpu0", core = 1 }', "as Xen names it"),
        ('{ run = "v0", core = 1, vector = 3 }', "vector: unknown key"),
        ('{ vcpu = "v0", write = "ICRX", value = 1 }', "ICRX"),
        ('{ vcpu = "v0", write = "ICRL" }', "value is missing"),
        ('{ vcpu = "v0", write = "ICRL", value = -1 }', "-1 given"),
        ('{ vcpu = "v0", write = "ICRL", value = 0x100000000 }', "4 bytes"),
        ('{ vcpu = "v0", write = "TPR", value = 0x100, size = 1 }', "1 bytes"),
        ('{ vcpu = "v0", write = "CR8", value = 16 }', "CR8"),
        ('{ vcpu = "v0", read = 0x304 }', "bytes 0..3"),
        ('{ vcpu = "v0", read = "PPR", size = 3 }', "[1, 2, 4]"),
        ('{ vcpu = "v0", wrmsr = 0x1B, value = 0x10000000000000000 }', "value of an MSR"),
        ('{ vcpu = "v0", rdmsr = 0x100000000 }', "MSR"),
        ('{ vcpu = "v0", do = "iret" }', "must be one of"),
        ('{ vcpu = "v0", execute = ["eoi", "jump"] }', "execute item 2"),
        ('{ vcpu = "v0", on = 0x41, handler = [{ write = "FOO", value = 0 }] }', "handler item 1"),
        ('{ vcpu = "v0", on = 256, handler = [] }', "255"),
        ('{ set_irq = "v0", vector = 999 }', "255"),
        ('{ set_irq = "v0", vector = 0x41, core = 5 }', "0..1"),
        ("{ advance = 0x7fffffffffffffff }", "nanoseconds"),
        ('{ key = "q" }', "must be one of"),
        ("{ create_domain = 200 }", "128"),
        ('{ create_domain = 1, gives = "a horse" }', "out of memory"),
        ('{ destroy_domain = "d2" }', "expected a domain of the story: d1"),
        ('{ store = "v0", vmcb = "VINTRR", set = { V_IRQ = 1 } }', "VINTR"),
        ('{ store = "v0", vmcb = "VINTR", set = { V_IRQQ = 1 } }', "V_IRQ"),
        ('{ store = "v0", vmcb = "VINTR", set = { V_TPR = 16 } }', "V_TPR"),
        ('{ store = "v0", vmcb = "VINTR", page = "TPR", value = 1 }', "one of vmcb page"),
        ('{ store = "v0", vmcb = "VINTR" }', "one of set value vectors"),
        ('{ store = "v0", page = "IRR", value = 1 }', "vectors goes with page"),
        ('{ store = "v0", page = "IRR2", value = 1 }', "as a whole"),
        ('{ store = "v0", page = "TPR", vectors = [3] }', "vectors goes with page"),
        ('{ store = "v0", physical = 0, value = 0 }', "expected a domain"),
        ('{ store = "d1", vmcb = "NP", value = 0 }', "expected a vCPU"),
        ('{ store = "x1", vmcb = "NP", value = 0 }', "a vCPU for vmcb and page"),
        ('{ store = "d1", logical = 1, value = 0x100000000 }', "32 bits"),
        ("{ expect = { v5 = { irr = [] } } }", "expected a vCPU"),
        ("{ expect = { v0 = { colour = 1 } } }", "unknown key"),
        ('{ expect = { verdict = "pass" } }', "on the whole story"),
    ],
)
def test_steps(one: str, words: str) -> None:
    assert words in str(step(one))


@pytest.mark.parametrize(
    ("entry", "key", "words"),
    [
        ("irr = [256]", "expect.v0.irr item 1", "255"),
        ("irr = [3, 3]", "expect.v0.irr", "unique"),
        ("core = 9", "expect.v0.core", "0..1"),
        ('state = "asleep"', "expect.v0.state", "blocked"),
        ("page = { ICRX = 1 }", "expect.v0.page.ICRX", "ICRX"),
        ("page = { ICRL = { VEC = 1 } }", "expect.v0.page.ICRL.VEC", "VECTOR"),
        ('page = { ICRL = { MESSAGE_TYPE = "FAST" } }', "expect.v0.page.ICRL.MESSAGE_TYPE", "NMI"),
        ('page = { ICRL = { VECTOR = "x" } }', "expect.v0.page.ICRL.VECTOR", "a number"),
        ("page = { ICRL = 0x100000000 }", "expect.v0.page.ICRL", "32 bits"),
        ("vmcb = { VINT = 0 }", "expect.v0.vmcb.VINT", "near it: VINTR"),
        ("exits = { NPF = 1 }", "expect.v0.exits.NPF", "VMEXIT_NPF"),
        ('exits = ["NPF"]', "expect.v0.exits item 1", "VMEXIT_NPF"),
        ('exits = [{ code = "AVIC_NOACCEL", info1 = { ID = 1 } }]', "expect.v0.exits item 1, info1.ID", "OFFSET"),
        ("exits = -1", "expect.v0.exits", "how many since the mark"),
        ("taken = { 0x100 = 1 }", "expect.v0.taken.0x100", "0..255"),
        ("taken = { x = 1 }", "expect.v0.taken.x", "0x41, 41h or 65"),
        ("stats = { ipis = 1 }", "expect.v0.stats.ipis", "incomp_ipi"),
    ],
)
def test_expectations_of_a_vcpu(entry: str, key: str, words: str) -> None:
    error = refused(f"{HEAD}{MACHINE}[expect.v0]\n{entry}\n")
    assert (error.key, error.line) == (key, 10)
    assert words in str(error)


@pytest.mark.parametrize(
    ("entry", "key", "words"),
    [
        ("[expect.v3]\n", "expect.v3", "d1v0, d1v1"),
        ("[expect.d2]\n", "expect.d2", "d1"),
        ("[expect.d1.physical]\nx = 0\n", "expect.d1.physical.x", "index of a table entry"),
        ("[expect.d1.physical]\n256 = 0\n", "expect.d1.physical.256", "0..255"),
        ("[expect.d1.logical]\n0 = { IS_RUNNING = 1 }\n", "expect.d1.logical.0.IS_RUNNING", "GUEST_APIC_ID"),
        ('[expect.xen]\nvmcb_names = ["avic"]\n', "expect.xen.vmcb_names item 1", "vmcb_struct"),
        ('[expect.xen]\nsymbols = ["vlapic_read"]\n', "expect.xen.symbols item 1", "vlapic_read_aligned"),
        ("[expect.count]\nrules = { H-X = 1 }\n", "expect.count.rules.H-X", "no rule"),
        ("[expect.count]\nbells = 1\n", "expect.count.bells", "doorbells"),
        ('[expect]\nverdict = "slept"\n', "expect.verdict", "pass"),
        ("[expect.vcpu0]\n", "expect.vcpu0", "v0 or d1"),
    ],
)
def test_other_expectations(entry: str, key: str, words: str) -> None:
    error = refused(f"{HEAD}{MACHINE}{entry}")
    assert error.key == key
    assert error.line is not None
    assert words in str(error)


def test_names_of_a_domain_that_could_not_be_created_do_not_exist() -> None:
    steps = '{ create_domain = 1, gives = "out of memory" }, { run = "d2v0", core = 0 }'
    assert "expected a vCPU of the story: d1v0, d1v1" in str(refused(f"{HEAD}setup = [{steps}]\n{MACHINE}"))


def test_a_mark_comes_once() -> None:
    assert "a mark already" in str(refused(f'{HEAD}setup = [{{ mark = "x" }},\n{{ mark = "x" }}]\n{MACHINE}'))


class TestFiles:
    def test_the_message_names_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "lesson.toml"
        file.write_text(f"{HEAD}[boot]\npatches = 11\n", "utf-8")
        with pytest.raises(ScenarioError, match=r"lesson\.toml, line 4: boot\.patches: 11 given"):
            load(file)

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(AvicError, match=r"none\.toml: No such file"):
            load(tmp_path / "none.toml")

    def test_no_such_name(self) -> None:
        with pytest.raises(AvicError, match="near it: ipi-running"):
            load("ipi-runing")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(AvicError, match="directory"):
            load(tmp_path)

    def test_not_text(self, tmp_path: Path) -> None:
        file = tmp_path / "bytes.toml"
        file.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ScenarioError, match="no UTF-8 text"):
            load(file)

"""Running a scenario: handles by name, checks with differences in fields, marks, races, what stops a story."""

import pytest

from avickit.errors import AvicError
from avickit.lab.scenario import Result, load
from avickit.lab.wanted import wanted
from avickit.manual.icr import ICRL
from avickit.manual.tables import PhysicalEntry

BOTH = '{ run = "v0", core = 0 }, { run = "v1", core = 1 }, { vcpu = "v0", write = "ICRH", value = 0x02000000 }'
SEND = '{ vcpu = "v0", write = "ICRL", value = 0x41 }'
TABLES = '[machine]\ncores = 2\n[boot]\ncmdline = "svm=avic"\n[domain]\nvcpus = 2\n'


def story(setup: str, expect: str = "", *, top: str = "") -> Result:
    return load(f'format = 1\ntitle = "x"\n{top}setup = [{setup}]\n{TABLES}{expect}').run()


def only(result: Result) -> str:
    """The one expectation that does not hold."""
    [failure] = result.failures
    return str(failure)


def test_handles_by_name() -> None:
    result = story(f"{BOTH}, {SEND}")
    assert result["v1"].page.isr == {0x41}
    assert result["d1v1"].apic_id == 2
    assert not result["d1"].crashed
    assert result.ok
    assert repr(result) == "<<text> with 10 patches: 0 expectations, all hold>"
    with pytest.raises(AvicError, match="d1 d1v0 d1v1"):
        result["v2"]


def test_the_story_has_each_step_with_its_beats() -> None:
    result = story(f'{BOTH}, {SEND}, {{ mark = "here", say = "look" }}')
    texts = [step.text for step in result.story]
    assert texts[:2] == ['boot "svm=avic" with 10 patches', "Xen creates d1 with 2 vCPUs"]
    assert texts[-2:] == ["d1v0 writes 41h to ICRL", "-- here: look"]
    assert result.story[0].first == 1
    for before, after in zip(result.story, result.story[1:], strict=False):
        assert after.first == before.last + 1
    assert result.story[-2].last == len(result.machine.trace)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("[expect.v1]\nisr = [0x41, 0x52]", "d1v1 ISR (line 11): 52h missing"),
        ("[expect.v1]\nisr = []", "d1v1 ISR (line 11): 41h not expected"),
        ("[expect.v1]\nisr = [0x52]", "52h missing, 41h not expected"),
        ("[expect.v1]\npage = { PPR = 0x50 }", "PRIORITY (bits 7:4) is 0x4, expected 0x5"),
        ("[expect.v0]\npage = { ICRL = 0x441 }", "MESSAGE_TYPE (bits 10:8) is FIXED, expected NMI"),
        ('[expect.v0]\npage = { ICRL = { DESTINATION_MODE = "LOGICAL" } }', "is PHYSICAL, expected LOGICAL"),
        ("[expect.v0]\nvmcb = { VINTR = { AVIC_ENABLE = 0 } }", "AVIC_ENABLE (bit 31) is 1, expected 0"),
        ("[expect.d1.physical]\n2 = { HOST_APIC_ID = 3 }", "HOST_APIC_ID (bits 11:0) is 1, expected 0x3"),
        ("[expect.d1.logical]\n0 = { VALID = 1 }", "VALID (bit 31) is 0, expected 1"),
        ("[expect.v1]\ntaken = { 41h = 2 }", "expected 41h 2 times, found 41h once"),
        ("[expect.v1]\ntaken = {}", "expected none, found 41h once"),
        ("[expect.v0]\nexits = 1", "expected 1, found 0 (none)"),
        ('[expect.v0]\nexits = ["VMEXIT_HLT"]', "expected VMEXIT_HLT, found none"),
        ("[expect.v0]\nexits = { VMEXIT_HLT = 1 }", "d1v0 exits VMEXIT_HLT (line 11): expected 1, found 0"),
        ('[expect.v1]\nstate = "blocked"', "expected blocked, found guest mode"),
        ("[expect.v1]\ncore = 0", "expected 0, found 1"),
        ("[expect.v1]\ninterrupt_flag = false", "expected False, found True"),
        ("[expect.v1]\nstats = { doorbell = 1 }", "d1v1 stats doorbell (line 11): expected 1, found 0"),
        ("[expect.d1]\ncrashed = true", "d1 crashed (line 11): expected True, found False"),
        ("[expect.d1]\neoi_broadcasts = 1", "expected 1, found 0"),
        ('[expect.xen]\ncontains = ["nested"]', "console line 'nested' (line 11): expected there, found not there"),
        ('[expect.xen]\nabsent = ["AVIC (enabled)"]', "expected not there, found there"),
        ('[expect.xen]\nsymbols = ["vlapic_read_aligned"]', "expected there, found not there"),
        ("[expect.count]\ndoorbells = 0", "doorbells (line 11): expected 0, found 1"),
        ("[expect.count]\nirr_sets = 2", "irr sets (line 11): expected 2, found 1"),
        ("[expect.count]\nexits = 1", "exits (line 11): expected 1, found 0"),
        ("[expect.count]\nrules = { H-BELL-1 = 2 }", "expected 2, found 1"),
    ],
)
def test_a_difference_names_the_fields_and_the_line(expect: str, words: str) -> None:
    result = story(f"{BOTH}, {SEND}", f"{expect}\n")
    assert not result.ok
    assert words in only(result)
    assert only(result).startswith("FAILS")


def test_the_details_of_an_exit() -> None:
    wish = '{ code = "AVIC_INCOMPLETE_IPI", info1 = { ICRL = 0x42 }, info2 = { ID = "INVALID_PAGE" }, past = false }'
    setup = f'{{ run = "v0", core = 0 }}, {{ vcpu = "v0", write = "ICRH", value = 0x02000000 }}, {SEND}'
    result = story(setup, f"[expect.v0]\nexits = [{wish}]\n")
    said = [str(check) for check in result.failures]
    assert len(said) == 3
    assert "ICRL (bits 31:0) is 0x41, expected 0x42" in said[0]
    assert "ID (bits 63:32) is NOT_RUNNING, expected INVALID_PAGE" in said[1]
    assert "expected at the instruction, found past it" in said[2]


def test_what_a_read_must_give() -> None:
    result = story('{ run = "v0", core = 0 }, { vcpu = "v0", read = "VERSION", gives = 0x10 }')
    assert only(result).endswith("d1v0 reads VERSION (line 3): expected 0x10, found 0x50014")


def test_expectations_in_the_middle_of_the_story() -> None:
    middle = "{ expect = { v1 = { isr = [] }, count = { doorbells = 0 } } }"
    result = story(f"{BOTH}, {middle}, {SEND}", "[expect.v1]\nisr = [0x41]\n")
    assert [check.ok for check in result.checks] == [True, True, True]


def test_counts_are_from_the_last_mark_on() -> None:
    eoi = '{ vcpu = "v1", do = "eoi" }'
    expect = "[expect.v1]\ntaken = { 0x41 = 1 }\n[expect.count]\ndoorbells = 1\n"
    assert story(f'{BOTH}, {SEND}, {eoi}, {{ mark = "again" }}, {SEND}', expect).ok


def test_a_step_that_cannot_be_done_ends_the_story() -> None:
    later = '{ vcpu = "v0", do = "nop" }'
    expect = '[expect]\nverdict = "pass"\n[expect.v0]\nstate = "guest mode"\n'
    result = story(f'{{ run = "v0", core = 0 }}, {{ vcpu = "v1", do = "hlt" }}, {later}', expect)
    said = [str(check) for check in result.failures]
    assert "d1v1 executes HLT (line 3): cannot be done: d1v1 is not in guest mode" in said[0]
    assert "verdict (line 11): expected pass, found the story stopped" in said[1]
    assert result.story[-1].text == "d1v1 executes HLT"
    assert result.checks[-1].ok, "what is expected is looked at all the same"


def test_a_domain_that_should_not_fit_and_does() -> None:
    result = story('{ create_domain = 1, gives = "out of memory" }')
    assert "expected out of memory, found a domain" in only(result)


def test_a_domain_that_should_fit_and_does_not() -> None:
    text = 'format = 1\ntitle = "x"\nsetup = [{ create_domain = 1 }]\n[machine]\npages = 3\n'
    result = load(text).run()
    assert "the story needs this domain" in result.stopped
    assert not result.ok


def test_no_memory_for_the_first_domain() -> None:
    result = load('format = 1\ntitle = "x"\n[machine]\npages = 3\n[domain]\nvcpus = 1\n[expect.v0]\nirr = []\n').run()
    assert "out of memory" in result.stopped
    assert len(result.failures) == 2


def test_before_patch_4_there_is_no_variable_and_no_table() -> None:
    text = f'format = 1\ntitle = "x"\n{TABLES}[expect.d1.physical]\n0 = {{ VALID = 1 }}\n'.replace(
        'cmdline = "svm=avic"', "svm_avic = true"
    )
    assert load(text).run(patches=4).ok
    assert "before patch 4" in only(load(text).run(patches=3))


@pytest.mark.parametrize("patches", [-1, 11, True])
def test_patches_out_of_range(patches: int) -> None:
    with pytest.raises(AvicError, match="patches"):
        load("ipi-self").run(patches=patches)


class TestRaces:
    def test_actors_are_kept_as_data_and_run_in_their_order(self) -> None:
        scenario = load("race-sleep-against-ipi")
        assert scenario.memory == "tso"
        assert list(scenario.race) == ["sleeper", "sender"]
        assert scenario.race["sleeper"] == ({"vcpu": "v1", "do": "hlt"},)
        result = scenario.run()
        assert [step.text for step in result.story[-2:]] == ["d1v1 executes HLT", "d1v0 writes 41h to ICRL"]

    def test_the_other_order(self) -> None:
        race = f'[race]\nsender = [{SEND}]\nsleeper = [{{ vcpu = "v1", do = "hlt" }}]\n'
        result = story(BOTH, f'{race}[expect.v1]\ntaken = {{ 0x41 = 1 }}\nstate = "blocked"\n')
        assert result.ok, str(result)


class TestOpening:
    @pytest.mark.parametrize(
        ("where", "rule"), [('{ mark = "send" }', ""), ('{ rule = "H-IPI-5", nth = 2, mark = "send" }', "H-IPI-5")]
    )
    def test_where(self, where: str, rule: str) -> None:
        result = story(f'{BOTH}, {{ mark = "send" }}, {SEND}', top=f"open_at = {where}\n")
        assert result.open_beat is not None
        assert rule in result.machine.trace[result.open_beat].rule

    def test_by_number(self) -> None:
        assert story(BOTH, top="open_at = { beat = 5 }\n").open_beat == 5

    @pytest.mark.parametrize("where", ["{ beat = 99999 }", '{ rule = "H-EOI-1" }', '{ rule = "H-IPI-5", nth = 9 }'])
    def test_nowhere(self, where: str) -> None:
        assert "no such beat" in only(story(f"{BOTH}, {SEND}", top=f"open_at = {where}\n"))


class TestWanted:
    def test_reserved_bits_count_too(self) -> None:
        want = wanted(ICRL, 0x41)
        assert not want.fits(0x2041)
        assert want.differences(0x2041) == ["reserved bits 13 are 0x2000"]

    def test_only_the_named_fields_count(self) -> None:
        want = wanted(PhysicalEntry, {"VALID": 1, "IS_RUNNING": 0})
        assert want.fits(0x8000_0000_1234_5007)
        assert str(want) == "VALID=1, IS_RUNNING=0"
        assert want.differences(0x4000_0000_0000_0000) == [
            "VALID (bit 63) is 0, expected 1",
            "IS_RUNNING (bit 62) is 1, expected 0",
        ]


def test_data_for_json() -> None:
    data = load("ipi-self").run().data()
    assert data["ok"] is True
    assert data["patches"] == 10
    assert {"what", "expected", "found", "ok", "difference", "line"} == set(data["checks"][0])
    assert {"text", "first", "last"} == set(data["story"][0])

"""Where the manual leaves a point open: the default and each alternative, as a guest or a hypervisor sees them."""

from collections.abc import Callable
from typing import Any

import pytest

from avickit import Machine
from avickit.beat import Do
from avickit.errors import AvicError
from avickit.manual.vmcb import VIntr
from avickit.silicon import doorbell
from avickit.silicon.choices import CHOICES, ERRATA
from avickit.silicon.guest import Insn, eoi, write
from tests.proofs.frame import maker
from tests.silicon.bench import AVIC, BACKING, INTR_MASKING, LOGICAL_VALID, RUNNING, VALID, Bench

CLUSTER_DFR, LOGICAL, ALL_BUT_SELF, BUSY = 0x0FFF_FFFF, 0x800, 0xC_0000, 0x1000
NO_MEMORY = 1 << 40


def bench(chosen: dict[str, str], vcpus: int = 3, **kw: Any) -> Bench:
    """A bench whose machine has made these choices."""
    return Bench(maker(), vcpus, choices=chosen, **kw)


def quiet(chosen: dict[str, str], vcpus: int = 3) -> Bench:
    """All run with IF = 0, so that what they get stays in IRR."""
    b = bench(chosen, vcpus)
    for guest in b.guests:
        b.w.at[guest.interrupt_flag] = 0
    b.run()
    return b


def got(b: Bench, vector: int = 0x41) -> list[int]:
    """Which vCPUs have the vector in IRR."""
    return [n for n in range(len(b.guests)) if vector in b.irr(n)]


def ids(b: Bench) -> list[tuple[int, int]]:
    """ID and index of vCPU 0's exits 401h."""
    return [(e.info2 >> 32, e.info2 & 0xFFF) for e in b.exits(0) if e.code == 0x401]


def without_nested_paging(chosen: dict[str, str]) -> Any:
    """H-VMCB-8: VMRUN of an AVIC guest without nested paging."""
    b = bench(chosen, 1)
    b.set_vmcb(0, 0x090, 0)
    failed = b.vmrun(0)
    return int(failed.code) if failed else "runs"


def clean_tpr_covers_avic_enable(chosen: dict[str, str]) -> Any:
    """H-VMCB-11: AVIC Enable is cleared, or not, and V_TPR changes under clean bit 3."""
    found = []
    for enable in (0, AVIC):
        b = bench(chosen, 1)
        b.run()
        b.leave(0)
        b.set_vmcb(0, 0x060, enable | INTR_MASKING | 9, clean=0x1FFF)
        assert b.vmrun(0) is None
        assert b.w.at[b.cores[0].vintr] & ~AVIC == INTR_MASKING, "V_TPR is the old one"
        found.append(bool(VIntr.AVIC_ENABLE.of(b.w.at[b.cores[0].vintr])))
    return found


def pointer_out_of_range(chosen: dict[str, str]) -> Any:
    """H-VMCB-15: a backing page above the physical address range, and one where no memory is."""
    codes = []
    for address in (1 << 48, NO_MEMORY, BACKING << 12):
        b = bench(chosen, 1)
        b.set_vmcb(0, 0x0E0, address)
        failed = b.vmrun(0)
        assert failed is None or failed.reason.startswith("AVIC backing page pointer")
        codes.append(int(failed.code) if failed else 0)
    return codes


def tpr_upper_bits(chosen: dict[str, str]) -> Any:
    """H-PRIO-2: a TPR write with bits 31:8; V_TPR and PPR take the low byte either way."""
    b = bench(chosen, 1)
    b.run()
    b.write(0, "TPR", 0xABCD_EF35)
    assert (b.cr8(0), b.reg(0, "PPR")) == (3, 0x35)
    return b.reg(0, "TPR")


def vmrun_priority(chosen: dict[str, str]) -> Any:
    """H-PRIO-3: V_TPR and the page's TPR disagree at VMRUN, below and above what is in service; what is PPR?"""
    found = []
    for tpr in (0x25, 0x45):
        b = bench(chosen, 1)
        b.set_vmcb(0, 0x060, AVIC | INTR_MASKING | 5)
        b.set_reg(0, "TPR", tpr)
        b.set_vectors(0, "ISR", 0x31)
        b.set_vectors(0, "IRR", 0x41)
        b.w.at[b.guests[0].interrupt_flag] = 0
        b.run()
        found.append(b.reg(0, "PPR"))
    return found


def reread_irr(chosen: dict[str, str]) -> Any:
    """H-EVAL-1: a bit that software wrote while IF was 0, and one that a doorbell told of."""
    taken = []
    for told in (False, True):
        b = bench(chosen, 1)
        b.run()
        b.op(0, "cli")
        b.set_vectors(0, "IRR", 0x41)
        if told:
            b.signal(0, 1)
        b.op(0, "sti", "nop")
        taken.append(0x41 in b.taken(0))
    return taken


def eoi_level(chosen: dict[str, str]) -> Any:
    """H-EOI-2: what the hypervisor finds after the EOI of a level-triggered vector."""
    b = bench(chosen, 1)
    b.set_vectors(0, "ISR", 0x31, 0x52)
    b.set_vectors(0, "TMR", 0x52)
    b.run()
    b.do(0, eoi(), Insn("nop"))
    assert (b.vmcb(0, 0x070), b.vmcb(0, 0x078), b.vmcb(0, 0x080)) == (0x402, 1 << 32 | 0xB0, 0x52)
    return b.isr(0), b.reg(0, "PPR"), "past" if b.rip(0) & 0xFFF else "at"


def ipi_checks(chosen: dict[str, str]) -> Any:
    """H-IPI-0: an NMI with vector 5, a fixed interrupt with vector 5, one of level trigger mode, NMIs with others."""
    found = []
    for icrl in (0x405, 0x005, 0x8041, 0x441, 0x410):
        b = quiet(chosen, 2)
        b.ipi(0, 1, icrl)
        found.append(ids(b)[0][0] if ids(b) else None)
        assert (got(b, 5) == [1]) == (icrl == 5 and found[-1] is None)
    return found


def logical_model(chosen: dict[str, str]) -> Any:
    """H-IPI-3a: entries that destination A1h addresses when the sender's DFR says cluster, or nonsense."""
    found = []
    for dfr in (CLUSTER_DFR, 0x5FFF_FFFF):
        b = quiet(chosen, 2)
        for index in range(64):
            b.set_logical(index, LOGICAL_VALID | 1)
        b.set_reg(0, "DFR", dfr)
        b.ipi(0, 0xA1, LOGICAL | 0x41)
        table = b.page(2)
        found.append([d.place - table for d in b.beats if table <= d.place < table + 64] or ids(b))
    return found


def logical_nobody(chosen: dict[str, str]) -> Any:
    """H-IPI-3a: logical destination 00h; one that names somebody goes either way."""
    b = quiet(chosen)
    b.ipi(0, 0x02, LOGICAL | 0x42)
    assert got(b, 0x42) == [1]
    b.ipi(0, 0x00, LOGICAL | 0x41)
    assert got(b) == []
    return ids(b)


def tmr_on_edge(chosen: dict[str, str]) -> Any:
    """H-IPI-5: the target's TMR bits when an edge interrupt arrives."""
    b = quiet(chosen)
    b.set_vectors(1, "TMR", 0x41, 0x42)
    b.ipi(0, 1, 0x41)
    assert got(b) == [1]
    return b.vectors(1, "TMR")


def broadcast_bad_page(chosen: dict[str, str]) -> Any:
    """H-IPI-7: all but self from vCPU 1, and the entry of vCPU 3 is broken."""
    b = quiet(chosen, 5)
    b.set_entry(2, 0)
    b.set_entry(3, VALID | NO_MEMORY)
    b.ipi(1, 0, ALL_BUT_SELF | 0x41)
    assert [(e.info2 >> 32, e.info2 & 0xFFF) for e in b.exits(1)] == [(3, 3)]
    return got(b)


def stopped_index(chosen: dict[str, str]) -> Any:
    """H-IPI-8: two of the targets do not run."""
    b = quiet(chosen, 4)
    for n in (1, 3):
        b.set_entry(n, b.entry(n) & ~RUNNING)
    b.ipi(0, 0xFF, 0x41)
    return ids(b)


def delivery_status(chosen: dict[str, str]) -> Any:
    """H-IPI-10: bit 12 in the page and in EXITINFO1 after an IPI that exits."""
    b = quiet(chosen)
    b.ipi(0, 9, 0x2041)
    assert b.vmcb(0, 0x078) & 0xFFFF_FFFF == b.reg(0, "ICRL")
    return b.reg(0, "ICRL")


def icrl_reserved(chosen: dict[str, str]) -> Any:
    """H-IPI-10: bits 31:20 and 13 in the page."""
    b = quiet(chosen)
    b.ipi(0, 1, 0xFFF3_2041 | BUSY)
    return b.reg(0, "ICRL")


def all_but_self(chosen: dict[str, str]) -> Any:
    """H-IPI-11: the sender's ID register says 2, its page is that of entry 0."""
    b = quiet(chosen)
    b.set_reg(0, "ID", 2 << 24)
    b.ipi(0, 0, ALL_BUT_SELF | 0x41)
    return got(b)


def software_disabled(chosen: dict[str, str]) -> Any:
    """H-IPI-12: one target's SVR has bit 8 clear."""
    b = quiet(chosen)
    b.set_reg(1, "SVR", 0x0FF)
    b.ipi(0, 0xFF, 0x41)
    return got(b)


def doorbell_above_255(chosen: dict[str, str]) -> Any:
    """H-BELL-1: WRMSR C001_011Bh with APIC ID 300; one with 7 goes either way."""
    b = bench(chosen, 1, cores=2, host_ids=(7, 300))
    assert b.play(doorbell.write_doorbell_msr(b.w, b.cores[0], 7)) is True
    accepted = b.play(doorbell.write_doorbell_msr(b.w, b.cores[0], 300))
    return accepted, [d.place for d in b.beats if d.do is Do.SIGNAL] == [c.signals for c in b.cores]


def doorbell_order(chosen: dict[str, str]) -> Any:
    """H-BELL-1: does the store buffer drain before the message leaves?"""
    b = bench(chosen, 1, cores=2)
    b.play(doorbell.ring(b.w, b.cores[0], 1))
    return [d.do.name for d in b.beats]


def doorbell_in_host(chosen: dict[str, str]) -> Any:
    """H-BELL-3: a doorbell in host mode, then VMRUN: is it heard? The vector is taken either way."""
    b = bench(chosen, 1)
    b.run()
    b.leave(0)
    b.set_vectors(0, "IRR", 0x41)
    b.signal(0, 1)
    assert b.taken(0) == {}
    assert b.vmrun(0) is None
    assert (b.taken(0), b.w.at[b.cores[0].signals]) == ({0x41: 1}, 0)
    return any(d.site is doorbell.HEAR for d in b.beats)


SEEN: dict[Callable[[dict[str, str]], Any], dict[str, Any]] = {
    without_nested_paging: {"refuse": -1, "ignore": "runs"},
    clean_tpr_covers_avic_enable: {"yes": [True, True], "no": [False, True]},
    pointer_out_of_range: {"invalid": [-1, -1, 0], "npf": [0x400, 0x400, 0]},
    tpr_upper_bits: {"drop": 0x35, "keep": 0xABCD_EF35},
    vmrun_priority: {"v_tpr": [0x50, 0x50], "page": [0x30, 0x45]},
    reread_irr: {"yes": [True, True], "no": [False, True]},
    eoi_level: {
        "trap": ({0x31, 0x52}, 0x50, "past"),
        "trap-cleared": ({0x31}, 0x30, "past"),
        "fault": ({0x31, 0x52}, 0x50, "at"),
    },
    ipi_checks: {
        "type-first": [0, 4, 0, 0, 0],
        "vector-first": [4, 4, 0, 0, 0],
        "no-vector-check": [0, None, 0, 0, 0],
    },
    logical_model: {"sender": [[40], [(2, 0)]], "flat": [[0, 5, 7], [0, 5, 7]]},
    logical_nobody: {"nothing": [], "invalid-target": [(2, 0)]},
    tmr_on_edge: {"kept": {0x41, 0x42}, "cleared": {0x42}},
    broadcast_bad_page: {"check-first": [], "as-met": [0]},
    stopped_index: {"lowest": [(1, 1)], "highest": [(1, 3)]},
    delivery_status: {"clear": 0x2041, "set": 0x3041},
    icrl_reserved: {"kept": 0xFFF3_2041, "clear": 0x0003_0041},
    all_but_self: {"by-page": [1, 2], "by-id": [0, 1]},
    software_disabled: {"accepts": [0, 1, 2], "drops": [0, 2]},
    doorbell_above_255: {"gp": (False, False), "rings": (True, True)},
    doorbell_order: {"may-overtake": ["SIGNAL"], "after-stores": ["FENCE", "SIGNAL"]},
    doorbell_in_host: {"ignored": False, "held": True},
}
"""What each answer lets one see. The first answer is the default."""
CASES = [(look, answer, seen) for look, answers in SEEN.items() for answer, seen in answers.items()]


@pytest.mark.parametrize(("look", "answer", "seen"), CASES, ids=[f"{c[0].__name__}-{c[1]}" for c in CASES])
def test_each_answer_is_seen(look: Callable[[dict[str, str]], Any], answer: str, seen: Any) -> None:
    assert look({look.__name__: answer}) == seen


@pytest.mark.parametrize("look", SEEN, ids=lambda look: look.__name__)
def test_the_default_is_what_comes_without_a_choice(look: Callable[[dict[str, str]], Any]) -> None:
    assert look({}) == next(iter(SEEN[look].values()))


def test_every_choice_is_here() -> None:
    assert {look.__name__: list(answers) for look, answers in SEEN.items()} == {
        name: [choice.default, *choice.others] for name, choice in CHOICES.items()
    }
    assert all(CHOICES[look.__name__].rule in (look.__doc__ or "") for look in SEEN)


# Every point that the rules call OPEN, sections 2 to 7, and its choice, or why there is none.
NOT_MODELLED = "x2AVIC mode is not modelled"
OPEN_POINTS = [
    ("H-VMCB-8", "VMRUN without nested paging", "without_nested_paging"),
    ("H-VMCB-11", "clean bit 3 and bits 31:30", "clean_tpr_covers_avic_enable"),
    ("H-VMCB-15", "exit code of a pointer out of range", "pointer_out_of_range"),
    ("H-PRIO-2", "TPR bits 31:8", "tpr_upper_bits"),
    ("H-PRIO-3", "PPR at VMRUN", "vmrun_priority"),
    ("H-EVAL-1", "IRR re-read when the guest becomes able", "reread_irr"),
    ("H-EOI-2", "ISR and RIP at the EOI of a level vector", "eoi_level"),
    (
        "H-IPI-0",
        "ID of message types that are not accelerated",
        "no other ID is plausible: each has a meaning",
    ),
    ("H-IPI-0", "order of the checks", "ipi_checks"),
    ("H-IPI-2", "FFFF_FFFFh is the broadcast", NOT_MODELLED),
    ("H-IPI-3a", "who chooses the logical model, and a DFR that is neither", "logical_model"),
    ("H-IPI-3a", "no bit set", "logical_nobody"),
    ("H-IPI-5", "the target's TMR bit", "tmr_on_edge"),
    ("H-IPI-7", "ID 3 on a broadcast", "broadcast_bad_page"),
    ("H-IPI-8", "index for x2AVIC", NOT_MODELLED),
    ("H-IPI-8", "index of several stopped targets", "stopped_index"),
    ("H-IPI-10", "delivery status", "delivery_status"),
    ("H-IPI-10", "other reserved bits", "icrl_reserved"),
    ("H-IPI-11", "who is self", "all_but_self"),
    ("H-IPI-12", "the target's SVR", "software_disabled"),
    ("H-BELL-1", "IDs above 255", "doorbell_above_255"),
    ("H-BELL-1", "whether it overtakes the core's earlier stores", "doorbell_order"),
    ("H-BELL-3", "a doorbell in host mode", "doorbell_in_host"),
]


def test_every_open_point_has_a_choice_or_a_reason() -> None:
    chosen = [answer for _, _, answer in OPEN_POINTS if answer in CHOICES]
    assert sorted(chosen) == sorted(CHOICES)
    for rule, _, answer in OPEN_POINTS:
        assert CHOICES[answer].rule == rule if answer in CHOICES else " " in answer


# ---- what is refused ----


def test_unknown_names_and_answers_are_told_what_there_is() -> None:
    with pytest.raises(AvicError, match=r"choice: eoi given, expected .*eoi_level"):
        Machine(choices={"eoi": "fault"})
    with pytest.raises(AvicError, match=r"choice eoi_level: maybe given, expected trap or trap-cleared or fault"):
        Machine(choices={"eoi_level": "maybe"})


def test_the_machine_says_what_it_has_chosen() -> None:
    w = Machine(cores=1, pages=8, choices={"eoi_level": "fault"}).world
    assert w.choice("eoi_level") == "fault"
    assert w.choices == {name: choice.default for name, choice in CHOICES.items()} | {"eoi_level": "fault"}
    with pytest.raises(KeyError):
        w.choice("eoi")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("delivery_status", "set"), ("icrl_reserved", "clear")),
        (("tmr_on_edge", "cleared"), ("software_disabled", "drops")),
        (("logical_model", "flat"), ("logical_nobody", "invalid-target")),
    ],
)
def test_two_choices_on_one_step_are_refused(one: tuple[str, str], two: tuple[str, str]) -> None:
    with pytest.raises(AvicError, match=f"choices {one[0]} and {two[0]} both replace .*; choose one of them"):
        Machine(choices=dict((one, two)))
    Machine(choices={one[0]: one[1], two[0]: CHOICES[two[0]].default})


def test_errata() -> None:
    """H-CPUID-5: 1235 is the one that is known, and only Family 17h has it."""
    assert list(ERRATA) == [1235]
    with pytest.raises(AvicError, match=r"erratum: 1234 given, expected 1235"):
        Machine(errata=[1234])
    for cpu in ("carrizo", "zen4", "fam10h"):
        with pytest.raises(AvicError, match=rf"erratum 1235: {cpu} given, expected a CPU that has it"):
            Machine(cpu=cpu, errata=[1235])
    with pytest.raises(AvicError, match=r"choice tmr_on_edge and erratum 1235 both replace .*; choose one of them"):
        Machine(errata=[1235], choices={"tmr_on_edge": "cleared"})
    Machine(errata=[1235, 1235], choices={"stopped_index": "highest"})


def test_choices_go_together() -> None:
    """Those that replace different steps do: here the sender is told of the highest of two, bit 12 set, TMR cleared."""
    b = quiet({"stopped_index": "highest", "delivery_status": "set", "tmr_on_edge": "cleared"})
    for n in (1, 2):
        b.set_entry(n, b.entry(n) & ~RUNNING)
        b.set_vectors(n, "TMR", 0x41)
    b.do(0, write("ICRH", 0xFF00_0000), write("ICRL", 0x41))
    assert (ids(b), b.reg(0, "ICRL"), b.vectors(2, "TMR")) == ([(1, 2)], 0x1041, set())

"""Where the manual leaves a point open: the behaviours that can be had, and which one the model takes.

A choice is an overlay like a patch or a defect: another function for one named step. So is an erratum.
Does not model: open points of x2AVIC, Secure AVIC and the IOMMU.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from avickit.beat import Beats, Op, World
from avickit.errors import AvicError
from avickit.silicon import deliver, doorbell, ipi, targets, vmrun
from avickit.silicon import open_points as other


class Choice(NamedTuple):
    """An open point: its rule, the question, the default, and for each other answer the step it replaces."""

    rule: str
    question: str
    default: str
    others: dict[str, tuple[Op[..., Any], Callable[..., Beats[Any]]]]


CHOICES = {
    "without_nested_paging": Choice(
        "H-VMCB-8",
        "AVIC Enable with NP_ENABLE 0",
        "refuse",
        {"ignore": (vmrun.without_nested_paging, other.ignore_missing_np)},
    ),
    "clean_tpr_covers_avic_enable": Choice(
        "H-VMCB-11", "clean bit 3 and bits 31:30 of 060h", "yes", {"no": (vmrun.load_vintr, other.reload_avic_bits)}
    ),
    "pointer_out_of_range": Choice(
        "H-VMCB-15",
        "exit code for a pointer out of range",
        "invalid",
        {"npf": (vmrun.pointer_failure, other.npf_for_pointer)},
    ),
    "tpr_upper_bits": Choice("H-PRIO-2", "TPR write, bits 31:8", "drop", {"keep": (deliver.tpr_value, other.keep_tpr)}),
    "vmrun_priority": Choice(
        "H-PRIO-3", "PPR at VMRUN comes from", "v_tpr", {"page": (deliver.load_priority, other.priority_from_page)}
    ),
    "reread_irr": Choice(
        "H-EVAL-1",
        "IRR is re-read when the guest becomes able",
        "yes",
        {"no": (deliver.became_able, other.only_if_left)},
    ),
    "eoi_level": Choice(
        "H-EOI-2",
        "EOI of a level-triggered vector",
        "trap",
        {"trap-cleared": (deliver.eoi_level, other.eoi_trap_cleared), "fault": (deliver.eoi_level, other.eoi_fault)},
    ),
    "ipi_checks": Choice(
        "H-IPI-0",
        "order of the first checks",
        "type-first",
        {"vector-first": (ipi.refuse, other.vector_first), "no-vector-check": (ipi.refuse, other.old_vectors)},
    ),
    "logical_model": Choice(
        "H-IPI-3a", "who chooses flat or cluster", "sender", {"flat": (targets.by_logical_id, other.always_flat)}
    ),
    "logical_nobody": Choice(
        "H-IPI-3a",
        "logical destination without a bit",
        "nothing",
        {"invalid-target": (targets.by_logical_id, other.nobody_is_invalid)},
    ),
    "tmr_on_edge": Choice(
        "H-IPI-5", "the target's TMR bit of an edge IPI", "kept", {"cleared": (ipi.accept_ipi, other.clear_tmr)}
    ),
    "broadcast_bad_page": Choice(
        "H-IPI-7",
        "a broadcast that meets a broken entry",
        "check-first",
        {"as-met": (targets.before_bad_page, other.check_as_met)},
    ),
    "stopped_index": Choice(
        "H-IPI-8", "index for several stopped targets", "lowest", {"highest": (ipi.blame, other.highest_stopped)}
    ),
    "delivery_status": Choice(
        "H-IPI-10", "ICRL bit 12 after the write", "clear", {"set": (ipi.written_icrl, other.busy_status)}
    ),
    "icrl_reserved": Choice(
        "H-IPI-10", "reserved bits of ICRL", "kept", {"clear": (ipi.written_icrl, other.clear_reserved)}
    ),
    "all_but_self": Choice("H-IPI-11", "who is self", "by-page", {"by-id": (targets.is_sender, other.sender_by_id)}),
    "software_disabled": Choice(
        "H-IPI-12", "IPI to a software-disabled APIC", "accepts", {"drops": (ipi.accept_ipi, other.only_if_enabled)}
    ),
    "doorbell_above_255": Choice(
        "H-BELL-1",
        "doorbell MSR with an ID above 255",
        "gp",
        {"rings": (doorbell.write_doorbell_msr, other.any_doorbell_id)},
    ),
    "doorbell_order": Choice(
        "H-BELL-1",
        "the doorbell's WRMSR and the core's earlier stores",
        "may-overtake",
        {"after-stores": (doorbell.ring, other.ring_after_stores)},
    ),
    "doorbell_in_host": Choice(
        "H-BELL-3", "doorbell in host mode", "ignored", {"held": (doorbell.miss, other.hold_doorbell)}
    ),
}
"""Every open point of hardware.md sections 2 to 7 that the model can take either way, by name."""


def apply_choices(w: World, chosen: Mapping[str, str]) -> None:
    """Take the defaults, and the named others instead. Raises AvicError for a name or an answer nobody knows."""
    for name, answer in chosen.items():
        if name not in CHOICES:
            raise AvicError.of("choice", name, " ".join(CHOICES))
        choice = CHOICES[name]
        if answer != choice.default and answer not in choice.others:
            raise AvicError.of(f"choice {name}", answer, " or ".join((choice.default, *choice.others)))
    w.choices = {name: chosen.get(name, choice.default) for name, choice in CHOICES.items()}
    for name, answer in w.choices.items():
        if answer in CHOICES[name].others:
            step, instead = CHOICES[name].others[answer]
            if step in w.by:
                raise AvicError(f"choices {w.by[step]} and {name} both replace {step.name}; choose one of them")
            w.replace(step, instead, name)


ERRATA = {1235: (ipi.accept_ipi, other.unlocked_irr)}
"""What is known to be wrong in silicon, by AMD's number; off unless asked for. (H-CPUID-5)"""


def apply_errata(w: World, numbers: Iterable[int]) -> None:
    """Switch errata on. Raises AvicError for a number, a CPU or a choice that does not go with it."""
    for number in dict.fromkeys(numbers):
        if number not in ERRATA:
            raise AvicError.of("erratum", number, " ".join(map(str, ERRATA)))
        if not w.objects["cpu"][0].erratum_1235:
            raise AvicError.of("erratum 1235", w.objects["cpu"][0].name, "a CPU that has it: Family 17h (epyc)")
        step, instead = ERRATA[number]
        if step in w.by:
            raise AvicError(f"choice {w.by[step]} and erratum {number} both replace {step.name}; choose one of them")
        w.replace(step, instead, f"erratum {number}")

"""The same guest program gives the same guest-visible result emulated (patches=0) and with AVIC (patches=10)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from avickit.silicon.guest import Insn, eoi, read, write
from tests.series.equivalence import Handlers, Step, compare, ipi, sti

VCPUS = 3
EDGE = (0x31, 0x41, 0x4F, 0x52, 0x61, 0xFE)
LEVEL, STUB = (0x38, 0x77), 0x2F
"""Level-triggered vectors are never sent as IPIs: an accelerated IPI leaves TMR alone. (H-IPI-5, X0-5a)

STUB is what handlers send; it has none itself, so that they end.
"""
READ = (
    *("ID", "VERSION", "TPR", "PPR", "APR", "EOI", "LDR", "DFR", "SVR", "ESR", "ICRL", "ICRH", "TMICT", "TMCCT"),
    *("TDCR", "LVT_TIMER", "LVT_PERF", "LVT_ERROR", "ISR1", "ISR2", "IRR1", "IRR2", "IRR7", "TMR1", "TMR2"),
)


def often(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of them, each as often as it is named (`one_of` takes each once)."""
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


vcpus = st.integers(0, VCPUS - 1)
shorthands = st.sampled_from([0, 0, 0, 1 << 18, 2 << 18, 3 << 18])
kinds = st.sampled_from([0, 0, 0, 0, 0, 1 << 8, 4 << 8, 0xC000])
# H-IPI-9: logical FFh is a broadcast for the hardware only. X0-5a: physical FFh is one for both.
targets = st.sampled_from(
    [*((0, to) for to in (0, 2, 2, 4, 4, 6, 0xFF)), *((1 << 11, to) for to in (1, 2, 3, 4, 5, 6, 7, 0x0A, 0xFE))]
)
ipis = st.tuples(targets, shorthands, kinds, st.sampled_from((*EDGE, *EDGE, 0x05))).map(
    lambda t: ipi(t[0][1], t[0][0] | t[1] | t[2] | t[3])
)
# X26: what is written to ESR and RRR stays readable after a trap. H-REG-4: so does what is written to no register.
# H-IPI-10: ICRH keeps reserved bits. H-IPI-12: SVR stays enabled. H-IPI-3a: DFR stays as it is.
# TPR has a low nibble of 0: CR8 clears it, Xen leaves it. (H-PRIO-2, X7-2) Nobody sends INIT (X24), writes the ID
# (X5-4) or MSRs (X33, X0-10), has a timer (X25) or callbacks (X23). `test_differences` shows each of these.
others = st.one_of(
    st.sampled_from(READ).map(lambda name: (read(name),)),
    st.sampled_from(READ).map(lambda name: (read(name),)),
    st.sampled_from([0, 0x30, 0x40, 0x50, 0x70]).map(lambda tpr: (write("TPR", tpr),)),
    # X0-4, X7-2: Xen learns of CR8 at the next exit; lowest priority looks at the page.
    st.sampled_from([0, 3, 4, 15]).map(lambda cr8: (Insn("write_cr8", 8, cr8), read("TPR"))),
    st.sampled_from([(eoi(),), (eoi(), eoi()), (Insn("cli"),), sti(), sti(), (Insn("read_cr8"),)]),
    st.sampled_from([0, 1, 2, 4, 6, 8]).map(lambda ldr: (write("LDR", ldr << 24),)),
    st.sampled_from([(write("LVT_PERF", 0x155),), (write("LVT_ERROR", 0x45),), (write("TDCR", 0xFF),)]),
    st.sampled_from([(write("VERSION", 1),), (write("ISR1", 1),), (write("IRR2", 1),), (write("PPR", 0xFF),)]),
    st.sampled_from([(write("TPR", 0x40, 1),), (read(0x81, 1),), (read(0xD2, 2),)]),
)
codes = often(ipis, ipis, others)
shadowed = codes.map(lambda code: (Insn("sti"), *code))
programs = st.lists(often(codes, codes, shadowed), min_size=1, max_size=3).map(
    lambda parts: tuple(insn for part in parts for insn in part)
)
does = st.builds(Step, st.just("do"), vcpus, programs)
steps = often(
    *(does,) * 6,
    st.builds(Step, st.just("irq"), vcpus, st.tuples(st.sampled_from(EDGE), st.just(False))),
    st.builds(Step, st.just("irq"), vcpus, st.tuples(st.sampled_from(LEVEL), st.just(True))),
    *(st.builds(Step, st.just("hlt"), vcpus, st.none()),) * 2,
    st.builds(Step, st.sampled_from(["nmi", "stop", "wake"]), vcpus, st.none()),
    *(st.builds(Step, st.just("run"), vcpus, st.integers(0, 1)),) * 2,
)
bodies = st.sampled_from(
    [
        *((eoi(),),) * 4,
        (read("PPR"), eoi(), read("PPR")),
        (*sti(), read("ISR2"), eoi()),
        (write("TPR", 0x40), *sti(), eoi(), write("TPR", 0)),
        (Insn("read_cr8"), eoi()),
        (*ipi(2, STUB), eoi()),
        (*sti(), *ipi(0, 0x8_0000 | STUB), eoi()),
        (),
    ]
)
tables = st.fixed_dictionaries(dict.fromkeys((*EDGE, *LEVEL), bodies))
LOGICAL_IDS = [Step("do", n, (write("LDR", 1 << n << 24),)) for n in range(VCPUS)]


programs_of_all = st.lists(steps, min_size=12, max_size=25)
handlers_of_all = st.lists(tables, min_size=VCPUS, max_size=VCPUS)


@settings(max_examples=60)
@given(programs_of_all, handlers_of_all, st.sampled_from([2, VCPUS]))
def test_the_guest_cannot_tell(program: list[Step], handlers: list[Handlers], cores: int) -> None:
    emulated, avic = compare(LOGICAL_IDS + program, handlers, cores=cores)
    assert emulated == avic


@settings(max_examples=20)
@given(programs_of_all, handlers_of_all, st.sampled_from([5, 6, 7, 8, 9]))
def test_nor_at_any_patch_on_the_way(program: list[Step], handlers: list[Handlers], patches: int) -> None:
    emulated, avic = compare(LOGICAL_IDS + program, handlers, patches)
    assert emulated == avic

"""The plain form does what the generators do: the same places, clock, console, answers and exceptions."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.derive_programs import Bench, Do, acts, choices, differences

PATCHES = st.sampled_from((0, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10))
CPU = st.sampled_from(("epyc", "epyc", "epyc", "carrizo", "bulldozer"))
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(slow: Bench, fast: Bench, program: list[Do]) -> None:
    assert differences(slow, fast) == {}
    for n, act in enumerate(program):
        one, other = slow.do(act), fast.do(act)
        assert one == other, f"step {n}: {act}"
        assert differences(slow, fast) == {}, f"step {n}: {act} {one}"


@quick
@given(PATCHES, choices(), CPU, st.lists(acts(), min_size=5, max_size=30))
def test_random_programs(patches: int, chosen: dict[str, str], cpu: str, program: list[Do]) -> None:
    same(*(Bench(patches, cpu=cpu, choices=chosen, fast=fast) for fast in (False, True)), program)

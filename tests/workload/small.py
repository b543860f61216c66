"""Small configurations for the workload's tests: random ones, and some that are known to contain everything."""

from typing import Any

from hypothesis import strategies as st

from avickit.workload.parameters import Parameters

cycles = st.integers(0, 20_000)


@st.composite
def parameters(draw: st.DrawFn) -> Parameters:
    """Some hundred messages on one to five vCPUs, with short ticks and small pipes, so that everything happens."""
    fds = draw(st.integers(1, 5))
    kw: dict[str, Any] = {
        "avic": draw(st.booleans()),
        "pv": draw(st.booleans()),
        "fds": fds,
        "groups": draw(st.integers(1, 4)),
        "loops": draw(st.integers(1, 30)),
        "vcpus": draw(st.integers(1, 5)),
        "seed": draw(st.integers(0, 2**31 - 1)),
        "pages": draw(st.integers(1, 3)),
        "records": draw(st.integers(1, 6)),
        "tick": draw(st.integers(5_000, 400_000)),
        "granularity": draw(st.integers(0, 50_000)),
        "wakeup_granularity": draw(st.integers(0, 50_000)),
        "sleeper_credit": draw(st.integers(0, 200_000)),
        "steal_every": draw(st.sampled_from([0, 30_000, 200_000])),
        "steal": draw(st.integers(0, 100_000)),
        "write": draw(st.integers(1, 5_000)),
        "read": draw(st.integers(1, 5_000)),
    }
    for name in ("mmio_emulation", "world_switch", "switch", "switch_spread", "wakeup", "remote_wakeup", "handler"):
        kw[name] = draw(cycles)
    for name in ("block", "wake", "doorbell", "physical_ipi", "block_task", "tick_work"):
        kw[name] = draw(cycles)
    return Parameters(**kw)

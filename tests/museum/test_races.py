"""The two exhibits that need store buffers, proven in one order by a small driver: a FIFO buffer for one core.

Loads look into it first, locked operations and fences drain it (x86-TSO). Without the buffer the same order loses
nothing, which is why an explorer without one cannot find them. (defects.md X03, K01, section 2)
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from avickit import Machine
from avickit.beat import LOAD, STORE, Beats, World, area_of, drive, perform
from avickit.lab.handles import VcpuHandle
from avickit.lab.scenario import load
from avickit.lab.scripts import run_program
from avickit.silicon.guest import Insn, write


class Core:
    """One core's beats, with a store buffer or without; it can be stopped after a load of a rule."""

    def __init__(self, w: World, beats: Beats[Any], *, tso: bool) -> None:
        self.w, self.beats, self.tso = w, beats, tso
        self.buffer: list[Any] = []
        self.answer: Any = None

    def go(self, until: Callable[[Any], bool] = lambda ask: False) -> None:
        """To its end, then everything is drained; or just past the first load that fits."""
        try:
            while True:
                ask = self.beats.send(self.answer)
                self.answer = self.do(ask)
                if ask[3] is LOAD and until(ask):
                    return
        except StopIteration:
            self.drain()

    def do(self, ask: Any) -> Any:
        """One ask: a store to a shared place waits, a load sees one's own stores, the rest drains."""
        _, place, _, do = ask
        area = area_of(self.w, place)
        if do is STORE and self.tso and not (area and area.private):
            self.buffer.append(ask)
            return None
        if do is LOAD:
            mine = [stored[2] for stored in self.buffer if stored[1] == place]
            return mine[-1] if mine else perform(self.w, ask)
        if do is not STORE:
            self.drain()
        return perform(self.w, ask)

    def drain(self) -> None:
        """What waits becomes visible, in its order."""
        while self.buffer:
            perform(self.w, self.buffer.pop(0))


def after_setup(name: str, defects: tuple[str, ...]) -> tuple[Machine, VcpuHandle, VcpuHandle]:
    """The scenario's machine before its race, and its two vCPUs."""
    result = replace(load(name), race={}, expect={}, open_at={}).run(defects=defects)
    assert result.ok
    return result.machine, result["v0"], result["v1"]


def lost(name: str, defects: tuple[str, ...], *, tso: bool, sender_first: bool) -> bool:
    """Sender and sleeper in one order: the first stops past its look at the other's word, the second goes through."""
    m, a, b = after_setup(name, defects)
    w, cores = m.world, m.world.objects["cores"]
    sender = run_program(w, cores[0], a.vcpu.guest, m.instruction(write("ICRL", 0x41)))
    sleeper = run_program(w, cores[1], b.vcpu.guest, m.instruction(Insn("hlt")))
    order = [Core(w, sender, tso=tso), Core(w, sleeper, tso=tso)]
    rule = "H-IPI-5"
    if not sender_first:
        order.reverse()
        rule = "X0-6"
    order[0].go(lambda ask: ask[0].rule == rule and ask[0].kind.name in ("CHECK", "READ") and "reads" in ask[0].say)
    order[1].go()
    order[0].go()
    for _, beats in m.engine.settle():
        drive(w, beats)
    return b.lost_wakeup


CASES = [
    ("museum-x03", (), False, False),
    ("museum-x03", ("X03",), False, True),
    ("museum-k01", (), True, False),
    ("museum-k01", ("K01",), True, True),
    ("museum-k01", ("K01", "K01-shadow"), True, False),
]


@pytest.mark.parametrize(("name", "defects", "sender_first", "is_lost"), CASES)
def test_with_store_buffers(name: str, defects: tuple[str, ...], sender_first: bool, is_lost: bool) -> None:
    assert lost(name, defects, tso=True, sender_first=sender_first) is is_lost


@pytest.mark.parametrize(("name", "defects", "sender_first", "_"), CASES)
def test_without_them_the_same_order_loses_nothing(
    name: str, defects: tuple[str, ...], sender_first: bool, _: bool
) -> None:
    assert not lost(name, defects, tso=False, sender_first=sender_first)

"""Answers to the exercises of notebook 06, as functions of the input."""

from avickit.lessons import e06_scheduling as e06
from tests.lessons.answers import Right, Wrong

RUNNING = 1 << 62


def loaded(entry: int, core: int) -> int:
    return entry >> 12 << 12 | core | RUNNING


def day(events: tuple[e06.Event, ...]) -> tuple[int, int]:
    running, host = 0, 0
    for event, core in events:
        if event == "run":
            running, host = 1, core
        elif event in ("hlt", "other"):
            running = 0
    return running, host


def idle_clears(events: tuple[e06.Event, ...]) -> tuple[int, int]:
    running, host = day(events)
    return (0 if events[-1][0] == "idle" else running), host


def wake_sets(events: tuple[e06.Event, ...]) -> tuple[int, int]:
    running, host = day(events)
    return (1 if events[-1][0] == "wake" else running), host


def became(state: str, core: int, entry: int) -> str:
    if not entry >> 62 & 1:
        return "exit"
    if state == "sleeps":
        return "lost"
    return "in time" if entry & 0xFFF == core else "late"


RIGHT: list[Right] = [(e06.LOAD, loaded), (e06.DAY, day), (e06.WRONG, became)]
WRONG: list[Wrong] = [
    (e06.LOAD, lambda entry, core: entry | core | RUNNING, "(HOST_APIC_ID)"),
    (e06.LOAD, lambda entry, core: entry & ~0xFF | core | RUNNING, "bit 8 (HOST_APIC_ID)"),
    (e06.LOAD, lambda entry, core: entry >> 12 << 12 | core, "bit 62 (IS_RUNNING)"),
    (e06.LOAD, lambda entry, core: loaded(entry, core) ^ 1 << 63, "bit 63 (VALID)"),
    (e06.LOAD, lambda entry, core: "running", "no value of PhysicalEntry"),
    (e06.DAY, idle_clears, "bit 62 (IS_RUNNING)"),
    (e06.DAY, wake_sets, "bit 62 (IS_RUNNING)"),
    (e06.DAY, lambda events: (day(events)[0], 0), "(HOST_APIC_ID)"),
    (e06.DAY, lambda events: day(events)[0], "is not (IsRunning, core)"),
    (
        e06.WRONG,
        lambda state, core, entry: "lost" if state == "sleeps" else became(state, core, entry),
        "but IS_RUNNING",
    ),
    (e06.WRONG, lambda state, core, entry: "exit" if not entry >> 62 & 1 else "in time", "the target runs"),
    (e06.WRONG, lambda state, core, entry: "lost" if became(state, core, entry) == "late" else "exit", "HOST_APIC_ID"),
    (e06.WRONG, lambda state, core, entry: "never", "not one of"),
]

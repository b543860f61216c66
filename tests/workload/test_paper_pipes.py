"""Pipes, on paper: runs so small that they can be worked out from what is known of pipes. (workload facts)

Each number here is the paper's, none an engine's.
"""

from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain
from avickit.workload.result import digest
from tests.workload.paper import FREE, Place, Run, told


def test_a_pipe_holds_16_pages_of_40(run: Run) -> None:
    """640 are written, then the writer waits; the reader empties all and waits; 360 more. Nobody preempts."""
    found = run([0, 0], loops=1000, write=100, read=10, block_task=3, switch=1000, wakeup=7)
    told(
        found, events=4 + 2000 + 2, written=1000, received=1000, pages_drained=16 + 9, switches=4,
        writer_blocks=1, reader_blocks=1, wakeups_local=2,
    )  # fmt: skip
    assert found.cycles == 1000 * 110 + 4 * 1000 + 2 * 3 + 2 * 7
    used = [1000 * 100 + 3 + 7, 1000 * 10 + 3 + 7]
    assert found.digest == digest(used, [found.cycles - 1000 - 360 * 10, found.cycles])


def test_640_fit_and_one_more_does_not(run: Run) -> None:
    told(run([0, 0], loops=640, write=1, read=1), pages_drained=16, switches=2)
    told(run([0, 0], loops=641, write=1, read=1), writer_blocks=1, wakeups_local=2, reader_blocks=1, pages_drained=17)


def test_a_slot_is_free_when_its_page_has_been_read_to_the_end(place: Place) -> None:
    """The waiting writer wakes with the fortieth message read, not with the first."""
    place([0, 0], [0, 0])
    machine = Plain(Parameters(**FREE | {"loops": 1000, "write": 1, "read": 1}))
    at = next(machine.n["received"] for _ in machine.steps(every=1) if machine.n["wakeups_local"])
    assert at == 40


def test_all_who_wait_for_a_page_wake(place: Place) -> None:
    """Sender 0 fills all three pipes and ends; 1 and 2 wait at the first; its reader's second message wakes both."""
    place([0] * 6, [0] * 6)
    machine = Plain(Parameters(**FREE | {"loops": 2, "fds": 3, "pages": 1, "records": 2, "write": 1, "read": 1}))
    for _ in machine.steps(every=1):
        if machine.n["pages_drained"]:
            break
    assert (machine.n["written"], machine.n["received"]) == (6, 2)
    assert machine.n["writer_blocks"] == machine.n["wakeups_local"] == 2
    assert [task.number for _, _, task in sorted(machine.vcpus[0].queue)] == [1, 2, 4, 5]


def test_a_page_that_is_read_to_its_end_half_full_is_free_as_a_whole(place: Place) -> None:
    """Two messages, both read: as many as ever fit then, and the next writer waits."""
    place([0, 0], [0, 0])
    machine = Plain(Parameters(**FREE | {"loops": 1000, "pages": 2, "records": 4, "write": 1, "read": 1}))
    [v], [writer, reader] = machine.vcpus, machine.tasks
    for step in (machine.send, machine.send, machine.receive, machine.receive):
        step(v, writer if step == machine.send else reader)
    while not machine.n["writer_blocks"]:
        machine.send(v, writer)
    assert machine.n["written"] == 2 + 2 * 4

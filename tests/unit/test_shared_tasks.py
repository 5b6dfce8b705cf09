"""The tasks that agents share: what may be changed, what is refused, and that nobody's change is lost."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.bus.bus import Bus, Publisher
from core.engine.wiring import build_engine
from core.host.files import file_lock
from core.host.watch import watch_files
from core.protocol.events import SharedTasksChanged
from core.protocol.views import SharedTask
from core.settings.schema import Settings
from core.tools import shared_task_store
from core.tools.builtin.task_create.tool import TaskCreate
from core.tools.builtin.task_get.tool import TaskGet
from core.tools.builtin.task_list.tool import TaskList
from core.tools.builtin.task_update.tool import TaskUpdate
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shared_tasks import (
    SharedTasks,
    TaskChange,
    TaskListError,
    create,
    delete,
    tasks_from_json,
    tasks_to_json,
    update,
)
from tests.fakes.clock import FakeClock
from tests.fakes.engines import fake_host, make_launch
from tests.fakes.tools import PATIENCE_S, Bench, make_bench
from tui.plain.panels import PlainTodos
from tui.plain.paper import Paper

ROOT = Path(__file__).parent.parent.parent
IDS = [str(number) for number in range(1, 6)]
STATES = st.sampled_from(["pending", "in_progress", "completed", None])
some_ids = st.lists(st.sampled_from(IDS), max_size=2).map(tuple)
changes = st.builds(
    TaskChange,
    status=STATES,
    owner=st.sampled_from([None, "", "ann", "bob"]),
    subject=st.sampled_from([None, "other words"]),
    metadata=st.sampled_from([{}, {"k": 1}, {"k": None}]),
    add_blocks=some_ids,
    add_blocked_by=some_ids,
)
Step = tuple[str, str, TaskChange]
steps = st.lists(st.tuples(st.sampled_from(["create", "update", "delete"]), st.sampled_from(IDS), changes), max_size=25)


def apply(tasks: SharedTasks, step: Step) -> SharedTasks:
    what, task_id, change = step
    if what == "create":
        return create(tasks, "do it", change)
    return update(tasks, task_id, change) if what == "update" else delete(tasks, task_id)


def assert_sound(tasks: SharedTasks) -> None:
    """Ids are unique, ``blocks`` mirrors ``blocked_by``, all edges lead somewhere, and there is no circle."""
    waits = {task.id: task.blocked_by for task in tasks.tasks}
    assert len(waits) == len(tasks.tasks)
    for task_id, blockers in waits.items():
        assert len(set(blockers)) == len(blockers)
        assert all(blocker in waits and task_id in tasks.blocked_by(blocker) for blocker in blockers)
        assert all(task_id in waits[waiting] for waiting in tasks.blocked_by(task_id))
    free = {task_id for task_id, blockers in waits.items() if not blockers}
    while more := {task_id for task_id, blockers in waits.items() if task_id not in free and free >= set(blockers)}:
        free |= more
    assert free == set(waits), "something waits for itself"


@given(steps)
def test_whatever_is_done_the_list_stays_sound_and_survives_its_file(wanted: list[Step]) -> None:
    tasks, given_ids = SharedTasks(), set[str]()
    for step in wanted:
        before = tasks
        try:
            tasks = apply(tasks, step)
        except TaskListError as error:
            assert error.user_message and tasks is before
            continue
        assert_sound(tasks)
        new = {task.id for task in tasks.tasks} - {task.id for task in before.tasks}
        assert not new & given_ids, "a number is given once"
        given_ids |= new
        begun = [task for task in tasks.tasks if task.id == step[1]] if step[2].status == "in_progress" else []
        if step[0] == "update":
            assert not any(tasks.open_blockers(task) for task in begun)
    assert tasks_from_json(json.loads(json.dumps(tasks_to_json(tasks)))) == tasks


@pytest.mark.usefixtures("isolated_machine")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(IDS), changes), min_size=1, max_size=12))
def test_two_stores_on_one_file_lose_nothing(tmp_path_factory: Any, wanted: list[tuple[int, str, TaskChange]]) -> None:
    path = tmp_path_factory.mktemp("tasks") / "list.json"
    stores = [SharedTaskStore(path, Publisher(Bus("s", FakeClock()))) for _ in range(2)]

    async def one(store: SharedTaskStore, number: int, task_id: str, change: TaskChange) -> bool:
        await store.change(lambda tasks: create(tasks, f"task {number}", TaskChange(metadata={"number": number})))
        try:
            await store.change(lambda tasks: update(tasks, task_id, change))
        except TaskListError:
            return False
        return True

    async def everything() -> None:
        await asyncio.gather(*(one(stores[who], n, task, change) for n, (who, task, change) in enumerate(wanted)))

    asyncio.run(everything())
    final = tasks_from_json(json.loads(path.read_text()))
    assert_sound(final)
    assert sorted(task.metadata["number"] for task in final.tasks) == list(range(len(wanted)))
    for store in stores:
        store.load()
        assert store.tasks == final


WRITER = """
import asyncio, sys
from pathlib import Path
from core.bus.bus import Bus, Publisher
from core.host.clock import SystemClock
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shared_tasks import TaskChange, create, update
async def main():
    store = SharedTaskStore(Path(sys.argv[1]), Publisher(Bus("s", SystemClock())))
    for number in range(20):
        after = await store.change(lambda tasks: create(tasks, f"{sys.argv[2]} {number}", TaskChange()))
        task = after.tasks[-1].id
        await store.change(lambda tasks: update(tasks, task, TaskChange(status="completed", owner=sys.argv[2])))
asyncio.run(main())
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=ROOT) for name in ("ann", "bob")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    tasks = tasks_from_json(json.loads(path.read_text()))
    assert sorted(task.subject for task in tasks.tasks) == sorted(
        f"{who} {n}" for who in ("ann", "bob") for n in range(20)
    )
    assert all(task.status == "completed" and task.subject.startswith(task.owner) for task in tasks.tasks)
    assert [task.id for task in tasks.tasks] == [str(number) for number in range(1, 41)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


async def fill(bench: Bench, *subjects: str) -> None:
    for subject in subjects:
        await bench.run(TaskCreate(), subject=subject, description=f"all about {subject}")


async def test_a_list_from_its_first_task_to_its_last(bench: Bench) -> None:
    said = await bench.text(TaskCreate(), subject="Design", description="Think.", activeForm="Designing")
    assert said == "Task 1 is on the list: Design"
    await fill(bench, "Build", "Test")
    await bench.text(TaskUpdate(), taskId="2", addBlockedBy=["1"], addBlocks=["3"])
    await bench.text(TaskUpdate(), taskId="1", status="in_progress", owner="ann", metadata={"branch": "x"})
    assert await bench.text(TaskList()) == (
        "1 [in_progress] Design (ann)\n2 [pending] Build — waits for 1\n3 [pending] Test — waits for 2"
    )
    assert await bench.text(TaskGet(), taskId="1") == (
        'Task 1: Design\nstatus: in_progress\nowner: ann\nactiveForm: Designing\nblocks: 2\nmetadata: {"branch": "x"}\n'
        "\nThink."
    )
    shown = await bench.text(TaskGet(), taskId="2")
    assert "blockedBy: 1\nstill open of these: 1\nblocks: 3\n" in shown
    said = await bench.text(TaskUpdate(), taskId="1", status="completed")
    assert said == "Task 1 is now: completed; by ann; may begin now: 2"
    assert await bench.text(TaskUpdate(), taskId="2", status="deleted") == "Task 2 is deleted."
    assert await bench.text(TaskList()) == "1 [completed] Design (ann)\n3 [pending] Test"
    await fill(bench, "Again")
    assert [task.id for task in bench.services.tasks.tasks.tasks] == ["1", "3", "4"], "numbers are given once"
    assert bench.events(SharedTasksChanged)[-1].tasks == bench.services.tasks.tasks.tasks
    assert stat.S_IMODE(bench.services.tasks.path.stat().st_mode) == 0o600


async def test_an_empty_list_says_so(bench: Bench) -> None:
    assert await bench.text(TaskList()) == "The task list is empty."
    with pytest.raises(TaskListError, match=r"no task '1'. The list is empty: make one with TaskCreate"):
        await bench.run(TaskGet(), taskId="1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"taskId": "9", "status": "completed"}, "There is no task '9'. There are: 1, 2, 3."),
        ({"taskId": "9", "status": "deleted"}, "There is no task '9'."),
        ({"taskId": "1", "addBlocks": ["7"]}, "There is no task '7'."),
        ({"taskId": "1", "addBlockedBy": ["1"]}, "Task 1 cannot wait for 1"),
        ({"taskId": "1", "addBlockedBy": ["3"]}, "would never be done"),
        ({"taskId": "3", "addBlocks": ["1"]}, "3 waits for 2 waits for 1 waits for 3 would never be done"),
        ({"taskId": "2", "status": "in_progress"}, "Task 2 cannot be begun: it waits for 1."),
        ({"taskId": "1", "status": "in_progress", "owner": "bob"}, "Task 1 is being done by ann."),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    bench: Bench, arguments: dict[str, Any], said: str
) -> None:
    await fill(bench, "a", "b", "c")
    await bench.run(TaskUpdate(), taskId="2", addBlockedBy=["1"], addBlocks=["3"])
    await bench.run(TaskUpdate(), taskId="1", status="in_progress", owner="ann")
    before = bench.services.tasks.path.read_bytes()
    with pytest.raises(TaskListError) as refused:
        await bench.run(TaskUpdate(), subject="changed", **arguments)
    assert said in str(refused.value)
    assert bench.services.tasks.path.read_bytes() == before


async def test_a_task_is_handed_over_by_its_owner_alone(bench: Bench) -> None:
    await fill(bench, "a")
    await bench.run(TaskUpdate(), taskId="1", status="in_progress", owner="ann")
    await bench.run(TaskUpdate(), taskId="1", owner="bob")
    assert await bench.text(TaskUpdate(), taskId="1", status="in_progress", owner="bob")
    assert "Nothing to change" in await bench.refusal(TaskUpdate(), taskId="1")


@pytest.mark.parametrize("data", ["", "{", "[]", "5", '{"tasks": [{}], "next": 1}', "[" * 100_000, '{"tasks": 5}'])
async def test_a_bad_file_is_left_alone_and_told(bench: Bench, data: str) -> None:
    await fill(bench, "a")
    store = bench.services.tasks
    store.path.write_text(data)
    store.load()
    assert [task.subject for task in store.tasks.tasks] == ["a"]
    with pytest.raises(TaskListError, match="is not a task list"):
        await bench.run(TaskCreate(), subject="b", description="")
    assert store.path.read_text() == data


def test_a_list_written_by_hand_is_set_right_or_refused() -> None:
    def one(task_id: str, *blocked_by: str) -> dict[str, Any]:
        return {"id": task_id, "subject": "x", "blocked_by": blocked_by}

    tasks = tasks_from_json({"next": 1, "tasks": [one("4", "gone", "5"), one("5")]})
    assert tasks.tasks[0].blocked_by == ("5",) and tasks.next_id == 6
    for bad in ([one("1", "1")], [one("1", "2"), one("2", "1")], [one("1"), one("1")], [{**one("1"), "status": "x"}]):
        with pytest.raises(ValueError, match=r"would never be done|twice"):
            tasks_from_json({"next": 1, "tasks": bad})


async def test_a_lock_that_is_never_given_back_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_task_store, "LOCK_WAIT_S", 0.05)
    path = bench.services.tasks.path
    with file_lock(path.with_suffix(".lock"), 1), pytest.raises(TaskListError, match="locked by another program"):
        await bench.run(TaskCreate(), subject="b", description="")
    await fill(bench, "afterwards")


async def test_a_change_that_is_interrupted_is_told_as_what_it_was(bench: Bench) -> None:
    with file_lock(bench.services.tasks.path.with_suffix(".lock"), 1):
        change = asyncio.create_task(bench.text(TaskCreate(), subject="b", description=""))
        await asyncio.sleep(0)
        change.cancel()
        await asyncio.sleep(0)
        assert not change.done()
    assert await change == "Task 1 is on the list: b"
    assert await bench.text(TaskList()) == "1 [pending] b"


def test_without_a_screen_each_task_that_changed_is_a_line() -> None:
    out = io.StringIO()
    todos = PlainTodos(Paper(out))
    one, two = SharedTask(id="1", subject="a\x1b[2J", owner="ann"), SharedTask(id="2", subject="b")
    todos.show_shared((one, two))
    todos.show_shared((one, replace(two, status="completed")))
    todos.show_shared(())
    assert out.getvalue() == (
        "Shared tasks, 0 of 2 done:\n  1 open, ann: a\n  2 open: b\nShared tasks, 1 of 2 done:\n  2 done: b\n"
    )


async def test_a_disk_that_fails_is_told_and_the_old_list_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(bench, "a")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TaskListError, match="No space left"):
            await bench.run(TaskCreate(), subject="b", description="")
    assert await bench.text(TaskList()) == "1 [pending] a"


async def test_the_watcher_shows_a_change_from_outside(bench: Bench) -> None:
    store = bench.services.tasks
    watching = asyncio.create_task(watch_files({store.path: store.load, bench.services.todos.path: lambda: None}))
    other = SharedTaskStore(store.path, Publisher(Bus("other", FakeClock())))
    async with asyncio.timeout(PATIENCE_S):
        while not bench.events(SharedTasksChanged):
            # The watcher starts in its own time, so the change is repeated until it is seen.
            await other.change(lambda tasks: create(tasks, "from outside", TaskChange()))
            reading = asyncio.create_task(bench.subscription.read())
            done, _ = await asyncio.wait({reading}, timeout=0.3)
            if done:
                assert all(isinstance(envelope.event, SharedTasksChanged) for envelope in reading.result() or [])
                break
            reading.cancel()
    watching.cancel()
    await watching
    assert store.tasks.tasks[0] == SharedTask(id="1", subject="from outside")


def test_sessions_that_name_one_list_share_its_file(tmp_path: Path) -> None:
    launch = make_launch(tmp_path, tmp_path / "home", is_demo=True)
    own = build_engine(Settings(), launch, host=fake_host())
    assert own.calls.services.tasks.path.stem == own.session_id
    shared = build_engine(Settings(), launch, host=fake_host({"CLAUDE_CODE_TASK_LIST_ID": "../team a"}))
    assert shared.calls.services.tasks.path == launch.paths.data / "tasks" / "-team-a.json"

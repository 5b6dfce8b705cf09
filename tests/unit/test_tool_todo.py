"""TodoWrite and the list's file: what is refused, what survives, and edits from outside."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.engine.wiring import build_engine
from core.host.watch import watch_files
from core.protocol.events import Notice, TodosChanged
from core.protocol.views import TodoItem
from core.settings.schema import Settings
from core.tools.builtin.todo_write.tool import TodoWrite
from core.tools.todo_store import TodoStore
from tests.fakes.engines import fake_host, make_launch
from tests.fakes.tools import PATIENCE_S, Bench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def todo(number: int, status: str = "pending", **more: str) -> dict[str, str]:
    return {"id": str(number), "content": f"do {number}", "status": status, **more}


async def write(bench: Bench, *todos: dict[str, str]) -> str:
    return await bench.text(TodoWrite(), todos=list(todos))


async def test_the_list_is_saved_shown_and_counted(bench: Bench) -> None:
    said = await write(bench, todo(1, "completed"), todo(2, "in_progress", activeForm="Doing 2", priority="high"))
    assert said == "The list is saved: 1 of 2 done."
    items = (
        TodoItem(id="1", content="do 1", status="completed"),
        TodoItem(id="2", content="do 2", active_form="Doing 2", status="in_progress", priority="high"),
    )
    assert bench.services.todos.items == items
    assert bench.events(TodosChanged)[-1].items == items
    path = bench.services.todos.path
    assert [item["content"] for item in json.loads(path.read_text())] == ["do 1", "do 2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_changed_is_told_to_the_window(bench: Bench) -> None:
    await write(bench, todo(1), todo(2))
    result = await bench.run(TodoWrite(), todos=[todo(1, "in_progress"), todo(2), todo(3)])
    assert result.display.details == {"changed": ["1", "3"]}
    assert result.display.summary == "0/3 done"


@pytest.mark.parametrize(
    ("todos", "said"),
    [
        ([todo(1, "in_progress"), todo(2, "in_progress")], "Only one item may be in progress, these are 2: do 1; do 2"),
        ([todo(1), todo(2), todo(1)], "Ids must be unique; repeated: 1"),
    ],
)
async def test_a_list_that_breaks_the_rules_is_refused_whole(
    bench: Bench, todos: list[dict[str, str]], said: str
) -> None:
    await write(bench, todo(7))
    assert said in await bench.refusal(TodoWrite(), todos=todos)
    assert [item.id for item in bench.services.todos.items] == ["7"]
    assert len(bench.events(TodosChanged)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"status": "done"}, {"priority": "urgent"}, {"content": ""}, {"id": 1}, {"extra": "x"}, {"content": "\ud800"}],
)
async def test_input_of_the_wrong_shape_is_refused(bench: Bench, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        await bench.run(TodoWrite(), todos=[{**todo(1), **wrong}])


def test_the_file_is_named_by_session_and_agent(tmp_path: Path) -> None:
    engine = build_engine(Settings(), make_launch(tmp_path, tmp_path / "home", is_demo=True), host=fake_host())
    path = engine.calls.services.todos.path
    assert path.name == f"{engine.session_id}-agent-main.json"


async def test_a_saved_list_comes_back(bench: Bench) -> None:
    await write(bench, todo(1, "completed"), todo(2))
    again = make_bench(bench.root.parent)
    again.services.todos.load()
    assert again.services.todos.items == bench.services.todos.items
    assert again.events(TodosChanged)[-1].items == bench.services.todos.items


def outside(store: TodoStore, data: object) -> None:
    store.path.parent.mkdir(parents=True, exist_ok=True)
    store.path.write_text(data if isinstance(data, str) else json.dumps(data))


async def test_an_edit_from_outside_is_taken_once(bench: Bench) -> None:
    store = bench.services.todos
    await write(bench, todo(1))
    store.load()
    assert len(bench.events(TodosChanged)) == 1, "its own writing is no edit from outside"
    outside(store, [{"id": "1", "content": "edited", "status": "completed", "unknown": 1}])
    store.load()
    store.load()
    assert [item.content for item in store.items] == ["edited"]
    assert len(bench.events(TodosChanged)) == 2


@pytest.mark.parametrize(
    "data",
    [
        "", "{", "\0", "null", "5", '"x"', {"id": "1", "content": "x"}, [1], ["x"], [{}], [{"id": "1"}],
        [{"id": 1, "content": "x"}], [{"id": "1", "content": "x", "status": "bogus"}],
        [{"id": "1", "content": "x", "priority": ["high"]}], "[" * 100_000,
    ],
    ids=repr,
)  # fmt: skip
async def test_a_bad_file_is_left_alone(bench: Bench, data: object) -> None:
    store = bench.services.todos
    await write(bench, todo(1))
    outside(store, data)
    before = store.path.read_bytes()
    store.load()
    assert [item.id for item in store.items] == ["1"]
    assert store.path.read_bytes() == before
    assert len(bench.events(TodosChanged)) == 1


async def test_a_missing_file_changes_nothing(bench: Bench) -> None:
    bench.services.todos.load()
    assert bench.services.todos.items == ()
    assert bench.events(TodosChanged) == []


async def test_a_disk_that_fails_costs_the_file_not_the_list(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(bench, todo(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _no_space)
        await write(bench, todo(2))
    assert "No space left" in bench.events(Notice)[-1].text
    bench.services.todos.load()
    assert [item.id for item in bench.services.todos.items] == ["2"], "the old file must not come back"
    await write(bench, todo(3))
    assert json.loads(bench.services.todos.path.read_text())[0]["id"] == "3"


def _no_space(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
async def watched(bench: Bench) -> AsyncIterator[Bench]:
    watching = asyncio.create_task(watch_files({bench.services.todos.path: bench.services.todos.load}))
    yield bench
    watching.cancel()
    await watching


async def test_the_watcher_shows_an_edit_from_outside(watched: Bench) -> None:
    """The watcher starts in its own time, so the edit is repeated until it is seen."""
    store = watched.services.todos
    async with asyncio.timeout(PATIENCE_S):
        for number in range(1_000_000):
            outside(store, [{"id": "1", "content": f"edit {number}"}])
            if await _is_seen(watched):
                break
    assert store.items[0].content.startswith("edit ")


async def _is_seen(bench: Bench) -> bool:
    reading = asyncio.create_task(bench.subscription.read())
    done, _ = await asyncio.wait({reading}, timeout=0.3)
    reading.cancel()
    return bool(done)

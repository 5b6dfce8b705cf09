"""A small window that overflows many times, over the real SDK and the strict server, on models of three kinds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from core.protocol import events as ev
from core.protocol.ops import Compact, UndoCompaction
from core.protocol.views import TodoItem
from core.settings.schema import Settings
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, http, say, text, thinking, tool_use
from tests.fakes.engines import Rig
from tests.provider.test_engine_over_http import connected

BOUND, UNBOUND, PLAIN = "claude-opus-5-5", "claude-haiku-4-5", "plain-1"
SMALL = Settings(context_window=60_000)
ASKED = "takes the place of everything above"
SUMMARY = "## Intent\nRead all files.\n## Standing instructions\n- do not push\n## Next step\nRead on."


def flat(body: Json) -> str:
    """All text of a request's messages."""

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, dict):
            block = cast("Json", value)
            return [piece for key in ("text", "content") for piece in texts(block.get(key, ""))]
        return [piece for item in value for piece in texts(item)]

    return "\n".join(piece for message in body["messages"] for piece in texts(message["content"]))


def is_summary_request(body: Json) -> bool:
    return ASKED in flat({"messages": body["messages"][-1:]})


def make_files(folder: Path, big: int = 30_000) -> None:
    for number in range(12):
        (folder / f"small{number}.txt").write_text(f"Line of file {number}, nothing to see.\n" * 45)
        (folder / f"big{number}.txt").write_text(
            f"Line of big file {number} with some more words in it.\n" * (big // 50)
        )


class Work:
    """A model that reads: rounds of many small files, then of big ones; then it says that it is done."""

    def __init__(self, rounds: int, thinks: bool, summary: Reply | None = None) -> None:
        self.rounds = rounds
        self.thinks = thinks
        self.summary = summary or say(SUMMARY)
        self.count = 0
        self.summaries: list[Json] = []
        self.words = "I think about what I have read. " * 60
        """Said in each round: no microcompaction takes that back."""

    def __call__(self, body: Json) -> Reply:
        if is_summary_request(body):
            self.summaries.append(body)
            return self.summary
        first = [thinking(f"Thought {self.count}.")] if self.thinks else []
        self.count += 1
        if self.count > self.rounds:
            return Reply([*first, text("All is read.")])
        if self.count % 12 < 6:
            calls = [tool_use("Read", {"file_path": f"small{number}.txt"}) for number in range(10)]
        else:
            calls = [tool_use("Read", {"file_path": f"big{self.count % 12}.txt"})]
        return Reply([*first, text(f"Round {self.count}. {self.words}"), *calls])


def thinks(model: str) -> bool:
    return model != PLAIN


def settings(model: str, **changes: Any) -> Settings:
    return replace(SMALL, model=model, **changes)


def assert_well(server: Any) -> None:
    assert [rejection.message for rejection in server.rejections] == []


@pytest.mark.parametrize("model", [BOUND, UNBOUND, PLAIN])
async def test_a_window_that_overflows_many_times(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    make_files(tmp_path)
    work = Work(48, thinks(model))
    async with connected(work, tmp_path, isolated_machine, settings=settings(model), window=60_000) as (server, rig):
        services = rig.engine.calls.services
        services.todos.replace((TodoItem(id="1", content="Read everything", status="in_progress"),))
        services.plan_file.parent.mkdir(parents=True, exist_ok=True)
        services.plan_file.write_text("First read, then think.\n")
        await rig.prompt("Read it all, use pnpm and do not push.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert_well(server)
        cleared = [event for event in rig.of(ev.ResultsCleared) if event.reason == "pressure"]
        finished = rig.of(ev.CompactionFinished)
        print(model, "cleared", len(cleared), "compacted", len(finished), "requests", len(server.requests))
        assert cleared and all(event.saved_tokens >= 8_000 for event in cleared)
        assert len(finished) >= 3
        assert all(event.after < event.before for event in finished)
        last = flat(server.requests[-1].body)
        assert "Read it all, use pnpm and do not push." in last
        assert SUMMARY in last
        assert "[in_progress] Read everything" in last and "First read, then think." in last
        assert re.search(r"Line of big file \d+ with some more words", last)
        for event in cleared:
            assert all(Path(path).is_file() for path in event.paths)
    await assert_resumes_alike(rig, tmp_path, isolated_machine, model)


async def assert_resumes_alike(rig: Rig, cwd: Path, home: Path, model: str) -> None:
    """What the transcript gives back is what the model was reading."""
    before, known = rig.engine.session.conversation.messages, rig.engine.session.conversation.known_tokens
    work = Work(0, thinks(model))
    resume = rig.engine.session_id
    async with connected(work, cwd, home, settings=settings(model), window=60_000, resume=resume) as (server, again):
        conversation = again.engine.session.conversation
        assert [(m.role, m.content) for m in conversation.messages] == [(m.role, m.content) for m in before]
        assert conversation.known_tokens == known
        await again.settle()
        kinds = (ev.CompactionFinished, ev.ResultsCleared, ev.PromptSubmitted)
        assert [event for event in again.events if isinstance(event, kinds)] == [
            event for event in rig.events if isinstance(event, kinds)
        ]
        results = [{event.tool_use_id: event.content for event in one.of(ev.ToolFinished)} for one in (rig, again)]
        assert results[0] == results[1]
        await again.prompt("And now?")
        assert again.of(ev.TurnEnded)[-1].reason == "completed", again.of(ev.TurnEnded)[-1].detail
        assert_well(server)


@pytest.mark.parametrize("model", [BOUND, UNBOUND, PLAIN])
@pytest.mark.parametrize(
    "failing",
    [Reply(fault=http(400, "invalid_request_error")), Reply([text(" ")]), Reply(fault=http(500, "api_error"))],
    ids=["refused", "empty", "broken"],
)
async def test_after_three_failures_the_breaker_is_open(
    tmp_path: Path, isolated_machine: Path, model: str, failing: Reply
) -> None:
    make_files(tmp_path)
    work = Work(9, thinks(model), failing)
    work.words *= 8
    async with connected(work, tmp_path, isolated_machine, settings=settings(model), window=60_000) as (server, rig):
        await rig.prompt("Read it all.")
        tries = sum(is_summary_request(entry.body) for entry in server.requests)
        failed = rig.of(ev.CompactionFailed)
        assert tries == 3
        assert [event.failures for event in failed] == [1, 2, 3]
        assert [event.breaker for event in failed] == ["closed", "closed", "open"]
        assert "/compact" in failed[-1].hint and "/handoff" in failed[-1].hint
        assert rig.of(ev.UsageUpdated)[-1].breaker == "open"
        assert rig.of(ev.CompactionFinished) == []
        assert rig.of(ev.TurnEnded)[-1].reason == "context_full"
        # It is not tried again on its own.
        await rig.prompt("Go on.")
        assert sum(is_summary_request(entry.body) for entry in server.requests) == 3
        work.summary = say(SUMMARY)
        await rig.do(Compact())
        await rig.settle()
        assert rig.of(ev.CompactionFinished)[-1].trigger == "manual"
        assert rig.of(ev.UsageUpdated)[-1].breaker == "closed"
        work.rounds = 0
        await rig.prompt("Go on.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert_well(server)


@pytest.mark.parametrize("model", [BOUND, UNBOUND, PLAIN])
async def test_an_undone_compaction_is_as_if_it_had_not_been(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    make_files(tmp_path, big=3_000)
    work = Work(3, thinks(model))
    async with connected(work, tmp_path, isolated_machine, settings=settings(model), window=60_000) as (server, rig):
        await rig.prompt("Read some.")
        conversation = rig.engine.session.conversation
        before = conversation.messages
        await rig.do(Compact(instructions="the files"))
        await rig.settle()
        assert "the files" in flat(work.summaries[-1])
        assert len(conversation.messages) < len(before)
        await rig.prompt("Between.")
        await rig.do(UndoCompaction())
        await rig.settle()
        assert conversation.messages[: len(before)] == before
        assert "Between." in [message.text for message in conversation.messages[len(before) :]]
        await rig.prompt("After.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert_well(server)
        await rig.do(UndoCompaction())
        await rig.settle()
        assert "no compaction to undo" in rig.of(ev.Notice)[-1].text


NOTED = """\
goal: read it all
instruction: "do not push"
file: big1.txt, lines of words
pending: read on
next: the next file"""


class NotedWork(Work):
    """The same, with a small model beside it that takes notes."""

    def __init__(self, rounds: int, thinks: bool) -> None:
        super().__init__(rounds, thinks)
        self.noted: list[Json] = []
        self.words = ""

    def __call__(self, body: Json) -> Reply:
        if body["model"] == SMALL.small_model:
            self.noted.append(body)
            return say(f"{NOTED} {len(self.noted)}")
        return super().__call__(body)


@pytest.mark.parametrize("model", [BOUND, UNBOUND, PLAIN])
async def test_notes_spare_the_summary(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    make_files(tmp_path)
    work = NotedWork(30, thinks(model))
    async with connected(
        work, tmp_path, isolated_machine, settings=settings(model), window=60_000, has_background=True
    ) as (server, rig):
        await rig.prompt("Read it all, use pnpm and do not push.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert_well(server)
        finished = rig.of(ev.CompactionFinished)
        print(model, [event.method for event in finished], "notes", len(work.noted))
        light = [event for event in finished if event.method == "session_memory"]
        assert light and all("do not push" in event.summary and "## Still to do" in event.summary for event in light)
        assert all(event.after < event.before for event in light)
        assert all(body["max_tokens"] <= 512 for body in work.noted)
        sources = {line.query_source for line in rig.of(ev.RequestStarted)}
        assert "session_memory" in sources
        notes = rig.engine.calls.services.output_dir.with_name("notes.json")
        assert "do not push" in notes.read_text()

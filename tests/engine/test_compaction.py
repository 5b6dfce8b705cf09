"""Compaction, undo, handoff and clearing in a whole engine on a scripted model."""

from __future__ import annotations

import asyncio
import base64
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.llm.client import ModelRequest, QuerySource
from core.llm.errors import ModelError
from core.llm.scripted import Reply, Script, call, say
from core.protocol import events as ev
from core.protocol.messages import ImageBlock
from core.protocol.ops import Compact, HandOff, Interrupt, ReportContext, SubmitPrompt, UndoCompaction
from core.protocol.usage import Usage
from core.protocol.views import ImageAttachment
from core.query.turn import Query
from core.settings.schema import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, running
from tests.fakes.media import png

SUMMARY = "## Intent\nTo read.\n## Next step\nGo on."


def text_of(request: ModelRequest) -> str:
    return json.dumps(request.messages, ensure_ascii=False)


def answering(reads: int = 0, summary: Reply | None = None) -> Script:
    """Reads ``a.txt`` so many times, then answers; a summary where one is asked for."""
    left = [reads]

    def script(request: ModelRequest) -> Reply:
        if request.query_source in ("compaction", "handoff"):
            return summary or Reply([say(SUMMARY)])
        if left[0] > 0:
            left[0] -= 1
            return Reply([say(f"Reading, {left[0]} left."), call("Read", f"read_{left[0]}", file_path="a.txt")])
        return Reply([say("Done.")])

    return script


def of_source(rig: Rig, source: str) -> list[ModelRequest]:
    return [request for request in rig.requests if request.query_source == source]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("A line of the file, and it is not short.\n" * 60)
    return tmp_path


async def test_the_summary_request_has_the_prefix_of_every_other(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(2), folder, isolated_machine) as rig:
        await rig.prompt("Read it. Never push.")
        await rig.do(Compact(instructions="keep the names"))
        await rig.settle()
        main, asked = of_source(rig, "main")[-1], of_source(rig, "compaction")[0]
        assert (asked.system, asked.tools, asked.thinking, asked.output_config) == (
            main.system,
            main.tools,
            main.thinking,
            main.output_config,
        )
        bare = [
            json.dumps(message).replace(', "cache_control": {"type": "ephemeral"}', "") for message in main.messages
        ]
        again = [
            json.dumps(message).replace(', "cache_control": {"type": "ephemeral"}', "") for message in asked.messages
        ]
        assert again[: len(bare)] == bare
        assert "keep the names" in again[-1]
        await rig.prompt("And now?")
        sent = text_of(rig.requests[-1])
        assert SUMMARY.splitlines()[1] in sent and "Never push." in sent
        (finished,) = rig.of(ev.CompactionFinished)
        assert (finished.method, finished.trigger) == ("full", "manual")
        assert finished.after < finished.before
        assert "1 of your messages" in finished.kept and "1 file" in finished.kept


async def test_every_message_of_the_user_is_carried_on_through_compactions(
    folder: Path, isolated_machine: Path
) -> None:
    prompts = [f"Prompt {number}: use pnpm, «not» npm & keep <tags>." for number in range(4)]
    async with running(answering(), folder, isolated_machine) as rig:
        for prompt in prompts:
            await rig.prompt(prompt)
            await rig.do(Compact())
            await rig.settle()
        await rig.prompt("last")
        sent = "\n".join(block["text"] for message in rig.requests[-1].messages for block in message["content"])
        places = [sent.index(prompt) for prompt in prompts]
        assert places == sorted(places)


async def test_an_interrupted_compaction_changes_nothing(folder: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()
    script = answering(2, Reply([say("## Intent"), say("more")], gates={1: gate}))
    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("Read it.")
        conversation = rig.engine.session.conversation
        before, known = conversation.messages, conversation.known_tokens
        await rig.do(Compact())
        await rig.event(ev.RequestStarted, lambda event: event.query_source == "compaction")
        await rig.do(Interrupt())
        await rig.settle()
        (failed,) = rig.of(ev.CompactionFailed)
        assert failed.is_interrupted and failed.failures == 0
        assert (conversation.messages, conversation.known_tokens) == (before, known)
        assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"
        gate.set()
        await rig.prompt("Still there?")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_a_command_that_comes_while_a_turn_runs_waits_for_its_end(folder: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        return Reply([say("One."), say("Two.")], gates={1: gate})

    async with running(script, folder, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.BlockFinished)
        await rig.do(Compact(instructions="names"))
        queued = await rig.event(ev.QueueChanged, lambda event: bool(event.items))
        assert queued.items[0].text == "/compact names"
        assert not rig.of(ev.CompactionStarted)
        gate.set()
        await rig.settle()
        assert rig.of(ev.CompactionFinished)


async def test_what_cannot_be_done_is_told(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(), folder, isolated_machine) as rig:
        for op, words in (
            (Compact(), "nothing to compact"),
            (UndoCompaction(), "no compaction"),
            (HandOff(), "nothing"),
        ):
            await rig.do(op)
            await rig.settle()
            assert words in rig.of(ev.Notice)[-1].text
        assert rig.requests == []


async def test_files_out_of_sight_must_be_read_again_before_they_are_changed(
    folder: Path, isolated_machine: Path
) -> None:
    for number in range(8):
        (folder / f"f{number}.txt").write_text(f"File {number}\n" * 3)
    state = {"step": 0}

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        state["step"] += 1
        if state["step"] == 1:
            return Reply([call("Read", f"r{number}", file_path=f"f{number}.txt") for number in range(8)])
        if state["step"] == 3:
            return Reply(
                [
                    call("Edit", "old", file_path="f0.txt", old_string="File 0\nFile 0\nFile 0", new_string="x"),
                    call("Edit", "new", file_path="f7.txt", old_string="File 7\nFile 7\nFile 7", new_string="x"),
                ]
            )
        return Reply([say("Done.")])

    async with running(script, folder, isolated_machine, settings=Settings(mode="acceptEdits")) as rig:
        await rig.prompt("Read them.")
        await rig.do(Compact())
        await rig.settle()
        sent_files = [
            path
            for path in range(8)
            if f"f{path}.txt, which you had read" in str(rig.engine.session.conversation.messages)
        ]
        assert sent_files == [3, 4, 5, 6, 7]
        await rig.prompt("Edit them.")
        results = {event.tool_use_id: event.is_error for event in rig.of(ev.ToolFinished)}
        assert results["old"] and not results["new"]


async def test_the_mode_is_told_again_after_a_compaction(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(), folder, isolated_machine, settings=Settings(mode="plan")) as rig:
        await rig.prompt("Plan it.")
        assert "Plan mode is on" in text_of(rig.requests[-1])
        await rig.do(Compact())
        await rig.settle()
        await rig.prompt("Go on.")
        assert text_of(rig.requests[-1]).count("Plan mode is on") == 1


async def test_old_results_go_when_the_cache_has_gone_cold(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(8), folder, isolated_machine) as rig:
        await rig.prompt("Read it.")
        clock = rig.host.clock
        assert isinstance(clock, FakeClock)
        clock.now += 299
        await rig.prompt("Warm.")
        assert not rig.of(ev.ResultsCleared)
        clock.now += 301
        await rig.prompt("Cold.")
        (cleared,) = rig.of(ev.ResultsCleared)
        assert cleared.reason == "cold"
        assert len(cleared.tool_use_ids) == 3, "the newest five stay"
        sent = text_of(rig.requests[-1])
        for tool_use_id, path in zip(cleared.tool_use_ids, cleared.paths, strict=True):
            original = next(event.content for event in rig.of(ev.ToolFinished) if event.tool_use_id == tool_use_id)
            assert Path(path).read_text() == original
            assert path in sent


def too_long(words: str = "prompt is too long: 5000 tokens > 4000 maximum", status: int = 400) -> Reply:
    return Reply(error=ModelError("too_long", words, status=status))


async def test_a_prompt_that_is_too_long_after_all_compacts_and_goes_on(folder: Path, isolated_machine: Path) -> None:
    refused = [True]

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        if "Second" in text_of(request) and refused.pop() if refused else False:
            return too_long("prompt is too long: 5000 tokens > 150000 maximum")
        return Reply([say("Fine.")])

    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("First " * 2_000)
        await rig.prompt("Second")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert [event.trigger for event in rig.of(ev.CompactionFinished)] == ["too_long"]
        assert rig.of(ev.UsageUpdated)[-1].context_window == 150_000
        last = rig.requests[-1].messages
        assert last[-1]["content"][-1]["text"] == "Second", "the prompt itself is no part of the summary"
        await rig.prompt("Third")
        assert rig.of(ev.UsageUpdated)[-1].context_window == 150_000


async def test_images_go_before_words(folder: Path, isolated_machine: Path) -> None:
    refused = [True]

    def script(request: ModelRequest) -> Reply:
        assert request.query_source == "main"
        if "Second" in text_of(request) and refused:
            refused.clear()
            return too_long("Request too large", 413)
        return Reply([say("Fine.")])

    image = ImageAttachment(
        name="a.png", media_type="image/png", data=base64.b64encode(png(20, 20)).decode(), width=20, height=20
    )
    async with running(script, folder, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="Look", images=(image,)))
        await rig.settle()
        await rig.prompt("Second")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert not rig.of(ev.CompactionStarted)
        (cleared,) = rig.of(ev.ResultsCleared)
        assert cleared.reason == "too_long"
        assert '"image"' not in text_of(rig.requests[-1]) and "left out to make room" in text_of(rig.requests[-1])
        messages = rig.engine.session.conversation.messages
        assert not any(isinstance(block, ImageBlock) for message in messages for block in message.content)


async def test_a_response_that_fills_the_window_is_gone_on_with(folder: Path, isolated_machine: Path) -> None:
    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        if SUMMARY.splitlines()[1] in text_of(request):
            return Reply([say("The rest.")])
        return Reply([say("The begin")], stop_reason="model_context_window_exceeded")

    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("Write a lot. " * 500)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert rig.of(ev.CompactionFinished)


def filling(tokens: int) -> Reply:
    return Reply([say("So.")], usage=Usage(input_tokens=tokens))


async def test_nothing_is_sent_into_a_full_window(folder: Path, isolated_machine: Path) -> None:
    """Without autocompact, beyond the blocking threshold: the prompt comes back, until the user has compacted."""

    def script(request: ModelRequest) -> Reply:
        return Reply([say(SUMMARY)]) if request.query_source == "compaction" else filling(37_500)

    settings = Settings(context_window=60_000, auto_compact=False)
    async with running(script, folder, isolated_machine, settings=settings) as rig:
        await rig.prompt("Fill it. " * 9_000)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        sent = len(rig.requests)
        await rig.prompt("One more.")
        end = rig.of(ev.TurnEnded)[-1]
        assert end.reason == "context_full" and "/compact" in end.detail and "↑" in end.detail
        await rig.do(ReportContext())
        price = (await rig.event(ev.ContextReported)).report.next_send
        assert price is not None and "taken back" not in price.why_cold, "nothing was sent that could be taken back"
        assert len(rig.requests) == sent
        assert "One more." not in str(rig.engine.session.conversation.messages)
        await rig.do(Compact())
        await rig.settle()
        assert rig.of(ev.CompactionFinished)
        assert rig.of(ev.UsageUpdated)[-1].warm_until is None
        await rig.prompt("One more.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_taken_up_behind_a_compaction_the_window_is_as_it_was_left(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(6), folder, isolated_machine) as rig:
        await rig.prompt("Read it. " * 900)
        await rig.do(Compact())
        await rig.settle()
        left = rig.of(ev.UsageUpdated)[-1]
        assert left.context_tokens == rig.of(ev.CompactionFinished)[-1].after
        await rig.do(Compact())
        await rig.settle()
        assert "nothing new to compact" in rig.of(ev.Notice)[-1].text
    async with running(answering(), folder, isolated_machine, resume="latest") as rig:
        found = await rig.event(ev.UsageUpdated)
        assert abs(found.context_tokens - left.context_tokens) <= left.context_tokens * 0.02
        assert found.warm_until is None
        await rig.do(ReportContext())
        report = (await rig.event(ev.ContextReported)).report
        assert report.warm_until is None and report.next_send is not None and not report.next_send.cached_tokens


@pytest.mark.parametrize(
    ("source", "compacts"), [("main", True), ("agent", True), ("compaction", False), ("session_memory", False)]
)
async def test_what_works_beside_never_begins_a_compaction(
    folder: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch, source: QuerySource, compacts: bool
) -> None:
    monkeypatch.setattr("core.engine.session.Query", partial(Query, source=source))

    def script(request: ModelRequest) -> Reply:
        return Reply([say(SUMMARY)]) if request.query_source == "compaction" else filling(30_000)

    settings = Settings(context_window=60_000)
    async with running(script, folder, isolated_machine, settings=settings) as rig:
        await rig.prompt("Fill it. " * 9_000)
        await rig.prompt("One more.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert bool(rig.of(ev.CompactionStarted)) == compacts


@pytest.mark.parametrize("fails", [False, True])
async def test_a_handoff_is_a_session_that_can_be_taken_up(folder: Path, isolated_machine: Path, fails: bool) -> None:
    error = Reply(error=ModelError("server", "Down", is_retryable=False))
    async with running(answering(summary=error if fails else None), folder, isolated_machine) as rig:
        await rig.prompt("Build it. Do not push.")
        await rig.do(HandOff(goal="ship it"))
        await rig.settle()
        (written,) = rig.of(ev.HandoffWritten)
        old = rig.engine.session_id
        transcript = rig.engine.session.conversation.transcript
        assert written.session_id in transcript.read_text()
        if not fails:
            assert "ship it" in text_of(of_source(rig, "handoff")[0])
    new: dict[str, Any] = {"resume": written.session_id}
    async with running(answering(), folder, isolated_machine, **new) as rig:
        await rig.settle()
        assert rig.of(ev.CompactionFinished)[0].summary == written.brief
        assert not rig.engine.session.conversation.can_undo
        await rig.do(ReportContext())
        report = (await rig.event(ev.ContextReported)).report
        assert "Summaries" in {part.name for part in report.parts} and report.next_send is None
        await rig.prompt("Go.")
        sent = text_of(rig.requests[-1])
        assert "Build it. Do not push." in sent and str(transcript) in sent
        assert old in transcript.with_name(f"{written.session_id}.jsonl").read_text()


async def test_the_words_of_the_session_before_a_handoff_are_carried_on(folder: Path, isolated_machine: Path) -> None:
    async with running(answering(), folder, isolated_machine) as rig:
        await rig.prompt("Use pnpm, never npm.")
        await rig.do(HandOff())
        await rig.settle()
        session_id = rig.of(ev.HandoffWritten)[0].session_id
    async with running(answering(), folder, isolated_machine, resume=session_id) as rig:
        await rig.prompt("Go.")
        await rig.do(Compact())
        await rig.settle()
        await rig.prompt("On.")
        sent = "\n".join(block["text"] for message in rig.requests[-1].messages for block in message["content"])
        assert 0 < sent.index("Use pnpm, never npm.") < sent.index("\nGo.\n")


async def test_a_summary_request_that_is_too_long_loses_its_oldest_three_times_at_most(
    folder: Path, isolated_machine: Path
) -> None:
    async with running(answering(summary=too_long("prompt is too long")), folder, isolated_machine) as rig:
        for number in range(12):
            await rig.prompt(f"Prompt {number}. " * 100)
        before = rig.engine.session.conversation.messages
        await rig.do(Compact())
        await rig.settle()
        sizes = [len(text_of(request)) for request in of_source(rig, "compaction")]
        assert len(sizes) == 1 + 3 and sizes == sorted(set(sizes), reverse=True)
        assert rig.engine.session.conversation.messages == before
        (failed,) = rig.of(ev.CompactionFailed)
        assert "too long" in failed.reason

"""Where a compaction could lose something, or be made in vain: in a whole engine on a scripted model."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.background.session_notes import MAX_CHARS, as_text, fitting
from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, Script, call, say
from core.protocol import events as ev
from core.protocol.messages import Message, TextBlock
from core.protocol.ops import Compact, HandOff, Op, SubmitPrompt
from core.protocol.usage import Usage
from core.protocol.views import ImageAttachment
from core.sessions.conversation import Conversation
from core.sessions.load import load_session
from core.settings.schema import Settings
from tests.engine.test_compaction import SUMMARY, answering, of_source, text_of, too_long
from tests.fakes.engines import Rig, running
from tests.fakes.media import png

SMALL = Settings(context_window=60_000)
TOO_LONG = "prompt is too long: 5000 tokens > 190000 maximum"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("A line of the file, and it is not short.\n" * 60)
    return tmp_path


def read(*ids: str, tokens: int) -> Reply:
    """Words and calls, of which the API counts so many tokens."""
    reads = (call("Read", one, file_path="a.txt") for one in ids)
    return Reply([say("word " * 1_500), *reads], usage=Usage(input_tokens=tokens))


def once(words: str, refusal: Reply, then: Callable[[ModelRequest], Reply]) -> Script:
    """Refuses the first request of the conversation in which the words stand; a summary where one is asked for."""
    refusals = [refusal]

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        if words in text_of(request) and refusals:
            return refusals.pop()
        return then(request)

    return script


def finished(rig: Rig) -> list[ev.RequestFinished]:
    return [event for event in rig.of(ev.RequestFinished) if event.query_source == "session_memory"]


def picture() -> ImageAttachment:
    data = base64.b64encode(png(900, 900)).decode()
    return ImageAttachment(name="a.png", media_type="image/png", data=data, width=900, height=900)


def fine(_request: ModelRequest) -> Reply:
    return Reply([say("Fine.")])


@pytest.mark.parametrize("op", [Compact(), HandOff(goal="ship it")], ids=["resumed", "handed-off"])
async def test_notes_of_a_session_taken_up_go_on_from_its_summary(folder: Path, isolated_machine: Path, op: Op) -> None:
    async with running(answering(), folder, isolated_machine) as rig:
        await rig.prompt("First. " * 500)
        await rig.do(op)
        await rig.settle()
        taken_up = rig.of(ev.HandoffWritten)[0].session_id if isinstance(op, HandOff) else rig.engine.session_id
    count = 0

    def script(request: ModelRequest) -> Reply:
        nonlocal count
        if request.query_source == "session_memory":
            return Reply([say("goal: what was said since")])
        assert request.query_source == "main"
        count += 1
        names = [f"r{count}_{number}" for number in range(3)] if count % 2 else []
        return read(*names, tokens=12_000 + 1_700 * count)

    new: dict[str, Any] = {"settings": SMALL, "resume": taken_up, "has_background": True}
    async with running(script, folder, isolated_machine, **new) as rig:
        while not rig.of(ev.CompactionFinished)[1:]:
            assert count < 40
            await rig.prompt("More.")
            await rig.until(lambda: len(finished(rig)) == len(of_source(rig, "session_memory")))
        light = rig.of(ev.CompactionFinished)[1]
        assert light.method == "session_memory"
        assert "To read." in light.summary and "what was said since" in light.summary


def test_notes_are_taken_of_the_oldest_first() -> None:
    messages = tuple(
        Message(id=f"m{number}", role="user", content=(TextBlock(text=f"{number} " + "word " * 700),))
        for number in range(40)
    )
    first = fitting(messages)
    assert first == messages[: len(first)] and 10 < len(first) < 40
    assert len(as_text(first)) <= MAX_CHARS and as_text(first).startswith("engineer: 0 ")
    long = Message(id="long", role="user", content=tuple(TextBlock(text="x" * 5_000) for _ in range(40)))
    assert fitting((long, *messages)) == (long,)


async def test_what_is_said_beside_a_call_is_no_summary(folder: Path, isolated_machine: Path) -> None:
    calling = Reply([say("Let me look first."), call("Read", "late", file_path="a.txt")])
    async with running(answering(2, calling), folder, isolated_machine) as rig:
        await rig.prompt("Read it. " * 400)
        before = rig.engine.session.conversation.messages
        await rig.do(Compact())
        await rig.settle()
        assert "tool" in rig.of(ev.CompactionFailed)[0].reason
        assert rig.engine.session.conversation.messages == before


async def test_a_summary_for_which_the_window_was_too_full_is_asked_for_again(
    folder: Path, isolated_machine: Path
) -> None:
    replies = [Reply([say("## Int")], stop_reason="model_context_window_exceeded"), Reply([say(SUMMARY)])]

    def script(request: ModelRequest) -> Reply:
        return replies.pop(0) if request.query_source == "compaction" else Reply([say("word " * 300)])

    async with running(script, folder, isolated_machine) as rig:
        for number in range(6):
            await rig.prompt(f"Prompt {number} " * 100)
        await rig.do(Compact())
        await rig.settle()
        assert rig.of(ev.CompactionFinished)[0].summary == SUMMARY
        shorter, longer = of_source(rig, "compaction")[1], of_source(rig, "compaction")[0]
        assert len(shorter.messages) < len(longer.messages)


async def test_the_earlier_summary_is_no_part_of_what_is_dropped(folder: Path, isolated_machine: Path) -> None:
    replies = [
        Reply([say("## Intent\nThe first summary.")]),
        too_long("prompt is too long: 210000 tokens > 150000 maximum"),
        Reply([say(SUMMARY)]),
    ]

    def script(request: ModelRequest) -> Reply:
        return replies.pop(0) if request.query_source == "compaction" else Reply([say("word " * 2_000)])

    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("First. " * 500)
        await rig.do(Compact())
        await rig.settle()
        for number in range(6):
            await rig.prompt(f"Prompt {number}")
        await rig.do(Compact())
        await rig.settle()
        again = text_of(of_source(rig, "compaction")[2])
        assert "The first summary." in again and "Prompt 0" not in again


async def test_a_refusal_after_a_compaction_takes_no_summary_along(folder: Path, isolated_machine: Path) -> None:
    """Compacted in the middle of a turn, so that nothing but the summary is left; then the user says something."""
    (folder / "a.txt").write_text("A line of the file, and it is not short at all.\n" * 900)
    rigs: list[Rig] = []
    answers = 0

    def script(request: ModelRequest) -> Reply:
        nonlocal answers
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        answers += 1
        if answers == 1:
            return read("r1", tokens=26_000)
        if answers == 2:
            rigs[0].engine.session.submit("Steer!")
            return Reply(error=ModelError("overloaded", "busy", status=529, is_retryable=True))
        return Reply([], stop_reason="refusal")

    async with running(script, folder, isolated_machine, settings=SMALL) as rig:
        rigs.append(rig)
        await rig.prompt("Read it.")
        assert rig.of(ev.CompactionFinished) and rig.of(ev.TurnEnded)[-1].reason == "refusal"
        messages = rig.engine.session.conversation.messages
        assert any(message.is_summary for message in messages)
        assert all(message.text != "Steer!" for message in messages)


async def test_what_steers_behind_large_results_is_kept_with_its_image(folder: Path, isolated_machine: Path) -> None:
    (folder / "a.txt").write_text("A line of the file, and it is not short at all.\n" * 900)
    rigs: list[Rig] = []

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        if "tool_result" in text_of(request) or len(of_source(rigs[0], "main")) > 1:
            return fine(request)
        rigs[0].engine.session.submit("Steer!", images=(picture(),))
        return read("r1", tokens=26_000)

    async with running(script, folder, isolated_machine, settings=SMALL) as rig:
        rigs.append(rig)
        await rig.prompt("Read it.")
        assert rig.of(ev.CompactionFinished)
        last = rig.requests[-1].messages[-1]["content"]
        assert [block["type"] for block in last[-2:]] == ["image", "text"] and last[-1]["text"] == "Steer!"
        assert "Steer!" not in text_of(of_source(rig, "compaction")[0])


async def test_the_mode_is_told_again_before_what_was_too_long_is_sent_again(
    folder: Path, isolated_machine: Path
) -> None:
    settings = Settings(mode="plan")
    async with running(once("Second", too_long(TOO_LONG), fine), folder, isolated_machine, settings=settings) as rig:
        await rig.prompt("First " * 2_000)
        await rig.prompt("Second")
        assert rig.of(ev.CompactionFinished)
        assert text_of(rig.requests[-1]).count("Plan mode is on") == 1


async def test_an_open_breaker_holds_also_for_what_is_too_long(folder: Path, isolated_machine: Path) -> None:
    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply(error=ModelError("invalid", "no", status=400))
        return too_long(TOO_LONG) if "More" in text_of(request) else fine(request)

    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("First " * 2_000)
        for _ in range(3):
            await rig.prompt("More")
            end = rig.of(ev.TurnEnded)[-1]
            assert end.reason == "context_full" and "/handoff" in end.detail
        assert len(of_source(rig, "compaction")) == 3


async def test_compactions_that_are_never_enough_come_to_an_end(folder: Path, isolated_machine: Path) -> None:
    """The API counts more than is estimated: right after each compaction the window is too full again."""
    count = 0

    def script(request: ModelRequest) -> Reply:
        nonlocal count
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        count += 1
        return read(*([f"r{count}"] if count < 20 else []), tokens=30_000)

    async with running(script, folder, isolated_machine, settings=SMALL) as rig:
        await rig.prompt("Go. " * 5_000)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert len(of_source(rig, "compaction")) == 4
        assert rig.of(ev.UsageUpdated)[-1].breaker == "open"
        assert "/compact" in rig.of(ev.Notice)[-1].hint


async def test_an_image_that_no_answer_has_counted_is_not_taken_off(folder: Path, isolated_machine: Path) -> None:
    def counted(_request: ModelRequest) -> Reply:
        return Reply([say("Fine.")], usage=Usage(input_tokens=50_000))

    script = once("Look", too_long("Request too large", 413), counted)
    async with running(script, folder, isolated_machine) as rig:
        await rig.prompt("First")
        await rig.do(SubmitPrompt(text="Look", images=(picture(),)))
        await rig.settle()
        cleared = rig.events.index(rig.of(ev.ResultsCleared)[0])
        usage = next(event for event in rig.events[cleared:] if isinstance(event, ev.UsageUpdated))
        assert usage.context_tokens > 50_000


Content = list[tuple[str, Any]]


def content(conversation: Conversation) -> Content:
    return [(message.role, message.content) for message in conversation.messages]


@pytest.mark.parametrize("kind", ["manual", "auto", "too_long"])
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 25, 30, 40, 80])
async def test_an_interrupt_at_any_moment_leaves_all_or_nothing(
    folder: Path, isolated_machine: Path, kind: str, steps: int
) -> None:
    def then(request: ModelRequest) -> Reply:
        # So much that a summary which is done before the interrupt comes is a shorter one.
        tokens = 30_000 if kind != "too_long" and "Second" not in text_of(request) else 3_000
        has_read = "tool_result" in text_of(request)
        return read(*([] if has_read else [f"r{number}" for number in range(7)]), tokens=tokens)

    refused = too_long(TOO_LONG) if kind == "too_long" else read(tokens=3_000)
    settings = SMALL if kind == "auto" else Settings()
    async with running(once("Second", refused, then), folder, isolated_machine, settings=settings) as rig:
        await rig.prompt("First " * 2_000)
        session = rig.engine.session
        before, seen = content(session.conversation), session.state.tools.seen
        await rig.do(Compact() if kind == "manual" else SubmitPrompt(text="Second"))
        await rig.event(ev.CompactionStarted)
        for _ in range(steps):
            await asyncio.sleep(0)
        session.interrupt()
        await rig.settle()
        on_disk = load_session(session.conversation.transcript).held
        assert [(message.role, message.content) for message in on_disk.messages] == content(session.conversation)
        assert on_disk.known_tokens == session.conversation.known_tokens
        if not rig.of(ev.CompactionFinished):
            assert [event.is_interrupted for event in rig.of(ev.CompactionFailed)] == [True]
            assert content(session.conversation)[: len(before)] == before
            assert session.state.tools.seen == seen
        await rig.prompt("Third")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_notes_that_tell_of_nothing_new_stand_for_nothing(folder: Path, isolated_machine: Path) -> None:
    """Only the summary of the last compaction is noted: in its own place it would make no room."""
    tokens = [15_000]

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "compaction":
            return Reply([say(SUMMARY)])
        return Reply([say("word " * 2_500)], usage=Usage(input_tokens=tokens[0]))

    async with running(script, folder, isolated_machine, settings=SMALL) as rig:
        await rig.prompt("First. " * 2_000)
        await rig.do(Compact())
        await rig.settle()
        for number in range(5):
            tokens[0] = 5_000 + 6_000 * number
            await rig.prompt(f"Prompt {number}")
        await rig.prompt("Last.")
        assert [event.method for event in rig.of(ev.CompactionFinished)] == ["full", "full"], rig.of(
            ev.CompactionFailed
        )
        assert text_of(rig.requests[-1]).count("<summary>") == 1

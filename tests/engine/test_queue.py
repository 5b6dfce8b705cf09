"""Messages typed while a turn runs: shown, editable, removable, and taken at the next chance."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from core.llm.scripted import Reply, say
from core.protocol import events as ev
from core.protocol.ops import EditQueued, Interrupt, MoveQueued, SetModel, SubmitPrompt
from tests.fakes.engines import Rig, running
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, texts_in


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


def changes(rig: Rig) -> list[ev.QueueChanged]:
    """The changes since the first message was shown as waiting."""
    return list(itertools.dropwhile(lambda event: not event.items, rig.of(ev.QueueChanged)))


def queued(rig: Rig) -> list[list[str]]:
    return [[item.text for item in event.items] for event in changes(rig)]


async def submit(rig: Rig, *texts: str) -> None:
    for text in texts:
        await rig.do(SubmitPrompt(text=text))


async def test_a_message_typed_during_a_tool_round_is_in_the_very_next_request(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), Reply([gate_call("b")]), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await submit(rig, "rather do this")
        assert len(rig.of(ev.PromptSubmitted)) == 1
        gate.open("a", "b")
        await rig.settle()
        assert texts_in(rig.requests[1])[-1] == "rather do this"
        last = rig.requests[1].messages[-1]["content"]
        assert [block["type"] for block in last] == ["tool_result", "text"], "results first"
        assert queued(rig) == [["rather do this"], []]
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["first", "rather do this"]
        assert len(rig.of(ev.TurnEnded)) == 1
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_the_queue_empties_before_the_prompt_is_submitted_and_after_the_tools_finished(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    async with running([Reply([gate_call("a")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await submit(rig, "one", "two")
        gate.open("a")
        await rig.settle()
        names = [
            type(event).__name__
            for event in rig.events
            if isinstance(event, ev.QueueChanged | ev.PromptSubmitted | ev.ToolFinished | ev.RequestStarted)
        ]
        names = names[names.index("PromptSubmitted") :]
        assert names == [
            "PromptSubmitted",
            "RequestStarted",
            "QueueChanged",
            "QueueChanged",
            "ToolFinished",
            "QueueChanged",
            "PromptSubmitted",
            "PromptSubmitted",
            "RequestStarted",
        ]
        shown = changes(rig)[1].items
        taken = rig.of(ev.PromptSubmitted)[1:]
        assert [(item.id, item.text) for item in shown] == [(event.message_id, event.text) for event in taken]
        assert texts_in(rig.requests[-1])[-2:] == ["one", "two"]


async def test_a_prompt_that_starts_a_turn_is_not_shown_as_waiting(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert [items for items in queued(rig) if items] == []


async def test_a_message_typed_during_the_last_answer_goes_on_in_the_same_turn(
    tmp_path: Path, isolated_machine: Path
) -> None:
    more = asyncio.Event()
    replies = [Reply([say("Well"), say("Done.")], gates={1: more}), Reply([say("That too.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await rig.event(ev.BlockFinished)
        await submit(rig, "also this")
        more.set()
        await rig.settle()
        assert texts_in(rig.requests[1])[-1] == "also this"
        assert len(rig.of(ev.TurnEnded)) == 1


async def test_what_is_queued_can_be_changed_and_removed_until_it_is_taken(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    async with running([Reply([gate_call("a")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await submit(rig, "one", "two", "three")
        await rig.until(lambda: len(queued(rig)) == 3)
        one, two, _three = changes(rig)[-1].items
        await rig.do(EditQueued(message_id=two.id, text="two and a half"))
        await rig.do(EditQueued(message_id=one.id, text=" "))
        gate.open("a")
        await rig.settle()
        assert queued(rig)[3:] == [["one", "two and a half", "three"], ["two and a half", "three"], []]
        assert texts_in(rig.requests[-1])[-2:] == ["two and a half", "three"]
        before = len(rig.of(ev.QueueChanged))
        await rig.do(EditQueued(message_id=two.id, text="too late"))
        assert await rig.event(ev.Notice, lambda event: "already" in event.text)
        assert len(rig.of(ev.QueueChanged)) == before
        assert_all_valid(rig.requests)


async def test_a_blank_message_is_ignored(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("  \n ")
        assert not rig.of(ev.TurnStarted)
        assert rig.requests == []


async def test_what_is_queued_is_sent_after_an_interrupt(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    async with running([Reply([gate_call("a")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await submit(rig, "then this")
        await rig.do(Interrupt())
        await rig.settle()
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["interrupted", "completed"]
        assert texts_in(rig.requests[-1])[-1] == "then this"
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_each_prompt_of_a_quick_series_is_sent_once(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")]) for _ in range(4)], tmp_path, isolated_machine) as rig:
        await submit(rig, "one", "two", "three")
        await rig.settle()
        assert texts_in(rig.requests[-1])[-3:] == ["one", "two", "three"]
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["one", "two", "three"]


async def follow(rig: Rig, *texts: str) -> None:
    for text in texts:
        await rig.do(SubmitPrompt(text=text, lane="follow_up"))


async def test_what_follows_waits_for_the_end_and_is_a_turn_each(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), Reply([say("Steered.")]), Reply([say("One.")]), Reply([say("Two.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await follow(rig, "later one", "later two")
        await submit(rig, "at once")
        gate.open("a")
        await rig.settle()
        assert queued(rig)[:3] == [
            ["later one"],
            ["later one", "later two"],
            ["at once", "later one", "later two"],
        ], "in the order in which they are taken"
        assert [item.lane for item in changes(rig)[2].items] == ["steer", "follow_up", "follow_up"]
        assert [texts_in(request)[-1] for request in rig.requests] == ["first", "at once", "later one", "later two"]
        assert len(rig.of(ev.TurnEnded)) == 3
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_what_follows_is_sent_after_an_interrupt_too(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), Reply([say("x")]), Reply([say("y")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await follow(rig, "later")
        await submit(rig, "now")
        await rig.do(Interrupt())
        await rig.settle()
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["first", "now", "later"]
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["interrupted", "completed", "completed"]
        assert_all_valid(rig.requests)


async def test_with_nothing_running_what_follows_is_sent_at_once(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await follow(rig, "hello")
        await rig.settle()
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["hello"]


async def test_queued_messages_move_among_those_of_their_lane(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), *(Reply([say("x")]) for _ in range(3))]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await submit(rig, "one", "two", "three")
        await follow(rig, "later", "last")
        await rig.until(lambda: len(queued(rig)) == 5)
        ids = {item.text: item.id for item in changes(rig)[-1].items}
        for text, by in (("three", -1), ("one", 5), ("later", -9), ("last", -1)):
            await rig.do(MoveQueued(message_id=ids[text], by=by))
        await rig.until(lambda: len(queued(rig)) == 9)
        assert queued(rig)[-4:] == [
            ["one", "three", "two", "later", "last"],
            ["three", "two", "one", "later", "last"],
            ["three", "two", "one", "later", "last"],
            ["three", "two", "one", "last", "later"],
        ]
        gate.open("a")
        await rig.settle()
        assert [event.text for event in rig.of(ev.PromptSubmitted)][1:] == ["three", "two", "one", "last", "later"]
        await rig.do(MoveQueued(message_id=ids["one"], by=1))
        assert await rig.event(ev.Notice, lambda event: "already" in event.text)


async def test_a_change_of_the_model_waits_for_the_end_of_the_turn_and_what_follows_waits_for_it(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), Reply([say("x")]), Reply([say("y")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await rig.do(SetModel(model="claude-haiku-5-5"))
        await submit(rig, "with the new one")
        await rig.until(lambda: queued(rig)[-1:] == [["/model claude-haiku-5-5", "with the new one"]])
        assert rig.of(ev.ModelChanged) == []
        gate.open("a")
        await rig.settle()
        assert [request.model for request in rig.requests] == ["claude-opus-5-5"] * 2 + ["claude-haiku-5-5"]
        assert [event.model for event in rig.of(ev.ModelChanged)] == ["claude-haiku-5-5"]
        assert texts_in(rig.requests[-1])[-1] == "with the new one"


async def test_a_waiting_change_of_the_model_can_be_taken_back(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    async with running([Reply([gate_call("a")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await submit(rig, "first")
        await gate.inside("a")
        await rig.do(SetModel(model="claude-haiku-5-5"))
        (item,) = rig.engine.session.queue.items
        await rig.do(EditQueued(message_id=item.id, text=""))
        gate.open("a")
        await rig.settle()
        assert rig.of(ev.ModelChanged) == []

"""How a response ends, and what the loop makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.llm.client import Chunk, MessageEnd, ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, ScriptedModel, call, in_order, say
from core.protocol import events as ev
from core.protocol.ops import SetMode, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, fake_host, running
from tests.fakes.wire import BRAND_NEW, assert_all_valid, assert_growing, results_in, texts_in, thought


def ends(rig: Rig) -> list[str]:
    return [event.reason for event in rig.of(ev.TurnEnded)]


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "one_of_tomorrow"])
async def test_the_turn_is_over(tmp_path: Path, isolated_machine: Path, reason: str) -> None:
    async with running([Reply([say("Hello.")], stop_reason=reason)], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert ends(rig) == ["completed"]
        assert len(rig.requests) == 1
        assert rig.of(ev.RequestFinished)[0].stop_reason == reason
        assert rig.of(ev.TurnEnded)[0].steps == 1
        told = [notice.text for notice in rig.of(ev.Notice) if "one_of_tomorrow" in notice.text]
        assert len(told) == (reason == "one_of_tomorrow")


async def test_an_end_without_a_reason_is_an_end(tmp_path: Path, isolated_machine: Path) -> None:
    class Wordless(ScriptedModel):
        """Never says why it stops."""

        async def stream(self, request: ModelRequest) -> AsyncIterator[Chunk]:
            async for chunk in super().stream(request):
                yield MessageEnd("", chunk.usage) if isinstance(chunk, MessageEnd) else chunk

    (tmp_path / "a.txt").write_text("one\n")
    script = in_order([Reply([call("Read", "r", file_path="a.txt")]), Reply([say("It says one.")])])
    async with running(Wordless(script, clock=fake_host().clock), tmp_path, isolated_machine) as rig:
        await rig.prompt("read")
        assert ends(rig) == ["completed"] and len(rig.requests) == 2
        assert_all_valid(rig.requests)


async def test_a_refusal_ends_the_turn_and_is_not_sent_again(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([say("I can")], stop_reason="refusal"), Reply([say("Fine.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("something")
        assert ends(rig) == ["refusal"]
        assert rig.of(ev.TurnEnded)[0].detail
        assert len(rig.requests) == 1
        await rig.prompt("other words")
        assert ends(rig) == ["refusal", "completed"]
        assert_all_valid(rig.requests)
        assert texts_in(rig.requests[1]) == ["other words"], "it would decline again while it reads that"
        assert texts_in(rig.requests[1], "assistant") == []
        session = rig.engine.session_id
    async with running([Reply([say("Yes.")])], tmp_path, isolated_machine, resume=session) as rig:
        await rig.prompt("and now")
        assert texts_in(rig.requests[0]) == ["other words", "and now"]


async def test_a_refusal_takes_back_only_what_the_turn_has_brought(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Be brief.")
    (tmp_path / "a.txt").write_text("attached\n")
    replies = [Reply([say("Hello.")]), Reply([], stop_reason="refusal"), Reply([say("Fine.")])]
    async with running(replies, tmp_path, isolated_machine, settings=Settings(mode="plan")) as rig:
        await rig.prompt("hi")
        await rig.do(SetMode(mode="default"))
        await rig.prompt("look at @a.txt")
        assert "attached" in texts_in(rig.requests[1])[-1]
        await rig.prompt("other words")
        sent = " ".join(texts_in(rig.requests[2]))
        assert "Be brief." in sent and "hi" in sent and "other words" in sent
        assert "look at" not in sent and "attached" not in sent
        assert texts_in(rig.requests[2], "system") == texts_in(rig.requests[1], "system"), "news are told once"
        assert_all_valid(rig.requests)


async def test_what_was_said_in_between_and_refused_is_taken_back_alone(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()
    replies = [
        Reply([call("Bash", "b", command="echo x >> ran.txt"), say("And so on.")], gates={1: gate}),
        Reply([], stop_reason="refusal"),
        Reply([say("Fine.")]),
    ]
    settings = Settings(rules=allowing("Bash"))
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.ToolStarted)
        await rig.do(SubmitPrompt(text="something bad"))
        gate.set()
        await rig.settle()
        assert ends(rig) == ["refusal"] and "something bad" in texts_in(rig.requests[1])
        await rig.prompt("other words")
        assert texts_in(rig.requests[2]) == ["go", "other words"]
        assert set(results_in(rig.requests[2])) == {"b"}
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_refusal_forgets_nothing_that_ran(tmp_path: Path, isolated_machine: Path, is_late: bool) -> None:
    """In the response after the calls, or in the one that holds them."""
    calls = [call("Bash", "b", command="echo x >> ran.txt")]
    replies = (
        [Reply(calls), Reply([say("I")], stop_reason="refusal")] if is_late else [Reply(calls, stop_reason="refusal")]
    )
    settings = Settings(rules=allowing("Bash"))
    async with running([*replies, Reply([say("Fine.")])], tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        assert ends(rig) == ["refusal"]
        assert (tmp_path / "ran.txt").read_text() == "x\n"
        await rig.prompt("other words")
        assert set(results_in(rig.requests[-1])) == {"b"} and "go" in texts_in(rig.requests[-1])
        assert texts_in(rig.requests[-1], "assistant") == []
        assert_all_valid(rig.requests)


async def test_calls_that_were_announced_and_never_came_are_asked_for_once(
    tmp_path: Path, isolated_machine: Path
) -> None:
    replies = [Reply([say("I will read it.")], stop_reason="tool_use") for _ in range(3)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("read")
        assert ends(rig) == ["completed"] and len(rig.requests) == 2
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_server_that_pauses_for_ever_is_left(tmp_path: Path, isolated_machine: Path) -> None:
    searching = {"type": "server_tool_use", "name": "web_search", "input": {"query": "x"}}
    replies = [Reply([{**searching, "id": f"srvtoolu_{n}"}], stop_reason="pause_turn") for n in range(30)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("search")
        assert ends(rig) == ["error"] and "paused" in rig.of(ev.TurnEnded)[0].detail
        assert len(rig.requests) == 11


async def test_a_full_window_ends_the_turn_with_what_to_do(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([say("So")], stop_reason="model_context_window_exceeded")]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert ends(rig) == ["context_full"]
        assert "/handoff" in rig.of(ev.TurnEnded)[0].detail


async def test_a_paused_turn_is_sent_again_as_it_is(tmp_path: Path, isolated_machine: Path) -> None:
    searching = {"type": "server_tool_use", "id": "srv1", "name": "web_search", "input": {"query": "x"}}
    replies = [Reply([say("Looking."), searching], stop_reason="pause_turn"), Reply([say("Found.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("search")
        assert ends(rig) == ["completed"]
        sent = rig.requests[1].messages
        assert [message["role"] for message in sent] == ["user", "assistant"]
        kept = [{key: block[key] for key in block if key != "cache_control"} for block in sent[-1]["content"]]
        assert kept == [say("Looking."), searching]
        assert_growing(rig.requests)


async def test_the_length_limit_is_raised_once_and_then_the_model_is_asked_to_go_on(
    tmp_path: Path, isolated_machine: Path
) -> None:
    cut = [Reply([say(f"part {number}")], stop_reason="max_tokens") for number in range(3)]
    async with running([*cut, Reply([say("end")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("write")
        assert ends(rig) == ["completed"]
        assert [request.max_tokens for request in rig.requests] == [32_000, 128_000, 128_000, 128_000]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_the_model_is_asked_to_go_on_three_times_at_most(tmp_path: Path, isolated_machine: Path) -> None:
    cut = [Reply([say(f"part {number}")], stop_reason="max_tokens") for number in range(9)]
    async with running(cut, tmp_path, isolated_machine) as rig:
        await rig.prompt("write")
        assert ends(rig) == ["max_tokens"]
        assert len(rig.requests) == 4
        assert rig.of(ev.TurnEnded)[0].detail


async def test_a_call_that_the_limit_cut_off_never_runs(tmp_path: Path, isolated_machine: Path) -> None:
    cut = {"type": "tool_use", "id": "w", "name": "Write", "input": '{"file_path": "a.txt", "content": "hal'}
    settings = Settings(mode="acceptEdits")
    replies = [
        Reply([say("Writing."), cut], stop_reason="max_tokens"),
        Reply([call("Write", "w2", file_path="a.txt", content="whole\n")]),
        Reply([say("Done.")]),
    ]
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("write")
        result = results_in(rig.requests[1])["w"]
        assert result["is_error"] and "complete" in result["content"]
        assert rig.requests[1].max_tokens == 128_000
        assert (tmp_path / "a.txt").read_text() == "whole\n"
        assert ends(rig) == ["completed"]
        assert_all_valid(rig.requests)


async def test_a_call_cut_before_its_input_does_not_run_either(tmp_path: Path, isolated_machine: Path) -> None:
    """An input of which nothing came looks like an empty one."""
    cut = {"type": "tool_use", "id": "l", "name": "LS", "input": ""}
    replies = [Reply([cut], stop_reason="max_tokens"), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("list")
        result = results_in(rig.requests[1])["l"]
        assert result["is_error"] and "limit" in result["content"]
        assert ends(rig) == ["completed"]


@pytest.mark.parametrize("rest", [[], [call("LS", "l2")], [say("And that is it.")]])
async def test_a_call_without_input_goes_to_its_tool_where_nothing_was_cut(
    tmp_path: Path, isolated_machine: Path, rest: list[dict[str, str]]
) -> None:
    replies = [Reply([call("LS", "l"), *rest]), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("list")
        results = results_in(rig.requests[1])
        assert list(results) == ["l", *(block["id"] for block in rest if block["type"] == "tool_use")]
        assert all("path" in str(result["content"]) for result in results.values()), "the tool itself looked at it"


async def test_calls_before_the_one_that_was_cut_run(tmp_path: Path, isolated_machine: Path) -> None:
    cut = {"type": "tool_use", "id": "w", "name": "Bash", "input": '{"command": "echo tw'}
    replies = [
        Reply([call("Bash", "b", command="echo one >> ran.txt"), cut], stop_reason="max_tokens"),
        Reply([say("Done.")]),
    ]
    settings = Settings(rules=allowing("Bash"))
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[1])
        assert (results["b"].get("is_error"), results["w"]["is_error"]) == (None, True)
        assert (tmp_path / "ran.txt").read_text() == "one\n"
        assert rig.requests[1].max_tokens == 128_000
        assert_all_valid(rig.requests)


async def test_a_call_that_is_cut_again_and_again_ends_the_turn(tmp_path: Path, isolated_machine: Path) -> None:
    cut = {"type": "tool_use", "name": "Write", "input": '{"file_path": "a.txt", "content": "hal'}
    replies = [Reply([{**cut, "id": f"w{n}"}], stop_reason="max_tokens") for n in range(9)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("write")
        assert ends(rig) == ["max_tokens"] and len(rig.requests) == 4
        assert_all_valid(rig.requests)


async def test_a_whole_answer_in_between_starts_the_count_anew(tmp_path: Path, isolated_machine: Path) -> None:
    cut = Reply([say("part")], stop_reason="max_tokens")
    whole = [Reply([call("LS", f"l{n}", path=".")]) for n in range(2)]
    async with running(
        [cut, cut, whole[0], cut, cut, cut, whole[1], Reply([say("x")])], tmp_path, isolated_machine
    ) as rig:
        await rig.prompt("write")
        assert ends(rig) == ["completed"] and len(rig.requests) == 8


@pytest.mark.parametrize("blocks", [[], [thought()], [say("  \n")]])
async def test_an_empty_answer_is_nudged_once(
    tmp_path: Path, isolated_machine: Path, blocks: list[dict[str, str]]
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    replies = [Reply([call("Read", "r", file_path="a.txt")]), Reply(list(blocks)), Reply([say("It says one.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("read")
        assert ends(rig) == ["completed"]
        assert len(rig.requests) == 3
        assert texts_in(rig.requests[2])[-1] != texts_in(rig.requests[1])[-1]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_second_empty_answer_ends_the_turn(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply(), Reply(), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert len(rig.requests) == 2
        assert ends(rig) == ["completed"]


async def test_the_limit_of_requests_ends_the_turn(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    replies = [Reply([call("Read", f"r{number}", file_path="a.txt")]) for number in range(9)]
    settings = Settings(max_turns=2)
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("loop")
        assert ends(rig) == ["max_turns"]
        assert "2" in rig.of(ev.TurnEnded)[0].detail
        assert (len(rig.requests), rig.of(ev.TurnEnded)[0].steps) == (2, 2)
        await rig.prompt("loop on")
        assert len(rig.requests) == 4, "the limit is per prompt"
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_an_unknown_block_goes_back_untouched(tmp_path: Path, isolated_machine: Path) -> None:
    new = {"type": BRAND_NEW, "payload": {"a": [1, 2]}}
    async with running([Reply([new, say("So.")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        await rig.prompt("and?")
        assert rig.requests[1].messages[1]["content"][0] == new


async def test_a_thought_goes_back_byte_for_byte(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    thoughts = [thought("Größe \u200b\n\n "), thought("")]
    replies = [Reply([*thoughts, call("Read", "r", file_path="a.txt")]), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert rig.requests[1].messages[1]["content"][:2] == thoughts
        assert_all_valid(rig.requests)


async def test_an_error_that_no_retry_helps_ends_the_turn_and_the_session_lives(
    tmp_path: Path, isolated_machine: Path
) -> None:
    replies = [Reply(error=ModelError("invalid", "Not acceptable.", "Do this.")), Reply([say("Fine.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        (end,) = rig.of(ev.TurnEnded)
        assert (end.reason, end.detail) == ("error", "Not acceptable. Do this.")
        (failed,) = rig.of(ev.RequestFailed)
        assert (failed.retry_in_s, failed.hint, failed.attempt) == (None, "Do this.", 1)
        await rig.prompt("again")
        assert ends(rig) == ["error", "completed"]
        assert_all_valid(rig.requests)


async def test_a_server_that_breaks_off_behind_every_call_does_not_loop_for_ever(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    broken = ModelError("dropped", "The connection broke off.")
    replies = [Reply([call("Read", f"t{n}", file_path="a.txt")], error=broken) for n in range(20)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (end,) = rig.of(ev.TurnEnded)
        assert end.reason == "error" and "broke off" in end.detail and "go on" in end.detail
        assert len(rig.of(ev.ToolFinished)) == len(rig.requests) == 8
        assert_all_valid(rig.requests)


async def test_a_discarded_answer_leaves_nothing_open_on_screen(tmp_path: Path, isolated_machine: Path) -> None:
    class Dropping(ScriptedModel):
        """Breaks the first response off in the middle of its text."""

        async def stream(self, request: ModelRequest) -> AsyncIterator[Chunk]:
            count = 0
            async for chunk in super().stream(request):
                count += 1
                if len(self.requests) == 1 and count == 4:
                    raise ModelError("dropped", "The connection broke off.")
                yield chunk

    host = fake_host()
    script = in_order([Reply([say("a long answer that never comes to its end")]), Reply([say("whole")])])
    async with running(Dropping(script, clock=host.clock), tmp_path, isolated_machine, host=host) as rig:
        await rig.prompt("go")
        started = {event.block_id for event in rig.of(ev.BlockStarted)}
        finished = {event.block_id for event in rig.of(ev.BlockFinished)}
        discarded = {event.block_id for event in rig.of(ev.BlockDiscarded)}
        assert started == finished | discarded and len(discarded) == 1
        # What the broken response had taken is in the account: its prompt was paid for.
        assert rig.engine.session.ledger.usage.prompt_tokens > rig.of(ev.RequestFinished)[0].usage.prompt_tokens

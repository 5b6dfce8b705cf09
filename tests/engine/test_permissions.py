"""Consent through the whole engine: what is asked, what an answer does, what each mode lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.errors import AgentError
from core.protocol.ops import AddRule, AnswerPermission, DeleteRule, ExplainPermission, SetMode, SubmitPrompt
from core.protocol.views import Answer, PermissionMode
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, denying, fake_host, running
from tests.fakes.wire import assert_all_valid, assert_growing, results_in, texts_in

DONE = Reply([say("Done.")])


def touch(number: int, name: str = "") -> dict[str, Any]:
    return call("Bash", f"b{number}", command=f"touch {name or f'made{number}'}")


def write(number: int, path: str = "") -> dict[str, Any]:
    return call("Write", f"w{number}", file_path=path or f"w{number}.txt", content="x\n")


async def answered(rig: Rig, *answers: tuple[Answer, str]) -> list[ev.PermissionRequested]:
    """Send a prompt and answer the questions in turn; the questions."""
    before = len(rig.of(ev.PermissionRequested))
    await rig.do(SubmitPrompt(text="go"))
    for number, (answer, comment) in enumerate(answers):
        await rig.until(lambda wanted=before + number: len(rig.of(ev.PermissionRequested)) > wanted)
        request = rig.of(ev.PermissionRequested)[before + number].request
        await rig.do(AnswerPermission(request_id=request.id, answer=answer, comment=comment, scope=request.scope))
    await rig.settle()
    return rig.of(ev.PermissionRequested)[before:]


async def test_once_runs_this_call_and_asks_again_for_the_next(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a")]), Reply([touch(2, "a")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        asked = await answered(rig, ("once", ""), ("once", ""))
        assert len(asked) == 2
        assert (tmp_path / "a").exists()
        first = asked[0].request
        assert (first.tool_use_id, first.tool_name, first.input) == ("b1", "Bash", {"command": "touch a"})
        assert first.reason
        resolved = rig.of(ev.PermissionResolved)
        assert [(event.request_id, event.tool_use_id, event.answer) for event in resolved] == [
            (asked[0].request.id, "b1", "once"),
            (asked[1].request.id, "b2", "once"),
        ]
        assert [event.behavior for event in rig.of(ev.PermissionDecided)] == ["ask", "ask"]


async def test_nothing_runs_before_the_answer(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([touch(1, "a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        asked = await rig.event(ev.PermissionRequested)
        assert not (tmp_path / "a").exists()
        assert not rig.of(ev.ToolFinished)
        await rig.do(AnswerPermission(request_id="some-other-question", answer="once"))
        assert not rig.of(ev.PermissionResolved)
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
        await rig.settle()
        assert (tmp_path / "a").exists()


async def test_for_this_session_covers_the_same_call_and_no_other(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a")]), Reply([touch(2, "a"), touch(3, "b")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        asked = await answered(rig, ("session", ""), ("once", ""))
        assert [event.request.tool_use_id for event in asked] == ["b1", "b3"]
        assert [scope.rules for scope in asked[0].request.scopes] == [("Bash(touch a)",), ("Bash(touch *)",)]
        decided = {event.tool_use_id: event.behavior for event in rig.of(ev.PermissionDecided)}
        assert decided == {"b1": "ask", "b2": "allow", "b3": "ask"}


async def test_for_this_session_on_a_file_covers_its_folder(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([write(1)]), Reply([write(2, "sub/deep.txt"), write(3, "/tmp/elsewhere-agent-tui.txt")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        asked = await answered(rig, ("session", ""), ("deny", "not there"))
        assert [event.request.tool_use_id for event in asked] == ["w1", "w3"]
        assert (tmp_path / "sub" / "deep.txt").exists()
        diff = asked[0].request.display.diff
        assert diff is not None and (diff.old, diff.new) == (None, "x\n")


async def test_no_with_a_reason_reaches_the_model_and_the_turn_goes_on(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a"), call("LS", "l", path=".")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await answered(rig, ("deny", "use the Makefile"))
        results = results_in(rig.requests[-1])
        assert results["b1"]["is_error"] and "use the Makefile" in results["b1"]["content"]
        assert not results["l"].get("is_error")
        assert not (tmp_path / "a").exists()
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert rig.of(ev.PermissionResolved)[-1].comment == "use the Makefile"


async def test_no_without_a_reason_ends_the_turn_and_answers_every_call(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a"), touch(2, "b"), call("LS", "l", path=".")]), Reply([say("Fine.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        asked = await answered(rig, ("deny", ""))
        assert len(asked) == 1
        assert rig.of(ev.TurnEnded)[-1].reason == "denied"
        assert len(rig.requests) == 1, "nothing more is sent"
        assert {event.tool_use_id for event in rig.of(ev.ToolFinished)} == {"b1", "b2", "l"}
        assert all(event.is_error for event in rig.of(ev.ToolFinished))
        assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
        await rig.prompt("something else")
        assert set(results_in(rig.requests[-1])) == {"b1", "b2", "l"}
        assert texts_in(rig.requests[-1])[-1] == "something else"
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_calls_that_come_after_the_denial_are_answered_too(tmp_path: Path, isolated_machine: Path) -> None:
    import asyncio

    rest = asyncio.Event()
    replies = [Reply([touch(1, "a"), touch(2, "b")], gates={1: rest}), Reply([say("Fine.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        asked = await rig.event(ev.PermissionRequested)
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="deny"))
        await rig.event(ev.ToolFinished)
        rest.set()
        await rig.settle()
        assert [event.tool_use_id for event in rig.of(ev.ToolFinished)] == ["b1", "b2"]
        assert rig.of(ev.TurnEnded)[-1].reason == "denied"


MODES: list[tuple[PermissionMode, dict[str, str]]] = [
    ("default", {"r": "allow", "w1": "ask", "b1": "ask", "out": "ask"}),
    ("acceptEdits", {"r": "allow", "w1": "allow", "b1": "allow", "out": "ask"}),
    ("dontAsk", {"r": "allow", "w1": "deny", "b1": "deny", "out": "deny"}),
    ("plan", {"r": "allow", "w1": "deny", "b1": "deny", "out": "deny"}),
    ("bypassPermissions", {"r": "allow", "w1": "allow", "b1": "allow", "out": "allow"}),
]


@pytest.mark.parametrize(("mode", "expected"), MODES)
async def test_modes(tmp_path: Path, isolated_machine: Path, mode: PermissionMode, expected: dict[str, str]) -> None:
    outside = tmp_path / "outside.txt"
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "a.txt").write_text("one\n")
    blocks = [
        call("Read", "r", file_path="a.txt"),
        write(1),
        touch(1),
        call("Write", "out", file_path=str(outside), content="x"),
    ]
    host = fake_host({"IS_SANDBOX": "1"})
    replies = [Reply([block]) for block in blocks]
    async with running([*replies, DONE], inside, isolated_machine, settings=Settings(mode=mode), host=host) as rig:
        answers: list[tuple[Answer, str]] = [("deny", "no")] * list(expected.values()).count("ask")
        await answered(rig, *answers)
        assert {event.tool_use_id: event.behavior for event in rig.of(ev.PermissionDecided)} == expected
        assert (inside / "w1.txt").exists() == (expected["w1"] == "allow")
        assert (inside / "made1").exists() == (expected["b1"] == "allow")
        assert outside.exists() == (expected["out"] == "allow")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_bypassing_is_refused_as_root(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.delenv("IS_SANDBOX", raising=False)
    with pytest.raises(AgentError):
        async with running([DONE], tmp_path, isolated_machine, settings=Settings(mode="bypassPermissions")):
            pass
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SetMode(mode="bypassPermissions"))
        notice = await rig.event(ev.Notice, lambda event: event.level == "error")
        assert "IS_SANDBOX" in notice.hint
        assert not rig.of(ev.ModeChanged)
        assert rig.engine.calls.policies.policy.mode == "default"


async def test_another_user_may_bypass(tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.delenv("IS_SANDBOX", raising=False)
    async with running([Reply([touch(1, "a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SetMode(mode="bypassPermissions"))
        await rig.prompt("go")
        assert (tmp_path / "a").exists()


async def test_a_mode_changed_while_a_turn_runs_holds_for_its_next_call(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([write(1)]), Reply([write(2)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        asked = await rig.event(ev.PermissionRequested)
        await rig.do(SetMode(mode="acceptEdits"))
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
        await rig.settle()
        assert len(rig.of(ev.PermissionRequested)) == 1
        assert (tmp_path / "w2.txt").exists()


async def test_with_no_one_to_ask_it_is_a_no_that_the_model_reads(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a")]), DONE]
    async with running(replies, tmp_path, isolated_machine, is_attended=False) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["b1"]
        assert result["is_error"] and "allowedTools" in result["content"]
        assert not rig.of(ev.PermissionRequested)
        assert not (tmp_path / "a").exists()
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert [denial.tool_use_id for denial in rig.engine.calls.broker.denials] == ["b1"]


async def test_a_rule_that_denies_wins_and_says_so(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(mode="acceptEdits", rules=(*allowing("Write"), *denying("Edit(w1.txt)")))
    async with running([Reply([write(1), write(2)]), DONE], tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert results["w1"]["is_error"] and "Edit(w1.txt)" in results["w1"]["content"]
        assert not (tmp_path / "w1.txt").exists() and (tmp_path / "w2.txt").exists()


async def test_every_question_is_resolved_by_its_own_id(tmp_path: Path, isolated_machine: Path) -> None:
    """Two reads outside the folder are asked about at the same time, and answered in the other order."""
    secret, other = tmp_path / "s.txt", tmp_path / "o.txt"
    secret.write_text("secret\n")
    other.write_text("other\n")
    inside = tmp_path / "project"
    inside.mkdir()
    blocks = [call("Read", "s", file_path=str(secret)), call("Read", "o", file_path=str(other))]
    async with running([Reply(blocks), DONE], inside, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.until(lambda: len(rig.of(ev.PermissionRequested)) == 2)
        first, second = rig.of(ev.PermissionRequested)
        await rig.do(AnswerPermission(request_id=second.request.id, answer="once"))
        await rig.event(ev.ToolFinished)
        await rig.do(AnswerPermission(request_id=first.request.id, answer="deny", comment="private"))
        await rig.settle()
        results = results_in(rig.requests[-1])
        assert "other" in results["o"]["content"]
        assert results["s"]["is_error"] and "private" in results["s"]["content"]


async def test_a_wider_scope_covers_what_it_says_and_no_more(tmp_path: Path, isolated_machine: Path) -> None:
    lines = [
        call("Bash", f"b{number}", command=line) for number, line in enumerate(("touch a", "touch b", "touch c; rm a"))
    ]
    async with running([Reply(lines), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        first = (await rig.event(ev.PermissionRequested)).request
        await rig.do(AnswerPermission(request_id=first.id, answer="session", scope=1))
        await rig.until(lambda: len(rig.of(ev.PermissionRequested)) == 2)
        second = rig.of(ev.PermissionRequested)[1].request
        assert second.tool_use_id == "b2"
        assert [(part.text, part.behavior) for part in second.parts] == [("touch c", "allow"), ("rm a", "ask")]
        await rig.do(AnswerPermission(request_id=second.id, answer="once"))
        await rig.settle()
        assert [(rule.text, rule.layer) for rule in rig.of(ev.RulesChanged)[-1].rules] == [("Bash(touch *)", "session")]


async def test_a_scope_that_was_not_offered_saves_nothing(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([touch(1, "a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        await rig.do(AnswerPermission(request_id=request.id, answer="session", scope=99))
        await rig.settle()
        assert not rig.engine.calls.policies.policy.rules


async def test_one_answer_settles_those_that_wait_and_are_covered(tmp_path: Path, isolated_machine: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in "abc":
        (outside / name).write_text(name)
    inside = tmp_path / "project"
    inside.mkdir()
    reads = [call("Read", name, file_path=str(outside / name)) for name in "abc"]
    async with running([Reply(reads), DONE], inside, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.until(lambda: len(rig.of(ev.PermissionRequested)) == 3)
        asked = [event.request for event in rig.of(ev.PermissionRequested)]
        assert len({request.likeness for request in asked}) == 1
        await rig.do(AnswerPermission(request_id=asked[0].id, answer="session", scope=asked[0].scope))
        await rig.settle()
        assert {event.answer for event in rig.of(ev.PermissionResolved)} == {"session", "once"}
        assert not any(event.is_error for event in rig.of(ev.ToolFinished))


async def test_a_yes_with_a_word_reaches_the_model_with_the_result(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([touch(1, "a")]), DONE], tmp_path, isolated_machine) as rig:
        await answered(rig, ("once", "but tell me when it is done"))
        assert "but tell me when it is done" in results_in(rig.requests[-1])["b1"]["content"]


async def test_rules_can_be_added_and_deleted_while_it_runs(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a")]), DONE, Reply([touch(2, "b")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(AddRule(behavior="deny", text="Bash(touch *)", layer="session"))
        await rig.prompt("go")
        assert not rig.of(ev.PermissionRequested) and not (tmp_path / "a").exists()
        decided = rig.of(ev.PermissionDecided)[-1]
        assert (decided.behavior, decided.rule, decided.tool_name, decided.subject) == (
            "deny",
            "Bash(touch *)",
            "Bash",
            "touch a",
        )
        await rig.do(DeleteRule(behavior="deny", text="Bash(touch *)", layer="session"))
        await rig.until(lambda: rig.of(ev.RulesChanged)[-1].rules == ())
        await answered(rig, ("once", ""))
        assert (tmp_path / "b").exists()


@pytest.mark.parametrize("text", ["", "Bash(", "*", "Write(a)"])
async def test_what_is_no_rule_is_told_and_changes_nothing(tmp_path: Path, isolated_machine: Path, text: str) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.do(AddRule(behavior="allow", text=text, layer="session"))
        await rig.do(DeleteRule(behavior="allow", text=text, layer="session"))
        await rig.until(lambda: len([note for note in rig.of(ev.Notice) if note.level == "error"]) == 2)
        assert not rig.engine.calls.policies.policy.rules


async def test_the_small_model_explains_what_is_asked(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([touch(1, "a")]), Reply([say("medium\nIt makes an empty file called a.")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        await rig.do(ExplainPermission(request_id="another"))
        await rig.do(ExplainPermission(request_id=request.id))
        explained = await rig.event(ev.PermissionExplained)
        assert (explained.request_id, explained.risk, explained.text) == (
            request.id,
            "medium",
            "It makes an empty file called a.",
        )
        await rig.do(AnswerPermission(request_id=request.id, answer="once"))
        await rig.settle()
        assert len(rig.requests) == 3 and "touch a" in str(rig.requests[1].messages)


async def test_a_tool_that_is_denied_altogether_is_not_offered(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(rules=(*denying("Bash", "Web*"), *denying("Edit(a)")))
    async with running([DONE], tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        names = {tool["name"] for tool in rig.requests[0].tools}
        assert "Bash" not in names and not any(name.startswith("Web") for name in names)
        assert {"Edit", "Read", "BashOutput"} <= names

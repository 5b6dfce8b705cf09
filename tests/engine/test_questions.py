"""AskUserQuestion through the whole engine: what is asked, what each answer tells the model, how it is withdrawn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.inquiries import QuestionAnswer, QuestionOption, UserQuestion
from core.protocol.ops import AnswerPermission, AnswerQuestion, Interrupt, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import Rig, running
from tests.fakes.wire import assert_all_valid, assert_growing, results_in, texts_in

DONE = Reply([say("Done.")])
STORE: dict[str, Any] = {
    "question": "Which store?",
    "header": "Store",
    "options": [{"label": "Postgres", "description": "runs already"}, {"label": "SQLite"}],
}
PARTS: dict[str, Any] = {
    "question": "Which parts?",
    "header": "Parts",
    "options": [{"label": "API"}, {"label": "Window"}, {"label": "Docs"}],
    "multiSelect": True,
}


def ask(number: int, *questions: dict[str, Any]) -> dict[str, Any]:
    return call("AskUserQuestion", f"q{number}", questions=list(questions))


async def asked(rig: Rig, count: int = 1) -> ev.QuestionAsked:
    """The question that is open, after a prompt."""
    await rig.until(lambda: len(rig.of(ev.QuestionAsked)) >= count)
    return rig.of(ev.QuestionAsked)[count - 1]


async def reply(rig: Rig, *answers: QuestionAnswer, comment: str = "") -> None:
    """Send a prompt and answer what is asked."""
    await rig.do(SubmitPrompt(text="go"))
    event = await asked(rig)
    await rig.do(AnswerQuestion(request_id=event.request.id, answers=answers, comment=comment))
    await rig.settle()


async def test_the_questions_reach_the_user_and_the_answers_the_model(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([ask(1, STORE, PARTS)]), DONE], tmp_path, isolated_machine) as rig:
        answers = QuestionAnswer(chosen=("SQLite",)), QuestionAnswer(chosen=("API", "Docs"), text="and the tests")
        await reply(rig, *answers, comment="small steps please")
        request = (await asked(rig)).request
        assert request.tool_use_id == "q1"
        assert request.questions[0] == UserQuestion(
            question="Which store?",
            header="Store",
            options=(QuestionOption(label="Postgres", description="runs already"), QuestionOption(label="SQLite")),
        )
        assert request.questions[1].multi_select
        result = results_in(rig.requests[-1])["q1"]
        assert not result.get("is_error")
        assert result["content"] == (
            "The user answered.\n\nWhich store?\n- SQLite\n\n"
            "Which parts?\n- API\n- Docs\n- in their own words: and the tests\n\nThey add: small steps please"
        )
        assert rig.of(ev.QuestionResolved) == [
            ev.QuestionResolved(request_id=request.id, tool_use_id="q1", outcome="answered")
        ]
        assert rig.of(ev.ToolFinished)[-1].display.details["answers"][1]["chosen"] == ["API", "Docs"]
        assert not rig.of(ev.PermissionRequested)
        assert [event.behavior for event in rig.of(ev.PermissionDecided)] == ["allow"]
        turns = {envelope.turn_id for envelope in rig.envelopes if isinstance(envelope.event, ev.QuestionAsked)}
        assert turns and "" not in turns


async def test_a_question_is_asked_in_plan_mode_too(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(mode="plan")
    async with running([Reply([ask(1, STORE)]), DONE], tmp_path, isolated_machine, settings=settings) as rig:
        await reply(rig, QuestionAnswer(text="neither"))
        assert "in their own words: neither" in results_in(rig.requests[-1])["q1"]["content"]


async def test_declined_without_a_word_the_turn_ends(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([ask(1, STORE), call("LS", "l", path=".")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await reply(rig)
        assert rig.of(ev.TurnEnded)[-1].reason == "denied"
        assert len(rig.requests) == 1
        assert rig.of(ev.QuestionResolved)[-1].outcome == "declined"
        await rig.prompt("use files")
        results = results_in(rig.requests[-1])
        assert results["q1"]["is_error"] and "did not want to answer" in results["q1"]["content"]
        assert set(results) == {"q1", "l"}
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_declined_with_a_comment_the_model_reads_it(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([ask(1, STORE)]), DONE], tmp_path, isolated_machine) as rig:
        await reply(rig, comment="look at the README")
        result = results_in(rig.requests[-1])["q1"]
        assert result["is_error"] and "look at the README" in result["content"]
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_two_questions_of_one_response_are_asked_one_after_the_other(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with running([Reply([ask(1, STORE), ask(2, PARTS)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        first = await asked(rig)
        assert list(rig.engine.calls.broker.pending) == [first.request.id]
        await rig.do(AnswerQuestion(request_id=first.request.id, answers=(QuestionAnswer(chosen=("SQLite",)),)))
        second = await asked(rig, 2)
        await rig.do(AnswerPermission(request_id=second.request.id, answer="once"))
        assert rig.engine.calls.broker.pending == (second.request.id,), "an answer of another kind is none"
        await rig.do(AnswerQuestion(request_id=second.request.id, answers=(QuestionAnswer(chosen=("API",)),)))
        await rig.settle()
        results = results_in(rig.requests[-1])
        assert "SQLite" in results["q1"]["content"] and "API" in results["q2"]["content"]


async def test_an_interrupt_withdraws_the_question(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([ask(1, STORE)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        event = await asked(rig)
        await rig.do(Interrupt())
        await rig.settle()
        assert rig.of(ev.QuestionResolved)[-1].outcome == "withdrawn"
        assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"
        assert rig.engine.calls.broker.pending == ()
        await rig.do(AnswerQuestion(request_id=event.request.id, answers=(QuestionAnswer(chosen=("SQLite",)),)))
        await rig.prompt("go on")
        assert "Interrupted by the user" in results_in(rig.requests[-1])["q1"]["content"]
        assert texts_in(rig.requests[-1])[-1] == "go on"
        assert_all_valid(rig.requests)


async def test_closing_withdraws_the_question_and_leaves_nothing_running(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with running([Reply([ask(1, STORE)])], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await asked(rig)
        async with asyncio.timeout(5):
            await rig.engine.close()
        assert rig.engine.calls.broker.pending == ()
        assert not rig.engine.session.is_busy
    session = rig.engine.session_id
    async with running([DONE], tmp_path, isolated_machine, resume=session) as again:
        await again.prompt("and now?")
        assert set(results_in(again.requests[-1])) == {"q1"}
        assert_all_valid(again.requests)


async def test_with_nobody_to_ask_it_fails_at_once(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([ask(1, STORE)]), DONE]
    async with running(replies, tmp_path, isolated_machine, is_attended=False) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["q1"]
        assert result["is_error"] and "nobody to ask" in result["content"] and "assumed" in result["content"]
        assert not rig.of(ev.QuestionAsked)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


@pytest.mark.parametrize(
    ("questions", "problem"),
    [
        ([], "at least 1"),
        ([STORE] * 5, "at most 4"),
        ([{**STORE, "header": "A header of many letters"}], "at most 12"),
        ([{**STORE, "options": [{"label": "one"}]}], "at least 2"),
        ([{**STORE, "options": [{"label": str(n)} for n in range(5)]}], "at most 4"),
        ([{**STORE, "options": [{"label": "one"}, {"label": " one"}]}], "a label of its own"),
        ([{**STORE, "options": [{"label": "one"}, {"label": " "}]}], "a label of its own"),
        ([{**STORE, "question": ""}], "at least 1"),
        ([{**STORE, "multiple": True}], "multiple"),
    ],
)
async def test_what_cannot_be_asked_is_told(
    tmp_path: Path, isolated_machine: Path, questions: list[dict[str, Any]], problem: str
) -> None:
    async with running([Reply([ask(1, *questions)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["q1"]
        assert result["is_error"] and problem in result["content"]
        assert not rig.of(ev.QuestionAsked)


async def test_fewer_answers_than_questions_are_told_as_such(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([ask(1, STORE, PARTS)]), DONE], tmp_path, isolated_machine) as rig:
        await reply(rig, QuestionAnswer(chosen=("SQLite",)))
        assert "Which parts?\n- (no answer)" in results_in(rig.requests[-1])["q1"]["content"]


async def test_a_message_sent_instead_withdraws_the_question(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([ask(1, STORE)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await asked(rig)
        await rig.do(SubmitPrompt(text="forget it, use files"))
        await rig.settle()
        assert rig.of(ev.QuestionResolved)[-1].outcome == "withdrawn"
        assert "sent a message" in results_in(rig.requests[-1])["q1"]["content"]
        assert texts_in(rig.requests[-1])[-1] == "forget it, use files"
        assert_all_valid(rig.requests)

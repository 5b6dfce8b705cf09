"""The broker that asks the user, and the modes that need no one to ask."""

from __future__ import annotations

import asyncio

import pytest

from core.bus.bus import Bus, Publisher
from core.host.clock import SystemClock
from core.permissions.broker import Broker
from core.permissions.modes import check_mode
from core.protocol.errors import AgentError
from core.protocol.events import PermissionRequested, PermissionResolved, PlanProposed, QuestionAsked, QuestionResolved
from core.protocol.inquiries import PlanRequest, QuestionAnswer, QuestionRequest
from core.protocol.ops import AnswerPermission, AnswerPlan, AnswerQuestion
from core.protocol.views import Behavior, PermissionRequest


def test_bypassing_is_refused_for_root_outside_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(AgentError, match="root"):
        check_mode("bypassPermissions", {})
    with pytest.raises(AgentError, match="root"):
        check_mode("bypassPermissions", {"IS_SANDBOX": "0"})
    check_mode("bypassPermissions", {"IS_SANDBOX": "1"})
    for mode in ("default", "acceptEdits", "plan"):
        check_mode(mode, {})
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    check_mode("bypassPermissions", {})


def still_asks() -> Behavior:
    return "ask"


def test_bypassing_is_refused_where_the_settings_disable_it() -> None:
    with pytest.raises(AgentError, match="settings disable it"):
        check_mode("bypassPermissions", {"IS_SANDBOX": "1"}, is_bypass_disabled=True)
    check_mode("acceptEdits", {}, is_bypass_disabled=True)


def request(name: str) -> PermissionRequest:
    return PermissionRequest(id=name, tool_use_id=f"toolu_{name}", tool_name="Bash", input={}, reason="why")


async def test_an_answer_reaches_the_one_who_asked() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = Broker(is_attended=True)
    asking = [asyncio.create_task(broker.ask(request(name), Publisher(bus), still_asks)) for name in "ab"]
    await asyncio.sleep(0)
    assert broker.pending == ("a", "b")
    no = AnswerPermission(request_id="b", answer="deny", comment="not now")
    assert not broker.answer(AnswerPermission(request_id="nosuch", answer="once"))
    assert broker.answer(no)
    assert not broker.answer(AnswerPermission(request_id="b", answer="once"))
    assert await asking[1] == no
    assert broker.pending == ("a",)
    yes = AnswerPermission(request_id="a", answer="session")
    assert broker.answer(yes)
    assert await asking[0] == yes
    events = [envelope.event for envelope in seen.take()]
    assert [type(event) for event in events] == [PermissionRequested] * 2 + [PermissionResolved] * 2
    assert [denied.id for denied in broker.denials] == ["b"]


@pytest.mark.parametrize(("behavior", "answer"), [("allow", "once"), ("deny", "deny")])
async def test_what_is_settled_by_a_new_rule_is_answered(behavior: Behavior, answer: str) -> None:
    bus = Bus("s", SystemClock())
    broker = Broker(is_attended=True)
    decided: dict[str, Behavior] = {"a": "ask", "b": "ask"}
    asking = {
        name: asyncio.create_task(broker.ask(request(name), Publisher(bus), lambda name=name: decided[name]))
        for name in decided
    }
    await asyncio.sleep(0)
    broker.look_again()
    assert broker.pending == ("a", "b")
    decided["b"] = behavior
    broker.look_again()
    assert (await asking["b"]).answer == answer
    assert broker.pending == ("a",)
    assert (broker.request("a"), broker.request("b")) == (request("a"), None)
    asking["a"].cancel()


async def test_a_withdrawn_question_is_closed() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = Broker(is_attended=True)
    asking = asyncio.create_task(broker.ask(request("a"), Publisher(bus), still_asks))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert broker.pending == ()
    assert not broker.answer(AnswerPermission(request_id="a", answer="once"))
    last = seen.take()[-1].event
    assert isinstance(last, PermissionResolved)
    assert last.answer is None


async def test_with_no_one_to_ask_the_answer_is_no_at_once() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = Broker(is_attended=False)
    reply = await broker.ask(request("a"), Publisher(bus), still_asks)
    assert reply.answer == "deny"
    assert "--allowedTools" in reply.comment
    assert [denied.id for denied in broker.denials] == ["a"]
    assert seen.take() == []


async def test_questions_and_plans_wait_for_an_answer_of_their_own_kind() -> None:
    bus = Bus("s", SystemClock())
    seen, broker = bus.subscribe(), Broker(is_attended=True)
    question = QuestionRequest(id="q", tool_use_id="t1", questions=())
    plan = PlanRequest(id="p", tool_use_id="t2", plan="# Plan", path="/plan.md")
    asking = asyncio.create_task(broker.question(question, Publisher(bus)))
    proposing = asyncio.create_task(broker.propose(plan, Publisher(bus)))
    await asyncio.sleep(0)
    assert broker.pending == ("q", "p")
    for request_id in broker.pending:
        assert not broker.answer(AnswerPermission(request_id=request_id, answer="once"))
    assert not broker.answer(AnswerQuestion(request_id="p"))
    assert not broker.answer(AnswerPlan(request_id="q", answer="accept_edits"))
    given = AnswerQuestion(request_id="q", answers=(QuestionAnswer(chosen=("a",)),))
    assert broker.answer(given) and await asking == given
    proposing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await proposing
    assert broker.pending == ()
    events = [envelope.event for envelope in seen.take()]
    assert events == [
        QuestionAsked(request=question),
        PlanProposed(request=plan),
        QuestionResolved(request_id="q", tool_use_id="t1", outcome="answered"),
        QuestionResolved(request_id="p", tool_use_id="t2", outcome="withdrawn"),
    ]


async def test_an_answer_and_an_interrupt_in_the_same_breath_withdraw_the_question() -> None:
    bus = Bus("s", SystemClock())
    seen, broker = bus.subscribe(), Broker(is_attended=True)
    request = QuestionRequest(id="q", tool_use_id="t1", questions=())
    asking = asyncio.create_task(broker.question(request, Publisher(bus)))
    await asyncio.sleep(0)
    broker.answer(AnswerQuestion(request_id="q"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    last = seen.take()[-1].event
    assert last == QuestionResolved(request_id="q", tool_use_id="t1", outcome="withdrawn")

"""The broker that asks the user, and the modes that need no one to ask."""

from __future__ import annotations

import asyncio

import pytest

from core.bus.bus import Bus, Publisher
from core.host.clock import SystemClock
from core.permissions.broker import PermissionBroker, Reply
from core.permissions.modes import check_mode
from core.protocol.errors import AgentError
from core.protocol.events import PermissionRequested, PermissionResolved
from core.protocol.views import PermissionRequest


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


def request(name: str) -> PermissionRequest:
    return PermissionRequest(id=name, tool_use_id=f"toolu_{name}", tool_name="Bash", input={}, reason="why")


async def test_an_answer_reaches_the_one_who_asked() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = PermissionBroker(is_attended=True)
    asking = [asyncio.create_task(broker.ask(request(name), Publisher(bus))) for name in "ab"]
    await asyncio.sleep(0)
    assert broker.pending == ("a", "b")
    assert not broker.answer("nosuch", Reply("once"))
    assert broker.answer("b", Reply("deny", "not now"))
    assert not broker.answer("b", Reply("once"))
    assert await asking[1] == Reply("deny", "not now")
    assert broker.pending == ("a",)
    assert broker.answer("a", Reply("session"))
    assert await asking[0] == Reply("session")
    events = [envelope.event for envelope in seen.take()]
    assert [type(event) for event in events] == [PermissionRequested] * 2 + [PermissionResolved] * 2
    assert [denied.id for denied in broker.denials] == ["b"]


async def test_a_withdrawn_question_is_closed() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = PermissionBroker(is_attended=True)
    asking = asyncio.create_task(broker.ask(request("a"), Publisher(bus)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert broker.pending == ()
    assert not broker.answer("a", Reply("once"))
    last = seen.take()[-1].event
    assert isinstance(last, PermissionResolved)
    assert last.answer is None


async def test_with_no_one_to_ask_the_answer_is_no_at_once() -> None:
    bus = Bus("s", SystemClock())
    seen = bus.subscribe()
    broker = PermissionBroker(is_attended=False)
    reply = await broker.ask(request("a"), Publisher(bus))
    assert reply.answer == "deny"
    assert "--allowedTools" in reply.comment
    assert [denied.id for denied in broker.denials] == ["a"]
    assert seen.take() == []

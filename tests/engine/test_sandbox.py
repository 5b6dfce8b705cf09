"""The sandbox through the whole engine: told at the start, and what it changes in a turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.host.sandbox.sandbox import Sandbox
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import AnswerPermission, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import fake_host, running
from tests.fakes.wire import results_in

ENABLED = Settings(sandbox_enabled=True, sandbox_asks_nothing=True)
DONE = Reply([say("Done.")])


@pytest.fixture(autouse=True)
async def bubblewrap() -> None:
    sandbox = Sandbox(("bubblewrap",))
    if await sandbox.find() is None:
        pytest.skip(sandbox.unavailable_because)


async def test_a_confined_command_runs_unasked_and_leaving_is_asked_about(
    tmp_path: Path, isolated_machine: Path
) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    work.mkdir()
    inside = call("Bash", "b1", command=f"touch made; touch {outside}")
    leaving = call("Bash", "b2", command=f"touch {outside}", dangerouslyDisableSandbox=True)
    replies = [Reply([inside]), Reply([leaving]), DONE]
    async with running(replies, work, isolated_machine, settings=ENABLED) as rig:
        notice = await rig.event(ev.Notice, lambda event: "confined" in event.text)
        assert notice.level == "info" and str(work) in notice.text
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        assert (request.tool_use_id, request.reason) == ("b2", "it asks to run outside the sandbox")
        assert (work / "made").exists() and not outside.exists()
        await rig.do(AnswerPermission(request_id=request.id, answer="once"))
        await rig.settle()
        assert outside.exists()
        assert "[It ran confined" in str(results_in(rig.requests[1]))


async def test_where_nothing_confines_it_is_told_and_asked(tmp_path: Path, isolated_machine: Path) -> None:
    host = replace(fake_host(), sandbox=Sandbox(()))
    replies = [Reply([call("Bash", "b1", command="touch made")]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=ENABLED, host=host) as rig:
        notice = await rig.event(ev.Notice, lambda event: "confined" in event.text)
        assert notice.level == "warning"
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        await rig.do(AnswerPermission(request_id=request.id, answer="once"))
        await rig.settle()
        assert (tmp_path / "made").exists()


async def test_switched_off_nothing_is_said(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert not any("confined" in notice.text for notice in rig.of(ev.Notice))
        assert "dangerouslyDisableSandbox" not in str(rig.requests[0].tools)

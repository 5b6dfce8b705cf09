"""Whole turns on the scripted model: what is published, what is sent."""

from __future__ import annotations

from pathlib import Path

from core.llm.scripted import Reply, ScriptedModel, call, say
from core.protocol import events as ev
from tests.fakes.engines import running


async def test_a_question_is_answered_by_reading(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    replies = [Reply([say("Looking."), call("Read", "t1", file_path="a.txt")]), Reply([say("It says one, two.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("What is in a.txt?")
        assert [end.reason for end in rig.of(ev.TurnEnded)] == ["completed"]
        (result,) = rig.of(ev.ToolFinished)
        assert "one" in result.content and not result.is_error
        model = rig.model
        assert isinstance(model, ScriptedModel)
        last = model.requests[-1].messages
        assert [message["role"] for message in last] == ["user", "assistant", "user"]
        assert last[-1]["content"][0]["tool_use_id"] == "t1"

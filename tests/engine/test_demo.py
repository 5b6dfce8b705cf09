"""The offline demo on the whole engine: real tools, two subagents, and nothing that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.llm import demo
from core.llm.demo import ERRANDS, demo_model
from core.protocol import events as ev
from core.protocol.envelope import Envelope
from core.protocol.ids import MAIN_AGENT
from core.protocol.ops import AnswerPermission, MessageAgent, SubmitPrompt
from tests.fakes.engines import Rig, running


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PACE_S", 0.0)
    monkeypatch.setattr(demo, "AGENT_PACE_S", 0.0)


async def tour(rig: Rig) -> None:
    await rig.do(SubmitPrompt(text="show me"))
    for number in (1, 2):
        await rig.until(lambda number=number: len(rig.of(ev.PermissionRequested)) == number)
        await rig.do(AnswerPermission(request_id=rig.of(ev.PermissionRequested)[-1].request.id, answer="once"))
    await rig.settle()


def of_agents(rig: Rig) -> list[Envelope]:
    return [envelope for envelope in rig.envelopes if envelope.agent_id != MAIN_AGENT]


@pytest.mark.parametrize("files", [{}, {"README.md": "# A project\n", "app.py": "x = 1  # TODO: more\n"}])
async def test_two_subagents_look_around_at_once(tmp_path: Path, isolated_machine: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    async with running(demo_model(), tmp_path, isolated_machine, has_agents=True, is_demo=True) as rig:
        await tour(rig)
        ended = rig.of(ev.AgentEnded)
        assert sorted(event.agent.description for event in ended) == sorted(
            words for words, _prompt in ERRANDS.values()
        )
        assert [event.agent.status for event in ended] == ["completed", "completed"]
        order = [type(event) for event in rig.events if isinstance(event, ev.AgentStarted | ev.AgentEnded)]
        assert order[:2] == [ev.AgentStarted, ev.AgentStarted], "both run at the same time"
        finished = [envelope.event for envelope in of_agents(rig) if isinstance(envelope.event, ev.ToolFinished)]
        assert len(finished) == (6 if files else 5)
        assert not [event for event in rig.of(ev.ToolFinished) if event.is_error]
        assert not any(isinstance(envelope.event, ev.PermissionRequested) for envelope in of_agents(rig))
        results = " ".join(event.result for event in ended)
        if files:
            assert "`README.md`" in results and "marks of open work: 1" in results
        else:
            assert "no documents" in results and "marks of open work: 0" in results
        assert [event.reason for event in rig.of(ev.TurnEnded) if event.steps > 5] == ["completed"]


async def test_a_subagent_that_is_spoken_to_afterwards_says_that_it_is_a_demo(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with running(demo_model(), tmp_path, isolated_machine, has_agents=True, is_demo=True) as rig:
        await tour(rig)
        agent = rig.of(ev.AgentEnded)[0].agent
        await rig.do(MessageAgent(agent_id=agent.id, text="And now?"))
        await rig.until(lambda: len(rig.of(ev.AgentEnded)) == 3)
        assert "offline demo" in rig.of(ev.AgentEnded)[-1].result

"""How the main model and the user learn which kinds of agents there are, and what of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.host import watch
from core.llm.client import ModelRequest
from core.llm.scripted import Reply, call, say
from core.prompt.agent_news import agent_list
from core.protocol import events as ev
from core.protocol.ops import Compact, ReportContext
from core.settings.schema import Settings
from tests.engine.test_news import make_repository, nothing, notices, put, told, turn
from tests.fakes.engines import Rig, denying, running
from tests.fakes.wire import NEW, OLD, assert_all_valid, assert_growing, results_in

HEAD = "Agents that you can start with the Task tool"


def agent(path: Path, description: str = "Does it.", *more: str) -> Path:
    return put(path, "\n".join(["---", f"name: {path.stem}", f"description: {description}", *more, "---", "Do it."]))


def first_text(request: ModelRequest) -> str:
    return request.messages[0]["content"][0]["text"]


def kinds(rig: Rig) -> list[list[str]]:
    return [[kind.name for kind in event.kinds] for event in rig.of(ev.AgentKindsChanged)]


def agent_news(rig: Rig) -> list[str]:
    """The news in the last request."""
    return [text for text in told(rig.requests[-1]) if text.startswith("The agents that you can start")]


BUILT_IN = ["general-purpose", "Explore", "Plan"]


async def test_the_first_message_lists_them(tmp_path: Path, isolated_machine: Path) -> None:
    agent(tmp_path / ".claude" / "agents" / "reviewer.md", "Reviews code.")
    agent(isolated_machine / "config" / "agents" / "mine.md", "Only looks.", "readOnly: true")
    put(tmp_path / "AGENTS.md", "Be brief.")
    async with running(turn(nothing), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        listing = rig.engine.session.state.definitions.listing
        first = first_text(rig.requests[0])
        assert first.startswith(agent_list(listing)) and first.endswith("Be brief.\n</system-reminder>")
        assert "\n- mine: Only looks. (read-only)\n- reviewer: Reviews code.\n" in first
        assert all(f"\n- {name}: " in first for name in BUILT_IN)
        assert kinds(rig) == [[*BUILT_IN, "mine", "reviewer"]]
        (event,) = rig.of(ev.AgentKindsChanged)
        mine = event.kinds[3]
        assert mine.is_read_only and mine.layer == "user" and "Write" not in mine.tools and "Read" in mine.tools
        assert not agent_news(rig) and not notices(rig)
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_changes_during_a_turn_are_told_in_that_turn(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    file, other = tmp_path / ".claude" / "agents" / "deep" / "a.md", tmp_path / "agents" / "b.md"
    script = turn(
        lambda: agent(file, "Comes."),
        nothing,
        lambda: (agent(file, "Changes."), agent(other, "Comes too.")),
        lambda: file.write_text(file.read_text().replace("Do it.", "Do more.")),
        lambda: other.write_text(other.read_text().replace("---\nDo", "model: opus\n---\nDo")),
        file.unlink,
        nothing,
    )
    async with running(script, tmp_path, isolated_machine, has_agents=True, settings=Settings(model=model)) as rig:
        await rig.prompt("go")
        assert [text.splitlines()[1:] for text in agent_news(rig)] == [
            ["- a: Comes."],
            ["- a: Changes.", "- b: Comes too."],
            ["No longer there: a."],
        ]
        assert kinds(rig) == [
            BUILT_IN,
            [*BUILT_IN, "a"],
            [*BUILT_IN, "a", "b"],
            [*BUILT_IN, "a", "b"],
            [*BUILT_IN, "b"],
        ]
        assert notices(rig) == [
            "Agents changed: a (new)",
            "Agents changed: a, b (new)",
            "Agents changed: b",
            "Agents changed: a (no longer there)",
        ]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_change_is_seen_while_nothing_runs(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "STEP_MS", 20)
    monkeypatch.setattr(watch, "LOOK_MS", 200)
    async with running([], tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.event(ev.AgentKindsChanged)
        agent(tmp_path / ".claude" / "agents" / "a.md")
        event = await rig.event(ev.AgentKindsChanged, lambda event: len(event.kinds) == 4)
        assert event.kinds[3].name == "a"
        agent(tmp_path / ".claude" / "agents" / "deep" / "b.md")
        await rig.event(ev.AgentKindsChanged, lambda event: len(event.kinds) == 5)
        (tmp_path / ".claude" / "agents" / "a.md").unlink()
        await rig.event(ev.AgentKindsChanged, lambda event: [kind.name for kind in event.kinds[3:]] == ["b"])


async def test_what_is_wrong_is_told_once_and_put_right(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / ".claude" / "agents" / "a.md", "---\nname: a\n---\nDo it.")
    problem = f"{file}:1: description missing: `description: …` in the frontmatter"
    async with running(turn(nothing, lambda: agent(file), nothing), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        first, second = rig.of(ev.AgentKindsChanged)
        assert (first.problems, second.problems) == ((problem,), ())
        assert [(notice.level, notice.text) for notice in rig.of(ev.Notice) if "description" in notice.text] == [
            ("warning", problem)
        ]
        assert "- a:" not in first_text(rig.requests[0])
        assert [text.splitlines()[1:] for text in agent_news(rig)] == [["- a: Does it."]]


async def test_a_folder_that_is_not_trusted_brings_none(tmp_path: Path, isolated_machine: Path) -> None:
    agent(tmp_path / ".claude" / "agents" / "evil.md")
    for is_attended in (True, False):
        async with running(
            turn(), tmp_path, isolated_machine, has_agents=True, is_trusted=False, is_attended=is_attended
        ) as rig:
            await rig.prompt("go")
            assert "evil" not in first_text(rig.requests[0]) and kinds(rig) == [BUILT_IN]
            assert "Not read, the folder is not trusted: .claude/agents/evil.md" in notices(rig)


async def test_without_the_tool_the_model_is_not_told(tmp_path: Path, isolated_machine: Path) -> None:
    script = turn(lambda: agent(tmp_path / ".claude" / "agents" / "a.md"), nothing)
    async with running(script, tmp_path, isolated_machine, tools=("Glob",)) as rig:
        await rig.prompt("go")
        assert first_text(rig.requests[0]) == "go" and not agent_news(rig)
        assert kinds(rig) == [BUILT_IN, [*BUILT_IN, "a"]]


async def test_after_a_resume_only_what_is_new_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    folder = tmp_path / ".claude" / "agents"
    agent(folder / "a.md")
    agent(folder / "b.md")
    async with running(
        turn(lambda: agent(folder / "c.md"), nothing), tmp_path, isolated_machine, has_agents=True
    ) as rig:
        await rig.prompt("go")
        before = agent_news(rig)
        assert len(before) == 1
    for number in range(3):
        if number == 1:
            agent(folder / "a.md", "Does more.")
            (folder / "b.md").unlink()
        async with running(turn(), tmp_path, isolated_machine, has_agents=True, resume="latest") as rig:
            await rig.prompt("on")
            assert [text.splitlines()[1:] for text in agent_news(rig)[1:]] == (
                [["- a: Does more.", "No longer there: b."]] if number else []
            )
            assert first_text(rig.requests[0]).startswith(f"<system-reminder>\n{HEAD}")


async def test_after_a_compaction_the_list_is_new(tmp_path: Path, isolated_machine: Path) -> None:
    folder = tmp_path / ".claude" / "agents"
    agent(folder / "a.md")
    put(tmp_path / "f.txt", "text\n" * 3_000)
    steps = turn(
        lambda: agent(folder / "b.md"),
        Reply([say("Done.")]),
        Reply([say("What was done, in short.")]),
        nothing,
    )
    async with running(
        steps, tmp_path, isolated_machine, has_agents=True, settings=Settings(background_agents=False)
    ) as rig:
        await rig.prompt("go " + "on and on " * 3_000)
        assert len(agent_news(rig)) == 1
        await rig.do(Compact())
        await rig.settle()
        assert rig.of(ev.CompactionFinished), rig.of(ev.CompactionFailed)
        await rig.prompt("on")
        first = first_text(rig.requests[-1])
        assert "\n- a: " in first and "\n- b: " in first and not agent_news(rig)


async def test_the_report_names_what_they_take(tmp_path: Path, isolated_machine: Path) -> None:
    make_repository(tmp_path)
    put(tmp_path / "AGENTS.md", "Be brief.")
    async with running(
        turn(lambda: agent(tmp_path / "agents" / "a.md")), tmp_path, isolated_machine, has_agents=True
    ) as rig:
        await rig.do(ReportContext())
        before = (await rig.event(ev.ContextReported)).report
        await rig.prompt("go")
        await rig.do(ReportContext())
        await rig.until(lambda: any(event.report.parts != before.parts for event in rig.of(ev.ContextReported)))
        after = rig.of(ev.ContextReported)[-1].report
    for report in (before, after):
        parts = {part.kind: part for part in report.parts}
        assert 50 < parts["agents"].tokens < 400 and parts["instructions"].tokens < parts["agents"].tokens
    assert {part.kind: part.count for part in after.parts}["agents"] == 2


@pytest.mark.parametrize(
    ("rule", "denied", "other"),
    [
        ("Agent(Explore)", {"subagent_type": "explore"}, {"subagent_type": "Plan"}),
        ("Task(general-purpose)", {"subagent_type": "nobody"}, {"subagent_type": "Plan"}),
        ("Agent(model:op*)", {"model": "opus"}, {"model": "inherit"}),
    ],
)
async def test_a_rule_denies_an_agent_however_it_is_called(
    tmp_path: Path, isolated_machine: Path, rule: str, denied: dict[str, str], other: dict[str, str]
) -> None:
    calls = [
        call("Task", name, description="Look", prompt="Look.", **more) for name, more in (("t1", denied), ("t2", other))
    ]
    replies = [Reply(calls), *[Reply([say("Done.")])] * 3]
    settings = Settings(rules=denying(rule))
    async with running(replies, tmp_path, isolated_machine, has_agents=True, settings=settings) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
    assert results["t1"]["is_error"] and rule.replace("Task", "Agent") in str(results["t1"])
    assert not results["t2"].get("is_error")


async def test_a_kind_that_is_made_just_before_it_is_called_is_there(tmp_path: Path, isolated_machine: Path) -> None:
    """The call reads it, before the next request would have."""
    file = tmp_path / ".claude" / "agents" / "late.md"

    def script(request: ModelRequest) -> Reply:
        if "Do it." in str(request.system):
            return Reply([say("I am late.")])
        if len(request.messages) > 1:
            return Reply([say("Done.")])
        agent(file)
        return Reply([call("Task", "t", description="Look", prompt="Look.", subagent_type="late")])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        assert [started.agent.agent_type for started in rig.of(ev.AgentStarted)] == ["late"]
        assert kinds(rig) == [BUILT_IN, [*BUILT_IN, "late"]]
        assert "I am late." in str(results_in(rig.requests[-1])["t"])

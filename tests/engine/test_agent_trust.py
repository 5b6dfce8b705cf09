"""What agents may do and how far, through the whole engine: real files, real commands, the real loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.agents import makings
from core.llm.scripted import Reply, call, say
from core.orchestration.consent import GO_ON
from core.protocol import events as ev
from core.protocol.inquiries import QuestionAnswer
from core.protocol.ops import AnswerPermission, AnswerQuestion, SubmitPrompt
from core.protocol.views import PermissionMode
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, fake_host, running
from tests.fakes.tools import program
from tests.fakes.wire import assert_all_valid, results_in, texts_in

DONE = Reply([say("Done.")])
REPORT = Reply([say("That is all.")])
WIDE = allowing("Bash", "Edit", "Write", "NotebookEdit", "TaskCreate")
ATTEMPTS: list[tuple[str, dict[str, Any]]] = [
    ("Write", {"file_path": "new", "content": "x"}),
    ("Edit", {"file_path": "notes", "old_string": "a", "new_string": "b"}),
    ("NotebookEdit", {"notebook_path": "n.ipynb", "new_source": "x", "cell_id": "1"}),
    *(
        ("Bash", {"command": command})
        for command in (
            "echo x | tee new",
            "sed -i s/a/b/ notes",
            "git commit -qam x",
            'python3 -c \'open("new", "w")\'',
            "echo x > new",
            "find . -name notes -delete",
            "touch new",
            "curl -s -o new http://localhost:1/",
        )
    ),
    ("Bash", {"command": "ls", "run_in_background": True}),
    ("Bash", {"command": "ls", "dangerouslyDisableSandbox": True}),
]


def task(kind: str = "Explore", number: int = 1, **more: Any) -> dict[str, Any]:
    return call("Task", f"task{number}", description="Look around", prompt="Go.", subagent_type=kind, **more)


def make_project(root: Path) -> None:
    root.mkdir()
    (root / "notes").write_text("a\n")
    (root / "n.ipynb").write_text("{}")
    program("git", "init", "-q", cwd=root)
    program("git", "add", "-A", cwd=root)
    program("git", "-c", "user.email=a@b", "-c", "user.name=n", "commit", "-qm", "one", cwd=root)
    (root / "notes").write_text("a\nb\n")


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and path.name != "index"}


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "bypassPermissions"])
@pytest.mark.parametrize("is_filtered", [True, False], ids=["with its own tools", "as if it were given every tool"])
async def test_explore_writes_nothing_whatever_it_tries(
    tmp_path: Path, isolated_machine: Path, mode: PermissionMode, is_filtered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_filtered:
        monkeypatch.setattr(makings, "allowed_tools", lambda _definition, names: tuple(names))  # pyright: ignore
    work = tmp_path / "work"
    make_project(work)
    before = contents(work)
    calls = [call(tool, f"c{number}", **given) for number, (tool, given) in enumerate(ATTEMPTS)]
    replies = [Reply([task()]), Reply(calls), REPORT, DONE]
    settings = Settings(mode=mode, rules=WIDE)
    host = fake_host({"IS_SANDBOX": "1"})
    async with running(replies, work, isolated_machine, settings=settings, has_agents=True, host=host) as rig:
        await rig.prompt("go")
        assert not rig.of(ev.PermissionRequested)
        results = results_in(rig.requests[2])
        assert len(results) == len(ATTEMPTS)
        for number, (tool, _given) in enumerate(ATTEMPTS):
            result = results[f"c{number}"]
            text = str(result["content"])
            assert result["is_error"], result
            if is_filtered and tool != "Bash":
                assert f"There is no tool named '{tool}'" in text
            else:
                assert f"{tool} was not run: Explore may only read, and " in text
        assert contents(work) == before
        assert_all_valid(rig.requests)


async def test_what_only_reads_runs_unasked(tmp_path: Path, isolated_machine: Path) -> None:
    work = tmp_path / "work"
    make_project(work)
    looks = ["cat notes", "git log --oneline", "ls | wc -l"]
    calls = [call("Bash", f"b{number}", command=command) for number, command in enumerate(looks)]
    async with running([Reply([task()]), Reply(calls), REPORT, DONE], work, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        assert [result.get("is_error", False) for result in results_in(rig.requests[2]).values()] == [False] * 3
        assert not rig.of(ev.PermissionRequested)


async def test_no_to_an_agent_is_no_to_that_call(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([task("general-purpose")]), Reply([call("Bash", "b1", command="touch made")]), REPORT, DONE]
    async with running(replies, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        assert request.agent and request.agent_label == "general-purpose · Look around"
        await rig.do(AnswerPermission(request_id=request.id, answer="deny"))
        await rig.settle()
        assert GO_ON in str(results_in(rig.requests[2]))
        assert not results_in(rig.requests[3])["task1"].get("is_error") and not (tmp_path / "made").exists()
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed", "completed"]


async def question(rig: Rig, *chosen: str, text: str = "") -> str:
    """Answer the one that is asked; what it says."""
    request = (await rig.event(ev.QuestionAsked)).request
    assert request.agent_label == "Explore · Look around"
    await rig.do(AnswerQuestion(request_id=request.id, answers=(QuestionAnswer(chosen=chosen, text=text),)))
    return request.questions[0].question


def grep(number: int, pattern: str = "x") -> Reply:
    return Reply([call("Grep", f"g{number}", pattern=pattern)])


ONE = Settings(agent_max_turns=1)


async def test_at_its_limit_it_sums_up(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([task()]), grep(1), Reply([say("So far: nothing.")]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=ONE, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        assert "has sent 1 request, as many as it may" in await question(rig, "Sum up and stop")
        await rig.settle()
        assert "Call no more tools" in str(texts_in(rig.requests[2]))
        assert "So far: nothing." in str(results_in(rig.requests[3]))
        ended = (await rig.event(ev.AgentEnded)).agent
        assert (ended.status, ended.ending) == (
            "completed",
            "has sent 1 request, as many as it may, and was told to sum up",
        )


async def test_it_goes_on_with_the_users_words(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([task()]), grep(1), Reply([say("It is in tests/.")]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=ONE, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await question(rig, text="Look into tests/.")
        await rig.settle()
        assert "Look into tests/." in str(texts_in(rig.requests[2]))
        assert any(event.text == "Look into tests/." for event in rig.of(ev.PromptSubmitted))


async def test_killed_the_main_conversation_goes_on(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(
        [Reply([task()]), grep(1), DONE], tmp_path, isolated_machine, settings=ONE, has_agents=True
    ) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await question(rig, "Kill it")
        await rig.settle()
        ended = (await rig.event(ev.AgentEnded)).agent
        assert ended.status == "killed" and ended.ending.endswith("as many as it may, and was killed")
        result = results_in(rig.requests[2])["task1"]
        assert result["is_error"] and "was killed" in str(result["content"])


async def test_alone_it_ends_with_the_reason(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([task()]), grep(1), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=ONE, has_agents=True, is_attended=False) as rig:
        await rig.prompt("go")
        ended = (await rig.event(ev.AgentEnded)).agent
        assert ended.status == "failed" and "as many as it may" in ended.ending
        assert "as many as it may" in str(results_in(rig.requests[2]))


async def test_the_same_call_again_and_again_is_asked_about(tmp_path: Path, isolated_machine: Path) -> None:
    settings = replace(Settings(), agent_repeats=3)
    replies = [Reply([task()]), grep(1), grep(2), grep(3), REPORT, DONE]
    async with running(replies, tmp_path, isolated_machine, settings=settings, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        assert "the same call of Grep 3 times in a row" in await question(rig, "Go on")
        await rig.settle()
        troubles = {event.agent.trouble for event in rig.of(ev.AgentProgressed)}
        assert troubles == {"", "the same call of Grep 2 times in a row", "the same call of Grep 3 times in a row"}

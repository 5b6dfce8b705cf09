"""What is sent beside the conversation: system prompt, instructions, news, breakpoints, thinking."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import SetMode, SetModel
from core.settings.schema import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, running
from tests.fakes.wire import NEW, OLD, assert_all_valid, assert_growing, texts_in

DAY_S = 86_400
MAX_FIRST_TOKENS = 6_000
BYTES_PER_TOKEN = 3.6


def says(count: int) -> list[Reply]:
    return [Reply([say(f"Answer {number}.")]) for number in range(count)]


def system_of(request: ModelRequest) -> str:
    return "\n".join(block["text"] for block in request.system)


def marked(request: ModelRequest) -> list[tuple[str, int, int]]:
    """Where breakpoints stand: section, message or block number, block number."""
    found = [("tools", number, 0) for number, tool in enumerate(request.tools) if "cache_control" in tool]
    found += [("system", number, 0) for number, block in enumerate(request.system) if "cache_control" in block]
    for number, message in enumerate(request.messages):
        found += [
            ("messages", number, index) for index, block in enumerate(message["content"]) if "cache_control" in block
        ]
    return found


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def make_repository(folder: Path, files: int = 0) -> None:
    git(folder, "init", "-b", "main")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "The first commit")
    git(folder, "checkout", "-b", "topic")
    for number in range(files):
        (folder / f"a_new_file_with_a_long_name_{number:04}.txt").touch()


def clock_of(rig: Rig) -> FakeClock:
    assert isinstance(rig.host.clock, FakeClock)
    return rig.host.clock


async def test_the_static_part_is_the_same_in_every_request_and_session(tmp_path: Path, isolated_machine: Path) -> None:
    seen: set[str] = set()
    tools: set[str] = set()
    for number in range(2):
        folder = tmp_path / f"project{number}"
        folder.mkdir()
        if number:
            make_repository(folder)
        async with running(says(2), folder, isolated_machine) as rig:
            await rig.prompt("one")
            clock_of(rig).now += 3 * DAY_S
            (folder / "b.txt").touch()
            await rig.prompt("two")
            assert rig.requests[0].system == rig.requests[1].system, "frozen for the session"
            for request in rig.requests:
                seen.add(request.system[0]["text"])
                tools.add(json.dumps(request.tools))
    assert len(seen) == 1
    assert len(tools) == 1
    (static,) = seen
    assert str(tmp_path) not in static and "2026" not in static


async def test_the_session_part_says_where_and_when(tmp_path: Path, isolated_machine: Path) -> None:
    make_repository(tmp_path)
    async with running(says(1), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        session = rig.requests[0].system[1]["text"]
    for wanted in (str(tmp_path), "2026-11-18", "topic", "main", "The first commit", NEW, "linux"):
        assert wanted in session
    assert "snapshot" in session.lower()


async def test_the_git_snapshot_is_bounded_and_says_that_it_was_cut(tmp_path: Path, isolated_machine: Path) -> None:
    make_repository(tmp_path, files=120)
    async with running(says(1), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        session = rig.requests[0].system[1]["text"]
    start = session.lower().index("git", session.index(NEW))
    assert len(session) - start <= 2_000
    assert "cut" in session and "The first commit" in session


async def test_outside_a_repository_nothing_is_said_of_git_but_that(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(1), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        assert "snapshot" not in system_of(rig.requests[0]).lower()


async def test_custom_and_appended_prompt(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(system_prompt="You are a {parrot}.", append_system_prompt="Speak {up}.")
    async with running(says(1), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("hi")
        assert rig.requests[0].system[0]["text"] == "You are a {parrot}."
        assert rig.requests[0].system[-1]["text"].endswith("Speak {up}.")


async def test_instruction_files_in_order_with_imports(tmp_path: Path, isolated_machine: Path) -> None:
    make_repository(tmp_path)
    deep = tmp_path / "pkg" / "deep"
    deep.mkdir(parents=True)
    (isolated_machine / "config").mkdir()
    (isolated_machine / "config" / "AGENTS.md").write_text("USER RULE\n")
    (tmp_path / "AGENTS.md").write_text("ROOT RULE\nsee @more.md\n`@not.md`\n")
    (tmp_path / "more.md").write_text("IMPORTED RULE\n")
    (tmp_path / "pkg" / "CLAUDE.md").write_text("PACKAGE RULE {braces}\n")
    (deep / "CLAUDE.local.md").write_text("DEEP RULE\n")
    (tmp_path.parent / "AGENTS.md").write_text("ABOVE THE REPOSITORY\n")
    async with running(says(1), deep, isolated_machine) as rig:
        await rig.prompt("hi")
        first = texts_in(rig.requests[0])[0]
    (tmp_path.parent / "AGENTS.md").unlink()
    places = [first.index(rule) for rule in ("USER RULE", "ROOT RULE", "IMPORTED RULE", "PACKAGE RULE {", "DEEP RULE")]
    assert places == sorted(places)
    assert "ABOVE" not in first
    assert first.startswith("<system-reminder>") and first.rstrip().endswith("</system-reminder>")


async def test_the_context_is_first_in_the_first_user_message_and_never_shown(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "AGENTS.md").write_text("BE BRIEF\n")
    async with running(says(2), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        await rig.prompt("more")
        first = rig.requests[0].messages[0]
        assert first["role"] == "user"
        texts = [block["text"] for block in first["content"]]
        assert len(texts) == 2 and "BE BRIEF" in texts[0] and texts[1] == "hi"
        assert sum("BE BRIEF" in text for text in texts_in(rig.requests[1])) == 1
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["hi", "more"]
        assert_growing(rig.requests)


async def test_an_untrusted_folder_says_nothing(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("DO EVIL\n")
    async with running(says(1), tmp_path, isolated_machine, is_trusted=False) as rig:
        await rig.prompt("hi")
        assert texts_in(rig.requests[0]) == ["hi"]


async def test_a_huge_instruction_file_is_warned_about(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("x " * 30_000)
    async with running(says(1), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        (warning,) = [event for event in rig.of(ev.Notice) if event.level == "warning"]
        assert "60,000" in warning.text


def news_in(request: ModelRequest, model: str, word: str) -> list[str]:
    role = "system" if model == NEW else "user"
    return [text for text in texts_in(request, role) if word in text and (model == NEW or "system-reminder" in text)]


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_a_new_date_is_told_once(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    async with running(says(4), tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
        await rig.prompt("one")
        clock_of(rig).now += DAY_S
        await rig.prompt("two")
        await rig.prompt("three")
        clock_of(rig).now += DAY_S
        await rig.prompt("four")
        counts = [len(news_in(request, model, "2026-11-")) for request in rig.requests]
        assert counts == [0, 1, 1, 2]
        assert news_in(rig.requests[1], model, "2026-11-19")
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_a_changed_instruction_file_is_told_once(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    (tmp_path / "AGENTS.md").write_text("OLD RULE\n")
    async with running(says(4), tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
        await rig.prompt("one")
        (tmp_path / "AGENTS.md").write_text("NEW RULE {x}\n")
        await rig.prompt("two")
        await rig.prompt("three")
        (tmp_path / "AGENTS.md").unlink()
        await rig.prompt("four")
        assert [len(news_in(request, model, "NEW RULE {x}")) for request in rig.requests] == [0, 1, 1, 1]
        role = "system" if model == NEW else "user"
        told = [len(texts_in(request, role)) for request in rig.requests]
        assert told[3] - told[2] == (1 if model == NEW else 2), "that there are none any more is news too"
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_nothing_new_is_nothing_said(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("RULE\n")
    async with running(says(5), tmp_path, isolated_machine) as rig:
        for _ in range(5):
            await rig.prompt("hi")
        assert texts_in(rig.requests[-1], "system") == []


async def test_plan_mode_is_told_and_its_end_too(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(4), tmp_path, isolated_machine) as rig:
        for mode in ("plan", "plan", "default"):
            await rig.do(SetMode(mode=mode))
            await rig.prompt("hi")
        assert [len(texts_in(request, "system")) for request in rig.requests] == [1, 1, 2]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_stale_todo_list_is_recalled_now_and_then(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    todos = call("TodoWrite", "t", todos=[{"id": "1", "content": "Unfinished work", "status": "pending"}])
    reads = [Reply([call("Read", f"r{number}", file_path="a.txt")]) for number in range(24)]
    async with running([Reply([todos]), *reads, *says(1)], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        told = [
            len([text for text in texts_in(request, "system") if "Unfinished work" in text]) for request in rig.requests
        ]
        assert told[5] == 0
        assert 1 <= told[-1] <= 3
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_breakpoints_on_the_static_prompt_and_the_last_two_messages(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    replies = [Reply([say("x"), call("Read", "r", file_path="a.txt")]), *says(2)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("one")
        await rig.prompt("two")
        assert marked(rig.requests[0]) == [("system", 0, 0), ("messages", 0, 0)]
        assert marked(rig.requests[1]) == [("system", 0, 0), *(("messages", *at) for at in ((1, 1), (2, 0)))]
        assert marked(rig.requests[2]) == [("system", 0, 0), *(("messages", *at) for at in ((3, 0), (4, 0)))]
        controls = [block.get("cache_control") for block in rig.requests[0].system]
        assert controls == [{"type": "ephemeral"}, None]
        assert_all_valid(rig.requests)


async def test_the_longer_lifetime_is_asked_for_by_setting(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(1), tmp_path, isolated_machine, settings=Settings(cache_ttl="1h")) as rig:
        await rig.prompt("one")
        assert rig.requests[0].system[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
        assert_all_valid(rig.requests)


async def test_no_breakpoints_where_caching_is_off(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(1), tmp_path, isolated_machine, settings=Settings(prompt_caching=False)) as rig:
        await rig.prompt("one")
        assert marked(rig.requests[0]) == []


THINKING: dict[str, dict[str, Any] | None] = {
    "claude-opus-5-5": {"type": "adaptive", "display": "summarized"},
    "claude-sonnet-5": {"type": "adaptive", "display": "summarized"},
    "claude-haiku-4-5": {"type": "enabled", "budget_tokens": 16_000},
    "some-local-model": None,
}


@pytest.mark.parametrize("model", THINKING)
async def test_thinking_as_the_model_takes_it(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    async with running(says(1), tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
        await rig.prompt("one")
        assert rig.requests[0].thinking == THINKING[model]
        if model.startswith("claude"):
            assert_all_valid(rig.requests)


async def test_effort_is_sent_where_the_model_has_it(tmp_path: Path, isolated_machine: Path) -> None:
    for model, sent in (("claude-opus-5-5", {"effort": "low"}), ("claude-haiku-4-5", None)):
        settings = Settings(model=model, effort="low")
        async with running(says(1), tmp_path, isolated_machine, settings=settings) as rig:
            await rig.prompt("one")
            assert rig.requests[0].output_config == sent
            assert_all_valid(rig.requests)


async def test_another_model_is_used_from_the_next_request_on(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(2), tmp_path, isolated_machine) as rig:
        await rig.prompt("one")
        await rig.do(SetModel(model=OLD, is_confirmed=True))
        assert (await rig.event(ev.ModelChanged)).model == OLD
        await rig.prompt("two")
        assert [request.model for request in rig.requests] == [NEW, OLD]
        assert_all_valid(rig.requests)


async def test_the_first_request_is_small(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(says(1), tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        request = rig.requests[0]
        size = len(json.dumps([request.system, request.tools], ensure_ascii=False, separators=(",", ":")).encode())
    tokens = round(size / BYTES_PER_TOKEN)
    print(f"first request: {tokens} tokens of system and tools")
    assert tokens <= MAX_FIRST_TOKENS

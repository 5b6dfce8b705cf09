"""The first start: where the words come from, whether the folder is trusted, and what the files say wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol.events import SessionStarted
from core.settings.trust import is_trusted
from tests.fakes.windows import WIDE, Opener, Window


def store(window: Window) -> Path:
    return window.home / "agent-tui" / "data" / "trust.json"


def files_under(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


async def test_without_a_key_it_says_what_it_is_and_what_can_be_done(opener: Opener) -> None:
    async with opener(None, is_started=False) as window:
        await window.until_shows("Welcome", "coding agent for the terminal", "ANTHROPIC_API_KEY", "d Look around")
        assert window.shows("k Type in an API key", "l Use a local server", "q Leave")
        assert window.engines == []


async def test_the_demo(opener: Opener) -> None:
    async with opener(None, is_started=False) as window:
        await window.asked("Look around offline")
        await window.press("d")
        await window.until_shows("DEMO", "Type anything and press Enter to begin the tour")
        await window.until(lambda: bool(window.events(SessionStarted)))
        assert window.events(SessionStarted)[0].is_demo


async def test_a_key_is_taken_in_secret_and_kept_nowhere(opener: Opener) -> None:
    key = "sk-ant-0123"
    async with opener(None, is_started=False) as window:
        await window.asked("Type in an API key")
        await window.press("k")
        await window.press(*key)
        assert not window.shows("sk-ant") and not window.shows("0123")
        assert window.shows("•••")
        assert window.engines == []
        await window.press("enter")
        await window.until(lambda: bool(window.engines))
        await window.settle()
        assert not window.shows("sk-ant") and window.question is None
        assert window.composer.has_focus and window.composer.text == ""
        await window.press("up")
        assert window.composer.text == ""
    assert [path for path in files_under(opener.home) if key.encode() in path.read_bytes()] == []


async def test_an_empty_key_is_not_taken_and_escape_goes_back(opener: Opener) -> None:
    async with opener(None, is_started=False) as window:
        await window.asked("Type in an API key")
        await window.press("k", "enter")
        assert window.engines == []
        await window.press("a", "escape")
        assert window.shows("q Leave") and window.app.is_running
        await window.press("k")
        assert not window.shows("•")


async def test_a_local_server(opener: Opener) -> None:
    async with opener(None, is_started=False) as window:
        await window.asked("Use a local server")
        await window.press("l")
        await window.paste("http://example.com")
        await window.press("enter")
        await window.until_shows("http://example.com is not an address on this machine")
        assert window.engines == []
        await window.asked("Use a local server")
        await window.press("l")
        await window.paste("http://localhost:1234")
        await window.press("enter")
        await window.until(lambda: bool(window.engines))
        assert window.engine.session.state.settings.base_url == "http://localhost:1234"


@pytest.mark.parametrize("keys", [["q"], ["escape"], ["up", "enter"], ["4"]])
async def test_leaving_at_the_first_question(opener: Opener, keys: list[str]) -> None:
    async with opener(None, is_started=False) as window:
        await window.asked("Look around offline")
        await window.press(*keys)
        await window.until(lambda: not window.app.is_running)
        assert window.app.return_code == 0
        assert window.engines == []


async def test_early_keys_answer_no_first_question(opener: Opener) -> None:
    async with opener(None, is_started=False) as window:
        await window.until_shows("q Leave")
        await window.press("q", "enter", "escape")
        assert window.app.is_running and window.engines == [] and window.shows("q Leave")


async def test_a_folder_is_trusted_once(opener: Opener) -> None:
    opener.file("CLAUDE.md", "Always be brief.\n")
    async with opener([Reply([say("ok")])], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        assert window.shows("CLAUDE.md, AGENTS.md")
        assert window.engines == []
        await window.press("y")
        await window.until_shows("Instructions read: CLAUDE.md")
        assert is_trusted(store(window), window.cwd)
        await window.ask("go")
        assert "Always be brief." in json.dumps(window.requests[0].messages)
    async with opener([], is_trusted=False) as window:
        assert window.question is None and window.shows("Instructions read: CLAUDE.md")


@pytest.mark.parametrize("keys", [["n"], ["escape"], ["2"]])
async def test_a_folder_that_is_not_trusted_steers_nothing(opener: Opener, keys: list[str]) -> None:
    opener.file("CLAUDE.md", "Always be brief.\n")
    async with opener([Reply([say("ok")])], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        await window.press(*keys)
        await window.until(lambda: bool(window.readers))
        await window.ask("go")
        assert "Always be brief." not in json.dumps(window.requests[0].messages)
        assert not window.shows("Instructions read")
        assert not store(window).exists()
    async with opener([], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")


async def test_the_settings_of_a_folder_are_listed_and_count_after_a_yes(opener: Opener) -> None:
    permissions = {"allow": ["Bash(touch:*)"], "defaultMode": "acceptEdits"}
    settings = {"permissions": permissions, "theme": "paper", "hooks": {"Stop": [{"hooks": [{"type": "command"}]}]}}
    opener.file(".claude/settings.json", json.dumps(settings))
    opener.file(".claude/settings.local.json", '{"\x1b[2J": 1, "nonsense')
    script = [Reply([call("Bash", "b1", command="touch made")]), Reply([say("ok")])]
    async with opener(script, size=WIDE, is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        await window.until_shows(
            "Its settings would be used:",
            ".claude/settings.json: 1 allow rule, defaultMode acceptEdits, 1 hook, theme",
            ".claude/settings.local.json: cannot be read",
        )
        await window.press("y")
        await window.until(lambda: bool(window.readers))
        assert window.engine.calls.policies.policy.mode == "acceptEdits"
        assert window.app._wanted == "paper"  # pyright: ignore[reportPrivateUsage]
        await window.until_shows("settings.local.json:1: not")
        await window.ask("go")
        assert (window.cwd / "made").exists() and window.question is None


async def test_the_settings_of_a_folder_do_nothing_after_a_no(opener: Opener) -> None:
    opener.file(".claude/settings.json", '{"theme": "paper", "permissions": {"defaultMode": "plan", "deny": ["Bash"]}}')
    async with opener([], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        await window.press("n")
        await window.until(lambda: bool(window.readers))
        policy = window.engine.calls.policies.policy
        assert (policy.mode, policy.of("deny")) == ("default", ())
        assert window.app._wanted != "paper"  # pyright: ignore[reportPrivateUsage]


async def test_leaving_at_the_question_of_trust(opener: Opener) -> None:
    async with opener([], is_trusted=False, is_started=False) as window:
        await window.answer("q", of="Do you trust this folder?")
        await window.until(lambda: not window.app.is_running)
        assert window.engines == [] and not store(window).exists()


async def test_ctrl_c_twice_leaves_at_a_question(opener: Opener) -> None:
    async with opener([], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        await window.press("ctrl+c")
        assert window.app.is_running
        await window.press("ctrl+c")
        await window.until(lambda: not window.app.is_running)


async def test_a_yes_that_cannot_be_remembered_says_so_and_goes_on(opener: Opener) -> None:
    data = opener.home / "agent-tui" / "data"
    data.parent.mkdir(parents=True)
    data.write_text("a file where a folder should be")
    async with opener([Reply([say("It works all the same.")])], is_trusted=False, is_started=False) as window:
        await window.answer("y", of="Do you trust this folder?")
        await window.until_shows("cannot be remembered")
        await window.until(lambda: bool(window.readers))
        await window.ask("go")
        assert window.shows("It works all the same.", "The transcript cannot be written")


async def test_a_broken_settings_file(opener: Opener) -> None:
    settings = opener.home / "agent-tui" / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{\n  "model": "claude-opus-5-5",\n  oops\n}')
    async with opener([Reply([say("It works all the same.")])], size=WIDE) as window:
        await window.until_shows("⚠ Settings:", "settings.json:3", "not valid JSON", "the file is ignored")
        await window.ask("go")
        assert window.shows("It works all the same.")


async def test_a_wrong_setting_names_its_line(opener: Opener) -> None:
    settings = opener.home / "agent-tui" / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{\n  "modle": "x"\n}')
    async with opener([], size=WIDE) as window:
        await window.until_shows("settings.json:2: unknown", "modle")


async def test_not_a_git_repository(opener: Opener) -> None:
    async with opener([Reply([say("Fine.")])], is_repository=False) as window:
        await window.until_shows("This folder is not in a git repository")
        await window.ask("go")
        assert window.shows("Fine.")


async def test_nothing_to_continue_is_said(opener: Opener) -> None:
    async with opener([], selection={"resume": "latest"}, is_started=False) as window:
        await window.until(lambda: not window.app.is_running)
        assert window.app.return_code == 1
        assert "no earlier session" in str(window.app._exit_renderables).lower()  # pyright: ignore[reportPrivateUsage]


async def test_trust_in_the_home_folder_is_for_this_session_and_warned_of(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(opener.cwd))
    opener.file("CLAUDE.md", "Always be brief.\n")
    async with opener([Reply([say("ok")])], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        assert window.shows("This is no single project") and window.shows("Yes, for this session")
        await window.press("y")
        await window.until_shows("Instructions read: CLAUDE.md")
        assert not store(window).exists()
    async with opener([], is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")

"""The panel of rules and decisions, modes that ask less, and the question before nothing is asked any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.protocol import events as ev
from core.protocol.ops import AddRule, DeleteRule, SetMode
from core.protocol.views import PermissionRequest, RuleInfo
from core.settings.consents import BYPASS, has_accepted
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tests.pilot.test_consent import EVIL, show
from tests.snapshot.consents import RULES, ruled
from tui.screens.permissions import PermissionsScreen


async def opened(window: Window, *events: ev.Event) -> PermissionsScreen:
    show(window, *events)
    await window.until(lambda: window.question is None and window.composer.has_focus)
    await window.paste("/permissions")
    await window.press("enter")
    await window.until(lambda: isinstance(window.app.screen, PermissionsScreen))
    await window.pilot.pause()
    screen = window.app.screen
    assert isinstance(screen, PermissionsScreen)
    return screen


async def test_rules_are_grouped_and_told_with_their_source_and_what_is_wrong(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ev.RulesChanged(rules=tuple(reversed(RULES))))
        signs = [window.row(f"{sign} {word}") for sign, word in (("✗", "deny"), ("?", "ask"), ("✓", "allow"))]
        assert signs == sorted(signs)
        assert "managed-settings.json:4" in window.line("Bash(rm -rf *)")
        assert "⚠ the bracket is not closed" in window.line("Bash(npm:*")
        assert "this session" in window.line("WebFetch(")
        await window.press(*"pytest")
        assert window.shows("Bash(uv run pytest *)") and not window.shows("WebFetch(")
        await window.press("enter")
        assert window.shows("rule", "allow Bash(uv run pytest *)", "yours, in this project", "settings.local.json:3")
        await window.press("escape")
        assert "❯" in window.line("Bash(uv run pytest *)") and window.shows("WebFetch(")
        await window.press("escape")
        await window.until(lambda: window.composer.has_focus)


async def test_a_rule_is_deleted_by_the_same_key_twice(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ev.RulesChanged(rules=RULES))
        await window.press("delete")
        assert window.shows("can only be deleted there")
        await window.press(*"pytest", "delete")
        assert window.shows("The same key once more deletes it from")
        await window.press("down", "delete")
        assert window.sent(DeleteRule) == []
        await window.press("ctrl+d")
        await window.settle()
        assert [(op.behavior, op.text, op.layer) for op in window.sent(DeleteRule)] == [
            ("allow", "Bash(uv run pytest *)", "local")
        ]
        show(window, ev.RulesChanged(rules=RULES[:4]))
        await window.until_shows("Nothing matches 'pytest'")


async def test_a_rule_is_written(opener: Opener) -> None:
    async with opener(size=USUAL) as window:
        await opened(window)
        assert window.shows("No rules yet. + adds one.")
        await window.press("+", *"npm", "enter")
        assert window.shows("Begin with allow, ask or deny") and window.sent(AddRule) == []
        await window.press("ctrl+u", *"Deny Bash(rm *)", "tab", "enter")
        await window.settle()
        assert [(op.behavior, op.text, op.layer) for op in window.sent(AddRule)] == [("deny", "Bash(rm *)", "local")]
        show(window, ev.RulesChanged(rules=(RuleInfo(behavior="deny", text="Bash(rm *)", layer="local"),)))
        await window.until_shows("✗ deny  Bash(rm *)")
        await window.press("insert", "a", "escape")
        assert isinstance(window.app.screen, PermissionsScreen) and len(window.sent(AddRule)) == 1


async def test_decisions_say_why_and_keep_up(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, *(event for event in ruled() if not isinstance(event, ev.TurnStarted)))
        await window.press("tab")
        rows = [window.row(text) for text in ("make clean⏎make", "npm test", "id_ed25519", "parser.py", "git status")]
        assert rows == sorted(rows), "the newest first"
        assert "you: no" in window.line("make clean") and "you: yes, session" in window.line("npm test")
        await window.press("down", "enter")
        assert window.shows("tee writes /tmp/npm.log", "Bash(git push *)", "settings.json:7", "you: yes, session")
        assert "asked: git push changes" in window.line("? git push origin main")
        await window.press("escape")
        assert "❯" in window.line("npm test")
        show(window, ev.PermissionDecided(tool_use_id="n", behavior="allow", reason="new", tool_name="LS", subject="x"))
        await window.until_shows("LS x")
        assert "❯" in window.line("npm test"), "the mark stays with what it was on"
        request = PermissionRequest(id="q", tool_use_id="n", tool_name="LS", input={}, reason="r")
        show(window, ev.PermissionRequested(request=request))
        await window.until(lambda: "waits for you" in window.line("LS x"))
        show(window, ev.PermissionResolved(request_id="q", tool_use_id="n", answer=None))


@pytest.mark.parametrize("size", [USUAL, WIDE], ids=str)
async def test_hostile_rules_and_decisions(opener: Opener, size: tuple[int, int]) -> None:
    rules = (
        RuleInfo(behavior="allow", text=EVIL, layer="project", source=f"/x/{EVIL}:3", problem=EVIL),
        RuleInfo(behavior="deny", text="w" * 200, layer="user", source="/" + "s" * 200, can_delete=True),
    )
    decided = ev.PermissionDecided(
        tool_use_id="n", behavior="deny", reason=EVIL, tool_name=EVIL, subject=EVIL * 5, rule=EVIL, source=EVIL
    )
    async with opener(size=size) as window:
        await opened(window, ev.RulesChanged(rules=rules), decided)
        seen = window.screen
        for key in ("delete", "enter", "escape", "down", "enter", "right", "right", "enter"):
            await window.press(key)
            seen += window.screen
        assert "⟨U+001B⟩" in seen and "\u202e" not in seen


# Modes


async def test_one_key_goes_through_three_modes_and_never_stops_asking(opener: Opener) -> None:
    async with opener() as window:
        for mode in ("acceptEdits", "plan", "default", "acceptEdits"):
            await window.press("shift+tab")
            await window.settle()
            assert window.sent(SetMode)[-1].mode == mode
        await window.paste("/mode dontAsk")
        await window.press("enter")
        await window.until_shows("⊘ refuses instead of asking")
        await window.press("shift+tab")
        await window.until_shows("◆ asks before changes")
        await window.paste("/mode manual")
        await window.press("enter")
        await window.settle()
        assert window.sent(SetMode)[-1].mode == "default"


async def test_bypassing_is_asked_about_once(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    async with opener() as window:
        store = consents(window.home)
        for key, expected in (("n", []), ("escape", []), ("y", ["bypassPermissions"])):
            await window.paste("/mode bypassPermissions")
            await window.press("enter")
            await window.asked("Let it do everything without asking?")
            await window.press(key)
            await window.settle()
            assert [op.mode for op in window.sent(SetMode)] == expected
        await window.until_shows("⚠ bypass: asks nothing")
        assert has_accepted(store, BYPASS)
        for mode in ("default", "acceptEdits", "plan", "default"):
            await window.press("shift+tab")
            await window.settle()
            assert window.sent(SetMode)[-1].mode == mode, "it was not started so"
        await window.paste("/mode bypassPermissions")
        await window.press("enter")
        await window.until_shows("⚠ bypass: asks nothing")


@pytest.mark.parametrize(("key", "mode"), [("y", "bypassPermissions"), ("n", "default")])
async def test_a_session_that_would_ask_nothing_begins_with_a_question(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, key: str, mode: str
) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    flags = {"mode": "bypassPermissions"}
    async with opener(flags=flags, is_started=False) as window:
        await window.asked("Let it do everything without asking?")
        assert window.engines == []
        await window.press(key)
        await window.until(lambda: bool(window.events(ev.SessionStarted)))
        assert window.events(ev.SessionStarted)[0].mode == mode
        assert has_accepted(consents(window.home), BYPASS) == (key == "y")
    if key == "y":
        async with opener(flags=flags) as window:
            await window.until_shows("⚠ bypass: asks nothing")
            modes: list[str] = []
            for _ in range(4):
                await window.press("shift+tab")
                await window.settle()
                modes.append(window.sent(SetMode)[-1].mode)
            assert modes == ["default", "acceptEdits", "plan", "bypassPermissions"]


def consents(home: Path) -> Path:
    found = list(home.rglob("trust.json"))
    return found[0].with_name("consents.json")


@pytest.mark.parametrize("text", ["", "[]", '{"accepted": "bypassPermissions"}', json.dumps({"accepted": [1]})])
def test_a_damaged_store_knows_of_no_yes(tmp_path: Path, text: str) -> None:
    store = tmp_path / "consents.json"
    store.write_text(text)
    assert not has_accepted(store, BYPASS)

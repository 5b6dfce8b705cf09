"""What opens above the composer while one types: commands, files, shell mode."""

from __future__ import annotations

import asyncio

import pytest

from core.host import file_index
from core.llm.scripted import Reply, say
from core.protocol.events import ShellFinished
from core.protocol.ops import Interrupt, RunShell, SetMode, SetModel, SubmitPrompt
from tests.fakes.windows import Opener, Window
from tui.commands import COMMANDS, near_commands, split_command
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.screens.view_keys import ViewKeys
from tui.widgets.composer.completion import Completer
from tui.widgets.composer.editor import Composer
from tui.widgets.composer.items import Menu
from tui.widgets.composer.menu import CompletionMenu


def completer(window: Window) -> Completer:
    return window.composer.completer


def menu(window: Window) -> Menu:
    opened = completer(window).menu
    assert opened is not None, f"no menu is open:\n{window.screen}"
    return opened


def texts(window: Window) -> list[str]:
    return [item.text for item in menu(window).items]


async def typed(window: Window, text: str) -> None:
    names = {"/": "slash", "@": "at", "!": "exclamation_mark", " ": "space", ".": "full_stop", "_": "underscore"}
    names |= {"~": "tilde", '"': "quotation_mark"}
    await window.press(*(names.get(character, character) for character in text))


# Commands


async def test_a_slash_opens_the_commands_and_escape_leaves_the_text(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/")
        assert len(texts(window)) == len(COMMANDS)
        assert window.shows("❯ /help", "All keys", f"of {len(COMMANDS)}")
        await typed(window, "mod")
        assert texts(window) == ["/mode", "/model"]
        assert window.shows("/model <id>")
        await window.press("escape")
        assert completer(window).menu is None
        assert window.composer.text == "/mod"
        assert window.sent(Interrupt) == []
        await typed(window, "e")
        assert completer(window).menu is None


async def test_tab_completes_and_enter_runs(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/hel")
        await window.press("tab")
        assert window.composer.text == "/help "
        await window.press("enter")
        await window.until(lambda: isinstance(window.app.screen, HelpScreen))
        await window.press("escape")
        assert window.composer.text == ""
        assert window.sent(SubmitPrompt) == []
        await window.press("up")
        assert window.composer.text == "/help"
        assert completer(window).menu is None


async def test_arrows_choose(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/mod")
        await window.press("down")
        assert menu(window).chosen == 1
        await window.press("ctrl+n")
        assert menu(window).chosen == 0
        await window.press("up")
        assert menu(window).chosen == 1
        await window.press("up", "enter")
        assert window.sent(SetMode) == [SetMode(mode="acceptEdits")]


async def test_arguments_are_offered_and_passed_on(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/mode p")
        assert texts(window) == ["/mode plan"]
        await window.press("enter")
        assert window.sent(SetMode) == [SetMode(mode="plan")]
        await typed(window, "/model")
        await window.press("down", "up", "enter")
        assert window.composer.text == "/model "
        assert window.shows("/model <id>")
        await window.press("enter")
        assert window.composer.text == "/model "
        await typed(window, "abc")
        await window.press("enter")
        assert window.sent(SetModel) == [SetModel(model="abc")]
        assert window.composer.text == ""


async def test_a_mode_that_is_none_is_said(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/mode zzz")
        await window.press("enter")
        assert window.sent(SetMode) == []
        assert window.shows("There is no mode zzz", "acceptEdits")


async def test_a_misspelling_is_a_guess_that_enter_does_not_run(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/hlep")
        assert texts(window)[0] == "/help" and menu(window).chosen == -1
        await window.press("enter")
        assert window.shows("There is no command /hlep. Did you mean /help?")
        assert window.composer.text == "/hlep"
        assert not isinstance(window.app.screen, HelpScreen)
        await window.press("down", "enter")
        await window.until(lambda: isinstance(window.app.screen, HelpScreen))


async def test_a_path_is_a_prompt(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await typed(window, "/usr/bin is full")
        assert completer(window).menu is None
        await window.press("enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == [SubmitPrompt(text="/usr/bin is full")]


async def test_a_click_takes_a_row(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/mod")
        await window.pilot.click(CompletionMenu, offset=(5, 0))
        await window.pilot.pause()
        assert window.sent(SetMode) == [SetMode(mode="acceptEdits")]
        assert window.composer.has_focus


async def test_exit_leaves(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/quit")
        await window.press("enter")
        await window.until(lambda: not window.app.is_running)


@pytest.mark.parametrize("action", sorted({command.action for command in COMMANDS}))
def test_every_command_has_its_action(action: str) -> None:
    assert any(hasattr(owner, f"action_{action}") for owner in (MainScreen, Composer))


async def test_a_command_that_cannot_be_done_yet_says_so(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ViewKeys, "action_copy_last", raising=False)
    async with opener() as window:
        await typed(window, "/copy")
        await window.press("enter")
        assert window.shows("/copy cannot be done here")


def test_what_is_a_command_line() -> None:
    assert split_command("/help") == ("help", "")
    assert split_command("/theme  light ") == ("theme", "light")
    assert split_command("/usr/bin") is None
    assert split_command("/usr/bin/env python") is None
    assert split_command("/") is None
    assert split_command("a /help") is None


@pytest.mark.parametrize(("typo", "meant"), [("hepl", "help"), ("exti", "exit"), ("modle", "model"), ("thme", "theme")])
def test_misspellings_are_understood(typo: str, meant: str) -> None:
    assert near_commands(typo)[0].name == meant
    assert near_commands("qqqqqqq") == []


async def test_the_menu_goes_where_the_keys_go_elsewhere(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "/")
        assert window.main.query_one(CompletionMenu).display
        window.transcript.focus()
        await window.pilot.pause()
        assert not window.main.query_one(CompletionMenu).display
        assert window.composer.text == "/"


# Files


@pytest.fixture
def files(opener: Opener) -> Opener:
    for name in ("src/app.py", "src/widgets/button.py", "docs/my file.txt", "my dir/a b.md", "README.md"):
        opener.file(name, "x")
    return opener


async def found(window: Window, *wanted: str) -> None:
    await window.until(lambda: completer(window).menu is not None and set(wanted) <= set(texts(window)))


async def test_an_at_sign_offers_files_and_tab_takes_one(files: Opener) -> None:
    async with files() as window:
        await typed(window, "see @")
        await found(window, "@src/", "@docs/", "@README.md")
        await typed(window, "but")
        await found(window, "@src/widgets/button.py")
        await window.until_shows("· button.py", "src/widgets")
        await window.press("tab")
        assert window.composer.text == "see @src/widgets/button.py "
        assert completer(window).menu is None
        await typed(window, "@")
        await found(window, "@src/")
        assert texts(window)[0] == "@src/widgets/button.py"


async def test_enter_takes_too_and_sends_nothing(files: Opener) -> None:
    async with files([Reply([say("ok")])]) as window:
        await typed(window, "@readme")
        await window.press("enter")
        await window.until(lambda: window.composer.text == "@README.md ")
        assert window.sent(SubmitPrompt) == []


async def test_a_folder_goes_on_inside_itself(files: Opener) -> None:
    async with files() as window:
        await typed(window, "@src")
        await found(window, "@src/")
        await window.press("tab")
        assert window.composer.text == "@src/"
        await found(window, "@src/app.py", "@src/widgets/")
        assert "@src/" not in texts(window)


async def test_blanks_are_quoted(files: Opener) -> None:
    async with files() as window:
        await typed(window, "@my")
        await found(window, '@"my dir/')
        await window.press("tab")
        await found(window, '@"my dir/a b.md"')
        await window.press("tab")
        assert window.composer.text == '@"my dir/a b.md" '


async def test_escape_keeps_the_text_and_stays_closed(files: Opener) -> None:
    async with files() as window:
        await typed(window, "@ap")
        await found(window, "@src/app.py")
        await window.press("escape")
        await typed(window, "p")
        await window.pilot.pause()
        assert window.composer.text == "@app" and completer(window).menu is None
        await typed(window, " @ap")
        await found(window, "@src/app.py")


async def test_a_file_that_comes_later_is_offered(files: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_index, "RELIST_S", 0)
    monkeypatch.setattr(file_index, "RELIST_SHARE", 0)
    async with files() as window:
        await typed(window, "@app")
        await found(window, "@src/app.py")
        files.file("src/appendix.py", "x")
        await found(window, "@src/appendix.py")


async def test_other_places_are_looked_up_on_the_disk(files: Opener) -> None:
    (files.home / "notes").mkdir()
    (files.home / "notes" / "todo.md").write_text("x")
    (files.cwd.parent / "beside.txt").write_text("x")
    async with files() as window:
        await typed(window, "@../bes")
        await found(window, "@../beside.txt")
        await window.press("tab")
        assert window.composer.text == "@../beside.txt "
        await window.paste(f"@{files.cwd}/src")
        await typed(window, "/")
        await found(window, f"@{files.cwd}/src/app.py")


async def test_an_at_sign_in_a_word_is_no_mention(files: Opener) -> None:
    async with files() as window:
        await typed(window, "me@src")
        await window.pilot.pause()
        assert completer(window).menu is None


async def test_what_is_pasted_or_recalled_opens_nothing(files: Opener) -> None:
    async with files([Reply([say("ok")])]) as window:
        await window.paste("look at @src/app.py")
        await window.pilot.pause()
        assert completer(window).menu is None


# Shell mode


async def enter_shell(window: Window, line: str) -> None:
    """Send a shell line; it may still run afterwards."""
    count = len(window.sent(RunShell))
    await window.paste(line)
    await window.press("enter")
    await window.until(lambda: len(window.sent(RunShell)) > count)


async def test_an_exclamation_mark_is_shell_mode_until_it_is_gone(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "!")
        assert window.composer.has_class("-shell") and window.shows("shell command")
        await typed(window, "ls @")
        assert completer(window).menu is None
        await window.press("backspace", "backspace", "backspace", "backspace", "backspace")
        assert not window.composer.has_class("-shell") and not window.shows("shell command")


async def test_a_shell_line_runs_and_is_recalled_with_its_sign(opener: Opener) -> None:
    async with opener([Reply([say("I see it.")])]) as window:
        await enter_shell(window, "!echo $((40 + 2)) && exit 3")
        await window.settle()
        assert window.sent(RunShell) == [RunShell(command="echo $((40 + 2)) && exit 3")]
        assert window.sent(SubmitPrompt) == []
        await window.until_shows("! echo $((40 + 2)) && exit 3", "42", "exit 3")
        assert not window.main.status.is_busy
        assert not window.composer.has_class("-shell")
        await window.press("up")
        assert window.composer.text == "!echo $((40 + 2)) && exit 3"
        assert window.composer.has_class("-shell")
        await window.press("ctrl+c")
        await window.ask("what was that?")
        assert "42" in str(window.requests[0].messages)


async def test_escape_stops_a_shell_line(opener: Opener) -> None:
    async with opener() as window:
        await enter_shell(window, "!echo begun; exec sleep 300")
        await window.until_shows("begun", "Esc to stop", "Running echo begun")
        await window.press("escape")
        await window.settle()
        assert window.shows("Interrupted by the user") and not window.main.status.is_busy


async def test_a_shell_line_waits_in_the_queue_and_up_takes_only_it_back(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say("Working."), say("Done.")], gates={1: gate}), Reply([say("Then.")])]) as window:
        await window.prompt("go")
        await window.until_shows("Working.")
        await window.prompt("and then")
        await enter_shell(window, "!echo hi")
        await window.until_shows("next step: and then", "after the turn: !echo hi")
        await window.press("up")
        await window.until(lambda: not window.shows("after the turn: !echo hi"))
        assert window.composer.text == "!echo hi"
        assert window.shows("next step: and then")
        gate.set()
        await window.settle()
        assert window.sent(RunShell) == [RunShell(command="echo hi")]
        assert window.events(ShellFinished) == []

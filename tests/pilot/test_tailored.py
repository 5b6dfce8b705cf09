"""The user's keys and themes in the running window: rebinding, help, command palette, theme picker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.geometry import Offset

from core.protocol.ops import Interrupt, SetMode
from tests.fakes.windows import Opener, Window
from themes.loader import load_theme
from tui.rendering.line import Line
from tui.screens.help import HelpScreen
from tui.screens.palette import PaletteScreen
from tui.screens.themes import ThemeScreen
from tui.terminal import BackgroundTold
from tui.widgets.transcript.blocks import TextBlock


@pytest.fixture
def config(isolated_machine: Path) -> Path:
    folder = isolated_machine / "agent-tui" / "config"
    (folder / "themes").mkdir(parents=True)
    return folder


def drawn_background(window: Window) -> str:
    """The colour on which the conversation stands, as it is really drawn."""
    strips = window.main._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
    style = next(segment.style for segment in strips[2] if segment.text.strip() == "")
    assert style is not None and style.bgcolor is not None
    return style.bgcolor.get_truecolor().hex


def ground(name: str) -> str:
    return load_theme(name).colors["background"]


# Keys


async def test_a_rebound_key_works_and_the_old_one_does_not(opener: Opener, config: Path) -> None:
    (config / "keybindings.json").write_text('{"session.mode": "f4", "input.newline": "alt+n"}')
    async with opener() as window:
        await window.press("shift+tab")
        await window.settle()
        assert not [op for op in window.ops if isinstance(op, SetMode)]
        await window.press("f4")
        await window.settle()
        assert [op.mode for op in window.ops if isinstance(op, SetMode)] == ["acceptEdits"]
        await window.press("a", "alt+n", "b", "ctrl+j")
        assert window.composer.text == "a\nb"


async def test_the_real_keys_are_shown_everywhere(opener: Opener, config: Path) -> None:
    text = '"session.mode" = "ctrl+y"\n"session.help" = ["f2", "ctrl+g"]\n"session.interrupt" = "f9"'
    (config / "keybindings.toml").write_text(text)
    async with opener(size=(100, 40)) as window:
        assert "Ctrl+Y how much is asked  F9 stop  F2 all keys" in window.screen
        assert "Ctrl+Y mode  F2 keys" in window.lines[-1]
        await window.press("f9")
        await window.settle()
        assert any(isinstance(op, Interrupt) for op in window.ops)
        await window.press("f1")
        assert not isinstance(window.app.screen, HelpScreen)
        await window.press("ctrl+g")
        assert isinstance(window.app.screen, HelpScreen)
        assert "F2 Ctrl+G" in window.line("Show all keys")
        assert "Ctrl+Y" in window.line("Next permission mode")
        assert "F1" not in window.screen
        await window.press("f2")
        assert not isinstance(window.app.screen, HelpScreen)


async def test_a_key_that_is_taken_away_is_not_shown(opener: Opener, config: Path) -> None:
    (config / "keybindings.json").write_text('{"session.mode": null, "view.todos": null}')
    async with opener() as window:
        assert "mode" not in window.lines[-1]
        assert "F1 keys" in window.lines[-1]
        await window.press("f1")
        assert not window.shows("todo list")


async def test_problems_of_the_users_files_are_told(opener: Opener, config: Path) -> None:
    (config / "keybindings.json").write_text('{\n"view.todos": "ctrl+o",\n"view.nothing": "f5"}')
    (config / "themes" / "mine.toml").write_text('base = "dark"\n[colors]\naccent = "red"')
    async with opener(size=(160, 40)) as window:
        assert window.shows("keybindings.json:2: Ctrl+O is view.todos now; view.transcript has no key left")
        assert window.shows("keybindings.json:3: there is no action 'view.nothing'")
        assert window.shows("mine.toml: colors.accent must be #rrggbb or an ansi_ name, not 'red'")


async def test_a_changed_file_is_read_when_the_user_comes_back(opener: Opener, config: Path) -> None:
    async with opener() as window:
        assert "Shift+Tab mode" in window.lines[-1]
        (config / "keybindings.json").write_text('{"session.mode": "f4", "view.nothing": "f5"}')
        window.app.on_app_focus(object())  # pyright: ignore[reportArgumentType]
        await window.until_shows("F4 mode", "F4 how much is asked", "there is no action 'view.nothing'")
        await window.press("f4")
        await window.settle()
        assert any(isinstance(op, SetMode) for op in window.ops)
        (config / "keybindings.json").unlink()
        await window.press("f1", "escape")
        await window.until_shows("Shift+Tab mode")


# Help


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (120, 36), (200, 50)])
async def test_help_always_says_how_it_is_closed(opener: Opener, size: tuple[int, int]) -> None:
    async with opener(size=size) as window:
        await window.press("question_mark")
        assert window.composer.text == ""
        assert isinstance(window.app.screen, HelpScreen)
        assert window.shows("Esc closes this", "Stop what runs")
        await window.press(*["pagedown"] * 12)
        assert window.shows("Esc closes this", "keybindings.toml")
        await window.press("escape")
        assert window.composer.has_focus


async def test_help_has_two_columns_where_there_is_room(opener: Opener) -> None:
    async with opener(size=(120, 36)) as window:
        await window.press("f1")
        assert "Input" in window.line("Session")
    async with opener(size=(80, 24)) as window:
        await window.press("f1")
        assert "Input" not in window.line("Session")


async def test_help_is_filtered_by_typing(opener: Opener) -> None:
    async with opener(size=(100, 40)) as window:
        await window.press("f1", *"todo")
        assert window.shows("Ctrl+T", "1 found")
        assert not window.shows("Shift+Tab    ")
        await window.press(*"xyz")
        assert window.shows("No key for 'todoxyz'.")
        await window.press("ctrl+u")
        assert window.shows("Next permission mode")
        await window.press("[", "b", "]")
        assert window.shows("No key for '[b]'.")


async def test_a_question_mark_in_a_text_is_typed(opener: Opener) -> None:
    async with opener() as window:
        await window.press("a", "question_mark")
        assert window.composer.text == "a?"


# The command palette


async def test_the_palette_finds_and_runs(opener: Opener) -> None:
    async with opener(size=(100, 40)) as window:
        await window.press("ctrl+p")
        assert isinstance(window.app.screen, PaletteScreen)
        assert window.shows("Choose the theme", "Show all keys", "Leave at once", "Draw the screen anew")
        assert "Ctrl+T" in window.line("Show or hide the todo list")
        await window.press(*"nxmode")
        assert "❯ Next permission mode" in window.screen
        assert not window.shows("Choose the theme")
        await window.press("enter")
        await window.settle()
        assert [op.mode for op in window.ops if isinstance(op, SetMode)] == ["acceptEdits"]
        assert window.composer.has_focus
        assert window.composer.text == ""


async def test_the_palette_reaches_the_screens(opener: Opener) -> None:
    async with opener() as window:
        for typed, screen in (("theme", ThemeScreen), ("allkeys", HelpScreen)):
            await window.press("ctrl+p", *typed, "enter")
            await window.until(lambda screen=screen: isinstance(window.app.screen, screen))
            await window.press("escape")
        await window.press("ctrl+p", *"leave", "enter")
        await window.until(lambda: window.app._exit)  # pyright: ignore[reportPrivateUsage]


async def test_the_palette_is_walked_with_arrows_and_closed(opener: Opener) -> None:
    async with opener(size=(80, 24)) as window:
        await window.press("ctrl+p", "up")
        assert "❯ Draw the screen anew" in window.screen
        await window.press("down", "down")
        assert "❯ Next permission mode" in window.screen
        await window.press(*"qqqq")
        assert window.shows("Nothing matches 'qqqq'.")
        await window.press("enter", "down", "escape")
        assert window.composer.has_focus
        assert not [op for op in window.ops if isinstance(op, SetMode)]


async def test_a_click_runs_a_command_and_one_beside_closes(opener: Opener) -> None:
    async with opener(size=(80, 30)) as window:
        await window.press("ctrl+p")
        row = next(at for at, line in enumerate(window.lines) if "Next permission mode" in line)
        await window.pilot.click(offset=Offset(20, row))
        await window.settle()
        assert [op.mode for op in window.ops if isinstance(op, SetMode)] == ["acceptEdits"]
        await window.press("ctrl+p")
        await window.pilot.click(offset=Offset(0, 0))
        assert not isinstance(window.app.screen, PaletteScreen)


# Themes


async def open_picker(window: Window) -> ThemeScreen:
    window.main.action_themes()
    await window.until(lambda: isinstance(window.app.screen, ThemeScreen))
    await window.pilot.pause()
    assert isinstance(window.app.screen, ThemeScreen)
    return window.app.screen


async def test_the_picker_shows_each_theme_at_once_and_esc_puts_it_back(opener: Opener) -> None:
    async with opener() as window:
        before = drawn_background(window)
        assert before == ground("dark")
        await open_picker(window)
        assert window.shows("Follow the terminal (now dark) ● in use", "High contrast", "Paper")
        await window.press(*"paper")
        assert drawn_background(window) == ground("paper")
        await window.press(*["backspace"] * 5, "end")
        assert drawn_background(window) == ground("paper")
        await window.press("escape")
        await window.pilot.pause()
        assert drawn_background(window) == before
        assert not (window.home / "agent-tui" / "config" / "settings.json").exists()


async def test_enter_keeps_the_theme_for_the_next_start(opener: Opener, config: Path) -> None:
    (config / "settings.json").write_text('{"theme": "dark", "cacheTtl": "1h"}')
    async with opener() as window:
        await open_picker(window)
        await window.press(*"ember", "enter")
        await window.until_shows("Theme: ember.")
        assert window.composer.has_focus
        assert json.loads((config / "settings.json").read_text()) == {"theme": "ember", "cacheTtl": "1h"}
    async with opener() as window:
        assert drawn_background(window) == ground("ember")


async def test_a_theme_that_cannot_be_saved_is_worn_all_the_same(opener: Opener, config: Path) -> None:
    (config / "settings.json").write_text('{"theme": ')
    async with opener(size=(200, 30)) as window:
        await open_picker(window)
        await window.press(*"ember", "enter")
        await window.until_shows("The setting is not saved", "not valid JSON")
        assert drawn_background(window) == ground("ember")
        assert (config / "settings.json").read_text() == '{"theme": '


async def test_a_theme_is_taken_by_its_name(opener: Opener, config: Path) -> None:
    (config / "themes" / "rose.toml").write_text('base = "dark"\n[colors]\nbackground = "#221118"')
    async with opener() as window:
        window.main.action_themes("rose")
        await window.until_shows("Theme: rose.")
        assert drawn_background(window) == "#221118"
        window.main.action_themes("moon")
        await window.until_shows("There is no theme 'moon'. There are: auto, ansi-16,")
        assert drawn_background(window) == "#221118"


async def test_a_theme_that_is_being_written_is_seen_when_the_user_comes_back(opener: Opener, config: Path) -> None:
    file = config / "themes" / "rose.toml"
    file.write_text('base = "dark"\n[colors]\nbackground = "#221118"')
    (config / "settings.json").write_text('{"theme": "rose"}')
    async with opener() as window:
        assert drawn_background(window) == "#221118"
        file.write_text('base = "dark"\n[colors]\nbackground = "#112233"')
        window.app.on_app_focus(object())  # pyright: ignore[reportArgumentType]
        await window.until(lambda: drawn_background(window) == "#112233")
        file.write_text('base = "dark"\n[colors]\nbackground = "blue"   ')
        window.app.on_app_focus(object())  # pyright: ignore[reportArgumentType]
        await window.until_shows("colors.background must be #rrggbb")
        assert drawn_background(window) == ground("dark")


async def test_an_unknown_theme_is_told(opener: Opener, config: Path) -> None:
    (config / "settings.json").write_text('{"theme": "moon"}')
    async with opener() as window:
        assert window.shows("there is none named 'moon'; there are ansi-16")


async def test_auto_follows_what_the_terminal_says(opener: Opener) -> None:
    async with opener() as window:
        window.app.post_message(BackgroundTold(True))
        await window.until(lambda: drawn_background(window) == ground("light"))
        window.app.post_message(BackgroundTold(False))
        await window.until(lambda: drawn_background(window) == ground("dark"))


async def test_a_chosen_theme_does_not_follow_the_terminal(opener: Opener) -> None:
    async with opener(flags={"theme": "paper"}) as window:
        window.app.post_message(BackgroundTold(False))
        await window.pilot.pause()
        assert drawn_background(window) == ground("paper")


async def test_no_color_leaves_no_colour(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opener(flags={"theme": "paper"}) as window:
        await window.press("a")
        for key in ("", "ctrl+p"):
            await window.press(*([key] if key else []))
            for strip in window.app.screen._compositor.render_strips():  # pyright: ignore[reportPrivateUsage]
                for segment in strip:
                    colors = [segment.style.color, segment.style.bgcolor] if segment.style else []
                    assert all(color is None or color.is_default for color in colors), segment


async def test_a_change_of_theme_lays_out_no_block_anew(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what makes it quick in a long conversation."""
    async with opener(size=(120, 36)) as window:
        for number in range(200):
            block = TextBlock(f"t{number}")
            block.finish(f"Paragraph **{number}** of many.", interrupted=False)
            window.transcript.append(block)
        window.transcript.flush()
        await window.pilot.pause()
        laid_out: list[int] = []

        def note(_block: TextBlock, width: int, _start: int) -> list[Line]:
            laid_out.append(width)
            return []

        monkeypatch.setattr(TextBlock, "lines_from", note)
        window.app.wear("light")
        await window.pilot.pause()
        assert drawn_background(window) == ground("light")
        assert window.shows("Paragraph 199 of many.")
        assert laid_out == []

"""What users shape: keys and themes. Reads their files, puts them in force, and looks again when they come back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import App
from textual.driver import Driver
from textual.theme import Theme as TextualTheme

from themes.loader import AUTO, DEFAULT, DEFAULT_LIGHT, choose_theme, load_theme, read_themes, theme_names
from themes.schema import Theme, ThemeError
from tui.keymap import textual_keymap, use_keys
from tui.rendering.palette import Palette
from tui.screens.main import MainScreen
from tui.terminal import BackgroundTold, TerminalDriver
from tui.user_keys import FILES, read_user_keys

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.screens.themes import ThemeScreen

COLOURLESS = "ansi-16"
"""Told apart by bold, underline and reverse: what stands where ``NO_COLOR`` takes the colours away."""


class TailoredApp(App[None]):
    """Holds the theme that is worn. ``wanted`` is its name, ``auto``, or empty for what the settings say; ``config``
    is the user's folder, None where theirs is not to be read."""

    def __init__(self, wanted: str, config: Path | None) -> None:
        is_colourless = "NO_COLOR" in os.environ
        # Textual would only turn colours into greys; with the terminal's own it takes them away.
        super().__init__(ansi_color=True if is_colourless else None)
        self._is_colourless = is_colourless
        self._config = config
        self._wanted = AUTO
        self._is_light: bool | None = None
        """What the terminal said of its background."""
        self._worn = 0
        self._bridge: Bridge | None = None
        self._seen: dict[str, tuple[int, int]] = {}
        self.problems = self._read_files()
        """What was wrong in the user's files, and has not been told yet."""
        self._palette = self._dress(wanted or self._theme_setting() or AUTO)
        self._main: MainScreen

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return TerminalDriver if found is TerminalDriver.__base__ else found

    # Themes

    def wear(self, wanted: str) -> None:
        """Draw everything in another theme."""
        self._palette = self._dress(wanted)
        for screen in self.screen_stack:
            set_palette = getattr(screen, "set_palette", None)
            if set_palette is not None:
                set_palette(self._palette)
        self._tell()

    def _dress(self, wanted: str) -> Palette:
        self._wanted = wanted
        try:
            theme = load_theme(self._choose(wanted), self._user_themes)
        except ThemeError as error:
            self.problems.append(str(error))
            theme = load_theme(DEFAULT)
        # A name of its own each time: a theme of the same name may have other colours by now.
        self.unregister_theme(f"worn-{self._worn}")
        self._worn += 1
        self.register_theme(_textual_theme(f"worn-{self._worn}", theme))
        self.theme = f"worn-{self._worn}"
        return Palette(theme.styles)

    def _choose(self, wanted: str) -> str:
        if self._is_colourless:
            return COLOURLESS
        if wanted == AUTO and self._is_light is not None:
            return DEFAULT_LIGHT if self._is_light else DEFAULT
        return choose_theme(wanted, dict(os.environ), self._user_themes)

    @property
    def _user_themes(self) -> Path | None:
        return self._config / "themes" if self._config else None

    def _theme_setting(self) -> str:
        """The theme of the user's settings, read ahead of them so that the first paint has its colours."""
        import json

        try:
            wanted = json.loads((self._config / "settings.json").read_text("utf-8"))["theme"] if self._config else ""
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ""  # the settings themselves say what is wrong
        return wanted if isinstance(wanted, str) else ""

    @on(BackgroundTold)
    def _background_told(self, event: BackgroundTold) -> None:
        if event.is_light != self._is_light:
            self._is_light = event.is_light
            if self._wanted == AUTO:
                self.wear(AUTO)

    # The user's files

    def _settle(self, bridge: Bridge, wanted: str) -> None:
        """The settings are read: what they say of the theme, and what is to be told once the session starts."""
        self._bridge = bridge
        if wanted != self._wanted:
            self.wear(wanted)
        names = theme_names(self._user_themes)
        if wanted not in (AUTO, *names):
            self.problems.append(f"theme: there is none named {wanted!r}; there are {', '.join(names)}")
        bridge.report(self.problems)
        self.problems.clear()

    def _read_files(self) -> list[str]:
        """Put the user's keys in force; what is wrong in their files."""
        if self._config is None:
            use_keys({})
            return []
        self._seen = _stamps(self._config)
        keys = read_user_keys(self._config)
        use_keys(keys.changed)
        return [*keys.problems, *(read_themes(self._config / "themes")[1] if self._has_themes() else [])]

    def _has_themes(self) -> bool:
        return any(path.endswith(".toml") and not path.startswith("keybindings") for path in self._seen)

    def _use_keys(self) -> None:
        self.set_keymap(textual_keymap())
        self._main.keys_changed()

    def on_app_focus(self, event: events.AppFocus) -> None:
        """Back from elsewhere, an editor perhaps."""
        self.run_worker(self._look_again(), name="files", group="files", exclusive=True, exit_on_error=False)

    async def _look_again(self) -> None:
        """Read the user's files again where they have changed."""
        if self._config is None or self._bridge is None or await asyncio.to_thread(_stamps, self._config) == self._seen:
            return
        self.problems += self._read_files()
        self._use_keys()
        self.wear(self._wanted)

    def _tell(self) -> None:
        """Say what is wrong; before the session starts it waits for that."""
        if self._bridge is not None:
            for problem in self.problems:
                self._main.warn(problem)
            self.problems.clear()

    @on(MainScreen.ThemeRequested)
    async def _theme_requested(self, event: MainScreen.ThemeRequested) -> None:
        from tui.screens.themes import ThemeScreen

        await self._look_again()
        names = (AUTO, *theme_names(self._user_themes))
        if event.name in names:
            await self._keep_theme(event.name)
            return
        if event.name:
            self._main.status.show_hint(f"There is no theme {event.name!r}. There are: {', '.join(names)}.")
            return
        themes = read_themes(self._user_themes or Path(os.devnull))[0]
        screen = ThemeScreen(self._palette, themes, self._wanted, self._choose(AUTO))
        self.push_screen(screen, partial(self._theme_picked, self._wanted))

    def on_theme_screen_marked(self, event: ThemeScreen.Marked) -> None:
        """Look at a theme."""
        self.wear(event.name)

    async def _theme_picked(self, before: str, name: str | None) -> None:
        if name is None:
            self.wear(before)
        else:
            await self._keep_theme(name)

    async def _keep_theme(self, name: str) -> None:
        """Wear it, and write it down for the next start."""
        from core.protocol.errors import AgentError

        self.wear(name)
        said = f"The colours follow the terminal now ({self._choose(AUTO)})." if name == AUTO else f"Theme: {name}."
        if self._is_colourless:
            said += " NO_COLOR is set: colours stay off."
        if self._bridge is not None:
            try:
                await asyncio.to_thread(self._bridge.save_setting, "theme", name)
            except AgentError as error:
                said = str(error)
        self._main.status.show_hint(said)


def _textual_theme(name: str, theme: Theme) -> TextualTheme:
    colors = theme.colors
    # Textual's own themes of this kind define these two, and its stylesheets use them.
    ansi = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"} if theme.is_ansi else {}
    return TextualTheme(
        name=name,
        dark=theme.dark,
        ansi=theme.is_ansi,
        variables={key: colors[key] for key in ("border", "muted", "panel", "surface")} | ansi,
        background=colors["background"],
        surface=colors["surface"],
        panel=colors["panel"],
        foreground=colors["foreground"],
        primary=colors["primary"],
        accent=colors["accent"],
        success=colors["success"],
        warning=colors["warning"],
        error=colors["error"],
    )


def _stamps(config: Path) -> dict[str, tuple[int, int]]:
    """Time and size of each of the user's files of keys and themes, by name."""
    found: dict[str, tuple[int, int]] = {}
    for path in _files(config):
        try:
            info = path.stat()
        except OSError:
            continue
        found[path.name] = (info.st_mtime_ns, info.st_size)
    return found


def _files(config: Path) -> Iterable[Path]:
    yield from (config / name for name in FILES)
    yield from (config / "themes").glob("*.toml")

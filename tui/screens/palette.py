"""The command palette: every action of the main screen with its key, found by typing."""

from __future__ import annotations

from collections.abc import Sequence

from tui.key_names import written
from tui.keymap import SCREEN_KEYS, Key, keys_of
from tui.rendering.line import Span
from tui.rendering.palette import Palette
from tui.screens.pick import PickPanel

ONLY_KEYS = {"session.palette", "session.quit", "session.exit"}
"""What makes sense as a key only: leaving has a command of its own."""


def commands() -> list[Key]:
    """What can be run, group by group."""
    groups = list(dict.fromkeys(key.group for key in SCREEN_KEYS))
    found = [key for key in SCREEN_KEYS if key.shown and key.id not in ONLY_KEYS]
    return sorted(found, key=lambda key: groups.index(key.group))


class PaletteScreen(PickPanel[Key]):
    """Gives the action that is to be run on the main screen."""

    TITLE_TEXT = "Commands"

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, commands())

    def name_of(self, item: Key) -> str:
        return f"{item.tooltip} {item.id.partition('.')[2].replace('_', ' ')}"

    def row(self, item: Key, *, is_chosen: bool) -> tuple[Sequence[Span], Sequence[Span]]:
        keys = "  ".join(written(name) for name in keys_of(item)[:1])
        return [(item.tooltip, "strong" if is_chosen else "text")], [(keys, "key")]

    def value_of(self, item: Key) -> str:
        return item.action

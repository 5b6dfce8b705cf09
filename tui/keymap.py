"""All keys in one table: each has an id, a tooltip and a group, so that help and footer write themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Group = Literal["Conversation", "Input", "Session"]


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. ``keys`` in Textual's names, comma separated; ``action`` of the main screen."""

    id: str
    keys: str
    action: str
    tooltip: str
    group: Group
    shown: str = ""
    """How the key is written for people; empty: not listed."""


SCREEN_KEYS = (
    Key("session.interrupt", "escape", "interrupt", "Stop what runs", "Session", "Esc"),
    Key("session.mode", "shift+tab", "cycle_mode", "Next permission mode", "Session", "Shift+Tab"),
    Key("session.background", "ctrl+b", "background", "Running command to the background", "Session", "Ctrl+B"),
    Key("session.quit", "ctrl+c", "cancel_or_quit", "Stop, clear the input, or leave (twice)", "Session", "Ctrl+C"),
    Key("session.exit", "ctrl+d", "exit_if_empty", "Leave (twice, with nothing typed)", "Session", "Ctrl+D"),
    Key("session.suspend", "ctrl+z", "app.suspend_process", "Suspend the program (fg comes back)", "Session", "Ctrl+Z"),
    Key("session.help", "f1", "help", "This list", "Session", "F1"),
    Key("view.todos", "ctrl+t", "toggle_todos", "Show or hide the todo list", "Conversation", "Ctrl+T"),
    Key("view.unfold", "ctrl+o", "unfold_all", "Unfold or fold all details", "Conversation", "Ctrl+O"),
    Key("view.page_up", "pageup", "page(-1)", "Scroll up a page", "Conversation", "PgUp"),
    Key("view.page_down", "pagedown", "page(1)", "Scroll down a page", "Conversation", "PgDn"),
    Key("view.top", "ctrl+home", "edge(-1)", "To the beginning", "Conversation", "Ctrl+Home"),
    Key("view.bottom", "ctrl+end", "edge(1)", "To the end, and follow", "Conversation", "Ctrl+End"),
    Key("view.redraw", "ctrl+l", "redraw", "Draw the screen anew", "Conversation", "Ctrl+L"),
)
"""Keys of the main screen, whatever has the focus."""

COMPOSER_KEYS = (
    Key("input.send", "enter", "send", "Send, or queue while it works", "Input", "Enter"),
    Key("input.newline", "ctrl+j,shift+enter,alt+enter", "newline", "New line (also \\ and Enter)", "Input", "Ctrl+J"),
    Key("input.older", "up", "older", "Older prompt, from the first line", "Input", "↑"),
    Key("input.newer", "down", "newer", "Newer prompt, from the last line", "Input", "↓"),
    Key("input.search", "ctrl+r", "search_history", "Search the prompts of this project", "Input", "Ctrl+R"),
    Key("input.editor", "ctrl+g", "open_editor", "Write on in $VISUAL or $EDITOR", "Input", "Ctrl+G"),
    Key("input.chord", "ctrl+x", "chord", "The same; alone it cuts what is selected", "Input", "Ctrl+X Ctrl+E"),
    Key("input.stash", "ctrl+s", "stash", "Put the draft aside; with nothing typed take it back", "Input", "Ctrl+S"),
    Key("input.image", "ctrl+v,alt+v", "take_image", "Attach the clipboard's image", "Input", "Ctrl+V"),
    Key("input.line_start", "ctrl+a", "row_start", "To the start of the line", "Input", "Ctrl+A"),
    Key("input.line_end", "ctrl+e", "row_end", "To the end of the line", "Input", "Ctrl+E"),
    Key("input.word_left", "alt+b", "cursor_word_left", "Word left", "Input", "Alt+B"),
    Key("input.word_right", "alt+f", "cursor_word_right", "Word right", "Input", "Alt+F"),
    Key("input.kill_end", "ctrl+k", "kill_to_end", "Kill to the end of the line", "Input", "Ctrl+K"),
    Key("input.kill_start", "ctrl+u", "kill_to_start", "Kill to the start of the line", "Input", "Ctrl+U"),
    Key("input.kill_word", "ctrl+w", "kill_blank_word_left", "Kill a word back", "Input", "Ctrl+W"),
    Key(
        "input.kill_word_left",
        "alt+backspace,ctrl+backspace",
        "kill_word_left",
        "Kill a word back",
        "Input",
        "Alt+Backspace",
    ),
    Key("input.kill_word_right", "alt+d,alt+delete", "kill_word_right", "Kill a word forward", "Input", "Alt+D"),
    Key("input.yank", "ctrl+y", "yank", "Yank what was killed", "Input", "Ctrl+Y"),
    Key("input.yank_older", "alt+y", "yank_older", "After a yank: what was killed before", "Input", "Alt+Y"),
    Key("input.undo", "ctrl+underscore,ctrl+shift+minus", "undo", "Undo", "Input", "Ctrl+_"),
    Key("input.redo", "alt+underscore,alt+shift+minus", "redo", "Redo", "Input", "Alt+_"),
)
"""Keys of the composer beside the usual ones of an editor."""

TRANSCRIPT_KEYS = (
    Key("block.previous", "up,k", "step(-1)", "Previous block, once Tab has gone there", "Conversation", "↑ k"),
    Key("block.next", "down,j", "step(1)", "Next block", "Conversation", "↓ j"),
    Key("block.toggle", "enter,space", "fold", "Unfold or fold the block (or click it)", "Conversation", "Enter Space"),
)
"""Keys of the conversation when it has the focus (Tab)."""

ALL_KEYS = (*SCREEN_KEYS, *COMPOSER_KEYS, *TRANSCRIPT_KEYS)


def bindings(keys: Iterable[Key], *, priority: bool = False) -> list[BindingType]:
    """Textual bindings, one for each entry."""
    return [
        Binding(key.keys, key.action, key.tooltip, show=False, priority=priority, id=key.id, tooltip=key.tooltip)
        for key in keys
    ]

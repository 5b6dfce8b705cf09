"""All keys in one table: each has an id, a tooltip and a group, so that help and footer write themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Group = Literal["Conversation", "Input", "Session", "Queue"]


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
    Key("input.send", "enter", "send", "Send; while it works: after the running step", "Input", "Enter"),
    Key("input.newline", "ctrl+j,shift+enter,alt+enter", "newline", "New line (also \\ and Enter)", "Input", "Ctrl+J"),
    Key("input.follow_up", "tab,alt+q", "follow_up", "While it works: send after the turn", "Input", "Tab"),
    Key("input.queue", "alt+up", "choose_queued", "Choose among the queued messages", "Input", "Alt+↑"),
    Key("input.older", "up", "older", "Older prompt, from the first line", "Input", "↑"),
    Key("input.newer", "down", "newer", "Newer prompt, from the last line", "Input", "↓"),
    Key("input.word_left", "alt+b", "cursor_word_left", "Word left", "Input"),
    Key("input.word_right", "alt+f", "cursor_word_right", "Word right", "Input"),
)
"""Keys of the composer beside the usual ones of an editor."""

TRANSCRIPT_KEYS = (
    Key("block.previous", "up,k", "step(-1)", "Previous block, once Tab has gone there", "Conversation", "↑ k"),
    Key("block.next", "down,j", "step(1)", "Next block", "Conversation", "↓ j"),
    Key("block.toggle", "enter,space", "fold", "Unfold or fold the block (or click it)", "Conversation", "Enter Space"),
)
"""Keys of the conversation when it has the focus (Tab)."""

QUEUE_KEYS = (
    Key("queue.previous", "up,k", "choose(-1)", "Previous queued message", "Queue", "↑ k"),
    Key("queue.next", "down,j", "choose(1)", "Next queued message, then the input", "Queue", "↓ j"),
    Key("queue.edit", "enter,e", "edit", "Take it back into the input", "Queue", "Enter e"),
    Key("queue.remove", "delete,backspace,x", "remove", "Remove it", "Queue", "Del x"),
    Key("queue.earlier", "alt+up,K", "move(-1)", "Earlier", "Queue", "Alt+↑ K"),
    Key("queue.later", "alt+down,J", "move(1)", "Later", "Queue", "Alt+↓ J"),
    Key("queue.leave", "escape", "leave", "Back to the input", "Queue", "Esc"),
)
"""Keys of the queued messages when they have the focus."""

ALL_KEYS = (*SCREEN_KEYS, *COMPOSER_KEYS, *TRANSCRIPT_KEYS, *QUEUE_KEYS)


def bindings(keys: Iterable[Key], *, priority: bool = False) -> list[BindingType]:
    """Textual bindings, one for each entry."""
    return [
        Binding(key.keys, key.action, key.tooltip, show=False, priority=priority, id=key.id, tooltip=key.tooltip)
        for key in keys
    ]

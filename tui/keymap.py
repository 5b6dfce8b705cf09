"""All keys in one table: each has an id, a tooltip and a group, so that help and footer write themselves.

The user may put others in their place: what is really in force is told by ``keys_of`` and ``key_text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from tui.key_names import written

Group = Literal["Conversation", "Input", "Session", "Queue", "Agents"]


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. ``keys`` in Textual's names, comma separated; empty for a command that has none unless the user
    gives it one. ``action`` of the main screen."""

    id: str
    keys: str
    action: str
    tooltip: str
    group: Group
    shown: str = ""
    """Empty: not listed in the help. How the keys are written there comes from the keys themselves."""


SCREEN_KEYS = (
    Key("session.interrupt", "escape", "interrupt", "Stop what runs", "Session", "Esc"),
    Key("session.mode", "shift+tab", "cycle_mode", "Next permission mode", "Session", "Shift+Tab"),
    Key("session.background", "ctrl+b", "background", "What runs goes to the background", "Session", "Ctrl+B"),
    Key("session.quit", "ctrl+c", "cancel_or_quit", "Stop, clear, or leave (twice)", "Session", "Ctrl+C"),
    Key("session.exit", "ctrl+d", "exit_if_empty", "Leave (twice, with nothing typed)", "Session", "Ctrl+D"),
    Key("session.suspend", "ctrl+z", "app.suspend_process", "Suspend the program (fg comes back)", "Session", "Ctrl+Z"),
    Key("session.help", "f1", "help", "Show all keys", "Session", "F1"),
    Key("session.context", "f2", "context", "What fills the window", "Session", "F2"),
    Key("session.agents", "f3", "agents", "Agents: watch, write to, stop them", "Session", "F3"),
    Key("session.palette", "ctrl+p", "palette", "All commands, to find and run", "Session", "Ctrl+P"),
    Key("session.themes", "", "themes", "Choose the theme", "Session", "command"),
    Key("session.permissions", "", "permissions", "Permission rules, recent decisions", "Session", "command"),
    Key("session.costs", "", "costs", "What the session has cost", "Session", "command"),
    Key("session.tasks", "", "tasks", "All tasks: commands, agents", "Session", "command"),
    Key("session.stop_agents", "", "stop_agents", "Stop all agents (twice)", "Session", "Ctrl+X Ctrl+K"),
    Key("session.leave", "", "leave", "Leave at once", "Session", "command"),
    Key("view.todos", "ctrl+t", "toggle_todos", "Show or hide the todo list", "Conversation", "Ctrl+T"),
    Key("view.transcript", "ctrl+o", "transcript", "Read it with everything unfolded", "Conversation", "Ctrl+O"),
    Key("view.search", "ctrl+f", "search", "Search the conversation", "Conversation", "Ctrl+F"),
    Key("view.page_up", "pageup", "page(-1)", "Scroll up a page", "Conversation", "PgUp"),
    Key("view.page_down", "pagedown", "page(1)", "Scroll down a page", "Conversation", "PgDn"),
    Key("view.top", "ctrl+home", "edge(-1)", "To the beginning", "Conversation", "Ctrl+Home"),
    Key("view.bottom", "ctrl+end", "edge(1)", "To the end, and follow", "Conversation", "Ctrl+End"),
    Key("view.redraw", "ctrl+l", "redraw", "Draw the screen anew", "Conversation", "Ctrl+L"),
)
"""Keys of the main screen, whatever has the focus."""

COMPOSER_KEYS = (
    Key("input.send", "enter", "send", "Send, or queue for the next step", "Input", "Enter"),
    Key("input.newline", "ctrl+j,shift+enter,alt+enter", "newline", "New line (also \\ and Enter)", "Input", "Ctrl+J"),
    Key("input.follow_up", "tab,alt+q", "follow_up", "While it works: send after the turn", "Input", "Tab"),
    Key("input.queue", "alt+up", "choose_queued", "Choose among the queued messages", "Input", "Alt+↑"),
    Key("input.older", "up", "older", "Older prompt, from the first line", "Input", "↑"),
    Key("input.newer", "down", "newer", "Newer prompt, from the last line", "Input", "↓"),
    Key("input.search", "ctrl+r", "search_history", "Search the prompts of this project", "Input", "Ctrl+R"),
    Key("input.editor", "ctrl+g", "open_editor", "Write on in $VISUAL or $EDITOR", "Input", "Ctrl+G"),
    Key("input.chord", "ctrl+x", "chord", "The same; cuts a selection", "Input", "Ctrl+X Ctrl+E"),
    Key("input.stash", "ctrl+s", "stash", "Put the draft aside, or take it back", "Input", "Ctrl+S"),
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
        "Kill letters and digits back",
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
    Key("block.previous", "up,k", "step(-1)", "Previous block (Tab goes there)", "Conversation", "↑ k"),
    Key("block.next", "down,j", "step(1)", "Next block", "Conversation", "↓ j"),
    Key("block.toggle", "enter,space", "fold", "Unfold or fold (or click)", "Conversation", "Enter Space"),
    Key("block.copy", "y", "copy('source')", "Copy the selection or the block", "Conversation", "y"),
    Key("block.copy_code", "c", "copy('code')", "Copy the block's code or command", "Conversation", "c"),
    Key("block.copy_output", "o", "copy('output')", "Copy the block's output", "Conversation", "o"),
    Key("block.open", "e", "open", "Open its file or saved result", "Conversation", "e"),
    Key("prompt.previous", "left_curly_bracket,alt+up", "prompt(-1)", "To the prompt before", "Conversation", "{"),
    Key("prompt.next", "right_curly_bracket,alt+down", "prompt(1)", "To the prompt after", "Conversation", "}"),
    Key("search.open", "slash", "search", "Find a text", "Conversation", "/"),
    Key("search.next", "n", "find(1)", "Next hit", "Conversation", "n"),
    Key("search.previous", "N", "find(-1)", "Hit before", "Conversation", "N"),
    Key("view.half_up", "ctrl+u,u", "scroll(-0.5)", "Half a page up", "Conversation", "u"),
    Key("view.half_down", "d", "scroll(0.5)", "Half a page down", "Conversation", "d"),
    Key("view.first", "g,home", "edge(-1)", "First line", "Conversation", "g"),
    Key("view.last", "G,end", "edge(1)", "Last line, and follow", "Conversation", "G"),
    Key("view.leave", "escape,q", "leave", "Back to the input", "Conversation", "q"),
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

AGENT_KEYS = (
    Key("agents.next", "tab", "step(1)", "Next tile (Shift+Tab: the one before)", "Agents", "Tab"),
    *(Key(f"agents.go_{n}", f"alt+{n}", f"go({n})", f"Agent {n}", "Agents") for n in range(2, 10)),
    Key("agents.go_1", "alt+1", "go(1)", "Look at agent 1, 2 … 9", "Agents", "Alt+1…9"),
    Key("agents.page_before", "left_square_bracket", "turn(-1)", "Agents before those in the tiles", "Agents", "["),
    Key("agents.page_after", "right_square_bracket", "turn(1)", "Agents after those in the tiles", "Agents", "]"),
    Key("agents.one", "1", "tiles(1)", "One tile", "Agents", "1"),
    Key("agents.two", "2", "tiles(2)", "Two tiles", "Agents", "2"),
    Key("agents.four", "4", "tiles(4)", "Four tiles", "Agents", "4"),
    Key("agents.write", "m,enter", "write", "Write to it; one that is over goes on", "Agents", "m Enter"),
    Key("agents.stop", "x", "stop", "Stop it; take away one that is over", "Agents", "x"),
    Key("agents.stop_all", "X", "stop_all", "Stop all agents (twice)", "Agents", "X"),
    Key("agents.move", "b", "move", "To the background, or back", "Agents", "b"),
    Key("agents.pin", "p", "pin", "Pin it to its tile", "Agents", "p"),
    Key("agents.audit", "a", "audit", "Write down what it did", "Agents", "a"),
    Key("agents.leave", "q", "leave", "Back to the conversation", "Agents", "q Esc"),
    Key("agents.kinds", "K", "kinds", "What kinds of agents there are", "Agents", "K"),
)
"""Keys of the agents' tiles, beside those of a conversation."""

ALL_KEYS = (*SCREEN_KEYS, *COMPOSER_KEYS, *TRANSCRIPT_KEYS, *QUEUE_KEYS, *AGENT_KEYS)


def bindings(keys: Iterable[Key], *, priority: bool = False) -> list[BindingType]:
    """Textual bindings, one for each entry."""
    return [
        Binding(
            key.keys or NO_KEY, key.action, key.tooltip, show=False, priority=priority, id=key.id, tooltip=key.tooltip
        )
        for key in keys
    ]


NO_KEY = "unbound"
"""Bound in place of a key where there is none: Textual's keymap can only replace keys, and no terminal sends this."""

_changed: dict[str, tuple[str, ...]] = {}


def use_keys(changed: Mapping[str, tuple[str, ...]]) -> None:
    """From now on these keys are in force, by id, beside those of the table."""
    _changed.clear()
    _changed.update(changed)


def textual_keymap() -> dict[str, str]:
    """What Textual has to be told: the keys that are not as in the table."""
    return {key_id: ",".join(keys) or NO_KEY for key_id, keys in _changed.items()}


def default_keys(key: Key) -> tuple[str, ...]:
    """The keys of the table."""
    return tuple(name for name in key.keys.split(",") if name)


def keys_of(key: Key) -> tuple[str, ...]:
    """The keys in force, in Textual's names."""
    return _changed.get(key.id, default_keys(key))


def is_key_of(name: str, key_id: str) -> bool:
    """Whether a key, in Textual's name, is one of an action."""
    return any(name in keys_of(key) for key in ALL_KEYS if key.id == key_id)


def key_text(key_id: str, default: str = "") -> str:
    """How the first key of an action is written for people; ``default`` where it has none."""
    for key in ALL_KEYS:
        if key.id == key_id:
            return next((written(name) for name in keys_of(key)), default)
    return default

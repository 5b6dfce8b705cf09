"""The commands that are typed after a slash: one table, from which menu, hints and the main screen's actions follow."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. ``action`` is the main screen's or the composer's, without ``action_``; it gets the argument where
    one is taken."""

    name: str
    summary: str
    action: str
    hint: str = ""
    """The argument: ``[name]`` may be left out, ``<name>`` may not."""
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Arguments that are offered."""

    @property
    def needs_argument(self) -> bool:
        """Whether it does nothing without one."""
        return self.hint.startswith("<")


MODES = ("default", "acceptEdits", "plan", "dontAsk", "bypassPermissions")

COMMANDS = (
    Command(name="help", aliases=("keys",), summary="All keys", action="help"),
    Command(name="copy", summary="Copy the last answer", action="copy_last"),
    Command(name="search", hint="[text]", summary="Search the conversation", action="search"),
    Command(name="transcript", summary="The conversation with all details", action="transcript"),
    Command(name="todos", summary="Show or hide the todo list", action="toggle_todos"),
    Command(name="mode", hint="[name]", summary="Permission mode: the next, or this one", action="mode", choices=MODES),
    Command(name="permissions", summary="Permission rules, and what was decided lately", action="permissions"),
    Command(name="plan", hint="[prompt]", summary="Plan first, or open the plan", action="plan", choices=("open",)),
    Command(name="model", hint="<id>", summary="Use another model, after the turn that runs", action="model"),
    Command(name="context", summary="What fills the window, and what will become of it", action="context"),
    Command(name="cost", aliases=("usage",), summary="What the session has cost, and what for", action="costs"),
    Command(name="agents", summary="Watch the agents, write to them, stop them", action="agents"),
    Command(name="tasks", aliases=("bashes",), summary="All tasks: commands and agents", action="tasks"),
    Command(name="subtask", hint="<task>", summary="Give a task to a fork of this conversation", action="subtask"),
    Command(
        name="compact",
        hint="[instructions]",
        summary="Put a summary in place of the conversation",
        action="compact",
    ),
    Command(name="uncompact", summary="Take back the last compaction", action="uncompact"),
    Command(
        name="handoff", hint="[goal]", summary="Go on in a fresh session with a brief of this one", action="handoff"
    ),
    Command(name="theme", hint="[name]", summary="Choose the colours", action="themes"),
    Command(name="editor", summary="Write the prompt in your editor", action="open_editor"),
    Command(name="redraw", summary="Draw the screen anew", action="redraw"),
    Command(name="exit", aliases=("quit",), summary="Leave", action="leave"),
)

LINE = re.compile(r"/(?P<name>[^\s/]*)(?:\s+(?P<argument>.*))?\s*", re.DOTALL)


def split_command(text: str) -> tuple[str, str] | None:
    """Name and argument of a command line; None for a prompt. A second slash in the first word makes it a path."""
    match = LINE.fullmatch(text.strip())
    if match is None or not match["name"]:
        return None
    return match["name"], (match["argument"] or "").strip()


def find_command(name: str) -> Command | None:
    """The command of this name or alias."""
    lowered = name.lower()
    return next((command for command in COMMANDS if lowered in (command.name, *command.aliases)), None)


def matching_commands(query: str) -> list[Command]:
    """Commands that a few characters may mean: by beginning, by part, by characters in order."""
    lowered = query.lower()
    ranked = [(_rank(lowered, command), place, command) for place, command in enumerate(COMMANDS)]
    return [command for rank, _place, command in sorted(ranked, key=lambda entry: entry[:2]) if rank < NO_MATCH]


def near_commands(name: str) -> list[Command]:
    """Commands of which the name may be a misspelling, the nearest first."""
    lowered = name.lower()
    near: list[tuple[int, int, int, Command]] = []
    for place, command in enumerate(COMMANDS):
        distance = min(_distance(lowered, word) for word in (command.name, *command.aliases))
        if distance <= max(1, min(len(lowered), 6) // 3 + 1) and distance < len(lowered):
            near.append((distance, abs(len(lowered) - len(command.name)), place, command))
    return [entry[-1] for entry in sorted(near, key=lambda entry: entry[:3])]


NO_MATCH = 9


def _rank(query: str, command: Command) -> int:
    words = (command.name, *command.aliases)
    if query in words:
        return 0
    if command.name.startswith(query):
        return 1
    if any(word.startswith(query) for word in words):
        return 2
    if any(query in word for word in words):
        return 3
    return 4 if any(_is_subsequence(query, word) for word in words) else NO_MATCH


def _is_subsequence(query: str, word: str) -> bool:
    rest = iter(word)
    return all(character in rest for character in query)


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, left out, replaced or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, before, row = before, row, [i, *[0] * len(other)]
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], above[j - 2] + 1)
    return row[-1]

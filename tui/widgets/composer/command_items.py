"""The rows for what follows a slash: commands, then the arguments of one."""

from __future__ import annotations

from tui.commands import COMMANDS, Command, find_command, matching_commands, near_commands
from tui.rendering.line import Line
from tui.widgets.composer.items import Found, Item

NAME_COLUMN = max(len(f"/{command.name} {command.hint}") for command in COMMANDS) + 2


def find_commands(query: str) -> Found:
    """What fits a command line without its slash. What may be a misspelling is offered as a guess."""
    name, blank, argument = query.partition(" ")
    if not blank:
        found = matching_commands(name)
        guesses = [] if found else near_commands(name)
        return Found(items=tuple(_item(command, name) for command in found or guesses), is_guess=bool(guesses))
    command = find_command(name)
    if command is None or not command.hint:
        return Found()
    lowered = argument.strip().lower()
    choices = [choice for choice in command.choices if choice.lower().startswith(lowered)]
    if choices:
        return Found(items=tuple(_choice(command, choice, lowered) for choice in choices))
    return Found(note=f"/{command.name} {command.hint}  {command.summary}")


def refusal(name: str) -> str:
    """What to say of a command that is not there."""
    near = near_commands(name)
    ask = f" Did you mean /{near[0].name}?" if near else " Type / to see them all."
    return f"There is no command /{name}.{ask}"


def _item(command: Command, query: str) -> Item:
    lowered = query.lower()
    alias = next((alias for alias in command.aliases if lowered and alias.startswith(lowered)), "")
    aside = f" (/{alias})" if alias and not command.name.startswith(lowered) else ""
    gap = " " * (NAME_COLUMN - len(f"/{command.name} {command.hint}"))
    return Item(
        text=f"/{command.name}",
        shown=(("/", "text"), *_marked(command.name, lowered), (f" {command.hint}{gap}", "muted")),
        detail=((command.summary + aside, "muted"),),
        goes_on=command.needs_argument,
    )


def _choice(command: Command, choice: str, query: str) -> Item:
    return Item(text=f"/{command.name} {choice}", shown=_marked(choice, query))


def _marked(word: str, query: str) -> Line:
    """The word with the characters of the query marked, where they stand in it in order."""
    lowered = word.lower()
    at = lowered.find(query)
    if at >= 0:
        return ((word[:at], "text"), (word[at : at + len(query)], "menu.match"), (word[at + len(query) :], "text"))
    spans: list[tuple[str, str]] = []
    rest = query
    for character in word:
        fits = rest[:1] == character.lower()
        spans.append((character, "menu.match" if fits else "text"))
        rest = rest[1:] if fits else rest
    return ((word, "text"),) if rest else tuple(spans)

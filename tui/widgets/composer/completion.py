"""What is being completed in the composer: a command after ``/``, files and the like after ``@``; shell lines.

Says what stands in the menu and takes the keys that are meant for it; the menu itself is drawn elsewhere.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual import events

from tui.commands import find_command, split_command
from tui.widgets.composer.command_items import find_commands, refusal
from tui.widgets.composer.items import (
    CommandEntered,
    CommandRefused,
    CompletionSource,
    Found,
    Location,
    Menu,
    MenuChanged,
    Token,
)

if TYPE_CHECKING:
    from tui.widgets.composer.editor import Composer

MENTION = re.compile(r"""(?:^|(?<=[\s(\[{<,;:='"`]))@(?:"(?P<quoted>[^"]*)|(?P<bare>[^\s"]*))$""")
COMMAND = re.compile(r"/[^\s/]*(?:[ ][^\n]*)?")
SHELL_SIGN = "!"
SHELL_TITLE = "shell command"
AGAIN_S = 0.2
"""How soon a source that had not all of it is asked again."""
STEPS = {"up": -1, "ctrl+p": -1, "down": 1, "ctrl+n": 1}
EDITS = ("backspace", "delete", "ctrl+h", "ctrl+w")


class Completer:
    """Belongs to one composer, which asks it about each key and tells it each change."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._sources: list[CompletionSource] = []
        self._token: Token | None = None
        self._menu: Menu | None = None
        self._is_searching = False
        self._owed: Literal["", "tab", "enter"] = ""
        """A key that came while there was nothing to take yet: it takes the first thing that is found."""
        self._was_typed = False
        self._dismissed: Location | None = None

    @property
    def menu(self) -> Menu | None:
        """What is open."""
        return self._menu

    def add_source(self, source: CompletionSource) -> None:
        """Offer what it knows after ``@``."""
        self._sources.append(source)

    # What the composer tells

    def take_key(self, event: events.Key) -> bool:
        """Whether the key was for the menu, or entered a command: then the composer does nothing with it."""
        self._look()
        if self._act(event.key):
            event.stop()
            event.prevent_default()
            return True
        self._was_typed = event.is_printable or event.key in EDITS
        return False

    def text_changed(self) -> None:
        """The text is another one. A menu opens only where it was typed, not where it was recalled or pasted."""
        is_shell = self._is_shell
        self._composer.set_class(is_shell, "-shell")
        self._composer.border_subtitle = SHELL_TITLE if is_shell else ""
        was_typed, self._was_typed = self._was_typed, False
        self._look(opens=was_typed)

    def cursor_moved(self) -> None:
        """The cursor may have left what is being completed."""
        self._look()

    def take(self, place: int, *, runs: bool = True) -> None:
        """Put an item in the place of what was typed; a command is run where ``runs``."""
        if self._menu is None or self._token is None:
            return
        item, token = self._menu.items[place], self._token
        if token.kind == "command":
            if runs and not item.goes_on:
                self._enter_command(item.text)
            else:
                self._put(f"{item.text} ", token)
            return
        for source in self._sources:
            source.picked(item)
        self._put(item.text if item.goes_on else f"{item.text} ", token)

    def close(self) -> None:
        """No menu, until more is typed."""
        if self._token is not None and self._token.kind == "mention":
            self._composer.workers.cancel_group(  # pyright: ignore[reportUnknownMemberType]
                self._composer, "completion"
            )
        self._token = None
        self._is_searching = False
        self._publish(None)

    # Inside

    def _act(self, key: str) -> bool:
        menu = self._menu
        if key == "escape" and menu is not None and self._token is not None:
            self._dismissed = self._token.start
            self.close()
            return True
        if key in ("tab", "enter") and self._is_searching and self._token is not None:
            self._owed = "tab" if key == "tab" else "enter"
            return True
        if menu is not None and menu.items:
            if key in STEPS:
                start = menu.chosen if menu.chosen >= 0 or STEPS[key] > 0 else 0
                self._publish(replace(menu, chosen=(start + STEPS[key]) % len(menu.items)))
                return True
            if key == "tab" or (key == "enter" and menu.chosen >= 0):
                self.take(max(0, menu.chosen), runs=key == "enter")
                return True
        return key == "enter" and self._enter_command(self._composer.text)

    def _enter_command(self, line: str) -> bool:
        """Whether the line is meant for a command; what cannot be run stays in the composer."""
        parts = split_command(line)
        if parts is None:
            return False
        command = find_command(parts[0])
        if command is None:
            self._composer.post_message(CommandRefused(refusal(parts[0])))
        elif command.needs_argument and not parts[1]:
            self._composer.post_message(CommandRefused(f"/{command.name} {command.hint}: {command.summary}"))
        else:
            self.close()
            self._composer.prompts.add(line.strip())
            self._composer.put("")
            self._composer.post_message(CommandEntered(command.name, parts[1]))
        return True

    def _look(self, *, opens: bool = False) -> None:
        """See what stands before the cursor. Without ``opens`` a menu is kept, changed or closed, but none opened."""
        token = self._find_token()
        if token is None or token.start != self._dismissed:
            self._dismissed = None
        if token is None or self._dismissed is not None or not (opens or self._token is not None):
            self.close()
        elif token != self._token:
            self._token = token
            self._owed = ""
            if token.kind == "command":
                self._show(find_commands(token.query))
            else:
                self._is_searching = True
                self._composer.run_worker(self._search(token), group="completion", exclusive=True, exit_on_error=False)

    @property
    def _is_shell(self) -> bool:
        # Not by ``text``: that joins all lines, at each key.
        return self._composer.document[0].startswith(SHELL_SIGN)

    def _find_token(self) -> Token | None:
        composer = self._composer
        row, column = composer.cursor_location
        before = composer.document[row][:column]
        if composer.selection.start != composer.selection.end or self._is_shell:
            return None
        if row == 0 and COMMAND.fullmatch(before) and composer.document.line_count == 1:
            return Token("command", (0, 0), (row, column), before[1:])
        match = MENTION.search(before)
        if match is None:
            return None
        query = match["quoted"] if match["quoted"] is not None else match["bare"]
        return Token("mention", (row, match.start()), (row, column), query)

    async def _search(self, token: Token) -> None:
        """Ask the sources until they have told all they know about this token."""
        is_again = False
        while True:
            found = [await source.find(token.query) for source in self._sources]
            if token != self._token:
                return
            self._is_searching = False
            notes = [each.note for each in found if each.note]
            items = tuple(item for each in found for item in each.items)
            self._show(Found(items=items, note=" ".join(notes[:1])), keeps_choice=is_again)
            is_again = True
            if self._owed and self._menu is not None and self._menu.items:
                self.take(0, runs=self._owed == "enter")
                return
            self._owed = ""
            if not any(each.is_partial for each in found):
                return
            await asyncio.sleep(AGAIN_S)

    def _show(self, found: Found, *, keeps_choice: bool = False) -> None:
        """Show what was found, the best chosen; or what was chosen by hand where the query is the same."""
        texts = [item.text for item in found.items]
        before = self._menu if keeps_choice else None
        chosen = 0 if texts and not found.is_guess else -1
        if before is not None and before.chosen > 0 and before.items[before.chosen].text in texts:
            chosen = texts.index(before.items[before.chosen].text)
        self._publish(Menu(found.items, chosen, "" if found.items else found.note))

    def _publish(self, menu: Menu | None) -> None:
        if menu != self._menu:
            self._menu = menu
            self._composer.post_message(MenuChanged(menu))

    def _put(self, text: str, token: Token) -> None:
        self._was_typed = True
        self._composer.replace(text, token.start, token.end, maintain_selection_offset=False)

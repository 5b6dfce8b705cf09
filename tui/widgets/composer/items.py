"""What completion is about: rows of the menu, what sources find, and the menu as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from textual.message import Message

from tui.rendering.line import Line

Location = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of the menu. ``text`` takes the place of what was typed."""

    text: str
    shown: Line
    detail: Line = ()
    goes_on: bool = False
    """Whether there is more to complete behind it: a folder, a command that needs an argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to a query, the best first."""

    items: tuple[Item, ...] = ()
    note: str = ""
    is_partial: bool = False
    """Whether there may soon be more."""
    is_guess: bool = False
    """Whether the query may mean something else: then no row is chosen unless the user does."""


class CompletionSource(Protocol):
    """Knows things that can be mentioned after ``@``."""

    name: str

    async def find(self, query: str) -> Found:
        """What fits; it must not hold the event loop for longer than a few milliseconds."""
        ...

    def picked(self, item: Item) -> None:
        """The user has taken an item, of this source or of another."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """The piece of text that is being completed; it ends at the cursor."""

    kind: Literal["command", "mention"]
    start: Location
    end: Location
    query: str


@dataclass(frozen=True, slots=True)
class Menu:
    """What the menu shows; ``chosen`` is -1 where no row is."""

    items: tuple[Item, ...] = ()
    chosen: int = -1
    note: str = ""


class MenuChanged(Message):
    """The menu is another one; None: it is closed."""

    def __init__(self, menu: Menu | None) -> None:
        super().__init__()
        self.menu = menu


class CommandEntered(Message):
    """A command of the table is to be run."""

    def __init__(self, name: str, argument: str) -> None:
        super().__init__()
        self.name = name
        self.argument = argument


class CommandRefused(Message):
    """What was entered cannot be run; ``hint`` says why, and what can."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.hint = hint

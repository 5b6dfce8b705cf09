"""The theme picker: moving the mark changes the whole window at once, Esc puts it back, Enter keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from themes.loader import AUTO
from themes.schema import Theme
from tui.rendering.line import Line, Span
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.screens.pick import PickPanel

SAMPLE: tuple[Line, ...] = (
    (("  3 ", "diff.number"), ("- ", "removed.sign"), ("fields = line.", "removed"), ("split", "removed.word")),
    (("  3 ", "diff.number"), ("+ ", "added.sign"), ("fields = ", "added"), ("csv.reader", "added.word")),
    (
        *(("def ", "syntax.keyword"), ("parse", "syntax.name.function"), ("(text: ", "text"), ("str", "syntax.type")),
        *((") = ", "text"), ('"a,b"', "syntax.string"), ("  # 12", "syntax.comment")),
    ),
    (
        *(("● done ", "state.done"), ("◐ running ", "state.running"), ("? asks ", "state.asking")),
        ("✗ failed", "state.failed"),
    ),
)


class ThemeScreen(PickPanel[Theme | None]):
    """Gives the name of the theme; the item None stands for following the terminal."""

    TITLE_TEXT = "Theme"
    COLUMNS = 58

    class Marked(Message):
        """Show the window in this theme."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, palette: Palette, themes: Sequence[Theme], worn: str, followed: str) -> None:
        super().__init__(palette, [None, *themes])
        self._followed = followed
        self._worn = worn
        names = [self.value_of(item) for item in self._items]
        self.at = names.index(worn) if worn in names else 0

    def on_mount(self) -> None:
        self.call_after_refresh(self.show_row, self.at)

    def name_of(self, item: Theme | None) -> str:
        return f"{item.label} {item.name}" if item else "Follow the terminal auto"

    def row(self, item: Theme | None, *, is_chosen: bool) -> tuple[Sequence[Span], Sequence[Span]]:
        label = clean_line(item.label) if item else f"Follow the terminal (now {self._followed})"
        left: list[Span] = [(label, "strong" if is_chosen else "text")]
        if self.value_of(item) == self._worn:
            left.append((" ● in use", "good"))
        kind = "" if item is None else "terminal" if item.is_ansi else "dark" if item.dark else "light"
        return left, [(kind, "muted")]

    def value_of(self, item: Theme | None) -> str:
        return item.name if item else AUTO

    def moved(self, item: Theme | None) -> None:
        self.post_message(self.Marked(self.value_of(item)))

    def foot(self, width: int) -> Line:
        return (
            *(("Enter", "key"), (" keeps it   ", "muted")),
            *(("Esc", "key"), (" as it was   ", "muted"), ("↑ ↓", "key"), (" look", "muted")),
        )

    def tail(self, width: int) -> list[Line]:
        return [(), *SAMPLE, ()]

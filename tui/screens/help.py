"""The list of keys, written by the keymap itself, with the keys that are really in force."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events

from tui.key_names import written
from tui.keymap import ALL_KEYS, Key, keys_of
from tui.rendering.line import Line, Span, cell_len, line_width, pad, truncate, wrap
from tui.screens.panel import Panel

KEY_COLUMN = 13
GAP = 3
REMARKS = (
    "A line may begin with / for a command or ! for the shell; @ mentions a file.",
    "While it works, Enter queues a message: it is sent after the running step.",
    "Answer questions with their letters; Tab adds a comment to the answer.",
    "Other keys: keybindings.toml in the configuration folder.",
)


class HelpScreen(Panel[None]):
    """Typing filters; Esc closes."""

    COLUMNS = 124

    def head(self, width: int) -> Line:
        shown = sum(len(block) - 2 for block in _blocks(self.typed, width))
        filtered: list[Span] = [(self.typed, "strong"), ("▏", "accent"), (f"  {shown} found", "muted")]
        return (("Keys  ", "heading"), *(filtered if self.typed else [("type to filter", "muted")]))

    def body(self, width: int) -> list[Line]:
        return help_lines(width, self.typed)

    def foot(self, width: int) -> Line:
        return (("Esc", "key"), (" closes this   ", "muted"), ("↑ ↓ PgUp PgDn", "key"), (" scroll", "muted"))

    def on_key(self, event: events.Key) -> None:
        key = event.key
        if key in ("up", "down"):
            event.stop()
            self._scroll.scroll_relative(y=-1 if key == "up" else 1, animate=False)
        elif key == "enter" or (key in _closing() and not self.typed):
            event.stop()
            self.dismiss()
        else:
            super().on_key(event)


def help_lines(width: int, typed: str = "") -> list[Line]:
    """All listed keys by group that match what was typed, in two columns where there is room."""
    blocks = _blocks(typed, width)
    if not blocks:
        return [((f"No key for {typed!r}.", "muted"),)]
    widest = max(line_width(line) for block in blocks for line in block)
    columns = _columns(blocks) if width >= 2 * widest + GAP else [[line for block in blocks for line in block]]
    each = (width - GAP * (len(columns) - 1)) // len(columns)
    lines: list[Line] = []
    for row in range(max(map(len, columns))):
        cells = [truncate(column[row], each) if row < len(column) else () for column in columns]
        line: list[Span] = []
        for at, cell in enumerate(cells):
            last = at == len(cells) - 1
            line += cell if last else (*pad(cell, each, "text"), (" " * GAP, "text"))
        lines.append(tuple(line))
    if not typed:
        for remark in REMARKS:
            lines += wrap([(remark, "muted")], width)
    return lines


def _closing() -> set[str]:
    """What opened it closes it."""
    return {"question_mark", *(name for key in ALL_KEYS if key.id == "session.help" for name in keys_of(key))}


def _blocks(typed: str, width: int) -> list[list[Line]]:
    """A heading, its keys and a blank line for each group that has any."""
    words = typed.lower().split()
    blocks: list[list[Line]] = []
    for group in dict.fromkeys(key.group for key in ALL_KEYS):
        rows = [
            _row(key)
            for key in _listed(group)
            if all(word in f"{key.id} {_names(key)} {key.tooltip} {group}".lower() for word in words)
        ]
        if rows:
            blocks.append([((group, "heading"),), *rows, ()])
    return blocks


def _listed(group: str) -> Iterable[Key]:
    return (key for key in ALL_KEYS if key.group == group and key.shown and keys_of(key))


def _row(key: Key) -> Line:
    names = _names(key)
    gap = " " * max(1, KEY_COLUMN - cell_len(names))
    return ("  ", "text"), (names, "key"), (gap + key.tooltip, "text")


def _names(key: Key) -> str:
    """As many of its keys as there is room for; the first always."""
    text = ""
    for name in keys_of(key):
        longer = f"{text} {written(name)}".strip()
        if text and cell_len(longer) >= KEY_COLUMN:
            break
        text = longer
    return text


def _columns(blocks: list[list[Line]]) -> list[list[Line]]:
    """Two columns as even as the groups allow, in their order."""
    best = min(
        range(1, len(blocks) + 1),
        key=lambda cut: max(sum(map(len, blocks[:cut])), sum(map(len, blocks[cut:]))),
    )
    return [[line for block in part for line in block] for part in (blocks[:best], blocks[best:])]

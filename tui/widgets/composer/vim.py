"""The keys of vi as a state machine on any text with a cursor. Knows nothing of a widget."""

from __future__ import annotations

from typing import Literal, Protocol

from tui.widgets.composer.vim_motions import (
    FINDS,
    OPPOSITE,
    Motion,
    down,
    find,
    first_word,
    line_end,
    line_start,
    move,
    split_count,
)

Mode = Literal["normal", "insert"]
OPERATORS = "dcy"
SHORT = {"x": "dl", "X": "dh", "D": "d$", "C": "c$", "s": "cl", "S": "cc", "Y": "yy"}


class Buffer(Protocol):
    """What is edited; places are offsets."""

    @property
    def text(self) -> str: ...

    @property
    def cursor(self) -> int: ...

    @cursor.setter
    def cursor(self, offset: int) -> None: ...

    def replace(self, start: int, end: int, text: str) -> None:
        """Put a text in place of another; the cursor goes to its end."""
        ...

    def undo(self) -> None: ...

    def redo(self) -> None: ...


class Vim:
    """Begins in insert mode. A key that it does not take is the editor's own."""

    def __init__(self) -> None:
        self.mode: Mode = "insert"
        self._register = ""
        self._has_lines = False
        """Whether the register holds whole lines."""
        self._column: int | None = None
        self._find: tuple[str, str] | None = None
        self._keys: list[str] = []
        """Of the command being typed."""
        self._typed: list[str] = []
        """Text of the insertion in progress."""
        self._change: tuple[list[str], str] = ([], "")
        """The last change, to be done again: its keys, and what was typed then."""
        self._opening: list[str] | None = None
        """Keys that began the insertion in progress."""

    def start_over(self) -> None:
        """Back to insert mode, as after sending."""
        self.mode = "insert"
        self._keys.clear()
        self._opening = None

    def press(self, key: str, buffer: Buffer) -> bool:
        """Take a key: a character, or the name of one that has none. False where it is not taken."""
        if self.mode == "insert":
            return self._insert(key, buffer)
        if key == "escape":
            was_open = bool(self._keys)
            self._keys.clear()
            return was_open
        if key == "ctrl+r":
            self._keys.clear()
            buffer.redo()
            self._clamp(buffer)
            return True
        if len(key) > 1 and key != "backspace":
            return False
        self._keys.append(key)
        if self._run(self._keys, buffer):
            self._keys = []
        if self.mode == "normal":
            self._clamp(buffer)
        return True

    # Insert mode

    def _insert(self, key: str, buffer: Buffer) -> bool:
        if key != "escape":
            if len(key) == 1:
                self._typed.append(key)
            elif key == "backspace" and self._typed:
                self._typed.pop()
            return False
        if self._opening is not None:
            self._change = (self._opening, "".join(self._typed))
            self._opening = None
        self.mode = "normal"
        if buffer.cursor > line_start(buffer.text, buffer.cursor):
            buffer.cursor -= 1
        self._clamp(buffer)
        return True

    def _begin_insert(self, buffer: Buffer, at: int, text: str = "") -> None:
        buffer.cursor = at
        if text:
            buffer.replace(at, at, text)
        self.mode, self._typed, self._opening = "insert", [], list(self._keys)

    # Normal mode

    def _run(self, keys: list[str], buffer: Buffer) -> bool:
        """Carry out a command; False where more of it must come."""
        count, rest = split_count(keys)
        if not rest:
            return False
        first = rest[0]
        if first in SHORT:
            return self._operate([*SHORT[first]], count, buffer)
        if first in OPERATORS:
            return self._operate(rest, count, buffer)
        motion, is_complete = self._motion(rest, count, buffer)
        if motion is not None:
            buffer.cursor = self._on_row(motion.target, buffer) if first in "jk" else motion.target
        if first not in "jk":
            self._column = None
        if motion is not None or not is_complete:
            return is_complete
        return self._act(rest, count or 1, buffer)

    def _on_row(self, target: int, buffer: Buffer) -> int:
        """The column that a row of ups and downs began in, on the line of the target."""
        text, at = buffer.text, buffer.cursor
        if self._column is None:
            self._column = at - line_start(text, at)
        return min(line_start(text, target) + self._column, line_end(text, target))

    def _motion(self, keys: list[str], count: int | None, buffer: Buffer) -> tuple[Motion | None, bool]:
        """The motion that the keys are, and whether they are all that is needed."""
        text, at, first = buffer.text, buffer.cursor, keys[0]
        if first in FINDS:
            if len(keys) < 2:
                return None, False
            self._find = first, keys[1]
            return find(first, keys[1], text, at, count or 1), True
        if first in ";," and self._find is not None:
            key = self._find[0] if first == ";" else OPPOSITE[self._find[0]]
            # A repeated "till" must not stay before the same character.
            step = (1 if key == "t" else -1) if key in "tT" and not count else 0
            found = find(key, self._find[1], text, at + step, count or 1)
            return found, True
        if first == "g":
            return (None, False) if len(keys) < 2 else (move("".join(keys), text, at, count), True)
        return move(first, text, at, count), True

    def _operate(self, keys: list[str], count: int | None, buffer: Buffer) -> bool:
        """An operator with its motion."""
        operator = keys[0]
        inner, rest = split_count(keys[1:])
        if not rest:
            return False
        if count is not None or inner is not None:
            count = (count or 1) * (inner or 1)
        text, at = buffer.text, buffer.cursor
        if rest[0] == operator:
            self._on_lines(operator, buffer, at, down(text, at, (count or 1) - 1))
            return True
        if operator == "c" and rest[0] == "w" and at < len(text) and not text[at].isspace():
            # As vi has it: the blanks behind a changed word stay. From before the cursor, for words of one letter.
            motion, is_complete = move("e", text, at - 1, count), True
        else:
            motion, is_complete = self._motion(rest, count, buffer)
        if motion is None:
            return is_complete
        if motion.kind == "lines":
            self._on_lines(operator, buffer, at, motion.target)
            return True
        start, end = sorted((at, motion.target))
        if motion.kind == "inclusive":
            end = min(end + 1, len(text))
        elif rest[0] == "w" and "\n" in text[start:end]:
            # The last word of a line is all that it takes.
            end = max(line_end(text, start), start)
        self._on_range(operator, buffer, start, end)
        return True

    def _on_range(self, operator: str, buffer: Buffer, start: int, end: int) -> None:
        self._register, self._has_lines = buffer.text[start:end], False
        if operator == "y":
            buffer.cursor = start
            return
        if start != end:
            buffer.replace(start, end, "")
        self._changed()
        if operator == "c":
            self._begin_insert(buffer, start)

    def _on_lines(self, operator: str, buffer: Buffer, one: int, other: int) -> None:
        text = buffer.text
        start, end = line_start(text, min(one, other)), line_end(text, max(one, other))
        self._register, self._has_lines = text[start:end], True
        if operator == "y":
            buffer.cursor = min(one, other)
        elif operator == "c":
            buffer.replace(start, end, "")
            self._begin_insert(buffer, start)
        else:
            # The line break goes too: the one behind, at the end of the text the one before.
            start, end = (start, end + 1) if end < len(text) else (max(start - 1, 0), end)
            buffer.replace(start, end, "")
            buffer.cursor = first_word(buffer.text, min(start, len(buffer.text)))
            self._changed()

    def _act(self, keys: list[str], times: int, buffer: Buffer) -> bool:
        """Commands that are neither motions nor operators; unknown keys are swallowed."""
        text, at = buffer.text, buffer.cursor
        match keys[0]:
            case "i":
                self._begin_insert(buffer, at)
            case "a":
                self._begin_insert(buffer, min(at + 1, line_end(text, at)))
            case "I":
                self._begin_insert(buffer, first_word(text, at))
            case "A":
                self._begin_insert(buffer, line_end(text, at))
            case "o":
                self._begin_insert(buffer, line_end(text, at), "\n")
            case "O":
                start = line_start(text, at)
                self._begin_insert(buffer, start, "\n")
                buffer.cursor = start
            case "r":
                if len(keys) < 2:
                    return False
                if at + times <= line_end(text, at):
                    buffer.replace(at, at + times, keys[1] * times)
                    buffer.cursor = at + times - 1
                    self._changed()
            case "p" | "P":
                self._put(buffer, times, is_before=keys[0] == "P")
            case "u":
                buffer.undo()
            case ".":
                self._again(buffer)
            case _:
                pass
        return True

    def _put(self, buffer: Buffer, times: int, *, is_before: bool) -> None:
        if not self._register:
            return
        text, at = buffer.text, buffer.cursor
        if not self._has_lines:
            place = at if is_before else min(at + 1, line_end(text, at))
            buffer.replace(place, place, self._register * times)
            buffer.cursor = place + len(self._register) * times - 1
        elif is_before:
            place = line_start(text, at)
            buffer.replace(place, place, f"{self._register}\n" * times)
            buffer.cursor = first_word(buffer.text, place)
        else:
            place = line_end(text, at)
            buffer.replace(place, place, f"\n{self._register}" * times)
            buffer.cursor = first_word(buffer.text, place + 1)
        self._changed()

    def _changed(self) -> None:
        """The command being typed is what ``.`` does again."""
        self._change = (list(self._keys), "")

    def _again(self, buffer: Buffer) -> None:
        keys, typed = self._change
        if not keys:
            return
        self._keys = list(keys)
        self._run(self._keys, buffer)
        if self.mode == "insert":
            buffer.replace(buffer.cursor, buffer.cursor, typed)
            self._typed = [*typed]
            self._insert("escape", buffer)
        self._change = (keys, typed)

    def _clamp(self, buffer: Buffer) -> None:
        """In normal mode the cursor stands on a character, not behind the last one."""
        text, at = buffer.text, buffer.cursor
        if at > line_start(text, at) and at == line_end(text, at):
            buffer.cursor = at - 1

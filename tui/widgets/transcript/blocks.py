"""The blocks of a conversation: what each holds and how it turns into lines."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.events import NoticeLevel
from tui.rendering.line import Line, pad, wrap
from tui.rendering.markdown import MarkdownStream
from tui.rendering.sanitize import clean, clean_line

INDENT = 2
PROSE_COLUMNS = 120
"""Longer lines of prose are hard to read, however wide the terminal is."""
PROMPT_MAX_LINES = 30
NOTICE_SIGNS: dict[NoticeLevel, str] = {"info": "›", "warning": "⚠", "error": "✗"}


class Block:
    """One thing in the conversation. ``revision`` grows with each change, so that a view knows what to draw anew."""

    is_foldable = False

    def __init__(self, block_id: str) -> None:
        self.id = block_id
        self.revision = 0
        self.folded = True
        self.margin = 1
        """Blank lines above it."""

    def lines(self, width: int) -> list[Line]:
        """All its lines, none wider than ``width``."""
        raise NotImplementedError

    def stable_lines(self, width: int) -> int:
        """How many of its first lines will never change at this width."""
        return 0

    @property
    def source(self) -> str:
        """What it says, unwrapped and undecorated."""
        return ""

    def touch(self) -> None:
        """Declare a change."""
        self.revision += 1

    def toggle(self) -> bool:
        """Fold or unfold; False where there is nothing to fold."""
        if self.is_foldable:
            self.folded = not self.folded
            self.touch()
        return self.is_foldable


class WelcomeBlock(Block):
    """What stands in an empty conversation."""

    def __init__(self, block_id: str, version: str, *, is_demo: bool) -> None:
        super().__init__(block_id)
        self._version = version
        self._is_demo = is_demo

    def lines(self, width: int) -> list[Line]:
        ask = "Type anything and press Enter to begin the tour." if self._is_demo else "Ask, or say what is to be done."
        rows: list[Line] = [
            (("agent-tui", "strong accent"), (f" {self._version}", "muted")),
            ((ask, "text"),),
            (
                (
                    "It reads and searches on its own; before it changes anything or runs a command you are asked.",
                    "muted",
                ),
            ),
            (
                ("Shift+Tab", "key"),
                (" how much is asked  ", "muted"),
                ("Esc", "key"),
                (" stop  ", "muted"),
                ("F1", "key"),
                (" all keys", "muted"),
            ),
        ]
        bar: Line = (("▌ ", "accent"),)
        return [line for row in rows for line in wrap(row, width, first_prefix=bar, rest_prefix=bar)]


class PromptBlock(Block):
    """What the user said."""

    def __init__(self, block_id: str, text: str, images: Sequence[str] = ()) -> None:
        """``images``: name and size of each image that went with it."""
        super().__init__(block_id)
        self._text = text
        self._images = images
        self.is_foldable = text.count("\n") >= PROMPT_MAX_LINES

    @property
    def source(self) -> str:
        return self._text

    def lines(self, width: int) -> list[Line]:
        rows = wrap(
            [(clean(self._text), "prompt")],
            width - 1,
            first_prefix=(("❯ ", "prompt.mark"),),
            rest_prefix=(("  ", "prompt"),),
        )
        if self.folded and len(rows) > PROMPT_MAX_LINES:
            hidden = len(rows) - PROMPT_MAX_LINES
            rows = [*rows[:PROMPT_MAX_LINES], ((f"  … {hidden} more lines", "prompt muted"),)]
        rows += [((f"  [image: {clean_line(image)}]", "prompt muted"),) for image in self._images]
        return [pad(row, width, "prompt") for row in rows]


class TextBlock(Block):
    """Prose of the model, rendered as it streams."""

    def __init__(self, block_id: str) -> None:
        super().__init__(block_id)
        self._stream = MarkdownStream()
        self.interrupted = False

    @property
    def source(self) -> str:
        return self._stream.source

    def feed(self, text: str) -> None:
        """Add text."""
        self._stream.feed(text)
        self.touch()

    def finish(self, text: str, *, interrupted: bool) -> None:
        """The whole text; what streamed is kept where it is the same."""
        if self._stream.source != text:
            self._stream = MarkdownStream()
            self._stream.feed(text)
        self._stream.finish()
        self.interrupted = interrupted
        self.touch()

    def lines(self, width: int) -> list[Line]:
        margin = (" " * INDENT, "text")
        rows: list[Line] = [(margin, *line) for line in self._stream.lines(_prose_width(width))]
        if self.interrupted:
            rows.append((margin, ("■ cut off", "caution")))
        return rows

    def stable_lines(self, width: int) -> int:
        return self._stream.committed_count(_prose_width(width))


def _prose_width(width: int) -> int:
    return min(width - INDENT, PROSE_COLUMNS)


class ThinkingBlock(Block):
    """Reasoning: one line with its length while folded."""

    is_foldable = True

    def __init__(self, block_id: str) -> None:
        super().__init__(block_id)
        self._pieces: list[str] = []
        self._is_running = True

    @property
    def source(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, text: str) -> None:
        """Add text."""
        self._pieces.append(text)
        self.touch()

    def finish(self, text: str) -> None:
        """The whole text; empty where the model kept it to itself."""
        self._pieces = [text]
        self._is_running = False
        self.touch()

    def lines(self, width: int) -> list[Line]:
        text = clean(self.source).strip()
        words = len(text.split())
        sign = "◆ " if self._is_running else "◇ "
        label = "Thinking" if self._is_running else "Thought"
        size = f" · {words} words" if words else ""
        fold = "" if not text else " ▸" if self.folded else " ▾"
        head: Line = ((f"{sign}{label}{size}{fold}", "thinking"),)
        if self.folded or not text:
            return [head]
        bar: Line = (("  │ ", "faint"),)
        return [head, *wrap([(text, "thinking")], width, first_prefix=bar, rest_prefix=bar)]


class NoticeBlock(Block):
    """Something the program has to say."""

    def __init__(self, block_id: str, level: NoticeLevel, text: str, hint: str = "") -> None:
        super().__init__(block_id)
        self._level: NoticeLevel = level
        self._text = text
        self._hint = hint

    @property
    def source(self) -> str:
        return f"{self._text} {self._hint}".strip()

    def lines(self, width: int) -> list[Line]:
        style = f"notice.{self._level}"
        spans = [(clean(self._text), style if self._level == "error" else "text")]
        if self._hint:
            spans.append((f" {clean(self._hint)}", "muted"))
        sign = ((f"{NOTICE_SIGNS[self._level]} ", style),)
        return wrap(spans, width, first_prefix=sign, rest_prefix=(("  ", "text"),))


class RuleBlock(Block):
    """The quiet line at the end of a turn."""

    def __init__(self, block_id: str, text: str, style: str = "faint") -> None:
        super().__init__(block_id)
        self._text = text
        self._style = style

    @property
    def source(self) -> str:
        return self._text

    def lines(self, width: int) -> list[Line]:
        return wrap(
            [(clean(self._text), self._style)], width, first_prefix=(("  ", "text"),), rest_prefix=(("  ", "text"),)
        )

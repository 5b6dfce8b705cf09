"""The blocks of a conversation: what each holds and how it turns into lines."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.events import NoticeLevel
from tui.keymap import key_text
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, pad, wrap
from tui.rendering.markdown import MarkdownStream, render_markdown
from tui.rendering.parser import fenced_code
from tui.rendering.sanitize import clean, clean_copy, clean_line

INDENT = 2
PROSE_COLUMNS = 120
"""Longer lines of prose are hard to read, however wide the terminal is."""
PROMPT_MAX_LINES = 30
_MARGIN: Span = (" " * INDENT, f"text {DECOR}")
NOTICE_SIGNS: dict[NoticeLevel, str] = {"info": "›", "warning": "⚠", "error": "✗"}

WELCOME_KEYS = (
    ("session.mode", " how much is asked  "),
    ("session.interrupt", " stop  "),
    ("session.help", " all keys"),
)


class Block:
    """One thing in the conversation. ``revision`` grows with each change, so that a view knows what to draw anew.

    A conversation holds thousands of them: they have slots, and when finished they keep their source only.
    """

    __slots__ = ("folded", "id", "margin", "revision")
    is_prompt = False
    """Whether the user said it: the view can jump between those."""
    is_answer = False
    """Whether it is the model's words."""

    def __init__(self, block_id: str) -> None:
        self.id = block_id
        self.revision = 0
        self.folded = True
        self.margin = 1
        """Blank lines above it."""

    @property
    def is_foldable(self) -> bool:
        """Whether there is something to fold."""
        return False

    def lines(self, width: int) -> list[Line]:
        """All its lines, none wider than ``width``."""
        raise NotImplementedError

    def lines_from(self, width: int, start: int) -> list[Line]:
        """Its lines from a row on."""
        return self.lines(width)[start:]

    def estimated_lines(self, width: int) -> int:
        """About how many lines there will be, without making them."""
        return 1

    def stable_lines(self, width: int) -> int:
        """How many of its first lines will never change at this width."""
        return 0

    @property
    def source(self) -> str:
        """What it says, unwrapped and undecorated."""
        return ""

    @property
    def searched(self) -> str:
        """What a search looks through: what it says, and what else is read of it."""
        return self.source

    @property
    def code(self) -> str:
        """The code in it, safe for the clipboard."""
        return ""

    @property
    def output(self) -> str:
        """What came out of it, safe for the clipboard."""
        return ""

    @property
    def file(self) -> str:
        """The file that it is about, as an absolute path; empty where there is none."""
        return ""

    def release(self) -> None:
        """Drop what can be made again from the source."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing more will come of it."""
        return True

    @property
    def is_moving(self) -> bool:
        """Whether it tells a time that goes on: it is drawn anew each second."""
        return False

    @property
    def is_at_hand(self) -> bool:
        """Whether what is folded away is there; of others only the one that is asked for is unfolded."""
        return True

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

    __slots__ = ("_is_demo", "_version")

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
                    "It reads and searches on its own; before it changes anything you are asked.",
                    "muted",
                ),
            ),
            tuple(span for key_id, what in WELCOME_KEYS for span in _key(key_id, what)),
        ]
        bar: Line = (("▌ ", f"accent {DECOR}"),)
        return [line for row in rows for line in wrap(row, width, first_prefix=bar, rest_prefix=bar)]


def _key(key_id: str, what: str) -> Line:
    """A key and what it does; nothing where the user has taken the key away."""
    text = key_text(key_id)
    return ((text, "key"), (what, "muted")) if text else ()


class PromptBlock(Block):
    """What the user said."""

    __slots__ = ("_images", "_text")
    is_prompt = True

    def __init__(self, block_id: str, text: str, images: Sequence[str] = ()) -> None:
        """``images``: name and size of each image that went with it."""
        super().__init__(block_id)
        self._text = text
        self._images = images

    @property
    def is_foldable(self) -> bool:
        return self._text.count("\n") >= PROMPT_MAX_LINES

    @property
    def source(self) -> str:
        return self._text

    def estimated_lines(self, width: int) -> int:
        return min(PROMPT_MAX_LINES, _estimate(self._text, width))

    def lines(self, width: int) -> list[Line]:
        rows = wrap(
            [(clean(self._text), "prompt")],
            width - 1,
            first_prefix=(("❯ ", f"prompt.mark {DECOR}"),),
            rest_prefix=(("  ", f"prompt {DECOR}"),),
        )
        if self.folded and len(rows) > PROMPT_MAX_LINES:
            hidden = len(rows) - PROMPT_MAX_LINES
            rows = [*rows[:PROMPT_MAX_LINES], ((f"  … {hidden} more lines", f"prompt muted {DECOR_ROW}"),)]
        rows += [((f"  [image: {clean_line(image)}]", f"prompt muted {DECOR_ROW}"),) for image in self._images]
        return [pad(row, width, "prompt") for row in rows]


class TextBlock(Block):
    """Prose of the model, rendered as it streams. Finished, it is a source, and its lines while somebody draws them."""

    __slots__ = ("_drawn", "_drawn_width", "_source", "_stream", "interrupted")

    is_answer = True

    def __init__(self, block_id: str) -> None:
        super().__init__(block_id)
        self._stream: MarkdownStream | None = MarkdownStream()
        self._source = ""
        self._drawn: list[Line] = []
        self._drawn_width = 0
        self.interrupted = False

    @property
    def source(self) -> str:
        return self._source if self._stream is None else self._stream.source

    def estimated_lines(self, width: int) -> int:
        return _estimate(self.source, _prose_width(width))

    @property
    def code(self) -> str:
        return clean_copy(fenced_code(self.source)).removesuffix("\n")

    @property
    def is_complete(self) -> bool:
        return self._stream is None or self._stream.is_finished

    def feed(self, text: str) -> None:
        """Add text."""
        if self._stream is None:
            raise ValueError("the text is finished")
        self._stream.feed(text)
        self.touch()

    def finish(self, text: str, *, interrupted: bool) -> None:
        """The whole text; what streamed is kept where it is the same."""
        self._source = text
        if self._stream is not None and self._stream.source == text:
            self._stream.finish()
        else:
            self._stream = None
        self._drawn_width = 0
        self.interrupted = interrupted
        self.touch()

    def lines(self, width: int) -> list[Line]:
        rows = self._prose_from(width, 0)
        if self.interrupted:
            rows.append((_MARGIN, ("■ cut off", f"caution {DECOR_ROW}")))
        return rows

    def lines_from(self, width: int, start: int) -> list[Line]:
        return self.lines(width)[start:] if self.interrupted else self._prose_from(width, start)

    def stable_lines(self, width: int) -> int:
        width = _prose_width(width)
        return len(self._finished_lines(width)) if self._stream is None else self._stream.committed_count(width)

    def release(self) -> None:
        if self._stream is None or self._stream.is_finished:
            self._stream = None
            self._drawn = []
            self._drawn_width = 0

    def _prose_from(self, width: int, start: int) -> list[Line]:
        width = _prose_width(width)
        prose = self._finished_lines(width)[start:] if self._stream is None else self._stream.lines_from(width, start)
        return [(_MARGIN, *line) for line in prose]

    def _finished_lines(self, width: int) -> list[Line]:
        if self._drawn_width != width:
            self._drawn, self._drawn_width = render_markdown(self._source, width), width
        return self._drawn


def _estimate(text: str, width: int) -> int:
    return 1 + text.count("\n") + len(text) // max(1, width)


def _prose_width(width: int) -> int:
    return min(width - INDENT, PROSE_COLUMNS)


class ThinkingBlock(Block):
    """Reasoning: one line with its length while folded."""

    __slots__ = ("_is_running", "_pieces")

    def __init__(self, block_id: str) -> None:
        super().__init__(block_id)
        self._pieces: list[str] = []
        self._is_running = True

    @property
    def is_foldable(self) -> bool:
        return True

    @property
    def source(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def is_complete(self) -> bool:
        return not self._is_running

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
        size = f" · {words} word{'' if words == 1 else 's'}" if words else ""
        fold = "" if not text else " ▸" if self.folded else " ▾"
        head: Line = ((f"{sign}{label}{size}{fold}", f"thinking {DECOR_ROW}"),)
        if self.folded or not text:
            return [head]
        bar: Line = (("  │ ", f"faint {DECOR}"),)
        return [head, *wrap([(text, "thinking")], width, first_prefix=bar, rest_prefix=bar)]


class NoticeBlock(Block):
    """Something the program has to say."""

    __slots__ = ("_hint", "_level", "_text")

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
        sign = ((f"{NOTICE_SIGNS[self._level]} ", f"{style} {DECOR}"),)
        return wrap(spans, width, first_prefix=sign, rest_prefix=(_MARGIN,))


class RuleBlock(Block):
    """The quiet line at the end of a turn."""

    __slots__ = ("_style", "_text")

    def __init__(self, block_id: str, text: str, style: str = "faint") -> None:
        super().__init__(block_id)
        self._text = text
        self._style = style

    @property
    def source(self) -> str:
        return self._text

    def lines(self, width: int) -> list[Line]:
        return wrap([(clean(self._text), self._style)], width, first_prefix=(_MARGIN,), rest_prefix=(_MARGIN,))

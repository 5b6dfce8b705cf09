"""Makes untrusted text safe to show: every string of a model, a tool or a file passes through here before drawing.

`clean` is for ordinary text, `StreamCleaner` for text that arrives in chunks, `ansi_spans` for command output whose
colours are kept, `reveal` (in `tui.rendering.reveal`, offered here too) for permission prompts. Nothing here draws,
wraps or interprets markup.
"""

import re

from tui.rendering.escapes import STRING_LIMIT, ColourState, strip_escapes
from tui.rendering.line import Line, Span
from tui.rendering.reveal import reveal

__all__ = ["StreamCleaner", "ansi_spans", "clean", "clean_copy", "clean_line", "reveal"]

TAB = 4
_MAX_MARKS = 8
_KEPT_MARKS = 4
_HELD_LIMIT = 4096

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Generic combining marks, as used to pile up text; marks that belong to a script are left alone.
_MARKS = "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# Characters that a terminal does not draw, or that turn the order of the text around.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e0fff"
)
_TAGS = "\U000e0000-\U000e007f"

_NOT_PLAIN = re.compile(r"[^\n -~]")
_UNSAFE = re.compile(
    rf"[\x00-\x09\x0b-\x1f\x7f-\x9f{_INVISIBLE}{_TAGS}\u2028\u2029\ud800-\udfff\ufffe\uffff]"
    rf"|[{_MARKS}]{{{_MAX_MARKS + 1}}}"
)
_CHARACTER = re.compile(
    rf"(?P<emoji>(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    rf"|(?<=[{_EMOJI}])\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3))"
    rf"|(?P<flag>(?<=\U0001f3f4)[\U000e0061-\U000e007a\U000e0030-\U000e0039]{{2,8}}\U000e007f)"
    rf"|(?P<tags>[{_TAGS}]+)"
    rf"|(?P<invisible>[{_INVISIBLE}])"
    r"|(?P<surrogate>[\ud800-\udfff])"
    r"|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f])"
    r"|(?P<other>[\u2028\u2029\ufffe\uffff])"
)
_MARK_FLOOD = re.compile(rf"([{_MARKS}]{{{_KEPT_MARKS}}})([{_MARKS}]{{{_MAX_MARKS - _KEPT_MARKS + 1},}})")
_HOLDABLE = re.compile(rf"[\r{_MARKS}{_INVISIBLE}{_TAGS}]")
_JOINABLE = re.compile(rf"[{_EMOJI}0-9#*]")
_RETURNS = re.compile(r"\r+(\n?)")
_COLOUR = re.compile(r"\x1b\[([0-9;:]*)m")
_COLOURED_MARKS = re.compile(rf"(?:(?:\x1b\[[0-9;:]*m)+[{_MARKS}]+)+")


def clean(text: str) -> str:
    """Make a text safe; newlines stay, tabs become blanks, a line that is overwritten shows its last state."""
    if not _NOT_PLAIN.search(text) or not _UNSAFE.search(text):
        return text
    text = _fix_characters(strip_escapes(text)[0])
    if "\r" in text:
        text = "\n".join(_last_state(line) if "\r" in line else line for line in text.split("\n"))
    return text.expandtabs(TAB)


def clean_copy(text: str) -> str:
    """Make a text safe for the clipboard: as `clean`, but tabs stay what they are."""
    return "\t".join(clean(part) for part in text.split("\t"))


def clean_line(text: str) -> str:
    """Make a text safe for a single row, such as a title: newlines become visible."""
    return clean(text).replace("\n", "⏎")


def ansi_spans(text: str, base: str = "text") -> list[Line]:
    """Command output as lines: colours become style names over `base`, everything else is cleaned."""
    if not _NOT_PLAIN.search(text):
        return [((row, base),) if row else () for row in text.removesuffix("\n").split("\n")] if text else []
    text = strip_escapes(text, keep_colours=True)[0]
    # A mark has the colour of its letter; between colours, a flood of marks would not be seen as one.
    text = _COLOURED_MARKS.sub(_marks_first, text)
    canvas = _Canvas()
    state = ColourState()
    style = base
    for number, piece in enumerate(_COLOUR.split(text)):
        if number % 2:
            state.apply(piece)
            style = state.names(base)
        elif piece:
            canvas.write(_fix_characters(piece), style)
    return canvas.lines()


class StreamCleaner:
    """Cleans text that arrives in chunks; where the chunks are cut makes no difference to the result.

    The same as `clean`, but what was handed out cannot be taken back: a lone CR starts a new line instead of
    overwriting the old one, and a control string longer than 4 KB is shown. Memory is bounded.
    """

    def __init__(self) -> None:
        self._open = ""  # A control sequence that is not complete.
        self._held = ""  # Characters whose meaning depends on the next one.
        self._context = ""  # The last character, if a joiner could follow it.
        self._column = 0

    def feed(self, chunk: str) -> str:
        """Take a chunk; return the text that is certain now."""
        if not self._open and not self._held and not _NOT_PLAIN.search(chunk):
            self._note(chunk)
            return chunk
        data = self._open + chunk
        text, used = strip_escapes(data, limit=STRING_LIMIT, final=False)
        self._open = data[used:]
        return self._emit(text, final=False)

    def close(self) -> str:
        """End the text: return what was held back, and be ready for another one."""
        text, _ = strip_escapes(self._open, limit=STRING_LIMIT)
        rest = self._emit(text, final=True)
        self._open = self._held = self._context = ""
        self._column = 0
        return rest

    def _emit(self, text: str, *, final: bool) -> str:
        text = self._held + text
        self._held = ""
        if not final:
            end = len(text)
            while end and _HOLDABLE.match(text, end - 1):
                end -= 1
            if len(text) - end <= _HELD_LIMIT:
                text, self._held = text[:end], text[end:]
        if not text:
            return ""
        text = _fix_characters(self._context + text)[len(self._context) :]
        if "\r" in text:
            text = self._break_at_returns(text, final)
        if "\t" in text:
            lead = self._column % TAB
            text = (" " * lead + text).expandtabs(TAB)[lead:]
        self._note(text)
        return text

    def _break_at_returns(self, text: str, final: bool) -> str:
        def replace(match: re.Match[str]) -> str:
            start, end = match.span()
            at_line_start = text[start - 1] == "\n" if start else self._column == 0
            if match[1] or not (at_line_start or (final and end == len(text))):
                return "\n"
            return ""

        return _RETURNS.sub(replace, text)

    def _note(self, text: str) -> None:
        """Remember what the next chunk needs to know about this one."""
        if not text:
            return
        newline = text.rfind("\n")
        self._column = self._column + len(text) if newline < 0 else len(text) - newline - 1
        self._context = text[-1] if _JOINABLE.match(text[-1]) else ""


class _Canvas:
    """Rows of coloured output under construction: knows about lone CRs and tab stops."""

    def __init__(self) -> None:
        self._rows: list[list[Span]] = [[]]
        self._column = 0
        self._returned = False

    def write(self, text: str, style: str) -> None:
        for number, part in enumerate(text.split("\n")):
            if number:
                self._rows.append([])
                self._column = 0
                self._returned = False
            for index, segment in enumerate(part.split("\r") if "\r" in part else (part,)):
                self._returned = self._returned or index > 0
                if segment:
                    self._put(segment, style)

    def lines(self) -> list[Line]:
        if not self._rows[-1]:
            self._rows.pop()  # The newline at the end of output starts no line.
        return [tuple(row) for row in self._rows]

    def _put(self, segment: str, style: str) -> None:
        row = self._rows[-1]
        if self._returned:
            row.clear()
            self._column = 0
            self._returned = False
        if "\t" in segment:
            lead = self._column % TAB
            segment = (" " * lead + segment).expandtabs(TAB)[lead:]
        self._column += len(segment)
        if row and row[-1][1] == style:
            row[-1] = (row[-1][0] + segment, style)
        else:
            row.append((segment, style))


def _marks_first(match: re.Match[str]) -> str:
    colours = "".join(found[0] for found in _COLOUR.finditer(match[0]))
    return _COLOUR.sub("", match[0]) + colours


def _last_state(line: str) -> str:
    """What a terminal shows of a line that was overwritten by carriage returns."""
    return line.rstrip("\r").rpartition("\r")[2]


def _fix_characters(text: str) -> str:
    """Replace or drop single characters in a text without escape sequences; CR and tabs stay."""
    if not _UNSAFE.search(text):
        return text
    text = _CHARACTER.sub(_fixed, text)
    return _MARK_FLOOD.sub(lambda match: f"{match[1]}⟨+{len(match[2])}⟩", text)


def _fixed(match: re.Match[str]) -> str:
    character = match[0]
    match match.lastgroup:
        case "emoji":
            return character
        case "control":
            return "␡" if character == "\x7f" else chr(0x2400 + ord(character))
        case "tags":
            return f"⟨{len(character)} hidden characters⟩"
        case "surrogate":
            return "\ufffd"
        case "other":
            return f"⟨U+{ord(character):04X}⟩"
        case _:
            return ""

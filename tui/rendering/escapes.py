"""The grammar of terminal control sequences: finding them, removing them, reading colours out of them.

Owns the knowledge of ECMA-48 and nothing else: what happens to single characters is decided in
`tui.rendering.sanitize`. Everything here is linear in the length of the text, whatever the text is.
"""

import re

# A control string (OSC, DCS, …) that is not closed within this many characters was none, or is an attack: its content
# is shown instead of swallowed.
STRING_LIMIT = 4096

_SEQUENCE = re.compile(
    r"(?P<csi>(?:\x1b\[|\x9b)(?P<args>[0-?]{0,256})[ -/]{0,16}(?P<final>[@-~])?)"
    r"|(?P<osc>\x1b\]|\x9d)"
    r"|(?P<string>\x1b[PX^_]|[\x90\x98\x9e\x9f])"
    r"|(?P<short>\x1b[ -/]{0,16}[0-~])"
    r"|(?P<lone>\x1b[ -/]{0,16})"
    r"|(?P<c1>[\x80-\x9f])"
)
# No real OSC holds a newline, so one closes it: a forgotten terminator costs a line of output, not all of it.
_OSC_END = re.compile(r"\x07|\x1b\\|[\x9c\x18\x1a]|(?=\n)")
_STRING_END = re.compile(r"\x1b\\|[\x9c\x18\x1a]")
_SGR_ARGS = re.compile(r"[0-9;:]*")

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike", 21: "underline"}
_RESETS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}


class _Terminators:
    """Finds the end of control strings; remembers the last one, so that a flood of openings stays linear."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text = text
        self._pattern = pattern
        self._found: re.Match[str] | None = None
        self._none_after = len(text) + 1

    def after(self, position: int) -> re.Match[str] | None:
        if self._found is not None and self._found.start() >= position:
            return self._found
        if position >= self._none_after:
            return None
        self._found = self._pattern.search(self._text, position)
        if self._found is None:
            self._none_after = position
        return self._found


def strip_escapes(
    text: str, *, limit: int | None = None, keep_colours: bool = False, final: bool = True
) -> tuple[str, int]:
    """Remove control sequences and C1 controls; return what is left and how much of the text was used.

    All of it is used when `final`; otherwise a sequence that is still open at the end waits for more text. `limit`
    bounds the length of a control string, `keep_colours` leaves SGR sequences in place.
    """
    out: list[str] = []
    ends = {"osc": _Terminators(text, _OSC_END), "string": _Terminators(text, _STRING_END)}
    position = 0
    while match := _SEQUENCE.search(text, position):
        start, end, kind = match.start(), match.end(), match.lastgroup
        out.append(text[position:start])
        position = end
        if match["csi"] is not None:
            if not match["final"] and end == len(text) and not final:
                return "".join(out), start
            if keep_colours and match["final"] == "m" and _SGR_ARGS.fullmatch(match["args"]):
                out.append(f"\x1b[{match['args']}m")
        elif kind in ends:
            close = ends[kind].after(end)
            if close is not None and (limit is None or close.start() - end <= limit):
                position = close.end()
            elif close is None and not final and len(text) < end + STRING_LIMIT + 2:
                return "".join(out), start
            elif close is None and final and len(text) - end <= STRING_LIMIT and "\n" not in text[end:]:
                position = len(text)
        elif kind == "lone":
            if end == len(text) and end - start <= 16 and not final:
                return "".join(out), start
            out.append("␛")
            position = start + 1
    out.append(text[position:])
    return "".join(out), len(text)


class ColourState:
    """The text attributes that SGR sequences have switched on."""

    def __init__(self) -> None:
        self._attributes: list[str] = []
        self._fore = ""
        self._back = ""

    def apply(self, arguments: str) -> None:
        """Read the arguments of one SGR sequence. Conceal and blink are ignored: no text may hide."""
        groups = arguments.split(";")
        while groups:
            numbers = [int(part[:6] or 0) for part in groups.pop(0).split(":")]
            code = numbers[0]
            if code in (38, 48):
                if len(numbers) == 1:
                    numbers += _take_colour(groups)
                elif numbers[1] == 2 and len(numbers) > 5:
                    del numbers[2]  # 38:2:<colour space>:r:g:b
                self._set_colour(code == 38, _colour(numbers[1:], "fg" if code == 38 else "bg"))
            elif code == 4 and numbers[1:2] == [0]:
                self._drop("underline")
            else:
                self._apply_simple(code)

    def names(self, base: str) -> str:
        """Style names of the present state, laid over `base`."""
        colours = [name for name in (self._fore, self._back) if name]
        if self._fore and _same_colour(self._fore, self._back):
            colours = []
        return " ".join([base, *colours, *self._attributes])

    def _apply_simple(self, code: int) -> None:
        if code == 0:
            self._attributes.clear()
            self._fore = self._back = ""
        elif code in _ATTRIBUTES:
            self._drop(_ATTRIBUTES[code])
            self._attributes.append(_ATTRIBUTES[code])
        elif code in _RESETS:
            self._drop(*_RESETS[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            self._fore = "ansi." + _basic_name(code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            self._back = "ansi.on_" + _basic_name(code - 40 if code < 100 else code - 92)
        elif code == 39:
            self._fore = ""
        elif code == 49:
            self._back = ""

    def _drop(self, *names: str) -> None:
        self._attributes = [name for name in self._attributes if name not in names]

    def _set_colour(self, fore: bool, name: str) -> None:
        if name and fore:
            self._fore = name
        elif name:
            self._back = name


def _take_colour(groups: list[str]) -> list[int]:
    """Take the arguments of `38;5;n` or `38;2;r;g;b` from the list of the following ones."""
    count = {"5": 2, "2": 4}.get(groups[0] if groups else "", 0)
    taken = groups[:count]
    del groups[:count]
    return [int(part[:6]) if part[:6].isdigit() else 0 for part in taken]


def _colour(numbers: list[int], prefix: str) -> str:
    if len(numbers) >= 4 and numbers[0] == 2:
        red, green, blue = (min(255, value) for value in numbers[1:4])
        return f"{prefix}.#{red:02x}{green:02x}{blue:02x}"
    if len(numbers) < 2 or numbers[0] != 5 or numbers[1] > 255:
        return ""
    number = numbers[1]
    if number < 16:
        return ("ansi." if prefix == "fg" else "ansi.on_") + _basic_name(number)
    if number >= 232:
        levels = [8 + (number - 232) * 10] * 3
    else:
        steps = divmod(number - 16, 36)
        levels = [55 + 40 * step if step else 0 for step in (steps[0], *divmod(steps[1], 6))]
    return f"{prefix}.#" + "".join(f"{level:02x}" for level in levels)


def _basic_name(number: int) -> str:
    return _COLOURS[number] if number < 8 else f"bright_{_COLOURS[number - 8]}"


def _same_colour(fore: str, back: str) -> bool:
    """Text in the colour of its background is invisible; such colours are not used."""
    return fore.removeprefix("fg.").removeprefix("ansi.") == back.removeprefix("bg.").removeprefix("ansi.on_")

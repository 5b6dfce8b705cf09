"""Turns style names into Rich styles, and lines into segments for Textual's strips.

The only module of the package that knows Rich's styles. Names come from the renderers, definitions from a theme; a
span is never read as markup. A link is opened by the terminal, and only to an address that `tui.rendering.links` lets
pass.
"""

import re

from rich.segment import Segment
from rich.style import Style

from tui.rendering.line import Line
from tui.rendering.links import HREF, target

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_ATTRIBUTES = frozenset({"bold", "dim", "italic", "underline", "strike", "reverse"})
_ANSI = re.compile(r"ansi\.(on_)?((?:bright_)?(?:black|red|green|yellow|blue|magenta|cyan|white))")
# Output of programs may hold any number of true colours; the cache must not.
_CACHE_LIMIT = 4096


class Palette:
    """Style names to Rich styles, cached; the definitions are read on first use."""

    def __init__(self, definitions: dict[str, str]) -> None:
        self._definitions = dict(definitions)
        self._single: dict[str, Style | None] = {}
        self._layered: dict[str, Style] = {}

    def style(self, names: str) -> Style:
        """The style of one name or of several, layered left to right.

        A name that is not defined stands for the name without its last dotted part. Names that lead nowhere change
        nothing; if none leads anywhere, the style is that of "text".
        """
        cached = self._layered.get(names)
        if cached is not None:
            return cached
        words = names.split()
        known = [style for name in words if (style := self._lookup(name)) is not None]
        result = Style.combine(known) if known else (self._lookup("text") or Style.null())
        address = next((found for word in words if (found := target(word))), "")
        if address:
            result += Style(link=address)
        if len(self._layered) >= _CACHE_LIMIT:
            self._layered.clear()
            self._single.clear()
        self._layered[names] = result
        return result

    def segments(self, line: Line) -> list[Segment]:
        """The line as segments, text for text."""
        layered = self._layered
        return [Segment(text, layered.get(style) or self.style(style)) for text, style in line]

    def _lookup(self, name: str) -> Style | None:
        if name.startswith(HREF):
            return None
        if name not in self._single:
            self._single[name] = self._resolve(name)
        return self._single[name]

    def _resolve(self, name: str) -> Style | None:
        candidate = name
        while candidate:
            if candidate in self._definitions:
                return Style.parse(self._definitions[candidate])
            builtin = _builtin(candidate)
            if builtin is not None:
                return builtin
            candidate = candidate.rpartition(".")[0]
        return None


def _builtin(name: str) -> Style | None:
    """Styles that need no theme: the colours and attributes that programs ask for."""
    if name in _ATTRIBUTES:
        return Style.parse(name)
    if name.startswith("fg.") and _HEX.fullmatch(name, 3):
        return Style(color=name[3:])
    if name.startswith("bg.") and _HEX.fullmatch(name, 3):
        return Style(bgcolor=name[3:])
    colour = _ANSI.fullmatch(name)
    if colour is None:
        return None
    return Style(bgcolor=colour[2]) if colour[1] else Style(color=colour[2])

"""What a theme is, and what its values may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COLORS = frozenset(
    (
        "background surface panel border foreground muted faint primary accent success warning error heading code "
        "link quote argument keyword function type string number operator added added_background added_word removed "
        "removed_background removed_word "
        "agent_red agent_blue agent_green agent_yellow agent_purple agent_orange agent_pink agent_cyan"
    ).split()
)
"""Every colour that a theme must have, its own or its base's."""

ANSI_NAMES = frozenset(
    f"{bright}{name}"
    for bright in ("", "bright_")
    for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
) | {"default"}
"""The terminal's own colours; in a theme they stand with ``ansi_`` before them."""

ATTRIBUTES = frozenset({"bold", "dim", "italic", "underline", "strike", "reverse"})

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One theme. ``styles`` maps style names to definitions in Rich's notation, colours filled in."""

    name: str
    label: str
    dark: bool
    colors: dict[str, str] = field(default_factory=dict[str, str])
    styles: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_ansi(self) -> bool:
        """Whether it leaves colours to the terminal."""
        return any(value.startswith("ansi_") for value in self.colors.values())


class ThemeError(ValueError):
    """A file that is not a theme; the text names file and key."""


def is_color(value: object) -> bool:
    """``#rrggbb``, or ``ansi_`` and a name."""
    if not isinstance(value, str):
        return False
    return bool(_HEX.fullmatch(value)) or (value.startswith("ansi_") and value[5:] in ANSI_NAMES)


def fill_style(definition: str, colors: dict[str, str]) -> str:
    """A style in Rich's notation, its ``$names`` replaced by colours. Raises ``ValueError`` with the reason."""
    words: list[str] = []
    for word in definition.split():
        if word.startswith("$"):
            if word[1:] not in colors:
                raise ValueError(f"there is no colour {word!r}")
            word = colors[word[1:]]
        if is_color(word):
            words.append(word.removeprefix("ansi_"))
        elif word in ATTRIBUTES or word in ("on", "not"):
            words.append(word)
        else:
            raise ValueError(f"{word!r} is neither a colour nor one of {', '.join(sorted(ATTRIBUTES))}")
    for at, word in enumerate(words):
        if word in ("on", "not"):
            follower = words[at + 1] if at + 1 < len(words) else ""
            if not follower or follower in ("on", "not") or (follower in ATTRIBUTES) != (word == "not"):
                raise ValueError(f"{word!r} needs {'an attribute' if word == 'not' else 'a colour'} after it")
    return " ".join(words)

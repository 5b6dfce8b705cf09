"""What a theme is."""

from __future__ import annotations

from dataclasses import dataclass, field

COLORS = frozenset(
    (
        "background surface panel border foreground muted faint primary accent success warning error heading code "
        "link quote argument keyword function type string number operator added added_background added_word removed "
        "removed_background removed_word"
    ).split()
)
"""Every colour that a theme must define, as ``#rrggbb``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One theme. ``styles`` maps style names to definitions in Rich's notation, colours filled in."""

    name: str
    label: str
    dark: bool
    colors: dict[str, str] = field(default_factory=dict[str, str])
    styles: dict[str, str] = field(default_factory=dict[str, str])

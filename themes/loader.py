"""Reads theme files: those of this folder, and the user's, which may change only some colours of one of them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, cast

from themes.schema import COLORS, Theme, ThemeError, fill_style, is_color

FOLDER = Path(__file__).parent
DEFAULT, DEFAULT_LIGHT = "dark", "light"
AUTO = "auto"
STYLES = "styles"
"""The file of this folder that is no theme."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_KEYS = {"label", "dark", "base", "colors", "styles"}
# Set by several terminals as "foreground;background"; 7 and 15 are the light ANSI colours.
_LIGHT_ANSI = ("7", "15")


def theme_names(user: Path | None = None) -> list[str]:
    """Names of the themes, sorted; with the user's folder also those in it."""
    names = {path.stem for path in FOLDER.glob("*.toml")} - {STYLES}
    if user is not None:
        names |= {path.stem for path in user.glob("*.toml") if _NAME.fullmatch(path.stem)}
    return sorted(names - {AUTO})


def read_themes(user: Path) -> tuple[list[Theme], list[str]]:
    """All themes that can be used, by label, and what was wrong with the others, for the user to read."""
    themes: list[Theme] = []
    problems = [
        f"{path}: a theme's name has only letters, digits, - and _"
        for path in sorted(user.glob("*.toml"))
        if not _NAME.fullmatch(path.stem) or path.stem == AUTO
    ]
    for name in theme_names(user):
        try:
            themes.append(load_theme(name, user))
        except ThemeError as error:
            problems.append(str(error))
    return sorted(themes, key=lambda theme: (not theme.dark, theme.label.lower())), problems


def choose_theme(wanted: str, environ: dict[str, str], user: Path | None = None) -> str:
    """The name of the theme to use; ``auto`` follows what the terminal says of its background."""
    if wanted in theme_names(user):
        return wanted
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return DEFAULT_LIGHT if background in _LIGHT_ANSI else DEFAULT


def load_theme(name: str, user: Path | None = None) -> Theme:
    """A theme by name, the user's own before one of ours. Raises ``ThemeError``, naming file and key."""
    path = FOLDER / f"{name}.toml"
    if user is not None and (user / f"{name}.toml").is_file():
        path = user / f"{name}.toml"
    data = _read(path)
    base = data.get("base")
    if base is None:
        below: dict[str, Any] = {}
    elif base in theme_names() and FOLDER / f"{base}.toml" != path:
        below = _with_base(_read(FOLDER / f"{base}.toml"))
    else:
        raise ThemeError(f"{path}: base must be one of {', '.join(theme_names())}, not {base!r}")
    return _build(name, path, data, below)


def _with_base(data: dict[str, Any]) -> dict[str, Any]:
    """One of our own that stands on another of our own."""
    if "base" not in data:
        return data
    below = _with_base(_read(FOLDER / f"{data['base']}.toml"))
    joined = {part: below.get(part, {}) | data.get(part, {}) for part in ("colors", "styles")}
    return below | data | joined


def _build(name: str, path: Path, data: dict[str, Any], below: dict[str, Any]) -> Theme:
    own = _table(path, data, "colors")
    for key, value in own.items():
        if key not in COLORS:
            raise ThemeError(f"{path}: colors.{key} is no colour of a theme")
        if not is_color(value):
            raise ThemeError(f"{path}: colors.{key} must be #rrggbb or an ansi_ name, not {value!r}")
    colors: dict[str, str] = below.get("colors", {}) | own
    missing = COLORS - colors.keys()
    if missing:
        raise ThemeError(f"{path}: colors lacks {', '.join(sorted(missing))}; or name a base")
    label, dark = data.get("label", name), data.get("dark", below.get("dark", True))
    if not isinstance(label, str) or not isinstance(dark, bool):
        raise ThemeError(f"{path}: {'dark must be true or false' if isinstance(label, str) else 'label must be text'}")
    styles: dict[str, str] = {}
    for key, value in (_styles() | below.get("styles", {}) | _table(path, data, "styles")).items():
        try:
            styles[key] = fill_style(str(value), colors)
        except ValueError as error:
            raise ThemeError(f"{path}: styles.{key}: {error}") from error
    return Theme(name=name, label=label, dark=dark, colors=colors, styles=styles)


def _table(path: Path, data: dict[str, Any], name: str) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ThemeError(f"{path}: {name} must be a table")
    return cast("dict[str, Any]", table)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ThemeError(f"{path}: {error}") from error
    unknown = data.keys() - _KEYS
    if unknown:
        raise ThemeError(f"{path}: {', '.join(sorted(unknown))} is unknown; there are {', '.join(sorted(_KEYS))}")
    return data


@cache
def _styles() -> dict[str, str]:
    """What each style name means, in every theme."""
    return tomllib.loads((FOLDER / f"{STYLES}.toml").read_text("utf-8"))

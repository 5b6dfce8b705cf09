"""Reads the theme files of this folder."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from themes.schema import COLORS, Theme

FOLDER = Path(__file__).parent
DEFAULT = "dark"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_REFERENCE = re.compile(r"\$(\w+)")


def theme_names() -> list[str]:
    """Names of the themes, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "styles")


def choose_theme(wanted: str, environ: dict[str, str]) -> str:
    """The name of the theme to use; ``auto`` follows what the terminal says of its background."""
    if wanted in theme_names():
        return wanted
    # Set by several terminals as "foreground;background"; 7 and 15 are the light ANSI colours.
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else DEFAULT


def load_theme(name: str) -> Theme:
    """A theme by name. Raises ``ValueError`` for a file that is not a whole theme, ``OSError`` for none."""
    data: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    colors: dict[str, str] = data["colors"]
    missing = COLORS - colors.keys()
    if missing:
        raise ValueError(f"theme {name} lacks {', '.join(sorted(missing))}")
    bad = [key for key, value in colors.items() if not _COLOR.fullmatch(value)]
    if bad:
        raise ValueError(f"theme {name}: {', '.join(bad)} must be #rrggbb")
    styles: dict[str, str] = tomllib.loads((FOLDER / "styles.toml").read_text("utf-8"))
    styles = styles | data.get("styles", {})
    filled = {key: _REFERENCE.sub(lambda match: colors[match[1]], value) for key, value in styles.items()}
    return Theme(name=name, label=data["label"], dark=data["dark"], colors=colors, styles=filled)

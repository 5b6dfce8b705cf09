"""Names of keys: from what people write to what Textual calls them, and back. Knows nothing of what they do."""

from __future__ import annotations

import re
import unicodedata

from textual.keys import REPLACED_KEYS, Keys, key_to_character

MODIFIERS = {
    "ctrl": "ctrl", "control": "ctrl", "alt": "alt", "option": "alt", "opt": "alt", "shift": "shift",
    "super": "super", "cmd": "super", "command": "super", "win": "super", "meta": "meta", "hyper": "hyper",
}  # fmt: skip
ALIASES = {
    "esc": "escape", "return": "enter", "cr": "enter", "del": "delete", "ins": "insert", "pgup": "pageup",
    "pgdn": "pagedown", "pgdown": "pagedown", "page_up": "pageup", "page_down": "pagedown", "bs": "backspace",
    "spacebar": "space", "↑": "up", "↓": "down", "←": "left", "→": "right",
}  # fmt: skip
SAME_IN_A_TERMINAL = {"ctrl+m": "enter", "ctrl+i": "tab", "ctrl+left_square_bracket": "escape"}
"""Pairs that most terminals send as one: nobody can bind them apart."""
WRITTEN = {
    "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn", "delete": "Del", "insert": "Ins",
    "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip
NAMED = {key.value for key in Keys if re.fullmatch(r"[a-z]+\d*", key.value)} - {"ignore"}
_ORDER = ("ctrl", "alt", "shift", "super", "meta", "hyper")


def parse_key(text: str) -> str:
    """Textual's name of a key such as ``Ctrl+Shift+X`` or ``PgUp``. Raises ``ValueError`` with the reason."""
    if not text.strip():
        raise ValueError("no key is named")
    if " " in text.strip():
        raise ValueError("one key at a time, not several in a row")
    text = text.strip()
    *before, last = text.split("+") if text != "+" and not text.endswith("++") else (*text[:-1].split("+")[:-1], "+")
    modifiers: set[str] = set()
    for name in before:
        modifier = MODIFIERS.get(name.lower())
        if modifier is None:
            raise ValueError(f"{name!r} is no modifier")
        modifiers.add(modifier)
    key = "+".join((*sorted(modifiers), _parse_last(last, is_modified=bool(modifiers))))
    return SAME_IN_A_TERMINAL.get(key, key)


def written(key: str) -> str:
    """The key as people write it: ``ctrl+shift+x`` is ``Ctrl+Shift+X``."""
    *modifiers, last = key.split("+")
    name = WRITTEN.get(last)
    if name is None:
        character = _character_of(last)
        name = character if character and character.isprintable() and not character.isspace() else last.capitalize()
        if modifiers and len(name) == 1:
            name = name.upper()
    ordered = [name.capitalize() for name in _ORDER if name in modifiers]
    return "+".join((*ordered, name))


def types_text(key: str) -> bool:
    """Whether an editor takes the key for a character."""
    if "+" in key:
        return False
    character = " " if key == "space" else _character_of(key)
    return character is not None and character.isprintable()


def _parse_last(name: str, *, is_modified: bool) -> str:
    if len(name) == 1 and name not in ALIASES:
        name = name.lower() if is_modified else name
        if name.isalnum():
            return name
        if not name.isprintable():
            raise ValueError("a control character is no key")
        return _name_of(name)
    lower = ALIASES.get(name.lower(), name.lower())
    if lower in NAMED or (len(lower) > 1 and _character_of(lower) is not None):
        return lower
    raise ValueError(f"there is no key {name!r}")


def _character_of(name: str) -> str | None:
    return None if name in NAMED else key_to_character(REPLACED_KEYS.get(name, name))


def _name_of(character: str) -> str:
    from textual.keys import _character_to_key  # pyright: ignore[reportPrivateUsage]  its only spelling

    try:
        unicodedata.name(character)
    except ValueError as error:
        raise ValueError(f"there is no key {character!r}") from error
    return _character_to_key(character)

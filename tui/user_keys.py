"""The user's own keys: reads ``keybindings.toml`` or ``keybindings.json`` and says what cannot be used.

Two forms: ``{"view.todos": "ctrl+y", "view.transcript": null}`` by the ids of the keymap, and
``{"bindings": [{"context": "Chat", "bindings": {"ctrl+e": "view.todos", "ctrl+t": null}}]}`` by keys.
A mistake costs its entry, never the start.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tui.key_names import parse_key, types_text, written
from tui.keymap import ALL_KEYS, COMPOSER_KEYS, SCREEN_KEYS, TRANSCRIPT_KEYS, Key, default_keys

FILES = ("keybindings.toml", "keybindings.json")
RESERVED = {"enter": "input.send", "ctrl+c": "session.quit", "ctrl+d": "session.exit"}
"""Keys that stay what they are, so that nobody locks themselves in."""
CONTEXTS = {"Global": SCREEN_KEYS, "Chat": COMPOSER_KEYS, "Transcript": TRANSCRIPT_KEYS}
KNOWN_ACTIONS = {
    "app:interrupt": "session.quit",
    "app:exit": "session.exit",
    "app:redraw": "view.redraw",
    "app:toggleTodos": "view.todos",
    "app:toggleTranscript": "view.transcript",
    "chat:cancel": "session.interrupt",
    "chat:cycleMode": "session.mode",
    "chat:newline": "input.newline",
    "chat:submit": "input.send",
    "history:previous": "input.older",
    "history:next": "input.newer",
    "task:background": "session.background",
}
"""Names of actions in existing files of the second form."""

_BY_ID = {key.id: key for key in ALL_KEYS}
_SCREEN_IDS = {key.id for key in SCREEN_KEYS}


@dataclass(slots=True)
class UserKeys:
    """Keys by id as they are to be, and what was wrong, each for the user to read."""

    changed: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    problems: list[str] = field(default_factory=list[str])


def read_user_keys(folder: Path) -> UserKeys:
    """Read the file of the user's folder, where there is one."""
    result = UserKeys()
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if not found:
        return result
    if len(found) > 1:
        result.problems.append(f"{found[1].name} is not read: there is {found[0].name} beside it")
    path = found[0]
    try:
        text = path.read_text("utf-8")
        data: Any = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except json.JSONDecodeError as error:
        result.problems.append(f"{path.name}:{error.lineno}: not valid JSON ({error.msg}); the file is ignored")
        return result
    except (OSError, ValueError, RecursionError) as error:
        result.problems.append(f"{path.name}: cannot be read ({error}); the file is ignored")
        return result
    if isinstance(data, dict):
        _Reading(path.name, text, result).take(cast("dict[str, Any]", data))
    else:
        result.problems.append(f"{path.name}:1: must be an object; the file is ignored")
    return result


class _Reading:
    """One file on its way to keys."""

    def __init__(self, name: str, text: str, result: UserKeys) -> None:
        self._name = name
        self._rows = text.splitlines()
        self._result = result

    def take(self, data: dict[str, Any]) -> None:
        """Take all entries in, then settle who has which key."""
        blocks: Any = data.pop("bindings", None)
        data.pop("$schema", None)
        for key_id, value in _flat(data).items():
            if key_id not in _BY_ID:
                self._tell(key_id, f"there is no action {key_id!r}")
            else:
                names = self._names(key_id, value)
                if names is not None:
                    self._set(key_id, names)
        if isinstance(blocks, list):
            for block in cast("list[Any]", blocks):
                self._take_block(block)
        elif blocks is not None:
            self._tell("bindings", "bindings must be a list of objects with context and bindings")
        self._settle()

    def _take_block(self, block: Any) -> None:
        entry = cast("dict[str, Any]", block) if isinstance(block, dict) else {}
        context, wanted = entry.get("context"), entry.get("bindings")
        if not isinstance(wanted, dict) or context not in CONTEXTS:
            self._tell(str(context), f"context must be one of {', '.join(CONTEXTS)}, with an object of bindings")
            return
        for text, action in cast("dict[str, Any]", wanted).items():
            name = self._parse(text, text)
            if name is None:
                continue
            if action is None:
                for key in (*CONTEXTS[context], *SCREEN_KEYS):
                    if name in self._now(key) and name not in RESERVED:
                        self._result.changed[key.id] = tuple(other for other in self._now(key) if other != name)
                continue
            key_id = KNOWN_ACTIONS.get(str(action), str(action))
            if key_id not in _BY_ID:
                self._tell(text, f"there is no action {action!r}")
            else:
                self._set(key_id, [name, *(other for other in self._now(_BY_ID[key_id]) if other != name)])

    def _names(self, key_id: str, value: Any) -> list[str] | None:
        """The keys of an entry, none where it takes them away; None where not one that is given can be used."""
        if value in (None, False, "", []):
            return []
        texts = cast("list[Any]", value) if isinstance(value, list) else str(value).split(",")
        return [name for text in texts if (name := self._parse(str(text), key_id)) is not None] or None

    def _parse(self, text: str, where: str) -> str | None:
        try:
            return parse_key(text)
        except ValueError as error:
            self._tell(where, f"{text!r} is not a key that can be bound: {error}")
            return None

    def _set(self, key_id: str, names: list[str]) -> None:
        """Bind, but leave the reserved keys where they are, and the editor its letters."""
        own = [name for name, owner in RESERVED.items() if owner == key_id]
        kept: list[str] = []
        for name in names:
            if RESERVED.get(name, key_id) != key_id:
                self._tell(key_id, f"{written(name)} cannot be given to {key_id}: it stays {RESERVED[name]}")
            elif types_text(name) and (key_id in _SCREEN_IDS or key_id.startswith("input.")):
                self._tell(key_id, f"{written(name)} cannot be given to {key_id}: it could no longer be typed")
            else:
                kept.append(name)
        missing = [name for name in own if name not in kept]
        if missing:
            self._tell(key_id, f"{key_id} keeps {written(missing[0])}")
        if names and not kept and not own:
            return
        # The reserved key is bound by the editor itself, and no other can send.
        self._result.changed[key_id] = tuple(own) if key_id == "input.send" else (*kept, *missing)

    def _settle(self) -> None:
        """One key, one action where both could have it: the user's over the table's, the later over the earlier."""
        changed = self._result.changed
        for winner in reversed(list(changed)):
            for name in changed[winner]:
                for key in ALL_KEYS:
                    if key.id == winner or name not in self._now(key) or not _meet(winner, key.id):
                        continue
                    if name in default_keys(_BY_ID[winner]) and name in default_keys(key):
                        continue  # they share it by design
                    changed[key.id] = tuple(other for other in self._now(key) if other != name)
                    rest = " ".join(written(other) for other in changed[key.id]) or "no key"
                    self._tell(winner, f"{written(name)} is {winner} now; {key.id} has {rest} left")

    def _now(self, key: Key) -> tuple[str, ...]:
        return self._result.changed.get(key.id, default_keys(key))

    def _tell(self, where: str, text: str) -> None:
        """A problem, at the first line that names what it is about."""
        line = next((at for at, row in enumerate(self._rows, 1) if where in row), 0)
        if not line:
            line = next((at for at, row in enumerate(self._rows, 1) if where.rpartition(".")[2] in row), 1)
        self._result.problems.append(f"{self._name}:{line}: {text}")


def _meet(one: str, other: str) -> bool:
    """Whether two actions can be wanted at the same moment: the screen's always, others within their place."""
    return one in _SCREEN_IDS or other in _SCREEN_IDS or one.partition(".")[0] == other.partition(".")[0]


def _flat(data: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Entries by whole id: ``view.todos = …`` is a table in a table for TOML."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            flat |= _flat(cast("dict[str, Any]", value), f"{before}{name}.")
        else:
            flat[before + name] = value
    return flat

"""``agent-tui config``: which settings hold, and which file, variable or option each of them comes from."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.protocol.errors import AgentError
from core.settings.layers import PROJECT_LAYERS, Layer, Stated
from core.settings.load import Loaded, SettingsSource, load_settings
from core.settings.paths import find_paths
from core.settings.schema import KEYS, SettingKey, Settings
from core.settings.trust import is_trusted

BUILT_IN = "built-in"
UNTRUSTED = "does not count: this folder is not trusted"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value that a layer states for a key; of a list that is joined, one item."""

    layer: str
    source: str
    value: Any
    counts: bool
    """Whether the layer counts at all: a project's does only where the folder is trusted."""
    wins: bool = False


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code. Raises ``AgentError``."""
    parser = argparse.ArgumentParser(prog="agent-tui config", description="Show the settings.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("explain", "what each layer says of a setting, and which wins"),
        ("get", "the value in force"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("key", nargs="?" if name == "explain" else None, help="its dotted name; without: all keys")
        command.add_argument("--json", action="store_true", help="for programs")
        command.add_argument("--settings", metavar="FILE-OR-JSON", help="as it would be given to a session")
    options = parser.parse_args(arguments)
    loaded, trusted = _load(options.settings)
    if options.key is None:
        _list(loaded, trusted, as_json=options.json)
        return 0
    key = _find(options.key)
    found = _found(key, loaded, trusted)
    if options.command == "get":
        value = _value(key, found)
        _print(value if isinstance(value, str) and not options.json else json.dumps(value))
        return 0
    _explain(key, found, as_json=options.json)
    for problem in loaded.problems:
        sys.stderr.write(f"agent-tui: {problem}\n")
    return 0


def _load(given: str | None) -> tuple[Loaded, bool]:
    """All layers, those of a folder that is not trusted among them, and whether it is."""
    paths, cwd = find_paths(os.environ), Path.cwd()
    source = SettingsSource(paths=paths, cwd=cwd, environ=os.environ, flags={"settings": given})
    return load_settings(source, is_trusted=True), is_trusted(paths.trusted_folders, cwd)


def _find(name: str) -> SettingKey:
    """Raises ``AgentError`` for what is no key."""
    names = {key.path: key for key in KEYS}
    if name in names:
        return names[name]
    lower = {path.casefold(): path for path in names}
    near = [path for path in names if path.rpartition(".")[2].casefold() == name.casefold()]
    near = near or [lower[match] for match in difflib.get_close_matches(name.casefold(), lower)]
    hint = f"Did you mean {' or '.join(near)}?" if near else "agent-tui config explain lists all of them."
    raise AgentError(f"There is no setting {name!r}.", hint)


def _found(key: SettingKey, loaded: Loaded, trusted: bool) -> list[Found]:
    """What the layers say of the key, weakest first."""
    found: list[Found] = []
    for layer in loaded.layers:
        counts = trusted or layer.name not in PROJECT_LAYERS
        for stated in layer.stated:
            if stated.path == key.path:
                found += _items(key, layer, stated, counts)
    if key.type is dict:
        winners = {name: number for number, one in enumerate(found) if one.counts for name in one.value}
        return [dataclasses.replace(one, wins=number in winners.values()) for number, one in enumerate(found)]
    last = max((number for number, one in enumerate(found) if one.counts), default=None)
    if key.is_joined:
        return [dataclasses.replace(one, wins=one.counts) for one in found]
    return [dataclasses.replace(one, wins=number == last) for number, one in enumerate(found)]


def _items(key: SettingKey, layer: Layer, stated: Stated, counts: bool) -> Iterator[Found]:
    if key.type is dict:
        for (name, entry), source in zip(stated.value.items(), stated.items, strict=True):
            yield Found(layer=layer.name, source=source, value={name: entry}, counts=counts)
        return
    if not key.is_joined:
        yield Found(layer=layer.name, source=stated.source, value=stated.value, counts=counts)
        return
    for value, source in zip(stated.value, stated.items, strict=True):
        yield Found(layer=layer.name, source=source, value=value, counts=counts)


def _value(key: SettingKey, found: list[Found]) -> Any:
    """What holds."""
    winners = [one.value for one in found if one.wins]
    if key.type is dict:
        return {name: entry for winner in winners for name, entry in winner.items()}
    if key.is_joined:
        return list(dict.fromkeys(winners))
    return winners[0] if winners else _built_in(key)


def _built_in(key: SettingKey) -> Any:
    return () if key.field == "rules" else {} if key.type is dict else getattr(Settings(), key.field)


def _list(loaded: Loaded, trusted: bool, *, as_json: bool) -> None:
    """Every key with its value and the layers that it comes from."""
    rows = [(key, found, _value(key, found)) for key in KEYS for found in [_found(key, loaded, trusted)]]
    if as_json:
        _print(_json({key.path: value for key, _found, value in rows}))
        return
    width = max(len(key.path) for key in KEYS)
    for key, found, value in rows:
        layers = ", ".join(dict.fromkeys(one.layer for one in found if one.wins)) or BUILT_IN
        _print(f"{key.path:{width}}  {_shown(value)}  ({layers})")


def _explain(key: SettingKey, found: list[Found], *, as_json: bool) -> None:
    if as_json:
        layers = [dataclasses.asdict(one) for one in found]
        value = {"key": key.path, "value": _value(key, found), "default": _built_in(key)}
        _print(_json({**value, "is_joined": key.is_joined, "layers": layers}))
        return
    rule = "the lists of all layers are joined" if key.is_joined else "the last one wins"
    _print(f"{key.path}: " + ("entries of all layers are joined by name" if key.type is dict else rule))
    built_in = Found(layer=BUILT_IN, source="", value=_built_in(key), counts=True, wins=not any(f.wins for f in found))
    for one in found if (key.is_joined or key.type is dict) and found else [built_in, *found]:
        remark = f"({UNTRUSTED})" if not one.counts else "(wins)" if one.wins and not key.is_joined else ""
        _print("  ".join(part for part in (f"  {one.layer:11}", _shown(one.value), one.source, remark) if part))


def _shown(value: Any) -> str:
    """On one line."""
    return "-" if value in (None, "", (), [], {}) else json.dumps(value, ensure_ascii=False)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)


def _print(text: str) -> None:
    """Write lines, with nothing in them that a terminal would obey."""
    safe = "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
    sys.stdout.write(safe + "\n")

"""The layers of settings: which files there are, and what one of them states.

What cannot be used (a file that is not JSON, an unknown key, a wrong value, one wrong item of a list) is reported with
file and line and left out; the rest counts.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from core.host.files import read_regular
from core.host.git import find_repo_root
from core.host.json_spans import Span, elements, members, root
from core.settings.paths import Paths
from core.settings.schema import FOREIGN_KEYS, FOREIGN_MODELS, KEYS, SYNONYMS, SettingKey
from core.settings.tables import READERS, EntryError, names_address

MAX_FILE_BYTES = 1_000_000
LayerName = Literal["user", "project", "local", "environment", "flag", "managed"]
PROJECT_LAYERS = ("project", "local")
"""Those that a repository brings along."""
PROJECT_FOLDERS = (".claude", ".agent-tui")
Stamp = tuple[int, int, int, int]
KEYS_BY_PATH = {tuple(key.path.split(".")): key for key in KEYS}
GROUPS = {path[:length] for path in KEYS_BY_PATH for length in range(1, len(path))}
"""Objects that hold settings: ``permissions``."""
WANTED: dict[type, str] = {
    str: "text",
    int: "a positive number",
    float: "a positive number",
    list: "a list of texts",
    bool: "true or false",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a settings file, for the user to read."""

    where: str
    """``file:line``."""
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """A file that may hold settings, or a text that was given in place of one."""

    name: str
    """How it is called in a report."""
    layer: LayerName
    base: Path
    """The folder that relative folders in it, and rules with one slash in front, are relative to."""
    path: Path | None = None
    is_foreign: bool = False
    """Whether it is another program's too: keys that only that one knows are nothing to be told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One value as a layer states it."""

    path: str
    """The key's dotted name; empty for what has none in the files."""
    field: str
    value: Any
    source: str
    """``file:line``, a variable, an option."""
    items: tuple[str, ...] = ()
    """The same for each item of a list, or entry of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one file, the environment or the command line states."""

    name: LayerName
    stated: tuple[Stated, ...] = ()
    problems: tuple[Problem, ...] = ()
    file: SettingsFile | None = None
    stamp: Stamp | None = None
    """Which state of the file was read; None where there was none."""
    is_broken: bool = False
    """Whether there is a file of which nothing can be read."""


def project_root(cwd: Path) -> Path:
    """The folder that holds a project's settings: the root of the repository, or else the working folder."""
    return find_repo_root(cwd) or cwd


def local_settings_file(cwd: Path) -> Path:
    """Where "always" saves: the user's own file for this project."""
    return project_root(cwd) / PROJECT_FOLDERS[0] / "settings.local.json"


def settings_files(paths: Paths, cwd: Path) -> list[SettingsFile]:
    """All files that may hold settings of a session in ``cwd``, weakest first, whether they exist or not."""
    claude = paths.home / ".claude"
    files = [
        _file(claude / "settings.json", "user", claude, is_foreign=True),
        _file(paths.user_settings, "user", paths.config),
    ]
    known = {file.path for file in files}
    top = project_root(cwd)
    for layer, name in (("project", "settings.json"), ("local", "settings.local.json")):
        for folder in PROJECT_FOLDERS:
            path = top / folder / name
            # In the home folder itself the user's file is no project's.
            if path not in known:
                files.append(_file(path, layer, top, is_foreign=folder == PROJECT_FOLDERS[0]))
    for folder in paths.managed:
        for path in (folder / "managed-settings.json", *sorted((folder / "managed-settings.d").glob("*.json"))):
            files.append(_file(path, "managed", folder, is_foreign=True))
    return files


def _file(path: Path, layer: str, base: Path, *, is_foreign: bool = False) -> SettingsFile:
    return SettingsFile(name=str(path), layer=cast("LayerName", layer), base=base, path=path, is_foreign=is_foreign)


def stamp_of(path: Path) -> Stamp | None:
    """What changes whenever the file does; None where there is none."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_mtime_ns, info.st_size, info.st_ino, info.st_dev


def read_layer(file: SettingsFile) -> Layer:
    """What a file states. A missing one states nothing."""
    assert file.path is not None
    stamp = stamp_of(file.path)
    try:
        text = read_regular(file.path, MAX_FILE_BYTES).decode()
    except (FileNotFoundError, NotADirectoryError):
        return Layer(name=file.layer, file=file)
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(file.name, f"cannot be read ({error}); it is ignored")
        return Layer(name=file.layer, file=file, stamp=stamp, problems=(problem,), is_broken=True)
    return parse_layer(text, file, stamp)


def parse_layer(text: str, file: SettingsFile, stamp: Stamp | None = None) -> Layer:
    """What the text of a settings file states."""
    problem: Problem | None = None
    data: Any = None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        problem = Problem(f"{file.name}:{line}", f"not valid JSON ({error}); the file is ignored")
    if problem is None and not isinstance(data, dict):
        problem = Problem(f"{file.name}:1", "must be a JSON object; the file is ignored")
    if problem is not None:
        return Layer(name=file.layer, file=file, stamp=stamp, problems=(problem,), is_broken=True)
    reader = _Reader(text, file)
    reader.read(cast("dict[str, Any]", data), root(text), ())
    return Layer(name=file.layer, file=file, stamp=stamp, stated=tuple(reader.stated), problems=tuple(reader.problems))


class _Reader:
    """Goes through one valid text and sorts what it holds into values and problems."""

    def __init__(self, text: str, file: SettingsFile) -> None:
        self._text = text
        self._file = file
        self.stated: list[Stated] = []
        self.problems: list[Problem] = []

    def read(self, data: dict[str, Any], at: int, prefix: tuple[str, ...]) -> None:
        """The members of the object at ``at``, which is ``data``."""
        for name, span in members(self._text, at).items():
            path, value = (*prefix, name), data[name]
            key = KEYS_BY_PATH.get(path)
            where = self._where(span.head)
            if path in GROUPS and isinstance(value, dict):
                self.read(cast("dict[str, Any]", value), span.start, path)
            elif key is not None:
                self._take(key, value, where, span.start)
            elif not (self._file.is_foreign and ".".join(path) in FOREIGN_KEYS):
                self.problems.append(Problem(where, f"unknown setting {'.'.join(path)!r}; it is ignored"))

    def _take(self, key: SettingKey, value: Any, where: str, start: int) -> None:
        if key.type is list and not key.is_joined and isinstance(value, str) and value.strip():
            items, value = [where], [value]
        elif isinstance(value, list):
            items = [self._where(span.start) for span in elements(self._text, start)]
        else:
            items = []
        if isinstance(value, str):
            value = SYNONYMS.get((key.path, value), value)
        complaint = _complaint(key, value) or self._refusal(key, value)
        if complaint:
            self.problems.append(Problem(where, f"{complaint}; it is ignored"))
            return
        if key.type is dict:
            table = cast("dict[str, Any]", value)
            usable = list(self._entries(key, table, start))
            value, items = {name: table[name] for name, _where in usable}, [where for _name, where in usable]
        elif key.type is list:
            good = list(self._items(key, cast("list[Any]", value), items))
            value, items = tuple(item for item, _where in good), [where for _item, where in good]
        self.stated.append(Stated(path=key.path, field=key.field, value=value, source=where, items=tuple(items)))

    def _items(self, key: SettingKey, values: list[Any], items: list[str]) -> Iterator[tuple[str, str]]:
        """Those that can be used; one that cannot costs only itself."""
        for value, where in zip(values, items, strict=True):
            complaint = ""
            if not isinstance(value, str) or not value.strip():
                complaint = f"{key.path} must be a list of texts, and {json.dumps(value)} is none"
            elif key.field == "additional_dirs":
                value = os.path.normpath(self._file.base / os.path.expanduser(value))  # noqa: PTH111  see _home
                complaint = "" if os.path.isdir(value) else f"{key.path}: {value} is not a folder"  # noqa: PTH112
            else:
                complaint = self._refusal(key, value)
            if complaint:
                self.problems.append(Problem(where, f"{complaint}; it is ignored"))
            else:
                yield value, where

    def _entries(self, key: SettingKey, table: dict[str, Any], start: int) -> Iterator[tuple[str, str]]:
        """Names of entries that can be used, each with its place; one that cannot costs only itself."""
        for name, span in members(self._text, start).items():
            where, complaint, path = self._where(span.head), "", ()
            try:
                READERS[key.field](name, table[name], where)
            except EntryError as error:
                complaint, path = str(error), error.path
            if not complaint and self._file.layer in PROJECT_LAYERS and names_address(table[name]):
                complaint = "a project cannot say where requests go, nor with which key"
            if complaint:
                called = ".".join((key.path, name, *path))
                at = self._where(self._head(span, path))
                self.problems.append(Problem(at, f"{called} {complaint}; the entry is left out"))
            else:
                yield name, where

    def _head(self, span: Span, path: tuple[str, ...]) -> int:
        """Where the member begins that a path leads to, from a value."""
        for name in path:
            # The short form of an entry is no object.
            found = members(self._text, span.start) if self._text[span.start] == "{" else {}
            if name not in found:
                break
            span = found[name]
        return span.head

    def _refusal(self, key: SettingKey, value: Any) -> str:
        """Why a value that is right elsewhere cannot be used here; empty where it can."""
        if key.field == "mode" and value == "bypassPermissions" and self._file.layer in PROJECT_LAYERS:
            return f"{key.path}: a project cannot switch the questions off"
        is_short = isinstance(value, str) and value.partition("[")[0] in FOREIGN_MODELS
        if key.field in ("model", "fallback_models") and self._file.is_foreign and is_short:
            return f"{key.path}: {value!r} is not the id of a model"
        return ""

    def _where(self, at: int) -> str:
        line = self._text.count("\n", 0, at) + 1
        return f"{self._file.name}:{line}"


def _complaint(key: SettingKey, value: Any) -> str:
    """Why the value cannot be used; empty where it can."""
    accepted = (int, float) if key.type is float else key.type
    is_number = key.type in (int, float)
    if not isinstance(value, accepted) or (is_number and (isinstance(value, bool) or not 0 < value < math.inf)):
        return f"{key.path} must be {WANTED[key.type]}, not {json.dumps(value)}"
    if key.type is str and not value.strip():
        return f"{key.path} must not be empty"
    if key.field == "mode" and value == "auto":
        return f"{key.path}: auto is not available here"
    if key.choices and value not in key.choices:
        return f"{key.path} must be one of {', '.join(key.choices)}, not {value!r}"
    return ""

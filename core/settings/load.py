"""Reads the settings: built-in, the user's file, environment, command line; later ones win.

A file that cannot be read, an unknown key and a bad value are reported with file and line and left out;
the program starts all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from core.settings.schema import KEYS, SettingKey, Settings

MAX_DIGITS = 9
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:]')


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a settings file, for the user to read."""

    where: str
    """``file:line``."""
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def load_settings(
    user_file: Path, environ: Mapping[str, str], flags: Mapping[str, Any]
) -> tuple[Settings, list[Problem]]:
    """Settings of a session and what was wrong. ``flags`` holds fields by name; None means not given."""
    values, problems = read_file(user_file)
    values |= _from_environ(environ, problems)
    joined = {key.field for key in KEYS if key.is_joined}
    for name, value in flags.items():
        if value is not None:
            values[name] = (*values.get(name, ()), *value) if name in joined else value
    known = {field.name for field in fields(Settings)}
    return replace(Settings(), **{name: values[name] for name in values.keys() & known}), problems


def read_file(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Field values of one settings file, and its problems. A missing file has neither."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Problem(str(path), f"cannot be read ({error}); it is ignored")]
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        return {}, [Problem(f"{path}:{line}", f"not valid JSON ({error}); the file is ignored")]
    if not isinstance(data, dict):
        return {}, [Problem(f"{path}:1", "must be a JSON object; the file is ignored")]
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    lines = _key_lines(text)
    for path_of_key, value in _flatten(cast("dict[str, Any]", data)).items():
        key = next((key for key in KEYS if tuple(key.path.split(".")) == path_of_key), None)
        if key and key.type is list and not key.is_joined and isinstance(value, str) and value.strip():
            value = [value]
        name = ".".join(path_of_key)
        complaint = _complaint(key, value) if key else f"unknown setting {name!r}; it is ignored"
        if complaint:
            problems.append(Problem(f"{path}:{lines.get(path_of_key, 1)}", complaint))
        elif key:
            values[key.field] = tuple(value) if key.type is list else value
    return values, problems


def _flatten(data: dict[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    flat: dict[tuple[str, ...], Any] = {}
    for name, value in data.items():
        path = (*above, name)
        if isinstance(value, dict) and any(key.path.startswith(".".join((*path, ""))) for key in KEYS):
            flat |= _flatten(cast("dict[str, Any]", value), path)
        else:
            flat[path] = value
    return flat


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key of a valid JSON text, by its path."""
    lines: dict[tuple[str, ...], int] = {}
    path: list[str] = []
    at, name = 0, ""
    for token in TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                path.append("")
            case "}" | "]":
                path.pop()
            case ":":
                path[-1] = name
                lines[tuple(path)] = text.count("\n", 0, at) + 1
            case string:
                at, name = token.start(), json.loads(string)
    return lines


def _complaint(key: SettingKey, value: Any) -> str:
    """Why the value cannot be used; empty where it can."""
    if not isinstance(value, key.type) or (key.type is int and (isinstance(value, bool) or value < 1)):
        wanted = {str: "text", int: "a positive number", list: "a list of texts", bool: "true or false"}[key.type]
        return f"{key.path} must be {wanted}, not {json.dumps(value)}; it is ignored"
    if key.type is str and not value.strip():
        return f"{key.path} must not be empty; it is ignored"
    if key.choices and value not in key.choices:
        return f"{key.path} must be one of {', '.join(key.choices)}, not {value!r}; it is ignored"
    if key.type is list and not all(isinstance(item, str) for item in cast("list[Any]", value)):
        return f"{key.path} must be a list of texts; it is ignored"
    return ""


def _from_environ(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if environ.get("AGENT_TUI_MODEL") or environ.get("ANTHROPIC_MODEL"):
        values["model"] = environ.get("AGENT_TUI_MODEL") or environ.get("ANTHROPIC_MODEL")
    if environ.get("ANTHROPIC_SMALL_FAST_MODEL"):
        values["small_model"] = environ["ANTHROPIC_SMALL_FAST_MODEL"]
    if environ.get("ANTHROPIC_BASE_URL"):
        values["base_url"] = environ["ANTHROPIC_BASE_URL"]
    if environ.get("DISABLE_PROMPT_CACHING", "") not in ("", "0", "false"):
        values["prompt_caching"] = False
    raw = environ.get("AGENT_TUI_MAX_TOOL_USE_CONCURRENCY", "")
    if raw:
        if raw.isdecimal() and len(raw) < MAX_DIGITS and int(raw) >= 1:
            values["max_tool_concurrency"] = int(raw)
        else:
            problems.append(
                Problem(
                    "AGENT_TUI_MAX_TOOL_USE_CONCURRENCY",
                    f"must be a positive number, not {raw!r}; it is ignored",
                )
            )
    return values

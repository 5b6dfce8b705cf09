"""Changes one thing in a settings file: a setting, or a permission rule. All else in it stays byte for byte."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from core.host.files import file_lock, write_atomic
from core.host.json_spans import Span, elements, members, own_line, root
from core.protocol.errors import AgentError
from core.protocol.views import Behavior

LOCK_TIMEOUT_S = 2.0
NEW_FILE_MODE = 0o600
_UNIT = re.compile(r'\{\s*?\n([ \t]+)"')
_INDENTATION = re.compile(r"[ \t]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def write_setting(file: Path, key: str, value: str) -> None:
    """Set a top-level key. Raises ``AgentError`` where the file cannot be read or written; it is then as it was."""

    def change(text: str) -> str:
        top = root(text)
        found = members(text, top)
        if key in found:
            return text[: found[key].start] + _dump(value) + text[found[key].end :]
        return _insert(text, top, found.values(), key, value)

    _change(file, "setting", change)


def add_rule(file: Path, behavior: Behavior, rule: str, *, within: Path | None = None) -> None:
    """Write a permission rule into a file, which is made where there is none; one that stands there is not doubled.

    ``within`` is the folder that the file must really lie in: a repository's link must not lead the rule into another
    file. Raises ``AgentError``; the file is then as it was.
    """

    def change(text: str) -> str:
        top = root(text)
        found = members(text, top)
        if "permissions" not in found:
            return _insert(text, top, found.values(), "permissions", {behavior: [rule]})
        permissions = _open(text, found["permissions"], "{", file, "permissions")
        lists = members(text, permissions)
        if behavior not in lists:
            return _insert(text, permissions, lists.values(), behavior, [rule])
        at = _open(text, lists[behavior], "[", file, f"permissions.{behavior}")
        spans = elements(text, at)
        if any(json.loads(text[span.start : span.end]) == rule for span in spans):
            return text
        return _insert(text, at, spans, None, rule)

    if within is not None:
        real = Path(os.path.realpath(file))
        if not real.is_relative_to(os.path.realpath(within)):
            raise AgentError(f"The rule is not saved: {file} leads to {real}, outside {within}.", "Remove the link.")
    _change(file, "rule", change)


def remove_rule(file: Path, behavior: Behavior, rule: str) -> bool:
    """Delete a permission rule from a file; False where it is not in it. Raises ``AgentError``."""

    def change(text: str) -> str:
        while True:
            found = members(text, root(text))
            at = found["permissions"].start if "permissions" in found else 0
            lists = members(text, at) if at and text[at] == "{" else {}
            if behavior not in lists or text[lists[behavior].start] != "[":
                return text
            spans = elements(text, lists[behavior].start)
            equal = [n for n, span in enumerate(spans) if json.loads(text[span.start : span.end]) == rule]
            if not equal:
                return text
            text = _without(text, lists[behavior], spans, equal[-1])

    return _change(file, "rule", change) if file.exists() else False


def _change(file: Path, what: str, change: Callable[[str], str]) -> bool:
    """Change the file's text under a lock on its folder; whether it is another one now."""
    unsaved = f"The {what} is not saved: "
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(file.parent, LOCK_TIMEOUT_S):
            try:
                text = file.read_bytes().decode()
            except FileNotFoundError:
                text = ""
            is_new = not text.strip()
            text = "{}\n" if is_new else text
            _check(text, file, unsaved)
            changed = change(text)
            if changed != text:
                write_atomic(file, changed.encode(), None if file.exists() else NEW_FILE_MODE)
            return changed != text
    except UnicodeDecodeError as error:
        raise AgentError(f"{unsaved}{file} cannot be read ({error}).", "Save it as UTF-8.") from error
    except TimeoutError as error:
        raise AgentError(f"{unsaved}another program is writing {file}.", "Try once more.") from error
    except OSError as error:
        raise AgentError(f"{unsaved}{file}: {error.strerror or error}.") from error


def _check(text: str, file: Path, unsaved: str) -> None:
    """Raises ``AgentError`` for what is no JSON object."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"{unsaved}{file} is not valid JSON ({error}).", "Correct the file first.") from error
    if not isinstance(data, dict):
        raise AgentError(f"{unsaved}{file} must hold a JSON object.", "Correct the file first.")


def _open(text: str, span: Span, bracket: str, file: Path, name: str) -> int:
    """Where a value that must be an object or a list begins."""
    if text[span.start] != bracket:
        kind = "an object" if bracket == "{" else "a list"
        raise AgentError(f"The rule is not saved: {name} in {file} is not {kind}.", "Correct the file first.")
    return span.start


def _insert(text: str, at: int, spans: Iterable[Span], key: str | None, value: Any) -> str:
    """The text with one more member or element in what begins at ``at``, written as its neighbours are."""
    ends = sorted((span.end, span.head) for span in spans)
    newline = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text)
    head = f"{_dump(key)}: " if key is not None else ""
    if ends:
        end, last = ends[-1]
        indentation = own_line(text, last)
        if indentation is None:
            return f"{text[:end]}, {head}{_dump(value)}{text[end:]}"
        return f"{text[:end]},{newline}{indentation}{head}{_dump(value, unit, newline, indentation)}{text[end:]}"
    line = text.rfind("\n", 0, at) + 1
    match = _INDENTATION.match(text, line)
    outer = match[0] if match else ""
    inner = outer + unit
    body = f"{newline}{inner}{head}{_dump(value, unit, newline, inner)}{newline}{outer}"
    close = json.JSONDecoder().raw_decode(text, at)[1] - 1
    return text[: at + 1] + body + text[close:]


def _without(text: str, whole: Span, spans: list[Span], number: int) -> str:
    """The text without one element of the list ``whole``, and without the comma that it leaves over."""
    span = spans[number]
    if number + 1 < len(spans):
        return text[: span.start] + text[spans[number + 1].start :]
    if number:
        return text[: spans[number - 1].end] + text[span.end :]
    return text[: whole.start + 1] + text[whole.end - 1 :]


def _unit(text: str) -> str:
    """What the file indents by; two blanks where nothing is indented."""
    found = _UNIT.search(text.replace("\r\n", "\n"))
    return found[1] if found else "  "


def _dump(value: Any, unit: str | None = None, newline: str = "\n", indentation: str = "") -> str:
    """JSON of a value that begins in a line with this indentation."""
    text = json.dumps(value, indent=unit, ensure_ascii=False)
    if _SURROGATE.search(text):
        text = json.dumps(value, indent=unit)
    return text.replace("\n", newline + indentation)

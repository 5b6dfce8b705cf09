"""The user's own editor on a text, in the terminal. Nothing else may read or draw there meanwhile."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.host.programs import find_program

FALLBACKS = ("nano", "vi")


class EditorError(Exception):
    """The editor did not give a text back; the message says why."""


def find_editor(environ: Mapping[str, str]) -> list[str]:
    """The command with its arguments: $VISUAL, $EDITOR, or what is there. Raises ``EditorError``."""
    for name in ("VISUAL", "EDITOR"):
        command = environ.get(name, "").strip()
        if not command:
            continue
        try:
            argv = shlex.split(command)
        except ValueError as error:
            raise EditorError(f"${name} is {command!r}, which is no command ({error}).") from error
        if find_program(argv[0], environ) is None:
            raise EditorError(f"The editor {argv[0]!r} of ${name} is not there.")
        return argv
    found = next((name for name in FALLBACKS if find_program(name, environ)), None)
    if found is None:
        raise EditorError("There is no editor: set $EDITOR.")
    return [found]


def edit_text(text: str, environ: Mapping[str, str]) -> str:
    """The text as the user left it. Blocks until the editor ends. Raises ``EditorError``."""
    argv = find_editor(environ)
    try:
        with tempfile.TemporaryDirectory(prefix="agent-tui-") as folder:
            path = Path(folder) / "prompt.md"
            path.write_text(text, "utf-8", errors="replace")
            _run(argv, path, environ)
            return _text_of(path)
    except EditorError as error:
        raise EditorError(f"{error}; the text is as it was.") from error
    except OSError as error:
        raise EditorError(f"{argv[0]} could not be used: {error.strerror or error}; the text is as it was.") from error


def edit_file(path: Path, environ: Mapping[str, str]) -> str:
    """What is in the file when the editor ends; blocks until then. Raises ``EditorError``."""
    open_file(path, environ)
    try:
        return _text_of(path)
    except (EditorError, OSError) as error:
        raise EditorError(f"{error}.") from error


def open_file(path: Path, environ: Mapping[str, str]) -> None:
    """Show a file in the editor; blocks until it ends. Raises ``EditorError``."""
    argv = find_editor(environ)
    try:
        _run(argv, path, environ)
    except EditorError as error:
        raise EditorError(f"{error}.") from error
    except OSError as error:
        raise EditorError(f"{argv[0]} could not be used: {error.strerror or error}.") from error


def _run(argv: list[str], path: Path, environ: Mapping[str, str]) -> None:
    program = find_program(argv[0], environ) or argv[0]
    code = subprocess.run([program, *argv[1:], str(path)], env=dict(environ), check=False).returncode
    if code:
        raise EditorError(f"{argv[0]} ended with exit code {code}")


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise EditorError("What the editor saved is not UTF-8") from error

"""The user's own editor on a text, in the terminal. Nothing else may read or draw there meanwhile."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

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
        if shutil.which(argv[0], path=environ.get("PATH")) is None:
            raise EditorError(f"The editor {argv[0]!r} of ${name} is not there.")
        return argv
    found = next((name for name in FALLBACKS if shutil.which(name, path=environ.get("PATH"))), None)
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
            return _run(argv, path, environ)
    except EditorError as error:
        raise EditorError(f"{error}; the text is as it was.") from error
    except OSError as error:
        raise EditorError(f"{argv[0]} could not be used: {error.strerror or error}; the text is as it was.") from error


def edit_file(path: Path, environ: Mapping[str, str]) -> str:
    """What is in the file when the editor ends; blocks until then. Raises ``EditorError``."""
    argv = find_editor(environ)
    try:
        return _run(argv, path, environ)
    except EditorError as error:
        raise EditorError(f"{error}.") from error
    except OSError as error:
        raise EditorError(f"{argv[0]} could not be used: {error.strerror or error}.") from error


def _run(argv: list[str], path: Path, environ: Mapping[str, str]) -> str:
    code = subprocess.run([*argv, str(path)], env=dict(environ), check=False).returncode
    if code:
        raise EditorError(f"{argv[0]} ended with exit code {code}")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise EditorError("What the editor saved is not UTF-8") from error

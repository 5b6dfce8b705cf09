"""The clipboard of the machine, through whatever tool there is; for everywhere else a file."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from core.host.programs import find_program

TOOL_TIMEOUT_S = 2.0


def copy_with_tool(text: str, environ: Mapping[str, str]) -> str:
    """Hand the text to a tool and give its name; empty where there is none that works. To be called in a thread.

    Over ssh a tool would fill the clipboard of the far machine, where nobody pastes: only tmux, which hands it on
    to the terminal, is asked there.
    """
    for argv in _tools(environ):
        program = find_program(argv[0], environ)
        if program is None:
            continue
        try:
            # Tools that stay to serve the clipboard keep whatever output they were given open.
            done = subprocess.run(
                [program, *argv[1:]],
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(environ),
                timeout=TOOL_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return argv[0]
    return ""


def _tools(environ: Mapping[str, str]) -> list[list[str]]:
    tools: list[list[str]] = []
    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        if environ.get("WAYLAND_DISPLAY"):
            tools.append(["wl-copy"])
        if environ.get("DISPLAY"):
            tools += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
        tools += [["pbcopy"], ["clip.exe"]]
    if environ.get("TMUX"):
        tools.append(["tmux", "load-buffer", "-w", "-"])
    return tools


def has_terminal_clipboard(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may take the text by OSC 52; those that are known not to are left out."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    return term not in ("", "dumb", "linux") and program != "Apple_Terminal" and not term.startswith("screen")


def save_copy(text: str, folder: Path) -> Path:
    """Write the text to a file of the user's own. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "copied.txt"
    path.touch(mode=0o600)
    path.write_text(text, "utf-8", errors="replace")
    return path

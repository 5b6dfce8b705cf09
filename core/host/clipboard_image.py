"""The image in the clipboard, through the program that the desktop has for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.host.programs import find_program

TIMEOUT_S = 5.0
KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif")
OSASCRIPT = (
    'set target to open for access POSIX file "{path}" with write permission\n'
    "write (the clipboard as «class PNGf») to target\n"
    "close access target"
)


class ClipboardError(Exception):
    """There is no image to be had; the message says why."""


def clipboard_image(environ: Mapping[str, str]) -> bytes:
    """The bytes of the image file in the clipboard. Blocks. Raises ``ClipboardError``."""
    try:
        data = _read(environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClipboardError(f"The clipboard cannot be read: {error}.") from error
    if not data:
        raise ClipboardError("The clipboard holds no image.")
    return data


def _read(environ: Mapping[str, str]) -> bytes:
    def has(name: str) -> bool:
        return find_program(name, environ) is not None

    if environ.get("WAYLAND_DISPLAY") and has("wl-paste"):
        return _first(["wl-paste", "--list-types"], ["wl-paste", "--no-newline", "--type"], environ)
    if environ.get("DISPLAY") and has("xclip"):
        xclip = ["xclip", "-selection", "clipboard", "-o", "-t"]
        return _first([*xclip, "TARGETS"], xclip, environ)
    if sys.platform == "darwin":
        return _run(["pngpaste", "-"], environ) if has("pngpaste") else _with_osascript(environ)
    raise ClipboardError(
        "The clipboard's image needs wl-paste (Wayland) or xclip (X11) here; the path of a file can be pasted instead."
    )


def _first(listing: list[str], reading: list[str], environ: Mapping[str, str]) -> bytes:
    """The clipboard in the first kind of image that it is offered in."""
    offered = _run(listing, environ).decode("utf-8", "replace").split()
    kind = next((kind for kind in KINDS if kind in offered), None)
    return _run([*reading, kind], environ) if kind else b""


def _with_osascript(environ: Mapping[str, str]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="agent-tui-") as folder:
        path = Path(folder) / "clipboard.png"
        _run(["osascript", "-e", OSASCRIPT.format(path=path)], environ)
        return path.read_bytes() if path.exists() else b""


def _run(argv: list[str], environ: Mapping[str, str]) -> bytes:
    program = find_program(argv[0], environ)
    if program is None:
        return b""
    done = subprocess.run(
        [program, *argv[1:]],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout if done.returncode == 0 else b""

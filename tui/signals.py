"""What the program says to the terminal beside its screen: the title, and a call when nobody looks.

Nothing here comes from a model or a file but the folder's name, which is cleaned. All writes are of this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal

from textual.app import App
from textual.timer import Timer

from tui.rendering.sanitize import clean_line

Notifications = Literal["auto", "bell", "off"]
Channel = Literal["osc9", "osc777", "osc99", "bell"]
State = Literal["ready", "working", "waiting", "done"]

NAME = "agent-tui"
WORDS: dict[State, str] = {"ready": "", "working": "working", "waiting": "needs you", "done": "done"}
SAVE_TITLE, RESTORE_TITLE = "\x1b[22;0t", "\x1b[23;0t"
BELL = "\x07"
UNANSWERED_S = 6.0
"""So long a question may wait before somebody who looks elsewhere is called."""
LONG_TURN_S = 10.0
"""The end of a shorter turn is waited for in front of the screen."""
MAX_FOLDER = 40
BY_PROGRAM: dict[str, Channel] = {"iTerm.app": "osc9", "WezTerm": "osc777", "ghostty": "osc777", "kitty": "osc99"}
BY_TERM: dict[str, Channel] = {
    "xterm-kitty": "osc99",
    "xterm-ghostty": "osc777",
    "foot": "osc777",
    "foot-extra": "osc777",
    "rxvt-unicode-256color": "osc777",
}


def channel(environ: Mapping[str, str]) -> Channel:
    """How this terminal can be asked to show a message; the bell where that is not known."""
    program = environ.get("TERM_PROGRAM", "")
    if environ.get("TMUX") and environ.get("LC_TERMINAL") == "iTerm2":
        return "osc9"
    if environ.get("KITTY_WINDOW_ID"):
        return "osc99"
    return BY_PROGRAM.get(program) or BY_TERM.get(environ.get("TERM", ""), "bell")


def notification(text: str, environ: Mapping[str, str], wanted: Notifications) -> str:
    """The bytes that call the user; through tmux to the terminal around it, which must allow that."""
    if wanted == "off":
        return ""
    match "bell" if wanted == "bell" else channel(environ):
        case "osc9":
            call = f"\x1b]9;{NAME}: {text}\x07"
        case "osc777":
            call = f"\x1b]777;notify;{NAME};{text}\x07"
        case "osc99":
            call = f"\x1b]99;;{NAME}: {text}\x1b\\"
        case _:
            return BELL
    # tmux hands the bell on by itself, and marks the window in which it rang.
    return f"\x1bPtmux;{call.replace(chr(27), chr(27) * 2)}\x1b\\{BELL}" if environ.get("TMUX") else call


class Signals:
    """Keeps the title, and calls the user who looks elsewhere."""

    def __init__(self, app: App[None], now: Callable[[], float]) -> None:
        self._app = app
        self._now = now
        self._environ: Mapping[str, str] = dict(os.environ)
        self._state: State = "ready"
        self._since = now()
        self._folder = ""
        self._waiting: Timer | None = None
        self._has_title = self._environ.get("TERM", "") not in ("", "dumb", "linux")
        self.notifications: Notifications = "auto"
        self.has_focus = True

    def begin(self, folder: str) -> None:
        """Remember the terminal's title and set ours."""
        self._folder = clean_line(os.path.basename(folder))[:MAX_FOLDER]  # noqa: PTH119  a name, not a file
        if self._has_title:
            self._write(SAVE_TITLE)
        self._show()

    def end(self) -> None:
        """Give the terminal its title back."""
        self._stop_waiting()
        if self._has_title and self._folder:
            self._write(f"\x1b]0;\x07{RESTORE_TITLE}")

    def show(self, state: State) -> None:
        """Another state. The same one again is no news."""
        if state == self._state:
            return
        was, self._state = self._state, state
        self._stop_waiting()
        if state == "waiting":
            self._waiting = self._app.set_timer(UNANSWERED_S, self._call_for_answer)
        if state == "working" and was != "waiting":
            self._since = self._now()
        if state == "done" and self._now() - self._since >= LONG_TURN_S:
            self._call("done")
        self._show()

    def _call_for_answer(self) -> None:
        self._call("waits for your answer")

    def _call(self, text: str) -> None:
        if not self.has_focus:
            self._write(notification(text, self._environ, self.notifications))

    def _show(self) -> None:
        if self._has_title:
            parts = [part for part in (self._folder, WORDS[self._state]) if part]
            self._write(f"\x1b]0;{NAME}: {' · '.join(parts)}\x07")

    def _write(self, sequence: str) -> None:
        """To the terminal, in order with what is drawn."""
        driver = self._app._driver  # pyright: ignore[reportPrivateUsage]  there is no other way past the screen
        if driver is not None:
            driver.write(sequence)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

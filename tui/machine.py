"""What the window does on the machine that takes no engine: prompts of earlier runs, drafts, clipboard, editor."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from core.engine.attachments import load_clipboard, load_image
from core.engine.start import Start
from core.host.clipboard import copy_with_tool, has_terminal_clipboard, save_copy
from core.host.external_editor import EditorError, edit_text, open_file
from core.host.files import LineLog
from core.protocol.errors import AgentError
from core.protocol.views import ImageAttachment
from core.sessions.drafts import DraftStore
from core.settings.paths import PROMPT_HISTORY

HISTORY_ITEMS = 500


class Machine:
    """The part of the bridge that leads to the machine."""

    def __init__(self, start: Start) -> None:
        self.start = start
        folder = start.launch.paths.project(start.launch.cwd)
        self._history = LineLog(folder / PROMPT_HISTORY)
        self.drafts = DraftStore(folder)

    def read_history(self) -> list[str]:
        """Prompts of earlier sessions in this folder, oldest first; to be called in a thread."""
        items: list[str] = []
        with contextlib.suppress(OSError):
            for line in self._history.path.read_text("utf-8", "replace").splitlines()[-HISTORY_ITEMS:]:
                with contextlib.suppress(ValueError):
                    item = json.loads(line)
                    if isinstance(item, str):
                        items.append(item)
        return items

    def remember(self, prompt: str) -> None:
        """Add a prompt to the history; a disk that fails costs only that."""
        with contextlib.suppress(OSError):
            self._history.append(json.dumps(prompt).encode())

    def copy(self, text: str) -> str:
        """Hand text to the clipboard of the machine and say through what; to be called in a thread.

        Empty where there is no tool for it, and the terminal may be asked.
        """
        return copy_with_tool(text, os.environ)

    def save_copy(self, text: str) -> str:
        """Write text to a file where nothing else can take it, and give its path. Raises ``OSError``."""
        return str(save_copy(text, self.start.launch.paths.data))

    @property
    def has_terminal_clipboard(self) -> bool:
        """Whether the terminal may be asked to take text."""
        return has_terminal_clipboard(os.environ)

    def load_image(self, path: str) -> ImageAttachment:
        """An image to go with a prompt; to be called in a thread. Raises ``AgentError``."""
        return load_image(path, self.start.launch.cwd)

    def load_clipboard(self) -> ImageAttachment:
        """The image in the clipboard; to be called in a thread. Raises ``AgentError``."""
        return load_clipboard()

    def edit_text(self, text: str) -> str:
        """The text as the user's editor left it; to be called in a thread. Raises ``AgentError``."""
        try:
            return edit_text(text, os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error

    def open_file(self, path: str) -> str:
        """Show a file in the user's editor; to be called in a thread. Raises ``AgentError``."""
        if not Path(path).is_file():
            raise AgentError(f"{Path(path).name} is not there any more.")
        try:
            open_file(Path(path), os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error
        return ""

"""What the composer tells and asks of those above it, which know the engine and the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from core.protocol.views import ImageAttachment, Lane


class Submitted(Message):
    """The user sends a prompt."""

    def __init__(self, text: str, lane: Lane, images: tuple[ImageAttachment, ...] = ()) -> None:
        super().__init__()
        self.text = text
        self.lane: Lane = lane
        self.images = images


class Typing(Message):
    """The user has begun to type."""


class TakeBack(Message):
    """The user wants the queued messages back in the editor."""


class HelpWanted(Message):
    """The user has typed ``?`` where nothing else stands."""


class ChooseQueued(Message):
    """The user goes to the queued messages."""


class Hint(Message):
    """A short remark for the status line; empty takes it away."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class SearchRequested(Message):
    """The user looks for an earlier prompt."""

    def __init__(self, prompts: Sequence[str]) -> None:
        """``prompts`` newest first."""
        super().__init__()
        self.prompts = prompts


class PlanEditorRequested(Message):
    """The user wants to edit the plan in an editor of their own."""


class EditorRequested(Message):
    """The user wants to go on writing in an editor of their own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ImagesDropped(Message):
    """Paths of images were pasted; ``pasted`` is how they stand in the editor."""

    def __init__(self, paths: tuple[str, ...], pasted: str) -> None:
        super().__init__()
        self.paths = paths
        self.pasted = pasted


class ClipboardRequested(Message):
    """The user wants the clipboard's image."""


class Discarded(Message):
    """A draft was cleared, to be found in the history."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class DraftChanged(Message):
    """What is to be kept over a crash has changed."""

    def __init__(self, draft: dict[str, Any]) -> None:
        super().__init__()
        self.draft = draft


class StopAgentsRequested(Message):
    """All agents are to be stopped."""

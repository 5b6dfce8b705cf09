"""The widgets that a presenter writes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.protocol.views import PermissionRequest
from tui.widgets.composer.editor import Composer
from tui.widgets.gauge import Footer
from tui.widgets.header import Header
from tui.widgets.queue_lane import QueueLane
from tui.widgets.status import StatusLine
from tui.widgets.todo import TodoViews
from tui.widgets.transcript.view import TranscriptView


@dataclass(frozen=True, slots=True, kw_only=True)
class Surfaces:
    """Everything on the main screen that shows events."""

    header: Header
    transcript: TranscriptView
    todos: TodoViews
    status: StatusLine
    queue: QueueLane
    composer: Composer
    footer: Footer
    ask: Callable[[PermissionRequest, str], None]
    """Show a permission request of the session in this folder."""
    withdraw: Callable[[str], None]
    """Take a permission request away, by its id."""

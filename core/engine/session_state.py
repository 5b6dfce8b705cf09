"""What changes from turn to turn of a session."""

from __future__ import annotations

from dataclasses import dataclass

from core.protocol.views import SystemPrompt
from core.settings.schema import Settings
from core.tools.context import ToolState


@dataclass(slots=True, kw_only=True)
class SessionState:
    """Shared by the session and those that work for it; the next turn begins with what it holds."""

    settings: Settings
    tools: ToolState
    system: SystemPrompt | None = None
    """Frozen by the first query, or taken up from the transcript."""

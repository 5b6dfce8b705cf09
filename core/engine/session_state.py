"""What changes from turn to turn of a session."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.agents.definitions import Definitions
from core.context.breaker import Breaker
from core.context.session_memory import Notebook
from core.prompt.cache_watch import CacheWatch
from core.protocol.views import SystemPrompt
from core.settings.schema import Settings
from core.tools.context import ToolState


@dataclass(slots=True, kw_only=True)
class SessionState:
    """Shared by the session and those that work for it; the next turn begins with what it holds."""

    settings: Settings
    tools: ToolState
    definitions: Definitions
    """The kinds of agents that can be started."""
    system: SystemPrompt | None = None
    """Frozen by the first query, or taken up from the transcript."""
    breaker: Breaker = field(default_factory=Breaker)
    notebook: Notebook = field(default_factory=Notebook)
    watch: CacheWatch = field(default_factory=CacheWatch)
    """What the cache should hold of what was sent since the program was started."""
    user_id: str = ""
    """Who asks, as the API is told: nobody in person."""
    most: dict[str, int] = field(default_factory=dict[str, int])
    """Tokens that a model takes here, where its server has said that it is less than was known."""

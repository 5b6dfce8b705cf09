"""Plain data about the context window and what requests cost: what fills it, what a send would take, who spent what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.protocol.usage import Usage
from core.protocol.views import ContextLimits

BreakerState = Literal["closed", "open"]
"""``open``: compaction has failed so often in a row that it is no longer tried on its own."""
CompactionTrigger = Literal["auto", "manual", "too_long"]
"""The threshold was passed, the user asked, the API said that the prompt is too long."""
CompactionMethod = Literal["session_memory", "full"]
"""From the running notes, without a request; or with a summary that the model writes."""
ClearReason = Literal["cold", "pressure", "too_long"]
"""The cache had gone cold anyway, the window was nearly full, the API said that the prompt is too long."""
PartKind = Literal["system", "tools", "mcp_tools", "instructions", "agents", "skills", "messages", "results"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPart:
    """One kind of thing that fills the window."""

    kind: PartKind
    name: str
    """``System prompt``, ``Your messages``, ``Read`` (results by tool)."""
    tokens: int
    count: int = 0
    """How many of them; 0 where that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextItem:
    """One of the biggest single things in the window."""

    name: str
    """``Read core/engine.py``, ``Your message: Here is the log…``."""
    tokens: int
    remedy: str = ""
    """What can be done about it; empty where nothing can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPrice:
    """What sending the window as it is now would take."""

    cached_tokens: int
    """That the cache should still hold."""
    fresh_tokens: int
    cost_usd: float | None
    """None where the price is unknown."""
    why_cold: str = ""
    """Why nothing, or less than there could be, comes from the cache; empty where all of it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextReport:
    """What fills the window, and what will become of it."""

    model: str
    used: int
    """Tokens: the API's count for the newest response, and an estimate of what came after."""
    window: int
    limits: ContextLimits
    parts: tuple[ContextPart, ...] = ()
    """Largest first; estimates that add up to ``used``."""
    biggest: tuple[ContextItem, ...] = ()
    """The five biggest single things, largest first."""
    reserve: int = 0
    """Tokens that are kept free for the answer and a summary."""
    exact: int | None = None
    """What the count endpoint says; None where it was not asked or did not answer."""
    breaker: BreakerState = "closed"
    failures: int = 0
    """Compactions that failed in a row."""
    turns_left: int | None = None
    """Turns until the window is compacted, at the present rate; None where that is not known."""
    tokens_per_turn: int = 0
    last: Usage = field(default_factory=Usage)
    """Of the newest request."""
    warm_until: float | None = None
    """Until when the cache holds what was sent, seconds since the epoch; None where nothing is cached."""
    next_send: SendPrice | None = None
    can_undo: bool = False
    """Whether the last compaction can be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What one model has taken for one kind of request of one agent."""

    model: str
    agent: str
    source: str
    """The kind of request: main, compaction, session_memory, web_search."""
    requests: int
    usage: Usage
    cost_usd: float | None
    """None where the price is unknown."""

"""Plain data of subagents: what one is at, what kinds there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.protocol.usage import Usage
from core.protocol.views import RuleLayer, TaskStatus

AgentColor = Literal["", "red", "blue", "green", "yellow", "purple", "orange", "pink", "cyan"]
AgentLayer = RuleLayer | Literal["built-in"]
"""Where an agent's definition came from."""
LABEL_CHARS = 60
"""Of its description, which should be a few words and need not be."""
FORK = "fork"
"""The type of an agent that starts from the messages of the main one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """A subagent as it is at one moment; the newest holds. Times are seconds since the epoch."""

    id: str
    agent_type: str
    """Name of its definition, or ``FORK``."""
    description: str
    """What it does, in three to five words."""
    prompt: str = ""
    """The newest task that it was given."""
    model: str = ""
    color: AgentColor = ""
    status: TaskStatus = "pending"
    """Pending: it waits for its turn to start."""
    tool_use_id: str = ""
    """The call of the main conversation that started it or goes on with it; empty where the user did."""
    in_background: bool = False
    """Whether the main conversation goes on meanwhile."""
    started_at: float = 0.0
    run_at: float = 0.0
    """When its present or newest run began; 0 before the first one."""
    ended_at: float = 0.0
    """0 while it runs."""
    heard_at: float = 0.0
    """When it last gave a sign of life."""
    duration_ms: int = 0
    """That it has run, all its runs together; of one that runs, until its present run began."""
    steps: int = 0
    """Requests."""
    tool_uses: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    """None where a price is unknown."""
    context_tokens: int = 0
    """In its own window."""
    context_window: int = 0
    trouble: str = ""
    """What is suspicious: the same call over and over, a long silence; empty where nothing is."""
    waits_for: str = ""
    """What keeps it from going on: ``your answer``, ``a free place``; empty where nothing does."""
    inherited_tokens: int = 0
    """Of a fork: what it took over of the main conversation."""
    expected_usd: float | None = None
    """Of a fork: what reading that costs for its first request."""
    ending: str = ""
    """Why it ended where that was not by itself."""

    @property
    def label(self) -> str:
        """How people are told which one it is, on one line: ``Explore · Find the callers``."""
        words = " ".join(self.description.split())
        short = words if len(words) <= LABEL_CHARS else f"{words[: LABEL_CHARS - 1].rstrip()}…"
        return f"{self.agent_type} · {short}" if short else self.agent_type

    @property
    def is_over(self) -> bool:
        """Whether it takes nothing more unless it is resumed."""
        return self.status in ("completed", "failed", "killed")

    @property
    def cache_share(self) -> float | None:
        """Of the tokens it has sent, the part that came from the cache; None before the first answer."""
        sent = self.usage.prompt_tokens
        return self.usage.cache_read_tokens / sent if sent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentKind:
    """A definition that an agent can be started from."""

    name: str
    description: str
    layer: AgentLayer = "built-in"
    source: str = ""
    """The file; empty for one that is built in."""
    model: str = ""
    """As the definition says it; empty: that of the main conversation."""
    color: AgentColor = ""
    tools: tuple[str, ...] = ()
    """What it may use, once everything that no agent gets is left out."""
    is_read_only: bool = False
    overrides: str = ""
    """The source of a definition of the same name that does not count because of this one."""

"""What an agent is started from: the parsed form of a definition file. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.protocol.agent_views import AgentColor, AgentLayer
from core.protocol.views import PermissionMode
from core.settings.schema import Effort

GENERAL = "general-purpose"
"""The type that always exists."""
INHERIT = "inherit"
"""As a model: that of the main conversation."""
SMALL = "small"
"""As a model: the small one of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefinition:
    """One kind of agent."""

    name: str
    description: str
    """When to use it: what the main model chooses by."""
    prompt: str
    """Its system prompt, but for what all agents are told."""
    tools: tuple[str, ...] | None = None
    """Names as they are written; None: all that an agent may have."""
    disallowed: tuple[str, ...] = ()
    model: str = ""
    """Empty, ``INHERIT``, ``SMALL``, the name of a line of models, or an id."""
    effort: Effort | None = None
    color: AgentColor = ""
    mode: PermissionMode | None = None
    """None: as the main conversation."""
    max_turns: int | None = None
    in_background: bool = False
    is_read_only: bool = False
    """Whether the engine refuses it everything that does not only read."""
    has_instructions: bool = True
    """Whether it reads the instruction files of user and project."""
    skills: tuple[str, ...] = ()
    mcp_servers: tuple[str, ...] = ()
    hooks: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    layer: AgentLayer = "built-in"
    source: str = ""
    """The file; empty for one that is built in."""

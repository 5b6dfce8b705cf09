"""Puts a request together: system, tools and messages with their breakpoints, and what the model can do."""

from __future__ import annotations

from typing import Any

from core.llm.catalog import ModelInfo
from core.llm.client import ModelRequest, QuerySource
from core.prompt.cache import mark_messages, mark_system
from core.protocol.views import SystemPrompt
from core.settings.credentials import is_official
from core.settings.schema import Settings

MIN_BUDGET_TOKENS = 1_024
BUDGET_SHARE = 2
"""Where thinking takes a budget it is one part in this many of the output limit."""


def build_request(
    *,
    settings: Settings,
    model: ModelInfo,
    system: SystemPrompt,
    tools: list[dict[str, Any]],
    messages: list[dict[str, Any]],
    max_tokens: int,
    query_source: QuerySource = "main",
) -> ModelRequest:
    """The request for normalised messages. Only the breakpoints differ from one request to the next."""
    blocks = system.blocks()
    ttl = settings.cache_ttl
    effort = settings.effort if settings.effort in model.efforts else None
    return ModelRequest(
        model=model.id,
        max_tokens=max_tokens,
        system=mark_system(blocks, ttl) if settings.prompt_caching else [dict(block) for block in blocks],
        tools=tools,
        messages=mark_messages(messages, ttl) if settings.prompt_caching else messages,
        thinking=thinking_config(model, max_tokens),
        output_config={"effort": effort} if effort else None,
        query_source=query_source,
    )


def can_search(settings: Settings, model: ModelInfo) -> bool:
    """Whether tools may be deferred: references to tools are refused by models and servers that do not know them.

    A server that only speaks like the API does not know them unless the user says so.
    """
    if settings.tool_search != "auto":
        return settings.tool_search == "on"
    return model.tool_search and is_official(settings.base_url)


def thinking_config(model: ModelInfo, max_tokens: int) -> dict[str, Any] | None:
    """Thinking switched on in the way the model takes it, shown in summary; None where it has none."""
    match model.thinking:
        case "always" | "on" | "between" | "off":
            return {"type": "adaptive", "display": "summarized"}
        case "budget" if max_tokens > BUDGET_SHARE * MIN_BUDGET_TOKENS:
            return {"type": "enabled", "budget_tokens": max_tokens // BUDGET_SHARE}
        case _:
            return None

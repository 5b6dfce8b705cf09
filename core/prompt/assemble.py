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
    user_id: str = "",
    diagnostics: dict[str, Any] | None = None,
) -> ModelRequest:
    """The request for normalised messages. Only the breakpoints differ from one request to the next."""
    blocks = system.blocks()
    ttl = settings.cache_ttl
    effort = settings.effort if settings.effort in model.efforts else None
    budget = thinking_budget(model, settings)
    return ModelRequest(
        model=model.id,
        # A smaller limit is one of the answer alone.
        max_tokens=max_tokens if max_tokens > budget else min(max_tokens + budget, model.max_output),
        system=mark_system(blocks, ttl) if settings.prompt_caching else [dict(block) for block in blocks],
        tools=tools,
        messages=mark_messages(messages, ttl) if settings.prompt_caching else messages,
        thinking=thinking_config(model, settings),
        output_config={"effort": effort} if effort else None,
        metadata={"user_id": user_id} if user_id else None,
        diagnostics=diagnostics,
        query_source=query_source,
    )


def can_search(settings: Settings, model: ModelInfo) -> bool:
    """Whether tools may be deferred: references to tools are refused by models and servers that do not know them.

    A server that only speaks like the API does not know them unless the user says so.
    """
    if settings.tool_search != "auto":
        return settings.tool_search == "on"
    return model.tool_search and is_official(settings.base_url)


def diagnoses(settings: Settings) -> bool:
    """Whether the API is asked why something was not read from the cache: another server may refuse the question."""
    if not settings.prompt_caching:
        return False
    return settings.cache_diagnostics == "on" or (
        settings.cache_diagnostics == "auto" and is_official(settings.base_url)
    )


def thinking_config(model: ModelInfo, settings: Settings) -> dict[str, Any] | None:
    """Thinking switched on in the way the model takes it, shown in summary; None where it has none.

    The same for all requests of a conversation: another one would make the cache forget the messages.
    """
    if model.thinking in ("always", "on", "between", "off"):
        return {"type": "adaptive", "display": "summarized"}
    budget = thinking_budget(model, settings)
    return {"type": "enabled", "budget_tokens": budget} if budget else None


def thinking_budget(model: ModelInfo, settings: Settings) -> int:
    """Tokens of a model that takes a budget, less than any answer may be long; 0 for any other, and where an answer
    may be too short for it."""
    limit = min(settings.max_output_tokens, model.max_output)
    has_budget = model.thinking == "budget" and limit > BUDGET_SHARE * MIN_BUDGET_TOKENS
    return limit // BUDGET_SHARE if has_budget else 0

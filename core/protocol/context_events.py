"""Events about the context window, the cache and the cost. The union of all events is in ``events``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocol.context_views import (
    BreakerState,
    ClearReason,
    CompactionMethod,
    CompactionTrigger,
    ContextReport,
    CostLine,
)

CacheBreakCause = Literal["model", "system", "tools", "parameters", "messages", "expired", "evicted"]
"""What was different from the request before; ``expired``: it came too late; ``evicted``: nothing that we know of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionStarted:
    """The conversation is being compacted. Always followed by ``CompactionFinished`` or ``CompactionFailed``."""

    compaction_id: str
    trigger: CompactionTrigger
    context_tokens: int
    kind: Literal["compaction_started"] = "compaction_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionFinished:
    """A summary stands in place of the conversation before it; its originals stay in the transcript."""

    compaction_id: str
    trigger: CompactionTrigger
    method: CompactionMethod
    before: int
    """Tokens in the window."""
    after: int
    """An estimate, until the next response counts it."""
    summary: str
    """What the model reads in place of what was before, Markdown."""
    kept: tuple[str, ...] = ()
    """What goes on beside the summary, a few words each: ``12 of your messages``, ``the todo list``, ``3 files``."""
    duration_ms: int = 0
    kind: Literal["compaction_finished"] = "compaction_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionFailed:
    """Nothing has changed. ``hint`` says what the user can do."""

    compaction_id: str
    trigger: CompactionTrigger
    reason: str
    failures: int
    """In a row; an interrupt counts as none."""
    breaker: BreakerState = "closed"
    hint: str = ""
    is_interrupted: bool = False
    kind: Literal["compaction_failed"] = "compaction_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionUndone:
    """The conversation is again what it was before the last compaction, with what was said since."""

    before: int
    after: int
    kind: Literal["compaction_undone"] = "compaction_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsCleared:
    """Old results of calls were replaced by a short marker in what the model reads; they stay on disk."""

    tool_use_ids: tuple[str, ...]
    paths: tuple[str, ...]
    """Where each of them is kept, in the same order; empty where there was nothing to keep but an image."""
    saved_tokens: int
    reason: ClearReason
    kind: Literal["results_cleared"] = "results_cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBroken:
    """The newest request read much less from the cache than could be expected."""

    request_id: str
    expected_tokens: int
    read_tokens: int
    cause: CacheBreakCause
    reason: str
    """What was different, for people: ``tool Bash changed``, ``sent 7 min after the last request``."""
    is_announced: bool = False
    """Whether something that was told before is the cause: a compaction, cleared results, another model."""
    extra_cost_usd: float | None = None
    """What that cost beyond reading it from the cache; None where the price is unknown."""
    kind: Literal["cache_broken"] = "cache_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextReported:
    """The answer to ``ReportContext``; comes again with ``exact`` once the count endpoint has answered."""

    report: ContextReport
    kind: Literal["context_reported"] = "context_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsReported:
    """The answer to ``ReportCosts``: what the session has taken, largest first."""

    lines: tuple[CostLine, ...]
    total_usd: float | None
    """None where any price is unknown."""
    limit_usd: float | None = None
    """What the session may cost; None where nothing was set."""
    prices_dated: str = ""
    """Of which day the known prices are: ``2026-11-20``."""
    kind: Literal["costs_reported"] = "costs_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffWritten:
    """A brief of this session was written into a new one, which waits to be taken up."""

    session_id: str
    brief: str
    kind: Literal["handoff_written"] = "handoff_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChangeQuoted:
    """The model was not changed yet: the cache is warm and the other model reads everything anew. Say it again with
    ``is_confirmed`` to do it."""

    model: str
    tokens: int
    """That are read anew."""
    cost_usd: float | None
    """What that costs; None where the price is unknown."""
    kind: Literal["model_change_quoted"] = "model_change_quoted"

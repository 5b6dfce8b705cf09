"""Where a context window is nearly full: pure arithmetic over the model's figures, in tokens."""

from __future__ import annotations

from core.llm.catalog import ModelInfo
from core.protocol.views import ContextLimits

SUMMARY_RESERVE = 20_000
"""At most so much is kept free for the answer, which may be a summary of everything before it."""
AUTOCOMPACT_BUFFER = 13_000
WARNING_BUFFER = 20_000
MANUAL_COMPACT_BUFFER = 3_000
"""What asking for a summary by hand still takes."""


def context_limits(model: ModelInfo) -> ContextLimits:
    """The thresholds of a model's window; never below nothing, however small the window is."""
    effective = max(0, model.window - min(model.max_output, SUMMARY_RESERVE))
    autocompact = max(0, effective - AUTOCOMPACT_BUFFER)
    return ContextLimits(
        warning=max(0, autocompact - WARNING_BUFFER),
        autocompact=autocompact,
        blocking=max(0, effective - MANUAL_COMPACT_BUFFER),
    )

"""Where a context window is nearly full: pure arithmetic over figures of the model and of the settings, in tokens."""

from __future__ import annotations

from core.llm.catalog import ModelInfo
from core.protocol.views import ContextLimits
from core.settings.schema import Settings

SUMMARY_RESERVE = 20_000
"""At most so much is kept free for the answer, which may be a summary of everything before it."""


def window_of(model: ModelInfo, settings: Settings) -> int:
    """The context window that counts: what a server has said itself is never exceeded."""
    window = settings.context_window or model.window
    return min(window, model.most) if model.most else window


def reserve_of(model: ModelInfo) -> int:
    """What is kept free for the answer."""
    return min(model.max_output, SUMMARY_RESERVE)


def context_limits(model: ModelInfo, settings: Settings) -> ContextLimits:
    """The thresholds of a window; never below nothing, however small it is.

    Where nothing is compacted on its own there is no such threshold, and the warning comes before the window's end.
    """
    effective = max(0, window_of(model, settings) - reserve_of(model))
    compacted = min(
        effective, max(0, (settings.auto_compact_window or effective + reserve_of(model)) - reserve_of(model))
    )
    autocompact = max(0, compacted - settings.autocompact_buffer) if settings.auto_compact else 0
    return ContextLimits(
        warning=max(0, (autocompact if settings.auto_compact else effective) - settings.warning_buffer),
        autocompact=autocompact,
        blocking=max(0, effective - settings.manual_compact_buffer),
    )

"""Events about the context window, the cache and the cost."""

from __future__ import annotations

from core.protocol import events as ev
from tui.presenter.base import PresenterBase


class ContextEvents(PresenterBase):
    """Shows what becomes of the window."""

    def on_compaction_started(self, event: ev.CompactionStarted) -> None:
        """A summary is being written."""

    def on_compaction_finished(self, event: ev.CompactionFinished) -> None:
        """The boundary, with what goes on behind it."""

    def on_compaction_failed(self, event: ev.CompactionFailed) -> None:
        """Nothing has changed; what to do."""

    def on_compaction_undone(self, event: ev.CompactionUndone) -> None:
        """All as it was."""

    def on_results_cleared(self, event: ev.ResultsCleared) -> None:
        """The calls whose results the model no longer reads."""

    def on_cache_broken(self, event: ev.CacheBroken) -> None:
        """What was read anew, and why."""

    def on_context_reported(self, event: ev.ContextReported) -> None:
        """For the context view."""

    def on_costs_reported(self, event: ev.CostsReported) -> None:
        """For the cost view."""

    def on_handoff_written(self, event: ev.HandoffWritten) -> None:
        """A new session waits."""

    def on_model_change_quoted(self, event: ev.ModelChangeQuoted) -> None:
        """What another model would read anew."""

"""Events about the context window, the cache and the cost."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.context_views import ClearReason
from tui.presenter.base import PresenterBase
from tui.rendering.amounts import dollars, tokens
from tui.widgets.transcript.blocks import NoticeBlock, RuleBlock
from tui.widgets.transcript.compaction_block import CompactionBlock

CLEAR_REASONS: dict[ClearReason, str] = {
    "cold": "the cache was cold anyway",
    "pressure": "the window was nearly full",
    "too_long": "the API said that the prompt is too long",
}
BREAKER = "It is no longer tried on its own."
STOPPED = "■ Interrupted while compacting; nothing has changed."


class ContextEvents(PresenterBase):
    """Shows what becomes of the window."""

    def on_compaction_started(self, event: ev.CompactionStarted) -> None:
        """A summary is being written."""
        self._compacting = self._add(CompactionBlock(event.compaction_id, event.context_tokens, event.trigger))
        self._begin_alone("Compacting the conversation")

    def on_compaction_finished(self, event: ev.CompactionFinished) -> None:
        """The boundary, with what goes on behind it; it may be the first that is heard of it."""
        block, self._compacting = self._compacting, None
        if block is not None:
            self._end_alone()
        is_brief = event.compaction_id == self._session_id
        self._compacted = block or self._add(CompactionBlock(event.compaction_id, is_brief=is_brief))
        self._compacted.finish(event)
        self._on.transcript.changed(self._compacted)

    def on_compaction_failed(self, event: ev.CompactionFailed) -> None:
        """Nothing has changed; what to do."""
        block, self._compacting = self._compacting, None
        if block is not None:
            self._on.transcript.drop(block)
            self._end_alone()
        if event.is_interrupted:
            # In a turn the line at its end says it.
            self._interrupted = STOPPED
            if not self._is_turn:
                self._add(RuleBlock(self._next_id(), STOPPED, "caution"))
            return
        told = [f"Not compacted: {event.reason.rstrip('.')}.", "Nothing has changed."]
        is_automatic = event.trigger != "manual"
        if is_automatic and event.failures > 1:
            told.append(f"It has failed {event.failures} times in a row.")
        if is_automatic and event.breaker == "open":
            told.append(BREAKER)
        self._add(NoticeBlock(self._next_id(), "warning", " ".join(told), event.hint))

    def on_compaction_undone(self, event: ev.CompactionUndone) -> None:
        """All as it was."""
        block, self._compacted = self._compacted, None
        if block is not None:
            block.undo()
            self._on.transcript.changed(block)
        size = f"{tokens(event.before)} → {tokens(event.after)} tokens"
        self._say("info", f"Compaction undone: {size}. The conversation is whole again, with what was said since.")

    def on_results_cleared(self, event: ev.ResultsCleared) -> None:
        """The calls whose results the model no longer reads."""
        for tool_use_id, path in zip(event.tool_use_ids, event.paths, strict=False):
            block = self._finished.get(tool_use_id)
            if block is not None:
                block.move_result(path)
                self._on.transcript.changed(block)
        count = len(event.tool_use_ids)
        what = f"{count} old result{'' if count == 1 else 's'}" if any(event.paths) else "Images and documents"
        self._say("info", f"{what} cleared: {tokens(event.saved_tokens)} tokens freed ({CLEAR_REASONS[event.reason]})")

    def on_cache_broken(self, event: ev.CacheBroken) -> None:
        """What was read anew, and why; what was announced follows the line that told it."""
        if event.is_announced:
            return
        cost = f" (+{dollars(event.extra_cost_usd)})" if event.extra_cost_usd else ""
        anew = f"{tokens(max(0, event.expected_tokens - event.read_tokens))} tokens read anew{cost}"
        if event.cause == "expired":
            self._say("info", f"The cache had gone cold: {anew}: {event.reason}")
        else:
            self._say("warning", f"Cache miss: {anew}: {event.reason}")

    def on_context_reported(self, event: ev.ContextReported) -> None:
        """For the context view."""
        self.reports.show_context(event.report)

    def on_costs_reported(self, event: ev.CostsReported) -> None:
        """For the cost view."""
        self.reports.show_costs(event)

    def on_handoff_written(self, event: ev.HandoffWritten) -> None:
        """A new session waits."""
        self._on.go_over(event.session_id)

    def on_model_change_quoted(self, event: ev.ModelChangeQuoted) -> None:
        """What another model would read anew."""
        self.quoted = event
        self._on.quote(event)

    def _say(self, level: ev.NoticeLevel, text: str) -> None:
        self._add(NoticeBlock(self._next_id(), level, text))

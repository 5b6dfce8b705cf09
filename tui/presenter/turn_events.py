"""Events of a turn and its requests: the status line, the gauge, the line that sums up."""

from __future__ import annotations

from collections import deque

from core.protocol import events as ev
from tui.presenter.base import PresenterBase
from tui.rendering.amounts import dollars, duration, tokens
from tui.widgets.transcript.blocks import PromptBlock, RuleBlock
from tui.widgets.transcript.retry_block import RetryBlock

END_WORDS: dict[str, tuple[str, str]] = {
    "interrupted": ("■ Interrupted. What was done stands; say how to go on.", "caution"),
    "denied": ("■ Stopped at your no. Say what to do instead.", "caution"),
    "max_turns": ("■", "caution"),
    "max_budget": ("■", "caution"),
    "max_tokens": ("■", "caution"),
    "refusal": ("■ The model declined:", "caution"),
    "context_full": ("■", "caution"),
    "error": ("✗", "notice.error"),
}


CAUSES = {
    "overloaded": "Overloaded",
    "rate_limit": "Rate limit reached",
    "server": "Server error",
    "connection": "No connection",
    "silent": "No answer",
    "dropped": "Connection lost",
}
"""What the status line calls a failure."""


class TurnEvents(PresenterBase):
    """Follows turns and requests."""

    def on_prompt_submitted(self, event: ev.PromptSubmitted) -> None:
        """The user's words; to a subagent its task, which may stand there already."""
        if self._chain is not None and self._chain.has_just_been_told(event.text):
            return
        self._add(PromptBlock(event.message_id, event.text, event.images))

    def on_turn_started(self, event: ev.TurnStarted) -> None:
        """The status line begins to move."""
        self._running.clear()
        self._asking.clear()
        self._is_turn = True
        self._interrupted = ""
        self._up = self._down = 0
        self._cost_before = self._cost or 0.0
        self._on.status.begin()
        self._on.composer.is_busy = True
        self._on.signal("working")

    def on_turn_ended(self, event: ev.TurnEnded) -> None:
        """The status line comes to rest; a quiet line sums up."""
        self._is_turn = False
        self._on.status.end()
        self._on.composer.is_busy = False
        self._on.signal("done")
        if event.reason != "completed":
            words, style = END_WORDS[event.reason]
            if event.reason == "interrupted":
                words = self._interrupted or words
            self._add(RuleBlock(self._next_id(), f"{words} {event.detail}".strip(), style))
            return
        spent = (self._cost or 0.0) - self._cost_before
        if not event.steps and not spent:
            return  # nothing was sent
        requests = f"{event.steps} request{'' if event.steps == 1 else 's'}" if event.steps else ""
        parts = [duration(event.duration_ms), requests, dollars(spent) if self._cost is not None else ""]
        self._add(RuleBlock(self._next_id(), "─ " + " · ".join(part for part in parts if part)))

    def on_request_started(self, event: ev.RequestStarted) -> None:
        """The model has the word; for what is asked beside the conversation the running call speaks."""
        if event.query_source in ("main", "agent"):
            self._on.status.show_activity("Waiting for the model", is_awaited=True)
        elif event.query_source == "handoff":
            self._begin_alone("Writing the handoff")

    def on_request_finished(self, event: ev.RequestFinished) -> None:
        """Count what went up and came down."""
        self._retry = None
        if event.query_source == "handoff":
            self._end_alone()
        self._up += event.usage.prompt_tokens
        self._down += event.usage.output_tokens
        self._on.status.show_tokens(f"↑ {tokens(self._up)} ↓ {tokens(self._down)}")

    def on_request_failed(self, event: ev.RequestFailed) -> None:
        """A countdown, and a line that grows with each attempt; a first one that is not tried again is told by the
        end of the turn alone. Nobody waits for running notes: the next ones take the place of those that failed."""
        if event.query_source == "session_memory":
            return
        if event.retry_in_s is None and event.query_source == "handoff":
            self._end_alone()
        if event.retry_in_s is None and event.attempt == 1:
            return
        again = ""
        if event.retry_in_s is not None:
            again = f"Again in {event.retry_in_s:.0f} s." if event.retry_in_s >= 1 else "Again now."
        block = self._retry_line(event)
        block.add(event.reason, event.attempt, event.max_attempts, hint=event.hint, again=again)
        self._on.transcript.changed(block)
        # A call that runs is what is waited for: one of a response that broke off, or one that asks beside.
        if event.retry_in_s is not None and not (self._running or self._asking):
            of = f"attempt {event.attempt + 1} of {event.max_attempts}" if event.max_attempts else ""
            self._on.status.show_retry(CAUSES.get(event.cause, "Failed"), event.retry_in_s, of)

    def _retry_line(self, event: ev.RequestFailed) -> RetryBlock:
        """The line of the attempts before, unless something else has come after it."""
        last = deque(self._on.transcript.blocks, maxlen=1)
        line = self._retry
        if line is None or event.attempt == 1 or line not in last or line.query_source != event.query_source:
            line = self._retry = self._add(RetryBlock(self._next_id(), event.query_source))
        return line

    def on_usage_updated(self, event: ev.UsageUpdated) -> None:
        """The gauge."""
        self._cost = event.cost_usd
        prompt = event.last.prompt_tokens
        share = round(event.last.cache_read_tokens / prompt * 100) if prompt else None
        self._on.footer.show_window(event.context_window, event.limits)
        self._on.footer.show_usage(event.context_tokens, dollars(event.cost_usd), breaker=event.breaker)
        # Where the cache holds nothing of what is sent next, what it gave last tells nothing.
        is_cached = event.warm_until is not None
        self._on.footer.show_cache(share if is_cached else None, event.warm_until, dollars(event.cold_cost_usd))
        self.reports.outdate()

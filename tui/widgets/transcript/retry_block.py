"""The failed attempts of one request: one line that grows, however often it is tried."""

from __future__ import annotations

from tui.widgets.transcript.blocks import NoticeBlock


class RetryBlock(NoticeBlock):
    """Tells how many attempts have failed and why, each reason once."""

    __slots__ = ("_reasons", "newest", "query_source")

    def __init__(self, block_id: str, query_source: str) -> None:
        super().__init__(block_id, "warning", "")
        self.query_source = query_source
        self._reasons: dict[str, int] = {}
        self.newest = ""
        """The newest failure alone, for who cannot see a line change."""

    def add(self, reason: str, attempt: int, most: int, *, hint: str = "", again: str = "") -> None:
        """One more has failed. ``again`` says when the next one comes."""
        reason = reason.rstrip(".")
        self._reasons[reason] = self._reasons.get(reason, 0) + 1
        self.revision += 1
        self._hint = hint
        why = "; ".join(f"{known} ×{count}" if count > 1 else known for known, count in self._reasons.items())
        of = f" of {most}" if most else ""
        self._text = f"{attempt}{of} {'attempts' if (most or attempt) > 1 else 'attempt'} failed: {why}."
        self.newest = " ".join(part for part in (f"Attempt {attempt}{of} failed: {reason}.", hint, again) if part)

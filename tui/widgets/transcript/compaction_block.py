"""A compaction in the conversation: the boundary behind which a summary stands in place of what was before."""

from __future__ import annotations

from core.protocol.context_views import CompactionMethod, CompactionTrigger
from core.protocol.events import CompactionFinished
from tui.rendering.amounts import duration, tokens
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, line_width, truncate, wrap
from tui.rendering.markdown import render_markdown
from tui.rendering.sanitize import clean_line
from tui.widgets.transcript.blocks import PROSE_COLUMNS, Block

WHY: dict[CompactionTrigger, str] = {
    "auto": ": the window is nearly full",
    "manual": "",
    "too_long": ": the API said that the prompt is too long",
}
METHODS: dict[CompactionMethod, str] = {"full": "full summary", "session_memory": "from the session notes"}
UNDO = "/uncompact brings back what was before it."
BAR = 4
"""Columns before the summary."""


class CompactionBlock(Block):
    """One line while it runs and when it is done; unfolded the summary that the model reads now."""

    __slots__ = ("_finished", "_is_brief", "_running", "is_undone")

    def __init__(
        self, compaction_id: str, before: int = 0, trigger: CompactionTrigger = "manual", *, is_brief: bool = False
    ) -> None:
        """``before``: tokens in the window, 0 where it is not known. ``is_brief``: it is what a new session begins
        with, written by the one before it."""
        super().__init__(compaction_id)
        size = f" {tokens(before)} tokens" if before else ""
        self._running = f"Compacting{size}{WHY[trigger]}"
        self._finished: CompactionFinished | None = None
        self._is_brief = is_brief
        self.folded = not is_brief
        self.is_undone = False

    def finish(self, event: CompactionFinished) -> None:
        """It is done."""
        self._finished = event
        self.touch()

    def undo(self) -> None:
        """The conversation is again what it was before."""
        self.is_undone = True
        self.touch()

    @property
    def can_undo(self) -> bool:
        """Whether there is something to go back to."""
        return not (self.is_undone or self._is_brief)

    @property
    def is_foldable(self) -> bool:
        return self._finished is not None

    @property
    def is_complete(self) -> bool:
        return self._finished is not None

    @property
    def source(self) -> str:
        return self._finished.summary if self._finished else ""

    @property
    def searched(self) -> str:
        return f"{self.headline}\n{self.source}"

    @property
    def headline(self) -> str:
        """What has become of the window."""
        done = self._finished
        if done is None:
            return self._running
        verb = "Goes on from a brief:" if self._is_brief else "Compacted"
        return f"{verb} {tokens(done.before)} → {tokens(done.after)} tokens"

    @property
    def details(self) -> str:
        """How, and what goes on beside the summary."""
        done = self._finished
        if done is None:
            return ""
        if self._is_brief:
            return ", ".join(map(clean_line, done.kept))
        time = duration(done.duration_ms)
        how = METHODS[done.method] + (f" in {time}" if time else "")
        kept = f"kept: {', '.join(map(clean_line, done.kept))}" if done.kept else ""
        return " · ".join(part for part in ("undone" if self.is_undone else "", how, kept) if part)

    def lines(self, width: int) -> list[Line]:
        if self._finished is None:
            return [truncate((("◌ ", f"accent {DECOR}"), (self.headline, "text")), width)]
        fold: Span = (" ▸ " if self.folded else " ▾ ", f"muted {DECOR}")
        spans: list[Span] = [
            ("◇ " if self.is_undone else "◈ ", f"accent {DECOR}"),
            (self.headline, "muted" if self.is_undone else "strong"),
            (f" · {self.details}", "muted"),
        ]
        head = (*truncate(tuple(spans), width - 3), fold)
        # Drawn across, as the boundary that it is.
        head = (*head, ("─" * (width - line_width(head)), f"faint {DECOR}"))
        if self.folded:
            return [head]
        return [head, *self._body(self._finished, width, is_cut=line_width(spans) > width - 3)]

    def _body(self, done: CompactionFinished, width: int, *, is_cut: bool) -> list[Line]:
        bar: Line = (("  │ ", f"faint {DECOR}"),)
        room = min(width - BAR, PROSE_COLUMNS)
        rows: list[Line] = []
        if done.kept and is_cut:
            rows += wrap([("Kept beside it: ", "muted"), (", ".join(map(clean_line, done.kept)), "muted")], room)
            rows.append(())
        rows += render_markdown(done.summary, room)
        if self.can_undo:
            rows += [(), ((UNDO, f"faint {DECOR_ROW}"),)]
        return [(*bar, *row) for row in rows]

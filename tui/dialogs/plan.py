"""The question whether a plan is approved. The plan itself stands in the conversation, with room to read it."""

from __future__ import annotations

from core.protocol.inquiries import PlanRequest
from tui.dialogs.question import Choice, Question, key_line
from tui.keymap import key_text
from tui.rendering.line import Line, Span, truncate
from tui.rendering.sanitize import clean_line
from tui.rendering.tool_views import short_path


def plan_question(request: PlanRequest, cwd: str, waiting: int) -> Question:
    """The question for a plan. ``waiting``: how many further requests wait behind it."""
    path = clean_line(short_path(request.path, cwd))
    editor = key_text("input.editor")
    return Question(
        id=request.id,
        title=plan_title(waiting),
        body=lambda width: [truncate(((f"  {path}", "muted"),), width)],
        choices=(
            Choice("accept_edits", "1", "Yes, and accept edits", "in the working folder", comment="optional"),
            Choice("ask_edits", "2", "Yes, and ask about each edit", comment="optional"),
            Choice("keep_planning", "3", "No, keep planning", "say what is missing", comment="required"),
        ),
        cancel="keep_planning",
        footer=key_line((("PgUp PgDn", "read"), (editor, "edit the plan"), ("Esc", "no, and stop"))),
        comment_label="your comment; Enter sends",
        is_plan=True,
    )


def plan_title(waiting: int) -> Line:
    """What is asked, and how many more wait."""
    title: list[Span] = [("? ", "state.asking"), ("Approve this plan?", "strong")]
    if waiting:
        title.append((f"  (and {waiting} more after this)", "muted"))
    return tuple(title)

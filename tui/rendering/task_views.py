"""Tasks as lines: one row each, and what one has given."""

from __future__ import annotations

from core.protocol.agent_events import TaskOutputReported
from core.protocol.views import TaskInfo
from tui.rendering.amounts import elapsed
from tui.rendering.line import Line, Span, wrap
from tui.rendering.sanitize import clean, clean_line

STATES = {
    "pending": ("○", "waits", "state.waiting"),
    "running": ("◐", "running", "state.running"),
    "completed": ("✓", "finished", "state.done"),
    "failed": ("✗", "failed", "state.failed"),
    "killed": ("■", "stopped", "caution"),
}
"""Sign, word and style of each status: told apart without colours too."""
KINDS = {"agent": "agent", "shell": "command"}
"""What people call a kind; the others by their own name."""
ID_CELLS, KIND_CELLS, STATE_CELLS = 9, 9, 12


def task_row(task: TaskInfo, now: float) -> tuple[list[Span], list[Span]]:
    """What stands at the left and at the right of its row."""
    sign, word, style = STATES[task.status]
    what = clean_line(task.description or task.command)
    left: list[Span] = [
        (f"{task.id:<{ID_CELLS}}", "muted"),
        (f"{KINDS.get(task.kind, task.kind):<{KIND_CELLS}}", "muted"),
        (f"{f'{sign} {word}':<{STATE_CELLS}}", style),
        (what, "text"),
    ]
    return left, [(" · ".join(_facts(task, now)), "muted")]


def _facts(task: TaskInfo, now: float) -> list[str]:
    end = task.ended_at if task.is_over else now
    ran = end - task.started_at if task.started_at and end else 0.0
    return [
        *([clean_line(task.detail)] if task.detail else []),
        *([f"of {clean_line(task.agent)}"] if task.agent else []),
        *(["waited for"] if not task.is_over and not task.in_background else []),
        *([f"exit {task.exit_code}"] if task.exit_code is not None else []),
        *([elapsed(ran)] if ran >= 1 else []),
    ]


def output_lines(task: TaskInfo, output: TaskOutputReported | None, width: int) -> list[Line]:
    """The command, and the end of what it has given; all of it where there is a file."""
    lines = wrap([(clean(task.command), "code")], width, first_prefix=(("$ ", "shell"),), rest_prefix=(("  ", "text"),))
    if output is None:
        return [*lines, (), (("Reading…", "muted"),)]
    text = clean(output.text).rstrip("\n")
    rows = text.split("\n") if text else []
    left_out = max(0, output.total_lines - len(rows))
    lines.append(())
    if left_out:
        where = f", all in {clean_line(output.path)}" if output.path else ""
        lines += wrap([(f"… {left_out} earlier lines{where}", "muted")], width)
    for row in rows:
        lines += wrap([(row, "text")], width) or [()]
    return lines if rows else [*lines, (("No output yet." if not task.is_over else "No output.", "muted"),)]

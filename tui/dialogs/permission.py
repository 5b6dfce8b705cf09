"""The permission question: the whole action, why it is asked, and what each answer would allow."""

from __future__ import annotations

from core.protocol.views import PermissionRequest
from tui.dialogs.question import Choice, Question
from tui.rendering.highlight import highlight
from tui.rendering.line import Line, Span, wrap
from tui.rendering.reveal import reveal
from tui.rendering.tool_views import cell_change, change_lines, short_path

VERBS = {
    "Bash": "wants to run a command",
    "Write": "wants to write a file",
    "Edit": "wants to change a file",
    "MultiEdit": "wants to change a file",
    "NotebookEdit": "wants to change a notebook",
    "Read": "wants to read a file",
    "Grep": "wants to search",
    "Glob": "wants to list files",
    "LS": "wants to list a folder",
    "WebFetch": "wants to fetch a web page",
    "WebSearch": "wants to search the web",
    "EnterPlanMode": "wants to plan first",
}

PATHS = ("file_path", "path", "notebook_path")
"""Arguments that name what a call is about."""

LONG_RULE = 100
"""Characters of a rule that are shown beside its answer."""


def permission_question(request: PermissionRequest, cwd: str, waiting: int) -> Question:
    """The question for a request. ``waiting``: how many further requests wait behind it."""
    choices = [Choice("once", "y", "Yes, this once")]
    if request.scopes:
        rule = reveal("  ".join(request.scopes[request.scope].rules)).replace("\n", "⏎")
        if request.tool_name == "Bash" and len(rule) > LONG_RULE:
            # The rule repeats the whole command, which stands above.
            rule = "exactly this command"
        choices.append(Choice("session", "s", "Yes, for this session", rule))
    choices.append(Choice("deny", "n", "No, and stop", "Tab: no, but tell it why and go on", comment="optional"))
    return Question(
        id=request.id,
        title=permission_title(request, waiting),
        body=lambda width: _body(request, cwd, width),
        choices=tuple(choices),
        cancel="deny",
        footer=(("asked because ", "faint"), (reveal(request.reason), "muted")),
        comment_label="what should it do instead? Enter sends",
    )


def permission_title(request: PermissionRequest, waiting: int) -> Line:
    """Who wants what, and how many more wait."""
    verb = VERBS.get(request.tool_name, "wants to run")
    title: list[Span] = [("? ", "state.asking"), (request.tool_name, "strong"), (f" {verb}", "strong")]
    if waiting:
        title.append((f"  (and {waiting} more after this)", "muted"))
    return tuple(title)


def _body(request: PermissionRequest, cwd: str, width: int) -> list[Line]:
    lines: list[Line] = []
    command = request.input.get("command")
    path = next((request.input[key] for key in PATHS if request.input.get(key)), None)
    if isinstance(command, str):
        description = request.input.get("description")
        if isinstance(description, str) and description:
            lines += wrap([(reveal(description), "muted")], width)
        for row in highlight(reveal(command), "bash"):
            lines += wrap(row, width, first_prefix=(("  ", "text"),), rest_prefix=(("  ", "text"),), words=False)
        if request.input.get("run_in_background"):
            lines.append((("  in the background", "caution"),))
    elif isinstance(path, str):
        lines.append((("  ", "text"), (reveal(short_path(path, cwd)), "tool.argument strong")))
        if "notebook_path" in request.input:
            lines += wrap([(f"  {reveal(cell_change(request.input))}", "text")], width)
    if request.display.diff is not None:
        lines += [(("  ", "text"), *line) for line in change_lines(request.display.diff, width - 2)]
    elif not isinstance(command, str):
        lines += _fields(request, width)
    return lines


def _fields(request: PermissionRequest, width: int) -> list[Line]:
    """Every argument that is not shown in a better way."""
    lines: list[Line] = []
    for key, value in request.input.items():
        if key not in PATHS:
            lines += wrap([(f"  {key}: ", "muted"), (reveal(str(value)), "text")], width)
    return lines

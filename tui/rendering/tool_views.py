"""What the window says of a tool call: the argument that matters, the state, the details when unfolded."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

from core.protocol.views import FileDiff, SharedTask, TodoItem
from tui.rendering.diff import diff_lines
from tui.rendering.highlight import highlight
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, line_width, truncate, wrap
from tui.rendering.sanitize import ansi_spans, clean, clean_line

_HEADLINE_MIN = 24
_CODE = ("command", "content", "new_string", "new_source")
MAX_DIFF_LINES = 1_000
"""A change shows at most this many lines: more takes longer than a key press may."""
MAX_BODY_LINES = 2_000
"""An unfolded result shows at most this many lines; the model got all of them."""

TODO_SIGNS = {"pending": "☐", "in_progress": "◐", "completed": "☑"}
TODO_STYLES = {"pending": "text", "in_progress": "accent strong", "completed": "muted strike"}


def short_path(path: str, cwd: str) -> str:
    """The path relative to the working directory where it is inside, with ``~`` for the home folder else."""
    absolute = os.path.normpath(os.path.join(cwd, path))  # noqa: PTH118  lexical: a renderer asks no disk
    if absolute == cwd:
        return "."
    if absolute.startswith(cwd.rstrip("/") + "/"):
        return absolute[len(cwd.rstrip("/")) + 1 :]
    home = os.environ.get("HOME", "")
    return "~" + absolute[len(home) :] if home and absolute.startswith(home + "/") else absolute


def argument(name: str, arguments: dict[str, Any], cwd: str) -> str:
    """The one argument that tells what a call is about, on one line."""
    view = _ARGUMENTS.get(name, _first_text)
    return clean_line(view(arguments, cwd))


def code_of_call(name: str, arguments: dict[str, Any]) -> str:
    """What a call brings along that a reader may want: a command, or the new text of a file or a change."""
    if name == "MultiEdit":
        edits: list[Any] = arguments.get("edits") or []
        return "\n".join(_text(cast("dict[str, Any]", edit), "new_string") for edit in edits if isinstance(edit, dict))
    return next(
        (_text(arguments, key) for key in ("command", "content", "new_string", "new_source") if key in arguments), ""
    )


def file_of_call(arguments: dict[str, Any]) -> str:
    """The one file that a call is about; empty where there is none."""
    return _text(arguments, "file_path") or _text(arguments, "notebook_path")


def _path(arguments: dict[str, Any], cwd: str) -> str:
    path = short_path(_text(arguments, "file_path") or _text(arguments, "path"), cwd)
    if pages := _text(arguments, "pages"):
        return f"{path} pages {pages}"
    first, count = arguments.get("offset"), arguments.get("limit")
    if isinstance(first, int) or isinstance(count, int):
        start = first if isinstance(first, int) else 1
        return f"{path}:{start}" + (f"–{start + count - 1}" if isinstance(count, int) else "–")
    return path


def _notebook(arguments: dict[str, Any], cwd: str) -> str:
    return f"{short_path(_text(arguments, 'notebook_path'), cwd)} {cell_change(arguments)}"


def cell_change(arguments: dict[str, Any]) -> str:
    """What a call does to a notebook: ``delete cell b2``, ``insert markdown after b2``."""
    mode, cell, kind = (_text(arguments, key) for key in ("edit_mode", "cell_id", "cell_type"))
    if mode == "insert":
        return f"insert {kind or 'code'} {f'after {cell}' if cell else 'at the top'}"
    return f"{mode or 'replace'} cell {cell}" + (f" as {kind}" if kind and mode != "delete" else "")


def _search(arguments: dict[str, Any], cwd: str) -> str:
    where = _text(arguments, "path")
    kind = _text(arguments, "glob") or _text(arguments, "type")
    text = _text(arguments, "pattern")
    text += f" in {short_path(where, cwd)}" if where else ""
    return text + (f" ({kind})" if kind else "")


def _command(arguments: dict[str, Any], _cwd: str) -> str:
    return _text(arguments, "command")


def _url(arguments: dict[str, Any], _cwd: str) -> str:
    return _text(arguments, "url")


def _query(arguments: dict[str, Any], _cwd: str) -> str:
    only, without = _names(arguments, "allowed_domains"), _names(arguments, "blocked_domains")
    where = f" in {only}" if only else f" not in {without}" if without else ""
    return _text(arguments, "query") + where


def _names(arguments: dict[str, Any], key: str) -> str:
    value = arguments.get(key)
    return ", ".join(str(name) for name in cast("list[Any]", value)) if isinstance(value, list) else ""


def _shell(arguments: dict[str, Any], _cwd: str) -> str:
    return _text(arguments, "shell_id")


def _questions(arguments: dict[str, Any], _cwd: str) -> str:
    """The topics."""
    questions: object = arguments.get("questions")
    items = cast("list[object]", questions) if isinstance(questions, list) else []
    return ", ".join(_text(cast("dict[str, Any]", item), "header") for item in items if isinstance(item, dict))


def _agent(arguments: dict[str, Any], _cwd: str) -> str:
    """Which agent is to do what."""
    parts = [_text(arguments, key) for key in ("resume", "subagent_type", "description")]
    return " · ".join(part for part in parts if part)


def _task(arguments: dict[str, Any], _cwd: str) -> str:
    status = _text(arguments, "status")
    words = [_text(arguments, "taskId"), f"→ {status}" if status else ""]
    for key, relation in (("addBlockedBy", "waits for"), ("addBlocks", "before")):
        others: Any = arguments.get(key)
        if isinstance(others, list) and others:
            words.append(f"{relation} {', '.join(str(other) for other in cast('list[Any]', others))}")
    return " ".join(word for word in words if word)


def _nothing(_arguments: dict[str, Any], _cwd: str) -> str:
    return ""


def _first_text(arguments: dict[str, Any], _cwd: str) -> str:
    return next((value for value in arguments.values() if isinstance(value, str)), "")


def _text(arguments: dict[str, Any], key: str) -> str:
    value = arguments.get(key)
    return value if isinstance(value, str) else ""


_ARGUMENTS: dict[str, Callable[[dict[str, Any], str], str]] = {
    "Read": _path,
    "Write": _path,
    "Edit": _path,
    "MultiEdit": _path,
    "NotebookEdit": _notebook,
    "LS": _path,
    "Glob": _search,
    "Grep": _search,
    "Bash": _command,
    "BashOutput": _shell,
    "KillShell": _shell,
    "WebFetch": _url,
    "WebSearch": _query,
    "Task": _agent,
    "TodoWrite": _nothing,
    "AskUserQuestion": _questions,
    "EnterPlanMode": _nothing,
    "ExitPlanMode": _nothing,
    "TaskGet": _task,
    "TaskUpdate": _task,
}


def change_lines(diff: FileDiff, width: int, max_lines: int | None = None) -> list[Line]:
    """The change of an edit; a new file is all additions. Beyond ``max_lines`` it says how many more there are."""
    limit = MAX_DIFF_LINES if max_lines is None else max_lines
    lines = diff_lines(diff.old or "", diff.new, path=diff.path, width=width, max_lines=limit)
    if diff.old and not diff.new:
        return [truncate((("⋯ nothing is left of it", f"diff.fold {DECOR_ROW}"),), width), *lines]
    return lines


def command_lines(command: str, width: int) -> list[Line]:
    """A command, highlighted, wrapped, with its prompt sign."""
    lines: list[Line] = []
    for index, row in enumerate(highlight(clean(command), "bash")):
        sign: Span = ("$ " if index == 0 else "  ", f"muted {DECOR}")
        lines += wrap(row, width, first_prefix=(sign,), rest_prefix=(("  ", f"muted {DECOR}"),), words=False)
    return lines


def output_lines(text: str, width: int, style: str = "muted") -> list[Line]:
    """Output of a command or a tool, its own colours kept and all else made harmless."""
    rows = ansi_spans(text.rstrip("\n"), style)
    hidden = len(rows) - MAX_BODY_LINES
    lines = [line for row in rows[:MAX_BODY_LINES] for line in wrap(row, width, words=False)]
    if hidden > 0:
        lines.append(((f"… {hidden:,} more lines", f"muted emphasis {DECOR_ROW}"),))
    return lines


def todo_lines(items: tuple[TodoItem, ...], width: int) -> list[Line]:
    """The todo list, one line an item, the priority only where it is not the usual one."""
    lines: list[Line] = []
    for item in items:
        text = item.active_form if item.status == "in_progress" and item.active_form else item.content
        spans: list[Span] = [(f"{TODO_SIGNS[item.status]} ", TODO_STYLES[item.status].replace(" strike", ""))]
        spans.append((clean_line(text), TODO_STYLES[item.status]))
        if item.priority != "medium":
            spans.append((f" ({item.priority})", "caution" if item.priority == "high" else "faint"))
        lines += wrap(spans, width, rest_prefix=(("  ", f"text {DECOR}"),))
    return lines


def shared_task_rows(tasks: tuple[SharedTask, ...], width: int) -> list[list[Line]]:
    """The lines of each shared task: what it is, who does it, and what it still waits for."""
    done = {task.id for task in tasks if task.status == "completed"}
    rows: list[list[Line]] = []
    for task in tasks:
        text = task.active_form if task.status == "in_progress" and task.active_form else task.subject
        spans: list[Span] = [(f"{TODO_SIGNS[task.status]} ", TODO_STYLES[task.status].replace(" strike", ""))]
        spans.append((clean_line(f"{task.id} {text}"), TODO_STYLES[task.status]))
        if task.owner:
            spans.append((clean_line(f" ({task.owner})"), "muted"))
        blockers = [blocker for blocker in task.blocked_by if blocker not in done]
        if blockers and task.id not in done:
            spans.append((clean_line(f" waits for {', '.join(blockers)}"), "faint"))
        rows.append(list(wrap(spans, width, rest_prefix=(("  ", f"text {DECOR}"),))))
    return rows


def headline(spans: list[Span], tail: str, width: int) -> Line:
    """One line: what it is at the left, cut where need be, and a short remark behind it."""
    left = min(line_width(spans), _HEADLINE_MIN)
    remark: Line = truncate(((f"  {tail}", "muted"),), max(8, width - left)) if tail else ()
    room = max(8, width - line_width(remark))
    return truncate((*truncate(tuple(spans), room), *remark), width)

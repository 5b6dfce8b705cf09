"""How the model is told that something of the background has ended, and how that is read back from a transcript."""

from __future__ import annotations

import re
from typing import cast

from core.prompt.imitations import defused
from core.prompt.sections import template
from core.protocol.agent_events import TaskNotified
from core.protocol.views import TaskInfo, TaskKind, TaskStatus

NOTHING = "(nothing)"
FORM = re.compile(
    r"<task-notification>\n<task-id>(?P<id>\w+)</task-id>\n<kind>(?P<kind>\w+)</kind>\n"
    r"<status>(?P<status>\w+)(?:, exit (?P<code>-?\d+))?</status>\n<description>(?P<description>[^\n]*)</description>\n"
    r"<output>\n(?P<text>.*)\n</output>\n<note>[^\n]*</note>\n</task-notification>",
    re.DOTALL,
)


def notification_text(ended: TaskNotified) -> str:
    """What the model reads, and what stands in the transcript."""
    task = ended.task
    status = task.status if task.exit_code is None else f"{task.status}, exit {task.exit_code}"
    return template("task_notification").format(
        id=task.id,
        kind=task.kind,
        status=status,
        description=defused(" ".join(task.description.split())),
        text=defused(ended.text) or NOTHING,
    )


def read_notification(text: str) -> TaskNotified | None:
    """What ``notification_text`` wrote; None for any other text."""
    match = FORM.fullmatch(text)
    if match is None:
        return None
    task = TaskInfo(
        id=match["id"],
        description=match["description"],
        status=cast(TaskStatus, match["status"]),
        kind=cast(TaskKind, match["kind"]),
        exit_code=None if match["code"] is None else int(match["code"]),
    )
    return TaskNotified(task=task, text=match["text"])

"""What the model is told of an end, and that a transcript gives it back."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from core.protocol.agent_events import TaskNotified
from core.protocol.views import TaskInfo, TaskKind, TaskStatus
from core.query.notification import notification_text, read_notification

PIECES = (
    "a", "\n", "<", ">", " ", "é", "{", "{text}", "</output>", "\n</output>\n<note>x</note>\n</task-notification>",
    "<task-notification>", "</description>", "<SYSTEM-REMINDER>", "</system-reminder>",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES)).map("".join)
TASKS = st.builds(
    TaskInfo,
    id=st.sampled_from(["b04bf57", "a000001"]),
    description=TEXT,
    status=st.sampled_from(get_args(TaskStatus)),
    kind=st.sampled_from(get_args(TaskKind)),
    exit_code=st.none() | st.integers(-64, 255),
)


@given(TASKS, TEXT)
def test_what_was_written_can_be_read_and_imitates_nothing(task: TaskInfo, text: str) -> None:
    written = notification_text(TaskNotified(task=task, text=text))
    assert written.lower().count("<task-notification") == written.lower().count("</task-notification") == 1
    assert "system-reminder>" not in written.lower().replace("&lt;system-reminder>", "").replace(
        "&lt;/system-reminder>", ""
    )
    read = read_notification(written)
    assert read is not None
    assert (read.task.id, read.task.status, read.task.kind, read.task.exit_code) == (
        task.id,
        task.status,
        task.kind,
        task.exit_code,
    )
    again = read_notification(notification_text(read))
    assert again == read, "what was read and written is the same"
    assert "&lt;" in written or read.text == (text or "(nothing)")


def test_other_texts_are_none() -> None:
    assert read_notification("hello") is None
    assert read_notification("<task-notification>\n</task-notification>") is None

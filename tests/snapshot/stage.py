"""The window on a stage: events instead of an engine, through the one render path that live sessions use."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol import events as ev
from core.protocol.envelope import Envelope
from core.protocol.inquiries import PlanRequest, QuestionOption, QuestionRequest, UserQuestion
from core.protocol.messages import TextBlock, ThinkingBlock, ToolUseBlock
from core.protocol.usage import Usage
from core.protocol.views import (
    ContextLimits,
    FileDiff,
    PermissionMode,
    PermissionRequest,
    QueuedMessage,
    RuleScope,
    TodoItem,
    ToolDisplay,
)
from tui.app import AgentApp
from tui.dialogs.question import Question
from tui.widgets.header import Header

CWD = "/home/ada/parser"

OLD = '''def parse(line):
    """Split a line into fields."""
    fields = line.split(",")
    return fields


def main():
    for line in open("data.csv"):
        print(parse(line))
'''
NEW = '''def parse(line: str) -> list[str]:
    """Split a line into fields; quoted commas stay."""
    return next(csv.reader([line]))


def main():
    for line in open("data.csv"):
        print(parse(line))
'''

ANSWER = """\
`parse` split at every comma, so a quoted field fell apart. It now uses the `csv` module:

| case | before | after |
|---|---|---|
| `a,b` | 2 fields | 2 fields |
| `"a,b",c` | 3 fields | **2 fields** |

```python
import csv

def parse(line: str) -> list[str]:
    return next(csv.reader([line]))
```

- All 14 tests pass (`tests/test_parser.py:31` is the new one).
- `main` still leaves its file open; say so if I should change that too.
"""

TODOS = (
    TodoItem(id="1", content="Find where lines are split", status="completed"),
    TodoItem(id="2", content="Use the csv module", active_form="Using the csv module", status="in_progress"),
    TodoItem(id="3", content="Add a test for quoted commas", priority="high"),
    TodoItem(id="4", content="Run the tests", priority="low"),
)


LIMITS = ContextLimits(warning=947_000, autocompact=967_000, blocking=977_000)


def started(mode: PermissionMode = "default") -> list[ev.Event]:
    """A session in its first moment."""
    events: list[ev.Event] = [
        ev.SessionStarted(
            cwd=CWD,
            model="claude-opus-5-5",
            mode=mode,
            version="0.1.0",
            tools=(),
            context_window=1_000_000,
            limits=LIMITS,
        ),
        ev.WorkspaceRead(is_repository=True, branch="fix-quotes", instruction_files=(f"{CWD}/AGENTS.md",)),
    ]
    return events


def call(call_id: str, name: str, batch: int, **arguments: object) -> list[ev.Event]:
    """A call that has begun to run."""
    return [
        ev.BlockStarted(block_id=f"b-{call_id}", block_kind="tool_use", tool_name=name),
        ev.BlockFinished(block_id=f"b-{call_id}", block=ToolUseBlock(id=call_id, name=name, input=dict(arguments))),
        ev.ToolStarted(tool_use_id=call_id, name=name, input=dict(arguments), batch=batch),
    ]


def done(call_id: str, name: str, content: str, summary: str, **more: object) -> ev.Event:
    """Its result."""
    return ev.ToolFinished(
        tool_use_id=call_id,
        name=name,
        content=content,
        is_error=bool(more.get("is_error")),
        display=ToolDisplay(summary=summary, diff=more.get("diff")),  # pyright: ignore[reportArgumentType]
        duration_ms=420,
    )


def working() -> list[ev.Event]:
    """A turn in the middle: a batch has run, an edit is done, a command runs."""
    diff = FileDiff(path=f"{CWD}/src/parser.py", old=OLD, new=NEW)
    return [
        *started(),
        ev.PromptSubmitted(message_id="p1", text="Quoted commas break the parser. Fix it and add a test."),
        ev.TurnStarted(),
        ev.RequestStarted(request_id="r1", model="claude-opus-5-5", query_source="main"),
        ev.BlockFinished(
            block_id="t1", block=ThinkingBlock(thinking="Look for the split first, then for its tests.", signature="x")
        ),
        ev.BlockFinished(block_id="x1", block=TextBlock(text="I look for where lines are split.")),
        *call("c1", "Grep", 0, pattern=r"split\(", path="src"),
        *call("c2", "Glob", 0, pattern="tests/**/*.py"),
        *call("c3", "Read", 0, file_path="src/parser.py"),
        done("c1", "Grep", "src/parser.py:3", "1 match in 1 file"),
        done("c2", "Glob", "tests/test_parser.py", "1 file"),
        done("c3", "Read", OLD, "9 lines"),
        ev.RequestStarted(request_id="r2", model="claude-opus-5-5", query_source="main"),
        *call("c4", "TodoWrite", 0),
        ev.TodosChanged(items=TODOS),
        done("c4", "TodoWrite", "", "1/4 done"),
        *call("c5", "Edit", 1, file_path="src/parser.py"),
        done("c5", "Edit", "", "+2 −3", diff=diff),
        ev.UsageUpdated(
            context_tokens=48_200,
            context_window=1_000_000,
            last=Usage(cache_read_tokens=47_000, cache_write_5m_tokens=1_000, output_tokens=200),
            total=Usage(),
            cost_usd=0.1834,
            limits=LIMITS,
            warm_until=2_000.0,
        ),
        *call("c6", "Bash", 2, command="uv run pytest -q", description="Run the tests"),
        ev.ToolProgress(tool_use_id="c6", text="..............\n13 passed, 1 to go", total_lines=2),
        ev.QueueChanged(
            items=(
                QueuedMessage(id="q1", text="also say what you changed in the changelog"),
                QueuedMessage(id="q2", text="then look at the writer in the same way", lane="follow_up"),
            )
        ),
    ]


def answered() -> list[ev.Event]:
    """The same turn at its end."""
    return [
        *working()[:-1],
        ev.QueueChanged(items=()),
        done("c6", "Bash", "..............                         [100%]\n14 passed in 0.21s", "2 lines"),
        ev.TodosChanged(items=tuple(TodoItem(id=t.id, content=t.content, status="completed") for t in TODOS)),
        ev.BlockFinished(block_id="x2", block=TextBlock(text=ANSWER)),
        ev.TurnEnded(reason="completed", steps=4, duration_ms=21_400),
    ]


def asking() -> list[ev.Event]:
    """An edit waits for consent, and another call behind it."""
    diff = FileDiff(path=f"{CWD}/src/parser.py", old=OLD, new=NEW)
    request = PermissionRequest(
        id="ask1",
        tool_use_id="c5",
        tool_name="Edit",
        input={"file_path": "src/parser.py"},
        reason="it changes a file",
        scopes=(RuleScope(rules=(f"Edit(/{CWD}/**)",)),),
        display=ToolDisplay(diff=diff),
    )
    second = PermissionRequest(
        id="ask2", tool_use_id="c6", tool_name="Bash", input={"command": "uv run pytest"}, reason="not read-only"
    )
    edit = next(i for i, event in enumerate(working()) if isinstance(event, ev.ToolStarted) and event.name == "Edit")
    return [
        *working()[: edit + 1],
        ev.PermissionRequested(request=request),
        ev.PermissionRequested(request=second),
    ]


def trouble() -> list[ev.Event]:
    """Failures of every kind."""
    return [
        *started("plan"),
        ev.Notice(level="warning", text="Settings: settings.json:3: unknown setting 'modle'; it is ignored"),
        ev.PromptSubmitted(message_id="p1", text="Delete the old fixtures"),
        ev.TurnStarted(),
        ev.RequestStarted(request_id="r1", model="claude-opus-5-5", query_source="main"),
        ev.RequestFailed(
            request_id="r1",
            reason="Overloaded (529 overloaded_error).",
            cause="overloaded",
            attempt=1,
            max_attempts=8,
            retry_in_s=0.5,
        ),
        ev.RequestStarted(request_id="r2", model="claude-opus-5-5", query_source="main", attempt=2),
        *call("c1", "Bash", 0, command="rm -r tests/fixtures"),
        done("c1", "Bash", "Bash was not run: plan mode is read-only.", "declined", is_error=True),
        *call("c2", "Edit", 1, file_path="src/parser.py"),
        done(
            "c2",
            "Edit",
            "old_string was not found in src/parser.py.\nThe nearest in the file:\n     3\tfields = line",
            "not found",
            is_error=True,
        ),
        ev.Notice(
            level="error",
            text="The transcript cannot be written: No space left on device.",
            hint="The session goes on in memory; free some space and what is missing will be written.",
        ),
        ev.BlockFinished(block_id="x1", block=TextBlock(text="I was about to"), interrupted=True),
        ev.TurnEnded(reason="interrupted"),
    ]


QUESTIONS = (
    UserQuestion(
        question="Where should quoted commas be tested?",
        header="Tests",
        options=(
            QuestionOption(label="In test_parser.py (recommended)", description="beside the thirteen that are there"),
            QuestionOption(label="In a file of their own", description="easier to find, one more file to keep"),
        ),
    ),
    UserQuestion(
        question="What else should change while I am at it?",
        header="Beside it",
        options=(
            QuestionOption(label="Close the file", description="main leaves data.csv open"),
            QuestionOption(label="Type hints", description="for main too"),
            QuestionOption(label="Nothing"),
        ),
        multi_select=True,
    ),
)
PLAN = """\
# Quoted commas

`parse` splits at every comma. It will use the **csv** module instead.

1. `src/parser.py`: `parse` returns `next(csv.reader([line]))`
2. `tests/test_parser.py`: a test for `"a,b",c`, one for an empty field
3. Run all tests

| risk | what about it |
|---|---|
| speed | the module is written in C |
| callers | they get the same list of texts |
"""


def questioned() -> list[ev.Event]:
    """Two questions are open."""
    asked = {"questions": [{"header": question.header} for question in QUESTIONS]}
    return [
        *started(),
        ev.PromptSubmitted(message_id="p1", text="Quoted commas break the parser. Fix it and add a test."),
        ev.TurnStarted(),
        ev.BlockFinished(block_id="x1", block=TextBlock(text="Two things only you can say.")),
        *call("c1", "AskUserQuestion", 0, **asked),
        ev.QuestionAsked(request=QuestionRequest(id="q1", tool_use_id="c1", questions=QUESTIONS)),
    ]


def planned() -> list[ev.Event]:
    """Questions were answered, and a plan waits for approval."""
    told = [
        {"question": QUESTIONS[0].question, "chosen": ["In test_parser.py (recommended)"], "text": ""},
        {"question": QUESTIONS[1].question, "chosen": ["Type hints"], "text": "and run the linter"},
    ]
    answers = ToolDisplay(details={"answers": told, "comment": "keep it small"})
    return [
        *questioned()[:-1],
        ev.ToolFinished(tool_use_id="c1", name="AskUserQuestion", content="The user answered.", display=answers),
        ev.ModeChanged(mode="plan"),
        *call("c2", "ExitPlanMode", 1),
        ev.PlanProposed(
            request=PlanRequest(id="q2", tool_use_id="c2", plan=PLAN, path="/home/ada/.local/share/plans/7d2c.md")
        ),
    ]


class StageApp(AgentApp):
    """Shows given events, or one of the questions of the start."""

    moment = 1_000.0
    """What the window's clock says: it stands still."""

    def __init__(
        self, theme: str, events: Sequence[ev.Event | Envelope] = (), question: Question | None = None
    ) -> None:
        super().__init__({"theme": theme}, {}, now=lambda: self.moment, wall=lambda: 1_000.0)
        self._events = events
        self._question = question

    def _begin(self) -> None:
        composer = self._main.query_one("Composer")
        composer.cursor_blink = False  # pyright: ignore[reportAttributeAccessIssue]
        self._main.query_one(Header).show_session(CWD, "", is_demo=False)
        if self._question is not None:
            self._main.dock.ask(self._question)
        self._main.begin(self._signals.show)
        self.play(self._events)

    def play(self, events: Sequence[ev.Event | Envelope]) -> None:
        """Show these events; those that stand in no envelope are the main agent's."""
        assert self._main.presenter is not None
        envelopes = [
            event if isinstance(event, Envelope) else Envelope(seq=number, ts=0.0, session_id="s", event=event)
            for number, event in enumerate(events, 1)
        ]
        self._main.presenter.apply(envelopes)

"""Events: what happened. Past tense, plain data, a closed union.

Ordering contracts stand on the classes. A thing that takes time has a start, deltas and a finish with
one id; the finish carries the whole truth, so a reader that saw only it is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from core.protocol.agent_events import (
    AgentEnded,
    AgentKindsChanged,
    AgentProgressed,
    AgentRecalled,
    AgentStarted,
    TaskNotified,
    TaskOutputReported,
)
from core.protocol.consent_events import (
    PermissionDecided,
    PermissionExplained,
    PermissionRequested,
    PermissionResolved,
    PlanProposed,
    QuestionAsked,
    QuestionResolved,
    RulesChanged,
)
from core.protocol.context_events import (
    CacheBroken,
    CompactionFailed,
    CompactionFinished,
    CompactionStarted,
    CompactionUndone,
    ContextReported,
    CostsReported,
    HandoffWritten,
    ModelChangeQuoted,
    ResultsCleared,
)
from core.protocol.context_views import BreakerState
from core.protocol.messages import Block
from core.protocol.usage import Usage
from core.protocol.views import (
    ContextLimits,
    PermissionMode,
    QueuedMessage,
    SharedTask,
    TaskInfo,
    TodoItem,
    ToolDisplay,
)

NoticeLevel = Literal["info", "warning", "error"]
BlockKind = Literal["text", "thinking", "tool_use", "other"]
TurnEndReason = Literal[
    "completed",
    "interrupted",
    "denied",
    "max_turns",
    "max_budget",
    "max_tokens",
    "refusal",
    "context_full",
    "error",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """First event of a session; a resumed one replays its history right after it."""

    cwd: str
    model: str
    mode: PermissionMode
    version: str
    tools: tuple[str, ...]
    context_window: int
    """Tokens."""
    limits: ContextLimits = field(default_factory=ContextLimits)
    is_demo: bool = False
    is_resumed: bool = False
    kind: Literal["session_started"] = "session_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRead:
    """What was found in the folder: comes once, soon after ``SessionStarted``."""

    is_repository: bool
    branch: str = ""
    """Empty on a detached head."""
    instruction_files: tuple[str, ...] = ()
    """Files that the model gets as instructions."""
    kind: Literal["workspace_read"] = "workspace_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChanged:
    """Another model answers from the next turn on; one that stands in for it from the next request on."""

    model: str
    context_window: int
    limits: ContextLimits = field(default_factory=ContextLimits)
    stands_in_for: str = ""
    """The main model, where this one takes its place until the end of the turn."""
    kind: Literal["model_changed"] = "model_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged:
    """The permission mode is another one."""

    mode: PermissionMode
    kind: Literal["mode_changed"] = "mode_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know; ``hint`` says what to do."""

    level: NoticeLevel
    text: str
    hint: str = ""
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOccurred:
    """An unexpected error in the program itself. The session goes on; the traceback is in the log."""

    text: str
    log_path: str
    kind: Literal["fault_occurred"] = "fault_occurred"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChanged:
    """The queued messages in the order in which they will be taken, after any change."""

    items: tuple[QueuedMessage, ...]
    kind: Literal["queue_changed"] = "queue_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSubmitted:
    """A prompt entered the conversation: at the start of a turn, or between two tool rounds."""

    message_id: str
    text: str
    images: tuple[str, ...] = ()
    """Name and size of each image that goes with it."""
    kind: Literal["prompt_submitted"] = "prompt_submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """A turn began; every later event of it carries its ``turn_id`` until ``TurnEnded``."""

    kind: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """Last event of a turn: no tool of it runs any more and the history is valid."""

    reason: TurnEndReason
    detail: str = ""
    steps: int = 0
    duration_ms: int = 0
    usage: Usage = field(default_factory=Usage)
    kind: Literal["turn_ended"] = "turn_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStarted:
    """A request is being sent. Ends with ``RequestFinished`` or ``RequestFailed`` of the same id."""

    request_id: str
    model: str
    query_source: str
    attempt: int = 1
    kind: Literal["request_started"] = "request_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished:
    """The response ended as it should."""

    request_id: str
    query_source: str = "main"
    stop_reason: str
    usage: Usage
    cost_usd: float | None
    """None where the model's price is unknown."""
    duration_ms: int
    first_token_ms: int
    kind: Literal["request_finished"] = "request_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed:
    """The request failed. With ``retry_in_s`` it is sent again after that many seconds, else it is given up.

    Of a response that broke off, what was complete may be kept; the request that follows then goes on from there.
    """

    request_id: str
    query_source: str = "main"
    reason: str
    attempt: int
    """Of failures in a row, from 1."""
    max_attempts: int = 0
    cause: str = ""
    """One word for what went wrong: overloaded, rate_limit, server, connection, silent, dropped."""
    status: int | None = None
    """The HTTP status, where there was one."""
    retry_in_s: float | None = None
    hint: str = ""
    kind: Literal["request_failed"] = "request_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStarted:
    """A block of the response began; deltas follow. ``tool_name`` is set for tool_use."""

    block_id: str
    block_kind: BlockKind
    tool_name: str = ""
    kind: Literal["block_started"] = "block_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDelta:
    """More text of a block: prose, reasoning, or the raw JSON of a tool's input."""

    block_id: str
    text: str
    kind: Literal["block_delta"] = "block_delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFinished:
    """The whole block. ``interrupted`` marks text that was cut off."""

    block_id: str
    block: Block
    interrupted: bool = False
    kind: Literal["block_finished"] = "block_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDiscarded:
    """The block did not survive (a broken response that is sent again): forget what was shown of it."""

    block_id: str
    kind: Literal["block_discarded"] = "block_discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """A call is about to run (permission may still be asked). ``batch`` numbers the batches of one response."""

    tool_use_id: str
    name: str
    input: dict[str, Any]
    batch: int = 0
    kind: Literal["tool_started"] = "tool_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolProgress:
    """The latest state of a running call; a newer one replaces it. ``text`` is the tail of its output."""

    tool_use_id: str
    text: str
    total_lines: int = 0
    kind: Literal["tool_progress"] = "tool_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """The result of a call: exactly one for each tool_use block, whatever happened."""

    tool_use_id: str
    name: str
    content: str
    is_error: bool = False
    display: ToolDisplay = field(default_factory=ToolDisplay)
    duration_ms: int = 0
    kind: Literal["tool_finished"] = "tool_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultMoved:
    """A result went to a file to make room for the others of its response; ``content`` is what the model gets instead.

    Comes after the ``ToolFinished`` of every call of that response."""

    tool_use_id: str
    content: str
    path: str
    kind: Literal["tool_result_moved"] = "tool_result_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellStarted:
    """A command of the user's own runs, between two turns. ``ToolProgress`` of the same id may follow."""

    shell_id: str
    command: str
    kind: Literal["shell_started"] = "shell_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellFinished:
    """What it printed; the model reads the same with the next prompt. Always follows ``ShellStarted``."""

    shell_id: str
    command: str
    output: str
    exit_code: int | None = None
    """None where it did not come to its own end: interrupted, killed, moved to the background."""
    kind: Literal["shell_finished"] = "shell_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TodosChanged:
    """The whole todo list of the agent."""

    items: tuple[TodoItem, ...]
    kind: Literal["todos_changed"] = "todos_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTasksChanged:
    """The whole list of tasks that the agents of the session share, oldest first."""

    tasks: tuple[SharedTask, ...]
    kind: Literal["shared_tasks_changed"] = "shared_tasks_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksChanged:
    """Everything that runs, or ran, in the background, oldest first."""

    tasks: tuple[TaskInfo, ...]
    kind: Literal["tasks_changed"] = "tasks_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageUpdated:
    """How full the window is and what the session has cost."""

    context_tokens: int
    context_window: int
    last: Usage
    total: Usage
    cost_usd: float | None
    limits: ContextLimits = field(default_factory=ContextLimits)
    warm_until: float | None = None
    """Until when the cache holds what was sent, seconds since the epoch; None where nothing is cached."""
    breaker: BreakerState = "closed"
    cold_cost_usd: float | None = None
    """What sending all of it again costs once the cache has gone cold; None where the price is unknown."""
    kind: Literal["usage_updated"] = "usage_updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """An event of a newer version, read from a log; kept, never shown."""

    original_kind: str
    data: dict[str, Any]
    kind: Literal["unknown"] = "unknown"


Event = (
    SessionStarted
    | WorkspaceRead
    | ModelChanged
    | ModeChanged
    | Notice
    | FaultOccurred
    | QueueChanged
    | PromptSubmitted
    | TurnStarted
    | TurnEnded
    | RequestStarted
    | RequestFinished
    | RequestFailed
    | BlockStarted
    | BlockDelta
    | BlockFinished
    | BlockDiscarded
    | ToolStarted
    | ToolProgress
    | ToolFinished
    | ToolResultMoved
    | ShellStarted
    | ShellFinished
    | PermissionRequested
    | PermissionResolved
    | PermissionDecided
    | PermissionExplained
    | RulesChanged
    | QuestionAsked
    | PlanProposed
    | QuestionResolved
    | TodosChanged
    | SharedTasksChanged
    | TasksChanged
    | UsageUpdated
    | CompactionStarted
    | CompactionFinished
    | CompactionFailed
    | CompactionUndone
    | ResultsCleared
    | CacheBroken
    | ContextReported
    | CostsReported
    | HandoffWritten
    | ModelChangeQuoted
    | AgentStarted
    | AgentProgressed
    | AgentEnded
    | AgentRecalled
    | AgentKindsChanged
    | TaskNotified
    | TaskOutputReported
    | UnknownEvent
)

"""Plain data that events and ops carry: todo items, tasks, queued messages, permission requests, what a tool shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]
TodoStatus = Literal["pending", "in_progress", "completed"]
TodoPriority = Literal["high", "medium", "low"]
TaskStatus = Literal["pending", "running", "completed", "failed", "killed"]
TaskKind = Literal["agent", "remote", "teammate", "workflow", "shell", "monitor", "dream"]
Answer = Literal["once", "session", "always", "deny"]
Behavior = Literal["allow", "ask", "deny"]
"""What a permission rule says, and what is decided."""
RuleLayer = Literal["user", "project", "local", "flag", "managed", "session"]
"""Where a rule came from: whose file, the command line, or an answer in this session."""
Lane = Literal["steer", "follow_up"]
"""When a queued message is taken: after the running tools, or as a turn of its own after this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextLimits:
    """Tokens in the window at which it is told, shrunk, and no longer added to; 0 where that is not known."""

    warning: int = 0
    autocompact: int = 0
    blocking: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TodoItem:
    """One line of the todo list. ``active_form`` is how it reads while it is being done."""

    id: str
    content: str
    active_form: str = ""
    status: TodoStatus = "pending"
    priority: TodoPriority = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTask:
    """One task of the list that the agents of a session share; not to be confused with ``TaskInfo``."""

    id: str
    subject: str
    description: str = ""
    active_form: str = ""
    status: TodoStatus = "pending"
    owner: str = ""
    """Who does it, by a name that the agents agree on."""
    blocked_by: tuple[str, ...] = ()
    """Ids of the tasks that must be completed before it."""
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAttachment:
    """An image that goes with a prompt."""

    name: str
    media_type: str
    data: str
    """Base64."""
    width: int = 0
    """Pixels; 0 where it is not known."""
    height: int = 0
    path: str = ""
    """Where it came from; empty for one of the clipboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A prompt or a shell line that was typed while a turn runs and has not been taken yet."""

    id: str
    text: str
    lane: Lane = "steer"
    images: tuple[str, ...] = ()
    """How the images that go with it are called."""
    is_line: bool = False
    """The text is a shell line with its ``!``, or a command with its ``/``: it waits for the end of the turn, and what
    comes after it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileListing:
    """The files of the working folder as they are known now. ``paths`` is the same object until the next listing."""

    paths: tuple[str, ...] = ()
    """Relative, folders with a slash at the end."""
    is_listing: bool = False
    """Whether they are just being listed: there may soon be others."""
    count: int = 0
    """Files found so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """Something that runs beside or for the conversation, with an id of its kind. Times are seconds since the epoch."""

    id: str
    description: str
    status: TaskStatus
    kind: TaskKind = "shell"
    command: str = ""
    """Of a shell."""
    exit_code: int | None = None
    in_background: bool = True
    """Whether the conversation that started it goes on meanwhile."""
    agent: str = ""
    """The subagent that started it; empty for the main agent and the user."""
    started_at: float = 0.0
    ended_at: float = 0.0
    """0 while it runs."""
    detail: str = ""
    """What it is at, or how it ended, in a few words."""

    @property
    def is_over(self) -> bool:
        """Whether it accepts nothing any more."""
        return self.status in ("completed", "failed", "killed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What an edit does to one file. ``old`` is None for a new file."""

    path: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDisplay:
    """What the window shows of a call beside the result that the model gets.

    ``summary`` is one short line; ``diff`` is for edits; ``details`` is free data for the tool's renderer;
    ``saved_to`` is the file with the whole of a result of which the model got only a part.
    """

    summary: str = ""
    diff: FileDiff | None = None
    saved_to: str = ""
    details: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPart:
    """One thing that a call does and that is judged on its own: a command of a shell line, a redirection."""

    text: str
    behavior: Behavior
    reason: str
    """The rule or check that judged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScope:
    """What "don't ask again" would save: never more than these rules, which stand there as they would be written."""

    rules: tuple[str, ...]
    """Each covers a part of the call; together they allow all of it."""
    allows: str = ""
    """Something else that they would allow; empty where there is nothing else."""
    refuses: str = ""
    """Something near it that would still be asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInfo:
    """A permission rule that is in force, or that stands in a file and cannot be used."""

    behavior: Behavior
    text: str
    layer: RuleLayer
    source: str = ""
    """``file:line``, an option of the command line; empty for this session."""
    problem: str = ""
    """Why it has no effect; empty where it has."""
    can_delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequest:
    """A question to the user: may this call run?"""

    id: str
    tool_use_id: str
    tool_name: str
    input: dict[str, Any]
    reason: str
    """Why it is asked: the rule or check that decided."""
    agent: str = ""
    """The subagent that asks; empty for the main agent."""
    agent_label: str = ""
    """How people are told which one that is."""
    parts: tuple[CallPart, ...] = ()
    """What a shell line consists of; empty where the call is one thing."""
    scopes: tuple[RuleScope, ...] = ()
    """What may be saved, from the narrowest to the widest; empty where nothing may."""
    scope: int = 0
    """The one that is proposed."""
    saves_to: str = ""
    """The file that "always" writes to; empty where that answer is not offered."""
    likeness: str = ""
    """The same for requests of one kind, which one answer may settle; empty for one that is like no other."""
    display: ToolDisplay = field(default_factory=ToolDisplay)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPrompt:
    """The two halves of a system prompt: what is the same in every session, and what describes this one.

    A cache breakpoint stands between them. Frozen for a session: models bind their thinking to it.
    """

    static: str
    session: str

    def blocks(self) -> list[dict[str, str]]:
        """In the API's form, without breakpoints."""
        return [{"type": "text", "text": text} for text in (self.static, self.session) if text]

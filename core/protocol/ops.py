"""Ops: what a reader asks of the engine. Imperative names, plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocol.inquiries import PlanAnswer, QuestionAnswer
from core.protocol.views import Answer, Behavior, ImageAttachment, Lane, PermissionMode, RuleLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPrompt:
    """Send a prompt. While a turn runs it is queued: taken between two tool rounds, or after the turn."""

    text: str
    lane: Lane = "steer"
    images: tuple[ImageAttachment, ...] = ()
    kind: Literal["submit_prompt"] = "submit_prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShell:
    """Run a command of the user's own, unasked; the next request tells the model. While a turn runs it is queued."""

    command: str
    kind: Literal["run_shell"] = "run_shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditQueued:
    """Replace the text of a queued message; an empty text removes it. A message already taken is left alone."""

    message_id: str
    text: str
    kind: Literal["edit_queued"] = "edit_queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveQueued:
    """Move a queued message by so many places, negative towards the front, among those of its lane."""

    message_id: str
    by: int
    kind: Literal["move_queued"] = "move_queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Stop the running turn. Queued messages are sent right after it."""

    kind: Literal["interrupt"] = "interrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPermission:
    """Answer a permission request. ``comment`` reaches the model; a denial without one ends the turn.

    ``session`` and ``always`` add the rules of the request's scope of that number: no others can be named.
    """

    request_id: str
    answer: Answer
    comment: str = ""
    scope: int = 0
    kind: Literal["answer_permission"] = "answer_permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion:
    """Answer a tool's questions, in their order. Without answers they are declined; then a comment or the turn ends."""

    request_id: str
    answers: tuple[QuestionAnswer, ...] = ()
    comment: str = ""
    kind: Literal["answer_question"] = "answer_question"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlan:
    """Approve a plan as its file holds it now, or go on planning; without a comment the turn ends then."""

    request_id: str
    answer: PlanAnswer
    comment: str = ""
    kind: Literal["answer_plan"] = "answer_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    """Change the permission mode."""

    mode: PermissionMode
    kind: Literal["set_mode"] = "set_mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainPermission:
    """Have the small model explain what an open permission request would do."""

    request_id: str
    kind: Literal["explain_permission"] = "explain_permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRule:
    """Add a permission rule: to the user's file, to the project's local one, or for this session."""

    behavior: Behavior
    text: str
    layer: RuleLayer
    kind: Literal["add_rule"] = "add_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRule:
    """Delete a permission rule, from its file where it stands in one; ``source`` as its ``RuleInfo`` has it."""

    behavior: Behavior
    text: str
    layer: RuleLayer
    source: str = ""
    kind: Literal["delete_rule"] = "delete_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetModel:
    """Change the main model from the next turn on. While a turn runs it is queued.

    Where the cache is warm ``ModelChangeQuoted`` comes first, unless it is confirmed already."""

    model: str
    is_confirmed: bool = False
    kind: Literal["set_model"] = "set_model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """Put a summary in place of the conversation. While a turn runs it is queued."""

    instructions: str = ""
    """What the summary should look at most."""
    kind: Literal["compact"] = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCompaction:
    """Take back the last compaction. While a turn runs it is queued."""

    kind: Literal["undo_compaction"] = "undo_compaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """Write a brief of this session into a new one. While a turn runs it is queued."""

    goal: str = ""
    kind: Literal["hand_off"] = "hand_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """Tell what fills the window: answered by ``ContextReported``."""

    kind: Literal["report_context"] = "report_context"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCosts:
    """Tell what the session has cost: answered by ``CostsReported``."""

    kind: Literal["report_costs"] = "report_costs"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTools:
    """Move every running command and agent that the turn waits for to the background."""

    kind: Literal["background_tools"] = "background_tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTask:
    """Kill a task: a command, an agent, also one that the turn waits for. The turn goes on."""

    task_id: str
    kind: Literal["stop_task"] = "stop_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAgents:
    """Kill every agent that runs, also in the background."""

    kind: Literal["stop_agents"] = "stop_agents"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAgent:
    """Say something to an agent: taken between two of its tool rounds; one that is over goes on with it."""

    agent_id: str
    text: str
    kind: Literal["message_agent"] = "message_agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """Have the main conversation wait for a task, or no longer."""

    task_id: str
    to_background: bool
    kind: Literal["move_task"] = "move_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFork:
    """Give a task to a fork of the conversation, in the background."""

    prompt: str
    kind: Literal["start_fork"] = "start_fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallAgent:
    """Tell again what an agent that is over has said: answered by ``AgentRecalled`` and its events."""

    agent_id: str
    kind: Literal["recall_agent"] = "recall_agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTask:
    """Tell what a background task has given so far: answered by ``TaskOutputReported``."""

    task_id: str
    kind: Literal["read_task"] = "read_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAudit:
    """Write down what an agent did, step by step, or what all did where it is empty; told by a notice."""

    agent_id: str = ""
    kind: Literal["export_audit"] = "export_audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The user has begun to type: begin what the first request would wait for."""

    kind: Literal["warm_up"] = "warm_up"


Op = (
    SubmitPrompt
    | RunShell
    | EditQueued
    | MoveQueued
    | Interrupt
    | AnswerPermission
    | AnswerQuestion
    | AnswerPlan
    | SetMode
    | ExplainPermission
    | AddRule
    | DeleteRule
    | SetModel
    | Compact
    | UndoCompaction
    | HandOff
    | ReportContext
    | ReportCosts
    | BackgroundTools
    | StopTask
    | StopAgents
    | MessageAgent
    | MoveTask
    | StartFork
    | RecallAgent
    | ReadTask
    | ExportAudit
    | WarmUp
)

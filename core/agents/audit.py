"""The audit trail: what agents did, step by step, folded from the events of a session."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from core.host.clock import iso_utc
from core.host.files import write_atomic
from core.protocol import events as ev
from core.protocol.codec import envelope_from_json
from core.protocol.envelope import Envelope
from core.protocol.errors import AgentError
from core.protocol.ids import MAIN_AGENT

Action = Literal["start", "message", "request", "permission", "question", "tool", "end"]
MAX_SUBJECT_CHARS = 2_000
"""Of what a row is about: enough for a command, not for a file."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would calculate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step of one agent. Tokens, cost and duration are those of this step alone, so that they can be summed."""

    sequence: int
    """From 1, over all agents of the session."""
    time: str
    """UTC."""
    agent: str
    agent_type: str
    action: Action
    tool: str = ""
    subject: str = ""
    """The command, the path, the address; of a request its model, of a message its text."""
    decision: str = ""
    """Allow, ask or deny, as it was decided; then what the user answered."""
    rule: str = ""
    """The rule that decided, and where it stands."""
    outcome: str = ""
    tokens_in: int = 0
    """Written and read anew; what the cache gave is ``tokens_cached``."""
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: float | None = 0.0
    """None where the price is unknown."""
    duration_ms: int = 0


COLUMNS = tuple(field.name for field in fields(Row))


class Trail:
    """Folds envelopes, in their order, into rows."""

    def __init__(self) -> None:
        self._count = 0
        self._types = {MAIN_AGENT: "main"}
        self._models: dict[str, str] = {}
        """Of requests that are on their way."""
        self._calls: dict[str, ev.ToolStarted] = {}
        self._decided: dict[str, ev.PermissionDecided] = {}
        self._answers: dict[str, str] = {}
        """By call: what the user said to it."""
        self._asked: dict[str, str] = {}
        """What open questions are about."""
        self._told: set[str] = set()
        """Ids of messages and calls that have their row: what is taken up again is published again."""

    def add(self, envelope: Envelope) -> Row | None:
        """The row of an envelope; None where it makes none."""
        event = envelope.event
        if isinstance(event, ev.AgentStarted):
            self._types[event.agent.id] = event.agent.agent_type
        step = self._step(event, is_main=envelope.agent_id == MAIN_AGENT)
        if step is None:
            return None
        self._count += 1
        agent = event.agent.id if isinstance(event, ev.AgentStarted | ev.AgentEnded) else envelope.agent_id
        return replace(
            step,
            sequence=self._count,
            time=iso_utc(envelope.ts),
            agent=agent,
            agent_type=self._types.get(agent, ""),
            subject=_line(step.subject),
            outcome=_line(step.outcome),
        )

    def _step(self, event: ev.Event, *, is_main: bool) -> Row | None:
        """What the event says; who and when is filled in afterwards."""
        match event:
            case ev.AgentStarted():
                return _row("start", subject=event.agent.description, outcome=event.agent.model)
            case ev.AgentEnded():
                agent = event.agent
                return _row("end", outcome=f"{agent.status}: {agent.ending}" if agent.ending else agent.status)
            case ev.TurnEnded() if is_main:
                return _row("end", outcome=f"{event.reason}: {event.detail}" if event.detail else event.reason)
            case ev.PromptSubmitted() if self._is_new(event.message_id):
                return _row("message", subject=event.text)
            case ev.TaskNotified() if self._is_new(f"{event.task.id} {event.task.status}"):
                return _row("message", subject=f"{event.task.id} {event.task.status}: {event.task.description}")
            case ev.RequestStarted() | ev.RequestFinished() | ev.RequestFailed():
                return self._request(event)
            case ev.ToolStarted():
                self._calls[event.tool_use_id] = event
                return None
            case ev.ToolFinished() if self._is_new(event.tool_use_id):
                return self._call(event)
            case ev.PermissionDecided() | ev.PermissionResolved():
                return self._permission(event)
            case ev.QuestionAsked():
                self._asked[event.request.id] = "; ".join(question.question for question in event.request.questions)
                return None
            case ev.QuestionResolved():
                return _row("question", subject=self._asked.pop(event.request_id, ""), outcome=event.outcome)
            case _:
                return None

    def _is_new(self, key: str) -> bool:
        is_new = key not in self._told
        self._told.add(key)
        return is_new

    def _request(self, event: ev.RequestStarted | ev.RequestFinished | ev.RequestFailed) -> Row | None:
        if isinstance(event, ev.RequestStarted):
            self._models[event.request_id] = event.model
            return None
        model = self._models.pop(event.request_id, "")
        if isinstance(event, ev.RequestFailed):
            return _row("request", subject=model, outcome=f"failed: {event.reason}")
        usage = event.usage
        return replace(
            _row("request", subject=model, outcome=event.stop_reason, duration_ms=event.duration_ms),
            tokens_in=usage.prompt_tokens - usage.cache_read_tokens,
            tokens_out=usage.output_tokens,
            tokens_cached=usage.cache_read_tokens,
            cost_usd=event.cost_usd,
        )

    def _permission(self, event: ev.PermissionDecided | ev.PermissionResolved) -> Row:
        if isinstance(event, ev.PermissionDecided):
            self._decided[event.tool_use_id] = event
            row = _row("permission", decision=event.behavior, rule=_ruled(event), outcome=event.reason)
        else:
            self._answers[event.tool_use_id] = event.answer or "withdrawn"
            row = _row("permission", decision=event.answer or "withdrawn", outcome=event.comment)
        decided = self._decided.get(event.tool_use_id)
        call = self._calls.get(event.tool_use_id)
        tool = decided.tool_name if decided else call.name if call else ""
        return replace(row, tool=tool, subject=decided.subject if decided else "")

    def _call(self, event: ev.ToolFinished) -> Row:
        decided, call = self._decided.pop(event.tool_use_id, None), self._calls.pop(event.tool_use_id, None)
        answer = self._answers.pop(event.tool_use_id, "")
        decision = decided.behavior if decided else ""
        subject = decided.subject if decided else ""
        if not subject and call is not None:
            subject = json.dumps(call.input, ensure_ascii=False) if call.input else ""
        summary = event.display.summary
        return _row(
            "tool",
            tool=event.name,
            subject=subject,
            decision=f"{decision}: {answer}" if answer else decision,
            rule=_ruled(decided) if decided else "",
            outcome=("error" if event.is_error else "ok") + (f": {summary}" if summary else ""),
            duration_ms=event.duration_ms,
        )


def _row(action: Action, **values: Any) -> Row:
    return Row(sequence=0, time="", agent="", agent_type="", action=action, **values)


def _ruled(event: ev.PermissionDecided) -> str:
    return f"{event.rule} ({event.source})" if event.rule and event.source else event.rule


def _line(text: str) -> str:
    """On one line, and not too long."""
    joined = " ".join(text.split())
    return joined if len(joined) <= MAX_SUBJECT_CHARS else f"{joined[:MAX_SUBJECT_CHARS]}…"


KINDS = frozenset(
    "agent_started agent_ended turn_ended prompt_submitted task_notified request_started request_finished "
    "request_failed tool_started tool_finished permission_decided permission_resolved question_asked "
    "question_resolved".split()
)
"""Of the events that a trail is made of. Most lines of a log are others, and need not be understood."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an event log tells."""

    rows: tuple[Row, ...]
    damaged: int = 0
    """Lines that could not be read."""

    def of(self, agent_id: str) -> Audit:
        """The rows of one agent; of all where the id is empty. Raises ``AgentError`` where there is none of that id."""
        known = dict.fromkeys(row.agent for row in self.rows)
        if agent_id and agent_id not in known:
            raise AgentError(f"There is no agent {agent_id} in this session.", f"There are: {', '.join(known)}.")
        return Audit(tuple(row for row in self.rows if agent_id in ("", row.agent)), self.damaged)


def read_audit(log: Path) -> Audit:
    """The trail of a session's event log. Raises ``AgentError`` where it cannot be read."""
    trail, damaged = Trail(), 0
    rows: list[Row] = []
    try:
        with log.open("rb") as stream:
            for line in stream:
                try:
                    envelope = _envelope(line)
                except (ValueError, RecursionError):
                    damaged += 1
                    continue
                row = trail.add(envelope) if envelope is not None else None
                if row is not None:
                    rows.append(row)
    except FileNotFoundError as error:
        raise AgentError("This session has no event log.", f"It would be {log}.") from error
    except OSError as error:
        raise AgentError(f"{log} cannot be read: {error.strerror}.") from error
    return Audit(tuple(rows), damaged)


def _envelope(line: bytes) -> Envelope | None:
    """The envelope of a line; None for one that no trail is made of. Raises ``ValueError`` for one that is damaged."""
    if not line.strip():
        return None
    data = json.loads(line)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    found = cast("dict[str, Any]", data)
    if found.get("kind") == "header":
        return None
    event = found.get("event")
    kind = cast("dict[str, Any]", event).get("kind") if isinstance(event, dict) else None
    if not isinstance(kind, str):
        raise ValueError("not an envelope")
    return envelope_from_json(found) if kind in KINDS else None


def as_jsonl(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line."""
    for row in rows:
        yield json.dumps(asdict(row), ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """With a line of column names. What a spreadsheet would take for a formula has an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for cells in chain((COLUMNS,), (astuple(row) for row in rows)):
        writer.writerow([_unformulated(cell) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _unformulated(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def export_audit(log: Path, target: Path, agent_id: str = "") -> int:
    """Write the trail of an agent, or of all, as JSON lines; how many. Blocking. Raises ``AgentError``.

    What the recorder has not written yet is not in it: flush it before.
    """
    rows = read_audit(log).of(agent_id).rows
    try:
        write_atomic(target, "".join(as_jsonl(rows)).encode("utf-8", "surrogatepass"), 0o600)
    except OSError as error:
        raise AgentError(f"{target} cannot be written: {error.strerror}.") from error
    return len(rows)

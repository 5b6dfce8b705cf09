"""The audit trail: folded from events, read from a real log, written as JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.audit import COLUMNS, KINDS, Row, Trail, as_csv, as_jsonl, export_audit, read_audit
from core.bus.bus import Author, Bus, Publisher
from core.bus.recorder import Recorder
from core.host.clock import iso_utc
from core.host.files import LineLog
from core.programs.audit import main
from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.envelope import Envelope
from core.protocol.errors import AgentError
from core.protocol.inquiries import QuestionRequest, UserQuestion
from core.protocol.usage import Usage
from core.protocol.views import PermissionRequest, TaskInfo, ToolDisplay
from core.settings.paths import find_paths
from tests.fakes.clock import START, FakeClock

AGENT = "a04bf57"
INFO = AgentInfo(id=AGENT, agent_type="Explore", description="Find the callers", model="claude-haiku-5-5")
USAGE = Usage(input_tokens=100, cache_write_5m_tokens=20, cache_read_tokens=900, output_tokens=30)
TOUCH = "touch 'a b'\necho \x1b[31m"


def request(request_id: str, model: str) -> tuple[ev.Event, ev.Event]:
    finished = ev.RequestFinished(
        request_id=request_id, stop_reason="tool_use", usage=USAGE, cost_usd=0.25, duration_ms=700, first_token_ms=90
    )
    return ev.RequestStarted(request_id=request_id, model=model, query_source="main"), finished


def asked_call(call_id: str) -> Iterable[ev.Event]:
    given = {"command": TOUCH}
    asked = PermissionRequest(id="p1", tool_use_id=call_id, tool_name="Bash", input=given, reason="it may")
    yield ev.ToolStarted(tool_use_id=call_id, name="Bash", input=given)
    yield ev.PermissionDecided(
        tool_use_id=call_id, behavior="ask", reason="it may", tool_name="Bash", subject=TOUCH, rule="Bash", source="f:3"
    )
    yield ev.PermissionRequested(request=asked)
    yield ev.PermissionResolved(request_id="p1", tool_use_id=call_id, answer="session", comment="fine")
    yield ev.ToolFinished(
        tool_use_id=call_id,
        name="Bash",
        content="…",
        duration_ms=40,
        display=ToolDisplay(summary="exit 1"),
        is_error=True,
    )


def session(bus: Bus) -> None:
    """A prompt, an agent that makes a call, and its end."""
    main_agent = Publisher(bus).for_turn("t1")
    agent = main_agent.for_agent(Author(AGENT, "toolu_1", INFO.label))
    main_agent.emit(ev.PromptSubmitted(message_id="m1", text="Who calls it?"))
    for event in request("r1", "claude-opus-5-5"):
        main_agent.emit(event)
    agent.emit(ev.AgentStarted(agent=INFO))
    agent.emit(ev.PromptSubmitted(message_id="m2", text="Find all callers of\nf"))
    for event in (*request("r2", "claude-haiku-5-5"), ev.BlockDelta(block_id="b", text="x"), *asked_call("c1")):
        agent.emit(event)
    agent.emit(ev.ToolStarted(tool_use_id="c2", name="TodoWrite", input={"todos": []}))
    agent.emit(ev.ToolFinished(tool_use_id="c2", name="TodoWrite", content="ok"))
    question = UserQuestion(question="Shall it go on?", header="Agent", options=())
    agent.emit(ev.QuestionAsked(request=QuestionRequest(id="q1", tool_use_id="", questions=(question,))))
    agent.emit(ev.QuestionResolved(request_id="q1", tool_use_id="", outcome="answered"))
    agent.emit(ev.RequestFailed(request_id="r3", reason="overloaded", attempt=1))
    agent.emit(
        ev.AgentEnded(agent=AgentInfo(id=AGENT, agent_type="Explore", description="", status="killed", ending="slow"))
    )
    main_agent.emit(ev.TaskNotified(task=TaskInfo(id=AGENT, description="Find", status="killed"), text="x"))
    main_agent.emit(ev.TurnEnded(reason="completed"))


EXPECTED = [
    ("main", "main", "message", "", "Who calls it?", "", ""),
    ("main", "main", "request", "", "claude-opus-5-5", "", "tool_use"),
    (AGENT, "Explore", "start", "", "Find the callers", "", "claude-haiku-5-5"),
    (AGENT, "Explore", "message", "", "Find all callers of f", "", ""),
    (AGENT, "Explore", "request", "", "claude-haiku-5-5", "", "tool_use"),
    (AGENT, "Explore", "permission", "Bash", "touch 'a b' echo \x1b[31m", "ask", "it may"),
    (AGENT, "Explore", "permission", "Bash", "touch 'a b' echo \x1b[31m", "session", "fine"),
    (AGENT, "Explore", "tool", "Bash", "touch 'a b' echo \x1b[31m", "ask: session", "error: exit 1"),
    (AGENT, "Explore", "tool", "TodoWrite", '{"todos": []}', "", "ok"),
    (AGENT, "Explore", "question", "", "Shall it go on?", "", "answered"),
    (AGENT, "Explore", "request", "", "", "", "failed: overloaded"),
    (AGENT, "Explore", "end", "", "", "", "killed: slow"),
    ("main", "main", "message", "", f"{AGENT} killed: Find", "", ""),
    ("main", "main", "end", "", "", "", "completed"),
]


def told(row: Row) -> tuple[str, ...]:
    return (row.agent, row.agent_type, row.action, row.tool, row.subject, row.decision, row.outcome)


@pytest.fixture
def log(tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The event log of a session of this folder, written by the real recorder."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    folder = find_paths(os.environ).project(work)
    (folder / "5e55").mkdir(parents=True)
    (folder / "5e55.jsonl").touch()
    bus = Bus("5e55", FakeClock())
    recorder = Recorder(bus, LineLog(folder / "5e55" / "events.jsonl"))
    session(bus)
    recorder.close()
    return folder / "5e55" / "events.jsonl"


def test_every_step_is_a_row_with_who_what_and_how_it_ended(log: Path) -> None:
    rows = read_audit(log).rows
    assert [told(row) for row in rows] == EXPECTED
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].time == iso_utc(START)
    request = rows[4]
    assert (request.tokens_in, request.tokens_out, request.tokens_cached) == (120, 30, 900)
    assert (request.cost_usd, request.duration_ms) == (0.25, 700)
    assert rows[7].rule == "Bash (f:3)" and rows[7].duration_ms == 40
    assert sum(row.tokens_cached for row in rows) == 1_800


def test_of_one_agent_the_numbers_stay(log: Path) -> None:
    audit = read_audit(log)
    assert [row.sequence for row in audit.of(AGENT).rows] == list(range(3, 13))
    assert len(audit.of("main").rows) + len(audit.of(AGENT).rows) == len(audit.of("").rows)
    with pytest.raises(AgentError, match=r"no agent a000000.*\n?.*main, a04bf57"):
        audit.of("a000000")


def test_what_is_damaged_is_counted_and_the_rest_is_there(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    bad = [
        b"{\n",
        b"[]\n",
        b'"x"\n',
        b'{"seq": 1}\n',
        b'{"event": {"kind": "tool_finished"}}\n',
        b"\xff\xfe\n",
        b"[" * 99_999,
    ]
    newer = b'{"seq":1,"ts":1.0,"session_id":"s","event":{"kind":"of_tomorrow"}}\n'
    log.write_bytes(b"".join([*lines[:5], *bad, b"\n", newer, *lines[5:], lines[-1][:40]]))
    audit = read_audit(log)
    # The line that was never ended swallows the one behind it.
    assert audit.damaged == len(bad) + 1
    assert [told(row) for row in audit.rows] == EXPECTED


def test_what_is_taken_up_again_is_not_told_twice(log: Path) -> None:
    """A resumed session, and an agent that is recalled, publish once more what they said before."""
    lines = log.read_bytes().splitlines(keepends=True)
    again = [line for line in lines if b'"kind":"prompt_' in line or b'"kind":"tool_' in line]
    log.write_bytes(b"".join([*lines, *again]))
    assert [told(row) for row in read_audit(log).rows] == EXPECTED


def test_the_program_prints_json_lines_or_csv(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == len(EXPECTED) and tuple(rows[0]) == COLUMNS
    assert main(["5e", "--agent", AGENT, "--format", "csv"]) == 0
    out = capsys.readouterr().out
    table = list(csv.DictReader(io.StringIO(out)))
    assert [row["sequence"] for row in table] == [str(number) for number in range(3, 13)]
    assert "\x1b" not in out and "⟨U+001B⟩[31m" in table[3]["subject"]


def test_what_is_wrong_is_told(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_bytes(log.read_bytes() + b"{torn")
    assert main([]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == len(EXPECTED)
    assert captured.err == "agent-tui: 1 damaged line is left out of the event log.\n"
    assert main(["--agent", "nobody"]) == 2
    assert "There is no agent nobody in this session." in capsys.readouterr().err
    assert main(["ffff"]) == 2
    assert "There is no session ffff." in capsys.readouterr().err
    log.unlink()
    assert main([]) == 2
    assert "This session has no event log." in capsys.readouterr().err


def test_it_is_exported_beside_the_transcript(log: Path) -> None:
    target = log.with_name(f"audit-{AGENT}.jsonl")
    assert export_audit(log, target, AGENT) == 10
    assert [json.loads(line)["agent"] for line in target.read_text("utf-8").splitlines()] == [AGENT] * 10
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AgentError, match="no agent"):
        export_audit(log, target, "nobody")
    assert len(target.read_text("utf-8").splitlines()) == 10
    with pytest.raises(AgentError, match="cannot be written"):
        export_audit(log, log / "below" / "a file")
    with pytest.raises(AgentError, match="cannot be read"):
        export_audit(log.parent, target)


texts = st.text(max_size=12) | st.sampled_from(["=1+1", "+x", "-2", "@SUM(A1)", "\t=x", 'a"b,c\nd', "'x", "\ud800"])


@given(st.lists(st.tuples(texts, texts), max_size=4))
def test_law_csv_comes_back_as_it_was_and_calculates_nothing(pairs: list[tuple[str, str]]) -> None:
    rows = [
        Row(sequence=n, time="t", agent="main", agent_type="main", action="tool", subject=subject, outcome=outcome)
        for n, (subject, outcome) in enumerate(pairs)
    ]
    table = list(csv.DictReader(io.StringIO("".join(as_csv(rows)), newline="")))
    assert len(table) == len(rows)
    for row, read in zip(rows, table, strict=True):
        for name in ("subject", "outcome"):
            written, text = read[name], getattr(row, name)
            assert written in (text, f"'{text}") and not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert [json.loads(line)["subject"] for line in as_jsonl(rows)] == [row.subject for row in rows]


def test_every_kind_that_is_looked_at_exists_and_no_other_makes_a_row() -> None:
    kinds: dict[str, Any] = {cls.__dataclass_fields__["kind"].default: cls for cls in ev.Event.__args__}
    assert set(kinds) >= KINDS
    delta = Envelope(seq=1, ts=0.0, session_id="s", event=ev.BlockDelta(block_id="b", text="x"))
    assert Trail().add(delta) is None

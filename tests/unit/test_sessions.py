"""The transcript on disk: written as things happen, read back whatever happened to the file."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bus.bus import Bus, Publisher
from core.bus.subscription import Subscription
from core.host.files import LineLog
from core.host.host import Host
from core.protocol.errors import AgentError
from core.protocol.events import Notice
from core.protocol.messages import Message, OtherBlock, TextBlock, ThinkingBlock, ToolResultBlock, ToolUseBlock
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt, ToolDisplay
from core.sessions.conversation import Conversation
from core.sessions.entries import CallRecord, RecordBase
from core.sessions.load import LoadedSession, find_transcript, load_session
from core.sessions.writer import TranscriptWriter
from core.settings.paths import PROMPT_HISTORY
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds


class FullDisk(LineLog):
    """A log that fails as long as ``is_full``."""

    is_full = False

    def flush(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().flush()


class Notes:
    """A conversation on a transcript."""

    def __init__(self, path: Path, last_uuid: str | None = None) -> None:
        self.path = path
        self.log = FullDisk(path)
        host = Host(clock=FakeClock(), ids=CountingIds())
        bus = Bus("s", host.clock)
        self.events: Subscription = bus.subscribe()
        base = RecordBase(session_id="s", cwd="/w", version="1", git_branch="main")
        self.writer = TranscriptWriter(self.log, base, host, Publisher(bus), last_uuid=last_uuid)
        self.talk = Conversation(self.writer)

    def notices(self) -> list[Notice]:
        return [item.event for item in self.events.take() if isinstance(item.event, Notice)]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def loaded(self) -> LoadedSession:
        return load_session(self.path)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "projects" / "w" / "s.jsonl")


def say(number: int, text: str = "hello") -> Message:
    return Message(id=f"u{number}", role="user", content=(TextBlock(text=text),))


def call(number: int) -> ToolUseBlock:
    return ToolUseBlock(id=f"t{number}", name="Read", input={"file_path": "a"})


def result(number: int, *, is_error: bool = False) -> ToolResultBlock:
    return ToolResultBlock(tool_use_id=f"t{number}", content=f"r{number}", is_error=is_error)


# Writing


def test_the_first_line_says_the_version_and_records_form_a_chain(notes: Notes) -> None:
    for number in range(3):
        notes.talk.append(say(number))
    notes.talk.close()
    header, *records = notes.records()
    assert header == {"type": "header", "transcriptVersion": 1}
    assert [record["parentUuid"] for record in records] == [None, "u0", "u1"]
    assert {record["sessionId"] for record in records} == {"s"}
    assert records[0]["timestamp"].endswith("Z")
    assert (notes.path.stat().st_mode & 0o777, notes.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_on_disk_before_something_happened(notes: Notes) -> None:
    notes.talk.close()
    assert not notes.path.exists()


def test_a_second_program_is_kept_out(notes: Notes) -> None:
    notes.talk.append(say(1))
    with pytest.raises(AgentError, match="open in another"):
        Notes(notes.path, last_uuid="u1").writer.lock()
    notes.talk.close()
    again = Notes(notes.path, last_uuid="u1")
    again.writer.lock()
    again.talk.append(say(2))
    again.talk.close()
    assert notes.records()[-1]["parentUuid"] == "u1"
    assert [record["type"] for record in notes.records()] == ["header", "user", "user"]


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_full_disk_is_told_once_and_nothing_is_lost(tmp_path: Path, fulls: list[bool]) -> None:
    path = tmp_path / "s.jsonl"
    path.unlink(missing_ok=True)
    notes = Notes(path)
    expected: list[str] = []
    was_full = False
    for number, is_full in enumerate(fulls):
        notes.log.is_full = is_full
        notes.talk.append(say(number, f"message {number}"))
        if is_full and not was_full:
            expected.append("error")
        if was_full and not is_full:
            expected.append("info")
        was_full = is_full
    assert [notice.level for notice in notes.notices()] == expected
    notes.log.is_full = False
    notes.talk.close()
    assert [message.text for message in notes.loaded().messages] == [f"message {n}" for n in range(len(fulls))]
    assert notes.loaded().bad_lines == 0


def test_a_folder_that_cannot_be_made_is_told_and_the_talk_goes_on(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("in the way")
    notes = Notes(tmp_path / "x" / "s.jsonl")
    notes.talk.append(say(1))
    notes.talk.append(say(2))
    notes.talk.close()
    assert len(notes.notices()) == 1
    assert len(notes.talk.messages) == 2


# Reading back


def test_a_whole_turn_comes_back(notes: Notes) -> None:
    """Blocks as they came, results between them, in the order in which they were asked for."""
    thinking = ThinkingBlock(thinking="hm", signature="sig", extra={"x": 1})
    other = OtherBlock(data={"type": "redacted_thinking", "data": "?"})
    notes.talk.append(say(1))
    notes.talk.record_block("m1", thinking, "model")
    notes.talk.record_block("m1", other, "model")
    notes.talk.record_block("m1", call(1), "model")
    notes.talk.record_block("m1", call(2), "model")
    notes.talk.record_result(result(2), CallRecord(display=ToolDisplay(summary="two"), duration_ms=7, batch=1))
    notes.talk.record_block("m1", call(3), "model")
    notes.talk.record_result(result(3, is_error=True), CallRecord())
    notes.talk.record_usage("m1", "model", Usage(input_tokens=5), "tool_use")
    notes.talk.record_result(result(1), CallRecord())
    notes.talk.record_block("m2", TextBlock(text="done"), "model")
    notes.talk.record_usage("m2", "model", Usage(output_tokens=6), "end_turn")
    notes.talk.append(say(2, "thanks"))
    notes.talk.close()
    loaded = notes.loaded()
    user, asked, results, done, thanks = loaded.messages
    assert (user.text, thanks.text) == ("hello", "thanks")
    assert asked.content == (thinking, other, call(1), call(2), call(3))
    assert (asked.id, asked.role, asked.model, asked.stop_reason) == ("m1", "assistant", "model", "tool_use")
    assert results.content == (result(1), result(2), result(3, is_error=True))
    assert (done.text, done.stop_reason) == ("done", "end_turn")
    assert [request.usage for request in loaded.requests] == [Usage(input_tokens=5), Usage(output_tokens=6)]
    assert loaded.calls["t2"] == CallRecord(display=ToolDisplay(summary="two"), duration_ms=7, batch=1)
    assert loaded.bad_lines == 0


def test_what_is_ours_comes_back(notes: Notes) -> None:
    system = SystemPrompt(static="a", session="b")
    invalid = replace(call(1), input={}, invalid="cut off")
    notes.talk.record_system(system, "digest", {"Rare": "1a2b"})
    notes.talk.append(replace(say(1), is_meta=True))
    notes.talk.record_block("m1", invalid, "model")
    notes.talk.close()
    loaded = notes.loaded()
    assert (loaded.system, loaded.tools_digest) == (system, "digest")
    assert loaded.deferred_tools == {"Rare": "1a2b"}
    assert loaded.messages[0].is_meta
    assert loaded.messages[1].content == (invalid,)


@pytest.mark.parametrize("text", ["\ud800", "a\u2028b\x85c\x1cd", "\0", "😀", "\\u0041", "\r\n"])
def test_any_text_comes_back(notes: Notes, text: str) -> None:
    notes.talk.append(say(1, text))
    notes.talk.append(say(2))
    notes.talk.close()
    assert [message.text for message in notes.loaded().messages] == [text, "hello"]


BAD = [
    b"", b"{", b"null", b"5", b'"x"', b"[]", b"\xff\xfe", b"{}x", b'{"type":"user","message":{}}',
    b'{"type":"user","uuid":"x","message":{"role":"user","content":5}}',
    b'{"type":"user","uuid":"x","message":{"role":"user","content":["x"]}}',
    b'{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"no id"}]}}',
    b'{"type":"system","subtype":"usage","model":"m","usage":5}',
    b'{"type":"system","subtype":"usage"}',
    b'{"type":"system","subtype":"prompt","prompt":"x"}',
    b'{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t9","content":"x"}]}}',
    b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("line", BAD, ids=lambda line: repr(line[:60]))
def test_a_bad_line_is_counted_and_costs_nothing_else(notes: Notes, line: bytes) -> None:
    notes.talk.append(say(1))
    notes.talk.close()
    with notes.path.open("ab") as stream:
        stream.write(line + b"\n")
    again = Notes(notes.path, last_uuid="u1")
    again.talk.append(say(2))
    again.talk.close()
    loaded = notes.loaded()
    assert [message.text for message in loaded.messages] == ["hello", "hello"]
    assert loaded.bad_lines == 1


@pytest.mark.parametrize("line", [b'{"type":"future","x":1}', b'{"type":"summary","leafUuid":"x"}', b"{}"])
def test_a_record_of_another_kind_is_passed_over(notes: Notes, line: bytes) -> None:
    notes.talk.append(say(1))
    notes.talk.close()
    with notes.path.open("ab") as stream:
        stream.write(line + b"\n")
    assert len(notes.loaded().messages) == 1
    assert notes.loaded().bad_lines == 0


def test_a_kill_at_any_byte_costs_at_most_the_record_being_written(notes: Notes) -> None:
    texts = ["one", "two €", "three"]
    for number, text in enumerate(texts):
        notes.talk.append(say(number, text))
    notes.talk.close()
    data = notes.path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    for cut in range(len(data)):
        notes.path.write_bytes(data[:cut])
        whole = sum(end <= cut + 1 for end in ends[1:])
        loaded = notes.loaded()
        assert [message.text for message in loaded.messages] == texts[:whole], cut
        again = Notes(notes.path, last_uuid=loaded.last_uuid or "x")
        again.talk.append(say(9, "next"))
        again.talk.close()
        assert notes.loaded().messages[-1].text == "next", cut
        assert len(notes.loaded().messages) == whole + 1


def test_results_without_their_call_stay_results(notes: Notes) -> None:
    notes.talk.append(say(1))
    notes.talk.record_result(result(1), CallRecord())
    notes.talk.record_block("m2", TextBlock(text="x"), "model")
    notes.talk.close()
    assert [message.role for message in notes.loaded().messages] == ["user", "user", "assistant"]


def test_text_in_place_of_blocks_is_understood(notes: Notes) -> None:
    notes.path.parent.mkdir(parents=True)
    notes.path.write_text('{"type":"user","uuid":"x","message":{"role":"user","content":"plain"}}\n')
    assert notes.loaded().messages[0].text == "plain"


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="cannot be read: No such file"):
        load_session(tmp_path / "s.jsonl")


# Finding


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    for number, name in enumerate(("w/aaaa-1", "w/aabb-2", "v/aacc-3")):
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        os.utime(path, (number, number))
        (path.with_suffix("")).mkdir()
        (path.with_suffix("") / "events.jsonl").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "name"), [(None, "aabb-2"), ("aab", "aabb-2"), ("aacc-3", "aacc-3"), ("aacc", "aacc-3")]
)
def test_a_session_is_found(projects: Path, wanted: str | None, name: str) -> None:
    assert find_transcript(projects, projects / "w", wanted).stem == name


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("aa", "fits 3 sessions"),
        ("zz", "no session zz"),
        ("*", "not a session id"),
        ("", "not a session id"),
        ("../w/aaaa", "not a session id"),
        ("[a]", "not a session id"),
        ("-", "not a session id"),
    ],
)
def test_what_is_not_found_is_said(projects: Path, wanted: str, said: str) -> None:
    with pytest.raises(AgentError, match=said.replace("*", r"\*")):
        find_transcript(projects, projects / "w", wanted)
    with pytest.raises(AgentError, match="no earlier session"):
        find_transcript(projects, projects / "nowhere", None)


def test_the_prompts_of_a_project_are_no_session(projects: Path) -> None:
    """They stand beside the transcripts, and the newest of them may be newer than any."""
    history = projects / "w" / PROMPT_HISTORY
    history.write_text('"a prompt"\n')
    assert find_transcript(projects, projects / "w", None).stem == "aabb-2"
    with pytest.raises(AgentError, match="no session hist"):
        find_transcript(projects, projects / "w", "hist")


def test_a_whole_id_is_never_ambiguous(projects: Path) -> None:
    (projects / "w" / "aaaa-12.jsonl").write_text("")
    assert find_transcript(projects, projects / "w", "aaaa-1").stem == "aaaa-1"

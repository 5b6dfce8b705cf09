"""Changes of history: whatever happens in whatever order, thoughts stand where they were written, and what is read
back is what was held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.context.breaker import MAX_FAILURES, Breaker
from core.context.microcompact import KEPT_RESULTS, MARKER, marker, pressing_results, saving, stale_results
from core.context.revision import clearing, compacting, shortened, undoing
from core.context.session_memory import MAX_TAIL_TOKENS, MIN_TAIL_TEXTS, MIN_TAIL_TOKENS, Note, Notes, tail_start
from core.context.tokens import estimate
from core.protocol.context_events import CompactionFinished, CompactionUndone, ResultsCleared
from core.protocol.messages import Block, Message, TextBlock, ThinkingBlock, ToolResultBlock, ToolUseBlock, is_thinking
from core.protocol.usage import Usage
from core.query.normalize import Accepted, normalize
from core.query.said import MAX_MESSAGE_CHARS, as_file, quoted
from core.sessions.entries import CallRecord
from tests.unit.test_sessions import Notes as Transcript

BOUND, UNBOUND = "claude-opus-5-5", "claude-haiku-4-5"
CLEARED = ResultsCleared(tool_use_ids=(), paths=(), saved_tokens=5, reason="cold")
FINISHED = CompactionFinished(compaction_id="c", trigger="auto", method="full", before=9, after=1, summary="S")
UNDONE = CompactionUndone(before=1, after=9)

Prefix = tuple[Any, ...]


def prefix(messages: tuple[Message, ...]) -> Prefix:
    return tuple((message.role, message.content) for message in messages)


class Play:
    """A conversation in which anything may happen, and where each thought was written."""

    def __init__(self, path: Path) -> None:
        self.transcript = Transcript(path)
        self.talk = self.transcript.talk
        self.written: dict[str, Prefix] = {}
        self.count = 0

    def do(self, action: str, number: int) -> None:
        self.count += 1
        getattr(self, action)(number)

    def prompt(self, number: int) -> None:
        self.talk.append(Message(id=f"u{self.count}", role="user", content=(TextBlock(text=f"Prompt {number}"),)))

    def news(self, number: int) -> None:
        text = (TextBlock(text=f"News {number}"),)
        self.talk.append(Message(id=f"s{self.count}", role="system", content=text, is_meta=True))

    def answer(self, number: int) -> None:
        model, message_id = (BOUND, UNBOUND)[number % 2], f"m{self.count}"
        thought: list[Block] = [ThinkingBlock(thinking=f"Hm {number}", signature="s")] if number % 3 else []
        calls = tuple(
            ToolUseBlock(id=f"t{self.count}_{at}", name="Read", input={"file_path": "a"}) for at in range(number % 4)
        )
        content = (*thought, TextBlock(text=f"Answer {number}"), *calls)
        for block in content:
            self.talk.record_block(message_id, block, model)
        self.talk.record_usage(message_id, model, Usage(input_tokens=100 + number), "end_turn")
        if thought and model == BOUND:
            self.written[message_id] = prefix(self.talk.messages)
        self.talk.append_recorded(
            Message(id=message_id, role="assistant", content=content, model=model, stop_reason="end_turn")
        )
        results = tuple(ToolResultBlock(tool_use_id=call.id, content="line\n" * 300) for call in calls)
        ids = [self.talk.record_result(block, CallRecord()) for block in results]
        if results:
            self.talk.append_recorded(Message(id=ids[0], role="user", content=results))

    def clear(self, number: int) -> None:
        results = stale_results(self.talk.messages)[: 1 + number % 3]
        texts = {result.call.id: marker(Path("/kept")) for result in results}
        self.talk.change(clearing(self.talk.messages, texts, (), CLEARED))

    def compact(self, number: int) -> None:
        head = (
            Message(id=f"h{self.count}", role="user", content=(TextBlock(text="S"),), is_meta=True, is_summary=True),
        )
        messages = self.talk.messages
        self.talk.change(compacting(messages, head, number % (len(messages) + 1), FINISHED))

    def undo(self, _number: int) -> None:
        if self.talk.can_undo:
            self.talk.change(undoing(self.talk.since_compaction, UNDONE))

    def withdraw(self, _number: int) -> None:
        if self.talk.messages and self.talk.messages[-1].id.startswith("u"):
            self.talk.withdraw((self.talk.messages[-1].id,))

    def drop_thinking(self, _number: int) -> None:
        self.talk.drop_thinking()


ACTIONS = ["prompt", "news", "answer", "answer", "answer", "clear", "compact", "undo", "withdraw", "drop_thinking"]


@example([("answer", 1), ("compact", 1), ("drop_thinking", 0)])
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 11)), max_size=25))
def test_thoughts_stand_where_they_were_written_and_all_is_read_back(
    tmp_path: Path, actions: list[tuple[str, int]]
) -> None:
    path = tmp_path / "s.jsonl"
    path.unlink(missing_ok=True)
    play = Play(path)
    for action, number in actions:
        play.do(action, number)
        for at, message in enumerate(play.talk.messages):
            if message.id in play.written and any(map(is_thinking, message.content)):
                assert prefix(play.talk.messages[:at]) == play.written[message.id]
    sent = normalize(play.talk.messages, Accepted(system=True))
    assert not sent or sent[0]["role"] == "user"
    play.talk.close()
    if path.exists():
        loaded = play.transcript.loaded()
        assert loaded.bad_lines == 0
        held = play.talk._held  # pyright: ignore[reportPrivateUsage]
        assert prefix(loaded.held.messages) == prefix(held.messages)
        assert (loaded.held.known_tokens, loaded.held.summary) == (held.known_tokens, held.summary)
        assert prefix(loaded.held.undoable or ()) == prefix(held.undoable or ())
        assert [message.text for message in loaded.said] == [message.text for message in play.talk.said]


def test_a_compaction_that_was_cut_off_on_disk_never_was(tmp_path: Path) -> None:
    play = Play(tmp_path / "s.jsonl")
    for number in range(3):
        play.do("prompt", number)
        play.do("answer", 4)
    before = prefix(play.talk.messages)
    size = play.transcript.path.stat().st_size
    play.do("compact", 0)
    play.talk.close()
    data = play.transcript.path.read_bytes()
    play.transcript.path.write_bytes(data[: size + (len(data) - size) // 2])
    assert prefix(play.transcript.loaded().held.messages) == before


# What is cleared


def reads(sizes: list[int], *, answered: bool = True, tool: str = "Read") -> tuple[Message, ...]:
    """A call and its result for each size in tokens, and an answer."""
    messages: list[Message] = [Message(id="u", role="user", content=(TextBlock(text="go"),))]
    for number, size in enumerate(sizes):
        call = ToolUseBlock(id=f"t{number}", name=tool)
        messages.append(Message(id=f"m{number}", role="assistant", content=(call,), model=BOUND))
        result = ToolResultBlock(tool_use_id=call.id, content="x" * round(size * 3.6))
        messages.append(Message(id=f"r{number}", role="user", content=(result,)))
    if answered:
        messages.append(Message(id="end", role="assistant", content=(TextBlock(text="done"),), model=BOUND))
    return tuple(messages)


def test_the_newest_results_stay() -> None:
    assert [result.call.id for result in stale_results(reads([1_000] * 8))] == ["t0", "t1", "t2"]
    assert stale_results(reads([1_000] * KEPT_RESULTS)) == []
    assert stale_results(reads([1_000] * 8, tool="LS")) == []
    assert [result.call.id for result in stale_results(reads([1_000, 10, 1_000] + [1_000] * 5))] == ["t0", "t2"]


def test_what_the_model_has_not_read_stays_under_any_pressure() -> None:
    assert pressing_results(reads([30_000], answered=False), 1_000_000) == []
    chosen = pressing_results(reads([30_000, 30_000], answered=False), 1_000_000)
    assert [result.call.id for result in chosen] == ["t0"]


@pytest.mark.parametrize(
    ("sizes", "threshold", "cleared"),
    [
        ([4_000] * 9, 167_000, 6),
        ([2_000] * 9, 167_000, 0),
        ([6_000] * 9, 167_000, 4),
        ([20_500] * 3, 167_000, 1),
        ([20_500] * 2, 167_000, 1),
        ([4_000] * 9, 27_000, 4),
        ([2_000] * 7, 27_000, 5),
    ],
)
def test_pressure_clears_where_it_is_worth_a_rewrite_of_the_cache(
    sizes: list[int], threshold: int, cleared: int
) -> None:
    chosen = pressing_results(reads(sizes), threshold)
    assert len(chosen) == cleared
    assert not chosen or saving(chosen) >= min(20_000, 0.3 * threshold)


def test_a_cleared_result_is_not_cleared_again() -> None:
    messages = reads([1_000] * 8)
    results = stale_results(messages)
    change = clearing(messages, {result.call.id: marker(Path("/x")) for result in results}, (), CLEARED)
    assert all(text.startswith(MARKER) for text in change.results.values())
    assert change.unthought == ()
    again = shortened(messages, 0)
    assert again == messages


# What stays behind notes


def talk(sizes: list[int]) -> tuple[Message, ...]:
    return tuple(
        Message(
            id=f"x{number}",
            role="user" if number % 2 == 0 else "assistant",
            content=(TextBlock(text="x" * round(size * 3.6)),),
        )
        for number, size in enumerate(sizes)
    )


@given(st.lists(st.integers(1, 15_000), min_size=2, max_size=40), st.data())
def test_the_tail_holds_all_that_the_notes_do_not_tell_of(sizes: list[int], data: st.DataObject) -> None:
    messages = talk(sizes)
    covered = data.draw(st.integers(0, len(messages) - 1))
    start = tail_start(messages, f"x{covered}")
    unnoted = sum(estimate(message) for message in messages[covered + 1 :])
    if start is None:
        tail = sum(estimate(message) for message in messages)
        few = tail < MIN_TAIL_TOKENS or len(messages) <= MIN_TAIL_TEXTS
        assert unnoted > MAX_TAIL_TOKENS or few or tail <= MAX_TAIL_TOKENS
        return
    tail = sum(estimate(message) for message in messages[start:])
    assert 0 < start <= covered + 1
    assert tail <= MAX_TAIL_TOKENS
    one_more = estimate(messages[start - 1])
    assert (tail >= MIN_TAIL_TOKENS and len(messages) - start >= MIN_TAIL_TEXTS) or tail + one_more > MAX_TAIL_TOKENS


@pytest.mark.parametrize(
    ("sizes", "covered", "start"),
    [
        ([1_000] * 60, 59, 50),
        ([4_000] * 20, 19, 15),
        ([1_000] * 60, 25, 26),
        ([1_000] * 60, 15, None),
    ],
)
def test_how_much_stays(sizes: list[int], covered: int, start: int | None) -> None:
    """At least five messages and 10,000 tokens, at most 40,000."""
    assert tail_start(talk(sizes), f"x{covered}") == start


@given(st.lists(st.integers(1, 6_000), min_size=3, max_size=20))
def test_no_result_is_parted_from_its_call(sizes: list[int]) -> None:
    messages = reads(sizes)
    for covered in messages:
        start = tail_start(messages, covered.id)
        if start is not None and start < len(messages):
            assert not any(isinstance(block, ToolResultBlock) for block in messages[start].content)


def test_notes_add_up_but_for_what_is_still_to_do() -> None:
    notes = Notes().with_lines((Note(kind="goal", text="a"), Note(kind="pending", text="b")), "1")
    notes = notes.with_lines(
        (Note(kind="goal", text="a"), Note(kind="file", text="c"), Note(kind="pending", text="d")), "2"
    )
    assert [line.text for line in notes.lines] == ["a", "c", "d"]
    assert notes.covered == "2"
    assert notes.text.index("## What the user wants") < notes.text.index("## Still to do")


# The user's words


@given(st.lists(st.text(min_size=1, max_size=400), min_size=1, max_size=30))
def test_messages_are_carried_on_word_for_word(texts: list[str]) -> None:
    said = tuple(Message(id=str(at), role="user", content=(TextBlock(text=text),)) for at, text in enumerate(texts))
    words = quoted(said, 200_000, "/kept")
    assert all(text in words for text in texts)
    assert all(text in as_file(said) for text in texts)


def test_what_is_too_long_is_in_the_file() -> None:
    long = "a" * 6_000 + "middle" + "b" * 6_000
    said = tuple(
        Message(id=str(at), role="user", content=(TextBlock(text=text),)) for at, text in enumerate([long, "short"])
    )
    words = quoted(said, 200_000, "/kept")
    assert "short" in words and "/kept" in words and "middle" not in words
    assert len(words) < MAX_MESSAGE_CHARS + 500
    few = quoted(tuple(said[1:] * 400), 1_000, "/kept")
    assert "Messages 1 to" in few and few.count("short") < 400
    assert len(few) < 1_000, "what stands around a message counts too"


def test_the_breaker() -> None:
    breaker = Breaker()
    for number in range(MAX_FAILURES):
        assert not breaker.is_open and breaker.failures == number
        breaker.failed()
    assert breaker.state == "open"
    breaker.succeeded()
    assert (breaker.state, breaker.failures) == ("closed", 0)

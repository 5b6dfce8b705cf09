"""Normalisation: any plausible conversation gives a request that the API accepts, and a longer one only adds."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.protocol.messages import (
    Block,
    Message,
    OtherBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from core.query.history import History
from core.query.normalize import MISSING_RESULT, Accepted, normalize
from tests.fakes.media import png
from tests.fakes.wire import BRAND_NEW, NEW, OLD, SMALL, flat, judge, sign

IDS = ("t1", "t2", "t3", "t4")
WORDS = st.sampled_from(["", " \n", "yes", "Größe", "two\nlines", "\ud800 lone"])
DATA = base64.b64encode(png()).decode()
IMAGE = OtherBlock(data={"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}})
NEWER = OtherBlock(data={"type": BRAND_NEW, "payload": {"kept": [1, None]}})


def thinking(words: str) -> ThinkingBlock:
    return ThinkingBlock(thinking=words, signature=sign(words))


REDACTED = OtherBlock(data={"type": "redacted_thinking", "data": sign("")})


texts = WORDS.map(lambda words: TextBlock(text=words))
calls = st.builds(
    ToolUseBlock,
    id=st.sampled_from(IDS),
    name=st.sampled_from(["Read", "Bash"]),
    input=st.sampled_from([{}, {"file_path": "a"}, {"text": "\udfff"}]),
    invalid=st.sampled_from(["", "the input is not complete JSON"]),
)
references = st.lists(st.sampled_from(["Rare", "Read", "Gone"]), min_size=1, max_size=3).map(
    lambda names: tuple({"type": "tool_reference", "tool_name": name} for name in names)
)
results = st.builds(
    ToolResultBlock,
    tool_use_id=st.sampled_from(IDS),
    content=st.one_of(WORDS, st.just(({"type": "text", "text": "part"},)), st.just((IMAGE.data,)), references),
    is_error=st.booleans(),
)
server_calls = st.sampled_from(IDS).map(
    lambda call: OtherBlock(
        data={"type": "server_tool_use", "id": f"srv_{call}", "name": "web_search", "input": {"query": "x"}}
    )
)
server_results = st.sampled_from(IDS).map(
    lambda call: OtherBlock(data={"type": "web_search_tool_result", "tool_use_id": f"srv_{call}", "content": []})
)
thoughts = st.sampled_from(["", "Hm.", "So."]).map(thinking)
BLOCKS: dict[Role, st.SearchStrategy[Block]] = {
    "user": st.one_of(texts, results, st.just(IMAGE)),
    "assistant": st.one_of(texts, calls, thoughts, st.just(REDACTED), st.just(NEWER), server_calls, server_results),
    "system": texts,
}
counter = itertools.count()


def message(role: Role, *blocks: Block, **more: Any) -> Message:
    return Message(id=f"m{next(counter)}", role=role, content=blocks, **more)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role: Role = draw(st.sampled_from(["user", "assistant", "system"]))
    blocks = draw(st.lists(BLOCKS[role], max_size=4))
    return message(role, *blocks, is_meta=draw(st.booleans()), ts=1.0, model="m", stop_reason="end_turn")


conversations = st.lists(messages(), max_size=10)


@pytest.mark.parametrize("model", [NEW, OLD, SMALL])
@given(conversations, st.booleans())
def test_any_conversation_gives_an_acceptable_request(model: str, before: list[Message], ends_with_news: bool) -> None:
    talk = [*before, message("user", TextBlock(text="go"))]
    if ends_with_news:
        talk.append(message("system", TextBlock(text="It is Monday.")))
    assert judge(talk, model) is None


@given(conversations)
def test_each_call_has_one_result_right_after_it_in_the_order_of_the_calls(talk: list[Message]) -> None:
    wire = normalize(talk, Accepted(system=True))
    seen: list[str] = []
    for number, item in enumerate(wire):
        asked = [block["id"] for block in item["content"] if block["type"] == "tool_use"]
        answered = [block["tool_use_id"] for block in item["content"] if block["type"] == "tool_result"]
        seen += asked
        if asked:
            after = wire[number + 1]
            leading = [block.get("tool_use_id") for block in after["content"][: len(asked)]]
            assert leading == asked
        if answered:
            before = wire[number - 1]
            assert answered == [block["id"] for block in before["content"] if block["type"] == "tool_use"]
    assert len(seen) == len(set(seen))
    wanted = {call.id for item in talk if item.role == "assistant" for call in item.tool_uses}
    assert set(seen) == wanted


@given(conversations)
def test_thinking_goes_out_byte_for_byte_and_in_order(talk: list[Message]) -> None:
    wire = normalize(talk, Accepted(system=True))
    sent = [block for item in wire for block in item["content"] if block["type"] == "thinking"]
    had = [
        {"type": "thinking", "thinking": block.thinking, "signature": block.signature}
        for item in talk
        if item.role == "assistant"
        for block in item.content
        if isinstance(block, ThinkingBlock)
    ]
    remaining = iter(had)
    assert all(block in remaining for block in sent), "kept blocks are a subsequence of what the model wrote"


@given(conversations)
def test_nothing_of_ours_leaves(talk: list[Message]) -> None:
    allowed = {
        "text": {"type", "text"},
        "thinking": {"type", "thinking", "signature"},
        "tool_use": {"type", "id", "name", "input"},
        "tool_result": {"type", "tool_use_id", "content", "is_error"},
    }
    for item in normalize(talk, Accepted(system=True)):
        assert set(item) == {"role", "content"}
        for block in item["content"]:
            assert set(block) <= allowed.get(block["type"], set(block))


@given(st.lists(st.tuples(st.sampled_from(["grow", "grow", "grow", "replace", "model"]), conversations), max_size=6))
def test_a_history_that_is_kept_gives_what_normalising_all_of_it_gives(
    changes: list[tuple[str, list[Message]]],
) -> None:
    history, talk, takes_system = History(), (), True
    for change, more in changes:
        takes_system = takes_system != (change == "model")
        talk = (*more,) if change == "replace" else (*talk, *more)
        for end in range(len(talk) - len(more), len(talk) + 1):
            sent = history.normalized(talk[:end], Accepted(system=takes_system))
            assert sent == normalize(talk[:end], Accepted(system=takes_system))


def test_only_what_is_new_is_made_anew() -> None:
    history, talk = History(), (message("user", TextBlock(text="hi")),)
    sent: list[dict[str, Any]] = []
    for number in range(20):
        call = ToolUseBlock(id=f"c{number}", name="Read")
        answer = ToolResultBlock(tool_use_id=call.id, content="ok")
        talk = (*talk, message("assistant", call), message("user", answer))
        now = history.normalized(talk, Accepted(system=True))
        assert all(new is old for new, old in zip(now, sent[:-2], strict=False))
        sent = now


def test_a_result_that_comes_after_the_next_answer_changes_nothing_that_was_sent() -> None:
    late = ToolResultBlock(tool_use_id="a", content="late")
    talk = [message("user", TextBlock(text="x")), message("assistant", ToolUseBlock(id="a", name="Read"))]
    talk += [message("user", TextBlock(text="well?")), message("assistant", TextBlock(text="So."))]
    sent = normalize(talk, Accepted(system=True))
    assert normalize([*talk, message("user", late, TextBlock(text="go"))], Accepted(system=True))[: len(sent)] == sent


def steps() -> st.SearchStrategy[list[list[Message]]]:
    """Whole steps, as the loop appends them: an answer with its results, or an answer and a new prompt."""

    @st.composite
    def step(draw: st.DrawFn, number: int) -> list[Message]:
        body: list[Block] = draw(st.lists(st.one_of(thoughts, st.just(TextBlock(text="well"))), max_size=3))
        ids = [f"s{number}_{index}" for index in range(draw(st.integers(0, 3)))]
        body = [*body, *(ToolUseBlock(id=call_id, name="Read") for call_id in ids)]
        if not ids:
            body.append(TextBlock(text="Done."))
        after = [ToolResultBlock(tool_use_id=call_id, content="ok") for call_id in ids]
        grown = [message("assistant", *body)]
        if after:
            grown.append(message("user", *after))
        if not after or draw(st.booleans()):
            grown.append(message("user", TextBlock(text=draw(st.sampled_from(["and?", "go on"])))))
        news = draw(st.integers(0, 2))
        return [*grown, *(message("system", TextBlock(text=f"news {number} {index}")) for index in range(news))]

    return st.integers(1, 5).flatmap(lambda count: st.tuples(*(step(number) for number in range(count))).map(list))


@pytest.mark.parametrize("model", [NEW, OLD])
@given(steps())
def test_a_conversation_that_grows_by_steps_only_adds_to_its_request(model: str, grown: list[list[Message]]) -> None:
    talk = [message("user", TextBlock(text="context"), is_meta=True), message("user", TextBlock(text="hi"))]
    sent = flat(normalize(talk, Accepted(system=model == NEW)))
    for step in grown:
        talk += step
        assert judge(talk, model) is None
        now = flat(normalize(talk, Accepted(system=model == NEW)))
        assert now[: len(sent)] == sent
        sent = now


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    wire = normalize(
        [message("user", TextBlock(text="x")), message("assistant", ToolUseBlock(id="a", name="Read"))],
        Accepted(system=True),
    )
    (result,) = wire[-1]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "a", "content": MISSING_RESULT, "is_error": True}


def test_news_for_an_older_model_is_marked_as_a_reminder_of_the_program() -> None:
    talk = [message("user", TextBlock(text="hi")), message("system", TextBlock(text="It is Monday."))]
    (wire,) = normalize(talk, Accepted(system=False))
    assert wire["role"] == "user"
    assert wire["content"][1]["text"] == "<system-reminder>\nIt is Monday.\n</system-reminder>"


def test_unknown_blocks_go_back_untouched() -> None:
    talk = [message("user", TextBlock(text="hi")), message("assistant", NEWER, TextBlock(text="so"))]
    assert normalize(talk, Accepted(system=True))[1]["content"][0] == NEWER.data


def test_normalising_changes_nothing_in_the_messages() -> None:
    talk = (message("user", TextBlock(text="a")), message("user", TextBlock(text="b")))
    before = repr(talk)
    normalize(talk, Accepted(system=True))
    assert repr(talk) == before


def found(*names: str) -> Message:
    """The result of a search that found these tools."""
    content = tuple({"type": "tool_reference", "tool_name": name} for name in names)
    return message("user", ToolResultBlock(tool_use_id="a", content=content))


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        (found("Rare"), ["Rare"]),
        (found("Rare", "Gone", "Rare"), ["Rare", "Rare"]),
        (found("Gone", "Read"), "Found: Gone, Read."),
    ],
)
def test_a_reference_to_a_tool_that_is_not_deferred_here_becomes_words(result: Message, sent: object) -> None:
    asked = message("assistant", ToolUseBlock(id="a", name="ToolSearch"))
    wire = normalize(
        [message("user", TextBlock(text="x")), asked, result], Accepted(system=True, references=frozenset({"Rare"}))
    )
    content = wire[2]["content"][0]["content"]
    assert (content if isinstance(content, str) else [block["tool_name"] for block in content]) == sent


def server_call(call_id: str) -> OtherBlock:
    return OtherBlock(data={"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {}})


def server_result(call_id: str) -> OtherBlock:
    return OtherBlock(data={"type": "web_search_tool_result", "tool_use_id": call_id, "content": []})


def test_a_server_call_that_broke_off_is_left_out_and_one_with_its_result_stays() -> None:
    """What an interrupt leaves of a search must not make every later request invalid."""
    whole = [server_call("a"), server_result("a"), TextBlock(text="Found."), server_call("b")]
    talk = [
        message("user", TextBlock(text="hi")),
        message("assistant", *whole),
        message("user", TextBlock(text="go on")),
        message("assistant", thinking("Hm."), server_call("c")),
        message("user", TextBlock(text="and?")),
    ]
    assert judge(talk) is None
    sent = normalize(talk, Accepted(system=True))
    assert [block.get("id") or block.get("text") for block in sent[1]["content"]] == ["a", None, "Found."]
    assert [block["text"] for block in sent[2]["content"]] == ["go on", "and?"], "nothing is left of the second answer"


def test_a_paused_search_goes_back_as_it_came() -> None:
    talk = [message("user", TextBlock(text="hi")), message("assistant", server_call("a"))]
    assert judge(talk) is None
    assert normalize(talk, Accepted(system=True))[1]["content"] == [server_call("a").data]

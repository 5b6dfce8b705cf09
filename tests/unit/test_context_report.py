"""What fills the window: the parts add up to what is used, whatever the conversation holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context.report import BIGGEST, Window, apportion, make_report
from core.llm.catalog import find_model
from core.prompt.sections import template
from core.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    OtherBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from core.protocol.views import SystemPrompt
from core.settings.schema import Settings

SYSTEM = SystemPrompt(static="Be brief. " * 50, session="Here.")
TOOLS: list[dict[str, Any]] = [
    {"name": "Read", "description": "Reads. " * 40, "input_schema": {}},
    {"name": "mcp__web__get", "description": "Gets. " * 20, "input_schema": {}},
    {"name": "Rare", "description": "Rare. " * 500, "input_schema": {}, "defer_loading": True},
]
NUMBERS = iter(range(10**9))


def said(*blocks: Block, role: Any = "user", **more: Any) -> Message:
    return Message(id=str(next(NUMBERS)), role=role, content=blocks, **more)


def prompt(text: str) -> Message:
    return said(TextBlock(text=text))


def answer(*blocks: Block) -> Message:
    return said(*blocks, role="assistant", model="claude-opus-5-5")


def window(*messages: Message, **more: Any) -> Window:
    values: dict[str, Any] = {"model": find_model("claude-haiku-4-5"), "settings": Settings(), **more}
    return Window(system=SYSTEM, tools=TOOLS, messages=messages, **values)


def parts(*messages: Message, **more: Any) -> dict[str, int]:
    return {part.name: part.count for part in make_report(window(*messages, **more)).parts}


words = st.text(max_size=200)
blocks = st.one_of(
    st.builds(TextBlock, text=words),
    st.builds(ThinkingBlock, thinking=words),
    st.builds(ToolUseBlock, id=st.sampled_from("abc"), name=st.sampled_from(["Read", "Bash"]),
              input=st.dictionaries(words, words, max_size=2)),
    st.builds(ToolResultBlock, tool_use_id=st.sampled_from("abcd"), content=words),
    st.builds(ImageBlock, media_type=st.just("image/png"), data=st.just("AAAA"), name=words, width=st.integers(0, 900)),
    st.builds(OtherBlock, data=st.fixed_dictionaries({"type": st.sampled_from(["document", "new"]), "title": words})),
)  # fmt: skip
messages = st.lists(
    st.builds(
        Message,
        id=words,
        role=st.sampled_from(["user", "assistant", "system"]),
        content=st.lists(blocks, max_size=4).map(tuple),
        is_meta=st.booleans(),
        is_summary=st.booleans(),
    ),
    max_size=8,
).map(tuple)


@given(messages, st.integers(0, 300_000))
def test_the_parts_add_up_to_what_is_used(history: tuple[Message, ...], known: int) -> None:
    report = make_report(window(*history, known=known))
    assert sum(part.tokens for part in report.parts) == report.used
    assert report.used >= known
    sizes = [part.tokens for part in report.parts]
    assert sizes == sorted(sizes, reverse=True)
    assert len(report.biggest) <= BIGGEST
    assert all(item.tokens <= report.used and "\n" not in item.name for item in report.biggest)
    assert report.turns_left is None or report.turns_left >= 0


@given(st.lists(st.integers(0, 10_000), max_size=20), st.integers(0, 10**7))
def test_whole_shares_add_up_and_none_is_a_whole_one_off(weights: list[int], total: int) -> None:
    shares = apportion(weights, total)
    if not any(weights):
        assert shares == [0] * len(weights)
        return
    assert sum(shares) == total
    exact = [weight * total / sum(weights) for weight in weights]
    assert all(abs(share - wanted) < 1 + 1e-6 for share, wanted in zip(shares, exact, strict=True))


def test_everything_has_its_part() -> None:
    context = template("context").format(instructions="From /a/CLAUDE.md:\nBe kind.\n\nFrom /b/AGENTS.md:\nBe quick.")
    names = parts(
        said(TextBlock(text=context), is_meta=True),
        prompt("Look at this."),
        said(ImageBlock(media_type="image/png", data="AAAA", name="a.png")),
        answer(ThinkingBlock(thinking="Hm."), TextBlock(text="Reading."),
               ToolUseBlock(id="1", name="Read", input={"file_path": "a.py"}),
               ToolUseBlock(id="2", name="mcp__web__get", input={})),
        said(ToolResultBlock(tool_use_id="1", content="x = 1"), ToolResultBlock(tool_use_id="2", content="y")),
        said(TextBlock(text="The summary."), is_meta=True, is_summary=True),
        said(TextBlock(text="A new day."), role="system"),
    )  # fmt: skip
    assert names == {
        "System prompt": 0, "Tools": 1, "MCP tools": 1, "Instruction files": 2, "Your messages": 1,
        "Images and documents": 1, "Thinking": 1, "Answers": 1, "Tool calls": 2, "Read": 1, "mcp__web__get": 1,
        "Summaries": 1, "Reminders": 1,
    }  # fmt: skip


def test_a_deferred_tool_counts_once_it_was_found() -> None:
    before = parts(prompt("hi"))
    found = said(ToolResultBlock(tool_use_id="1", content=({"type": "tool_reference", "tool_name": "Rare"},)))
    assert (before["Tools"], parts(prompt("hi"), found)["Tools"]) == (1, 2)


def test_the_biggest_are_named_with_what_can_be_done() -> None:
    context = template("context").format(instructions="From /a/CLAUDE.md:\n" + "Be kind. " * 3_000)
    rounds: list[Message] = []
    for number in range(7):
        call = ToolUseBlock(id=str(number), name="Read", input={"file_path": f"src/f{number}.py"})
        lines = "x = 1\n" * (9_000 if number in (0, 6) else 10)
        rounds += [answer(call), said(ToolResultBlock(tool_use_id=str(number), content=lines))]
    report = make_report(
        window(said(TextBlock(text=context), is_meta=True), prompt("Here is the log " * 900), *rounds, answer())
    )
    named = {item.name: item.remedy for item in report.biggest}
    assert named["Read src/f0.py"].startswith("old result: cleared") and named["Read src/f6.py"] == "/compact"
    assert named["/a/CLAUDE.md"] == "shorten CLAUDE.md"
    assert next(remedy for name, remedy in named.items() if name.startswith("Your message: Here is")) == "/compact"
    assert all(len(name) <= 60 for name in named)


def test_files_given_unasked_are_named_as_what_they_are() -> None:
    restored = template("restored_file").format(path="/a/b.py", note="; the rest of it is left out here", content="x")
    mentioned = template("mention").format(path="c d.txt", tool="Read", content="y" * 90)
    report = make_report(window(*(said(TextBlock(text=text), is_meta=True) for text in (restored, mentioned, "News."))))
    named = {item.name: item.remedy for item in report.biggest}
    assert named["/a/b.py"] == "" and named["c d.txt"] == "/compact" and "A reminder" in named
    counts = {part.name: part.count for part in report.parts}
    assert (counts["Restored files"], counts["Mentioned files"], counts["Reminders"]) == (1, 1, 1)


def test_the_forecast_is_made_from_the_recent_turns() -> None:
    turns = [message for _ in range(7) for message in (prompt("Go on. " * 100), answer(TextBlock(text="Yes. " * 900)))]
    report = make_report(window(*turns, known=70_000))
    assert report.turns_left == (report.limits.autocompact - 70_000) // report.tokens_per_turn
    assert 9_000 < report.tokens_per_turn < 10_000
    assert make_report(window(*turns, known=900_000)).turns_left == 0
    assert make_report(window(*turns, settings=Settings(auto_compact=False))).turns_left is None
    assert make_report(window()).turns_left is None
    assert make_report(window(prompt("A first one."))).turns_left is None


@pytest.mark.parametrize("known", [0, 5_000])
def test_what_was_not_answered_yet_counts_too(known: int) -> None:
    history = prompt("one"), answer(TextBlock(text="two")), prompt("three " * 1_000)
    report = make_report(window(*history, known=known))
    assert report.used > known + 1_000

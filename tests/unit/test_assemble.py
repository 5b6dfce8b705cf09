"""Putting a response together from its pieces."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.assemble import Assembler
from core.llm.client import BlockChunk, BlockStart
from core.protocol.messages import Block, OtherBlock, TextBlock, ThinkingBlock, ToolUseBlock


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


def assemble(start: Mapping[str, Any], *chunks: tuple[Any, Any]) -> Block | None:
    assembler = Assembler()
    assembler.start(BlockStart(0, dict(start)))
    for field, value in chunks:
        assembler.add(BlockChunk(0, field, value))
    return assembler.stop(0)


TOOL: dict[str, Any] = {"type": "tool_use", "id": "t1", "name": "Edit", "input": {}}
json_objects = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    ),
    max_size=4,
)


@given(json_objects, st.lists(st.integers(0, 500)))
def test_a_tool_input_is_the_same_however_it_was_cut(value: dict[str, Any], cuts: list[int]) -> None:
    raw = json.dumps(value)
    block = assemble(TOOL, *(("input", piece) for piece in pieces(raw, cuts)))
    assert block == ToolUseBlock(id="t1", name="Edit", input=value)


@given(json_objects.filter(bool), st.integers(1, 500))
def test_a_tool_input_that_was_cut_off_is_never_taken_for_whole(value: dict[str, Any], cut: int) -> None:
    raw = json.dumps(value)
    block = assemble(TOOL, ("input", raw[: 1 + cut % (len(raw) - 1)]))
    assert isinstance(block, ToolUseBlock)
    assert block.invalid
    assert block.input == {}


@pytest.mark.parametrize("raw", ["[1]", "5", '"x"', "null", "{} {}", "{'a': 1}", "nonsense"])
def test_an_input_that_is_no_object_is_invalid(raw: str) -> None:
    block = assemble(TOOL, ("input", raw))
    assert isinstance(block, ToolUseBlock)
    assert block.invalid
    assert (block.id, block.name) == ("t1", "Edit")


def test_a_call_without_input_has_an_empty_one() -> None:
    for chunks in ((), (("input", ""),)):
        assert assemble(TOOL, *chunks) == ToolUseBlock(id="t1", name="Edit")


@given(st.text(), st.text(), st.lists(st.integers(0, 500)))
def test_text_and_thinking_are_joined(first: str, more: str, cuts: list[int]) -> None:
    text = assemble({"type": "text", "text": first}, *(("text", piece) for piece in pieces(more, cuts)))
    assert text == TextBlock(text=first + more)
    thought = assemble(
        {"type": "thinking", "thinking": "", "signature": ""},
        *(("thinking", piece) for piece in pieces(more, cuts)),
        ("signature", "first"),
        ("signature", "whole"),
    )
    assert thought == ThinkingBlock(thinking=more, signature="whole"), "a signature is assigned, never appended"


def test_citations_are_collected() -> None:
    block = assemble({"type": "text", "text": ""}, ("text", "so"), ("citation", {"n": 1}), ("citation", {"n": 2}))
    assert block == TextBlock(text="so", extra={"citations": [{"n": 1}, {"n": 2}]})


def test_an_unknown_block_is_kept_whole() -> None:
    data = {"type": "brand_new", "payload": {"a": 1}}
    assert assemble(data) == OtherBlock(data=data)


def test_fields_of_a_call_that_we_do_not_know_are_kept() -> None:
    block = assemble({**TOOL, "caller": {"type": "direct"}}, ("input", "{}"))
    assert isinstance(block, ToolUseBlock)
    assert block.extra == {"caller": {"type": "direct"}}


def test_a_server_tool_call_gets_its_input() -> None:
    start: dict[str, Any] = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    assert assemble(start, ("input", '{"query": "x"}')) == OtherBlock(data={**start, "input": {"query": "x"}})


def test_what_was_cut_off_is_salvaged_only_where_it_stands_alone() -> None:
    assembler = Assembler()
    starts: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "text", "text": ""},
        {"type": "text", "text": ""},
        TOOL,
    ]
    for index, start in enumerate(starts):
        assembler.start(BlockStart(index, start))
    assembler.add(BlockChunk(0, "thinking", "hm"))
    assembler.add(BlockChunk(1, "text", "half a sent"))
    assembler.add(BlockChunk(2, "text", "  \n"))
    assembler.add(BlockChunk(3, "input", '{"a": 1}'))
    assert assembler.open_indexes == [0, 1, 2, 3]
    assert assembler.salvage() == [(1, TextBlock(text="half a sent"))]
    assert assembler.open_indexes == []


def test_pieces_of_a_block_that_never_began_are_dropped() -> None:
    assembler = Assembler()
    assembler.add(BlockChunk(7, "text", "lost"))
    assert assembler.stop(7) is None


def test_an_input_is_parsed_once_however_many_pieces_it_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at all of it at each piece, as the SDK's helper does, would cost the square of its length."""
    parsed: list[int] = []
    loads = json.loads

    def counting(text: str) -> Any:
        parsed.append(len(text))
        return loads(text)

    monkeypatch.setattr(json, "loads", counting)
    assemble(TOOL, ("input", '{"a": "'), *(("input", "x" * 40) for _ in range(2_000)), ("input", '"}'))
    assert parsed == [80_000 + len('{"a": ""}')]

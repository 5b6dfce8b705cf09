"""Deferred tools: which are sent how, and how they are found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, create_model

import core.engine.wiring as wiring
from core.llm.catalog import find_model
from core.prompt.assemble import build_request, can_search
from core.protocol.views import SystemPrompt
from core.settings.schema import Settings
from core.tools.base import ToolInput, ToolResult
from core.tools.builtin.tool_search.tool import ToolSearch, rank, with_search, words_of
from core.tools.context import ToolContext
from core.tools.registry import SEARCH_TOOL, AnyTool, ToolRegistry
from tests.fakes.tools import Bench, make_bench
from tests.fakes.wire import NEW, body_of, verdict


class Nothing(ToolInput):
    """No parameters."""


def make_tool(
    tool_name: str, about: str = "Does it.", *, parameters: Iterable[str] = (), defer: bool = True, always: bool = False
) -> AnyTool:
    """A tool with this name and description."""
    fields: dict[str, Any] = {parameter: (str, Field("")) for parameter in parameters}

    class Made(AnyTool):
        name = tool_name
        input_type = create_model("Made", __base__=ToolInput, **fields)
        description = about  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]
        should_defer = defer
        always_load = always

        async def run(self, arguments: Any, context: ToolContext) -> ToolResult:
            return ToolResult(content="ok")

    return cast(AnyTool, Made())


TOOLS = (
    make_tool("Read", "Reads files.", defer=False),
    make_tool("NotebookEdit", "Changes a cell of a notebook.", parameters=["cell_id"]),
    make_tool("WebFetch", "Gets a page of the web.", parameters=["url"]),
    make_tool("WebSearch", "Searches the web.", parameters=["words"]),
    make_tool("mcp__git_hub__createIssue", "Opens a ticket.", parameters=["title", "url"]),
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def search() -> ToolSearch:
    found = with_search(TOOLS)[-1]
    assert isinstance(found, ToolSearch)
    return found


async def find(bench: Bench, query: str, **more: Any) -> list[str]:
    """The names that a search refers to."""
    result = await bench.run(search(), query=query, **more)
    assert isinstance(result.content, tuple) and not result.is_error
    assert {block["type"] for block in result.content} == {"tool_reference"}
    return [block["tool_name"] for block in result.content]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select:WebFetch", ["WebFetch"]),
        ("select:websearch, NotebookEdit ,WebSearch", ["WebSearch", "NotebookEdit"]),
        ("SELECT:WebFetch,Nope", ["WebFetch"]),
        ("web", ["WebFetch", "WebSearch"]),
        ("search the web", ["WebSearch", "WebFetch"]),
        ("WebFetch", ["WebFetch"]),
        ("cell", ["NotebookEdit"]),
        ("url", ["WebFetch", "mcp__git_hub__createIssue"]),
        ("hub issue", ["mcp__git_hub__createIssue"]),
        ("+hub web", ["mcp__git_hub__createIssue"]),
        ("+nope web", []),
        ("+web url", ["WebFetch", "WebSearch"]),
        ("+web search", ["WebSearch", "WebFetch"]),
        ("ticket", ["mcp__git_hub__createIssue"]),
    ],
)
async def test_tools_are_found_by_name_or_by_words(bench: Bench, query: str, found: list[str]) -> None:
    if found:
        assert await find(bench, query) == found
    else:
        assert "No tool that is not loaded yet fits" in await bench.refusal(search(), query=query)


async def test_no_more_than_asked_for_and_what_is_missing_is_told_to_the_user(bench: Bench) -> None:
    assert await find(bench, "web", max_results=1) == ["WebFetch"]
    result = await bench.run(search(), query="select:WebFetch,Nope")
    assert result.display.summary == "found: WebFetch · not: Nope"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select:WebFetsh", "Did you mean WebFetch"),
        ("notebok", "Did you mean NotebookEdit?"),
        ("select:", "There are: NotebookEdit, WebFetch"),
        ("+", "There are:"),
        ("select:Read", "A tool that is loaded already can be called at once."),
        ("qqqq", "No tool that is not loaded yet fits 'qqqq'. There are: NotebookEdit"),
    ],
)
async def test_a_search_for_nothing_says_what_there_is(bench: Bench, query: str, said: str) -> None:
    assert said in await bench.refusal(search(), query=query)


def test_a_name_falls_into_its_words() -> None:
    assert words_of("mcp__git_hub__createIssue2") == ["mcp", "git", "hub", "create", "issue", "2"]
    assert words_of("LS") == ["ls"]
    assert words_of("HTTPServer") == ["http", "server"]


@given(st.text(max_size=30))
def test_any_query_ranks_each_tool_at_most_once(query: str) -> None:
    found = rank(query, TOOLS)
    assert len(found) == len(set(found)) and set(found) <= {tool.name for tool in TOOLS}


FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6)


@given(FLAGS, st.booleans(), st.booleans())
def test_any_choice_of_tools_is_accepted_and_its_prefix_does_not_hang_on_deferred_ones(
    flags: list[tuple[bool, bool]], is_searching: bool, is_caching: bool
) -> None:
    made = [make_tool(f"T{number}", defer=d, always=a) for number, (d, a) in enumerate(flags)]
    offer = ToolRegistry(with_search(made)).offer(can_search=is_searching)
    request = build_request(
        settings=Settings(prompt_caching=is_caching),
        model=find_model(NEW),
        system=SystemPrompt(static="Be good.", session="Today."),
        tools=offer.schemas,
        messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        max_tokens=100,
    )
    assert verdict(body_of(request)) is None
    assert all("cache_control" not in tool for tool in request.tools)
    wanted = {tool.name for tool in made if tool.should_defer and not tool.always_load} if is_searching else set[str]()
    assert {tool["name"] for tool in request.tools if tool.get("defer_loading")} == set(offer.deferred) == wanted
    assert (SEARCH_TOOL in offer.names) == bool(wanted)


def test_an_offer_is_the_same_object_each_time() -> None:
    registry = ToolRegistry(with_search(TOOLS))
    for way in (True, False):
        assert registry.offer(can_search=way).schemas is registry.offer(can_search=way).schemas


def test_a_deferred_tool_changes_only_its_own_digest() -> None:
    one = ToolRegistry([TOOLS[0], make_tool("Rare", "a"), search()]).offer(can_search=True)
    two = ToolRegistry([TOOLS[0], make_tool("Rare", "b"), search()]).offer(can_search=True)
    assert one.digest == two.digest and one.deferred != two.deferred
    assert one.digest != ToolRegistry([make_tool("Read", "other", defer=False), search()]).offer(can_search=True).digest


@pytest.mark.parametrize(
    ("model", "setting", "base_url", "expected"),
    [
        ("claude-opus-5-5", "auto", "", True),
        ("claude-opus-4-5-20251101", "auto", "", True),
        ("claude-haiku-5-5", "auto", "", False),
        ("somebody-elses", "auto", "", False),
        ("claude-opus-5-5", "auto", "https://api.anthropic.com", True),
        ("claude-opus-5-5", "auto", "http://localhost:8080", False),
        ("claude-opus-5-5", "auto", "https://anthropic.com.example.org", False),
        ("claude-opus-5-5", "auto", "http://[", False),
        ("claude-opus-5-5", "off", "", False),
        ("somebody-elses", "on", "http://localhost:8080", True),
    ],
)
def test_who_can_search(model: str, setting: Any, base_url: str, expected: bool) -> None:
    assert can_search(Settings(tool_search=setting, base_url=base_url), find_model(model)) is expected


def test_what_is_needed_at_every_turn_is_never_deferred() -> None:
    tools = [tool() for tool in wiring.TOOLS]
    loaded = {tool.name for tool in tools if not tool.should_defer}
    assert loaded >= {"Read", "Write", "Edit", "MultiEdit", "Glob", "Grep", "LS", "Bash", "TodoWrite"}
    described = with_search(tools)[-1].description
    assert all(tool.name in described for tool in tools if tool.should_defer)
    assert len(described) < 1_000

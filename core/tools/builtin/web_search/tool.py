"""WebSearch: a question to the small model, which has the API's own search; the hits come back as text.

A request of its own and not a tool of the conversation's: it can be consented to, its cost is told apart, and the
encrypted results stay out of the history.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from core.llm.errors import ModelError
from core.llm.side import SideAnswer, SideQuestion
from core.permissions.access import Access
from core.protocol.messages import Block, block_to_wire
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.builtin.web_search.findings import Findings, read_findings
from core.tools.context import ToolContext, ToolState

SERVER_TOOL = "web_search_20260318"
MAX_SEARCHES = 3
"""Of one call; each is billed."""
MAX_PAUSES = 3
"""How often a search that the server breaks off is taken up again."""
MAX_TOKENS = 4_096


class WebSearchInput(ToolInput):
    query: str = Field(min_length=2, max_length=1_000)
    allowed_domains: list[str] = Field(default=[], description="Search only there, e.g. docs.python.org")
    blocked_domains: list[str] = Field(default=[])

    @model_validator(mode="after")
    def _has_one_list(self) -> Self:
        if self.allowed_domains and self.blocked_domains:
            raise ValueError("give allowed_domains or blocked_domains, not both")
        return self


class WebSearch(Tool[WebSearchInput]):
    """Reads; asked about all the same, because the query goes to a search engine and is billed."""

    name = "WebSearch"
    input_type = WebSearchInput
    interrupt_behavior = "cancel"
    should_defer = True

    def is_read_only(self, arguments: WebSearchInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: WebSearchInput, state: ToolState) -> Access:
        return Access(sends="the query goes to a search engine, and each search is billed", is_read_only=True)

    async def run(self, arguments: WebSearchInput, context: ToolContext) -> ToolResult:
        try:
            answer = await _search(arguments, context)
        except ModelError as error:
            raise ToolError(f"The search failed: {error.user_message}", _hint(error)) from error
        if answer.stop_reason == "refusal":
            raise ToolError(f"The search was declined: {answer.stop_detail or 'no reason was given'}.")
        findings = read_findings(answer.blocks)
        if findings.error and not findings.hits:
            raise ToolError(findings.error)
        count = len(findings.hits)
        return ToolResult(
            content=_report(arguments.query, findings, answer),
            display=ToolDisplay(summary=f"{count} hit{'' if count == 1 else 's'}", details={"hits": count}),
        )


async def _search(arguments: WebSearchInput, context: ToolContext) -> SideAnswer:
    """The whole answer, over as many requests as the server makes of it. Raises ``ModelError``."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": f"Search the web for: {arguments.query}"}]}
    ]
    blocks: tuple[Block, ...] = ()
    for _ in range(MAX_PAUSES + 1):
        question = SideQuestion(
            source="web_search",
            system=Path(__file__).with_name("system.md").read_text("utf-8").strip(),
            messages=messages,
            tools=[_server_tool(arguments)],
            max_tokens=MAX_TOKENS,
        )
        answer = await context.services.side.ask(question, context.publisher)
        blocks += answer.blocks
        if answer.stop_reason != "pause_turn" or not blocks:
            return SideAnswer(blocks=blocks, stop_reason=answer.stop_reason, stop_detail=answer.stop_detail)
        messages = [messages[0], {"role": "assistant", "content": [block_to_wire(block) for block in blocks]}]
    return SideAnswer(blocks=blocks, stop_reason="pause_turn")


def _server_tool(arguments: WebSearchInput) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "type": SERVER_TOOL,
        "name": "web_search",
        "max_uses": MAX_SEARCHES,
        # Else the search is called from code execution, which adds its own blocks and time.
        "allowed_callers": ["direct"],
    }
    if arguments.allowed_domains:
        tool["allowed_domains"] = arguments.allowed_domains
    if arguments.blocked_domains:
        tool["blocked_domains"] = arguments.blocked_domains
    return tool


def _hint(error: ModelError) -> str:
    if error.kind == "invalid" and "web_search" in error.user_message:
        return "This server may not offer web search at all: do without it, or fetch a known page with WebFetch."
    if error.kind == "not_found":
        return "The small model is set by smallModel in the settings."
    return error.hint


def _report(query: str, findings: Findings, answer: SideAnswer) -> str:
    """The hits, numbered, and the summary with their numbers."""
    lines = [f"Hits for {query!r}:"] if findings.hits else [f"There are no hits for {query!r}."]
    lines += [f"{number}. {hit}" for number, hit in enumerate(findings.hits, 1)]
    if findings.summary:
        lines += ["", "Summary:", findings.summary]
    if findings.error:
        lines += ["", f"[{findings.error}]"]
    if answer.stop_reason in ("max_tokens", "pause_turn"):
        lines += ["", "[The summary was cut off.]"]
    return "\n".join(lines)

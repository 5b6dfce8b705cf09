"""What a search brought: hits and summary out of the blocks of the response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from core.protocol.messages import Block, OtherBlock, TextBlock

ERRORS = {
    "invalid_tool_input": "The search did not take the query: word it another way.",
    "unavailable": "The search is not available just now: try later, or do without it.",
    "max_uses_exceeded": "More searches were wanted than one call may make: ask for less at once.",
    "too_many_requests": "There were too many searches in a short time: wait a little.",
    "query_too_long": "The query is too long: shorten it.",
    "request_too_large": "The results were too large: ask for something narrower, or fewer domains.",
}
"""By the error code of the API."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A page that was found."""

    title: str
    url: str
    age: str

    def __str__(self) -> str:
        return f"{self.title or self.url} — {self.url}" + (f" ({self.age})" if self.age else "")


@dataclass(frozen=True, slots=True)
class Findings:
    """Hits without repetition, in order; the summary refers to them by number."""

    hits: tuple[Hit, ...]
    summary: str
    error: str


def read_findings(blocks: Iterable[Block]) -> Findings:
    """What stands in the blocks of a response; blocks of other kinds are passed over."""
    hits: dict[str, Hit] = {}
    pieces: list[str] = []
    error = ""
    for block in blocks:
        if isinstance(block, TextBlock):
            pieces.append(block.text + _sources(block, hits))
        elif isinstance(block, OtherBlock) and block.data.get("type") == "web_search_tool_result":
            content: Any = block.data.get("content")
            if isinstance(content, list):
                for item in cast("list[Any]", content):
                    _add(hits, item)
            else:
                code = str(cast("dict[str, Any]", content).get("error_code", "")) if isinstance(content, dict) else ""
                error = ERRORS.get(code, f"The search failed ({code or 'without a reason'}).")
            # What was said before the search was about searching.
            pieces.clear()
    return Findings(tuple(hits.values()), "".join(pieces).strip(), error)


def _add(hits: dict[str, Hit], item: Any) -> None:
    if not isinstance(item, dict):
        return
    fields = cast("dict[str, Any]", item)
    url = " ".join(str(fields.get("url") or "").split())
    if url:
        title, age = (" ".join(str(fields.get(name) or "").split()) for name in ("title", "page_age"))
        hits.setdefault(url, Hit(title, url, age))


def _sources(block: TextBlock, hits: dict[str, Hit]) -> str:
    """The numbers of the hits that a text names as its sources."""
    citations: list[Any] = block.extra.get("citations") or []
    numbers: list[int] = []
    for citation in citations:
        _add(hits, citation)
        url = str(cast("dict[str, Any]", citation).get("url") or "") if isinstance(citation, dict) else ""
        if url in hits:
            numbers.append(list(hits).index(url) + 1)
    return "".join(f" [{number}]" for number in dict.fromkeys(numbers))

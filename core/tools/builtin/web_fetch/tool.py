"""WebFetch: one page of the web as text."""

from __future__ import annotations

import shlex

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.web.address import host_of, parse_address
from core.tools.web.client import Page
from core.tools.web.text import decode, is_binary, is_html, may_be_text, media_type, title_of, to_markdown

ERROR_BODY_CHARS = 2_000
"""Of an error page's text: it may say what is wrong."""
KILO = 1_000


class WebFetchInput(ToolInput):
    url: str = Field(description="Absolute, with http:// or https://")


class WebFetch(Tool[WebFetchInput]):
    """Reads; asked about all the same, because a URL carries what is in it to whoever it names."""

    name = "WebFetch"
    input_type = WebFetchInput
    interrupt_behavior = "cancel"
    max_result_size_chars = 50_000
    should_defer = True

    def is_read_only(self, arguments: WebFetchInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: WebFetchInput, state: ToolState) -> Access:
        host = host_of(arguments.url)
        return Access(hosts=(host,), sends=f"it fetches a page from {host}", is_read_only=True)

    def check_permissions(self, arguments: WebFetchInput, context: ToolContext) -> Access:
        # Nobody is asked for what would be refused anyway.
        context.services.web.check(parse_address(arguments.url))
        return self.touches(arguments, context.state)

    async def run(self, arguments: WebFetchInput, context: ToolContext) -> ToolResult:
        asked = parse_address(arguments.url)

        def progress(done: int, total: int) -> None:
            context.report(f"{_size(done)} of {_size(total)}" if total > done else _size(done), 0)

        page = await context.services.web.fetch(asked, may_be_text, progress)
        if page.leads_to:
            return _elsewhere(page)
        if page.body is None or is_binary(page.content_type, page.body):
            raise _not_text(page)
        text = await _readable(page, page.body, context)
        summary = f"{page.status} · {_size(page.size)}"
        if not 200 <= page.status < 300:
            head = f"HTTP {page.status_line} from {page.address}"
            body = text[:ERROR_BODY_CHARS] + ("\n[…]" if len(text) > ERROR_BODY_CHARS else "")
            return ToolResult(
                content=f"{head}\n\n{body}".rstrip(),
                is_error=True,
                display=ToolDisplay(summary=f"HTTP {page.status_line}"),
            )
        notes = [f"[Fetched from {page.address}]"] if page.address != asked else []
        return ToolResult(
            content="\n\n".join([*notes, text.strip() or f"[The page is empty (HTTP {page.status_line}).]"]),
            display=ToolDisplay(summary=summary, details={"status": page.status, "bytes": page.size}),
        )


async def _readable(page: Page, body: bytes, context: ToolContext) -> str:
    text = decode(page.content_type, body)
    if not text.strip() or not is_html(page.content_type, body):
        return text
    title = title_of(text)
    markdown = await to_markdown(text, str(page.address), context.services.host.processes)
    return f"Title: {title}\n\n{markdown}" if title else markdown


def _elsewhere(page: Page) -> ToolResult:
    return ToolResult(
        content=f"{page.address} redirects ({page.status_line}) to another place, which was not fetched:\n"
        f"{page.leads_to}\nCall WebFetch with that URL if it is where you want to go.",
        display=ToolDisplay(summary=f"{page.status} · leads elsewhere"),
    )


def _not_text(page: Page) -> ToolError:
    kind = media_type(page.content_type) or "of an unknown type"
    size = f", {_size(page.size)}" if page.size else ""
    return ToolError(
        f"{page.address} is no text ({kind}{size}).",
        f"Download it with Bash if you need it: curl -fsSL -o FILE {shlex.quote(str(page.address))}",
    )


def _size(count: int) -> str:
    """``800 B``, ``14 KB``, ``2.1 MB``."""
    if count < KILO:
        return f"{count} B"
    return f"{count / KILO:.0f} KB" if count < KILO * KILO else f"{count / KILO / KILO:.1f} MB"

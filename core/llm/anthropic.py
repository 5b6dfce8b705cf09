"""The Anthropic Messages API through the official SDK: raw stream in, our chunks out.

The SDK takes about a second to import, so nothing here imports it at module level; ``load_sdk`` runs in
a thread. Retries are the caller's, visible and cancellable: the SDK's own are off.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from core.host.garbage import importing
from core.host.log import LOGGER
from core.llm.anthropic_errors import classify
from core.llm.catalog import ModelInfo, Thinking, find_model
from core.llm.client import (
    BlockChunk,
    BlockStart,
    BlockStop,
    Chunk,
    MessageEnd,
    MessageStart,
    ModelRequest,
)
from core.llm.encoding import RequestEncoder
from core.llm.errors import ModelError
from core.protocol.usage import Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncStream
    from anthropic.types import ModelInfo as SdkModelInfo

SILENCE_S = 180.0
"""Silence on a connection after which the response counts as broken: the API sends pings where it has nothing to say.
The window tells of it much earlier."""
LOCAL_SILENCE_S = 600.0
"""A server on this machine may read a long prompt for minutes before its first byte."""
CONNECT_TIMEOUT_S = 10.0
DESCRIBE_TIMEOUT_S = 5.0
COUNT_TIMEOUT_S = 10.0
KEEPALIVE_S = 50.0
"""How long a connection waits for its next request: through a call that takes a while, or while an answer is read.
Servers and routers on the way let go of an idle one after a minute or more; one that was closed is not used."""
DRAIN_TIMEOUT_S = 0.25
"""How long a response that is complete may take to end; then its connection is closed instead of used again."""
LOCAL_KEY = "local"
"""Sent to a server on this machine when there are no credentials: such servers take any key."""


def load_sdk() -> Any:
    """Import the SDK; about one second the first time, to be called in a thread."""
    with importing():
        import anthropic

    return anthropic


class AnthropicClient:
    """A ``ModelClient`` for the API and for any server that speaks like it."""

    def __init__(
        self, *, base_url: str = "", api_key: str = "", needs_no_key: bool = False, silence_s: float = SILENCE_S
    ) -> None:
        self._base_url = base_url
        self._silence_s = silence_s
        self._api_key = api_key or (LOCAL_KEY if needs_no_key else "")
        self._loading: asyncio.Task[AsyncAnthropic] | None = None
        self._retired: list[asyncio.Task[AsyncAnthropic] | None] = []
        """Clients with credentials of before. Another request may still be using one, so they are closed at the end."""
        self._encoder = RequestEncoder()

    def warm_up(self) -> None:
        """Start importing the SDK in the background, so that the first prompt need not wait for it."""
        self._client_task()

    async def stream(self, request: ModelRequest) -> AsyncIterator[Chunk]:
        """Send the request and yield its chunks. Raises ``ModelError``."""
        client = await self._client()
        is_streaming = is_ended = False
        try:
            async with await self._send(client, request) as stream:
                is_streaming = True
                async for chunk in _chunks(stream):
                    is_ended = isinstance(chunk, MessageEnd)
                    yield chunk
        except (ModelError, GeneratorExit):
            raise
        except Exception as error:
            # Behind the end nothing is missing, whatever becomes of the connection.
            if not is_ended:
                raise self._failure(error, is_streaming=is_streaming) from error

    async def _send(self, client: AsyncAnthropic, request: ModelRequest) -> AsyncStream[Any]:
        """What ``client.messages.create(stream=True)`` does, but with a body of ours: it would look at every block of
        the whole conversation each time, and encode it anew."""
        from anthropic import AsyncStream
        from anthropic.types import Message, RawMessageStreamEvent

        return await client.post(
            "/v1/messages",
            content=self._encoder.encode(_parameters(request) | {"stream": True}),
            cast_to=Message,
            stream=True,
            stream_cls=AsyncStream[RawMessageStreamEvent],
        )

    async def prewarm(self, request: ModelRequest) -> Usage:
        """The same bytes before the messages as ``stream`` sends, answered in one piece that says nothing."""
        client = await self._client()
        from anthropic.types import Message

        try:
            body = self._encoder.encode(_parameters(request))
            message = await client.post("/v1/messages", content=body, cast_to=Message)
        except Exception as error:
            raise self._failure(error) from error
        return merge_usage(Usage(), message.usage)

    async def describe(self, model_id: str) -> ModelInfo | None:
        """The models endpoint's answer joined to the catalog's; None where it is silent or unknown there."""
        client = await self._client()
        try:
            async with asyncio.timeout(DESCRIBE_TIMEOUT_S):
                found = await client.models.retrieve(model_id)
        except Exception as error:
            failure = self._failure(error)
            if failure.kind == "auth" or _denies(failure, model_id):
                raise failure from error
            return None
        return _join(find_model(model_id), found)

    async def count(self, request: ModelRequest) -> int | None:
        """What the count endpoint says; None where there is none, or it fails."""
        try:
            client = await self._client()
            from anthropic.types import MessageTokensCount

            content = await asyncio.to_thread(RequestEncoder().encode, _prompt(request))
            async with asyncio.timeout(COUNT_TIMEOUT_S):
                counted = await client.post("/v1/messages/count_tokens", content=content, cast_to=MessageTokensCount)
            return counted.input_tokens
        except Exception as error:  # noqa: BLE001  nobody waits for this figure
            LOGGER.debug("tokens were not counted: %s", classify(error).user_message)
            return None

    async def close(self) -> None:
        """Close the connections; an import that is still going on is not waited for."""
        clients, self._retired = [*self._retired, self._loading], []
        for loading in clients:
            if loading is None:
                continue
            if not loading.done():
                loading.cancel()
                continue
            with contextlib.suppress(Exception):
                await loading.result().close()

    def _failure(self, error: Exception, *, is_streaming: bool = False) -> ModelError:
        failure = classify(error, is_streaming=is_streaming)
        if failure.kind == "auth":
            # The next request reads the credentials anew: a profile may have been mended meanwhile.
            self._retired.append(self._loading)
            self._loading = None
        return failure

    def _client_task(self) -> asyncio.Task[AsyncAnthropic]:
        if self._loading is None:
            self._loading = asyncio.create_task(self._build(), name="load-sdk")
        return self._loading

    async def _client(self) -> AsyncAnthropic:
        try:
            return await asyncio.shield(self._client_task())
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._loading = None
            raise classify(error) from error

    async def _build(self) -> AsyncAnthropic:
        return await asyncio.to_thread(self._construct)

    def _construct(self) -> AsyncAnthropic:
        sdk = load_sdk()
        with importing():
            import httpx2

        timeout = httpx2.Timeout(self._silence_s, connect=CONNECT_TIMEOUT_S)
        limits = dataclasses.replace(sdk.DEFAULT_CONNECTION_LIMITS, keepalive_expiry=KEEPALIVE_S)
        client: AsyncAnthropic = sdk.AsyncAnthropic(
            api_key=self._api_key or None,
            base_url=self._base_url or None,
            max_retries=0,
            timeout=timeout,
            http_client=sdk.DefaultAsyncHttpxClient(timeout=timeout, limits=limits),
        )
        with importing():
            # The SDK imports its parts where they are first used: that would be on the event loop.
            _parts = client.messages, client.models
        return client


def _denies(failure: ModelError, model_id: str) -> bool:
    """Whether a server says that it has no such model; one that does not know the address at all says nothing of it."""
    said = failure.user_message
    return failure.kind == "not_found" and model_id in said and f"/models/{model_id}" not in said


def _parameters(request: ModelRequest) -> dict[str, Any]:
    optional = {"metadata": request.metadata, "diagnostics": request.diagnostics}
    told = {name: value for name, value in optional.items() if value}
    return {"max_tokens": request.max_tokens} | told | _prompt(request)


def _prompt(request: ModelRequest) -> dict[str, Any]:
    """What a request sends to be read."""
    parameters: dict[str, Any] = {"model": request.model, "messages": request.messages}
    optional = {
        "system": request.system,
        "tools": request.tools,
        "thinking": request.thinking,
        "output_config": request.output_config,
    }
    return parameters | {name: value for name, value in optional.items() if value}


_FIELDS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("input", "partial_json"),
    "signature_delta": ("signature", "signature"),
}
"""Our field and the SDK's attribute for each kind of delta."""


async def _chunks(events: AsyncIterator[Any]) -> AsyncIterator[Chunk]:
    """The SDK's raw events as chunks. Kinds are told apart by ``.type``: unknown ones come as some known class."""
    usage = Usage()
    stop_reason = stop_detail = ""
    is_ended = False
    async for event in events:
        match event.type:
            case "message_start":
                usage = merge_usage(usage, event.message.usage)
                yield MessageStart(event.message.id, event.message.model, usage, _diagnosis(event.message))
            case "content_block_start":
                # No warnings: what the SDK does not expect in a block is kept as it came.
                yield BlockStart(event.index, event.content_block.to_dict(warnings=False))
            case "content_block_delta":
                chunk = _delta(event.index, event.delta)
                if chunk is not None:
                    yield chunk
            case "content_block_stop":
                yield BlockStop(event.index)
            case "message_delta":
                usage = merge_usage(usage, event.usage)
                stop_reason = event.delta.stop_reason or ""
                details = getattr(event.delta, "stop_details", None)
                stop_detail = getattr(details, "explanation", None) or getattr(details, "category", None) or ""
                if stop_reason and not is_ended:
                    # All that comes after it is `message_stop`, which says nothing more.
                    is_ended = True
                    yield MessageEnd(stop_reason, usage, stop_detail)
            case "message_stop":
                if not is_ended:
                    yield MessageEnd(stop_reason, usage, stop_detail)
                await _drain(events)
                return
            case _:
                pass
    if not is_ended:
        raise ModelError("dropped", "The response ended before it was complete.")


async def _drain(events: AsyncIterator[Any]) -> None:
    """Read the response to its very end: only then its connection takes the next request, without a new handshake."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            async for _event in events:
                pass


def _diagnosis(message: Any) -> str:
    """What the server says of the cache: the kind of what changed; empty where it says nothing, or not yet."""
    reason = getattr(getattr(message, "diagnostics", None), "cache_miss_reason", None)
    return getattr(reason, "type", None) or ""


def _delta(index: int, delta: Any) -> BlockChunk | None:
    if delta.type == "citations_delta":
        return BlockChunk(index, "citation", delta.citation.to_dict(warnings=False))
    names = _FIELDS.get(delta.type)
    if names is None:
        return None
    return BlockChunk(index, cast(Any, names[0]), getattr(delta, names[1]))


def merge_usage(known: Usage, sdk: Any) -> Usage:
    """Counts are cumulative: a newer one replaces the older, a missing one leaves it."""
    if sdk is None:
        return known
    changes: dict[str, int] = {}
    for ours, theirs in (
        ("input_tokens", "input_tokens"),
        ("output_tokens", "output_tokens"),
        ("cache_read_tokens", "cache_read_input_tokens"),
    ):
        value = getattr(sdk, theirs, None)
        if value is not None:
            changes[ours] = value
    written = getattr(sdk, "cache_creation_input_tokens", None)
    split = getattr(sdk, "cache_creation", None)
    if split is not None:
        changes["cache_write_1h_tokens"] = split.ephemeral_1h_input_tokens
        changes["cache_write_5m_tokens"] = split.ephemeral_5m_input_tokens
    elif written is not None:
        changes["cache_write_5m_tokens"] = max(0, written - known.cache_write_1h_tokens)
    searches = getattr(getattr(sdk, "server_tool_use", None), "web_search_requests", None)
    if searches is not None:
        changes["web_searches"] = searches
    details = getattr(sdk, "output_tokens_details", None)
    thinking = getattr(details, "thinking_tokens", None)
    if thinking is not None:
        changes["thinking_tokens"] = thinking
    return dataclasses.replace(known, **changes)


def _join(known: ModelInfo, found: SdkModelInfo) -> ModelInfo:
    """What the server says wins over the catalog; the catalog fills in what it does not say."""
    info = dataclasses.replace(
        known,
        window=found.max_input_tokens or known.window,
        max_output=found.max_tokens or known.max_output,
        is_known=True,
    )
    capabilities = found.capabilities
    if capabilities is None:
        return info
    effort = capabilities.effort
    levels = ("low", "medium", "high", "xhigh", "max")
    supported = tuple(level for level in levels if getattr(getattr(effort, level, None), "supported", False))
    types = capabilities.thinking.types
    thinking: Thinking = "none"
    if capabilities.thinking.supported and types.adaptive.supported:
        thinking = ("on" if known.thinking != "off" else "off") if types.disabled.supported else "always"
    elif capabilities.thinking.supported and types.enabled.supported:
        thinking = "budget"
    return dataclasses.replace(info, efforts=supported if effort.supported else (), thinking=thinking)

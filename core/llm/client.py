"""The protocol behind which every model stands: a request in, chunks out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.llm.catalog import ModelInfo, find_model, with_entry
from core.protocol.usage import Usage
from core.settings.schema import ModelEntry

QuerySource = Literal["main", "agent", "compaction", "handoff", "session_memory", "prewarm", "web_search", "explain"]
"""Who asks; counted and shown apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One request in the API's own form; the lists are shared and must not be changed."""

    model: str
    max_tokens: int
    system: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    diagnostics: dict[str, Any] | None = None
    """Asks what has changed since the request before; differs from request to request."""
    query_source: QuerySource = "main"


@dataclass(slots=True)
class MessageStart:
    """The response began."""

    message_id: str
    model: str
    usage: Usage
    diagnosis: str = ""
    """What the server found to have changed since the request before; empty where it found or says nothing."""


@dataclass(slots=True)
class BlockStart:
    """Block ``index`` began; ``data`` is its first state in the API's form."""

    index: int
    data: dict[str, Any]


@dataclass(slots=True)
class BlockChunk:
    """A piece of block ``index``. ``field`` names what grows: text, thinking, input (JSON text), signature, other."""

    index: int
    field: Literal["text", "thinking", "input", "signature", "citation"]
    value: Any


@dataclass(slots=True)
class BlockStop:
    """Block ``index`` is complete."""

    index: int


@dataclass(slots=True)
class MessageEnd:
    """The response is complete. ``usage`` holds the final counts."""

    stop_reason: str
    usage: Usage
    stop_detail: str = ""


Chunk = MessageStart | BlockStart | BlockChunk | BlockStop | MessageEnd


class ModelClient(Protocol):
    """Streams responses. Raises ``ModelError``; closing the iterator or cancelling ends the request at once."""

    def stream(self, request: ModelRequest) -> AsyncIterator[Chunk]:
        """Send the request. The last chunk is ``MessageEnd``; a response without one raises ``ModelError``."""
        ...

    def warm_up(self) -> None:
        """Begin in the background what the first request would wait for."""
        ...

    async def prewarm(self, request: ModelRequest) -> Usage:
        """Have a prefix written to the cache, without an answer, and say what that took. Raises ``ModelError``."""
        ...

    async def describe(self, model_id: str) -> ModelInfo | None:
        """What the server knows of a model beyond the catalog; None where it says nothing."""
        ...

    async def count(self, request: ModelRequest) -> int | None:
        """Tokens of the prompt as the server counts them; None where it does not say."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


async def learn_model(client: ModelClient, model_id: str, entries: tuple[ModelEntry, ...] = ()) -> ModelInfo:
    """What is known of a model; the server is asked where catalog and user are silent. Raises ``ModelError``."""
    known = find_model(model_id, entries)
    if known.is_known:
        return known
    described = await client.describe(model_id)
    return known if described is None else with_entry(described, entries)

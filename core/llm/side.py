"""Requests beside the conversation: small questions to the small model, counted apart and told like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.bus.bus import Publisher
from core.host.host import Host
from core.llm.assemble import Assembler
from core.llm.catalog import ModelInfo
from core.llm.client import (
    BlockChunk,
    BlockStart,
    BlockStop,
    MessageEnd,
    MessageStart,
    ModelClient,
    ModelRequest,
    QuerySource,
)
from core.llm.errors import ModelError
from core.llm.models import Models
from core.llm.retry import failure, retry_delay
from core.protocol.events import RequestFinished, RequestStarted
from core.protocol.messages import Block
from core.protocol.usage import Usage
from core.settings.schema import Effort

MAX_ATTEMPTS = 3
"""Somebody waits for the turn, not for this: it is given up sooner than the turn's own requests."""

HARD_EFFORTS = ("xhigh", "max")

Count = Callable[[QuerySource, str, Usage], float | None]
"""Takes down what a request of a model took; its cost in USD, None where the price is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideQuestion:
    """What is asked. Messages and tools are in the API's form."""

    source: QuerySource
    system: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAnswer:
    """A complete response."""

    blocks: tuple[Block, ...]
    stop_reason: str
    stop_detail: str = ""


class SideRequests:
    """Sends them to the model that the routes name."""

    def __init__(self, models: Models, host: Host, count: Count, user_id: str = "") -> None:
        self.models = models
        self._host = host
        self._count = count
        self._metadata = {"user_id": user_id} if user_id else None

    async def ask(self, question: SideQuestion, publisher: Publisher) -> SideAnswer:
        """Ask the model for such questions. Raises ``ModelError`` once it is given up; cancelling ends the request."""
        route = self.models.route(question.source)
        request = _request(question, self.models.find(route.model), route.effort)
        return await self.send(request, publisher, client=self.models.client(route))

    async def send(
        self,
        request: ModelRequest,
        publisher: Publisher,
        *,
        attempts: int = MAX_ATTEMPTS,
        client: ModelClient | None = None,
    ) -> SideAnswer:
        """Send until it is answered, so often at most; without a client to where the main model is reached.

        Raises ``ModelError`` once it is given up."""
        client = client or self.models.client(self.models.route("main"))
        request = replace(request, metadata=self._metadata)
        source, attempt = request.query_source, 0
        while True:
            attempt += 1
            request_id = self._host.ids.uuid()
            publisher.emit(
                RequestStarted(request_id=request_id, model=request.model, query_source=source, attempt=attempt)
            )
            try:
                return await self._receive(client, request, request_id, publisher)
            except ModelError as error:
                delay = retry_delay(error, attempt, self._host.chance()) if attempt < attempts else None
                publisher.emit(failure(error, request_id, attempt=attempt, most=attempts, delay=delay, source=source))
                if delay is None:
                    raise
                await self._host.clock.sleep(delay)

    def take_down(self, request: ModelRequest, usage: Usage) -> None:
        """Count what a request took that was not sent from here."""
        self._count(request.query_source, request.model, usage)

    async def _receive(
        self, client: ModelClient, request: ModelRequest, request_id: str, publisher: Publisher
    ) -> SideAnswer:
        """One response. What it took is counted however it ends."""
        clock = self._host.clock
        started, first_token_ms = clock.monotonic(), 0
        assembler, blocks, usage = Assembler(), list[Block](), Usage()
        end: MessageEnd | None = None
        try:
            async for chunk in client.stream(request):
                match chunk:
                    case MessageStart():
                        usage = chunk.usage
                    case BlockStart():
                        first_token_ms = first_token_ms or round((clock.monotonic() - started) * 1000)
                        assembler.start(chunk)
                    case BlockChunk():
                        assembler.add(chunk)
                    case BlockStop():
                        block = assembler.stop(chunk.index)
                        blocks += [block] if block is not None else []
                    case MessageEnd():
                        usage, end = chunk.usage, chunk
        finally:
            cost = self._count(request.query_source, request.model, usage) if usage.context_tokens else 0.0
        assert end is not None, "a client's last chunk is the end of the message"
        publisher.emit(
            RequestFinished(
                request_id=request_id,
                query_source=request.query_source,
                stop_reason=end.stop_reason,
                usage=usage,
                cost_usd=cost,
                duration_ms=round((clock.monotonic() - started) * 1000),
                first_token_ms=first_token_ms,
            )
        )
        return SideAnswer(blocks=tuple(blocks), stop_reason=end.stop_reason, stop_detail=end.stop_detail)


def _request(question: SideQuestion, model: ModelInfo, effort: Effort | None) -> ModelRequest:
    effort = effort or "low"
    return ModelRequest(
        model=model.id,
        max_tokens=min(question.max_tokens, model.max_output),
        system=[{"type": "text", "text": question.system}],
        tools=question.tools,
        messages=question.messages,
        # What thinks very hard cannot be kept from thinking.
        thinking=None if effort in HARD_EFFORTS else least_thinking(model),
        output_config={"effort": effort} if effort in model.efforts else None,
        query_source=question.source,
    )


def least_thinking(model: ModelInfo) -> dict[str, Any] | None:
    """Thinking as far off as the model lets it be: a small answer needs none, and it counts as output."""
    match model.thinking:
        case "on":
            return {"type": "disabled"}
        case "between":
            return {"type": "between_tools"}
        case _:
            return None

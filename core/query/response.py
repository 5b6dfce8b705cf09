"""One response as it arrives: chunks to blocks, blocks to events and to the transcript, calls to the runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from core.llm.assemble import Assembler
from core.llm.client import BlockChunk, BlockStart, BlockStop, Chunk, MessageEnd, MessageStart, ModelRequest
from core.orchestration.call import CallOutcome
from core.orchestration.round_budget import within_budget
from core.orchestration.runner import ToolRunner
from core.prompt.cache import warm_until
from core.prompt.cache_watch import Answer
from core.protocol.events import (
    BlockDelta,
    BlockDiscarded,
    BlockFinished,
    BlockKind,
    BlockStarted,
    RequestFinished,
)
from core.protocol.messages import Block, Message, OtherBlock, TextBlock, ToolUseBlock, is_thinking
from core.protocol.usage import Usage
from core.query.turn import Query
from core.sessions.entries import CallRecord

HEAD_START = 3
"""Turns of the event loop: as many as a shell command takes from its block to its process."""
SHOWN_FIELDS = ("text", "thinking", "input")
CUT_INPUT = "the length limit cut its input off"
_KINDS: dict[str, BlockKind] = {"text": "text", "thinking": "thinking", "tool_use": "tool_use"}


class Response:
    """Receives one response. Whatever happens, what is complete of it ends up in the conversation."""

    def __init__(self, query: Query, request: ModelRequest, request_id: str) -> None:
        self._query = query
        self._request = request
        self._request_id = request_id
        self._assembler = Assembler()
        self._blocks: list[Block] = []
        self._finished_ids: list[str] = []
        self._held: tuple[int, ToolUseBlock] | None = None
        """A call without any input: only what comes next tells whether that is all of it."""
        self._message_id = request_id
        self._recorded = 0
        self._results_id = ""
        """Of the first result's record: the message of the results gets the same when it is read back."""
        self._usage = Usage()
        """As it was told at the start."""
        self._diagnosis = ""
        self._is_accounted = False
        self._is_closed = False
        self._started = query.host.clock.monotonic()
        self._first_token_ms = 0
        self.stop_reason = ""
        self.stop_detail = ""
        self.runner = ToolRunner(
            query.calls,
            query.tool_state(),
            self._record_result,
            max_concurrency=query.turn.settings.max_tool_concurrency,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing complete was said: no block, or only thoughts and blank text."""
        return all(
            is_thinking(block) or (isinstance(block, TextBlock) and not block.text.strip()) for block in self._blocks
        )

    @property
    def ends_at_server(self) -> bool:
        """Whether it ends with a call that the server runs, or with the result of one: it may be sent as it is."""
        last = self._blocks[-1] if self._blocks else None
        return isinstance(last, OtherBlock) and str(last.data.get("type")).endswith(("server_tool_use", "_tool_result"))

    async def receive(self, chunks: AsyncIterator[Chunk]) -> None:
        """Take every chunk. Raises what the client raises."""
        try:
            await self._receive(chunks)
        finally:
            self._release()

    async def _receive(self, chunks: AsyncIterator[Chunk]) -> None:
        async for chunk in chunks:
            match chunk:
                case BlockChunk():
                    self._assembler.add(chunk)
                    if chunk.field in SHOWN_FIELDS:
                        self._query.publisher.emit(BlockDelta(block_id=self._block_id(chunk.index), text=chunk.value))
                case MessageStart():
                    self._message_id = chunk.message_id
                    self._usage = chunk.usage
                    self._diagnosis = chunk.diagnosis
                case BlockStart():
                    self._release()
                    self._start_block(chunk)
                case BlockStop():
                    block = self._assembler.stop(chunk.index)
                    if isinstance(block, ToolUseBlock) and not block.input and not block.invalid:
                        self._held = chunk.index, block
                    elif block is not None:
                        self._complete(chunk.index, block)
                        await self._let_calls_run()
                case MessageEnd():
                    self._release(CUT_INPUT if chunk.stop_reason == "max_tokens" else "")
                    await self._let_calls_run()
                    self._end(chunk)

    def _release(self, invalid: str = "") -> None:
        """Complete the call that was held back; ``invalid`` says why it must not run."""
        if self._held is not None:
            (index, block), self._held = self._held, None
            self._complete(index, replace(block, invalid=invalid))

    async def _let_calls_run(self) -> None:
        """Calls go first: one may need the event loop just to start its process, which then runs beside us."""
        if self.runner.has_calls:
            for _turn in range(HEAD_START):
                await asyncio.sleep(0)

    async def finish(self) -> None:
        """Append the message, wait for its calls, append their results."""
        self._append_message()
        await self._append_results(await self.runner.finish())

    async def interrupt(self) -> None:
        """Keep what is complete and the text that was cut off; answer every call."""
        for index, block in self._salvage():
            self._complete(index, block, interrupted=True)
        self._account_unfinished()
        outcomes = await self.runner.cancel()
        self._append_message()
        await self._append_results(outcomes)

    def break_off(self) -> None:
        """It broke off. What is complete is kept for ``finish``; where that says nothing, all of it is forgotten."""
        self._discard(self._assembler.forget())
        if self.is_empty:
            for block_id in self._finished_ids:
                self._query.publisher.emit(BlockDiscarded(block_id=block_id))
            self._is_closed = True
        self._account_unfinished()

    def _salvage(self) -> list[tuple[int, Block]]:
        """Text that was cut off; what else is open is forgotten."""
        open_indexes = self._assembler.open_indexes
        kept = self._assembler.salvage()
        kept_indexes = [index for index, _block in kept]
        self._discard([index for index in open_indexes if index not in kept_indexes])
        return kept

    def _discard(self, indexes: list[int]) -> None:
        for index in indexes:
            self._query.publisher.emit(BlockDiscarded(block_id=self._block_id(index)))

    def _account_unfinished(self) -> None:
        """Count what a response that did not end has taken as far as it is known: its prompt."""
        if self._usage.context_tokens and not self._is_accounted:
            self._is_accounted = True
            self._query.account(self._usage)
            self._query.watch.broke_off(self._answer(self._usage))
            self._query.conversation.record_usage(
                self._message_id, self._request.model, self._usage, "", is_kept=not self._is_closed
            )

    def _start_block(self, chunk: BlockStart) -> None:
        if not self._first_token_ms:
            self._first_token_ms = self._elapsed_ms()
        self._assembler.start(chunk)
        kind = _KINDS.get(str(chunk.data.get("type")), "other")
        self._query.publisher.emit(
            BlockStarted(
                block_id=self._block_id(chunk.index), block_kind=kind, tool_name=str(chunk.data.get("name") or "")
            )
        )

    def _complete(self, index: int, block: Block, *, interrupted: bool = False) -> None:
        self._blocks.append(block)
        self._finished_ids.append(self._block_id(index))
        self._query.publisher.emit(BlockFinished(block_id=self._block_id(index), block=block, interrupted=interrupted))
        if isinstance(block, ToolUseBlock):
            # A call is on disk before it runs, so that nothing that ran is ever forgotten.
            self._record_blocks()
            self.runner.add(block)

    def _record_blocks(self) -> None:
        """Write down the blocks that are complete and not written yet."""
        for block in self._blocks[self._recorded :]:
            self._query.conversation.record_block(self._message_id, block, self._request.model)
        self._recorded = len(self._blocks)

    def _end(self, chunk: MessageEnd) -> None:
        self.stop_reason, self.stop_detail = chunk.stop_reason, chunk.stop_detail
        self._is_accounted = True
        cost = self._query.account(chunk.usage)
        if chunk.stop_reason == "refusal" and not self.runner.has_calls:
            # The API wants a refusal's words forgotten; calls that ran before it are not.
            self._is_closed = True
        else:
            self._record_blocks()
        self._query.conversation.record_usage(
            self._message_id, self._request.model, chunk.usage, chunk.stop_reason, is_kept=not self._is_closed
        )
        self._query.publisher.emit(
            RequestFinished(
                request_id=self._request_id,
                query_source=self._query.source,
                stop_reason=chunk.stop_reason,
                usage=chunk.usage,
                cost_usd=cost,
                duration_ms=self._elapsed_ms(),
                first_token_ms=self._first_token_ms,
            )
        )
        broken = self._query.watch.answered(
            self._answer(self._usage if self._usage.prompt_tokens else chunk.usage), self._query.turn.model
        )
        if broken is not None:
            self._query.publisher.emit(broken)
        sent_at = self._query.host.clock.time() - self._elapsed_ms() / 1000
        self._query.warm_until = warm_until(sent_at, self._query.turn.settings.cache_ttl, chunk.usage)
        self._query.publish_usage(chunk.usage.context_tokens)

    def _answer(self, usage: Usage) -> Answer:
        return Answer(request_id=self._request_id, message_id=self._message_id, usage=usage, diagnosis=self._diagnosis)

    def _append_message(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._record_blocks()
        if self._blocks:
            self._query.conversation.append_recorded(
                Message(
                    id=self._message_id,
                    role="assistant",
                    content=tuple(self._blocks),
                    ts=self._query.host.clock.time(),
                    model=self._request.model,
                    stop_reason=self.stop_reason,
                )
            )

    async def _append_results(self, outcomes: list[CallOutcome]) -> None:
        self._query.state = self.runner.state
        publisher, folder = self._query.publisher, self._query.calls.services.output_dir
        fitting = await within_budget(outcomes, folder, publisher)
        for outcome, before in zip(fitting, outcomes, strict=True):
            if outcome is not before:
                self._record_result(outcome)
        if outcomes:
            self._query.conversation.append_recorded(
                Message(
                    id=self._results_id,
                    role="user",
                    content=tuple(outcome.block for outcome in fitting),
                    ts=self._query.host.clock.time(),
                )
            )

    def _record_result(self, outcome: CallOutcome) -> None:
        record = CallRecord(
            display=outcome.display, duration_ms=outcome.duration_ms, batch=outcome.batch, derived=outcome.derived
        )
        record_id = self._query.conversation.record_result(outcome.block, record)
        self._results_id = self._results_id or record_id

    def _block_id(self, index: int) -> str:
        return f"{self._request_id}:{index}"

    def _elapsed_ms(self) -> int:
        return round((self._query.host.clock.monotonic() - self._started) * 1000)

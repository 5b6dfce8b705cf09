"""Asks the model to sum a conversation up: one request behind it, with the same prefix as every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.context.budget import SUMMARY_RESERVE, reserve_of, window_of
from core.context.revision import shortened
from core.context.tokens import estimate
from core.llm.client import QuerySource
from core.llm.errors import ModelError
from core.llm.models import Chosen
from core.prompt.assemble import build_request, can_search
from core.prompt.sections import template
from core.protocol.events import Notice
from core.protocol.messages import Message, TextBlock
from core.query.normalize import Accepted, normalize

if TYPE_CHECKING:
    from core.query.turn import Query

MAX_DROPS = 3
"""How often a summary request that is itself too long is sent again with less of what is oldest."""
DROP_SHARE = 0.2
"""Of the conversation, where the API does not say by how much it is too long."""
FULL = "model_context_window_exceeded"


def instructed(instructions: str) -> str:
    """What the model is asked for."""
    wishes = template("compact_instructions").format(instructions=instructions) if instructions.strip() else ""
    return template("compact").format(instructions=wishes)


async def summarize(query: Query, messages: tuple[Message, ...], ask: str, source: QuerySource) -> str:
    """What the model writes when it is asked ``ask`` behind the messages: with the same prefix as every request, so
    that it reads the cache. Where that is too long itself, the oldest goes. Raises ``ModelError``."""
    drops = 0
    own = Chosen(query.turn.settings, query.turn.model, query.client)
    chosen = _summarizer(query, own, messages)
    while True:
        try:
            return await _answer(query, chosen, messages, ask, source)
        except ModelError as error:
            if chosen is not own and error.kind != "too_long":
                text = f"routing.compaction: {chosen.model.id} does not answer: {error.user_message}"
                query.publisher.emit(Notice(level="warning", text=text, hint=f"{own.model.id} summarizes it."))
                chosen = own
                continue
            drops += 1
            if error.kind != "too_long" or drops > MAX_DROPS:
                raise
            shorter = shortened(messages, _first_to_keep(messages, error))
            if shorter == messages:
                raise
            messages = shorter


async def _answer(query: Query, chosen: Chosen, messages: tuple[Message, ...], ask: str, source: QuerySource) -> str:
    settings, model = chosen.settings, chosen.model
    tools = query.calls.tools.offer(can_search=can_search(settings, model))
    request = build_request(
        settings=settings,
        model=model,
        system=query.turn.system,
        tools=tools.schemas,
        messages=normalize(
            (*messages, program_message(query, ask)), Accepted(model.mid_system, frozenset(tools.deferred))
        ),
        max_tokens=min(SUMMARY_RESERVE, model.max_output),
        query_source=source,
    )
    answer = await query.calls.services.side.send(request, query.publisher, attempts=1, client=chosen.client)
    text = "\n\n".join(block.text for block in answer.blocks if isinstance(block, TextBlock)).strip()
    if answer.stop_reason == "refusal":
        raise ModelError("invalid", f"The model declined to write it. {answer.stop_detail}".strip())
    if answer.stop_reason == "tool_use":
        # What it says beside a call is what it is about to do.
        raise ModelError("invalid", "The model called a tool instead of writing it.")
    if answer.stop_reason == FULL:
        raise ModelError("too_long", "The window was full before it was written.")
    if not text:
        raise ModelError("invalid", f"The model wrote no summary (it stopped with {answer.stop_reason or 'nothing'}).")
    return text


def _summarizer(query: Query, own: Chosen, messages: tuple[Message, ...]) -> Chosen:
    """Who writes it: the turn's ``own`` model, which has read all of it, or the one that the routes name for it."""
    apart = query.calls.services.side.models.apart("compaction")
    if apart is None:
        return own
    tokens = query.overhead + sum(estimate(message) for message in messages)
    if tokens + reserve_of(apart.model) <= window_of(apart.model, apart.settings):
        return apart
    text = f"routing.compaction: the window of {apart.model.id} does not hold this conversation."
    query.publisher.emit(Notice(level="warning", text=text, hint=f"{own.model.id} summarizes it."))
    return own


def _first_to_keep(messages: tuple[Message, ...], error: ModelError) -> int:
    """The first message to keep where the oldest go: so much as is too much, else a part; never the newest round."""
    total = sum(estimate(message) for message in messages)
    share = DROP_SHARE
    if error.excess:
        sent, most = error.excess
        share = max(DROP_SHARE, 1 - most / max(sent, 1) + DROP_SHARE / 2)
    dropped = 0
    for at, message in enumerate(messages):
        if dropped >= total * share and message.role == "assistant":
            return at
        dropped += estimate(message)
    return 0


def program_message(query: Query, text: str, *, is_summary: bool = False) -> Message:
    """A message of the program's that is not in the conversation yet."""
    return Message(
        id=query.host.ids.uuid(),
        role="user",
        content=(TextBlock(text=text),),
        ts=query.host.clock.time(),
        is_meta=True,
        is_summary=is_summary,
    )

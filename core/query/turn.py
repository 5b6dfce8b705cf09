"""What a turn works with: settings frozen at its start, and the session's collaborators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from core.bus.bus import Publisher
from core.context.breaker import Breaker
from core.context.budget import context_limits, window_of
from core.context.session_memory import Notebook
from core.context.tokens import count_tokens, overhead
from core.cost.ledger import Ledger
from core.host.host import Host
from core.llm.catalog import ModelInfo
from core.llm.client import ModelClient, QuerySource
from core.orchestration.call import CallEnvironment
from core.orchestration.runner import ToolRunner
from core.prompt.assemble import can_search
from core.prompt.cache import prompt_cost
from core.prompt.cache_watch import CacheWatch
from core.protocol.agent_events import TaskNotified
from core.protocol.events import Notice, TurnEndReason, UsageUpdated
from core.protocol.messages import Role
from core.protocol.usage import Usage
from core.protocol.views import ContextLimits, SystemPrompt
from core.query.history import History
from core.query.mentions import attach_mentions
from core.query.notification import notification_text
from core.query.queue import MessageQueue, append_blocks, append_text, say_queued
from core.query.recovery import Recovery
from core.query.reminding import Reminders
from core.sessions.conversation import Conversation
from core.settings.schema import Settings
from core.tools.attached import Attached, attached_in
from core.tools.context import ToolState


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """Fixed for the length of a turn, but for the model where a fallback takes over."""

    settings: Settings
    model: ModelInfo
    system: SystemPrompt
    user_id: str = ""
    """Who asks, as the API is told."""


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn ended. ``detail`` is for the user where the reason alone does not say it."""

    reason: TurnEndReason
    detail: str = ""
    hint: str = ""


Hold = Callable[["Query"], Awaitable[TurnOutcome | None]]
"""Holds a turn as long as it takes; how it is to end, or None where it goes on."""


@dataclass(slots=True, kw_only=True)
class Query:
    """One turn in progress."""

    turn: TurnSettings
    client: ModelClient
    conversation: Conversation
    history: History
    """The session's: what it keeps serves the next turn too."""
    calls: CallEnvironment
    queue: MessageQueue
    ledger: Ledger
    reminders: Reminders
    state: ToolState
    usage: Usage = field(default_factory=Usage)
    """Of this turn."""
    first_prompt: str = ""
    """Id of the message that began the turn."""
    steps: int = 0
    warm_until: float | None = None
    """Until when the cache holds what the newest request has sent."""
    runner: ToolRunner | None = None
    """Runs the calls of the newest response."""
    watch: CacheWatch = field(default_factory=CacheWatch)
    """The session's: what the cache should hold of what was sent."""
    breaker: Breaker = field(default_factory=Breaker)
    """The session's."""
    notebook: Notebook = field(default_factory=Notebook)
    """The session's running notes."""
    source: QuerySource = "main"
    """Whose conversation it is."""
    hold: Hold | None = None
    """Asked before each request whether the turn may go on."""
    counted: tuple[int, Attached] = (0, Attached())
    """So many messages are counted for what is attached to them, and what that is."""
    main: ModelInfo = field(init=False)
    """What the turn began with; ``turn.model`` may be another one that stands in for it."""
    recovery: Recovery = field(init=False)

    def __post_init__(self) -> None:
        self.main = self.turn.model
        self.recovery = Recovery(self.main, self.turn.settings.fallback_models)

    @property
    def stands_in(self) -> bool:
        """Whether a fallback model answers."""
        return self.turn.model != self.main

    @property
    def limits(self) -> ContextLimits:
        """Where the window of the model of the moment is nearly full."""
        return context_limits(self.turn.model, self.turn.settings)

    @property
    def publisher(self) -> Publisher:
        """Publishes as this turn."""
        return self.calls.publisher

    @property
    def host(self) -> Host:
        """Clock and identifiers."""
        return self.calls.services.host

    async def take_queued(self) -> bool:
        """Take in what the user typed meanwhile to steer this turn; whether there was anything."""
        taken = say_queued(self.queue.take_steering(), self.conversation, self.publisher, self.host)
        await self.attach([item.text for item in taken])
        return bool(taken)

    async def attach(self, prompts: Sequence[str]) -> None:
        """Append the files that prompts mention."""
        if not any("@" in prompt for prompt in prompts):
            return
        attached = await attach_mentions(prompts, self.calls, self.tool_state())
        self.state = attached.state
        for content in attached.contents:
            append_blocks(self.conversation, self.host, "user", content, is_meta=True)
        if attached.names:
            self.publisher.emit(Notice(level="info", text=f"Attached: {', '.join(attached.names)}"))
        for text in attached.refused:
            self.publisher.emit(Notice(level="warning", text=text))

    async def remind(self) -> None:
        """Append what the model should hear before the next request."""
        # First, because it may be all that a turn begins with.
        self._tell_ends()
        texts, self.state = await self.reminders.due(self.state)
        for text in texts:
            self.append("system", text)

    def _tell_ends(self) -> None:
        """Append that tasks of this agent's have ended in the background."""
        for task in self.calls.services.task_registry.take_notifications(self.publisher.agent_id):
            ended = TaskNotified(task=task.info, text=task.told)
            spoke_last = next((m.role for m in reversed(self.conversation.messages) if m.role != "system"), "assistant")
            # Behind an answer only the user can speak.
            self.append("system" if spoke_last == "user" else "user", notification_text(ended))
            self.publisher.emit(ended)

    async def wait_for_tasks(self) -> bool:
        """Wait for tasks that the user has brought back to the foreground, as long as nothing else is said. Whether it
        has brought something to go on with."""
        registry, has_waited = self.calls.services.task_registry, False
        while self.source == "main" and registry.awaited() and not self.queue.items:
            has_waited = True
            await registry.wait_end()
        return has_waited and (await self.take_queued() or registry.calls_for_turn)

    def tool_state(self) -> ToolState:
        """What the next calls begin with: also prompts and mentions bring images along."""
        count, attached = self.counted
        messages = self.conversation.messages
        self.counted = len(messages), attached_in(messages[count:], attached)
        return self.state.with_attached(self.counted[1])

    def withdraw(self, message_ids: tuple[str, ...]) -> None:
        """Take messages at the end out again: the model is not to read them any more."""
        self.conversation.withdraw(message_ids)

    def account(self, usage: Usage) -> float | None:
        """Count what a request of this turn took, and give its cost in USD; None where the price is unknown."""
        self.usage += usage
        return self.ledger.add(usage, self.turn.model.id, self.turn.model.prices, self.source)

    def publish_usage(self, context_tokens: int) -> None:
        """Tell how full the window is and what the session has cost."""
        settings = self.turn.settings
        ttl = settings.cache_ttl if settings.prompt_caching else None
        self.publisher.emit(
            UsageUpdated(
                context_tokens=context_tokens,
                context_window=window_of(self.turn.model, self.turn.settings),
                last=self.conversation.last_usage,
                total=self.ledger.usage,
                cost_usd=self.ledger.cost_usd,
                limits=self.limits,
                warm_until=self.warm_until if self.conversation.known_tokens else None,
                breaker=self.breaker.state,
                cold_cost_usd=prompt_cost(self.turn.model, cached=0, fresh=context_tokens, ttl=ttl),
            )
        )

    def context_tokens(self) -> int:
        """How full the window is now."""
        known = self.conversation.known_tokens
        return count_tokens(self.conversation.messages, known, 0 if known else self.overhead)

    @property
    def overhead(self) -> int:
        """Tokens of what stands before the messages."""
        offer = self.calls.tools.offer(can_search=can_search(self.turn.settings, self.turn.model))
        return overhead(self.turn.system, offer.schemas)

    def learn_window(self, most: int) -> None:
        """The server has said how much it takes."""
        if most >= window_of(self.turn.model, self.turn.settings):
            return
        is_main, model = not self.stands_in, replace(self.turn.model, most=most)
        self.turn = replace(self.turn, model=model)
        if is_main:
            self.main = model
        text = f"{model.id} takes {most:,} tokens here: that is its window from now on."
        self.publisher.emit(Notice(level="info", text=text))

    def rebase(self, state: ToolState) -> None:
        """The history was changed: what was counted or told in it holds no longer."""
        self.state = state
        self.recount()
        self.reminders.told_anew(self.conversation.messages)

    def recount(self) -> None:
        """Images and documents may have gone from the history."""
        self.counted = 0, Attached()

    def steer(self) -> None:
        """The user sent a message that goes along with the next results: what need not be waited for ends."""
        if self.runner is not None:
            self.runner.steer()
        self.calls.services.task_registry.stir()

    def append(self, role: Role, text: str) -> None:
        """Append a text of the program's."""
        append_text(self.conversation, self.host, role, text, is_meta=True)

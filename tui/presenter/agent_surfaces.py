"""Where the events of a subagent go beside its conversation: to what is known of it, or nowhere."""

from __future__ import annotations

from collections.abc import Callable

from core.protocol.views import ContextLimits, QueuedMessage, SharedTask, TodoItem
from tui.presenter.sidechains import Sidechain
from tui.rendering.sanitize import clean_line

ANSWER = "waits for your answer"


class AgentStatus:
    """Keeps in a few words what the agent is at. ``now`` gives seconds since the epoch."""

    def __init__(self, chain: Sidechain, now: Callable[[], float]) -> None:
        self._chain = chain
        self._now = now

    def begin(self) -> None:
        """A turn of it began."""
        self.show_activity("Starting")

    def end(self) -> None:
        """It is over."""
        self.show_activity("")

    def show_activity(self, text: str, *, is_awaited: bool = False) -> None:
        """What is being done now. ``is_awaited``: it is the model that is waited for."""
        # What one that is over has done is told again, and is not what it does.
        self._chain.activity = "" if self._chain.info.is_over else clean_line(text)
        self._chain.is_asking = False
        self._chain.heard = self._now() if is_awaited else None

    def hear(self) -> None:
        """The model has sent something."""
        if self._chain.heard is not None:
            self._chain.heard = self._now()

    def show_waiting(self, who: str = "") -> None:
        """It is the user's turn."""
        self.show_activity(ANSWER)
        self._chain.is_asking = True

    def show_retry(self, what: str, seconds: float, attempt: str) -> None:
        """The next attempt comes; nothing here counts down to it."""
        self.show_activity(", ".join(part for part in (what, "is tried again", attempt) if part))

    def show_tokens(self, text: str) -> None:
        """They are told with the agent."""

    def show_item(self, text: str) -> None:
        """The todo item in progress."""
        self._chain.item = clean_line(text)


class AgentTodos:
    """Keeps the agent's own list; the shared one is shown by the main conversation."""

    def __init__(self, chain: Sidechain) -> None:
        self._chain = chain

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        self._chain.todos = items

    def show_shared(self, tasks: tuple[SharedTask, ...]) -> None:
        """Not of an agent."""


class AgentQueue:
    """Keeps what was said to the agent and waits for it."""

    def __init__(self, chain: Sidechain) -> None:
        self._chain = chain

    def show(self, items: tuple[QueuedMessage, ...]) -> None:
        """The queue as it is now."""
        self._chain.queued = items


class Nowhere:
    """Header, composer and footer are those of the main conversation: nothing of an agent goes there."""

    has_queue = False
    is_busy = False

    def show_session(self, folder: str, model: str, *, is_demo: bool) -> None:
        """Of the header."""

    def show_branch(self, branch: str) -> None:
        """Of the header."""

    def show_model(self, model: str) -> None:
        """Of the header."""

    def show_mode(self, mode: str) -> None:
        """Of the footer."""

    def show_window(self, window: int, limits: ContextLimits) -> None:
        """Of the footer."""

    def show_usage(self, used: int, cost: str, *, breaker: str = "closed") -> None:
        """Of the footer."""

    def show_cost(self, cost: str) -> None:
        """Of the footer."""

    def show_cache(self, percent: int | None, warm_until: float | None, cold_cost: str = "") -> None:
        """Of the footer."""

    def show_tasks(self, running: int) -> None:
        """Of the footer."""

    def show_agents(self, running: int) -> None:
        """Of the footer."""

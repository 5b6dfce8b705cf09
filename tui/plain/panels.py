"""What stands around the conversation in the window, as lines: only changes that mean something are printed."""

from __future__ import annotations

from core.protocol.views import ContextLimits, QueuedMessage, SharedTask, TodoItem
from tui.plain.paper import Paper
from tui.rendering.amounts import tokens
from tui.rendering.meter import FREE, zone

MODES = {
    "default": "asks before changes",
    "acceptEdits": "accepts edits",
    "plan": "plan mode, read-only",
    "dontAsk": "refuses what it would ask about",
    "bypassPermissions": "BYPASS, asks nothing",
}
LANES = {"steer": "after the running step", "follow_up": "after the turn"}
STATES = {"pending": "open", "in_progress": "in progress", "completed": "done"}
HOW = "Type and press Enter; a line that ends with \\ goes on. Ctrl+C stops what runs, twice it leaves, as Ctrl+D does."


class PlainHeader:
    """Where the session runs, and with which model."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    def show_session(self, folder: str, model: str, *, is_demo: bool) -> None:
        """A line about the session, and one about the keys."""
        self._paper.line(f"agent-tui in {folder}, model {model}")
        if is_demo:
            self._paper.line("DEMO: scripted words, real tools.")
        self._paper.line(HOW)

    def show_branch(self, branch: str) -> None:
        """The git branch."""
        if branch:
            self._paper.line(f"Branch: {branch}")

    def show_model(self, model: str) -> None:
        """Another model."""
        self._paper.line(f"Model: {model}")


class PlainTodos:
    """The todo list and the shared tasks: each item that is new or has changed."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._items: tuple[TodoItem, ...] = ()
        self._tasks: tuple[SharedTask, ...] = ()

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        before = {item.id: item for item in self._items}
        self._items = items
        if not items:
            return
        done = sum(item.status == "completed" for item in items)
        self._paper.line(f"Todo, {done} of {len(items)} done:")
        for item in items:
            if before.get(item.id) != item:
                priority = f", {item.priority} priority" if item.priority != "medium" else ""
                self._paper.line(f"  {STATES[item.status]}{priority}: {item.content}")

    def show_shared(self, tasks: tuple[SharedTask, ...]) -> None:
        """The tasks as they are now."""
        before = {task.id: task for task in self._tasks}
        self._tasks = tasks
        if not tasks:
            return
        done = sum(task.status == "completed" for task in tasks)
        self._paper.line(f"Shared tasks, {done} of {len(tasks)} done:")
        for task in tasks:
            if before.get(task.id) != task:
                owner = f", {task.owner}" if task.owner else ""
                self._paper.line(f"  {task.id} {STATES[task.status]}{owner}: {task.subject}")


class PlainStatus:
    """What goes on is told by the lines of the conversation."""

    def begin(self) -> None:
        """A turn began."""

    def end(self) -> None:
        """It is over."""

    def show_activity(self, text: str, *, is_awaited: bool = False) -> None:
        """What is being done now."""

    def hear(self) -> None:
        """More comes from the model."""

    def show_waiting(self, who: str = "") -> None:
        """The question itself is printed."""

    def show_retry(self, what: str, seconds: float, attempt: str) -> None:
        """The line about it is printed."""

    def show_tokens(self, text: str) -> None:
        """The line at the end of a turn sums up."""

    def show_item(self, text: str) -> None:
        """The todo list is printed as it changes."""


class PlainQueue:
    """Messages that wait: each is told once."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._known: set[str] = set()

    def show(self, items: tuple[QueuedMessage, ...]) -> None:
        """The queue as it is now."""
        for item in items:
            if item.id not in self._known:
                self._paper.line(f"(queued, {LANES[item.lane]}: {item.text})")
        self._known = {item.id for item in items}


class PlainComposer:
    """What is typed is read line by line; whether a turn runs decides what a line means."""

    has_queue = False
    is_busy = False


class PlainFooter:
    """Mode, how full the window is, background tasks."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._mode = "default"
        self._limits = ContextLimits()
        self._window = 0
        self._zone = FREE
        self._breaker: str = "closed"
        self._tasks = 0

    def show_mode(self, mode: str) -> None:
        """The permission mode, where it is another one."""
        if mode != self._mode:
            self._paper.line(f"Mode: {MODES[mode]}")
        self._mode = mode

    def show_window(self, window: int, limits: ContextLimits) -> None:
        """Size of the context window, tokens."""
        self._window, self._limits = window, limits

    def show_usage(self, used: int, cost: str, *, breaker: str = "closed") -> None:
        """Told when the window comes into another zone."""
        found = zone(used, self._limits)
        if found != self._zone and found.words:
            words = found.words[2:]
            self._paper.line(f"Context window {words}: {tokens(used)} of {tokens(self._window)} tokens, {cost} so far.")
        if breaker != self._breaker and breaker != "closed":
            self._paper.line("The context window is no longer compacted on its own.")
        self._zone, self._breaker = found, breaker

    def show_cache(self, percent: int | None, warm_until: float | None, cold_cost: str = "") -> None:
        """Nothing that would be worth a line."""

    def show_tasks(self, running: int) -> None:
        """How many background tasks run."""
        if running != self._tasks:
            self._paper.line(f"In the background: {running}")
        self._tasks = running

    def show_cost(self, cost: str) -> None:
        """Nothing stands where it could be brought up to date."""

    def show_agents(self, running: int) -> None:
        """Each is told where it starts and ends."""

"""The session: one conversation with its turns. ``submit`` is the only way in for a prompt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.cost.ledger import Ledger
from core.engine.briefing import Briefing
from core.engine.launch import Launch
from core.engine.model_choice import ModelChoice, warm_since_answer
from core.engine.prewarm import Opening, Prewarm
from core.engine.session_commands import CommandLine, read_command, run_command
from core.engine.session_state import SessionState
from core.host.host import Host
from core.host.log import LOGGER
from core.host.tasks import uncancelled
from core.llm.errors import ModelError
from core.llm.models import Chosen, Models
from core.llm.routes import routed
from core.orchestration.call import CallEnvironment, SessionCalls
from core.prompt.assemble import can_search
from core.prompt.sections import template
from core.protocol.errors import AgentError
from core.protocol.events import FaultOccurred, TurnEnded, TurnStarted
from core.protocol.usage import Usage
from core.protocol.views import ImageAttachment, Lane, QueuedMessage
from core.query.history import History
from core.query.loop import run_query
from core.query.queue import MessageQueue, append_text, say_queued
from core.query.shell_line import SHELL_SIGN, run_shell_line
from core.query.turn import Query, TurnOutcome, TurnSettings
from core.sessions.conversation import Conversation
from core.tools.task_registry import TaskRegistry

MODEL_COMMAND = "/model "
"""How a change of the model is written while it waits."""


class Session:
    """Owns the conversation, runs one turn at a time, and queues what comes meanwhile."""

    def __init__(
        self,
        launch: Launch,
        state: SessionState,
        models: Models,
        conversation: Conversation,
        calls: SessionCalls,
        ledger: Ledger,
    ) -> None:
        self._launch = launch
        self.state = state
        self.models = models
        self.conversation = conversation
        self.calls = calls
        self.ledger = ledger
        self.queue = MessageQueue(self._host.ids, calls.publisher)
        self._turn: asyncio.Task[None] | None = None
        self._query: Query | None = None
        """The turn that runs; None between turns."""
        self.briefing = Briefing(launch, state, conversation, calls)
        self._history = History()
        self.choice = ModelChoice(models, state, conversation, calls)
        self._prewarm = Prewarm(calls.services.side, calls.publisher, is_on=launch.is_attended and not launch.is_demo)

    @property
    def _host(self) -> Host:
        return self.calls.services.host

    @property
    def _tasks(self) -> TaskRegistry:
        return self.calls.services.task_registry

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return self._turn is not None and not self._turn.done()

    @property
    def answering(self) -> Chosen | None:
        """Who answers the turn that runs; None between turns."""
        query = self._query
        return Chosen(query.turn.settings, query.turn.model, query.client) if query is not None else None

    def warm_up(self) -> None:
        """A prompt is being typed. Begin to load the model client, which is large, and write the beginning of the
        first request to the cache."""
        self._load_client()
        if self.state.system is None and not self.conversation.messages:
            self._prewarm.begin(self._opening)

    def _load_client(self) -> None:
        self.models.client(self.models.route("main")).warm_up()

    async def _opening(self) -> Opening:
        """What the first request will begin with, and who answers it."""
        prepared = await asyncio.shield(self.briefing.prepare())
        route = self.choice.route()
        chosen = Chosen(routed(self.state.settings, route), await self.models.learn(route), self.models.client(route))
        offer = self.calls.tools.offer(can_search=can_search(chosen.settings, chosen.model))
        return Opening(
            chosen=chosen,
            system=prepared.system,
            tools=offer.schemas,
            context=self.briefing.context(),
            user_id=self.state.user_id,
        )

    def submit(self, text: str, lane: Lane = "steer", images: tuple[ImageAttachment, ...] = ()) -> None:
        """Send a prompt, or queue it where a turn runs. Blank text is ignored."""
        if not text.strip():
            return
        item = self.queue.add(text, lane, images, is_shown=self.is_busy)
        if not self.is_busy:
            self._start_turn()
        elif self._query is not None and item.lane == "steer":
            self._query.steer()

    def run_shell(self, command: str) -> None:
        """Run a command of the user's own, after the turn where one runs. Raises ``AgentError`` for what is none."""
        if "\0" in command:
            raise AgentError("The command holds a NUL character.")
        if not command.strip():
            return
        self.queue.add_line(SHELL_SIGN + command.strip(), is_shown=self.is_busy)
        if not self.is_busy:
            self._start_turn()

    def take_over(self, other: Session) -> None:
        """What waits in a session that ends is sent here."""
        self.queue.take_over(other.queue)
        if self.queue.items and not self.is_busy:
            self._start_turn()

    def command(self, name: str, argument: str = "") -> None:
        """Do something with the conversation itself, after the turn where one runs."""
        self.queue.add_line(f"{name} {' '.join(argument.split())}".strip(), is_shown=self.is_busy)
        if not self.is_busy:
            self._start_turn()

    def interrupt(self) -> None:
        """Stop the running turn; what is queued is sent right after it."""
        if self._turn is not None and self.is_busy:
            # Not at once: a task that is cancelled before its first step never runs, and its prompt would be lost.
            asyncio.get_running_loop().call_soon(self._turn.cancel)

    async def follow_tasks(self) -> None:
        """Until cancelled: begin a turn when something of the background has ended and none runs. A turn that runs
        hears of it before its next request, or is followed by another."""
        while True:
            self._answer_call()
            await self._tasks.wait_end()

    async def wait_idle(self) -> None:
        """Returns when no turn runs and nothing calls for one."""
        while self._answer_call() or self.is_busy:
            assert self._turn is not None
            await asyncio.wait({self._turn})

    async def set_model(self, model_id: str, *, is_confirmed: bool = False) -> None:
        """Use another model from the next turn on: one that runs keeps its own, and the change waits for its end."""
        if self.is_busy:
            self.queue.add_line(MODEL_COMMAND + model_id)
        else:
            await self.choice.change(model_id, is_confirmed=is_confirmed)

    async def close(self) -> None:
        """End the turn and everything it started; the transcript is complete afterwards."""
        self.queue.items = ()
        self._tasks.hush()
        self.briefing.cancel()
        self._prewarm.end()
        while self.is_busy:
            self.interrupt()
            await self.wait_idle()
        await asyncio.gather(*(task.stop() for task in self._tasks.running), return_exceptions=True)
        await self.calls.services.shells.close()
        self.conversation.close()
        await self.models.close()

    def _answer_call(self) -> bool:
        """Begin a turn where something that has ended calls for one and none runs."""
        is_called = self._tasks.is_due and not self.is_busy
        if is_called:
            self._start_turn()
        return is_called

    def _start_turn(self) -> None:
        self._turn = asyncio.create_task(self._run_turns(), name="turn")

    async def _run_turns(self) -> None:
        """A turn or a shell line, and more for what was queued or has ended meanwhile, unless a turn failed."""
        while self.queue.items or self._tasks.is_due:
            line = self.queue.take_line()
            command = read_command(line.text) if line is not None else None
            if command is not None:
                handed_to = self.conversation.handed_to
                await self._run_turn(command)
                if self.conversation.handed_to != handed_to:
                    # What waits is for the other session, which takes it over.
                    return
                continue
            if line is not None:
                await self._run_line(line.text)
                continue
            outcome = await self._run_turn()
            if outcome.reason == "interrupted":
                await uncancelled(self._tasks.stop_awaited())
            if outcome.reason != "completed":
                # Who stopped a turn does not want the next one to begin by itself.
                self._tasks.calm()
            if outcome.reason not in ("completed", "interrupted", "denied"):
                return

    async def _run_line(self, text: str) -> None:
        if text.startswith(MODEL_COMMAND):
            name = text.removeprefix(MODEL_COMMAND).strip()
            await uncancelled(self.choice.change(name, is_confirmed=True))
        else:
            command = text.removeprefix(SHELL_SIGN)
            self.state.tools = await run_shell_line(command, self.conversation, self.calls, self.state.tools)

    async def _run_turn(self, command: CommandLine | None = None) -> TurnOutcome:
        host, started = self._host, self._host.clock.monotonic()
        publisher = self.calls.publisher.for_turn(host.ids.uuid())
        publisher.emit(TurnStarted())
        query: Query | None = None
        try:
            self._query = query = await self._open_turn(replace(self.calls, publisher=publisher), command)
            # What a turn began with may have been taken back by now: then there is nothing to send.
            outcome = TurnOutcome("completed")
            if query is not None and command is not None:
                outcome = await run_command(command, query)
            elif query is not None and await self._has_to_send(query):
                outcome = await run_query(query)
        except asyncio.CancelledError:
            outcome = self._cancelled()
        except ModelError as error:
            outcome = TurnOutcome("error", error.user_message, error.hint)
        except Exception as error:  # noqa: BLE001  the wall: a fault ends the turn, never the session
            LOGGER.exception("a turn failed")
            text = f"Unexpected error: {type(error).__name__}: {error}"
            publisher.emit(FaultOccurred(text=text, log_path=str(self._launch.paths.log)))
            outcome = TurnOutcome("error", text)
        self._query = None
        if query is not None:
            self.state.tools = query.state
            if query.main.most:
                self.state.most[query.main.id] = query.main.most
            if query.stands_in:
                # That was for this turn only.
                self.choice.tell(query.turn.settings.model, query.main)
        self.conversation.sync()
        publisher.emit(
            TurnEnded(
                reason=outcome.reason,
                detail=f"{outcome.detail} {outcome.hint}".strip(),
                steps=query.steps if query else 0,
                duration_ms=round((host.clock.monotonic() - started) * 1000),
                usage=query.usage if query else Usage(),
            )
        )
        return outcome

    async def _has_to_send(self, query: Query) -> bool:
        """Whether there is anything to send; a turn that has only a task to wait for waits for it."""
        if query.first_prompt or self._tasks.calls_for_turn:
            return True
        return await query.wait_for_tasks()

    def _cancelled(self) -> TurnOutcome:
        """Interrupted before the first request: the model must not take the prompt for one to be answered."""
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        append_text(self.conversation, self._host, "user", template("interrupted"), is_meta=True)
        return TurnOutcome("interrupted")

    async def _open_turn(self, calls: CallEnvironment, command: CommandLine | None) -> Query | None:
        """Everything a turn needs; None where there is no prompt any more. It is in the conversation afterwards,
        whatever else fails."""
        self._load_client()
        self._prewarm.end()
        prompts: list[QueuedMessage] = []
        try:
            reminders = await self.briefing.get_ready()
            self._prewarm.take_down()
        finally:
            if command is None:
                prompts = say_queued(self.queue.take_next(), self.conversation, calls.publisher, self._host)
        if not prompts and command is None and not self._tasks.is_due:
            return None
        assert self.state.system is not None
        chosen = await self.choice.for_turn(calls.publisher)
        if prompts or command is not None:
            # What begins because a task has ended is still of the prompt before: it has no budget of its own.
            self.ledger.begin_turn()
        query = Query(
            turn=TurnSettings(
                settings=chosen.settings, model=chosen.model, system=self.state.system, user_id=self.state.user_id
            ),
            client=chosen.client,
            conversation=self.conversation,
            history=self._history,
            calls=calls,
            queue=self.queue,
            ledger=self.ledger,
            reminders=reminders,
            state=self.state.tools,
            watch=self.state.watch,
            breaker=self.state.breaker,
            notebook=self.state.notebook,
            first_prompt=prompts[0].id if prompts else "",
            warm_until=warm_since_answer(self.conversation, chosen.settings),
        )
        await query.attach([prompt.text for prompt in prompts])
        return query

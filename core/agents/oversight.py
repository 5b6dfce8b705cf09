"""Watches over one agent: its limits, calls that repeat themselves, silence. Holds it and asks the user what to do.

How it is used, for each run of an agent::

    oversight = Oversight(limits_of(definition, settings), broker, publisher, host, tell, kill)
    watching = asyncio.create_task(oversight.watch())
    try:
        outcome = await run.run(oversight.hold)     # before each request; every event goes to oversight.heard
    finally:
        watching.cancel()
        await asyncio.wait({watching})              # what it asks is withdrawn before the agent ends
    ending = outcome.detail or oversight.ending

``tell`` takes what is suspicious (``AgentInfo.trouble``) whenever that changes; ``kill`` cancels the agent's task and
takes the reason (``AgentInfo.ending``). It must not wait for the end: it is called from within that task too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.agents.limits import AgentLimits, Spent
from core.agents.stall import Repeats, Silence
from core.bus.bus import Publisher
from core.host.host import Host
from core.llm.client import QuerySource
from core.permissions.broker import Broker
from core.prompt.sections import template
from core.protocol import events as ev
from core.protocol.inquiries import QuestionAnswer, QuestionOption, QuestionRequest, UserQuestion
from core.protocol.usage import Usage
from core.query.turn import Query, TurnOutcome

SOURCE: QuerySource = "agent"
GO_ON, SUM_UP, KILL, WAIT = "Go on", "Sum up and stop", "Kill it", "Wait on"
HELD = (
    QuestionOption(label=GO_ON, description="It may take as much again."),
    QuestionOption(label=SUM_UP, description="One more request, for what it has found so far."),
    QuestionOption(label=KILL, description="It ends at once; what it did stays."),
)
SILENT = (
    QuestionOption(label=WAIT, description="You are asked again if it stays silent for as long again."),
    QuestionOption(label=KILL, description="It ends at once; what it did stays."),
)
OWN_WORDS = "Your own words are sent to it, and it goes on."
HINT = "maxTurns of its definition and agents.max… of the settings say how much it may take."


class Oversight:
    """Belongs to one run of an agent, and begins with it."""

    def __init__(
        self,
        limits: AgentLimits,
        broker: Broker,
        publisher: Publisher,
        host: Host,
        tell: Callable[[str], None],
        kill: Callable[[str], None],
    ) -> None:
        self._may_take = limits
        self._limits = limits
        self._broker = broker
        self._publisher = publisher
        self._host = host
        self._tell = tell
        self._kill = kill
        self.ending = ""
        """Why it had to end, once it had to; empty where it goes on or ended by itself."""
        self._repeats = Repeats(limits.repeats)
        self._began = self._now
        self._silence = Silence(limits.silent_s, self._began)
        self._asking: asyncio.Task[QuestionAnswer] | None = None
        """The question about a silence: a sign of life withdraws it."""
        self._turns = 0
        """Requests of its own loop; of tokens and dollars those beside it count too."""
        self._usage = Usage()
        self._usd: float | None = 0.0
        self._told = ""
        self._asked_about_silence = ""
        """Id of that question."""
        self._was_nudged = False
        self._nudge = ""
        """What the user has to say to it before its next request."""

    def heard(self, event: ev.Event) -> None:
        """An event of the agent's own was published. What is told of it is no sign of life."""
        match event:
            case ev.AgentStarted() | ev.AgentProgressed() | ev.AgentEnded() | ev.AgentRecalled():
                return
            case ev.PermissionRequested(request=asked) | ev.QuestionAsked(request=asked):
                if asked.id != self._asked_about_silence:
                    self._silence.wait(asked.id, self._now)
            case ev.PermissionResolved(request_id=closed) | ev.QuestionResolved(request_id=closed):
                self._silence.go_on(closed, self._now)
            case ev.RequestFinished():
                self._turns += event.query_source == SOURCE
                self._usage += event.usage
                self._usd = None if self._usd is None or event.cost_usd is None else self._usd + event.cost_usd
                self._sign()
            case ev.RequestFailed():
                self._sign(event.retry_in_s or 0.0)
            case ev.ToolStarted():
                self._repeats.add(event.name, event.input)
                self._sign()
            case _:
                self._sign()

    async def hold(self, query: Query) -> TurnOutcome | None:
        """Called before each request: waits where the user has to decide. How the turn ends; None where it goes on."""
        if self.ending:
            # It was to sum up and called tools instead.
            return TurnOutcome("max_budget", self.ending, HINT)
        await self._say(query)
        spent = Spent(
            turns=self._turns,
            tokens=self._usage.fresh_tokens,
            usd=self._usd,
            minutes=(self._now - self._began - self._silence.waited_until(self._now)) / 60,
        )
        used_up = self._limits.reached(spent)
        if not used_up and not self._repeats.is_stuck:
            return None
        if not self._broker.is_attended:
            return self._alone(query, spent, used_up)
        why = used_up or f"has made {self._repeats.trouble}"
        answer = await self._ask(f"{self._name} {why}. Shall it go on? {OWN_WORDS}", HELD)
        if KILL in answer.chosen:
            self._end(f"{why}, and was killed")
            # Where killing is a cancellation, it comes here.
            await asyncio.sleep(0)
            return TurnOutcome("interrupted", self.ending)
        self._limits = self._limits.raised(spent, self._may_take)
        self._repeats.forgive()
        self._show()
        if SUM_UP in answer.chosen:
            self.ending = f"{why}, and was told to sum up"
            query.append("user", template("agent_sum_up").format(why=why))
        self._nudge = answer.text
        await self._say(query)
        return None

    async def watch(self) -> None:
        """Runs beside the agent until it is cancelled: tells of a silence, and asks about one that is too long."""
        while self._limits.silent_s > 0:
            await self._host.clock.alarm(self._silence.matters_in(self._now))
            self._show()
            if self._silence.is_too_long(self._now) and self._broker.is_attended:
                await self._ask_about_silence()

    @property
    def _now(self) -> float:
        return self._host.clock.monotonic()

    @property
    def _name(self) -> str:
        return self._publisher.label or self._publisher.agent_id

    def _alone(self, query: Query, spent: Spent, used_up: str) -> TurnOutcome | None:
        """Where there is nobody to ask a limit ends it; for repeating itself it is told first."""
        if used_up:
            self.ending = used_up
            return TurnOutcome(self._limits.reason(spent), f"It {used_up}.", HINT)
        tool, count = self._repeats.tool, self._repeats.count
        if self._was_nudged:
            self.ending = f"made the same call of {tool} {count} times in a row, also once it was told"
            return TurnOutcome("error", f"It {self.ending}.")
        self._was_nudged = True
        self._repeats.forgive()
        self._show()
        query.append("user", template("agent_repeats").format(tool=tool, count=count))
        return None

    async def _ask_about_silence(self) -> None:
        """Ask what to do, until it gives a sign of life."""
        lasts, request_id = f"{self._silence.lasts(self._now):.0f} s", self._host.ids.uuid()
        text = f"{self._name} has given no sign of life for {lasts}. {OWN_WORDS}"
        self._asked_about_silence = request_id
        self._asking = asking = asyncio.create_task(self._ask(text, SILENT, request_id))
        try:
            await asyncio.wait({asking})
        finally:
            asking.cancel()
            await asyncio.wait({asking})
        if asking.cancelled():
            return
        answer = asking.result()
        if KILL in answer.chosen:
            self._end(f"gave no sign of life for {lasts}, and was killed")
        self._nudge = self._nudge or answer.text
        self._sign()

    async def _ask(self, text: str, options: tuple[QuestionOption, ...], request_id: str = "") -> QuestionAnswer:
        """What the user says. Not to answer is to have it sum up."""
        question = UserQuestion(question=text, header="Agent", options=options)
        request = QuestionRequest(
            id=request_id or self._host.ids.uuid(),
            tool_use_id="",
            questions=(question,),
            agent=self._publisher.subagent,
            agent_label=self._publisher.label,
        )
        reply = await self._broker.question(request, self._publisher)
        answer = reply.answers[0] if reply.answers else QuestionAnswer(text=reply.comment)
        return answer if answer.chosen or answer.text else QuestionAnswer(chosen=(SUM_UP,))

    async def _say(self, query: Query) -> None:
        """Give the agent what the user has to say to it."""
        text, self._nudge = self._nudge, ""
        if text:
            query.queue.add(text, is_shown=False)
            await query.take_queued()

    def _end(self, reason: str) -> None:
        self.ending = reason
        self._kill(reason)

    def _sign(self, rests_s: float = 0.0) -> None:
        self._silence.sign(self._now, rests_s)
        if self._asking is not None:
            self._asking.cancel()
        self._show()

    def _show(self) -> None:
        """Tell what is suspicious, where that has changed."""
        trouble = self._repeats.trouble or self._silence.trouble(self._now)
        if trouble != self._told:
            self._told = trouble
            self._tell(trouble)

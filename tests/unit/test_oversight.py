"""Limits of an agent, calls that repeat themselves, silence: what is shown, what is asked, what the answers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.definition import AgentDefinition
from core.agents.limits import AgentLimits, Spent, limits_of
from core.agents.oversight import GO_ON, KILL, SUM_UP, WAIT, Oversight
from core.agents.stall import Repeats, Silence
from core.bus.bus import Author, Bus, Publisher
from core.bus.subscription import Subscription
from core.host.host import Host
from core.permissions.broker import Broker
from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.inquiries import QuestionAnswer, QuestionRequest
from core.protocol.ops import AnswerPermission, AnswerQuestion
from core.protocol.usage import Usage
from core.protocol.views import PermissionRequest
from core.query.queue import MessageQueue
from core.query.turn import Query, TurnOutcome
from core.settings.schema import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds

PATIENCE_S = 5
LABEL = "Explore · Find the callers"
NONE = AgentLimits()


# Pure: limits


def test_the_smaller_number_of_requests_counts() -> None:
    definition = AgentDefinition(name="x", description="", prompt="", max_turns=7)
    assert limits_of(definition, Settings()).turns == 7
    assert limits_of(definition, Settings(agent_max_turns=5)).turns == 5
    assert limits_of(definition, Settings(agent_max_turns=9)).turns == 7
    free = AgentDefinition(name="x", description="", prompt="")
    assert limits_of(free, Settings()) == AgentLimits(repeats=5, silent_s=300)
    settings = Settings(agent_max_tokens=1, agent_max_usd=2.0, agent_max_minutes=3.0, agent_repeats=4, agent_silent_s=6)
    assert limits_of(free, settings) == AgentLimits(tokens=1, usd=2.0, minutes=3.0, repeats=4, silent_s=6)


@pytest.mark.parametrize(
    ("limits", "spent", "told"),
    [
        (AgentLimits(turns=2), Spent(turns=2), "has sent 2 requests, as many as it may"),
        (AgentLimits(tokens=1_000), Spent(tokens=1_200), "has taken 1,200 tokens of the 1,000 that it may"),
        (AgentLimits(usd=0.5), Spent(usd=0.5), "has cost $0.5000 of the $0.5 that it may"),
        (AgentLimits(usd=0.5), Spent(usd=None), "the price of its model is not known"),
        (AgentLimits(minutes=2), Spent(minutes=2.04), "has worked for 2.0 of the 2 minutes that it may"),
        (AgentLimits(turns=2, tokens=9, usd=1.0, minutes=1), Spent(turns=1, tokens=8, usd=0.9, minutes=0.9), ""),
        (NONE, Spent(turns=10**6, tokens=10**9, usd=None, minutes=10**6), ""),
    ],
)
def test_what_is_used_up_is_said(limits: AgentLimits, spent: Spent, told: str) -> None:
    assert told in limits.reached(spent) and bool(limits.reached(spent)) == bool(told)


counts = st.integers(1, 50)
amounts = st.floats(0.01, 50)
some_limits = st.builds(
    AgentLimits,
    turns=st.none() | counts,
    tokens=st.none() | counts,
    usd=st.none() | amounts,
    minutes=st.none() | amounts,
)
some_spent = st.builds(
    Spent,
    turns=st.integers(0, 90),
    tokens=st.integers(0, 90),
    usd=st.none() | st.floats(0, 90),
    minutes=st.floats(0, 90),
)


@given(some_limits, some_spent)
def test_once_raised_nothing_is_used_up_and_nothing_is_lowered(limits: AgentLimits, spent: Spent) -> None:
    raised = limits.raised(spent, limits)
    assert raised.reached(spent) == ""
    for name in ("turns", "tokens", "minutes"):
        before, after = getattr(limits, name), getattr(raised, name)
        assert (before is None) == (after is None) and (before is None or after >= before)
    if not limits.reached(spent):
        assert raised == limits


# Pure: repeats and silence


@given(st.lists(st.sampled_from(["a", "b"]), max_size=20), st.integers(0, 6))
def test_only_the_same_call_in_a_row_counts(calls: list[str], most: int) -> None:
    repeats, row = Repeats(most), 0
    for place, name in enumerate(calls):
        repeats.add("Grep", {"pattern": name, "x": 1})
        row = row + 1 if place and calls[place - 1] == name else 1
        assert repeats.count == row
        assert repeats.is_stuck == (0 < most <= row)
        assert bool(repeats.trouble) == (most > 0 and row > 1 and row * 2 >= most)


def test_the_order_of_fields_makes_no_other_call_but_the_tool_does() -> None:
    repeats = Repeats(3)
    repeats.add("Grep", {"a": 1, "b": 2})
    repeats.add("Grep", {"b": 2, "a": 1})
    assert repeats.trouble == "the same call of Grep 2 times in a row"
    repeats.add("Glob", {"a": 1, "b": 2})
    assert repeats.count == 1 and not repeats.trouble


steps = st.lists(st.tuples(st.sampled_from(["sign", "wait", "go on", "pass"]), st.floats(0, 200)), max_size=30)


@given(steps)
def test_who_waits_for_the_user_is_not_silent_and_a_look_is_never_late(steps: list[tuple[str, float]]) -> None:
    now, silence, waits, heard = 0.0, Silence(100, 0.0), False, 0.0
    for what, seconds in steps:
        due = now + silence.matters_in(now)
        now += seconds
        assert due > now - seconds
        if not waits:
            # Whoever looked when it was told to has seen each threshold that was passed.
            for moment in (heard + 50, heard + 100):
                assert not (now - seconds < moment <= now) or due <= moment
        match what:
            case "sign":
                silence.sign(now)
                heard = now
            case "wait":
                silence.wait("q", now)
                waits = True
            case "go on":
                silence.go_on("q", now)
                heard, waits = now, False
            case _:
                pass
        assert abs(silence.lasts(now) - (0.0 if waits else now - heard)) < 1e-6


# Oversight


@dataclass
class FakeQuery:
    """What oversight needs of a query."""

    queue: MessageQueue
    said: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def append(self, role: str, text: str) -> None:
        self.said.append((role, text))

    async def take_queued(self) -> bool:
        taken = self.queue.take_steering()
        self.said += [("the user", item.text) for item, _images in taken]
        return bool(taken)


@dataclass
class Agent:
    """An agent under oversight, on a real broker and bus."""

    oversight: Oversight
    broker: Broker
    publisher: Publisher
    clock: FakeClock
    query: FakeQuery
    seen: Subscription
    told: list[str]
    killed: list[str]
    events: list[ev.Event] = field(default_factory=list[ev.Event])

    def hold(self) -> asyncio.Task[TurnOutcome | None]:
        return asyncio.create_task(self.oversight.hold(cast(Query, self.query)))

    async def question(self, number: int = 1) -> QuestionRequest:
        """The question of that number, once it is asked."""
        async with asyncio.timeout(PATIENCE_S):
            while len(asked := self.of(ev.QuestionAsked)) < number:
                await self.seen.ready()
        return cast(ev.QuestionAsked, asked[number - 1]).request

    def of(self, kind: type[Any]) -> list[Any]:
        self.events += [envelope.event for envelope in self.seen.take()]
        return [event for event in self.events if isinstance(event, kind)]

    def answer(self, request: QuestionRequest, *chosen: str, text: str = "") -> None:
        answers = (QuestionAnswer(chosen=chosen, text=text),) if chosen or text else ()
        assert self.broker.answer(AnswerQuestion(request_id=request.id, answers=answers))

    def call(self, name: str = "Grep", **given: Any) -> None:
        self.publisher.emit(ev.ToolStarted(tool_use_id="t", name=name, input=given))

    def request(self, tokens: int = 10, usd: float | None = 0.1, source: str = "agent") -> None:
        usage = Usage(input_tokens=tokens, cache_read_tokens=1_000_000)
        self.publisher.emit(
            ev.RequestFinished(
                request_id="r",
                query_source=source,
                stop_reason="",
                usage=usage,
                cost_usd=usd,
                duration_ms=1,
                first_token_ms=1,
            )
        )


def agent(limits: AgentLimits, *, is_attended: bool = True) -> Agent:
    clock = FakeClock()
    host = Host(clock=clock, ids=CountingIds())
    bus = Bus("s", clock)
    seen, broker = bus.subscribe(), Broker(is_attended=is_attended)
    told: list[str] = []
    killed: list[str] = []
    overseen: list[Oversight] = []

    def heard(event: ev.Event) -> None:
        overseen[0].heard(event)

    def tell(text: str) -> None:
        told.append(text)
        info = AgentInfo(id="a04bf57", agent_type="Explore", description="", trouble=text)
        publisher.emit(ev.AgentProgressed(agent=info))

    publisher = Publisher(bus, Author("a04bf57", "toolu_1", LABEL, heard))
    overseen.append(Oversight(limits, broker, publisher, host, tell, killed.append))
    query = FakeQuery(MessageQueue(host.ids, publisher))
    return Agent(overseen[0], broker, publisher, clock, query, seen, told, killed)


@asynccontextmanager
async def watched(limits: AgentLimits, *, is_attended: bool = True) -> AsyncGenerator[Agent]:
    """One that is watched, until the end of the block."""
    one = agent(limits, is_attended=is_attended)
    watching = asyncio.create_task(one.oversight.watch())
    await settled()
    try:
        yield one
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        assert not one.clock.alarms and one.broker.pending == ()


async def settled() -> None:
    """Let everything that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_below_its_limits_it_is_not_held() -> None:
    one = agent(AgentLimits(turns=3, tokens=100, usd=1.0, minutes=5, repeats=4))
    for _ in range(2):
        one.request()
        assert await one.hold() is None
    assert not one.of(ev.QuestionAsked) and one.told == []


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (AgentLimits(turns=2), "has sent 2 requests"),
        (AgentLimits(tokens=20), "has taken 20 tokens"),
        (AgentLimits(usd=0.2), "has cost $0.2000"),
        (AgentLimits(minutes=2), "has worked for 2.0 of the 2 minutes"),
    ],
)
async def test_at_a_limit_it_is_held_and_goes_on_with_as_much_again(limits: AgentLimits, why: str) -> None:
    one = agent(limits)
    for number in (1, 2):
        for _ in range(2):
            assert await one.hold() is None
            one.request()
            one.clock.move(60)
        holding = one.hold()
        request = await one.question(number)
        assert (request.agent, request.agent_label, request.tool_use_id) == ("a04bf57", LABEL, "")
        question = request.questions[0]
        assert [option.label for option in question.options] == [GO_ON, SUM_UP, KILL]
        if number == 1:
            assert question.question.startswith(f"{LABEL} {why}")
        # The time that the user takes is not the agent's.
        one.clock.move(600)
        one.answer(request, GO_ON)
        assert await holding is None
    assert one.query.said == [] and one.killed == [] and one.oversight.ending == ""


async def test_what_is_asked_beside_its_loop_costs_but_is_no_request_of_its() -> None:
    one = agent(AgentLimits(turns=2, tokens=40))
    for _ in range(3):
        one.request(source="web_search")
    one.request()
    holding = one.hold()
    request = await one.question()
    assert "has taken 40 tokens" in request.questions[0].question
    one.answer(request, GO_ON)
    assert await holding is None


async def test_a_price_that_is_not_known_is_asked_about_once() -> None:
    one = agent(AgentLimits(usd=1.0))
    one.request(usd=None)
    holding = one.hold()
    one.answer(await one.question(), GO_ON)
    assert await holding is None
    one.request(usd=None)
    assert await one.hold() is None


async def test_summing_up_is_one_request_more_and_no_other() -> None:
    one = agent(AgentLimits(turns=1))
    one.request()
    holding = one.hold()
    one.answer(await one.question(), SUM_UP)
    assert await holding is None
    ((role, text),) = one.query.said
    assert role == "user" and "Call no more tools" in text and "has sent 1 request, as many as it may" in text
    assert one.oversight.ending == "has sent 1 request, as many as it may, and was told to sum up"
    one.request()
    outcome = await one.hold()
    assert outcome is not None and outcome.detail == one.oversight.ending


async def test_not_to_answer_is_to_have_it_sum_up() -> None:
    one = agent(AgentLimits(turns=1))
    one.request()
    holding = one.hold()
    one.answer(await one.question())
    assert await holding is None and one.oversight.ending.endswith("was told to sum up")


async def test_killed_it_ends_with_the_reason() -> None:
    one = agent(AgentLimits(turns=1))
    one.request()
    holding = one.hold()
    one.answer(await one.question(), KILL)
    outcome = await holding
    assert outcome is not None and outcome.reason == "interrupted"
    assert one.killed == ["has sent 1 request, as many as it may, and was killed"] == [outcome.detail]


async def test_own_words_are_said_to_it_and_it_goes_on() -> None:
    one = agent(AgentLimits(turns=1))
    one.request()
    holding = one.hold()
    one.answer(await one.question(), text="Look into tests/ only.")
    assert await holding is None
    assert one.query.said == [("the user", "Look into tests/ only.")]
    assert await one.hold() is None


async def test_a_turn_that_is_interrupted_withdraws_the_question() -> None:
    one = agent(AgentLimits(turns=1))
    one.request()
    holding = one.hold()
    await one.question()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert [event.outcome for event in one.of(ev.QuestionResolved)] == ["withdrawn"]


async def test_the_same_call_again_and_again_is_shown_then_asked_about() -> None:
    one = agent(AgentLimits(repeats=4))
    one.call(pattern="x")
    assert one.told == []
    one.call(pattern="x")
    one.call(pattern="x")
    assert one.told == ["the same call of Grep 2 times in a row", "the same call of Grep 3 times in a row"]
    assert await one.hold() is None
    one.call(pattern="x")
    holding = one.hold()
    request = await one.question()
    assert "has made the same call of Grep 4 times in a row" in request.questions[0].question
    one.answer(request, GO_ON)
    assert await holding is None and one.told[-1] == ""
    for _ in range(3):
        one.call(pattern="x")
    assert await one.hold() is None
    one.call(pattern="y")
    assert one.told[-1] == ""


@pytest.mark.parametrize(
    ("limits", "reason"), [(AgentLimits(turns=1), "max_turns"), (AgentLimits(tokens=5), "max_budget")]
)
async def test_alone_a_limit_ends_it(limits: AgentLimits, reason: str) -> None:
    one = agent(limits, is_attended=False)
    one.request()
    outcome = await one.hold()
    assert outcome is not None and outcome.reason == reason and outcome.hint
    assert outcome.detail == f"It {one.oversight.ending}." and not one.of(ev.QuestionAsked)


async def test_alone_it_is_told_once_that_it_repeats_itself() -> None:
    one = agent(AgentLimits(repeats=2), is_attended=False)
    for _ in range(2):
        one.call(pattern="x")
    assert await one.hold() is None
    ((role, text),) = one.query.said
    assert role == "user" and "the same call of Grep 2 times" in text
    for _ in range(2):
        one.call(pattern="x")
    outcome = await one.hold()
    assert outcome is not None and outcome.reason == "error"
    assert outcome.detail == "It made the same call of Grep 2 times in a row, also once it was told."


# The watch


async def test_silence_is_shown_from_half_of_it_on_and_asked_about_at_the_end() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        one.clock.move(49)
        await settled()
        assert one.told == []
        one.clock.move(1)
        await settled()
        assert one.told == ["no sign of life for 50 s"]
        one.clock.move(50)
        request = await one.question()
        assert f"{LABEL} has given no sign of life for 100 s" in request.questions[0].question
        assert [option.label for option in request.questions[0].options] == [WAIT, KILL]
        one.answer(request, WAIT)
        await settled()
        assert one.told[-1] == ""
        one.clock.move(100)
        await settled()
        one.clock.move(0)
        one.answer(await one.question(2), KILL)
        await settled()
        assert one.killed == ["gave no sign of life for 100 s, and was killed"] == [one.oversight.ending]


async def test_a_sign_of_life_withdraws_the_question_and_clears_the_warning() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        one.clock.move(50)
        await settled()
        one.clock.move(50)
        await one.question()
        one.publisher.emit(ev.BlockDelta(block_id="b", text="x"))
        await settled()
        assert one.broker.pending == () and one.told[-1] == ""
        assert [event.outcome for event in one.of(ev.QuestionResolved)] == ["withdrawn"]
        one.clock.move(50)
        await settled()
        assert one.told[-1] == "no sign of life for 50 s" and one.broker.pending == ()


async def test_waiting_for_the_user_is_no_silence() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        asked = PermissionRequest(id="p", tool_use_id="t", tool_name="Bash", input={}, reason="why")
        asking = asyncio.create_task(one.broker.ask(asked, one.publisher, lambda: "ask"))
        for _ in range(10):
            await settled()
            one.clock.move(50)
        assert one.told == [] and len(one.broker.pending) == 1
        one.broker.answer(AnswerPermission(request_id="p", answer="once"))
        await asking
        for _ in range(2):
            await settled()
            one.clock.move(25)
        await settled()
        assert one.told == ["no sign of life for 50 s"]


async def test_nor_is_the_wait_for_a_retry() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        failed = ev.RequestFailed(request_id="r", reason="busy", attempt=1, retry_in_s=400)
        one.publisher.emit(failed)
        # A call that was complete runs on meanwhile.
        one.call()
        for _ in range(8):
            one.clock.move(50)
            await settled()
        assert one.told == []


async def test_what_was_typed_meanwhile_is_said_before_the_next_request() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        one.clock.move(50)
        await settled()
        one.clock.move(50)
        one.answer(await one.question(), text="Never mind the logs.")
        await settled()
        assert await one.hold() is None
        assert one.query.said == [("the user", "Never mind the logs.")]


async def test_alone_silence_is_only_shown_and_nobody_polls() -> None:
    async with watched(AgentLimits(silent_s=100), is_attended=False) as one:
        for _ in range(6):
            one.clock.move(50)
            await settled()
            assert len(one.clock.alarms) == 1
        assert one.told[0] == "no sign of life for 50 s" and not one.of(ev.QuestionAsked) and one.killed == []


async def test_where_nobody_minds_silence_nothing_is_watched() -> None:
    one = agent(NONE)
    await one.oversight.watch()
    assert one.clock.alarms == []


async def test_what_is_told_of_an_agent_is_no_sign_of_life() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        for _ in range(2):
            one.clock.move(25)
            info = AgentInfo(id="a04bf57", agent_type="Explore", description="")
            one.publisher.emit(ev.AgentProgressed(agent=info))
            await settled()
        assert one.told == ["no sign of life for 50 s"]


async def test_an_agent_that_ends_takes_its_question_with_it() -> None:
    async with watched(AgentLimits(silent_s=100)) as one:
        one.clock.move(50)
        await settled()
        one.clock.move(50)
        await one.question()
    assert [event.outcome for event in one.of(ev.QuestionResolved)] == ["withdrawn"]

"""The list of what runs: what it publishes, who may name what, and that each end is handed out once."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.bus.bus import Bus, Publisher
from core.host.ids import RandomIds
from core.protocol.events import TasksChanged
from core.protocol.ids import MAIN_AGENT
from core.tools.task_registry import MAX_ENDED, TaskRegistry
from tests.fakes.clock import FakeClock
from tests.fakes.errand import Errand

ENDS = st.sampled_from(["completed", "failed", "killed"])


class Ends(RuleBasedStateMachine):
    """Agents and shells of theirs come, end, begin again, and are heard of, in any order."""

    @initialize()
    def begin(self) -> None:
        self.registry = TaskRegistry(Publisher(Bus("s", FakeClock())))
        self.running: list[Errand] = []
        self.over: list[Errand] = []
        self.due: list[Errand] = []
        """Those whose end nobody was told of yet, in order; also where somebody goes on with them."""
        self.count = 0

    @rule(of=st.sampled_from(["", "a000001", "a000002"]))
    def start(self, of: str) -> None:
        self.count += 1
        kind = "agent" if not of else "shell"
        self.running.append(Errand(self.registry, f"{kind[0]}{self.count:06d}", kind=kind, agent=of))

    @rule(at=st.integers(0, 9), status=ENDS, notify=st.booleans())
    def end(self, at: int, status: str, notify: bool) -> None:
        if not self.running:
            return
        errand = self.running.pop(at % len(self.running))
        errand.end(status, notify=notify)  # pyright: ignore[reportArgumentType]
        self.over.append(errand)
        if notify:
            self.due.append(errand)

    @rule(at=st.integers(0, 9), notify=st.booleans())
    def end_again(self, at: int, notify: bool) -> None:
        if self.over:
            self.registry.ended(self.over[at % len(self.over)], notify=notify)

    @rule(at=st.integers(0, 9))
    def resume(self, at: int) -> None:
        if not self.over:
            return
        old = self.over.pop(at % len(self.over))
        info = old.info
        self.running.append(Errand(self.registry, info.id, kind=info.kind, agent=info.agent))

    @rule(at=st.integers(0, 9))
    def hear_by_other_means(self, at: int) -> None:
        if self.over:
            heard = self.over[at % len(self.over)]
            self.registry.known(heard.info.id)
            self.due = [errand for errand in self.due if errand is not heard]

    @rule()
    def calm(self) -> None:
        self.registry.calm()
        assert not self.registry.calls_for_turn

    @rule(agent=st.sampled_from([MAIN_AGENT, "a000001", "a000002"]))
    def take(self, agent: str) -> None:
        lives = {errand.info.id for errand in self.running}
        mine = [
            errand for errand in self.due if (errand.info.agent if errand.info.agent in lives else MAIN_AGENT) == agent
        ]
        assert list(self.registry.take_notifications(agent)) == mine
        self.due = [errand for errand in self.due if errand not in mine]

    @invariant()
    def all_that_runs_is_listed(self) -> None:
        if hasattr(self, "registry"):
            assert {task.info.id for task in self.registry.running} == {errand.info.id for errand in self.running}


TestEnds = Ends.TestCase
TestEnds.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def registry_with_events() -> tuple[TaskRegistry, list[TasksChanged]]:
    seen: list[TasksChanged] = []

    class Listening(Publisher):
        def emit(self, event: object) -> None:
            assert isinstance(event, TasksChanged)
            seen.append(event)

    return TaskRegistry(Listening(Bus("s", FakeClock()))), seen


def test_the_list_is_published_when_it_differs() -> None:
    registry, seen = registry_with_events()
    errand = Errand(registry, "a000001", in_background=False)
    registry.changed()
    errand.move(to_background=True)
    errand.end()
    registry.ended(errand, notify=True)
    shown = [[(task.status, task.in_background) for task in event.tasks] for event in seen]
    assert shown == [[("running", False)], [("running", True)], [("completed", True)]]


def test_three_hundred_agents_leave_a_short_list_and_nothing_untold_is_dropped() -> None:
    registry, seen = registry_with_events()
    first = Errand(registry, "a-first")
    first.end()
    for number in range(300):
        Errand(registry, f"a{number:06x}").end(notify=False)
    assert len(registry.tasks) == MAX_ENDED == len(seen[-1].tasks)
    assert registry.take_notifications() == (first,)
    Errand(registry, "a-last").end(notify=False)
    assert registry.get("a-first") is None and registry.get("a-last") is not None


def test_an_agent_names_only_what_it_has_started() -> None:
    registry, _seen = registry_with_events()
    agent, mine = Errand(registry, "a000001"), Errand(registry, "b000002", kind="shell", agent="a000001")
    other = Errand(registry, "b000003", kind="shell")
    assert registry.visible("a000001") == (mine,)
    assert registry.get("b000003", "a000001") is None
    assert [registry.get(task.info.id) for task in (agent, mine, other)] == [agent, mine, other]


def test_what_the_main_conversation_waits_for_goes_to_the_background() -> None:
    registry, _seen = registry_with_events()
    waited = [Errand(registry, f"a{number}", in_background=False) for number in range(2)]
    Errand(registry, "a9")
    Errand(registry, "a8", in_background=False).end()
    assert registry.move_all_to_background() == 2
    assert all(errand.info.in_background for errand in waited)
    assert registry.move_all_to_background() == 0


def test_only_what_ended_by_itself_calls_for_a_turn() -> None:
    registry, _seen = registry_with_events()
    Errand(registry, "a1").end("killed")
    Errand(registry, "a2").end("failed", notify=False)
    assert not registry.calls_for_turn
    Errand(registry, "a3").end("failed")
    assert registry.calls_for_turn
    registry.hush()
    assert not registry.calls_for_turn
    assert [task.info.id for task in registry.take_notifications()] == ["a1", "a3"]


async def test_the_end_of_an_agent_hands_on_what_it_was_not_told() -> None:
    registry, _seen = registry_with_events()
    agent, shell = Errand(registry, "a1"), Errand(registry, "b2", kind="shell", agent="a1")
    shell.end()
    assert not registry.calls_for_turn and registry.take_notifications() == ()
    waiting = asyncio.create_task(registry.wait_end())
    await asyncio.sleep(0)
    agent.end(notify=False)
    await asyncio.wait_for(waiting, 5)
    assert registry.calls_for_turn and registry.take_notifications() == (shell,)


def test_ids_are_a_letter_and_six_hex_digits() -> None:
    task_id = RandomIds().task("a")
    assert len(task_id) == 7 and task_id[0] == "a" and int(task_id[1:], 16) >= 0

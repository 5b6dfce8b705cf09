"""Where events of subagents go: each to its own conversation, what concerns the session to the main one. Laws first."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo, AgentKind
from core.protocol.envelope import Envelope
from core.protocol.ids import MAIN_AGENT
from core.protocol.inquiries import Asked, QuestionRequest
from core.protocol.messages import TextBlock, ThinkingBlock, ToolUseBlock
from core.protocol.usage import Usage
from core.protocol.views import PermissionRequest, QueuedMessage, TaskInfo, TodoItem, ToolDisplay
from tui.plain.paper import Paper
from tui.plain.transcript import PlainTranscript
from tui.presenter.presenter import Presenter
from tui.presenter.sidechains import KEPT, Feed
from tui.presenter.surfaces import Asker, Surfaces, TranscriptSurface
from tui.rendering.agent_views import AgentNow, run_time
from tui.rendering.line import plain
from tui.widgets.transcript.agent_block import AgentBlock
from tui.widgets.transcript.agent_lines import NEWEST_LINES, NewestLines
from tui.widgets.transcript.blocks import Block, NoticeBlock, PromptBlock
from tui.widgets.transcript.blocks import TextBlock as ShownText

ONE, TWO = "a000001", "a000002"


class Recorder:
    """Every surface but the conversation: what was called, in order."""

    has_queue = False
    is_busy = False

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **more: self.calls.append((name, (*args, *more.items())))

    def names(self) -> list[str]:
        return [name for name, _args in self.calls]


class Stage:
    """A presenter on recorders, its conversation a feed."""

    def __init__(self, transcript: TranscriptSurface | None = None) -> None:
        recorders: list[Any] = [Recorder() for _ in range(6)]
        self.header, self.todos, self.status, self.queue, self.composer, self.footer = recorders
        self.main = Feed(lambda: None)
        self.asked: list[tuple[Asked, Asker | None]] = []
        self.withdrawn: list[str] = []
        self.signals: list[str] = []
        self.recalled: list[str] = []
        self.now = 1_000.0
        self.presenter = Presenter(
            Surfaces(
                header=self.header,
                transcript=transcript or self.main,
                todos=self.todos,
                status=self.status,
                queue=self.queue,
                composer=self.composer,
                footer=self.footer,
                ask=lambda request, _cwd, asker: self.asked.append((request, asker)),
                withdraw=self.withdrawn.append,
                explain=lambda _event: None,
                look_at=lambda _block: None,
                signal=self.signals.append,
                quote=lambda _quoted: None,
                go_over=lambda _session: None,
                recall=self.recalled.append,
                wall=lambda: self.now,
            )
        )

    def show(self, *events: ev.Event, agent: str = MAIN_AGENT) -> None:
        for event in events:
            self.presenter.show(Envelope(seq=1, ts=1.0, session_id="s", event=event, agent_id=agent))
        self.presenter.flush()

    def feed(self, agent: str) -> Feed:
        chain = self.presenter.sidechains.get(agent)
        assert chain is not None
        return chain.feed


def lines(blocks: Sequence[Block]) -> list[str]:
    return [plain(line) for block in blocks for line in block.lines(80)]


def of(stage: Stage, agent: str) -> list[str]:
    return lines(list(stage.feed(agent).blocks))


def info(agent: str = ONE, **more: Any) -> AgentInfo:
    given: dict[str, Any] = {
        "agent_type": "Explore",
        "description": "Find it",
        "status": "running",
        "started_at": 990.0,
    }
    return AgentInfo(id=agent, **{**given, **more})


def task(call: str, batch: int = 0) -> list[ev.Event]:
    """A call that starts an agent, up to its start."""
    given = {"subagent_type": "Explore", "description": "Find it", "prompt": "Find it."}
    return [
        ev.BlockFinished(block_id=f"{call}:0", block=ToolUseBlock(id=call, name="Task", input=given)),
        ev.ToolStarted(tool_use_id=call, name="Task", input=given, batch=batch),
    ]


# What one says, in acts; the ids are the same for all agents


def text_act(number: int, text: str) -> list[ev.Event]:
    block_id = f"r{number}:0"
    return [
        ev.RequestStarted(request_id=f"q{number}", model="m", query_source="agent"),
        ev.BlockStarted(block_id=block_id, block_kind="text"),
        ev.BlockDelta(block_id=block_id, text=text[: len(text) // 2]),
        ev.BlockDelta(block_id=block_id, text=text[len(text) // 2 :]),
        ev.BlockFinished(block_id=block_id, block=TextBlock(text=text)),
    ]


def thought_act(number: int, text: str) -> list[ev.Event]:
    return [ev.BlockFinished(block_id=f"r{number}:t", block=ThinkingBlock(thinking=text, signature="s"))]


def call_act(number: int, text: str) -> list[ev.Event]:
    events: list[ev.Event] = []
    for place in (0, 1):
        use = ToolUseBlock(id=f"c{number}-{place}", name="Grep", input={"pattern": text})
        events.append(ev.BlockFinished(block_id=f"r{number}:{place}", block=use))
        events.append(ev.ToolStarted(tool_use_id=use.id, name="Grep", input=use.input, batch=number % 2))
    for place in (0, 1):
        events.append(ev.ToolProgress(tool_use_id=f"c{number}-{place}", text=text))
        shown = ToolDisplay(summary=text)
        events.append(ev.ToolFinished(tool_use_id=f"c{number}-{place}", name="Grep", content=text, display=shown))
    return events


def turn_act(number: int, text: str) -> list[ev.Event]:
    usage = ev.UsageUpdated(
        context_tokens=number, context_window=9, last=Usage(), total=Usage(), cost_usd=float(number)
    )
    return [ev.TurnStarted(), usage, ev.TurnEnded(reason="completed", steps=number, duration_ms=900)]


def notice_act(number: int, text: str) -> list[ev.Event]:
    items = (TodoItem(id="1", content=text, status="in_progress"),)
    queued = (QueuedMessage(id="q", text=text),)
    return [
        ev.Notice(level="error", text=text or "!"),
        ev.TodosChanged(items=items),
        ev.QueueChanged(items=queued),
        ev.BlockStarted(block_id=f"d{number}", block_kind="text"),
        ev.BlockDelta(block_id=f"d{number}", text=text),
        ev.BlockDiscarded(block_id=f"d{number}"),
    ]


acts = st.lists(
    st.tuples(
        st.sampled_from((text_act, thought_act, call_act, turn_act, notice_act)),
        st.text(st.sampled_from("ab \n*`\x1b[漢\u202e"), max_size=12),
    ),
    max_size=4,
).map(lambda chosen: [event for number, (act, text) in enumerate(chosen) for event in act(number, text)])


@settings(max_examples=60, deadline=None)
@given(main=acts, one=acts, two=acts, order=st.randoms(use_true_random=False))
def test_each_conversation_shows_what_it_would_show_alone(
    main: list[ev.Event], one: list[ev.Event], two: list[ev.Event], order: Any
) -> None:
    streams = {MAIN_AGENT: main, ONE: one, TWO: two}
    begin: list[ev.Event] = [*task("t1"), ev.AgentStarted(agent=info(ONE, tool_use_id="t1", prompt="Find it."))]
    begin.append(ev.AgentStarted(agent=info(TWO, prompt="Try it.")))

    together = Stage()
    together.show(*begin)
    turns = [agent for agent, events in streams.items() for _ in events]
    order.shuffle(turns)
    left = {agent: list(events) for agent, events in streams.items()}
    for agent in turns:
        together.show(left[agent].pop(0), agent=agent)

    for agent in (ONE, TWO):
        alone = Stage()
        alone.show(*begin)
        alone.show(*streams[agent], agent=agent)
        assert of(together, agent) == of(alone, agent)

    alone = Stage()
    alone.show(*main)
    mine = [block for block in together.main.blocks if not isinstance(block, AgentBlock)]
    assert lines(mine) == lines(list(alone.main.blocks))
    assert len(list(together.main.blocks)) - len(mine) == 2
    for name in ("header", "todos", "queue"):
        assert getattr(together, name).calls == getattr(alone, name).calls
    assert [call for call in together.footer.calls if call[0] != "show_agents"] == alone.footer.calls
    busy = ("begin", "end", "show_tokens", "show_item", "hear")
    assert [call for call in together.status.calls if call[0] in busy] == [
        c for c in alone.status.calls if c[0] in busy
    ]
    assert together.signals.count("done") == alone.signals.count("done")


# Blocks of agents


def test_a_call_is_followed_to_the_end_of_its_agent() -> None:
    stage = Stage()
    stage.show(ev.TurnStarted(), *task("t1"))
    (block,) = (block for block in stage.main.blocks if isinstance(block, AgentBlock))
    assert "Task Explore · Find it" in lines([block])[0]
    stage.show(ev.AgentStarted(agent=info(tool_use_id="t1", prompt="Find it.", color="red")))
    stage.show(*text_act(1, "I look."), *call_act(2, "needle")[:2], agent=ONE)
    assert lines([block]) == ["  ◐ Explore Find it  Running Grep · 10s", "    I look.", "    ◐ Grep needle"]
    assert ("show_activity", ("Explore · Find it: Running Grep",)) in stage.status.calls
    over = info(tool_use_id="t1", status="completed", duration_ms=12_000)
    stage.show(ev.AgentEnded(agent=over, result="It is **here**."))
    stage.show(ev.ToolFinished(tool_use_id="t1", name="Task", content="It is **here**.\nagentId: a000001"))
    assert lines([block]) == ["  ✓ Explore Find it  finished · 12s", "    It is here."]
    assert block.is_complete and not block.is_moving


def test_a_further_run_has_a_block_of_its_own_and_the_first_stays_as_it_ended() -> None:
    stage = Stage()
    stage.show(*task("t1"), ev.AgentStarted(agent=info(tool_use_id="t1")))
    stage.show(ev.AgentEnded(agent=info(tool_use_id="t1", status="completed", duration_ms=5_000), result="One."))
    stage.show(ev.AgentStarted(agent=info(prompt="And then?", in_background=True)))
    stage.show(*text_act(1, "I look again."), agent=ONE)
    first, second = (lines([block]) for block in stage.main.blocks)
    assert first == ["  ✓ Explore Find it  finished · 5.0s", "    One."]
    assert second[0].startswith("  » Explore Find it  in the background")
    assert second[1:] == ["    I look again."]
    assert "And then?" in "\n".join(of(stage, ONE))


def test_the_task_is_the_first_block_and_stands_there_once() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info(prompt="Find it.")))
    stage.show(ev.PromptSubmitted(message_id="p", text="Find it."), agent=ONE)
    stage.show(*text_act(1, "Yes."), ev.PromptSubmitted(message_id="p2", text="Find it."), agent=ONE)
    assert [type(block) for block in stage.feed(ONE).blocks] == [PromptBlock, ShownText, PromptBlock]


def test_its_notices_stay_with_it() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info()))
    stage.show(ev.Notice(level="error", text="The disk is full."), agent=ONE)
    assert any(isinstance(block, NoticeBlock) for block in stage.feed(ONE).blocks)
    assert not any(isinstance(block, NoticeBlock) for block in stage.main.blocks)


def test_unfolded_it_is_its_conversation_as_it_goes_on() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info(prompt="Find it.")))
    (block,) = stage.main.blocks
    block.toggle()
    block.lines(80)
    before = block.revision
    stage.show(*text_act(1, "One.\n\nTwo."), agent=ONE)
    assert block.revision > before
    shown = "\n".join(lines([block]))
    assert "▎ ❯ Find it." in shown and "▎   One." in shown and "▎   Two." in shown
    block.toggle()
    assert not stage.feed(ONE).is_shown


@pytest.mark.parametrize(
    ("more", "sign", "words"),
    [
        ({"status": "pending", "waits_for": "a free place"}, "○", "waits for a free place"),
        ({"waits_for": "your answer"}, "?", "waits for your answer"),
        ({"trouble": "the same call 5 times"}, "⚠", "trouble"),
        ({"in_background": True}, "»", "in the background"),
        ({}, "◐", "running"),
        ({"status": "completed"}, "✓", "finished"),
        ({"status": "failed", "ending": "no answer"}, "✗", "failed: no answer"),
        ({"status": "killed"}, "■", "stopped"),
    ],
)
def test_no_state_is_told_by_colour_alone(more: dict[str, Any], sign: str, words: str) -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info(**more)))
    head = lines(list(stage.main.blocks))[0]
    assert head.startswith(f"  {sign} Explore Find it  {words}")


def test_a_model_that_says_nothing_is_told() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info()))
    stage.show(ev.RequestStarted(request_id="q", model="m", query_source="agent"), agent=ONE)
    stage.now += 45
    assert "⚠ Explore Find it  silent for 45s" in lines(list(stage.main.blocks))[0]


def test_of_prose_the_very_end_is_shown() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info()))
    stage.show(*text_act(1, "word " * 2_000 + "and the end."), agent=ONE)
    shown = lines(list(stage.main.blocks))
    assert len(shown) == 4 and shown[-1].endswith("and the end.") and all(len(line) <= 80 for line in shown)


def test_without_a_screen_only_its_start_and_its_end_are_printed() -> None:
    out = io.StringIO()
    stage = Stage(PlainTranscript(Paper(out)))
    stage.show(*task("t1"), *task("t2"), ev.AgentStarted(agent=info(tool_use_id="t1", prompt="Find it.")))
    two = info(TWO, description="Try it", tool_use_id="t2", in_background=True)
    stage.show(ev.AgentStarted(agent=two))
    stage.show(ev.ToolFinished(tool_use_id="t2", name="Task", content="The agent works in the background."))
    stage.show(*text_act(1, "I look."), *call_act(2, "needle"), agent=ONE)
    over = info(tool_use_id="t1", status="completed", duration_ms=12_000)
    stage.show(ev.AgentEnded(agent=over, result="It is here.\n\nAnd there."))
    stage.show(ev.ToolFinished(tool_use_id="t1", name="Task", content="It is here."))
    stage.show(ev.AgentEnded(agent=replace(two, status="failed", ending="no answer")))
    assert out.getvalue().splitlines() == [
        "* Explore · Find it",
        "* Explore · Try it",
        "* Explore · Find it: finished · 12s",
        "    It is here.",
        "",
        "    And there.",
        "* Explore · Try it: failed: no answer",
    ]


def test_what_a_fork_takes_over_is_told_before_and_after() -> None:
    stage = Stage()
    fork = info(agent_type="fork", inherited_tokens=84_200, expected_usd=0.042)
    stage.show(ev.AgentStarted(agent=fork))
    assert lines(list(stage.main.blocks))[1].strip() == (
        "takes over 84.2k tokens of the conversation, reading them costs about $0.042"
    )
    stage.show(
        ev.AgentEnded(agent=replace(fork, status="completed", usage=Usage(input_tokens=10, cache_read_tokens=90)))
    )
    assert "took over 84.2k tokens of the conversation · 90% of what" in lines(list(stage.main.blocks))[1]


# What they ask


def wish(number: int, agent: str = ONE) -> PermissionRequest:
    given = {"command": f"make {number}"}
    return PermissionRequest(
        id=f"ask{number}", tool_use_id=f"b{number}", tool_name="Bash", input=given, reason="no rule", agent=agent,
        agent_label="Explore · Find it",
    )  # fmt: skip


def test_what_an_agent_asks_comes_to_the_one_dock_with_its_last_words() -> None:
    stage = Stage()
    stage.show(ev.TurnStarted(), *task("t1"), ev.AgentStarted(agent=info(tool_use_id="t1", color="pink")))
    use = ToolUseBlock(id="b1", name="Bash", input={"command": "make 1"})
    stage.show(*text_act(1, "I see.\n\nNow I build."), *call_act(2, "x"), agent=ONE)
    stage.show(ev.BlockFinished(block_id="r3:0", block=use), agent=ONE)
    stage.show(ev.ToolStarted(tool_use_id="b1", name="Bash", input=use.input), agent=ONE)
    decided = ev.PermissionDecided(tool_use_id="b1", behavior="ask", reason="no rule", tool_name="Bash")
    stage.show(decided, ev.PermissionRequested(request=wish(1)), agent=ONE)
    ((request, asker),) = stage.asked
    assert request.id == "ask1" and asker is not None
    assert (asker.label, asker.style) == ("Explore · Find it", "agent.pink")
    assert [plain(line) for line in asker.said] == ["Now I build.", "● Grep x", "● Grep x"]
    assert stage.presenter.permissions.decisions[0].agent == "Explore · Find it"
    assert stage.status.calls[-1] == ("show_waiting", ("Explore · Find it",)) and stage.signals[-1] == "waiting"
    assert "? Explore Find it  waits for your answer" in lines(list(stage.main.blocks))[0]
    stage.show(ev.PermissionResolved(request_id="ask1", tool_use_id="b1", answer="once"), agent=ONE)
    assert stage.withdrawn == ["ask1"] and stage.signals[-1] == "working"
    assert "◐ Explore Find it  Running Bash" in lines(list(stage.main.blocks))[0]


def test_what_is_asked_in_the_background_holds_nothing_up() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info(in_background=True)))
    stage.show(ev.PermissionRequested(request=wish(1)), agent=ONE)
    assert stage.signals[-1] == "waiting" and "show_waiting" not in stage.status.names()
    stage.show(ev.PermissionResolved(request_id="ask1", tool_use_id="b1", answer=None), agent=ONE)
    assert stage.signals[-1] == "done"


def test_what_an_agent_spends_is_in_the_sum_at_once_and_counted_once() -> None:
    stage = Stage()
    usage = ev.UsageUpdated(context_tokens=10, context_window=100, last=Usage(), total=Usage(), cost_usd=0.5)
    stage.show(usage)
    stage.show(ev.AgentStarted(agent=info()))
    stage.show(ev.AgentProgressed(agent=info(cost_usd=0.25)))
    stage.show(ev.AgentProgressed(agent=info(cost_usd=0.25)))
    stage.show(replace(usage, cost_usd=9.0), agent=ONE)
    stage.show(ev.AgentProgressed(agent=info(cost_usd=0.375)))
    assert [args[0] for name, args in stage.footer.calls if name == "show_cost"] == ["$0.75", "$0.88"]
    stage.show(replace(usage, cost_usd=0.875))
    assert [args[1] for name, args in stage.footer.calls if name == "show_usage"] == ["$0.50", "$0.88"]


def test_of_one_that_was_stopped_its_words_are_shown_not_what_the_model_is_told() -> None:
    stage = Stage()
    for event in task("t1"):
        stage.show(event)
    stage.show(ev.AgentEnded(agent=info(status="killed", ending="interrupted", tool_use_id="t1"), result="So far."))
    stage.show(
        ev.ToolFinished(
            tool_use_id="t1", name="Task", content="Interrupted by the user before it ended.", duration_ms=1
        )
    )
    shown = lines(list(stage.main.blocks))
    assert "stopped: interrupted" in shown[0] and "So far." in "".join(shown) and "by the user" not in "".join(shown)


def test_the_time_of_a_run_does_not_count_what_lay_between_two_of_them() -> None:
    again = info(started_at=100.0, run_at=900.0, duration_ms=8_000)
    assert run_time(again, AgentNow(now=903.0)) == "11s"
    assert run_time(info(started_at=100.0), AgentNow(now=103.0)) == "3s"


def test_a_question_about_an_agent_names_it() -> None:
    stage = Stage()
    stage.show(ev.AgentStarted(agent=info()))
    stage.show(*text_act(1, "Again."), agent=ONE)
    request = QuestionRequest(id="q1", tool_use_id="", questions=(), agent=ONE, agent_label="Explore · Find it")
    stage.show(ev.QuestionAsked(request=request))
    ((_request, asker),) = stage.asked
    assert asker is not None and [plain(line) for line in asker.said] == ["Again."]


def test_an_agent_that_nobody_told_of_is_heard_all_the_same() -> None:
    stage = Stage()
    stage.show(ev.PermissionRequested(request=wish(1)), agent=ONE)
    assert stage.asked and stage.presenter.sidechains.get(ONE) is not None


# What is kept


def run(stage: Stage, number: int, words: int = 3) -> str:
    """A whole run of an agent, started by a call."""
    agent, call = f"a{number:06x}", f"t{number}"
    running = info(agent, tool_use_id=call, prompt="Find it.")
    stage.show(*task(call), ev.AgentStarted(agent=running))
    for at in range(words):
        stage.show(*text_act(at, f"Word {at} of {number}."), agent=agent)
    stage.show(ev.AgentEnded(agent=replace(running, status="completed"), result="Found."))
    stage.show(ev.ToolFinished(tool_use_id=call, name="Task", content="Found."))
    return agent


def test_three_hundred_runs_leave_the_blocks_of_the_last_twelve() -> None:
    stage = Stage()
    ids = [run(stage, number) for number in range(300)]
    gc.collect()
    of_agents = [one for one in gc.get_objects() if isinstance(one, ShownText) and "Word 0 of " in one.source]
    assert len(of_agents) <= KEPT
    chains = [stage.presenter.sidechains.get(agent) for agent in ids]
    assert [bool(chain and chain.is_let_go) for chain in chains] == [True] * (300 - KEPT) + [False] * KEPT
    assert len(stage.presenter.sidechains.all) == 300, "what is known of them stays"
    assert lines([next(iter(stage.main.blocks))]) == ["  ✓ Explore Find it  finished", "    Found."]


def test_what_was_let_go_of_is_asked_for_when_looked_at_and_then_is_as_before() -> None:
    stage = Stage()
    first = run(stage, 0)
    before = of(stage, first)
    for number in range(1, KEPT + 1):
        run(stage, number)
    assert of(stage, first) == [] and not stage.recalled
    block = next(iter(stage.main.blocks))
    assert not block.is_at_hand
    block.toggle()
    assert any("is being read" in line for line in lines([block]))
    assert stage.recalled == [first]
    over = info(first, tool_use_id="t0", status="completed", prompt="Find it.")
    stage.show(ev.AgentRecalled(agent=over))
    stage.show(ev.PromptSubmitted(message_id="p", text="Find it."), agent=first)
    for at in range(3):
        stage.show(text_act(at, f"Word {at} of 0.")[-1], agent=first)
    assert of(stage, first) == before
    assert any("Word 2 of 0." in line for line in lines([block])), "the block shows it too"
    for number in range(20, 40):
        run(stage, number)
    assert of(stage, first) == before, "what is looked at is not let go of"
    lines([block])
    assert stage.recalled == [first]


def test_a_dismissed_one_is_listed_no_more_until_it_runs_again() -> None:
    stage = Stage()
    agent = run(stage, 1)
    told: list[int] = []
    stage.presenter.sidechains.watch(lambda: told.append(1))
    stage.presenter.sidechains.dismiss(agent)
    assert stage.presenter.sidechains.all == () and told
    assert stage.presenter.sidechains.label(agent) == "Explore · Find it"
    stage.show(ev.AgentStarted(agent=info(agent)))
    assert [chain.info.id for chain in stage.presenter.sidechains.all] == [agent]


class Counted(Block):
    """One line; counts how often it is rendered."""

    def __init__(self, block_id: str) -> None:
        super().__init__(block_id)
        self.rendered = 0

    def lines(self, width: int) -> list[Any]:
        self.rendered += 1
        return [((self.id, "text"),)]


def test_what_has_not_changed_is_not_rendered_again_and_what_is_far_above_never() -> None:
    view = NewestLines(80, lambda: None)
    blocks = [Counted(str(number)) for number in range(5_000)]
    for block in blocks:
        view.append(block)
    shown, above = view.lines(80)
    assert len(shown) == NEWEST_LINES and plain(shown[-1]) == "4999" and 9_700 < above < 9_900
    assert sum(block.rendered for block in blocks) <= NEWEST_LINES // 2 + 1
    for block in blocks:
        block.rendered = 0
    blocks[-1].touch()
    view.lines(80)
    assert [block.id for block in blocks if block.rendered] == ["4999"]


# Tasks, kinds


def test_tasks_kinds_and_outputs_are_kept_for_their_screens() -> None:
    stage = Stage()
    agent = TaskInfo(id=ONE, description="Find it", status="running", kind="agent")
    shell = TaskInfo(id="b000001", description="make", status="running")
    stage.show(ev.TasksChanged(tasks=(agent, shell)), agent=ONE)
    stage.show(ev.TaskOutputReported(task_id="b000001", text="ok"))
    assert stage.presenter.tasks.tasks == (agent, shell) and stage.presenter.tasks.outputs["b000001"].text == "ok"
    assert ("show_tasks", (1,)) in stage.footer.calls, "agents are counted apart"
    stage.show(ev.TasksChanged(tasks=()))
    assert stage.presenter.tasks.outputs == {}
    stage.show(ev.AgentKindsChanged(kinds=(AgentKind(name="x", description="y"),), problems=("x.md:1: bad",)))
    assert stage.presenter.sidechains.kinds[0].name == "x" and stage.presenter.sidechains.problems == ("x.md:1: bad",)


def test_the_end_of_a_task_is_one_quiet_line() -> None:
    stage = Stage()
    over = TaskInfo(id=ONE, description="Find\nit\x1b[2J", status="completed", kind="agent", started_at=1, ended_at=13)
    stage.show(ev.TaskNotified(task=over, text="…"))
    assert lines(list(stage.main.blocks)) == ["  ✓ a000001 Find⏎it: finished · 12s"]

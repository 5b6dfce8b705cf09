"""The agents in tiles: looked at, walked through, written to, stopped, moved; nothing that asks is ever hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.screen import Screen

from core.protocol import events as ev
from core.protocol import ops
from core.protocol.agent_views import AgentInfo, AgentKind
from core.protocol.envelope import Envelope
from core.protocol.messages import TextBlock
from core.protocol.views import PermissionRequest
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tests.snapshot.agents import agent, hostile, looks, many, of, parallel, states, tasked
from tests.snapshot.stage import call
from tui.dialogs.permission import MIN_BODY, PermissionPrompt
from tui.screens.agents import TWICE_S
from tui.widgets.agents.tile import AgentTile
from tui.widgets.agents.view import AgentsView

LARGE = (200, 50)
ONE = agent(1, "Explore", "Find the callers", color="blue")
TWO = agent(2, "Plan", "Plan the change", color="green")
FIVE = tuple(agent(number, "Explore", f"Part {number}") for number in range(1, 6))


def play(window: Window, *scene: ev.Event | Envelope) -> None:
    presenter = window.main.presenter
    assert presenter is not None
    presenter.apply([e if isinstance(e, Envelope) else Envelope(seq=1, ts=0.0, session_id="s", event=e) for e in scene])


def over(info: AgentInfo, status: str = "completed") -> AgentInfo:
    return replace(info, status=status, ended_at=1_010.0, duration_ms=10_000)  # pyright: ignore[reportArgumentType]


def said(info: AgentInfo, *texts: str) -> list[Envelope]:
    blocks = [ev.BlockFinished(block_id=f"s{n}", block=TextBlock(text=text)) for n, text in enumerate(texts)]
    return of(info.id, *blocks)


async def opened(window: Window, *agents: AgentInfo) -> AgentsView:
    play(window, *tasked(*agents))
    for one in agents:
        play(window, *said(one, f"words of {one.id}"))
    await window.press("f3")
    await window.until_shows(f"words of {agents[0].id}")
    await window.until(lambda: focused(window) == agents[0].id)
    return window.main.query_one(AgentsView)


def tiles(window: Window) -> list[str]:
    """The ids of the agents in the tiles, in the order on the screen."""
    return [tile.agent.id for tile in window.main.query(AgentTile)]


def focused(window: Window) -> str:
    """The agent that has the keys."""
    tile = next((tile for tile in window.main.query(AgentTile) if tile.has_focus_within), None)
    return tile.agent.id if tile is not None else ""


async def calm(window: Window) -> None:
    await window.pilot.pause()
    await window.pilot.pause()


async def test_one_key_shows_the_agents_and_goes_back(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await window.paste("a draft")
        await opened(window, ONE, TWO)
        assert window.shows(
            "Agents 2 of 2 at work", "1◐ Explore", "2◐ Plan", f"words of {ONE.id}", f"words of {TWO.id}"
        )
        assert "claude-haiku-5" in window.line("▶1 ◐ Explore Find the callers")
        assert "$0.012" in window.line("window 6%") and "4 calls" in window.line("window 6%")
        assert not window.shows("a draft") and focused(window) == ONE.id
        for back in ("f3", "q", "escape"):
            await window.press(back)
            await window.until(lambda: window.composer.has_focus)
            assert window.shows("a draft") and not window.main.query(AgentsView)
            await window.press("f3")
            await calm(window)
        assert window.sent(ops.Interrupt) == []


async def test_the_key_that_stops_is_told_only_where_it_does(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        play(window, ev.TurnStarted())
        await opened(window, ONE)
        assert not window.shows("to stop)") and not window.shows("Shift+Tab")
        await window.press("escape")
        await window.until(lambda: window.composer.has_focus)
        assert window.shows("Esc to stop)", "Shift+Tab mode")
        play(window, *asking(ONE))
        await calm(window)
        assert window.shows("Waiting for your answer") and not window.shows("to stop)")


async def test_one_that_goes_on_among_many_that_are_over_moves_no_tile(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        play(window, *tasked(ONE, TWO), ev.AgentEnded(agent=over(ONE)), ev.AgentEnded(agent=over(TWO)))
        await window.press("f3")
        await window.until(lambda: tiles(window) == [ONE.id, TWO.id])
        play(window, ev.AgentStarted(agent=TWO))
        await calm(window)
        assert tiles(window) == [ONE.id, TWO.id]


async def test_without_agents_it_says_where_they_come_from(opener: Opener) -> None:
    async with opener() as window:
        await window.paste("/agents")
        await window.press("enter")
        await window.until_shows("No agent was started yet.", "/subtask")
        await window.press("m", "x", "b", "p", "a", "tab", "left_square_bracket", "alt+1", "4")
        await calm(window)
        assert [op for op in window.ops if not isinstance(op, ops.WarmUp)] == []
        await window.press("q")
        await window.until(lambda: window.composer.has_focus)


@pytest.mark.parametrize(
    ("size", "count"), [((60, 20), 1), (USUAL, 2), (WIDE, 4), (LARGE, 4)], ids=["60x20", "80x24", "120x36", "200x50"]
)
async def test_as_many_tiles_as_there_is_room_for(opener: Opener, size: tuple[int, int], count: int) -> None:
    async with opener(size=size) as window:
        await opened(window, *FIVE)
        assert len(tiles(window)) == count
        assert window.shows("▶1" if count > 1 else "1 ◐", "q back" if count > 1 else "Explore")
        await window.press("4")
        await calm(window)
        assert len(tiles(window)) == count
        assert window.shows("There is no room for 4 tiles here.") == (count < 4)
        await window.press("1")
        await calm(window)
        assert len(tiles(window)) == 1 and focused(window) == FIVE[0].id
        await window.resize(*WIDE)
        await window.press("2")
        await calm(window)
        assert len(tiles(window)) == 2


async def test_the_keys_go_from_tile_to_tile_and_to_any_agent(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, *FIVE)
        mode = window.line("◆")
        for key, number in (("tab", 2), ("tab", 3), ("shift+tab", 2), ("alt+4", 4), ("tab", 1), ("alt+5", 5)):
            await window.press(key)
            await calm(window)
            assert focused(window) == FIVE[number - 1].id, key
            assert window.shows(f"▶{number} ◐")
        assert window.line("◆") == mode, "Shift+Tab left the permission mode alone"
        assert tiles(window) == [FIVE[number].id for number in (4, 1, 2, 3)], "it took the tile that was looked at"
        row = window.row("Agents 5 of 5")
        await window.pilot.click(offset=(window.lines[row].index("1◐"), row))
        await calm(window)
        assert focused(window) == FIVE[0].id
        await window.pilot.click(offset=(80, window.row("words of a000003")))
        await calm(window)
        assert focused(window) == FIVE[3].id


async def test_pages_and_pins(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, *FIVE)
        await window.press("2")
        await calm(window)
        presenter = window.main.presenter
        assert presenter is not None
        feeds = {chain.info.id: chain.feed for chain in presenter.sidechains.all}
        seen: list[list[str]] = []
        for _ in range(3):
            seen.append(tiles(window))
            shown = {agent_id for agent_id, feed in feeds.items() if feed.is_shown}
            assert shown == set(tiles(window)), "nothing is rendered for who is not seen"
            await window.press("right_square_bracket")
            await calm(window)
        assert seen == [["a000001", "a000002"], ["a000003", "a000004"], ["a000005", "a000001"]]
        assert tiles(window) == seen[0]
        await window.press("tab", "p", "right_square_bracket")
        await calm(window)
        assert window.shows("pinned") and tiles(window)[1] == "a000002"
        await window.press("p")
        assert not window.shows("pinned")
        await window.press("f3")
        await calm(window)
        assert not any(feed.is_shown for feed in feeds.values())


async def test_an_agent_is_written_to(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        assert window.shows("m: write to it; read after its running tools")
        await window.press("m", *"quit 1 2 4")
        await window.paste("first\nsecond")
        assert window.shows("quit 1 2 4first↵second") and len(tiles(window)) == 2
        await window.press("enter")
        await calm(window)
        text = "quit 1 2 4first\nsecond"
        assert window.sent(ops.MessageAgent) == [ops.MessageAgent(agent_id=ONE.id, text=text)]
        assert focused(window) == ONE.id and not window.shows("quit")
        await window.press("enter", *"not yet", "escape", "tab", "m", *"other")
        await window.press("f3", "f3")
        await calm(window)
        assert window.shows("not yet", "other"), "drafts are kept"
        await window.press("alt+1", "m", "enter")
        await calm(window)
        assert window.sent(ops.MessageAgent)[1:] == [ops.MessageAgent(agent_id=ONE.id, text="not yet")]
        play(window, ev.AgentEnded(agent=over(TWO)))
        await calm(window)
        await window.press("tab")
        assert window.shows("other")


async def test_one_that_is_over_is_told_to_go_on(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE)
        await window.press("m", "h")
        play(window, ev.AgentEnded(agent=over(ONE, "failed")))
        await calm(window)
        await window.press("i", "backspace", "backspace")
        assert window.shows("✗", "failed", "it goes on with that")
        await window.press(*"go on", "enter")
        await calm(window)
        assert window.sent(ops.MessageAgent) == [ops.MessageAgent(agent_id=ONE.id, text="go on")]


async def test_stopped_and_taken_away(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        await window.press("x")
        await calm(window)
        assert window.sent(ops.StopTask) == [ops.StopTask(task_id=ONE.id)]
        play(window, ev.AgentEnded(agent=replace(over(ONE, "killed"), ending="you stopped it")))
        await calm(window)
        assert window.shows("stopped: you stopped it", "■") and focused(window) == ONE.id, "it stays"
        await window.press("x")
        await calm(window)
        assert tiles(window) == [TWO.id] and focused(window) == TWO.id
        play(window, ev.AgentEnded(agent=over(TWO)))
        await window.press("x")
        await window.until_shows("No agent was started yet.")
        await window.press("q")
        await window.until(lambda: window.composer.has_focus)
        assert len(window.sent(ops.StopTask)) == 1


@pytest.mark.parametrize("keys", [("X",), ("ctrl+x", "ctrl+k")], ids=["tiles", "composer"])
async def test_all_are_stopped_by_the_same_keys_twice(opener: Opener, keys: tuple[str, ...]) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        if len(keys) == 2:
            await window.press("f3")
            await calm(window)
        await window.press(*keys)
        await calm(window)
        assert window.shows("Once more stops all 2 agents") and window.sent(ops.StopAgents) == []
        window.clock.now += TWICE_S + 0.1
        await window.press(*keys)
        await calm(window)
        assert window.sent(ops.StopAgents) == []
        await window.press(*keys)
        await calm(window)
        assert window.sent(ops.StopAgents) == [ops.StopAgents()]
        play(window, ev.AgentEnded(agent=over(ONE)), ev.AgentEnded(agent=over(TWO)))
        await window.press(*keys, *keys)
        await calm(window)
        assert window.shows("No agent runs.") and len(window.sent(ops.StopAgents)) == 1


async def test_to_the_background_and_back_and_written_down(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        await window.press("b")
        play(window, ev.AgentProgressed(agent=replace(ONE, in_background=True)))
        await window.press("b", "a")
        await calm(window)
        moves = [ops.MoveTask(task_id=ONE.id, to_background=True), ops.MoveTask(task_id=ONE.id, to_background=False)]
        assert window.sent(ops.MoveTask) == moves
        assert window.sent(ops.ExportAudit) == [ops.ExportAudit(agent_id=ONE.id)]
        assert window.shows("in the background")


def asking(info: AgentInfo) -> list[Envelope]:
    request = PermissionRequest(
        id="ask1",
        tool_use_id="c9",
        tool_name="Bash",
        input={"command": "make all"},
        reason="not read-only",
        agent=info.id,
        agent_label=info.label,
    )
    return of(info.id, *call("c9", "Bash", 1, command="make all"), ev.PermissionRequested(request=request))


@pytest.mark.parametrize("size", [(60, 20), USUAL, WIDE], ids=["60x20", "80x24", "120x36"])
async def test_a_request_is_answered_beside_the_tiles(opener: Opener, size: tuple[int, int]) -> None:
    async with opener(size=size) as window:
        await opened(window, ONE, TWO)
        await window.press("tab", "m", *"half")
        play(window, *asking(ONE))
        await window.until(lambda: window.question is not None and window.question.has_focus)
        await window.press(*" a message")
        assert window.composer.text == "", "what was meant for an agent is not left in the prompt"
        await window.asked("make all")
        assert window.shows("Explore")
        await window.press("y")
        await calm(window)
        assert [op.request_id for op in window.sent(ops.AnswerPermission)] == ["ask1"]
        play(window, *of(ONE.id, ev.PermissionResolved(request_id="ask1", tool_use_id="c9", answer="once")))
        await window.until(lambda: window.question is None and focused(window) == TWO.id)
        await window.press("!", "enter")
        await calm(window)
        assert window.sent(ops.MessageAgent) == [ops.MessageAgent(agent_id=TWO.id, text="half!")], "it is written on"
        assert window.main.query(AgentsView), "the agents are still there"


async def test_a_question_has_the_same_room_whichever_came_first(opener: Opener) -> None:
    def room() -> float:
        most = window.main.query_one(PermissionPrompt).body.styles.max_height
        return most.value if most is not None else 0

    async with opener(size=LARGE) as window:
        await opened(window, ONE, TWO)
        play(window, *asking(ONE))
        await calm(window)
        before = room()
        assert before > MIN_BODY
        await window.press("shift+tab")
        await calm(window)
        assert window.sent(ops.SetMode) == [], "there that is the key of the tile before"
        await window.press("f3")
        await calm(window)
        await window.press("f3")
        await calm(window)
        assert room() == before


async def test_a_tile_is_read_as_the_conversation_is(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE)
        play(window, *of(ONE.id, *[_text(n, f"line {n}") for n in range(100)]))
        await window.until_shows("line 99")
        before = window.transcript.viewport.top
        await window.press("pageup", "pageup")
        assert not window.shows("line 99")
        await window.press("ctrl+home")
        assert window.shows("words of")
        await window.press("slash", *"line 42", "enter")
        await calm(window)
        assert window.shows("line 42") and focused(window) == ONE.id
        await window.press("n", "escape")
        assert window.shows("line 42"), "the first Esc ends the search"
        await window.press("ctrl+f", *"line 77")
        await calm(window)
        assert window.shows("line 77")
        await window.press("escape")
        await calm(window)
        assert focused(window) == ONE.id and window.main.query(AgentsView)
        await window.press("ctrl+o")
        await calm(window)
        assert window.shows("Reading")
        await window.press("q")
        await calm(window)
        assert window.main.query(AgentsView) and focused(window) == ONE.id
        assert window.transcript.viewport.top == before, "the main conversation stood still"


def _text(number: int, text: str) -> ev.Event:
    return ev.BlockFinished(block_id=f"x{number}", block=TextBlock(text=text))


async def test_what_comes_meanwhile_is_in_the_conversation_but_not_rendered(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE)
        rows = window.transcript.viewport.rows
        play(window, *[_text(n, f"meanwhile {n}") for n in range(50)])
        await calm(window)
        assert window.transcript.viewport.rows == rows
        await window.press("q")
        await window.until_shows("meanwhile 49")


async def test_an_agent_of_an_earlier_run_is_asked_for(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        play(window, ev.AgentEnded(agent=over(ONE)))
        await window.press("f3")
        await window.until(lambda: bool(window.sent(ops.RecallAgent)))
        play(window, ev.AgentRecalled(agent=over(ONE)), *said(ONE, "what I said"))
        await window.until_shows("what I said")
        assert window.sent(ops.RecallAgent) == [ops.RecallAgent(agent_id=ONE.id)]


async def test_every_state_is_told_by_sign_and_word(opener: Opener) -> None:
    async with opener(size=LARGE) as window:
        play(window, *states())
        await window.press("f3", "1")
        await calm(window)
        found: list[str] = []
        for number in range(1, 10):
            await window.press(f"alt+{number}")
            await calm(window)
            at = window.row("Agents ")
            found.append(window.lines[at + 1] + window.lines[at + 2])
        for at, words in enumerate(
            (
                ("○", "waits for a free place"),
                ("?", "waits for your answer"),
                ("⚠", "the same call 5 times: Grep parse"),
                ("»", "in the background"),
                ("◐", "Running Grep"),
                ("✓", "finished"),
                ("✗", "failed: the model refused"),
                ("■", "stopped: you stopped it"),
                ("✓", "finished"),
            )
        ):
            assert all(word in found[at] for word in words), found[at]


async def test_twenty_agents_and_one_with_thousands_of_blocks(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        play(window, *many())
        play(window, *of("a000003", *[_text(n, f"block {n}") for n in range(5_000)]))
        await window.press("f3")
        await window.until_shows("block 4999", "Agents 20 of 20", "+")
        for size in ((60, 20), USUAL, LARGE, WIDE, (30, 8), (10, 3), WIDE):
            await window.resize(*size)
            await calm(window)
        assert window.shows("block 4999")
        for key in ("tab", "right_square_bracket", "alt+9", "2", "4", "left_square_bracket", "1"):
            await window.press(key)
            await calm(window)
            assert focused(window)
            name = window.line("Agents 20 of 20")
            assert "[" in name, "who is looked at is in the strip"


async def test_hostile_names_are_shown_as_text(opener: Opener) -> None:
    for size in ((60, 20), USUAL, LARGE):
        async with opener(size=size) as window:
            play(window, *hostile())
            await window.press("f3")
            await calm(window)
            assert window.shows("Explore") and "\u202e" not in window.screen and "\u2066" not in window.screen
        break


async def test_an_agent_that_is_dismissed_or_ends_takes_nothing_with_it(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, *FIVE)
        await window.press("2", "tab")
        await calm(window)
        for info in FIVE:
            play(window, ev.AgentEnded(agent=over(info)))
        await calm(window)
        assert focused(window) == FIVE[1].id
        for left in range(4, 0, -1):
            await window.press("x")
            await calm(window)
            assert len({*tiles(window)}) == min(2, left) and focused(window) in tiles(window)
        play(window, ev.AgentStarted(agent=replace(FIVE[0], status="running")))
        await calm(window)
        assert FIVE[0].id in tiles(window), "one that goes on is listed again"


async def test_kinds(opener: Opener) -> None:
    kinds = (
        AgentKind(name="Explore", description="Looks around", tools=("Read", "Grep"), is_read_only=True, color="blue"),
        AgentKind(
            name="reviewer",
            description="Reviews\x1b[2J",
            layer="project",
            source="/p/.claude/agents/reviewer.md",
            model="opus",
            overrides="/p/agents/reviewer.md",
        ),
    )
    async with opener(size=WIDE) as window:
        play(window, ev.AgentKindsChanged(kinds=kinds, problems=("/p/agents/bad.md:3: there is no tool Foo",)))
        await window.press("f3", "K")
        await window.until_shows("Explore  built-in · model of the conversation · read-only", "tools: Read, Grep")
        assert window.shows(
            "reviewer  project · opus", "in place of /p/agents/reviewer.md", "bad.md:3: there is no tool"
        )
        await window.press(*"looks")
        assert not window.shows("reviewer  project")
        await window.press("escape")
        await calm(window)
        assert window.main.query(AgentsView)


async def test_a_fork_is_started_by_a_command(opener: Opener) -> None:
    async with opener() as window:
        await window.paste("/subtask write the tests")
        await window.press("enter")
        await window.until(lambda: bool(window.sent(ops.StartFork)))
        assert window.sent(ops.StartFork) == [ops.StartFork(prompt="write the tests")]


async def test_looks_of_the_parallel_scene_follow_the_agents(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        play(window, *parallel(), *looks("a000001", "More words.", "third"))
        await window.press("f3")
        await window.until_shows("More words.", "Fourteen tests.", "waits for a free place")


async def test_streams_and_keys_lay_out_nothing_anew(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: list[object] = []
    lay_out = Screen[object]._refresh_layout  # pyright: ignore[reportPrivateUsage]

    def counted(screen: Screen[object], *args: Any, **options: Any) -> None:
        layouts.append(screen)
        lay_out(screen, *args, **options)

    async with opener(size=LARGE) as window:
        await opened(window, *FIVE[:4])
        await window.press("m", "a")
        for info in FIVE[:4]:
            play(window, *of(info.id, ev.BlockStarted(block_id="d", block_kind="text")))
        await calm(window)
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        for number in range(30):
            for info in FIVE[:4]:
                play(window, *of(info.id, ev.BlockDelta(block_id="d", text=f"word {number}\n\n")))
                play(window, ev.AgentProgressed(agent=replace(info, tool_uses=number)))
            await window.press("b")
            await calm(window)
        assert window.shows("word 29", "29 calls", "abbbb")
        assert layouts == []


async def test_the_keys_say_what_they_do_to_the_one_that_is_focused(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        assert window.shows("x stop", "b background")
        play(window, ev.AgentProgressed(agent=replace(ONE, in_background=True)))
        await window.until_shows("x stop", "b foreground")
        play(window, ev.AgentEnded(agent=over(ONE)))
        await window.until_shows("x take away", "b background")
        await window.press("tab")
        await window.until_shows("x stop")


async def test_what_was_typed_past_a_question_is_never_sent_as_a_yes(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, ONE, TWO)
        play(window, *asking(ONE))
        await window.asked("make all")
        await window.press("m", *"look at b")
        window.clock.now += 60
        await window.press("enter")
        await calm(window)
        assert window.sent(ops.AnswerPermission) == []
        await window.press("down", "up", "enter")
        await calm(window)
        assert [op.answer for op in window.sent(ops.AnswerPermission)] == ["once"], "what is marked was looked at"

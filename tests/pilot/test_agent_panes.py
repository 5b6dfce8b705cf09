"""Panes of subagents in the window: what moves, what stands still, what the reader unfolds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from textual.pilot import Pilot

from core.protocol import events as ev
from core.protocol.messages import TextBlock
from core.protocol.ops import Op, RecallAgent
from tests.snapshot import agents
from tests.snapshot.stage import StageApp
from tui.screens.main import MainScreen
from tui.widgets.transcript.agent_block import AgentBlock
from tui.widgets.transcript.ticking import Ticker


class Live(StageApp):
    """A stage whose clock can be moved."""

    seconds = agents.NOW

    def __init__(self, scene: agents.Scene) -> None:
        super().__init__("dark", scene)
        self._main = MainScreen(self._palette, lambda: self.seconds, lambda: self.seconds)

    @property
    def ops(self) -> list[Op]:
        """What would have reached the engine."""
        return self._early

    @property
    def ticker(self) -> Ticker:
        return self._main._transcript._ticker  # pyright: ignore[reportPrivateUsage]

    @property
    def agent_blocks(self) -> list[AgentBlock]:
        return [block for block in self._main._transcript.blocks if isinstance(block, AgentBlock)]  # pyright: ignore[reportPrivateUsage]

    @property
    def rows(self) -> list[str]:
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    def row(self, text: str) -> str:
        found = next((row for row in self.rows if text in row), None)
        assert found is not None, "\n".join(self.rows)
        return found


@asynccontextmanager
async def live(scene: agents.Scene, size: tuple[int, int] = (120, 36)) -> AsyncGenerator[tuple[Live, Pilot[None]]]:
    app = Live(scene)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app, pilot


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


async def test_time_goes_on_while_an_agent_runs_and_nothing_runs_after_it() -> None:
    one = agents.agent(1, "Explore", "Find the callers")
    async with live([*agents.tasked(one), *agents.looks(one.id, "I look.", "parse")]) as (app, pilot):
        assert app.ticker.is_running and "· 12s ·" in app.row("Explore Find the callers")
        app.seconds += 5
        app.ticker._tick()  # pyright: ignore[reportPrivateUsage]  what its timer does
        await settled(pilot)
        assert "· 17s ·" in app.row("Explore Find the callers")
        app.play([ev.AgentEnded(agent=replace(one, status="completed", duration_ms=17_000), result="Found.")])
        app.ticker._tick()  # pyright: ignore[reportPrivateUsage]
        await settled(pilot)
        assert not app.ticker.is_running
        assert "finished · " in app.row("✓ Explore Find the callers") and app.row("    Found.")


async def test_nothing_moves_while_it_waits_for_the_user() -> None:
    async with live(agents.consented()) as (app, pilot):
        app.play([ev.AgentEnded(agent=agents.agent(1, "Explore", "Find the callers", status="completed"))])
        app.ticker._tick()  # pyright: ignore[reportPrivateUsage]
        await settled(pilot)
        assert not app.ticker.is_running
        assert app.row("Waiting for your answer (general-purpose · Read the tests)")
        assert app.row("? general-purpose · Read the tests wants to run a command")
        assert app.row("▎ Fourteen tests.")


async def test_unfolded_by_a_key_it_shows_what_it_says_and_stays_live() -> None:
    one = agents.agent(1, "Explore", "Find the callers")
    async with live([*agents.tasked(one), *agents.looks(one.id, "I look.", "parse")]) as (app, pilot):
        view = app._main._transcript  # pyright: ignore[reportPrivateUsage]
        view.focus()
        await pilot.press("G", "up", "up", "enter")
        at = view.plan.place(app.agent_blocks[0].id)
        assert at is not None
        if app.agent_blocks[0].folded:
            view.toggle(at)
        await settled(pilot)
        assert app.row("▎ ❯ Find the callers, and say where they are.")
        app.play(agents.of(one.id, ev.BlockFinished(block_id="y", block=TextBlock(text="It is in main."))))
        await settled(pilot)
        assert app.row("▎   It is in main.")
        view.toggle(at)
        await settled(pilot)
        assert not any("▎" in row and "It is in main." in row for row in app.rows)


async def test_ten_thousand_lines_are_the_newest_of_them() -> None:
    one = agents.agent(1, "Explore", "Find the callers")
    async with live(agents.tasked(one)) as (app, pilot):
        text = "\n\n".join(f"line {number}" for number in range(10_000))
        app.play(
            agents.of(
                one.id,
                ev.BlockStarted(block_id="x", block_kind="text"),
                ev.BlockDelta(block_id="x", text=text),
            )
        )
        view = app._main._transcript  # pyright: ignore[reportPrivateUsage]
        view.set_folded({app.agent_blocks[0].id: False})
        view.scroll_edge(1)
        await settled(pilot)
        assert app.row("▎   line 9999")
        assert sum(row.startswith("  ▎") or "▎" in row for row in app.rows) < 250
        assert len(app.agent_blocks[0].lines(100)) < 250
        assert any("lines above" in "".join(text for text, _ in line) for line in app.agent_blocks[0].lines(100))


async def test_what_was_let_go_of_is_asked_for_when_it_is_unfolded_by_itself_only() -> None:
    over = agents.agent(1, "Explore", "Find the callers", status="completed")
    scene = [*agents.tasked(replace(over, status="running"))[:-1], ev.AgentEnded(agent=over, result="Found.")]
    async with live(scene) as (app, pilot):
        await pilot.press("ctrl+o")
        await settled(pilot)
        assert not app.ops, "reading with everything unfolded asks for none"
        await pilot.press("q")
        view = app._main._transcript  # pyright: ignore[reportPrivateUsage]
        at = view.plan.place(app.agent_blocks[0].id)
        assert at is not None
        view.toggle(at)
        await settled(pilot)
        assert app.ops == [RecallAgent(agent_id=over.id)]
        assert app.row("What it said is being read…")


async def test_twenty_at_once_fit_a_small_window() -> None:
    async with live(agents.many(), (60, 20)) as (app, _pilot):
        assert app.row("20 agents running")
        assert all(len(row) <= 60 for row in app.rows)


async def test_nothing_of_theirs_reaches_the_terminal_raw() -> None:
    async with live(agents.hostile()) as (app, pilot):
        await pilot.press("ctrl+o")
        await settled(pilot)
        text = "".join(app.rows)
        assert not [character for character in text if ord(character) < 32 or character in "\u202e\u2066\u200b"]

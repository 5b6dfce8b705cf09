"""How subagents look: every state of their panes, folded and unfolded, and what they ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.snapshot import agents
from tests.snapshot.stage import StageApp

Compare = Callable[..., bool]
SCENES: dict[str, Callable[[], agents.Scene]] = {
    "parallel": agents.parallel,
    "states": agents.states,
    "aside": agents.aside,
    "consented": agents.consented,
    "budgeted": agents.budgeted,
    "hostile": agents.hostile,
    "many": agents.many,
}
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])


async def settled(pilot: Any) -> None:
    await pilot.pause()
    await pilot.pause()


async def unfolded(pilot: Any) -> None:
    await settled(pilot)
    await pilot.press("ctrl+o")
    await settled(pilot)


@pytest.fixture(autouse=True)
def adas_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


@SIZES
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_agents(scene: str, size: tuple[int, int], snap_compare: Compare) -> None:
    assert snap_compare(StageApp("dark", SCENES[scene]()), terminal_size=size, run_before=settled)


@SIZES
def test_unfolded(size: tuple[int, int], snap_compare: Compare) -> None:
    assert snap_compare(StageApp("dark", agents.unfolded()), terminal_size=size, run_before=unfolded)


@pytest.mark.parametrize(
    "theme", ["ansi-16", "colour-blind", "colour-blind-light", "ember", "high-contrast", "light", "paper"]
)
def test_states_in_themes(theme: str, snap_compare: Compare) -> None:
    assert snap_compare(StageApp(theme, agents.states()), terminal_size=(120, 36), run_before=settled)


def test_states_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(StageApp("dark", agents.states()), terminal_size=(120, 36), run_before=settled)


def test_wide(snap_compare: Compare) -> None:
    assert snap_compare(StageApp("dark", agents.parallel()), terminal_size=(200, 50), run_before=settled)

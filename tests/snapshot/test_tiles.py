"""How agents look in one, two and four tiles, and how the tasks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.snapshot.stage import StageApp
from tests.snapshot.test_screens import settled
from tests.snapshot.tiles import SCENES

Compare = Callable[..., bool]
CASES = (
    ("four", "f3", (60, 20), "dark"),
    ("four", "f3", (80, 24), "dark"),
    ("four", "f3", (120, 36), "dark"),
    ("four", "f3", (120, 36), "light"),
    ("four", "f3", (200, 50), "dark"),
    ("four", "f3 2", (120, 36), "dark"),
    ("four", "f3 1 m h i", (80, 24), "dark"),
    ("four", "f3 K", (120, 36), "dark"),
    ("states", "f3 right_square_bracket", (200, 50), "dark"),
    ("four", "f3", (120, 36), "ansi-16"),
    ("tasks", "ctrl+p t a s k s space c o m enter", (80, 24), "dark"),
    ("tasks", "ctrl+p t a s k s space c o m enter", (120, 36), "dark"),
)


@pytest.fixture(autouse=True)
def adas_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


@pytest.mark.parametrize(
    ("scene", "keys", "size", "theme"),
    CASES,
    ids=[f"{scene}-{keys.split()[-1]}-{size[0]}x{size[1]}-{theme}" for scene, keys, size, theme in CASES],
)
def test_tiles(scene: str, keys: str, size: tuple[int, int], theme: str, snap_compare: Compare) -> None:
    async def look(pilot: Any) -> None:
        await settled(pilot)
        for key in keys.split():
            await pilot.press(key)
            await settled(pilot)

    assert snap_compare(StageApp(theme, SCENES[scene]()), terminal_size=size, run_before=look)

"""Writes ``screenshots/*.svg``. Run by ``uv run poe shots``; a test fails where a file is stale."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.snapshot.contexts import reported
from tests.snapshot.scenes import SCENES
from tests.snapshot.stage import StageApp
from tests.snapshot.tiles import four

FOLDER = Path(__file__).parents[2] / "screenshots"
SHOTS = {
    "conversation": ("answered", "dark", (120, 40)),
    "working": ("working", "dark", (120, 40)),
    "permission": ("command", "dark", (120, 36)),
    "alike": ("alike", "dark", (120, 36)),
    "questions": ("questions", "dark", (120, 36)),
    "context": ("context", "dark", (120, 36)),
    "tiles": ("agents", "dark", (160, 44)),
    "compacted": ("compacted", "dark", (120, 36)),
    "plan": ("plan", "dark", (120, 40)),
    "light": ("working", "light", (120, 40)),
    "narrow": ("working", "dark", (80, 24)),
    "no-key": ("no-key", "dark", (100, 28)),
}


ACTIONS = {"context": reported, "agents": four}
"""Scenes in which an action of the same name is done first."""


async def shoot(name: str) -> str:
    """The picture of a shot as SVG."""
    scene, theme, size = SHOTS[name]
    app = StageApp(theme, ACTIONS[scene]()) if scene in ACTIONS else SCENES[scene](theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        if scene in ACTIONS:
            await app.screen.run_action(scene)
            await pilot.pause()
            await pilot.pause()
        return app.export_screenshot(title="agent-tui")


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in SHOTS:
        (FOLDER / f"{name}.svg").write_text(await shoot(name), "utf-8")


if __name__ == "__main__":
    os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": "/home/ada"})
    asyncio.run(main())

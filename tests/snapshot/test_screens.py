"""How the window looks: every scene in three sizes and two themes, and the pictures that the README shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from core.protocol.views import ImageAttachment
from tests.snapshot.consents import explained, ruled
from tests.snapshot.contexts import costed, reported
from tests.snapshot.scenes import SCENES
from tests.snapshot.shoot import FOLDER, SHOTS, shoot
from tests.snapshot.stage import StageApp
from tui.widgets.composer.editor import Composer
from tui.widgets.transcript.search_bar import SearchBar
from tui.widgets.transcript.view import TranscriptView

Compare = Callable[..., bool]


async def settled(pilot: Any) -> None:
    await pilot.pause()
    await pilot.pause()


@pytest.fixture(autouse=True)
def adas_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_scene(scene: str, size: tuple[int, int], theme: str, snap_compare: Compare) -> None:
    assert snap_compare(SCENES[scene](theme), terminal_size=size, run_before=settled)


ODD_SIZES = [(scene, (60, 20)) for scene in ("alike", "command", "permission", "plan", "questions", "working")] + [
    (scene, (200, 50)) for scene in sorted(SCENES)
]


@pytest.mark.parametrize(
    ("scene", "size"), ODD_SIZES, ids=[f"{size[0]}x{size[1]}-{scene}" for scene, size in ODD_SIZES]
)
def test_odd_sizes(scene: str, size: tuple[int, int], snap_compare: Compare) -> None:
    assert snap_compare(SCENES[scene]("dark"), terminal_size=size, run_before=settled)


def test_everything_unfolded(snap_compare: Compare) -> None:
    async def unfold(pilot: Any) -> None:
        await pilot.press("ctrl+o")
        await settled(pilot)

    assert snap_compare(SCENES["answered"]("dark"), terminal_size=(120, 90), run_before=unfold)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["ctrl+o", "ctrl+f"], ids=["reading", "searching"])
def test_conversation_with_the_keys(keys: str, size: tuple[int, int], snap_compare: Compare) -> None:
    """Read with everything unfolded, and searched."""

    async def take_keys(pilot: Any) -> None:
        await pilot.press(keys)
        await settled(pilot)
        if keys == "ctrl+f":
            pilot.app.screen.query_one(SearchBar).cursor_blink = False
            await pilot.press(*"parse", "down", "down", "down")
            await settled(pilot)

    assert snap_compare(SCENES["answered"]("dark"), terminal_size=size, run_before=take_keys)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["f1", "ctrl+p", "ctrl+p theme enter"], ids=["help", "palette", "themes"])
def test_panel(keys: str, size: tuple[int, int], snap_compare: Compare) -> None:
    async def ask(pilot: Any) -> None:
        for key in keys.split():
            await pilot.press(*(key if key == "theme" else [key]))
        await settled(pilot)

    assert snap_compare(SCENES["working"]("dark"), terminal_size=size, run_before=ask)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys",
    ["", "tab", "tab down enter", "plus", "down down down down delete"],
    ids=["rules", "recent", "why", "new", "del"],
)
def test_permissions(keys: str, size: tuple[int, int], theme: str, snap_compare: Compare) -> None:
    async def look(pilot: Any) -> None:
        await settled(pilot)
        await pilot.app.screen.run_action("permissions")
        await settled(pilot)
        await pilot.press(*keys.split())
        await settled(pilot)

    assert snap_compare(StageApp(theme, ruled()), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_explained_and_widened(size: tuple[int, int], snap_compare: Compare) -> None:
    async def look(pilot: Any) -> None:
        await settled(pilot)
        pilot.app.moment += 1
        await pilot.press("right", "e")
        pilot.app.play(explained())
        await settled(pilot)

    assert snap_compare(SCENES["command"]("dark"), terminal_size=size, run_before=look)


REPORTS = {"context": reported, "costs": costed}


async def looking(view: str, pilot: Any) -> None:
    await settled(pilot)
    await pilot.app.screen.run_action(view)
    await settled(pilot)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", sorted(REPORTS))
def test_reports(view: str, size: tuple[int, int], theme: str, snap_compare: Compare) -> None:
    app = StageApp(theme, REPORTS[view]())
    assert snap_compare(app, terminal_size=size, run_before=partial(looking, view))


@pytest.mark.parametrize("view", sorted(REPORTS))
def test_reports_without_colours(view: str, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = StageApp("dark", REPORTS[view]())
    assert snap_compare(app, terminal_size=(80, 24), run_before=partial(looking, view))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_summary_unfolded(size: tuple[int, int], snap_compare: Compare) -> None:
    async def unfold(pilot: Any) -> None:
        await settled(pilot)
        pilot.app.screen.query_one(TranscriptView).set_folded({"k1": False})
        await settled(pilot)

    assert snap_compare(SCENES["compacted"]("dark"), terminal_size=size, run_before=unfold)


@pytest.mark.parametrize("theme", ["ansi-16", "colour-blind", "colour-blind-light", "ember", "high-contrast", "paper"])
def test_theme(theme: str, snap_compare: Compare) -> None:
    assert snap_compare(SCENES["working"](theme), terminal_size=(120, 36), run_before=settled)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_composer(size: tuple[int, int], snap_compare: Compare) -> None:
    """A folded paste and an image in the text, the keys of vi, and the search in the history above."""

    async def write(pilot: Any) -> None:
        composer = pilot.app.screen.query_one(Composer)
        composer.use_vim(True)
        composer.prompts.load(["explain the parser", "write tests\nfor the lexer", "fix the parser"])
        composer.put("Compare ")
        composer.take_in("row\n" * 120)
        composer.attach([ImageAttachment(name="shot.png", media_type="image/png", data="")])
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press(*"parser", "down")
        await settled(pilot)

    assert snap_compare(SCENES["welcome"]("dark"), terminal_size=size, run_before=write)


@pytest.mark.parametrize("name", sorted(SHOTS))
async def test_screenshots_are_fresh(name: str) -> None:
    written = (FOLDER / f"{name}.svg").read_text("utf-8")
    assert written == await shoot(name), "run: uv run poe shots"


@pytest.mark.parametrize("scene", ["alike", "command"])
@pytest.mark.parametrize("theme", ["ansi-16", "colour-blind", "high-contrast", "paper"])
def test_consent_in_themes(scene: str, theme: str, snap_compare: Compare) -> None:
    assert snap_compare(SCENES[scene](theme), terminal_size=(80, 24), run_before=settled)


def test_consent_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(SCENES["command"]("dark"), terminal_size=(80, 24), run_before=settled)

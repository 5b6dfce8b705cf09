"""How the blocks of a conversation look: every kind, folded and unfolded, and the marks that lie on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.snapshot.gallery import GALLERIES, GalleryApp, hay
from tui.widgets.transcript.selection import Point, Selection

Compare = Callable[..., bool]
HEIGHTS = {"said": 120, "prose": 51, "calls": 74, "changes": 126}


@pytest.fixture(autouse=True)
def adas_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


async def settled(pilot: Any) -> None:
    await pilot.pause()
    await pilot.pause()


async def whole(pilot: Any) -> None:
    """Nothing may be out of sight: a picture must show every block it is about."""
    await settled(pilot)
    view = pilot.app.pane.view
    assert view.plan.heights.total <= view.viewport.height


async def unfolded(pilot: Any) -> None:
    await settled(pilot)
    view = pilot.app.pane.view
    view.set_folded({block.id: False for block in view.blocks})
    await whole(pilot)


async def from_the_top(pilot: Any) -> None:
    await settled(pilot)
    pilot.app.pane.view.scroll_edge(-1)
    await settled(pilot)


async def marked(pilot: Any) -> None:
    """A search with its hits, a selection, the block cursor, and more below."""
    await settled(pilot)
    view = pilot.app.pane.view
    view.scroll_edge(-1)
    pilot.app.pane.search("needle")
    await settled(pilot)
    await pilot.press("enter", "n")
    at = view.plan.place("needle-p")
    view.selection = Selection(Point(at - 3, 1, 7), Point(at, 1, 11))
    view.show_position()
    await settled(pilot)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("gallery", sorted(GALLERIES))
def test_blocks(gallery: str, theme: str, snap_compare: Compare) -> None:
    app = GalleryApp(theme, GALLERIES[gallery]())
    assert snap_compare(app, terminal_size=(120, HEIGHTS[gallery]), run_before=whole)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_calls_unfolded(theme: str, snap_compare: Compare) -> None:
    app = GalleryApp(theme, GALLERIES["calls"]())
    assert snap_compare(app, terminal_size=(120, 147), run_before=unfolded)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_marks(theme: str, snap_compare: Compare) -> None:
    assert snap_compare(GalleryApp(theme, hay()), terminal_size=(120, 36), run_before=marked)


def test_narrow(snap_compare: Compare) -> None:
    app = GalleryApp("dark", GALLERIES["prose"]())
    assert snap_compare(app, terminal_size=(80, 24), run_before=from_the_top)


def test_changes_side_by_side(snap_compare: Compare) -> None:
    app = GalleryApp("dark", GALLERIES["changes"]())
    assert snap_compare(app, terminal_size=(200, 50), run_before=from_the_top)

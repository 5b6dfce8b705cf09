"""A widget hears of its size also where a look at the layout came between."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical

from tui.widgets.sized import Sized


class Heard(Sized):
    sizes = 0

    def on_resize(self, event: events.Resize) -> None:
        self.sizes += bool(event.size)


class Room(App[None]):
    def compose(self) -> ComposeResult:
        yield Vertical()


async def test_a_new_widget_hears_of_its_size_however_the_layout_came_about() -> None:
    app = Room()
    async with app.run_test() as pilot:
        one = Heard()
        await app.query_one(Vertical).mount(one)
        # What a scroll and a look at any region do before the screen is laid out.
        compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage]
        compositor._full_map_invalidated = True  # pyright: ignore[reportPrivateUsage]
        assert one in compositor.full_map
        await pilot.pause()
        assert one.sizes == 1

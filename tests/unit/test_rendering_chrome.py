"""The gauge's bar, the todo list that fits, elapsed time, the model's thresholds, the cache's end."""

from __future__ import annotations

import pytest

from core.context.budget import context_limits
from core.llm.catalog import ModelInfo
from core.prompt.cache import warm_until
from core.protocol.usage import Usage
from core.protocol.views import ContextLimits, TodoItem, TodoStatus
from core.settings.schema import Settings
from tui.rendering.amounts import elapsed
from tui.rendering.line import plain
from tui.rendering.meter import bar, zone
from tui.rendering.todo_list import fitted_todos

SMALL = ContextLimits(warning=147_000, autocompact=167_000, blocking=177_000)


def test_the_thresholds_of_a_window() -> None:
    assert context_limits(ModelInfo(id="m", window=200_000, max_output=32_000), Settings()) == SMALL
    assert context_limits(ModelInfo(id="m", window=200_000, max_output=8_000), Settings()).blocking == 189_000
    tiny = context_limits(ModelInfo(id="m", window=10_000, max_output=32_000), Settings())
    assert (tiny.warning, tiny.autocompact, tiny.blocking) == (0, 0, 0)


@pytest.mark.parametrize(
    ("used", "words"),
    [(0, ""), (146_999, ""), (147_000, "▲ near full"), (167_000, "▲ compaction due"), (177_000, "■ full")],
)
def test_each_zone_is_told_in_words(used: int, words: str) -> None:
    assert zone(used, SMALL).words == words
    assert zone(used, ContextLimits()).words == "", "limits that are not known are never reached"


@pytest.mark.parametrize("cells", [10, 20])
@pytest.mark.parametrize("used", [0, 1_000, 100_000, 160_000, 200_000, 900_000])
def test_the_bar_has_its_marks_wherever_it_stands(used: int, cells: int) -> None:
    spans = bar(used, 200_000, SMALL, cells)
    text = plain(spans)
    assert len(text) == cells + 2
    assert "┃" in text and ("┊" in text or cells == 10)
    for at, (sign, style) in enumerate(spans[1:-1]):
        if sign in "┊╎┃" and used >= 200_000 * (at + 1) / cells:
            assert "cursor" in style, "a mark in the filled part is seen without colours"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59.9, "59s"), (65, "1m 05s"), (3_725, "1h 02m")])
def test_elapsed(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_the_cache_is_warm_from_the_request_on() -> None:
    assert warm_until(100.0, "5m", Usage(cache_read_tokens=1)) == 400.0
    assert warm_until(100.0, "1h", Usage(cache_write_1h_tokens=1)) == 3_700.0
    assert warm_until(100.0, "5m", Usage(input_tokens=9)) is None


def items(count: int, current: int) -> tuple[TodoItem, ...]:
    def status(index: int) -> TodoStatus:
        return "completed" if index < current else "in_progress" if index == current else "pending"

    return tuple(TodoItem(id=str(n), content=f"item {n} ", status=status(n)) for n in range(count))


@pytest.mark.parametrize("current", [0, 1, 7, 18, 19])
@pytest.mark.parametrize("room", [3, 5, 10])
def test_a_long_list_keeps_the_item_in_progress_in_view(current: int, room: int) -> None:
    texts = [plain(line) for line in fitted_todos(items(20, current), 40, room)]
    assert len(texts) <= room
    shown = [text for text in texts if "item" in text]
    assert any(f"item {current} " in text for text in shown)
    above = next((int(text.split()[1]) for text in texts if "above" in text), 0)
    more = next((int(text.split()[1]) for text in texts if "more" in text), 0)
    assert above + len(shown) + more == 20


def test_a_short_list_is_whole() -> None:
    assert len(fitted_todos(items(5, 2), 40, 5)) == 5
    assert fitted_todos((), 40, 5) == []

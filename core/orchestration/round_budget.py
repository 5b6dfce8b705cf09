"""What the results of one response may bring into the context together: the largest give way first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.bus.bus import Publisher
from core.orchestration.call import CallOutcome
from core.protocol.events import ToolResultMoved
from core.tools.base import ToolResult
from core.tools.result import PREVIEW_CHARS, moved, result_path

MAX_ROUND_CHARS = 200_000
"""About 55,000 tokens: what one round of calls may add, as in the leading agent of this kind."""


def giving_way(sizes: Sequence[int], budget: int) -> list[int]:
    """Which of these results go to files, largest first, until the rest fits. 0 is one that must stay."""
    over = sum(sizes) - budget
    chosen: list[int] = []
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        if over <= 0 or sizes[index] <= PREVIEW_CHARS:
            break
        chosen.append(index)
        over -= sizes[index] - PREVIEW_CHARS
    return chosen


async def within_budget(outcomes: list[CallOutcome], folder: Path, publisher: Publisher) -> list[CallOutcome]:
    """The outcomes, some with a preview and the path in place of the result; what was moved is told."""
    sizes = [_size(outcome) for outcome in outcomes]
    stays = sum(len(outcome.block.shown) for outcome in outcomes if not outcome.may_move)
    kept = list(outcomes)
    for index in giving_way(sizes, MAX_ROUND_CHARS - stays):
        outcome = outcomes[index]
        block = outcome.block
        result = await moved(
            ToolResult(content=block.content, display=outcome.display),
            PREVIEW_CHARS,
            result_path(folder, block.tool_use_id),
        )
        assert isinstance(result.content, str)
        kept[index] = replace(outcome, block=replace(block, content=result.content), display=result.display)
        publisher.emit(
            ToolResultMoved(tool_use_id=block.tool_use_id, content=result.content, path=result.display.saved_to)
        )
    return kept


def _size(outcome: CallOutcome) -> int:
    content = outcome.block.content
    return len(content) if outcome.may_move and isinstance(content, str) else 0

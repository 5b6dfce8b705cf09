"""Scenes of window, cache and cost: compactions and what they leave, the context view, the cost view."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.context_views import BreakerState, ContextItem, ContextPart, ContextReport, CostLine, SendPrice
from core.protocol.messages import TextBlock
from core.protocol.usage import Usage
from core.protocol.views import ContextLimits
from tests.snapshot.stage import CWD, OLD, call, done, started

SMALL = ContextLimits(warning=147_000, autocompact=167_000, blocking=177_000)
SUMMARY = """\
## Intent
Quoted commas break the parser; fix it, add a test, and **leave `main` alone**.

## Files
- `src/parser.py`: `parse` now uses the `csv` module
- `tests/test_parser.py`: the new test is at line 31

## Next step
Run the tests, then say what was changed in `CHANGELOG.md`.
"""
LAST = Usage(input_tokens=20, cache_read_tokens=140_000, cache_write_5m_tokens=4_000, output_tokens=700)
REPORT = ContextReport(
    model="claude-sonnet-5-5",
    used=148_200,
    window=200_000,
    limits=SMALL,
    parts=(
        ContextPart(kind="results", name="Read", tokens=61_200, count=41),
        ContextPart(kind="results", name="Bash", tokens=23_400, count=18),
        ContextPart(kind="messages", name="Answers", tokens=22_000, count=64),
        ContextPart(kind="messages", name="Thinking", tokens=14_800, count=31),
        ContextPart(kind="messages", name="Your messages", tokens=9_400, count=12),
        ContextPart(kind="instructions", name="Instruction files", tokens=8_100, count=2),
        ContextPart(kind="tools", name="Tools", tokens=5_100, count=21),
        ContextPart(kind="mcp_tools", name="MCP tools", tokens=2_600, count=9),
        ContextPart(kind="system", name="System prompt", tokens=1_600),
    ),
    biggest=(
        ContextItem(name="Read src/parser.py", tokens=12_300, remedy="cleared when it is old"),
        ContextItem(name="Your message: Here is the log of last night", tokens=8_800, remedy="/compact"),
        ContextItem(name="Bash uv run pytest -q", tokens=7_000, remedy="cleared when it is old"),
        ContextItem(name="AGENTS.md", tokens=5_400, remedy="shorten the file"),
        ContextItem(name="Answer: The parser has three layers", tokens=2_100),
    ),
    reserve=20_000,
    exact=147_913,
    turns_left=9,
    tokens_per_turn=3_100,
    last=LAST,
    warm_until=1_240.0,
    next_send=SendPrice(cached_tokens=144_000, fresh_tokens=4_200, cost_usd=0.094),
    can_undo=True,
)


def usage(tokens: int, breaker: BreakerState = "closed", warm_until: float = 1_240.0) -> ev.UsageUpdated:
    """How full the window is."""
    return ev.UsageUpdated(
        context_tokens=tokens,
        context_window=200_000,
        last=LAST,
        total=Usage(),
        cost_usd=1.42,
        limits=SMALL,
        warm_until=warm_until,
        breaker=breaker,
        cold_cost_usd=0.62,
    )


def worked() -> list[ev.Event]:
    """A long session, just before it is compacted; old results were cleared."""
    return [
        *started(),
        ev.PromptSubmitted(message_id="p1", text="Quoted commas break the parser. Fix it and add a test."),
        ev.TurnStarted(),
        *call("c1", "Read", 0, file_path="src/parser.py"),
        done("c1", "Read", OLD, "9 lines"),
        *call("c2", "Bash", 1, command="uv run pytest -q"),
        done("c2", "Bash", "13 passed", "1 line"),
        ev.ResultsCleared(tool_use_ids=("c1",), paths=(f"{CWD}/.kept/c1.txt",), saved_tokens=34_100, reason="cold"),
        ev.BlockFinished(block_id="x1", block=TextBlock(text="`parse` splits at every comma. I use the `csv` module.")),
        usage(168_400),
    ]


def compacting() -> list[ev.Event]:
    """It is being compacted."""
    return [*worked(), ev.CompactionStarted(compaction_id="k1", trigger="auto", context_tokens=168_400)]


def compacted() -> list[ev.Event]:
    """And goes on behind the card."""
    return [
        *compacting(),
        ev.CompactionFinished(
            compaction_id="k1",
            trigger="auto",
            method="full",
            before=168_400,
            after=8_100,
            summary=SUMMARY,
            kept=("12 of your messages", "the todo list", "3 files"),
            duration_ms=14_200,
        ),
        usage(8_100),
        ev.CacheBroken(
            request_id="r9",
            expected_tokens=8_000,
            read_tokens=0,
            cause="tools",
            reason="tool Bash changed",
            extra_cost_usd=0.19,
        ),
        ev.BlockFinished(block_id="x2", block=TextBlock(text="All 14 tests pass; `main` is as it was.")),
        ev.TurnEnded(reason="completed", steps=4, duration_ms=41_000),
    ]


def uncompacted() -> list[ev.Event]:
    """What can go wrong with it; by now the cache has gone cold."""
    return [
        *compacted(),
        ev.CompactionUndone(before=8_300, after=168_600),
        ev.PromptSubmitted(message_id="p2", text="Now the writer, in the same way."),
        ev.TurnStarted(),
        ev.CacheBroken(
            request_id="r10",
            expected_tokens=168_000,
            read_tokens=0,
            cause="expired",
            reason="sent 7 min after the last request",
            extra_cost_usd=0.41,
        ),
        ev.CompactionStarted(compaction_id="k2", trigger="auto", context_tokens=168_600),
        ev.CompactionFailed(
            compaction_id="k2",
            trigger="auto",
            reason="Overloaded (529 overloaded_error).",
            failures=3,
            breaker="open",
            hint="Use /compact to try again by hand, or /handoff to go on in a fresh session with a brief of this one.",
        ),
        ev.CompactionStarted(compaction_id="k3", trigger="manual", context_tokens=168_600),
        ev.CompactionFailed(
            compaction_id="k3", trigger="manual", reason="interrupted", failures=3, breaker="open", is_interrupted=True
        ),
        usage(168_600, "open", warm_until=900.0),
        ev.TurnEnded(reason="interrupted"),
    ]


def reported() -> list[ev.Event]:
    """The context view has its answer."""
    return [*worked(), usage(148_200), ev.ContextReported(report=REPORT)]


def _line(model: str, source: str, requests: int, cost: float | None, agent: str = "main") -> CostLine:
    taken = Usage(
        input_tokens=52 * requests,
        cache_read_tokens=54_000 * requests,
        cache_write_5m_tokens=2_100 * requests,
        output_tokens=520 * requests,
    )
    return CostLine(model=model, agent=agent, source=source, requests=requests, usage=taken, cost_usd=cost)


def costed() -> list[ev.Event]:
    """The cost view has its answer."""
    lines = (
        _line("claude-opus-5-5", "main", 23, 1.31),
        _line("claude-opus-5-5", "compaction", 1, 0.09),
        _line("claude-haiku-5-5", "web_search", 4, 0.02),
        _line("llama-at-home", "agent", 3, None, agent="Explore"),
    )
    return [*worked(), ev.CostsReported(lines=lines, total_usd=None, limit_usd=5.0)]

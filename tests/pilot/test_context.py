"""What the window shows of context, cache and cost, and what its keys and commands ask of the engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.context_events import CacheBreakCause
from core.protocol.ops import Compact, HandOff, ReportContext, ReportCosts, SetModel, SubmitPrompt, UndoCompaction
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tests.pilot.test_consent import EVIL, show
from tests.snapshot.contexts import REPORT, compacted, compacting, costed, uncompacted, usage, worked
from tui.screens.reports import AGAIN_S, ContextScreen, CostScreen
from tui.widgets.gauge import Footer
from tui.widgets.transcript.compaction_block import CompactionBlock
from tui.widgets.transcript.tool_block import ToolBlock


async def command(window: Window, text: str) -> None:
    await window.paste(text)
    await window.press("enter")
    await window.pilot.pause()


# The conversation


async def test_a_compaction_is_a_line_that_becomes_a_card(opener: Opener) -> None:
    async with opener(size=(120, 50)) as window:
        show(window, *compacting())
        await window.until_shows("◌ Compacting 168k tokens: the window is nearly full", "Compacting the conversation…")
        show(window, *compacted()[len(compacting()) :])
        await window.until_shows("◈ Compacted 168k → 8.1k tokens · full summary in 14s · kept: 12 of your messages")
        assert not window.shows("Compacting") and not window.shows("leave main alone")
        (block,) = window.blocks(CompactionBlock)
        window.transcript.focus()
        window.transcript.cursor = window.transcript.plan.place(block.id)
        await window.press("enter")
        await window.until_shows("leave main alone", "/uncompact brings back what was before it.")
        await window.press("space")
        assert not window.shows("leave main alone")


async def test_a_compaction_outside_a_turn_has_the_status_line_to_itself(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        show(window, ev.CompactionStarted(compaction_id="k", trigger="manual", context_tokens=9_000))
        await window.until_shows("Compacting the conversation…", "Esc to stop")
        assert window.main.status.is_busy and window.composer.is_busy
        show(
            window,
            ev.CompactionFailed(
                compaction_id="k", trigger="manual", reason="interrupted", failures=0, is_interrupted=True
            ),
        )
        await window.until_shows("■ Interrupted while compacting; nothing has changed.")
        assert not window.main.status.is_busy and not window.composer.is_busy
        assert window.blocks(CompactionBlock) == []


async def test_replayed_it_is_the_same_card(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        (finished,) = [event for event in compacted() if isinstance(event, ev.CompactionFinished)]
        show(window, finished)
        await window.until_shows("◈ Compacted 168k → 8.1k tokens · full summary in 14s")
        assert not window.main.status.is_busy


async def test_failures_and_the_way_out_are_told_and_an_undone_card_says_so(opener: Opener) -> None:
    async with opener(size=(120, 50)) as window:
        show(window, *uncompacted())
        await window.until_shows("Not compacted: Overloaded (529 overloaded_error). Nothing has changed.")
        assert window.shows("It has failed 3 times in a row.", "/compact to try again by hand", "/handoff")
        assert window.shows("◇ Compacted 168k → 8.1k tokens · undone", "Compaction undone: 8.3k → 169k tokens")
        assert window.screen.count("Interrupted") == 1, "told once, though the turn ended by it too"
        assert window.shows("⊘ no autocompact", "cache cold · next send ≈ $0.62")


async def test_a_failure_by_hand_does_not_count_those_on_their_own(opener: Opener) -> None:
    failed = ev.CompactionFailed(
        compaction_id="k", trigger="manual", reason="Down.", failures=3, breaker="open", hint="Try /handoff."
    )
    async with opener(size=WIDE) as window:
        show(window, failed)
        await window.until_shows("⚠ Not compacted: Down. Nothing has changed. Try /handoff.")


async def test_failing_notes_are_no_matter_of_the_user(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        before = len(list(window.transcript.blocks))
        show(
            window,
            *(
                ev.RequestFailed(
                    request_id="r", attempt=attempt, max_attempts=3, reason="Down.", query_source="session_memory"
                )
                for attempt in (1, 2, 3)
            ),
            ev.Notice(level="info", text="And on."),
        )
        await window.until_shows("And on.")
        assert len(list(window.transcript.blocks)) == before + 1


async def test_the_gauge_tells_of_the_cache_only_while_it_holds_what_is_sent_next(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        show(window, *worked())
        await window.until_shows("cache cold")
        (told,) = [event for event in worked() if isinstance(event, ev.UsageUpdated)][-1:]
        show(window, replace(told, warm_until=None))
        await window.until(lambda: "cache" not in window.line("/200k"))


async def test_a_cleared_result_says_so_and_still_opens(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        show(window, *worked())
        await window.until_shows("9 lines · cleared from the context")
        assert "kept in" not in window.screen, "a long name of no use while there is nothing to see of it"
        assert window.shows("1 old result cleared: 34.1k tokens freed (the cache was cold anyway)")
        read, bash = window.blocks(ToolBlock)
        assert read.is_cleared and not bash.is_cleared and read.file.endswith("c1.txt")
        window.transcript.set_folded({read.id: False})
        assert window.shows("def parse(line):", "cleared from the context · kept in .kept/c1.txt")
        show(window, ev.ResultsCleared(tool_use_ids=("c9",), paths=("",), saved_tokens=900, reason="too_long"))
        await window.until_shows("Images and documents cleared: 900 tokens freed")


@pytest.mark.parametrize(
    ("cause", "is_announced", "told"),
    [
        ("tools", False, "⚠ Cache miss: 48.2k tokens read anew (+$0.19): it changed"),
        ("expired", False, "› The cache had gone cold: 48.2k tokens read anew (+$0.19): it changed"),
        ("messages", True, ""),
    ],
)
async def test_a_cache_miss_is_told_unless_it_was_announced(
    opener: Opener, cause: CacheBreakCause, is_announced: bool, told: str
) -> None:
    async with opener(size=WIDE) as window:
        show(
            window,
            ev.CacheBroken(
                request_id="r",
                expected_tokens=50_000,
                read_tokens=1_800,
                cause=cause,
                reason="it changed",
                is_announced=is_announced,
                extra_cost_usd=0.19,
            ),
            ev.Notice(level="info", text="after it"),
        )
        await window.until_shows("after it", told)
        assert window.shows("it changed") == bool(told)


async def test_a_real_compaction_and_the_same_card_when_it_is_taken_up_again(opener: Opener) -> None:
    replies = [Reply([say("A long story. " * 900)]), Reply([say("## Intent\nTell stories.")]), Reply([say("Another.")])]
    async with opener(replies, size=WIDE) as window:
        await window.ask("Tell me")
        await command(window, "/compact keep the names")
        await window.settle()
        await window.until_shows("◈ Compacted", "full summary", "kept: 1 of your messages")
        card = window.line("◈ Compacted")
        assert any("keep the names" in str(request.messages) for request in window.requests)
    async with opener([Reply([say("On.")])], size=WIDE, selection={"resume": "latest"}) as window:
        await window.until_shows("◈ Compacted")
        assert window.line("◈ Compacted") == card
        await command(window, "/uncompact")
        await window.settle()
        await window.until_shows("Compaction undone", "· undone ·")


# Views


async def test_the_gauge_and_its_key_open_the_context_view(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await window.pilot.click(Footer, offset=(100, 0))
        await window.until(lambda: isinstance(window.app.screen, ContextScreen))
        await window.press("escape")
        await window.until(lambda: window.composer.has_focus)
        await window.pilot.click(Footer, offset=(3, 0))
        await window.pilot.pause()
        assert not isinstance(window.app.screen, ContextScreen), "that is the mode"
        await window.press("f2")
        await window.until(lambda: isinstance(window.app.screen, ContextScreen))
        await window.settle()
        assert len(window.sent(ReportContext)) == 2


async def test_the_context_view_keeps_up_but_stands_still_while_idle(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.reports.AGAIN_S", 0.01)
    assert AGAIN_S >= 1
    async with opener(size=WIDE) as window:
        await command(window, "/context")
        await window.until(lambda: isinstance(window.app.screen, ContextScreen))
        show(window, ev.ContextReported(report=replace(REPORT, exact=None)))
        await window.until_shows("148k of 200k tokens · 74% ▲ near full · estimated", "in about 9 turns", "R Read")
        show(window, ev.ContextReported(report=REPORT))
        await window.until_shows("147,913 counted by the API")
        asked = len(window.sent(ReportContext))
        show(window, usage(148_000), usage(148_500))
        await window.until(lambda: len(window.sent(ReportContext)) == asked + 1)
        await window.settle()
        show(window, ev.ContextReported(report=REPORT))
        # A timer that would ask again is due before one that is set later and runs longer.
        later = asyncio.Event()
        window.app.set_timer(0.02, later.set)
        await later.wait()
        await window.settle()
        assert len(window.sent(ReportContext)) == asked + 1, "what it gets is no reason to ask again"


@pytest.mark.parametrize(("key", "op"), [("c", Compact), ("u", UndoCompaction)])
async def test_keys_of_the_context_view(opener: Opener, key: str, op: type[Compact] | type[UndoCompaction]) -> None:
    async with opener(size=USUAL) as window:
        await command(window, "/context")
        show(window, ev.ContextReported(report=REPORT))
        await window.until_shows("u undo the last compaction")
        await window.press("pagedown", "end")
        await window.until_shows("The biggest", "shorten the file")
        await window.press(key)
        await window.until(lambda: window.composer.has_focus)
        await window.settle()
        assert len(window.sent(op)) == 1


async def test_what_cannot_be_undone_is_not_offered(opener: Opener) -> None:
    async with opener(size=USUAL) as window:
        await command(window, "/context")
        show(window, ev.ContextReported(report=replace(REPORT, can_undo=False, breaker="open", failures=3)))
        await window.until_shows("⊘ not on its own any more: it failed 3 times in a row")
        await window.press("u")
        assert isinstance(window.app.screen, ContextScreen) and window.sent(UndoCompaction) == []


@pytest.mark.parametrize("name", ["cost", "usage"])
async def test_the_cost_view(opener: Opener, name: str) -> None:
    async with opener(size=USUAL) as window:
        await command(window, f"/{name}")
        await window.until(lambda: isinstance(window.app.screen, CostScreen))
        await window.settle()
        assert len(window.sent(ReportCosts)) == 1
        show(window, costed()[-1])
        await window.until_shows("claude-opus-5-5", "compaction", "web search", "28% of the limit of $5.00")
        assert "> $1.42" in window.line("Together") and "?" in window.line("llama-at-home")
        assert window.shows("The price of llama-at-home is not known")


async def test_what_it_cost_stands_on_the_narrowest_screen_too(opener: Opener) -> None:
    async with opener(size=(60, 20)) as window:
        await command(window, "/cost")
        await window.until(lambda: isinstance(window.app.screen, CostScreen))
        await window.settle()
        show(window, costed()[-1])
        await window.until_shows("> $1.42")
        assert window.shows("requests", "cost", "claude-opus-5-5") and "written" not in window.screen


async def test_hostile_names_in_the_views(opener: Opener) -> None:
    part, item, line = REPORT.parts[0], REPORT.biggest[0], costed()[-1]
    assert isinstance(line, ev.CostsReported)
    evil = replace(
        REPORT,
        model=EVIL,
        parts=(replace(part, name=EVIL * 9),),
        biggest=(replace(item, name=EVIL * 9, remedy=EVIL * 9),),
    )
    async with opener(size=USUAL) as window:
        await command(window, "/context")
        show(window, ev.ContextReported(report=evil))
        await window.until_shows("What it holds")
        assert "\u202e" not in window.screen
        await window.press("escape")
        await command(window, "/cost")
        show(window, replace(line, lines=(replace(line.lines[0], model=EVIL, source=EVIL, agent=EVIL),)))
        await window.until_shows("Together")
        assert "\u202e" not in window.screen


# Commands


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("/compact", Compact()),
        ("/compact keep the test names", Compact(instructions="keep the test names")),
        ("/uncompact", UndoCompaction()),
        ("/handoff", HandOff()),
        ("/handoff finish the writer", HandOff(goal="finish the writer")),
    ],
)
async def test_commands_become_ops(opener: Opener, text: str, op: Compact | UndoCompaction | HandOff) -> None:
    async with opener() as window:
        await command(window, text)
        await window.settle()
        assert window.sent(type(op)) == [op]


@pytest.mark.parametrize(("key", "sent"), [("y", ["claude-sonnet-5-5"]), ("n", []), ("escape", [])])
async def test_a_change_of_the_model_is_quoted(opener: Opener, key: str, sent: list[str]) -> None:
    async with opener() as window:
        show(window, ev.ModelChangeQuoted(model="claude-sonnet-5-5", tokens=48_200, cost_usd=0.12))
        await window.asked("Use another model now?")
        assert window.shows("claude-sonnet-5-5 reads 48.2k tokens anew, about $0.12;", "is warm")
        await window.press(key)
        await window.until(lambda: window.composer.has_focus)
        await window.settle()
        confirmed = [op.model for op in window.sent(SetModel) if op.is_confirmed]
        assert confirmed == sent


# Handoff


async def test_a_handoff_goes_over_to_the_new_session(opener: Opener) -> None:
    replies = [
        Reply([say("I have read it all.")]),
        Reply([say("## Goal\nFinish the writer.")]),
        Reply([say("The writer is next.")]),
        Reply([say("And done.")]),
    ]
    async with opener(replies, size=WIDE) as window:
        await window.ask("Read everything")
        left = window.engine.session_id
        await command(window, "/handoff finish the writer")
        await window.paste("a draft")
        await window.until(lambda: len(window.engines) == 2 and window.shows("Handed off."))
        await window.settle()
        await window.until_shows(f"agent-tui --resume {left}", "Goes on from a brief")
        assert not window.shows("Read everything") and window.composer.text == "a draft"
        assert window.engine.session_id != left
        await window.press("escape", "escape")
        await window.ask("Go on")
        assert window.shows("❯ Go on", "The writer is next.")
        assert window.engines[0].session.conversation.messages[-1].text == "I have read it all."


async def test_what_is_queued_goes_over_too(opener: Opener) -> None:
    replies = [
        Reply([call("Bash", "b1", command="touch made")]),
        Reply([say("Made.")]),
        Reply([say("## Goal\nGo on.")]),
        Reply([say("Here I am.")]),
    ]
    async with opener(replies, size=WIDE) as window:
        await window.prompt("make it")
        await window.asked()
        show(window)
        window.main.send(HandOff())
        window.main.send(SubmitPrompt(text="then say where you are"))
        await window.press("y")
        await window.until_shows("Here I am.")
        await window.settle()
        assert len(window.engines) == 2 and window.shows("❯ then say where you are")
        old = [message.text for message in window.engines[0].session.conversation.messages]
        assert not any("then say where" in text for text in old)


async def test_a_session_that_cannot_be_taken_up_leaves_this_one_as_it_was(opener: Opener) -> None:
    async with opener([Reply([say("One.")]), Reply([say("Two.")])], size=WIDE) as window:
        await window.ask("first")
        show(window, ev.HandoffWritten(session_id="00000000-dead", brief="gone"))
        await window.until_shows("The new session could not be taken up", "This session goes on.")
        await window.ask("second")
        assert window.shows("One.", "Two.") and len(window.engines) == 1

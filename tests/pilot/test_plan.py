"""Planning in the window: the command, the plan in the conversation, the ways to answer, the editor."""

from __future__ import annotations

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.inquiries import PlanAnswer
from core.protocol.ops import AnswerPlan, Interrupt, SetMode, SubmitPrompt
from tests.fakes.windows import WIDE, Opener, Window
from tests.pilot.test_composer_outside import editor, handed_over
from tui.app import AgentApp
from tui.dialogs.prompt import GRACE_S

STEPS = "\n".join(f"{number}. Step number {number}" for number in range(1, 101))
PLAN = f"# The way\n\nWe go **slowly**.\n\n{STEPS}\n\nThe end.\n"
SCRIPT = [Reply([call("ExitPlanMode", "x1", plan=PLAN)]), Reply([say("I begin.")])]


async def command(window: Window, line: str) -> None:
    """Type a command line and send it."""
    await window.paste(line)
    await window.press("enter")


def answers(window: Window) -> list[tuple[PlanAnswer, str]]:
    return [(op.answer, op.comment) for op in window.sent(AnswerPlan)]


def title_row(window: Window) -> int:
    return window.row("? Approve this plan?")


@pytest.mark.parametrize(
    ("keys", "expected", "comment", "mode"),
    [
        (["1"], "accept_edits", "", "accepts edits"),
        (["enter"], "accept_edits", "", "accepts edits"),
        (["2"], "ask_edits", "", "asks before changes"),
        (["down", "enter"], "ask_edits", "", "asks before changes"),
        (["tab", *"mind the docs", "enter"], "accept_edits", "mind the docs", "accepts edits"),
        (["3", *"more", "enter"], "keep_planning", "more", "plan mode"),
        (["3", "enter", *"more", "enter"], "keep_planning", "more", "plan mode"),
        (["escape"], "keep_planning", "", "plan mode"),
        (["3", "escape", "escape"], "keep_planning", "", "plan mode"),
    ],
)
async def test_each_way_to_answer(
    opener: Opener, keys: list[str], expected: PlanAnswer, comment: str, mode: str
) -> None:
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.asked("? Approve this plan?")
        await window.press(*keys)
        await window.settle()
        assert answers(window) == [(expected, comment)]
        assert mode in window.lines[-1]
        assert window.question is None and window.composer.has_focus
        assert window.shows("Stopped at your no" if keys[-1] == "escape" else "I begin.")
        assert window.shows("We go slowly", "more lines (click or Ctrl+O)"), "the plan stays, folded"


@pytest.mark.parametrize("size", [(80, 24), WIDE, (60, 20)])
async def test_a_long_plan_is_read_while_the_answers_stay(opener: Opener, size: tuple[int, int]) -> None:
    async with opener(SCRIPT, size=size) as window:
        await command(window, "/plan think")
        await window.asked("? Approve this plan?")
        await window.until_shows("The way")
        choices = ("1 Yes, and accept edits", "2 Yes, and ask about each edit", "3 No, keep planning", "Ctrl+G")
        assert window.shows(*choices, "/data/plans/") and "Ask, or tell it" in window.lines[-3]
        for _ in range(100):
            if window.shows("The end."):
                break
            before = window.screen
            await window.press("pagedown")
            assert window.screen != before
        assert window.shows("The end.", *choices)
        await window.press("ctrl+home")
        await window.pilot.hover(offset=(5, 3))
        await window.press("pagedown", "pageup")
        assert window.shows(*choices)
        await window.press("1")
        await window.settle()
        assert window.shows("I begin."), "the end is followed again"


async def test_the_wheel_scrolls_the_plan(opener: Opener) -> None:
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.asked("The way")
        from textual import events

        before = window.lines[: title_row(window)]
        for _ in range(4):
            down = events.MouseScrollDown(window.transcript, 5, 3, 0, 0, 0, False, False, False, 5, 3)
            window.transcript.post_message(down)
        await window.until(lambda: window.lines[: title_row(window)] != before)
        assert window.shows("3 No, keep planning")


async def test_what_is_edited_is_approved(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, 'sed -i "1s/.*/# A better way/" "$1"'))
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.asked("? Approve this plan?")
        await window.press("ctrl+g")
        await window.until_shows("A better way")
        await window.press("2")
        await window.settle()
        assert window.shows("approved, as you edited it", "A better way")
        assert "# A better way" in str(window.requests[-1].messages)
        assert window.events(ev.ToolFinished)[-1].display.details["plan"].startswith("# A better way")


async def test_an_editor_that_fails_is_told_and_the_question_stays(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, "exit 3"))
    async with opener(SCRIPT, size=WIDE) as window:
        await command(window, "/plan think")
        await window.answer("ctrl+g")
        await window.until_shows("ended with exit code 3")
        await window.press("1")
        await window.settle()
        assert answers(window) == [("accept_edits", "")]


async def test_the_command_sets_the_mode_and_opens_the_plan(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, 'cp "$1" seen.md'))
    async with opener(SCRIPT, size=WIDE) as window:
        await command(window, "/plan")
        await window.settle()
        assert window.sent(SetMode) == [SetMode(mode="plan")] and not window.sent(SubmitPrompt)
        await command(window, "/plan open")
        await window.until_shows("There is no plan yet")
        await command(window, "/plan think it over")
        await window.asked("? Approve this plan?")
        assert [op.text for op in window.sent(SubmitPrompt)] == ["think it over"]
        await window.answer("escape")
        await window.settle()
        await command(window, "/plan open")
        await window.until((opener.cwd / "seen.md").exists)
        assert (opener.cwd / "seen.md").read_text() == PLAN


async def test_an_interrupt_takes_the_question_away(opener: Opener) -> None:
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.answer("ctrl+c", of="? Approve this plan?")
        await window.settle()
        assert window.sent(Interrupt) and answers(window) == []
        assert window.question is None and window.shows("plan mode")


async def test_keys_of_the_first_moments_approve_nothing(opener: Opener) -> None:
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.until_shows("? Approve this plan?")
        await window.press("1", "enter", "escape")
        assert answers(window) == []
        window.clock.now += GRACE_S + 0.1
        await window.press("2")
        await window.settle()
        assert answers(window) == [("ask_edits", "")]


async def test_entering_plan_mode_is_asked_like_any_call(opener: Opener) -> None:
    async with opener([Reply([call("EnterPlanMode", "n1")]), Reply([say("Planning.")])]) as window:
        await window.prompt("go")
        await window.asked("? EnterPlanMode wants to plan first")
        assert window.shows("because until you approve its plan it may change nothing")
        await window.press("y")
        await window.settle()
        assert "plan mode" in window.lines[-1] and window.shows("● EnterPlanMode  plan mode is on")


async def test_a_session_taken_up_shows_the_plan(opener: Opener) -> None:
    async with opener(SCRIPT) as window:
        await command(window, "/plan think")
        await window.answer("1")
        await window.settle()
    async with opener([], selection={"resume": "latest"}) as window:
        await window.until_shows("● ExitPlanMode", "We go slowly")


async def test_a_hostile_plan_is_text(opener: Opener) -> None:
    plan = "# A\x1b[2JB\x07\n\nC\u202eD \x1b]0;owned\x07 [red]E[/red] [x](javascript:alert(1))\n\n```\n\x9b31mF\n```\n"
    async with opener([Reply([call("ExitPlanMode", "x1", plan=plan)]), Reply([say("I begin.")])]) as window:
        await command(window, "/plan think")
        await window.asked("[red]E[/red]")
        assert "\u202e" not in window.screen
        await window.press("1")
        await window.settle()
        assert window.shows("I begin.")

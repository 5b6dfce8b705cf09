"""The permission prompt: what it shows, every way to answer it, what it ignores, and several at once."""

from __future__ import annotations

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol.ops import AnswerPermission, Interrupt
from core.protocol.views import Answer
from tests.fakes.windows import WIDE, Opener, Window
from tui.dialogs.prompt import GRACE_S, TYPED_GRACE_S

TOUCH = call("Bash", "b1", command="touch made", description="Make a file")


def answers(window: Window) -> list[tuple[Answer, str]]:
    return [(op.answer, op.comment) for op in window.sent(AnswerPermission)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["y"], "once"),
        (["Y"], "once"),
        (["s"], "session"),
        (["n"], "deny"),
        (["escape"], "deny"),
        (["enter"], "once"),
        (["down", "enter"], "session"),
        (["down", "down", "enter"], "always"),
        (["down", "down", "down", "enter"], "deny"),
        (["up", "enter"], "deny"),
        (["1"], "once"),
        (["2"], "session"),
        (["3"], "always"),
        (["4"], "deny"),
        (["a"], "always"),
    ],
)
async def test_each_way_to_answer(opener: Opener, keys: list[str], expected: Answer) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked("touch made")
        await window.press(*keys)
        await window.settle()
        assert answers(window) == [(expected, "")]
        assert (window.cwd / "made").exists() == (expected != "deny")
        assert window.question is None
        assert window.composer.has_focus
        assert window.shows("Stopped at your no") == (expected == "deny")


async def test_it_shows_the_action_the_reason_and_the_rule(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked()
        assert window.shows(
            "? Bash wants to run a command",
            "Make a file",
            "touch made",
            "because touch makes files",
            "y Yes, this once",
            "Bash(touch made)",
            "n No, and stop",
        )
        assert "waiting for your answer" in window.line("? Bash touch made")
        assert window.shows("Waiting for you")
        assert not (window.cwd / "made").exists()
        await window.press("y")
        await window.settle()
        assert window.line("● Bash touch made")


async def test_a_yes_for_the_session_asks_no_second_time(opener: Opener) -> None:
    again = call("Bash", "b2", command="touch made")
    async with opener([Reply([TOUCH]), Reply([again]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.answer("s")
        await window.settle()
        assert len(window.sent(AnswerPermission)) == 1
        assert window.shows("Done.")


async def test_a_comment_goes_with_the_no_and_the_turn_goes_on(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("As you wish.")])]) as window:
        await window.prompt("go")
        await window.answer("up", "tab")
        assert window.shows("what should it do instead?")
        await window.press(*"use y", "enter")
        await window.settle()
        assert answers(window) == [("deny", "use y")]
        assert window.shows("As you wish.")
        assert not window.shows("Stopped at your no")
        assert "use y" in str(window.requests[-1].messages[-1])


async def test_escape_leaves_the_comment_first(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.answer("tab", "a", "escape")
        assert not window.shows("what should it know?")
        assert answers(window) == []
        await window.press("y")
        await window.settle()
        assert answers(window) == [("once", "")]


async def test_keys_of_the_first_moments_go_to_the_draft(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.until_shows("y Yes, this once")
        await window.press("y", "enter", "escape", "1", "n")
        # Text was typed past it: a pause for a word is no reading of what is asked.
        window.clock.now += TYPED_GRACE_S - 0.01
        await window.press("y")
        assert answers(window) == []
        window.clock.now += TYPED_GRACE_S - 0.01
        await window.press("e", "s")
        assert answers(window) == []
        window.clock.now += TYPED_GRACE_S + 0.01
        await window.press("y")
        await window.settle()
        assert answers(window) == [("once", "")]
        assert window.composer.text == "y1nyes"


async def test_where_nothing_was_typed_the_first_moments_are_short(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.until_shows("y Yes, this once")
        await window.press("y")
        window.clock.now += GRACE_S - 0.01
        await window.press("y")
        assert answers(window) == []
        window.clock.now += 0.02
        await window.press("y")
        await window.settle()
        assert answers(window) == [("once", "")]


async def test_an_answer_pressed_too_early_is_dropped(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.until_shows("y Yes, this once")
        await window.press("y", "y")
        window.clock.now += GRACE_S + 0.1
        await window.press("y")
        await window.settle()
        assert answers(window) == [("once", "")]
        assert window.composer.text == ""


async def test_a_burst_of_typing_answers_nothing(opener: Opener) -> None:
    """Somebody who types on in what was the composer: their letters must not turn into an answer."""
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked()
        for key in "please say yes now":
            await window.press("space" if key == " " else key)
            window.clock.now += 0.1
        await window.press("enter")
        assert answers(window) == []
        assert window.question is not None
        assert window.composer.text == "please say yes now"
        window.clock.now += TYPED_GRACE_S + 0.1
        await window.press("n")
        await window.settle()
        assert answers(window) == [("deny", "")]


async def test_the_draft_survives_a_question(opener: Opener) -> None:
    gate_script = [Reply([TOUCH]), Reply([say("Done.")])]
    async with opener(gate_script) as window:
        await window.prompt("go")
        await window.asked()
        window.composer.put("half a thought")
        await window.press("y")
        await window.settle()
        assert window.composer.text == "half a thought"
        await window.press("!")
        assert window.composer.text == "half a thought!"


async def test_several_requests_wait_in_line(opener: Opener) -> None:
    reads = [call("Read", f"r-{name}", file_path=f"/etc/{name}") for name in ("hosts", "passwd", "group")]
    async with opener([Reply(reads), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked("(and 2 more after this)")
        await window.press("y")
        await window.until_shows("(and 1 more after this)")
        await window.press("y")
        assert len(answers(window)) == 1, "the next question must not take the key meant for the one before"
        await window.asked()
        await window.press("up", "tab", *"no", "enter")
        await window.until(lambda: len(answers(window)) == 2 and not window.shows("more after this"))
        await window.asked()
        await window.press("n")
        await window.settle()
        assert answers(window) == [("once", ""), ("deny", "no"), ("deny", "")]
        assert len({op.request_id for op in window.sent(AnswerPermission)}) == 3
        assert window.question is None


async def test_a_question_is_withdrawn_when_the_turn_is_interrupted(opener: Opener) -> None:
    reads = [call("Read", f"r{number}", file_path=f"/etc/{name}") for number, name in enumerate(("hosts", "passwd"))]
    async with opener([Reply(reads), Reply([say("After.")])]) as window:
        await window.prompt("go")
        await window.asked("(and 1 more after this)")
        await window.press("ctrl+c")
        await window.settle()
        assert window.sent(Interrupt) and answers(window) == []
        assert window.question is None
        assert window.composer.has_focus
        assert window.shows("Interrupted. What was done stands")
        await window.ask("and now")
        assert window.shows("After.")


async def test_the_diff_is_shown_before_it_is_approved(opener: Opener) -> None:
    path = opener.file("code.py", "def area(r):\n    return 3 * r\n")
    edit = call("Edit", "e1", file_path="code.py", old_string="return 3 * r", new_string="return 3.14 * r * r")
    script = [Reply([call("Read", "r1", file_path="code.py")]), Reply([edit]), Reply([say("Done.")])]
    async with opener(script, size=WIDE) as window:
        await window.prompt("go")
        await window.asked("Edit wants to change a file")
        assert window.shows("code.py")
        assert "-" in window.line("return 3 * r") and "+" in window.line("return 3.14 * r * r")
        assert path.read_text() == "def area(r):\n    return 3 * r\n"
        await window.press("y")
        await window.settle()
        assert path.read_text() == "def area(r):\n    return 3.14 * r * r\n"
        assert "+" in window.line("return 3.14 * r * r")


async def test_a_long_change_scrolls_and_leaves_the_answers_in_view(opener: Opener) -> None:
    content = "".join(f"row {number}\n" for number in range(60))
    script = [Reply([call("Write", "w1", file_path="new.txt", content=content)]), Reply([say("Done.")])]
    for size in ((80, 24), (60, 20)):
        async with opener(script, size=size) as window:
            await window.prompt("go")
            await window.asked()
            assert window.shows("row 0", "y Yes, this once", "n No, and stop")
            assert "asks before changes" in window.lines[-1] and "Ask, or tell it" in window.lines[-3]
            assert not window.shows("row 50")
            while not window.shows("row 50"):
                before = window.screen
                await window.press("pagedown")
                assert window.screen != before
            assert window.shows("row 50", "y Yes, this once")
            await window.press("n")
            await window.settle()


async def test_a_long_command_leaves_the_answers_in_view(opener: Opener) -> None:
    command = "; ".join(f"touch file{number}" for number in range(60))
    script = [Reply([call("Bash", "b1", command=command)]), Reply([say("Done.")])]
    for size in ((80, 24), (60, 20)):
        async with opener(script, size=size) as window:
            await window.prompt("go")
            await window.asked("touch file0")
            assert window.shows("y Yes, this once", "s Yes, for this session  read it all first", "n No, and stop")
            assert "asks before changes" in window.lines[-1] and "Ask, or tell it" in window.lines[-3]
            await window.press("n")
            await window.settle()


async def test_ctrl_b_moves_a_command_to_the_background(opener: Opener) -> None:
    script = [Reply([call("Bash", "b1", command="echo up; sleep 300")]), Reply([say("Left running.")])]
    async with opener(script, size=WIDE) as window:
        await window.prompt("go")
        await window.until_shows("running · 1 line")
        await window.press("ctrl+b")
        await window.settle()
        assert window.shows("Left running.", "1 in background")


async def test_interrupted_between_question_and_key_the_window_stays_usable(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("After.")])]) as window:
        await window.prompt("go")
        await window.asked()
        await window.engine.handle(Interrupt())
        await window.press("y")
        await window.settle()
        assert window.question is None
        await window.ask("next")
        assert window.shows("After.")

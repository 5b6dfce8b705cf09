"""A tool's questions in the window: every way through them, what stays in the conversation, what is made harmless."""

from __future__ import annotations

from typing import Any

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol.inquiries import QuestionAnswer
from core.protocol.ops import AnswerPermission, AnswerQuestion, Interrupt
from tests.fakes.windows import WIDE, Opener, Window
from tui.dialogs.prompt import GRACE_S, TYPED_GRACE_S

STORE: dict[str, Any] = {
    "question": "Which store?",
    "header": "Store",
    "options": [{"label": "Postgres", "description": "runs already"}, {"label": "SQLite"}, {"label": "Files"}],
}
PARTS: dict[str, Any] = {
    "question": "Which parts?",
    "header": "Parts",
    "options": [{"label": "API"}, {"label": "Window"}, {"label": "Docs"}],
    "multiSelect": True,
}


def script(*questions: dict[str, Any]) -> list[Reply]:
    return [Reply([call("AskUserQuestion", "q1", questions=list(questions))]), Reply([say("Thanks.")])]


def answers(window: Window) -> list[tuple[tuple[QuestionAnswer, ...], str]]:
    return [(op.answers, op.comment) for op in window.sent(AnswerQuestion)]


def chosen(*labels: str, text: str = "") -> QuestionAnswer:
    return QuestionAnswer(chosen=labels, text=text)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["1"], chosen("Postgres")),
        (["3"], chosen("Files")),
        (["enter"], chosen("Postgres")),
        (["space"], chosen("Postgres")),
        (["down", "enter"], chosen("SQLite")),
        (["up", "up", "enter"], chosen("Files")),
        (["4", *"mine", "enter"], chosen(text="mine")),
        (["up", "enter", *"mine", "enter"], chosen(text="mine")),
        (["4", *"no", "escape", "2"], chosen("SQLite")),
        (["4", "enter", "2"], chosen("SQLite")),
    ],
)
async def test_each_way_to_answer_one_question(opener: Opener, keys: list[str], expected: QuestionAnswer) -> None:
    async with opener(script(STORE)) as window:
        await window.prompt("go")
        await window.asked("Which store?")
        assert window.shows("? Store", "❯ 1 Postgres  runs already", "4 Other  in your own words", "Waiting for you")
        await window.press(*keys)
        await window.settle()
        assert answers(window) == [((expected,), "")]
        assert window.question is None and window.composer.has_focus
        assert "→ " + (expected.chosen[0] if expected.chosen else "“mine”") in window.screen
        assert window.shows("● AskUserQuestion Store", "Thanks.")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["space", "down", "down", "space", "enter"], chosen("API", "Docs")),
        (["1", "2", "1", "enter"], chosen("Window")),
        (["down", "enter"], chosen("Window")),
        (["3", "4", *"tests", "enter", "enter"], chosen("Docs", text="tests")),
        (["3", "4", *"tests", "enter", "4", *["backspace"] * 5, "enter", "up", "enter"], chosen("Docs")),
    ],
)
async def test_each_way_to_answer_with_several(opener: Opener, keys: list[str], expected: QuestionAnswer) -> None:
    async with opener(script(PARTS)) as window:
        await window.prompt("go")
        await window.asked("❯ 1 ☐ API")
        await window.press(*keys)
        await window.settle()
        assert answers(window) == [((expected,), "")]


async def test_several_questions_are_looked_over_before_they_are_sent(opener: Opener) -> None:
    async with opener(script(STORE, PARTS)) as window:
        await window.prompt("go")
        await window.asked("? ○ Store  ○ Parts  ▸ Send  1/2")
        await window.press("2")
        assert window.shows("? ✓ Store  ○ Parts  ▸ Send  2/2", "Which parts?")
        await window.press("left")
        assert window.shows("❯ 2 SQLite ✓")
        await window.press("up", "enter")
        await window.press("1", "3", "right")
        assert window.shows("1 Store  Postgres", "2 Parts  API, Docs", "Enter send")
        await window.press("enter")
        assert answers(window) == [], "a key that was meant for the last question sends nothing"
        window.clock.now += GRACE_S + 0.1
        await window.press("1", "3", "right", "right")
        window.clock.now += GRACE_S + 0.1
        assert window.shows("1 Store  Files")
        await window.press("enter")
        await window.settle()
        assert answers(window) == [((chosen("Files"), chosen("API", "Docs")), "")]
        assert window.shows("Which store?", "→ Files", "Which parts?", "→ API, Docs")


async def test_nothing_is_sent_while_a_question_is_open(opener: Opener) -> None:
    async with opener(script(STORE, PARTS)) as window:
        await window.prompt("go")
        await window.asked()
        await window.press("1", "right")
        window.clock.now += GRACE_S + 0.1
        assert window.shows("2 Parts  (no answer)")
        await window.press("enter")
        assert window.shows("Which parts?") and answers(window) == []


async def test_escape_declines_and_a_comment_goes_along(opener: Opener) -> None:
    async with opener([*script(STORE)[:1], *script(STORE)]) as window:
        await window.prompt("go")
        await window.answer("escape")
        await window.settle()
        assert answers(window) == [((), "")] and window.shows("Stopped at your no")
        await window.prompt("again")
        await window.answer("tab", *"look first", "enter")
        assert window.shows("✎ look first") and len(answers(window)) == 1
        await window.press("escape")
        await window.settle()
        assert answers(window)[1] == ((), "look first")
        assert window.shows("Thanks.")


async def test_a_comment_goes_with_the_answer(opener: Opener) -> None:
    async with opener(script(STORE)) as window:
        await window.prompt("go")
        await window.answer("tab", *"for now", "enter", "2")
        await window.settle()
        assert answers(window) == [((chosen("SQLite"),), "for now")]
        assert window.shows("→ SQLite", "✎ for now")


async def test_typing_on_answers_nothing(opener: Opener) -> None:
    async with opener(script(STORE)) as window:
        await window.prompt("go")
        await window.until_shows("Which store?")
        await window.press("1", "enter")
        await window.asked()
        for key in ("a", "n", "d", "space", "2", "enter"):
            await window.press(key)
            window.clock.now += 0.1
        assert answers(window) == [] and window.composer.text == "1and 2"
        window.clock.now += TYPED_GRACE_S
        await window.press("2")
        await window.settle()
        assert answers(window) == [((chosen("SQLite"),), "")]


async def test_questions_and_permissions_wait_in_one_line(opener: Opener) -> None:
    """Two calls of agents that work side by side: what is asked second waits."""
    async with opener(
        [*script(STORE)[:1], Reply([call("Bash", "b1", command="touch made")]), *script(PARTS)]
    ) as window:
        await window.prompt("go")
        await window.asked("Which store?")
        request = window.main.dock
        from core.protocol.views import PermissionRequest

        other = PermissionRequest(id="other", tool_use_id="t", tool_name="Bash", input={"command": "ls"}, reason="r")
        request.put(other, str(window.cwd))
        await window.until_shows("? Store  (and 1 more after this)")
        request.withdraw("other")
        await window.until(lambda: not window.shows("more after this"))
        request.put(other, str(window.cwd))
        await window.press("1")
        await window.asked("Bash wants to run a command")
        assert window.shows("(and 1 more after this)"), "the next call of the turn asks too"
        request.withdraw("other")
        await window.until(lambda: not window.shows("more after this"))
        await window.asked("touch made")
        await window.press("y")
        await window.asked("Which parts?")
        await window.press("1", "enter")
        await window.settle()
        assert len(answers(window)) == 2 and len(window.sent(AnswerPermission)) == 1


async def test_an_interrupt_takes_the_question_away(opener: Opener) -> None:
    async with opener(script(STORE)) as window:
        await window.prompt("go")
        await window.answer("4", "ctrl+c")
        await window.settle()
        assert window.sent(Interrupt) and answers(window) == []
        assert window.question is None and window.composer.has_focus
        assert window.shows("Interrupted. What was done stands")


async def test_a_session_taken_up_shows_the_answers(opener: Opener) -> None:
    async with opener(script(STORE, PARTS)) as window:
        await window.prompt("go")
        await window.answer("1", "1", "enter")
        window.clock.now += GRACE_S + 0.1
        await window.press("enter")
        await window.settle()
    async with opener([], selection={"resume": "latest"}) as window:
        await window.until_shows("→ Postgres", "→ API", "Thanks.")


LONG: dict[str, Any] = {
    "question": "Why? " + "This question goes on and on. " * 30 + "At last?",
    "header": "Long",
    "options": [{"label": f"Option {n}", "description": "as long as a paragraph " * 12} for n in range(1, 5)],
}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), WIDE])
async def test_what_is_long_scrolls_and_the_cursor_stays_in_view(opener: Opener, size: tuple[int, int]) -> None:
    async with opener(script(LONG), size=size) as window:
        await window.prompt("go")
        await window.asked("Why? This question")
        assert "Ask, or tell it" in window.lines[-3] and "Enter choose" in window.screen
        assert "PgDn" in window.line("? Long")
        for number in (2, 3, 4):
            await window.press("down")
            await window.until_shows(f"❯ {number} Option {number}")
        await window.press("down")
        await window.until_shows("❯ 5 Other")
        await window.press("up", "up", "pagedown", "pageup", "enter")
        await window.settle()
        assert answers(window) == [((chosen("Option 3"),), "")]


async def test_many_topics_in_a_narrow_window(opener: Opener) -> None:
    questions = [{**STORE, "header": f"Headernumber{n}"[-12:]} for n in range(4)]
    async with opener(script(*questions), size=(60, 20)) as window:
        await window.prompt("go")
        await window.asked("? eadernumber0  1/4")
        await window.press("1", "1")
        assert window.shows("? eadernumber2  3/4")


EVIL = "A\x1b[2J\x1b[5;5HB\x07C\u202eD\x1b]0;owned\x07E [red]F[/red]"


async def test_hostile_words_are_words(opener: Opener) -> None:
    """``Window.lines`` fails on every control character."""
    question = {
        "question": f"{EVIL}\n{EVIL}",
        "header": "a\x1b[2J\tb",
        "options": [{"label": EVIL, "description": EVIL}, {"label": "x\ny\x1b[31m", "description": "\u200b\u2066z"}],
    }
    async with opener(script(question, {**question, "header": "[b]c[/b]"}), size=WIDE) as window:
        await window.prompt("go")
        await window.asked("[red]F[/red]")
        assert window.shows("[b]c[/b]") and not any(mark in window.screen for mark in "\u202e\u2066\u200b")
        await window.press("1", "3", *"own", "enter")
        assert window.shows("“own”", "Enter send")
        window.clock.now += GRACE_S + 0.1
        await window.press("enter")
        await window.settle()
        assert window.shows("● AskUserQuestion", "“own”", "[red]F[/red]")
        assert not any(mark in window.screen for mark in "\u202e\u2066\u200b")

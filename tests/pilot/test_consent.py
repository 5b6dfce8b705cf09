"""Consent to what agents ask at once: parts, scopes, what is alike, explanations. Requests are made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.protocol import events as ev
from core.protocol.envelope import Envelope
from core.protocol.ops import AnswerPermission, ExplainPermission
from core.protocol.views import CallPart, FileDiff, PermissionRequest, RuleScope, ToolDisplay
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tui.dialogs.permission import PermissionPrompt
from tui.dialogs.prompt import GRACE_S

SCOPES = (
    RuleScope(rules=("Bash(npm test one)",), refuses="npm test two"),
    RuleScope(rules=("Bash(npm test *)",), allows="npm test two", refuses="npm publish"),
    RuleScope(rules=("Bash(npm *)",), allows="npm publish", refuses="npx x"),
)
EVIL = "A\x1b[2J\u202eB\u200bC\x07\nD" + " " * 60 + "E"


def request(number: int, command: str = "npm test one", **more: Any) -> PermissionRequest:
    values: dict[str, Any] = {
        "id": f"ask{number}",
        "tool_use_id": f"c{number}",
        "tool_name": "Bash",
        "input": {"command": command},
        "reason": "no rule allows it",
    }
    return PermissionRequest(**{**values, **more})


def show(window: Window, *events: ev.Event) -> None:
    assert window.main.presenter is not None
    window.main.presenter.apply([Envelope(seq=1, ts=0.0, session_id="s", event=event) for event in events])


def ask(window: Window, *requests: PermissionRequest) -> None:
    show(window, *(ev.PermissionRequested(request=one) for one in requests))


def resolve(window: Window, *numbers: int) -> None:
    show(
        window,
        *(ev.PermissionResolved(request_id=f"ask{n}", tool_use_id=f"c{n}", answer="once") for n in numbers),
    )


def given(window: Window) -> list[tuple[str, str, int, str]]:
    return [(op.request_id, op.answer, op.scope, op.comment) for op in window.sent(AnswerPermission)]


async def read_on(window: Window, *, until: Callable[[], bool]) -> str:
    """Page by page, until something stands there; all that was shown on the way."""
    seen = window.screen
    for _ in range(150):
        if until():
            return seen
        await window.press("pagedown")
        seen += window.screen
    raise AssertionError(f"it never came:\n{window.screen}")


async def shown(window: Window, text: str) -> PermissionPrompt:
    prompt = await window.asked(text)
    assert isinstance(prompt, PermissionPrompt)
    await window.pilot.pause()
    return prompt


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["y"], ("once", 0, "")),
        (["s"], ("session", 1, "")),
        (["a"], ("always", 1, "")),
        (["right", "a"], ("always", 2, "")),
        (["right", "right", "right", "s"], ("session", 2, "")),
        (["left", "s"], ("session", 0, "")),
        (["left", "y"], ("once", 0, "")),
        (["3"], ("always", 1, "")),
        (["4"], ("deny", 0, "")),
        (["down", "down", "enter"], ("always", 1, "")),
        (["tab", "o", "k", "enter"], ("once", 0, "ok")),
        (["down", "tab", "o", "k", "enter"], ("session", 1, "ok")),
        (["up", "tab", "n", "o", "enter"], ("deny", 0, "no")),
        (["Y"], ("once", 0, "")),
        (["N"], ("deny", 0, "")),
    ],
)
async def test_keys_become_one_answer(opener: Opener, keys: list[str], expected: tuple[str, int, str]) -> None:
    async with opener() as window:
        ask(window, request(1, scopes=SCOPES, scope=1, saves_to=f"{window.cwd}/.claude/settings.local.json"))
        await shown(window, "Bash wants to run a command")
        await window.press(*keys)
        await window.settle()
        assert given(window) == [("ask1", *expected)]


async def test_the_scope_shows_what_would_be_saved_and_where_it_stands(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1, scopes=SCOPES, scope=1, saves_to=f"{window.cwd}/.claude/settings.local.json"))
        await shown(window, "s/a save Bash(npm test *)  ◂ 2/3 ▸")
        assert window.shows("allows: npm test two", "still asks: npm publish", "saved in .claude/settings.local.json")
        assert window.shows("← → narrower, wider")
        await window.press("right")
        await window.until_shows("s/a save Bash(npm *)  ◂ 3/3 ▸", "still asks: npx x")
        await window.press("left", "left", "left")
        await window.until_shows("s/a save Bash(npm test one)  ◂ 1/3 ▸", "still asks: npm test two")
        assert not window.shows("allows:")


async def test_without_a_file_nothing_is_saved_for_good_and_one_scope_has_no_arrows(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1, scopes=SCOPES[:1]))
        await shown(window, "s saves Bash(npm test one)")
        assert not window.shows("Yes, always") and not window.shows("narrower") and not window.shows("1/1")
        await window.press("a")
        assert given(window) == []
    async with opener() as window:
        ask(window, request(1))
        await shown(window, "y Yes, this once")
        assert not window.shows("for this session") and not window.shows("save")


async def test_parts_of_a_line_stand_in_rows_with_their_reasons(opener: Opener) -> None:
    parts = (
        CallPart(text="git status", behavior="allow", reason="reads only"),
        CallPart(text="npm test", behavior="allow", reason="rule Bash(npm test *)"),
        CallPart(text="> out.txt", behavior="ask", reason="it writes out.txt"),
        CallPart(text="rm -rf /", behavior="deny", reason="rule Bash(rm *)"),
    )
    async with opener(size=WIDE) as window:
        ask(window, request(1, "git status; npm test > out.txt; rm -rf /", parts=parts, agent="Explore"))
        await shown(window, "? Explore wants to run a command")
        assert "✓ git status" in window.line("reads only")
        assert window.line("✓ npm test").rstrip("│ ").endswith("rule Bash(npm test *)")
        assert "asked: it writes out.txt" in window.line("? > out.txt")
        assert "denied: rule Bash(rm *)" in window.line("✗ rm -rf /")


async def test_a_long_command_must_be_read_before_a_rule_is_saved(opener: Opener) -> None:
    command = "\n".join(f"echo {number} > file{number}" for number in range(40))
    async with opener(size=USUAL) as window:
        ask(window, request(1, command, scopes=SCOPES, scope=1, saves_to="/x.json"))
        await shown(window, "Bash wants to run a command")
        assert "more lines: PgDn" in window.line("wants to run a command")
        assert "read it all first" in window.line("s Yes, for this session")
        assert " 1  echo 0" in window.line("echo 0")
        await window.press("s", "a", "2", "down", "enter", "tab")
        assert given(window) == [] and not window.shows("what should it know?")
        await read_on(window, until=lambda: window.shows("file39"))
        assert "40  echo 39" in window.line("file39")
        assert "read it all" not in window.line("s Yes, for this session")
        assert "asks before changes" in window.lines[-1] and "Ask, or tell it" in window.lines[-3]
        await window.press("s")
        await window.settle()
        assert given(window) == [("ask1", "session", 1, "")]


async def test_what_was_jumped_over_was_not_read(opener: Opener) -> None:
    command = "\n".join(f"echo {number}" for number in range(60))
    async with opener() as window:
        ask(window, request(1, command, scopes=SCOPES))
        prompt = await shown(window, "Bash wants")
        prompt.body.scroll_end(animate=False, immediate=True)
        await window.until_shows("echo 59")
        await window.press("s")
        assert given(window) == []
        await window.press("y")
        await window.settle()
        assert given(window) == [("ask1", "once", 0, "")]


async def test_rules_that_find_no_room_are_read_in_the_body(opener: Opener) -> None:
    many = RuleScope(rules=tuple(f"Bash({'x' * 150} {number} *)" for number in range(6)), allows="y" * 200)
    async with opener() as window:
        ask(window, request(1, scopes=(*SCOPES, many), scope=3))
        await shown(window, "Bash wants")
        assert "read it all first" in window.line("s Yes, for this session")
        assert "asks before changes" in window.lines[-1]
        await window.press("s")
        assert given(window) == []
        seen = await read_on(window, until=lambda: not window.shows("read it all"))
        assert all(f" {number} *)" in seen for number in range(6))
        await window.press("left")
        await window.until_shows("s saves Bash(npm *)")
        assert "read it all" not in window.line("s Yes, for this session")


async def test_twelve_requests_of_four_kinds_take_four_keys(opener: Opener) -> None:
    kinds = ("npm test", "make", "touch", "cargo build")
    async with opener(size=USUAL) as window:
        ask(
            window,
            *(request(n, f"{kinds[n % 4]} part{n}", likeness=kinds[n % 4], agent=f"agent{n}") for n in range(12)),
        )
        for kind in range(4):
            await shown(window, f"{kinds[kind]} part{kind}")
            for n in (kind, kind + 4, kind + 8):
                assert window.line(f"{kinds[kind]} part{n} ")
            assert window.shows("same answer for these 3: Y yes · N no")
            await window.press("Y" if kind != 2 else "N")
            await window.until(lambda kind=kind: len(given(window)) == 3 * (kind + 1))
            resolve(window, kind, kind + 4, kind + 8)
        await window.until(lambda: window.question is None)
        answered = [(op.request_id, op.answer) for op in window.sent(AnswerPermission)]
        order = [n for kind in range(4) for n in (kind, kind + 4, kind + 8)]
        assert answered == [(f"ask{n}", "deny" if n % 4 == 2 else "once") for n in order]


async def test_what_was_answered_together_is_not_shown_again(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1, likeness="k"), request(2, "npm test two", likeness="k"), request(3, "make"))
        await shown(window, "+ npm test two")
        await window.press("Y")
        await window.until(lambda: len(given(window)) == 2)
        resolve(window, 1)
        await shown(window, "  make")
        assert not window.shows("npm test two") and not window.shows("more after this")
        resolve(window, 2)
        await window.press("n")
        await window.settle()
        assert given(window)[-1][:2] == ("ask3", "deny")


async def test_a_saved_rule_settles_others_without_showing_them(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1, scopes=SCOPES), request(2, "npm test two"), request(3, "make"))
        first = await shown(window, "npm test one")
        await window.press("s")
        resolve(window, 1, 2)
        assert window.question is first, "it stands until the next one takes its place"
        last = await shown(window, "  make")
        assert not window.shows("npm test two")
        assert last is not first


async def test_a_list_that_does_not_fit_must_be_read_before_all_are_approved(opener: Opener) -> None:
    async with opener() as window:
        ask(window, *(request(n, f"npm test part{n}", likeness="k") for n in range(20)))
        await shown(window, "npm test part0")
        assert window.shows("same answer for these 20: Y yes, read all first")
        await window.press("Y")
        assert given(window) == []
        await read_on(window, until=lambda: window.shows("npm test part19"))
        assert window.shows("same answer for these 20: Y yes · N no")
        await window.press("Y")
        await window.until(lambda: len(given(window)) == 20)


async def test_one_that_joins_the_list_at_the_last_moment_is_not_approved_unseen(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        ask(window, request(1, likeness="k"), request(2, "npm test two", likeness="k"))
        await shown(window, "+ npm test two")
        ask(window, request(3, "npm test three", likeness="k"))
        await window.press("Y")
        assert given(window) == []
        await window.until_shows("+ npm test three")
        window.clock.now += GRACE_S + 0.1
        await window.press("Y")
        await window.until(lambda: len(given(window)) == 3)


async def test_alike_changes_are_shown_whole(opener: Opener) -> None:
    def edit(number: int, new: str) -> PermissionRequest:
        diff = FileDiff(path=f"/w/f{number}.py", old="a = 1\n", new=new)
        return request(
            number,
            tool_name="Edit",
            input={"file_path": f"/w/f{number}.py", "new_string": new},
            likeness="Edit",
            display=ToolDisplay(diff=diff),
        )

    async with opener(size=(120, 50)) as window:
        ask(window, edit(1, "a = 2\n"), edit(2, "import evil\n"))
        await shown(window, "Edit wants to change a file")
        assert window.shows("/w/f1.py", "a = 2", "+ /w/f2.py", "import evil")


async def test_the_explanation_is_labelled_and_coloured_as_an_opinion(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        part = CallPart(text="npm test one", behavior="ask", reason="no rule")
        ask(window, request(1, parts=(part,)))
        await shown(window, "npm test one")
        await window.press("e")
        await window.until_shows(
            "what the checks found", "asked: no rule", "what a model thinks, no check", "asking it…"
        )
        await window.press("e")
        await window.settle()
        assert [op.request_id for op in window.sent(ExplainPermission)] == ["ask1"], "asked once"
        show(window, ev.PermissionExplained(request_id="other", text="not this one"))
        show(window, ev.PermissionExplained(request_id="ask1", text=f"It runs tests. {EVIL}", risk="high"))
        await window.until_shows("risk: high", "It runs tests.")
        assert not window.shows("not this one") and not window.shows("asking it…")
        await window.press("y")
        await window.settle()
        assert given(window) == [("ask1", "once", 0, "")]


async def test_the_next_one_ignores_keys_for_a_moment(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1), request(2, "make"))
        await shown(window, "npm test one")
        await window.press("y")
        resolve(window, 1)
        await window.until_shows("  make")
        await window.press("y")
        assert len(given(window)) == 1
        await shown(window, "  make")
        await window.press("y")
        await window.until(lambda: len(given(window)) == 2)


async def test_a_click_chooses_one_more_answers_and_the_first_after_a_focus_does_nothing(opener: Opener) -> None:
    async with opener() as window:
        ask(window, request(1, scopes=SCOPES))
        await shown(window, "npm test one")
        window.app.app_focus = False
        await window.pilot.pause()
        window.app.app_focus = True
        await window.pilot.pause()
        row = window.row("y Yes, this once")
        await window.pilot.click(offset=(8, row))
        assert given(window) == []
        await window.pilot.click(offset=(8, row + 1))
        assert "❯" in window.line("s Yes, for this session") and given(window) == []
        await window.pilot.click(offset=(8, row + 1))
        await window.settle()
        assert given(window) == [("ask1", "session", 0, "")]


@pytest.mark.parametrize("size", [USUAL, WIDE, (60, 20)], ids=str)
async def test_hostile_words_are_shown_and_do_nothing(opener: Opener, size: tuple[int, int]) -> None:
    """In everything that a request brings; ``Window.lines`` fails where a control character reaches the screen."""
    scope = RuleScope(rules=(f"Bash({EVIL})", "y" * 200), allows=EVIL, refuses=EVIL)
    hostile = request(
        1,
        f"echo {EVIL}\n" * 20 + "w" * 200,
        agent=EVIL * 4,
        reason=EVIL,
        parts=(
            CallPart(text=EVIL, behavior="allow", reason=EVIL),
            CallPart(text="z" * 200, behavior="ask", reason=EVIL),
        ),
        scopes=(scope,),
        saves_to=f"/tmp/{EVIL}",
        likeness="k",
    )
    other = request(2, EVIL, tool_name=f"mcp{EVIL}", agent=EVIL, likeness="k", input={EVIL: {EVIL: [EVIL]}})
    async with opener(size=size) as window:
        ask(window, hostile, other)
        await shown(window, "⟨U+")
        seen = await read_on(window, until=lambda: window.shows("Y yes · N no") or not window.shows("read"))
        assert "\u202e" not in seen and "\u200b" not in seen
        for mark in ("⟨U+001B⟩", "⟨U+202E⟩", "⟨U+200B⟩", "⟨60 spaces⟩"):
            assert mark in seen.replace("│\n│", "")
        await window.press("Y")
        await window.until(lambda: len(given(window)) == 2)

"""Text of a model, a tool, a file name or a repository is shown as text: no markup, no control characters.

``Window.lines`` fails each test in which a control character reaches the screen.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say, think
from tests.fakes.windows import WIDE, Opener

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "unit" / "data" / "terminal_cases.jsonl").read_text("utf-8").splitlines()
]
CHOSEN = [
    next(case for case in CASES if case["category"] == category) for category in sorted({c["category"] for c in CASES})
]
"""One of each category; the renderers' own tests have all."""
MARKUP = "[red]x[/red] [@click=app.quit]y[/] [link=http://a.b]z[/link]"
EVIL = "A\x1b[2J\x1b[5;5HB\x9b31mC\x07\x1b]0;owned\x07D\x1b[?1049lE"
ON_SCREEN = re.compile("A.*B.*C.*D.*E")


def payload(case: dict[str, Any]) -> str:
    return base64.b64decode(case["input_b64"]).decode("utf-8", "replace").replace("\0", "")


def names(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", [case for case in CHOSEN if "model_text" in case["surfaces"]], ids=names)
async def test_text_and_thinking_of_a_model(opener: Opener, case: dict[str, Any]) -> None:
    text = payload(case)
    async with opener([Reply([think(f"t {text}"), say(f"`{text}`\n\n{text}\n\nend")])], size=WIDE) as window:
        await window.ask("go")
        await window.press("ctrl+o")
        assert window.shows("end", "Reading  q back")
        screen = window.screen
        assert all(str(part) in screen for part in case["must_show"])


@pytest.mark.parametrize("case", [case for case in CHOSEN if "permission_prompt" in case["surfaces"]], ids=names)
async def test_a_command_that_is_asked_about(opener: Opener, case: dict[str, Any]) -> None:
    command = f"touch x; echo {payload(case)}"[:600]
    bash = call("Bash", "b1", command=command, description=payload(case)[:200])
    async with opener([Reply([bash]), Reply([say("end")])], size=(120, 50)) as window:
        await window.prompt("go")
        await window.asked("y Yes, this once")
        assert window.line("touch")
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f]", window.screen)
        await window.press("n")
        await window.settle()


@pytest.mark.parametrize("case", [case for case in CHOSEN if "tool_output" in case["surfaces"]], ids=names)
async def test_output_of_a_command(opener: Opener, case: dict[str, Any]) -> None:
    (opener.cwd / "output").write_bytes(b"begin\n" + base64.b64decode(case["input_b64"]) + b"\nfinish\n")
    script = [Reply([call("Bash", "b1", command="cat output")]), Reply([say("end")])]
    async with opener(script, size=(120, 60)) as window:
        await window.ask("go")
        await window.press("ctrl+o", "ctrl+end")
        assert window.shows("finish", "end", "Reading  q back")


async def test_markup_is_text_everywhere(opener: Opener) -> None:
    opener.file("[red]f[/red].txt", f"{MARKUP}\n")
    todo = {"id": "1", "content": MARKUP, "activeForm": MARKUP, "status": "in_progress"}
    script = [
        Reply([think(MARKUP), say(MARKUP), call("Read", "r1", file_path="[red]f[/red].txt")]),
        Reply([call("Bash", "b1", command=f"echo '{MARKUP}'; touch x", description=MARKUP)]),
        Reply([call("TodoWrite", "t1", todos=[todo])]),
        Reply([say("end")]),
    ]
    async with opener(script, size=(120, 50)) as window:
        await window.prompt(MARKUP)
        await window.asked("wants to run a command")
        assert window.line("echo '[red]x[/red]").count("[@click=app.quit]y[/]") == 1
        await window.press("y")
        await window.settle()
        await window.press("ctrl+o")
        screen = window.screen
        assert "Read [red]f[/red].txt" in screen
        assert screen.count("[@click=app.quit]y[/]") >= 5
        for row, line in enumerate(window.lines):
            at = line.find("[@click=app.quit]y")
            if at >= 0:
                await window.pilot.click(offset=(at + 17, row))
        assert window.app.is_running
        assert window.shows("end")


async def test_a_todo_list_of_a_model(opener: Opener) -> None:
    todos = [
        {"id": "1", "content": EVIL, "activeForm": EVIL, "status": "in_progress"},
        {"id": "2", "content": EVIL, "activeForm": EVIL, "status": "pending"},
    ]
    for size in ((80, 24), WIDE):
        async with opener([Reply([call("TodoWrite", "t1", todos=todos)]), Reply([say("end")])], size=size) as window:
            await window.ask("go")
            assert ON_SCREEN.search(window.line("◐ A" if size == WIDE else "☑ 0/2"))
            await window.press("ctrl+o")
            assert window.shows("end")


async def test_the_item_in_progress_in_the_status_line(opener: Opener) -> None:
    todos = [{"id": "1", "content": EVIL, "activeForm": EVIL, "status": "in_progress"}]
    gate = asyncio.Event()
    script = [Reply([call("TodoWrite", "t1", todos=todos)]), Reply([say("Working."), say("End.")], gates={1: gate})]
    async with opener(script, size=(200, 50)) as window:
        await window.prompt("go")
        await window.until_shows("Working.")
        assert ON_SCREEN.search(window.line("Answering"))
        gate.set()
        await window.settle()


async def test_the_name_of_a_tool_that_is_not_there(opener: Opener) -> None:
    name = "Re\x1b[2Jad[red]"
    async with opener([Reply([call(name, "x1", path=EVIL)]), Reply([say("end")])], size=WIDE) as window:
        await window.ask("go")
        assert window.line("✗ Re") and window.shows("[red]", "There is no tool named", "end")


async def test_what_a_server_says_of_its_error(opener: Opener) -> None:
    error = ModelError("invalid", f"Refused: {EVIL}", f"Hint {MARKUP}")
    async with opener([Reply(error=error)], size=WIDE) as window:
        await window.ask("go")
        assert ON_SCREEN.search(window.line("✗ Refused"))
        assert window.shows("[red]x[/red]")


async def test_what_a_server_says_before_a_retry(opener: Opener) -> None:
    error = ModelError("overloaded", f"Busy: {EVIL}")
    async with opener([Reply(error=error), Reply([say("end")])], size=WIDE) as window:
        await window.ask("go")
        assert window.shows("Busy: A", "end")


async def test_file_names_in_listings_and_questions(opener: Opener) -> None:
    name = "a\x1b[2Jb\x07[red]c\u202etxt.py"
    opener.file(name, "one\n")
    script = [
        Reply([call("LS", "l1", path="."), call("Glob", "g1", pattern="*"), call("Read", "r1", file_path=name)]),
        Reply([call("Edit", "e1", file_path=name, old_string="one", new_string="two")]),
        Reply([say("end")]),
    ]
    async with opener(script, size=(120, 50)) as window:
        await window.prompt("go")
        await window.asked("Edit wants to change a file")
        assert "U+202E" in window.screen and "[red]c" in window.screen
        await window.press("n")
        await window.settle()
        await window.press("ctrl+o")
        assert window.line("LS")


async def test_a_folder_with_a_bad_name(opener: Opener) -> None:
    opener.cwd = opener.cwd / "w\x1b[2Jork[red]"
    opener.cwd.mkdir()
    async with opener(size=(200, 24), is_trusted=False, is_started=False) as window:
        await window.asked("Do you trust this folder?")
        assert "ork[red]" in window.line("⟨U+001B⟩") and "ork[red]" in window.line("agent-tui  ")
        await window.press("y")
        await window.until(lambda: bool(window.readers))
        await window.settle()
        assert "work[red]" in window.line("agent-tui  ")

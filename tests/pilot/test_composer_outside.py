"""What the composer has others do: drafts on disk, the external editor, suspending."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from tests.fakes.windows import Opener, Window
from tui.app import AgentApp
from tui.widgets.composer import drafts
from tui.widgets.transcript.tool_block import ToolBlock

LONG = "\n".join(f"row {number}" for number in range(120))


def saved(window: Window) -> dict[str, object]:
    """The draft on disk."""
    found = list(window.home.rglob("draft-*.json"))
    return json.loads(found[0].read_text()) if found else {}


@pytest.fixture
def quick_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "DELAY_S", 0.02)


@pytest.mark.usefixtures("quick_drafts")
async def test_a_draft_is_saved_while_typing_and_gone_once_sent_or_emptied(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await window.press(*"half")
        await window.until(lambda: saved(window).get("text") == "half")
        await window.press(*" done", "enter")
        await window.until(lambda: not saved(window))
        await window.press("x")
        await window.until(lambda: saved(window).get("text") == "x")
        await window.press("backspace")
        await window.until(lambda: not saved(window))


async def test_a_draft_comes_back_at_the_next_start_with_its_pastes_and_what_was_put_aside(opener: Opener) -> None:
    async with opener() as window:
        window.composer.put("aside")
        await window.press("ctrl+s")
        await window.press(*"see ")
        await window.paste(LONG)
    async with opener([Reply([say("ok")])]) as window:
        await window.until_shows("What you had typed when it ended is back")
        assert window.composer.text == "see [Pasted text #1 +120 lines]"
        await window.paste("\n".join("another"))
        assert window.composer.text.endswith("[Pasted text #2 +7 lines]")
        await window.press("backspace", "enter")
        await window.settle()
        assert window.requests[0].messages[-1]["content"][-1]["text"] == f"see {LONG}"
        await window.press("ctrl+s")
        assert window.composer.text == "aside"
        await window.press("escape", "escape")
    async with opener() as window:
        assert window.composer.text == ""
        assert not window.shows("is back")


async def test_a_draft_does_not_come_over_what_is_typed_already(opener: Opener) -> None:
    async with opener() as window:
        await window.press(*"new")
        window.composer.restore({"text": "old", "stash": ["aside"]})
        assert window.composer.text == "new"
        await window.press("ctrl+u", "ctrl+s")
        assert window.composer.text == "aside"


@pytest.mark.usefixtures("quick_drafts")
async def test_nothing_ticks_while_nothing_is_typed(opener: Opener) -> None:
    async with opener() as window:
        timer = window.composer._drafts  # pyright: ignore[reportPrivateUsage]
        assert not timer.is_waiting
        await window.press("x")
        await window.until(lambda: saved(window).get("text") == "x")
        assert not timer.is_waiting


@contextmanager
def handed_over(_app: AgentApp) -> Generator[None]:
    """The terminal is given away, as far as a test has one. As in Textual, an error in there is not cleaned up."""
    try:
        yield
    except BaseException as error:
        raise AssertionError("the terminal would not have been taken back") from error


def editor(opener: Opener, script: str) -> str:
    """An editor as a shell script; its file is ``$1``."""
    path = opener.cwd.parent / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("keys", [("ctrl+g",), ("ctrl+x", "ctrl+e")])
async def test_the_text_goes_through_the_users_editor(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, 'cp "$1" seen.md; printf "more\\n" >> "$1"'))
    async with opener() as window:
        await window.press(*"head ")
        await window.paste(LONG)
        await window.press(*keys)
        await window.until(lambda: "more" in window.composer.text)
        assert (opener.cwd / "seen.md").read_text() == f"head {LONG}"
        assert window.composer.text == "head [Pasted text #1 +120 lines]more"
        await window.press("ctrl+underscore")
        assert window.composer.text == "head [Pasted text #1 +120 lines]"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", "ended with exit code 3"),
        ('printf "\\377\\376\\000" > "$1"', "not UTF-8"),
        ('rm "$1"', "could not be used"),
        ("", "is not there"),
    ],
    ids=["fails", "writes bytes", "deletes the file", "is missing"],
)
async def test_an_editor_that_fails_leaves_the_text(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, script) if script else "/nowhere/ed")
    async with opener(size=(120, 36)) as window:
        await window.press(*"keep", "ctrl+g")
        await window.until_shows(words)
        assert window.composer.text == "keep"


async def test_where_the_terminal_cannot_be_given_away_it_says_so(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(opener, "true"))
    async with opener() as window:
        await window.press(*"keep", "ctrl+g")
        await window.until_shows("cannot be opened in this terminal")
        assert window.composer.text == "keep"


async def test_an_open_chord_takes_no_other_key(opener: Opener) -> None:
    async with opener() as window:
        await window.press("a", "ctrl+x", "b", "ctrl+e", "c")
        assert window.composer.text == "abc"


async def test_a_saved_result_and_a_file_open_in_the_editor_and_what_has_none_does_nothing(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentApp, "suspend", handed_over)
    monkeypatch.setenv("VISUAL", editor(opener, 'cp "$1" seen; echo "$1" > path'))
    (opener.cwd / "a.txt").write_text("of a file\n")
    script = [
        Reply([call("Bash", "b", command="seq 1 20000"), call("Read", "r", file_path="a.txt")]),
        Reply([say("Done.")]),
    ]
    async with opener(script, flags={"allow": ("Bash",)}) as window:
        await window.ask("go")
        seen, path = window.cwd / "seen", window.cwd / "path"
        await window.press("tab", "G", "k", "e")
        assert not seen.exists()
        for name, content in (("Read", "of a file\n"), ("Bash", "".join(f"{n}\n" for n in range(1, 20_001)))):
            view = window.transcript
            view.cursor = next(
                at
                for at, entry in enumerate(view.plan)
                if isinstance(entry.block, ToolBlock) and entry.block.name == name
            )
            await window.press("e")
            await window.until(lambda wanted=content: seen.exists() and seen.read_text() == wanted)
            await window.until(lambda: not window.app._is_editing)  # pyright: ignore[reportPrivateUsage]
        Path(path.read_text().strip()).unlink()
        await window.press("e")
        await window.until_shows("is not there any more")

"""Long pastes and images in the composer: chips that are one thing, sent in full."""

from __future__ import annotations

import base64
import struct
import time
from pathlib import Path

import pytest

from core.llm.scripted import Reply, say
from core.protocol.ops import SubmitPrompt
from tests.fakes.media import png
from tests.fakes.windows import Opener, Window
from tui.widgets.transcript.blocks import PromptBlock

PNG = png(640, 480)
LONG = "\n".join(f"row {number}" for number in range(120))
CHIP = "[Pasted text #1 +120 lines]"


async def test_a_long_paste_is_a_chip_and_sent_in_full(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await window.press(*"see ")
        await window.paste(LONG)
        await window.press(*" ok")
        assert window.composer.text == f"see {CHIP} ok"
        await window.press("enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == [SubmitPrompt(text=f"see {LONG} ok")]
        await window.press("up")
        assert window.composer.text == f"see {LONG} ok"


async def test_five_lines_are_short_and_a_thousand_characters_too(opener: Opener) -> None:
    async with opener() as window:
        for text in ("a\nb\nc\nd\ne", "x" * 1000):
            await window.paste(text)
            assert window.composer.text == text
            window.composer.put("")
        await window.paste("a\nb\nc\nd\ne\nf")
        await window.paste("x" * 1001)
        assert window.composer.text == "[Pasted text #1 +6 lines][Pasted text #2 1,001 characters]"


async def test_the_cursor_steps_over_a_chip_and_backspace_takes_all_of_it(opener: Opener) -> None:
    async with opener() as window:
        await window.press("a")
        await window.paste(LONG)
        await window.press("b", "left", "left")
        assert window.composer.cursor_location == (0, 1)
        await window.press("right")
        assert window.composer.cursor_location == (0, 1 + len(CHIP))
        window.composer.move_cursor((0, 9))
        assert window.composer.cursor_location == (0, 1)
        await window.press("delete")
        assert window.composer.text == "ab"
        await window.press("ctrl+underscore")
        assert window.composer.text == f"a{CHIP}b"
        await window.press("ctrl+e", "left", "backspace")
        assert window.composer.text == "ab"


async def test_words_are_killed_with_the_whole_chip_and_yanked_whole(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await window.paste(LONG)
        await window.press("ctrl+w")
        assert window.composer.text == ""
        await window.press("ctrl+y", "enter")
        await window.settle()
        assert window.sent(SubmitPrompt)[0].text == LONG


async def test_the_same_paste_again_unfolds_it(opener: Opener) -> None:
    async with opener() as window:
        await window.paste(LONG)
        await window.paste(LONG)
        assert window.composer.text == LONG
        await window.press("ctrl+underscore")
        assert window.composer.text == CHIP


async def test_a_broken_chip_is_plain_text(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        window.composer.put("[Pasted text #7 +120 lines]")
        await window.press("backspace", "enter")
        await window.settle()
        assert window.sent(SubmitPrompt)[0].text == "[Pasted text #7 +120 lines"


async def test_five_thousand_lines_take_no_time(opener: Opener) -> None:
    text = "\n".join(f"line {number} of a log with some more words in it" for number in range(5000))
    async with opener() as window:
        best = min([_timed(window, text) for _ in range(5)])
        print(f"a paste of 5,000 lines: {best * 1000:.1f} ms")
        assert best < 0.05


def _timed(window: Window, text: str) -> float:
    window.composer.put("")
    begun = time.perf_counter()
    window.composer.take_in(text)
    return time.perf_counter() - begun


def image(opener: Opener, name: str = "shot.png", data: bytes = PNG) -> Path:
    path = opener.cwd / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["plain", "quoted", "escaped", "url"])
async def test_the_path_of_an_image_becomes_an_attachment(opener: Opener, form: str) -> None:
    path = image(opener, "my shot.png")
    forms = {
        "plain": str(path),
        "quoted": f"'{path}'",
        "escaped": str(path).replace(" ", "\\ "),
        "url": path.as_uri(),
    }
    async with opener([Reply([say("A shot.")])]) as window:
        await window.press(*"what is ")
        await window.paste(forms[form])
        await window.until(lambda: window.composer.text == "what is [Image #1 my shot.png] ")
        await window.press("enter")
        await window.settle()
        (op,) = window.sent(SubmitPrompt)
        assert op.text == "what is [Image #1 my shot.png]"
        assert [(image.media_type, image.width, image.height) for image in op.images] == [("image/png", 640, 480)]
        (sent,) = [block for block in window.requests[0].messages[-1]["content"] if block["type"] == "image"]
        assert base64.b64decode(sent["source"]["data"]) == PNG
        assert window.shows("[image: my shot.png 640×480]")
        assert [block.source for block in window.blocks(PromptBlock)] == ["what is [Image #1 my shot.png]"]


async def test_several_images_dropped_at_once(opener: Opener) -> None:
    paths = [image(opener, name) for name in ("a.png", "b.png")]
    async with opener() as window:
        await window.paste(" ".join(map(str, paths)))
        await window.until(lambda: window.composer.text == "[Image #1 a.png] [Image #2 b.png] ")
        await window.press("backspace", "backspace")
        assert window.composer.text == "[Image #1 a.png] "


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("fake.png", b"not an image at all", "is no PNG, JPEG, GIF or WebP image"),
        ("huge.png", PNG + bytes(9_000_000), "too large"),
        ("wide.png", PNG[:16] + struct.pack(">II", 9000, 10) + PNG[24:], "9000×10 pixels"),
    ],
    ids=["no image", "too many bytes", "too many pixels"],
)
async def test_what_is_no_usable_image_stays_a_path(opener: Opener, name: str, data: bytes, words: str) -> None:
    path = image(opener, name, data)
    async with opener() as window:
        await window.paste(str(path))
        await window.until_shows(words)
        assert window.composer.text == str(path)


async def test_a_path_that_is_not_there_stays_a_path(opener: Opener) -> None:
    async with opener() as window:
        await window.paste("/nowhere/at/all.png")
        await window.until_shows("cannot be read")
        assert window.composer.text == "/nowhere/at/all.png"


async def test_the_clipboards_image(opener: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    source = image(opener)
    script = f'#!/bin/sh\ncase "$*" in *TARGETS*) echo image/png;; *) /bin/cat {source};; esac\n'
    (tools / "xclip").write_text(script)
    (tools / "xclip").chmod(0o755)
    async with opener() as window:
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        await window.press("ctrl+v")
        await window.until_shows("needs wl-paste")
        monkeypatch.setenv("DISPLAY", ":9")
        monkeypatch.setenv("PATH", str(tools))
        await window.press("ctrl+v")
        await window.until(lambda: window.composer.text == "[Image #1 clipboard] ")


async def test_queued_images_come_back_and_go_with_the_prompt(opener: Opener) -> None:
    import asyncio

    gate = asyncio.Event()
    path = image(opener)
    async with opener([Reply([say("Working."), say("Done.")], gates={1: gate}), Reply([say("Seen.")])]) as window:
        await window.prompt("go")
        await window.until_shows("Working.")
        await window.paste(str(path))
        await window.until(lambda: "[Image" in window.composer.text)
        await window.press("enter")
        await window.until_shows("next step: [Image #1 shot.png]")
        await window.press("up")
        await window.until(lambda: window.composer.text == "[Image #1 shot.png]")
        await window.press("enter")
        await window.until_shows("next step: [Image #1 shot.png]")
        gate.set()
        await window.settle()
        kinds = [block["type"] for block in window.requests[-1].messages[-1]["content"]]
        assert kinds == ["image", "text"]
    async with opener([Reply([say("Still here.")])], selection={"resume": "latest"}) as window:
        await window.until_shows("[image: shot.png 640×480]")
        await window.ask("and now?")
        assert any(block["type"] == "image" for message in window.requests[0].messages for block in message["content"])

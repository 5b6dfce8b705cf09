"""Images and PDFs through the real SDK against the strict server: good ones accepted and resumed, bad ones not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from core.engine.attachments import load_image
from core.protocol import events as ev
from core.protocol.ops import SubmitPrompt
from core.protocol.views import ImageAttachment
from tests.fakes.api_script import Reply, say, tool_use
from tests.fakes.media import code_cell, markdown_cell, notebook, pdf, png
from tests.provider.test_engine_over_http import connected

PNG = png(64, 48)


async def test_an_image_is_accepted_and_stays_in_the_prefix(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    image = load_image("shot.png", tmp_path)
    async with connected([say("A shot."), say("Still there.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="what is [Image #1 shot.png]?", images=(image,)))
        await rig.settle()
        await rig.prompt("and now?")
        assert (server.rejections, server.prefix_violations) == ([], [])
        assert [event.images for event in rig.of(ev.PromptSubmitted)] == [("shot.png 64×48",), ()]
        for request in server.requests:
            sent = [block for message in request.body["messages"] for block in message["content"]]
            (found,) = [block for block in sent if block["type"] == "image"]
            assert base64.b64decode(found["source"]["data"]) == PNG


async def test_a_wrong_kind_and_broken_data_are_rejected(tmp_path: Path, isolated_machine: Path) -> None:
    for media_type, data, words in (
        ("image/bmp", "AAAA", "media_type"),
        ("image/png", "not base64!", "base64"),
        ("image/png", "", "empty"),
        ("image/jpeg", base64.b64encode(PNG).decode(), "does not match"),
        ("image/png", base64.b64encode(PNG[:-4]).decode(), "Could not process"),
    ):
        image = ImageAttachment(name="x", media_type=media_type, data=data)
        async with connected([say("Never.")], tmp_path, isolated_machine) as (server, rig):
            await rig.do(SubmitPrompt(text="look", images=(image,)))
            await rig.settle()
            assert len(server.rejections) == 1
            assert words in str(server.rejections[0])
            assert rig.of(ev.TurnEnded)[-1].reason == "error"


async def test_what_read_attaches_is_accepted_resumed_and_never_in_an_event(
    tmp_path: Path, isolated_machine: Path
) -> None:
    plot = {"output_type": "display_data", "data": {"image/png": base64.b64encode(png(30, 20)).decode()}}
    (tmp_path / "n.ipynb").write_text(notebook(markdown_cell("# One"), code_cell("plot()", plot), markdown_cell("End")))
    (tmp_path / "shot.png").write_bytes(PNG)
    (tmp_path / "long.pdf").write_bytes(pdf(30))
    (tmp_path / "cut.png").write_bytes(PNG[:-9])
    asked: list[dict[str, str]] = [
        {"file_path": "shot.png"},
        {"file_path": "long.pdf", "pages": "3-5"},
        {"file_path": "long.pdf"},
        {"file_path": "n.ipynb"},
        {"file_path": "cut.png"},
    ]
    script = [Reply([tool_use("Read", arguments) for arguments in asked]), say("Seen."), say("Still there.")]
    async with connected(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("read all")
        assert (server.rejections, server.prefix_violations) == ([], [])
        finished = rig.of(ev.ToolFinished)
        told = [(event.display.summary, event.is_error) for event in finished]
        assert [told[0], told[1], told[3]] == [
            ("image 64×48", False),
            ("PDF, pages 3–5 of 30", False),
            ("notebook, 3 cells", False),
        ]
        assert [event.is_error for event in finished] == [False, False, True, False, True]
        assert "[image]" in finished[0].content and "[document]" in finished[1].content
        assert max(len(event.content) for event in finished) < 500
        live = finished
        sent = server.requests[-1].body["messages"]
    async with connected([say("And now.")], tmp_path, isolated_machine, resume="latest") as (server, rig):
        await rig.prompt("and now?")
        assert server.rejections == []
        assert [event.content for event in rig.of(ev.ToolFinished)] == [event.content for event in live]
        assert results(server.requests[-1].body["messages"]) == results(sent)
        types = [block["type"] for content in results(sent) for block in content if isinstance(content, list)]
        assert types == ["text", "image", "text", "document", "text", "image", "text"]


def results(messages: list[dict[str, Any]]) -> list[Any]:
    return [block["content"] for message in messages for block in message["content"] if block["type"] == "tool_result"]


async def test_a_mentioned_image_is_seen(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    (tmp_path / "a.pdf").write_bytes(pdf(2))
    (tmp_path / "cut.png").write_bytes(PNG[:-9])
    async with connected([say("A shot.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("what is @shot.png and @a.pdf, not @cut.png?")
        assert server.rejections == []
        blocks = [block for message in server.requests[0].body["messages"] for block in message["content"]]
        assert [block["type"] for block in blocks if block["type"] != "text"] == ["image", "document"]
        notices = [event.text for event in rig.of(ev.Notice)]
        assert "Attached: shot.png (image 64×48), a.pdf (PDF, 2 pages)" in notices
        assert any("@cut.png is not attached" in text and "damaged" in text for text in notices)


async def test_a_session_is_not_lost_to_one_image_too_many(tmp_path: Path, isolated_machine: Path) -> None:
    """Images that are too large together are refused one by one, not by the API for good."""
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(png(64, 48, padding=5_000_000 + number))
    calls = [tool_use("Read", {"file_path": f"{number}.png"}) for number in range(5)]
    async with connected([Reply(calls), say("Seen."), say("Yes.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("read all")
        await rig.prompt("still there?")
        assert server.rejections == []
        assert [event.is_error for event in rig.of(ev.ToolFinished)] == [False, False, False, True, True]
        assert "Make a smaller copy" in rig.of(ev.ToolFinished)[-1].content

"""Images through the real SDK against the strict server: valid ones accepted, cached and resumed; bad ones rejected."""

from __future__ import annotations

import base64
from pathlib import Path

from core.engine.attachments import load_image
from core.protocol import events as ev
from core.protocol.ops import SubmitPrompt
from core.protocol.views import ImageAttachment
from tests.fakes.api_script import say
from tests.fakes.media import png
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

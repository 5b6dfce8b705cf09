"""Image files are told by their bytes; images to be sent are checked; what a conversation keeps of them."""

from __future__ import annotations

import base64
import json
import os
import struct
from pathlib import Path

import pytest

from core.context.tokens import MAX_IMAGE_TOKENS, UNKNOWN_IMAGE_TOKENS, estimate
from core.engine.attachments import load_image
from core.host.image_files import ImageSize, is_whole, sniff_encoded, sniff_image
from core.protocol.errors import AgentError
from core.protocol.messages import ImageBlock, Message, OtherBlock, TextBlock, block_from_wire, block_to_wire
from core.query.normalize import Accepted, normalize
from core.sessions.drafts import DraftStore
from core.sessions.entries import message_record
from tests.fakes.media import GIF, WEBP_LOSSLESS, png
from tests.fakes.media import JPEG as WHOLE_JPEG
from tests.fakes.media import WEBP as WHOLE_WEBP

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
JPEG = (
    b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF" + bytes(10)
    + b"\xff\xc4" + struct.pack(">H", 4) + b"xx"
    + b"\xff\xc2" + struct.pack(">HBHH", 11, 8, 300, 200) + bytes(8)
)  # fmt: skip
WEBP_X = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (799).to_bytes(3, "little") + (599).to_bytes(3, "little")
WEBP_L = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + (99 | 49 << 14).to_bytes(4, "little")
WEBP = b"RIFF\0\0\0\0WEBPVP8 " + bytes(4) + bytes(6) + struct.pack("<HH", 320, 240)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PNG, ImageSize("image/png", 640, 480)),
        (JPEG, ImageSize("image/jpeg", 200, 300)),
        (b"GIF89a" + struct.pack("<HH", 12, 34), ImageSize("image/gif", 12, 34)),
        (WEBP_X, ImageSize("image/webp", 800, 600)),
        (WEBP_L, ImageSize("image/webp", 100, 50)),
        (WEBP, ImageSize("image/webp", 320, 240)),
        (PNG[:20], ImageSize("image/png", 0, 0)),
        (b"\xff\xd8\xff", ImageSize("image/jpeg", 0, 0)),
        (b"<svg></svg>", None),
        (b"", None),
    ],
)
def test_kind_and_size_come_from_the_first_bytes(data: bytes, found: ImageSize | None) -> None:
    assert sniff_image(data) == found


@pytest.mark.parametrize(
    "data", [png(), png(300, 200), png(padding=999), WHOLE_JPEG, GIF, WHOLE_WEBP, WEBP_LOSSLESS], ids=range(7)
)
def test_a_file_that_was_cut_off_is_told_from_a_whole_one(data: bytes) -> None:
    image = sniff_image(data)
    assert image and is_whole(data, image) and is_whole(data + b"\n", image)
    for end in range(1, len(data) - 1, 5):
        part = data[:end]
        found = sniff_image(part)
        assert found is None or not is_whole(part, found), end


def test_an_image_with_a_changed_byte_is_not_whole() -> None:
    data = bytearray(png(30, 20))
    data[45] ^= 1
    assert not is_whole(bytes(data), ImageSize("image/png", 30, 20))


def test_size_and_kind_are_found_in_base64_too() -> None:
    for data in (png(30, 20), WHOLE_JPEG, GIF, WHOLE_WEBP):
        assert sniff_encoded(base64.b64encode(data).decode()) == sniff_image(data)
    assert sniff_encoded("not base64!") is None and sniff_encoded("é") is None


def test_an_image_is_loaded_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(640, 480))
    image = load_image("a.png", tmp_path)
    assert (image.name, image.media_type, image.width, image.path) == (
        "a.png",
        "image/png",
        640,
        str(tmp_path / "a.png"),
    )
    assert base64.b64decode(image.data) == png(640, 480)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"BM nothing", "no PNG, JPEG, GIF or WebP"),
        (png(8001, 1), "8001×1 pixels"),
        (png(padding=8_000_000), "7.9 MB at most"),
        (png()[:-5], "damaged or cut off"),
    ],
    ids=range(4),
)
def test_an_image_that_the_api_would_refuse_is_refused_here(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(AgentError, match=said):
        load_image("a.png", tmp_path)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "missing.png", "nul\0.png"):
        with pytest.raises(AgentError):
            load_image(name, tmp_path)


def message(*blocks: ImageBlock) -> Message:
    return Message(id="m", role="user", content=(*blocks, TextBlock(text="what is it?")))


def test_an_image_survives_wire_and_transcript() -> None:
    block = ImageBlock(media_type="image/png", data="AAAA", name="a.png", width=640, height=480)
    wire = block_to_wire(block)
    assert wire == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    assert block_to_wire(block_from_wire(wire)) == wire
    record = json.loads(json.dumps(message_record(message(block))))
    assert record["message"]["content"][0]["_image"] == {"name": "a.png", "width": 640, "height": 480}
    assert normalize([message(block)], Accepted(system=True))[0]["content"][0] == wire


def test_an_image_with_more_than_the_plain_fields_is_kept_whole() -> None:
    for source in ({"type": "url", "url": "https://x/a.png"}, {"type": "base64", "media_type": "image/png"}):
        wire = {"type": "image", "source": source}
        block = block_from_wire(wire)
        assert isinstance(block, OtherBlock) and block_to_wire(block) == wire


def test_tokens_of_an_image_follow_its_patches_not_its_bytes() -> None:
    words = estimate(message())
    sizes = {(640, 480): 23 * 18, (8000, 8000): MAX_IMAGE_TOKENS, (0, 0): UNKNOWN_IMAGE_TOKENS}
    for (width, height), tokens in sizes.items():
        block = ImageBlock(media_type="image/png", data="A" * 1_000_000, width=width, height=height)
        assert estimate(message(block)) == words + tokens


def test_drafts_of_programs_that_run_are_left_alone(tmp_path: Path) -> None:
    store = DraftStore(tmp_path)
    store.save({"text": "mine"})
    mine = next(tmp_path.glob("draft-*.json"))
    mine.rename(tmp_path / f"draft-{os.getppid()}.json")
    assert store.take() == {}
    (tmp_path / "draft-99999999.json").write_text('{"text": "left"}')
    (tmp_path / "draft-99999998.json").write_text("broken")
    assert store.take() == {"text": "left"}
    assert store.take() == {}


def test_an_empty_draft_is_no_file(tmp_path: Path) -> None:
    store = DraftStore(tmp_path)
    store.save({"text": "x"})
    store.save({})
    assert list(tmp_path.iterdir()) == []
    store.save({})

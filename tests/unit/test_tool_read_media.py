"""Read on images, PDFs and notebooks: what the model gets, what the window says, what is refused and how."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from core.bus.bus import Bus, Publisher
from core.context.tokens import MAX_IMAGE_TOKENS, PAGE_TOKENS, UNKNOWN_PAGES, estimate
from core.orchestration.call import CallOutcome
from core.orchestration.round_budget import within_budget
from core.protocol.messages import ImageBlock, Message, ToolResultBlock, block_from_wire, block_to_wire
from core.protocol.views import ToolDisplay
from core.tools.attached import MAX_CHARS, Attached, attached_in
from core.tools.base import ToolResult
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.read.tool import Read, ReadInput
from tests.fakes.media import GIF, JPEG, WEBP, code_cell, markdown_cell, notebook, page_widths, pdf, png
from tests.fakes.tools import Bench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


async def parts(bench: Bench, **arguments: Any) -> tuple[list[dict[str, Any]], str]:
    """The blocks of a result, and its summary."""
    result = await bench.run(Read(), **arguments)
    assert not isinstance(result.content, str), result.content
    return list(result.content), result.display.summary


def data_of(block: dict[str, Any]) -> bytes:
    return base64.b64decode(block["source"]["data"], validate=True)


# Images


@pytest.mark.parametrize(
    ("name", "data", "kind", "size"),
    [
        ("a.png", png(640, 480), "png", "640×480"),
        ("a.jpg", JPEG, "jpeg", "8×6"),
        ("a.gif", GIF, "gif", "8×6"),
        ("a.webp", WEBP, "webp", "8×6"),
        ("wrong.jpg", png(), "png", "8×6"),
        ("no_suffix", png(), "png", "8×6"),
    ],
    ids=range(6),
)
async def test_an_image_is_known_by_its_content(bench: Bench, name: str, data: bytes, kind: str, size: str) -> None:
    (bench.root / name).write_bytes(data)
    (text, image), summary = await parts(bench, file_path=name)
    assert text["text"] == f"{name}: {kind.upper()} image, {size} pixels, {len(data):,} bytes."
    assert (image["type"], image["source"]["media_type"]) == ("image", f"image/{kind}")
    assert data_of(image) == data
    assert summary == f"image {size}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png()[:-6], "damaged or cut off"),
        (png(9000, 2), "9000×2 pixels; 8,000 a side is the most. Make a smaller copy"),
        (png(padding=8_000_000), "7.9 MB at most. Make a smaller copy"),
    ],
    ids=range(3),
)
async def test_an_image_that_the_api_does_not_take_is_refused(bench: Bench, data: bytes, said: str) -> None:
    (bench.root / "a.png").write_bytes(data)
    assert said in await bench.refusal(Read(), file_path="a.png")


async def test_pages_of_what_has_none_are_refused(bench: Bench) -> None:
    (bench.root / "a.png").write_bytes(png())
    assert "no PDF" in await bench.refusal(Read(), file_path="a.png", pages="1")


# PDFs


async def test_a_short_pdf_comes_whole_and_unchanged(bench: Bench) -> None:
    (bench.root / "a.pdf").write_bytes(pdf(10))
    (text, document), summary = await parts(bench, file_path="a.pdf")
    assert (text["text"], summary) == ("a.pdf: PDF, 10 pages.", "PDF, 10 pages")
    assert document["source"]["media_type"] == "application/pdf"
    assert data_of(document) == pdf(10)


@pytest.mark.parametrize(
    ("pages", "widths", "said"),
    [
        ("3", [103], "page 3 of 30"),
        ("1-5", [101, 102, 103, 104, 105], "pages 1–5 of 30"),
        (" 29–40 ", [129, 130], "pages 29–30 of 30"),
        ("11-30", list(range(111, 131)), "pages 11–30 of 30"),
    ],
)
async def test_only_the_pages_asked_for_are_sent(bench: Bench, pages: str, widths: list[int], said: str) -> None:
    (bench.root / "a.pdf").write_bytes(pdf(30))
    (text, document), summary = await parts(bench, file_path="a.pdf", pages=pages)
    assert page_widths(data_of(document)) == widths
    assert (text["text"], summary) == (f"a.pdf: PDF, {said}.", f"PDF, {said}")


@pytest.mark.parametrize(
    ("data", "pages", "said"),
    [
        (pdf(11), None, 'has 11 pages, too many to show unasked. Say which with pages, for instance pages="1-10"'),
        (pdf(30), "5-25", "These are 21 pages; 20 at most"),
        (pdf(3), "4", "no pages 4"),
        (pdf(3), "3-2", "no pages 3-2"),
        (pdf(3), "0", "it has 3"),
        (pdf(3), "first", "names no pages"),
        (pdf(3), "9" * 30, "names no pages"),
        (pdf(3, password="pw"), None, "encrypted"),
        (pdf(0), None, "has no pages"),
        (pdf(9)[:500], None, "cannot be read as a PDF"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 40, None, "cannot be read as a PDF"),
        (pdf(1, padding=32_000_000), None, "32 MB at most"),
    ],
    ids=range(12),
)
async def test_what_cannot_be_sent_of_a_pdf_is_told(
    bench: Bench, capfd: pytest.CaptureFixture[str], data: bytes, pages: str | None, said: str
) -> None:
    (bench.root / "a.pdf").write_bytes(data)
    assert said in await bench.refusal(Read(), file_path="a.pdf", pages=pages)
    assert capfd.readouterr() == ("", ""), "the library's warnings never reach the terminal"


async def test_a_file_that_only_speaks_of_pdfs_is_text(bench: Bench) -> None:
    (bench.root / "a.md").write_text("A PDF begins with %PDF-1.7.\n")
    assert "begins with" in await bench.text(Read(), file_path="a.md")


# Notebooks

ERROR = {"output_type": "error", "ename": "E", "evalue": "bad", "traceback": ["\x1b[0;31mE\x1b[0m: bad", "line 2"]}
STREAM = {
    "output_type": "stream",
    "name": "stdout",
    "text": ["10%\r", "90%\rdone\n", "\x1b]0;t\x07\x1b[1mbold\x1b[m\n"],
}


def picture(data: bytes = png(30, 20)) -> dict[str, Any]:
    encoded = base64.encodebytes(data).decode()
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": encoded, "text/plain": ["<Figure>"]}}


async def test_a_notebook_comes_cell_by_cell(bench: Bench) -> None:
    text = notebook(markdown_cell("# Title\n", id="aa"), code_cell("x = 1\nx", STREAM, ERROR, id="b-b"))
    (bench.root / "n.ipynb").write_text(text)
    result = await bench.run(Read(), file_path="n.ipynb")
    assert result.content == (
        "[cell 1, id aa, markdown]\n# Title\n\n"
        "[cell 2, id b-b, code, run 1]\nx = 1\nx\n\n"
        "[stdout]\ndone\nbold\n\n"
        "[error]\nE: bad\nline 2"
    )
    assert result.display.summary == "notebook, 2 cells"


async def test_images_of_outputs_are_images_as_far_as_they_are_sound_and_few(bench: Bench) -> None:
    svg: dict[str, Any] = {
        "output_type": "execute_result",
        "data": {"application/x.odd": {}, "image/svg+xml": ["<svg>", "</svg>"]},
    }
    odd: dict[str, Any] = {"output_type": "display_data", "data": {"application/x.odd": {"a": 1}}}
    cells = [
        code_cell("plot()", picture(), svg, odd, picture(b"no image")),
        code_cell("more()", *[picture()] * 10),
    ]
    (bench.root / "n.ipynb").write_text(notebook(*cells, minor=4))
    (first, image, rest, *others), _summary = await parts(bench, file_path="n.ipynb")
    assert first["text"] == "[cell 1, id #1, code, run 1]\nplot()"
    assert data_of(image) == png(30, 20)
    assert "[output, image/svg+xml]\n<svg></svg>" in rest["text"]
    assert "[output of type application/x.odd, not shown]" in rest["text"]
    assert "[image, not shown: It is no PNG" in rest["text"]
    assert [block["type"] for block in others] == ["image"] * 9 + ["text"]
    assert "10 at most in one call" in others[-1]["text"]


async def test_a_long_notebook_is_shown_in_part(bench: Bench) -> None:
    cells = [code_cell(f"n = {number}\n" + "#" * 40_000, id=f"c{number}") for number in range(1, 8)]
    (bench.root / "n.ipynb").write_text(notebook(*cells))
    text = await bench.text(Read(), file_path="n.ipynb")
    assert "n = 2\n" in text and "n = 3\n" not in text
    assert "more characters]" in text
    assert text.endswith("[PARTIAL view: cells 1–2 of 7. Go on with offset=3.]")
    result = await bench.run(Read(), file_path="n.ipynb", offset=4, limit=1)
    assert "n = 4\n" in str(result.content) and "n = 5\n" not in str(result.content)
    assert result.display.summary == "notebook, 1 cell of 7"
    assert "only 7 cells" in await bench.text(Read(), file_path="n.ipynb", offset=8)


async def test_outputs_are_bounded(bench: Bench) -> None:
    loud = {"output_type": "stream", "name": "stdout", "text": "x" * 20_000}
    (bench.root / "n.ipynb").write_text(notebook(code_cell("spam()", *[loud] * 20)))
    text = await bench.text(Read(), file_path="n.ipynb")
    assert len(text) < 40_000
    assert "[… 12,000 more characters]" in text and "more outputs]" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{not json", "not valid JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"nbformat": 3, "worksheets": []}', "version 3, only 4 is known"),
        ('{"cells": []}', "names no version"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 4, "cells": [1]}', "no list of cells"),
    ],
)
async def test_what_is_no_notebook_is_shown_as_text_with_a_note(bench: Bench, text: str, why: str) -> None:
    (bench.root / "n.ipynb").write_text(text)
    shown = await bench.text(Read(), file_path="n.ipynb")
    assert shown.startswith("[Not shown as a notebook: ") and why in shown
    assert f"\n     1\t{text[:100]}" in shown


async def test_odd_cells_are_shown_as_far_as_they_go(bench: Bench) -> None:
    cells: list[Any] = [
        {},
        {"cell_type": "code", "source": 7, "outputs": {"a": 1}},
        {"cell_type": "code", "source": "x", "outputs": [{}, 3, {"output_type": "error"}, {"data": {"text/plain": 5}}]},
    ]
    (bench.root / "n.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells}))
    assert "[cell 3, id #3, code]\nx" in await bench.text(Read(), file_path="n.ipynb")
    (bench.root / "empty.ipynb").write_text(notebook())
    assert "no cells" in await bench.text(Read(), file_path="empty.ipynb")


# Other binary files


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
        (b"\x1f\x8b\x08\0\0", "gzip-compressed, not text. Unpack it with a command (zcat)"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x7fELF\2\1\1\0", "an ELF program"),
        (b"\0\0\0\x20ftypisom", "an MP4 video"),
        (b"RIFF\0\0\0\0WAVE\0", "a WAV sound"),
        (b"MM\0*\0", "a TIFF image, not text. Convert it to PNG"),
        (b"abc\0def", "a binary file, not text. If you need to see its bytes"),
    ],
)
async def test_the_refusal_of_a_binary_file_says_what_it_seems_to_be(bench: Bench, data: bytes, said: str) -> None:
    (bench.root / "file").write_bytes(data)
    assert said in await bench.refusal(Read(), file_path="file")
    assert said in await bench.refusal(Edit(), file_path="file", old_string="a", new_string="b")


# What a conversation holds of them


def message(result: ToolResult) -> Message:
    block = ToolResultBlock(tool_use_id="t", content=result.content)
    return Message(id="m", role="user", content=(block_from_wire(block_to_wire(block)),))


async def test_tokens_are_of_patches_and_pages_not_of_base64(bench: Bench) -> None:
    (bench.root / "a.png").write_bytes(png(640, 480, padding=1_000_000))
    (bench.root / "b.png").write_bytes(png(7000, 7000))
    (bench.root / "a.pdf").write_bytes(pdf(30, padding=1_000_000))
    words = 60
    for arguments, tokens in (
        ({"file_path": "a.png"}, 23 * 18),
        ({"file_path": "b.png"}, MAX_IMAGE_TOKENS),
        ({"file_path": "a.pdf", "pages": "2-4"}, 3 * PAGE_TOKENS),
    ):
        assert 0 < estimate(message(await bench.run(Read(), **arguments))) - tokens < words
    foreign = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A" * 9_999}}
    result = ToolResult(content=(foreign,))
    assert estimate(message(result)) == UNKNOWN_PAGES * PAGE_TOKENS


async def test_the_attachments_of_a_conversation_are_counted(bench: Bench) -> None:
    (bench.root / "a.png").write_bytes(png(300, 20))
    (bench.root / "a.pdf").write_bytes(pdf(2))
    (bench.root / "n.ipynb").write_text(notebook(code_cell("x", picture(png(40, 400)))))
    talk = [message(await bench.run(Read(), file_path=name)) for name in ("a.png", "a.pdf", "n.ipynb")]
    assert attached_in(talk) == bench.state.attached, "as each call has counted on"
    assert (bench.state.attached.images, bench.state.attached.widest) == (2, 400)
    own = ImageBlock(media_type="image/png", data=base64.b64encode(png(500, 1)).decode())
    talk.append(Message(id="u", role="user", content=(own,)))
    assert (attached_in(talk).images, attached_in(talk).widest) == (3, 500)


async def test_one_attachment_too_many_is_refused(bench: Bench) -> None:
    """In the history for good, it would make every later request fail."""
    (bench.root / "a.png").write_bytes(png(100, 100))
    (bench.root / "wide.png").write_bytes(png(2_001, 10))
    (bench.root / "a.pdf").write_bytes(pdf(2))
    bench.state = bench.state.with_attached(Attached(chars=MAX_CHARS - 10))
    for name in ("a.png", "a.pdf"):
        assert "a request takes 24.0 MB in all. Make a smaller copy" in await bench.refusal(Read(), file_path=name)
    bench.state = bench.state.with_attached(Attached(images=20))
    assert "this one has more. Make a smaller copy" in await bench.refusal(Read(), file_path="wide.png")
    await bench.run(Read(), file_path="a.png")
    bench.state = bench.state.with_attached(Attached(images=20, widest=3_000))
    assert "an earlier one has more. Go on in a new session" in await bench.refusal(Read(), file_path="a.png")


def test_what_may_become_an_attachment_runs_alone(bench: Bench) -> None:
    def is_safe(name: str) -> bool:
        arguments = ReadInput.model_validate({"file_path": name})
        return Read().is_concurrency_safe(arguments, bench.state)

    assert [is_safe(name) for name in ("a.py", "a.PNG", "a.pdf", "n.ipynb")] == [True, False, False, False]


async def test_an_image_leaves_the_budget_of_a_round_to_the_texts(bench: Bench) -> None:
    (bench.root / "a.png").write_bytes(png(padding=1_000_000))
    image = (await bench.run(Read(), file_path="a.png")).content
    blocks = [ToolResultBlock(tool_use_id="i", content=image), ToolResultBlock(tool_use_id="t", content="x" * 20_000)]
    outcomes = [
        CallOutcome(block=block, display=ToolDisplay(), duration_ms=0, may_move=block.tool_use_id == "t")
        for block in blocks
    ]
    publisher = Publisher(Bus("s", bench.host.clock))
    assert await within_budget(outcomes, bench.services.output_dir, publisher) == outcomes

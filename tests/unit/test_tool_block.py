"""How a call looks: one line while folded, a batch as one group."""

from __future__ import annotations

from typing import Any

import pytest

from core.protocol.views import FileDiff, PermissionRequest, TodoItem, ToolDisplay
from tui.rendering.action_views import action_lines
from tui.rendering.line import line_width, plain
from tui.widgets.transcript.tool_block import ToolBlock


def done(name: str, arguments: dict[str, Any], summary: str, *, content: str = "", **more: Any) -> ToolBlock:
    block = ToolBlock("b", name, "/w")
    block.set_input(arguments)
    display = ToolDisplay(summary=summary, details=more.get("details", {}), saved_to=more.get("saved_to", ""))
    block.finish(content, display, 1200, is_error=more.get("is_error", False), todos=more.get("todos", ()))
    return block


def rows(block: ToolBlock, width: int = 70) -> list[str]:
    lines = block.lines(width)
    assert all(line_width(line) <= width for line in lines)
    return [plain(line).rstrip() for line in lines]


TODOS = (
    TodoItem(id="1", content="a", active_form="", status="completed", priority="medium"),
    TodoItem(id="2", content="b", active_form="", status="completed", priority="medium"),
    TodoItem(id="3", content="c", active_form="", status="in_progress", priority="medium"),
)


NOTEBOOK = "  ● NotebookEdit n.ipynb"


@pytest.mark.parametrize(
    ("block", "row"),
    [
        (done("Read", {"file_path": "/w/a.py", "offset": 3}, "12 lines"), "  ● Read a.py:3–  12 lines · 1.2s"),
        (
            done("Read", {"file_path": "/w/a.pdf", "pages": "3-5"}, "PDF, pages 3–5 of 40"),
            "  ● Read a.pdf pages 3-5  PDF, pages 3–5 of 40 · 1.2s",
        ),
        (
            done("NotebookEdit", {"notebook_path": "n.ipynb", "cell_id": "b2"}, "+1 −1"),
            f"{NOTEBOOK} replace cell b2  +1 −1 · 1.2s",
        ),
        (
            done("NotebookEdit", {"notebook_path": "n.ipynb", "cell_id": "#2", "cell_type": "raw"}, "+1 −1"),
            f"{NOTEBOOK} replace cell #2 as raw  +1 −1 · 1.2s",
        ),
        (
            done("NotebookEdit", {"notebook_path": "n.ipynb", "edit_mode": "insert"}, "new, 1 line"),
            f"{NOTEBOOK} insert code at the top  new, 1 line · 1.2s",
        ),
        (
            done("NotebookEdit", {"notebook_path": "n.ipynb", "edit_mode": "delete", "cell_id": "a\x1b[31m"}, "+0 −1"),
            f"{NOTEBOOK} delete cell a  +0 −1 · 1.2s",
        ),
        (done("mcp__docs__find", {"query": "x"}, "3 pages"), "  ● docs · find x  3 pages · 1.2s"),
        (
            done("WebFetch", {"url": "https://a.org/b?c=d"}, "200 · 14 KB"),
            "  ● WebFetch https://a.org/b?c=d  200 · 14 KB · 1.2s",
        ),
        (
            done("WebSearch", {"query": "tabs", "allowed_domains": ["a.org", "b.org"]}, "8 hits"),
            "  ● WebSearch tabs in a.org, b.org  8 hits · 1.2s",
        ),
        (
            done("WebSearch", {"query": "tabs", "allowed_domains": 5, "blocked_domains": [["x"]]}, ""),
            "  ● WebSearch tabs not in ['x']  1.2s",
        ),
        (
            done("TodoWrite", {}, "2/3 done", details={"changed": ["2", "3"]}, todos=TODOS),
            "  ● TodoWrite  1 done, 1 started · 2/3 done · 1.2s",
        ),
    ],
)
def test_a_folded_call_is_one_line(block: ToolBlock, row: str) -> None:
    assert rows(block) == [row]


def test_a_failed_command_tells_its_code_and_how_much_it_said() -> None:
    content = "one\ntwo\n[Exit code 3.]"
    block = done("Bash", {"command": "false"}, "exit 3", content=content, is_error=True, details={"exit_code": 3})
    assert rows(block)[0] == "  ✗ Bash false  exit 3 · 2 lines · 1.2s"
    assert rows(block)[1:] == ["    one", "    two", "    [Exit code 3.]"]


def test_a_long_argument_leaves_room_for_the_remark() -> None:
    row = rows(done("Grep", {"pattern": "p" * 200}, "14 matches in 3 files"), 60)[0]
    assert row.endswith("…  14 matches in 3 files · 1.2s") and line_width(((row, ""),)) <= 60


def test_a_large_result_tells_where_it_is_kept() -> None:
    content = (
        "[The result is too large to show: 90,000 characters in 2,000 lines. The whole is in /w/out/c1.txt: "
        "use Read with offset and limit, or Grep, on that file. It begins:]\n\nfirst\n\n[…]"
    )
    block = done("Fetch", {"url": "u"}, "2,000 lines", content=content, saved_to="/w/out/c1.txt")
    assert rows(block) == ["  ● Fetch u  2,000 lines · kept in out/c1.txt · 1.2s"]
    block.toggle()
    assert "    first" in rows(block)
    other = done("Fetch", {"url": "u"}, "1 line", content="Not too large.")
    assert "kept" not in rows(other)[0]
    other.move_result("/home/u/.local/c2.txt", "[…]")
    assert rows(other) == ["  ● Fetch u  1 line · kept in …/c2.txt · 1.2s"]


def test_a_batch_has_a_line_that_tells_its_state() -> None:
    batch = [ToolBlock(f"b{number}", "Read", "/w") for number in range(3)]
    for place, block in zip(("first", "middle", "last"), batch, strict=True):
        block.set_group(place, batch)
        block.set_state("running")
    assert [row for block in batch for row in rows(block)] == [
        "╭ 3 calls at once  3 running",
        "│ ◐ Read  running",
        "│ ◐ Read  running",
        "╰ ◐ Read  running",
    ]
    drawn = batch[0].revision
    batch[1].finish("x", ToolDisplay(), 0, is_error=False, todos=())
    assert batch[0].revision > drawn
    batch[2].finish("bad", ToolDisplay(), 0, is_error=True, todos=())
    assert rows(batch[0])[0] == "╭ 3 calls at once  1 running · 1 done · 1 failed"
    batch[0].finish("x", ToolDisplay(), 0, is_error=False, todos=())
    assert rows(batch[0])[0] == "╭ 3 calls at once  2 done · 1 failed"


def test_calls_that_run_side_by_side_are_short() -> None:
    batch = [ToolBlock(f"b{number}", "Bash", "/w") for number in range(2)]
    for place, block in zip(("first", "last"), batch, strict=True):
        block.set_group(place, batch)
        block.set_state("running")
        block.progress("\n".join(f"line {number}" for number in range(20)), 20)
    assert rows(batch[1]) == ["╰ ◐ Bash  running · 20 lines", "    line 18", "    line 19"]
    alone = ToolBlock("b", "Bash", "/w")
    alone.set_state("running")
    alone.progress("\n".join(f"line {number}" for number in range(20)), 20)
    assert len(rows(alone)) == 9


def test_the_question_about_a_notebook_names_the_cell_and_what_becomes_of_it() -> None:
    request = PermissionRequest(
        id="p",
        tool_use_id="t",
        tool_name="NotebookEdit",
        input={"notebook_path": "/w/n.ipynb", "cell_id": "b\x1b2", "edit_mode": "delete"},
        reason="it changes a file",
        display=ToolDisplay(diff=FileDiff(path="/w/n.ipynb", old="x = 1\n", new="")),
    )
    body = [plain(line).strip() for line in action_lines(request, "/w", 60)]
    assert body[0] == "n.ipynb delete cell b⟨U+001B⟩⟨2⟩"
    assert body[-1].endswith("- x = 1")

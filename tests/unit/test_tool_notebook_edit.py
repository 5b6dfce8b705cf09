"""NotebookEdit: the cell it is told to change, and every other byte of the notebook as it was."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.permissions.decide import Policy, decide
from core.permissions.rules import parse_rule
from core.tools.builtin.notebook_edit.tool import NotebookEdit, NotebookEditInput
from core.tools.builtin.read.tool import Read
from core.tools.notebook_edits import CellEdit, edit_notebook
from core.tools.notebooks import parse_notebook
from tests.fakes.media import code_cell, markdown_cell, notebook
from tests.fakes.tools import Bench, make_bench, names

OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


async def seen(bench: Bench, text: str, name: str = "n.ipynb") -> Path:
    """A notebook that the agent has read."""
    path = bench.root / name
    path.write_text(text, "utf-8", newline="")
    await bench.run(Read(), file_path=name)
    return path


async def edit(bench: Bench, **arguments: Any) -> str:
    return await bench.text(NotebookEdit(), notebook_path="n.ipynb", **arguments)


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8"))["cells"]


# Laws

WORDS = st.text(st.sampled_from('ab"\\\né😀\t\u2028 #'), max_size=12)
SOME: list[dict[str, Any]] = [{}, {"tags": ["x", "ü"], "collapsed": True}, {"a": {"b": []}}]
METADATA = st.sampled_from(SOME)
OUTPUTS = st.lists(st.just(OUTPUT), max_size=2)
STYLES: list[dict[str, Any]] = [
    *({"indent": indent} for indent in (None, 1, 4, "\t")),
    *({"separators": separators} for separators in ((",", ":"), (" , ", " : "))),
]


@st.composite
def any_cell(draw: st.DrawFn) -> dict[str, Any]:
    source: Any = draw(WORDS)
    if draw(st.booleans()):
        source = source.splitlines(keepends=True)
    cell: dict[str, Any] = {"cell_type": draw(st.sampled_from(["code", "markdown", "raw"]))}
    if cell["cell_type"] == "code":
        cell |= {"execution_count": draw(st.sampled_from([None, 7])), "outputs": draw(OUTPUTS)}
    cell |= {"metadata": draw(METADATA), "source": source}
    return cell


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A notebook, written in one of many ways."""
    data: dict[str, Any] = {
        "nbformat": 4,
        "cells": draw(st.lists(any_cell(), max_size=4)),
        "metadata": {},
        "nbformat_minor": 4,
    }
    how: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"indent": 1},
                {"indent": 4},
                {"indent": "\t"},
                {},
                {"separators": (",", ":")},
                {"separators": (" , ", " : ")},
            ]
        )
    )
    text = json.dumps(data, ensure_ascii=draw(st.booleans()), **how)
    return draw(st.sampled_from(["", "\n", " "])) + text + draw(st.sampled_from(["", "\n"]))


def changed(text: str, **more: Any) -> str:
    values: dict[str, Any] = {"mode": "replace", "cell_id": None, "source": "", "kind": None, "new_id": "new", **more}
    return edit_notebook(text, parse_notebook(text), CellEdit(**values)).text


@given(texts(), st.data())
def test_inserting_and_deleting_a_cell_gives_the_same_bytes_back(text: str, data: st.DataObject) -> None:
    count = len(parse_notebook(text).cells)
    after = data.draw(st.integers(0, count))
    kind = data.draw(st.sampled_from(["code", "markdown", "raw", None]))
    source = data.draw(WORDS)
    grown = changed(text, mode="insert", cell_id=f"#{after}" if after else None, source=source, kind=kind)
    cell = parse_notebook(grown).cells[after]
    assert (cell.source, cell.kind) == (source, kind or "code")
    assert changed(grown, mode="delete", cell_id=f"#{after + 1}") == text


@given(texts(), st.data())
def test_a_cell_replaced_by_its_own_source_only_loses_its_outputs(text: str, data: st.DataObject) -> None:
    for cell in parse_notebook(text).cells:
        now = changed(text, cell_id=f"#{cell.number}", source=cell.source)
        cleared = json.loads(text)
        if cell.kind == "code":
            cleared["cells"][cell.number - 1] |= {"outputs": [], "execution_count": None}
        assert json.loads(now) == cleared
        if cell.kind != "code" or not (cell.outputs or cell.data["execution_count"]):
            assert now == text


@given(texts(), WORDS, st.data())
def test_only_the_cell_that_is_named_changes(text: str, source: str, data: st.DataObject) -> None:
    before = parse_notebook(text).cells
    for cell in before:
        kind = data.draw(st.sampled_from(["code", "markdown", None]))
        now = changed(text, cell_id=f"#{cell.number}", source=source, kind=kind)
        after = parse_notebook(now).cells
        assert after[cell.number - 1].source == source and after[cell.number - 1].kind == (kind or cell.kind)
        assert [other.data for other in after if other.number != cell.number] == [
            other.data for other in before if other.number != cell.number
        ]
        # What stands before and behind the cell is the same text.
        head = text.split('"cells"', maxsplit=1)[0]
        assert now.startswith(head) and now.endswith(text[text.rindex('"metadata"') :])
        back = changed(now, cell_id=f"#{cell.number}", source=cell.source, kind=cell.kind)
        assert parse_notebook(back).cells[cell.number - 1].source == cell.source


@settings(max_examples=30)
@given(st.sampled_from(["\n", "\r\n"]), st.booleans(), WORDS)
def test_the_file_keeps_its_line_ends_and_its_mark(tmp_path: Path, newline: str, mark: bool, source: str) -> None:
    bench = make_bench(tmp_path)
    text = ("\ufeff" if mark else "") + notebook(markdown_cell("ü\nb", id="a"), code_cell("x", id="b"))
    expected = notebook(markdown_cell("ü\nb", id="a"), {**code_cell("", id="b"), "execution_count": None})
    lines = [f"{line}\n" for line in source.split("\n")]
    lines[-1] = lines[-1][:-1]
    whole = json.loads(expected)
    whole["cells"][1]["source"] = [line for line in lines if line]

    async def go() -> bytes:
        path = await seen(bench, text.replace("\n", newline))
        await edit(bench, cell_id="b", new_source=source)
        return path.read_bytes()

    wanted = ("\ufeff" if mark else "") + json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    assert asyncio.run(go()).decode() == wanted.replace("\n", newline)


# What it does


async def test_a_replaced_cell_loses_its_outputs_and_its_count(bench: Bench) -> None:
    path = await seen(bench, notebook(code_cell("x = 1\nx", OUTPUT, id="a"), code_cell("y", OUTPUT, id="b")))
    path.chmod(0o640)
    result = await bench.run(NotebookEdit(), notebook_path="n.ipynb", cell_id="a", new_source="x = 2\nx")
    assert result.content == f"{path}: the cell a replaced."
    expected = notebook({**code_cell("x = 2\nx", id="a"), "execution_count": None}, code_cell("y", OUTPUT, id="b"))
    assert path.read_text() == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    diff = result.display.diff
    assert diff and (diff.path, diff.old, diff.new) == (str(path), "x = 1\nx", "x = 2\nx")
    assert result.display.summary == "+1 −1"
    assert names(bench.root) == ["n.ipynb"]


async def test_cells_are_inserted_with_ids_where_the_format_has_them(bench: Bench) -> None:
    path = await seen(bench, notebook(markdown_cell("one", id="a"), markdown_cell("two", id="b")))
    assert "inserted as #2 with the id 00000000-" in await edit(bench, edit_mode="insert", cell_id="a", new_source="x")
    await edit(bench, edit_mode="insert", new_source="# Top", cell_type="markdown")
    top, _one, new, _two = cells(path)
    assert (top["cell_type"], top["source"]) == ("markdown", ["# Top"])
    assert list(new) == ["cell_type", "execution_count", "id", "metadata", "outputs", "source"]
    assert new["id"] != top["id"]
    assert path.read_text() == notebook(*cells(path)), "written as the rest is"
    path = await seen(bench, notebook(markdown_cell("one"), minor=4))
    await edit(bench, edit_mode="insert", cell_id="#1", new_source="x")
    assert "id" not in cells(path)[1]
    path = await seen(bench, notebook())
    await edit(bench, edit_mode="insert", new_source="x")
    assert path.read_text() == notebook(*cells(path))


async def test_a_cell_becomes_one_of_another_kind(bench: Bench) -> None:
    path = await seen(bench, notebook(code_cell("x", OUTPUT, id="a"), markdown_cell("y", id="b", attachments={})))
    await edit(bench, cell_id="a", new_source="# x", cell_type="markdown")
    await edit(bench, cell_id="b", new_source="y", cell_type="code")
    assert path.read_text() == notebook(
        markdown_cell("# x", id="a"), {**code_cell("y", id="b"), "execution_count": None}
    )


async def test_what_is_escaped_stays_so(bench: Bench) -> None:
    data = json.loads(notebook(markdown_cell("ü", id="a")))
    path = await seen(bench, json.dumps(data, indent=1))
    await edit(bench, cell_id="a", new_source="é")
    assert '"\\u00e9"' in path.read_text()
    path = await seen(bench, notebook(markdown_cell("\\use", id="a")))
    await edit(bench, cell_id="a", new_source="é")
    assert '"é"' in path.read_text()
    path = await seen(bench, notebook(markdown_cell("ü \\u2028", id="a")).replace("\\\\u2028", "\\u2028"))
    await edit(bench, cell_id="a", new_source="é ü")
    assert '"é ü"' in path.read_text()


async def test_a_source_written_as_one_string_stays_one(bench: Bench) -> None:
    path = await seen(bench, notebook({**markdown_cell("", id="a"), "source": "a\nb"}))
    await edit(bench, cell_id="a", new_source="c\nd\n")
    assert cells(path)[0]["source"] == "c\nd\n"


# What it refuses


async def test_the_guards_of_edit_hold(bench: Bench) -> None:
    path = bench.root / "n.ipynb"
    path.write_text(notebook(code_cell("x", id="a")))
    change = {"notebook_path": "n.ipynb", "cell_id": "a", "new_source": "y"}
    assert "has not been read" in await bench.refusal(NotebookEdit(), **change)
    await bench.run(Read(), file_path="n.ipynb")
    path.write_text(notebook(code_cell("z", id="a")))
    assert "has changed on disk" in await bench.refusal(NotebookEdit(), **change)
    await bench.run(Read(), file_path="n.ipynb")
    await edit(bench, cell_id="a", new_source="y")
    await edit(bench, cell_id="a", new_source="w")
    assert cells(path)[0]["source"] == ["w"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"cell_id": "nope", "new_source": "x"}, "There is no cell 'nope'. There are: a, b, b."),
        ({"cell_id": "#9", "new_source": "x"}, "There is no cell '#9'."),
        ({"cell_id": "b", "new_source": "x"}, "2 cells have the id 'b'. Name one by its number: #2, #3."),
        ({"new_source": "x"}, "cell_id is missing. There are: a, b, b."),
        ({"edit_mode": "delete"}, "cell_id is missing"),
        ({"cell_id": "a"}, "new_source is missing"),
        ({"edit_mode": "insert"}, "new_source is missing"),
    ],
)
async def test_what_is_not_clear_is_refused(bench: Bench, arguments: dict[str, Any], said: str) -> None:
    text = notebook(*(markdown_cell("x", id=name) for name in ("a", "b", "b")))
    path = await seen(bench, text)
    assert said in await bench.refusal(NotebookEdit(), notebook_path="n.ipynb", **arguments)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{broken", "not valid JSON"),
        (
            '{"nbformat": 3, "worksheets": []}',
            "version 3, only 4 is known; `jupyter nbconvert --to notebook` converts it",
        ),
        ('{"nbformat": 4}', "no list of cells"),
        ("", "not valid JSON"),
    ],
)
async def test_what_is_no_notebook_is_refused(bench: Bench, text: str, said: str) -> None:
    await seen(bench, text)
    assert said in await bench.refusal(NotebookEdit(), notebook_path="n.ipynb", cell_id="a", new_source="x")


async def test_many_ids_are_named_in_part(bench: Bench) -> None:
    await seen(bench, notebook(*(markdown_cell("x", id=f"c{number}") for number in range(40))))
    said = await bench.refusal(NotebookEdit(), notebook_path="n.ipynb", cell_id="x", new_source="x")
    assert said.endswith("c28, c29 and 10 more.")


async def test_rules_of_edit_speak_for_it_and_the_question_shows_the_cell(bench: Bench) -> None:
    path = await seen(bench, notebook(code_cell("x = 1", id="a")))
    arguments = NotebookEditInput(notebook_path="n.ipynb", cell_id="a", new_source="x = 2")
    access = NotebookEdit().check_permissions(arguments, bench.context)
    assert access.writes == (path,)
    policy = Policy(mode="default", cwd=bench.root, roots=(bench.root,))
    assert decide("NotebookEdit", access, policy).behavior == "ask"
    allowed = Policy(mode="default", cwd=bench.root, roots=(bench.root,), rules=(parse_rule("Edit(*.ipynb)"),))
    assert decide("NotebookEdit", access, allowed).behavior == "allow"
    diff = NotebookEdit().preview(arguments, bench.context)
    assert diff and (diff.old, diff.new) == ("x = 1", "x = 2")
    assert "x = 1" in path.read_text()

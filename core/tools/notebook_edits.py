"""One change of a notebook's text. What is not changed stays as it is written, byte for byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from core.host.json_spans import Span, elements, members, own_line, root
from core.tools.base import ToolError
from core.tools.notebooks import Cell, JSONObject, Notebook

CellType = Literal["code", "markdown", "raw"]
EditMode = Literal["replace", "insert", "delete"]

NAMED_IDS = 30
"""So many existing ids an error names."""
_ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
_UNIT = re.compile(r'\s*\{\r?\n([ \t]+)"')
_OF_CODE = ("execution_count", "outputs")
_OF_PROSE = ("attachments",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEdit:
    """What is asked for. ``cell_id`` is that of the cell, or of the one behind which a new cell goes."""

    mode: EditMode
    cell_id: str | None
    source: str
    kind: CellType | None
    new_id: str
    """Of an inserted cell, where the format has ids."""


@dataclass(frozen=True, slots=True)
class CellChange:
    """The whole new text, what became of the one source, and in words what was done."""

    text: str
    old: str | None
    new: str
    said: str


def edit_notebook(text: str, notebook: Notebook, edit: CellEdit) -> CellChange:
    """Make the change. Raises ``ToolError`` where there is no such cell."""
    cells = members(text, root(text))["cells"]
    style = _style(text)
    if edit.mode == "insert":
        after = _find(notebook, edit.cell_id).number if edit.cell_id else 0
        cell = _new_cell(edit, notebook)
        place = f"as #{after + 1}" + (f" with the id {edit.new_id}" if notebook.has_ids else "")
        return CellChange(_inserted(text, cells, after, cell, style), None, edit.source, f"a cell inserted {place}")
    if not edit.cell_id:
        raise ToolError("cell_id is missing.", _existing(notebook))
    cell = _find(notebook, edit.cell_id)
    if edit.mode == "delete":
        return CellChange(_deleted(text, cells, cell.number - 1), cell.source, "", f"the cell {cell.id} deleted")
    changed = _replaced(text, elements(text, cells.start)[cell.number - 1], cell, edit, style)
    return CellChange(changed, cell.source, edit.source, f"the cell {cell.id} replaced")


def _find(notebook: Notebook, wanted: str) -> Cell:
    """The cell with the id, or with the number in ``#3``."""
    found = [cell for cell in notebook.cells if wanted in (cell.id, f"#{cell.number}")]
    if len(found) > 1:
        numbers = ", ".join(f"#{cell.number}" for cell in found)
        raise ToolError(f"{len(found)} cells have the id {wanted!r}.", f"Name one by its number: {numbers}.")
    if not found:
        raise ToolError(f"There is no cell {wanted!r}.", _existing(notebook))
    return found[0]


def _existing(notebook: Notebook) -> str:
    ids = [cell.id for cell in notebook.cells]
    more = f" and {len(ids) - NAMED_IDS} more" if len(ids) > NAMED_IDS else ""
    return f"There are: {', '.join(ids[:NAMED_IDS])}{more}." if ids else "The notebook has no cells."


# How the file is written


@dataclass(frozen=True, slots=True)
class _Style:
    unit: str | None
    """What one level is indented by; None where all stands on one line."""
    ascii_only: bool

    def dump(self, value: Any, indent: str | None) -> str:
        """The value as it is written where lines are indented by ``indent``; on one line for None."""
        if self.unit is None or indent is None:
            return json.dumps(value, ensure_ascii=self.ascii_only)
        dumped = json.dumps(value, ensure_ascii=self.ascii_only, indent=self.unit)
        return dumped.replace("\n", f"\n{indent}")


def _style(text: str) -> _Style:
    unit = _UNIT.match(text)
    return _Style(unit[1] if unit else None, text.isascii() and _ESCAPED.search(text) is not None)


def _lines(source: str) -> list[str]:
    """As the format keeps a text: line by line with their ends."""
    lines = source.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _new_cell(edit: CellEdit, notebook: Notebook) -> JSONObject:
    """Fields in the alphabetical order that notebooks are written in."""
    kind = edit.kind or "code"
    cell: JSONObject = {"cell_type": kind, "metadata": {}, "source": _lines(edit.source)}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    if notebook.has_ids:
        cell["id"] = edit.new_id
    return dict(sorted(cell.items()))


# The changes


def _inserted(text: str, cells: Span, after: int, cell: JSONObject, style: _Style) -> str:
    spans = elements(text, cells.start)
    if not spans:
        outer = own_line(text, cells.head)
        if outer is None or style.unit is None:
            return f"{text[: cells.start]}[{style.dump(cell, None)}]{text[cells.end :]}"
        inner = outer + style.unit
        return f"{text[: cells.start]}[\n{inner}{style.dump(cell, inner)}\n{outer}]{text[cells.end :]}"
    dumped = style.dump(cell, own_line(text, spans[0].start))
    blank = text[spans[0].end : spans[1].start] if len(spans) > 1 else f",{text[cells.start + 1 : spans[0].start]}"
    if after == 0:
        at = spans[0].start
        return f"{text[:at]}{dumped}{blank}{text[at:]}"
    at = spans[after - 1].end
    return f"{text[:at]}{blank}{dumped}{text[at:]}"


def _deleted(text: str, cells: Span, index: int) -> str:
    spans = elements(text, cells.start)
    if len(spans) == 1:
        return f"{text[: cells.start]}[]{text[cells.end :]}"
    if index == 0:
        return text[: spans[0].start] + text[spans[1].start :]
    return text[: spans[index - 1].end] + text[spans[index].end :]


def _replaced(text: str, span: Span, cell: Cell, edit: CellEdit, style: _Style) -> str:
    kind = edit.kind or cell.kind
    fields = members(text, span.start)
    if kind != cell.kind or "source" not in fields:
        return (
            text[: span.start]
            + style.dump(_retyped(cell, kind, edit.source), own_line(text, span.start))
            + text[span.end :]
        )
    changes: list[tuple[Span, str]] = []
    if cell.source != edit.source:
        was_text = isinstance(cell.data["source"], str)
        value = edit.source if was_text else _lines(edit.source)
        changes.append((fields["source"], style.dump(value, own_line(text, fields["source"].head))))
    if kind == "code" and cell.data.get("outputs"):
        changes.append((fields["outputs"], "[]"))
    if kind == "code" and cell.data.get("execution_count") is not None:
        changes.append((fields["execution_count"], "null"))
    for where, value in sorted(changes, key=lambda change: change[0].start, reverse=True):
        text = text[: where.start] + value + text[where.end :]
    return text


def _retyped(cell: Cell, kind: str, source: str) -> JSONObject:
    """The cell as one of another kind."""
    dropped = _OF_PROSE if kind == "code" else _OF_CODE
    data: JSONObject = {key: value for key, value in cell.data.items() if key not in dropped}
    data |= {"cell_type": kind, "source": _lines(source)}
    if kind == "code":
        data |= {"execution_count": None, "outputs": []}
    return dict(sorted(data.items()))

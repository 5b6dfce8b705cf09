"""Jupyter notebooks: what is in one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

JSONObject = dict[str, Any]


class NotebookError(ValueError):
    """The text is no notebook that could be worked with; says why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, counted from 1."""

    number: int
    data: JSONObject

    @property
    def id(self) -> str:
        """The id it is called by: its own, or ``#3`` in notebooks without."""
        own = self.data.get("id")
        return own if isinstance(own, str) and own else f"#{self.number}"

    @property
    def kind(self) -> str:
        """code, markdown or raw."""
        return str(self.data.get("cell_type", ""))

    @property
    def source(self) -> str:
        """Its text."""
        return joined(self.data.get("source"))

    @property
    def outputs(self) -> list[JSONObject]:
        """What running it gave."""
        outputs = self.data.get("outputs")
        items = cast("list[Any]", outputs) if isinstance(outputs, list) else []
        return [cast(JSONObject, item) for item in items if isinstance(item, dict)]


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of format 4."""

    cells: tuple[Cell, ...]
    has_ids: bool
    """Whether the format's version wants an id for each cell."""


def parse_notebook(text: str) -> Notebook:
    """The notebook in a text. Raises ``NotebookError``."""
    try:
        data: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"it is not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise NotebookError("it is no JSON object")
    fields = cast(JSONObject, data)
    version = fields.get("nbformat")
    if version != 4:
        told = f"its format is version {version}" if isinstance(version, int) else "it names no version of the format"
        raise NotebookError(f"{told}, only 4 is known; `jupyter nbconvert --to notebook` converts it")
    cells = fields.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cast("list[Any]", cells)):
        raise NotebookError("it has no list of cells")
    minor = fields.get("nbformat_minor")
    return Notebook(
        tuple(Cell(number, cell) for number, cell in enumerate(cast("list[JSONObject]", cells), 1)),
        has_ids=isinstance(minor, int) and minor >= 5,
    )


def joined(value: object) -> str:
    """A text of the format: a string, or a list of them."""
    if isinstance(value, list):
        return "".join(part for part in cast("list[Any]", value) if isinstance(part, str))
    return value if isinstance(value, str) else ""

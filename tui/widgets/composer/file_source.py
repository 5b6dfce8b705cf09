"""Files and folders after ``@``: those of the working folder from its index, any others from the disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tui.rendering.fuzzy import FuzzyPaths, matched
from tui.rendering.line import Line, Span
from tui.widgets.composer.items import Found, Item

if TYPE_CHECKING:
    from core.protocol.views import FileListing

MAX_FOUND = 50
MAX_RECENT = 20
OUTSIDE = ("/", "~/", "../", "./")
"""Beginnings of paths that are looked up on the disk as they are typed."""


class Files(Protocol):
    """The door to the machine's files."""

    def list_files(self) -> FileListing:
        """The files of the working folder as they are known now; begins to look for newer ones where need be."""
        ...

    async def list_folder(self, path: str) -> list[str]:
        """Names in a folder, folders with a slash at the end."""
        ...


class FileSource:
    """See ``CompletionSource``."""

    name = "files"

    def __init__(self, files: Files) -> None:
        self._files = files
        self._listed: tuple[str, ...] | None = None
        self._paths = FuzzyPaths(())
        self._making: asyncio.Task[None] | None = None
        self._newest: tuple[str, FuzzyPaths, tuple[Item, ...]] = ("", self._paths, ())
        """What was found last, and in what: it is asked again and again while the menu is open."""
        self._recent: list[str] = []

    async def find(self, query: str) -> Found:
        if query.startswith(OUTSIDE) or query in ("~", "..", "."):
            return await self._find_outside(query)
        listing = self._files.list_files()
        if listing.paths is not self._listed and self._making is None:
            self._making = asyncio.create_task(self._make(listing.paths))
        if self._making is not None and not self._paths.paths:
            # Not the task itself: what is typed next ends this search, and the index is wanted all the same.
            await asyncio.shield(self._making)
        if not self._paths.paths:
            is_coming = listing.is_listing or bool(listing.paths)
            note = f"indexing… {listing.count:,} files" if is_coming else "There are no files here."
            return Found(note=note, is_partial=True)
        known = self._paths
        items = self._newest[2]
        if self._newest[:2] != (query, known):
            paths = await known.find(query, MAX_FOUND) if query else self._usual()
            items = tuple(_item(path, query) for path in paths if path != query)
            self._newest = query, known, items
        # Never the last word: files may come and go while the menu is open.
        return Found(items=items, note="" if items else "No file fits.", is_partial=True)

    def picked(self, item: Item) -> None:
        path = unquoted(item.text)
        if not path.startswith(OUTSIDE):
            self._newest = ("", FuzzyPaths(()), ())
            self._recent = [path, *(other for other in self._recent if other != path)][:MAX_RECENT]

    def _usual(self) -> list[str]:
        """Without a query: what was taken before, then what lies in the folder itself."""
        return list(dict.fromkeys((*self._recent, *self._paths.top)))[:MAX_FOUND]

    async def _make(self, paths: tuple[str, ...]) -> None:
        self._paths = await asyncio.to_thread(FuzzyPaths, paths)
        self._listed = paths
        self._making = None

    async def _find_outside(self, query: str) -> Found:
        folder, slash, name = query.rpartition("/")
        if not slash:
            folder, name = query, ""
        names = await self._files.list_folder(f"{folder}/")
        if not name.startswith("."):
            names = [entry for entry in names if not entry.startswith(".")]
        found = await FuzzyPaths(names).find(name, MAX_FOUND) if name else sorted(names)[:MAX_FOUND]
        items = tuple(_item(f"{folder}/{entry}", f"{folder}/{name}") for entry in found)
        return Found(items=items, note="" if items else f"Nothing fits in {folder}/.")


def mention(path: str) -> str:
    """How a path is written in a prompt: quoted where there are blanks in it; a folder is left open."""
    if " " not in path:
        return f"@{path}"
    return f'@"{path}' + ("" if path.endswith("/") else '"')


def unquoted(text: str) -> str:
    """The path of a mention."""
    return text.removeprefix("@").strip('"')


def _item(path: str, query: str) -> Item:
    at = path.rstrip("/").rfind("/") + 1
    marks = frozenset(matched(query, path))
    is_folder = path.endswith("/")
    sign: Span = ("▸ ", "accent") if is_folder else ("· ", "faint")
    return Item(
        text=mention(path),
        shown=(sign, *_marked(path, at, len(path), marks, "text")),
        detail=_marked(path, 0, max(0, at - 1), marks, "muted"),
        goes_on=is_folder,
    )


def _marked(path: str, start: int, end: int, marks: frozenset[int], style: str) -> Line:
    """A part of the path in runs of marked and other characters."""
    spans: list[Span] = []
    run = start
    for place in range(start, end + 1):
        if place == end or (place in marks) != (run in marks):
            if place > run:
                spans.append((path[run:place], "menu.match" if run in marks else style))
            run = place
    return tuple(spans)

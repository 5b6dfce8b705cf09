"""What files the menu is told of while they are still being listed, and once that is done."""

from __future__ import annotations

import asyncio

from core.protocol.views import FileListing
from tui.widgets.composer.file_source import FileSource


class Listed:
    """A folder of which a test says what is known."""

    def __init__(self) -> None:
        self.listing = FileListing(is_listing=True, count=1_234)

    def list_files(self) -> FileListing:
        return self.listing

    async def list_folder(self, path: str) -> list[str]:
        return ["b.txt", ".hidden", "a/"] if path == "/etc/" else []


async def texts(source: FileSource, query: str) -> list[str]:
    return [item.text for item in (await source.find(query)).items]


async def test_how_far_the_listing_is_until_there_is_something() -> None:
    files = Listed()
    source = FileSource(files)
    found = await source.find("a")
    assert (found.items, found.note, found.is_partial) == ((), "indexing… 1,234 files", True)
    files.listing = FileListing(paths=("b/", "b/a.py"), count=1)
    assert await texts(source, "a") == ["@b/a.py"]
    files.listing = FileListing(paths=("b/", "b/a.py", "a.py"), count=2)
    assert await texts(source, "a") == ["@b/a.py"], "the new index is made meanwhile"
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        await task
    assert await texts(source, "a") == ["@a.py", "@b/a.py"]
    assert await texts(source, "") == ["@a.py", "@b/"]


async def test_a_folder_without_files_says_so() -> None:
    files = Listed()
    files.listing = FileListing()
    assert (await FileSource(files).find("")).note == "There are no files here."


async def test_places_outside_are_looked_up_and_hidden_names_only_when_asked_for() -> None:
    source = FileSource(Listed())
    assert await texts(source, "/etc/") == ["@/etc/a/", "@/etc/b.txt"]
    assert await texts(source, "/etc/.h") == ["@/etc/.hidden"]
    assert (await source.find("/nowhere/")).note == "Nothing fits in /nowhere/."

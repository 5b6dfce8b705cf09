"""Reads the settings files again when one of them changes while a session runs, and puts their rules in force, with
routes, prices and the budget.

A change of any other setting counts from the next session on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from core.host.watch import watch_folders
from core.settings.layers import Problem, Stamp, stamp_of
from core.settings.load import Loaded, load_settings
from core.settings.schema import Settings

GONE_S = 0.5
"""A file that is missing for so long is gone; before, an editor may be about to put its new one there."""

OnRules = Callable[[Settings, tuple[Problem, ...]], None]


class SettingsWatch:
    """Knows which state of the files is in force. ``on_rules`` takes the settings as they are now, and new problems."""

    def __init__(self, loaded: Loaded, on_rules: OnRules) -> None:
        self._loaded = loaded
        self._on_rules = on_rules
        self._missing: dict[Path, float] = {}
        """Since when files are missing that were there."""
        self._again: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow the files until cancelled."""
        try:
            await watch_folders(self._folders, self.refresh)
        finally:
            if self._again is not None:
                self._again.cancel()

    def refresh(self) -> None:
        """Read the files again if one of them is not what it was; cheap where all are. Must run on the event loop."""
        known = {layer.file.path: layer.stamp for layer in self._loaded.layers if layer.file and layer.file.path}
        stamps = {path: stamp_of(path) for path in self._paths()}
        expected = self._expected(known, stamps)
        for path in expected:
            stamps[path] = known[path]
        if all(known.get(path) == stamp for path, stamp in stamps.items()) and known.keys() <= stamps.keys():
            return
        before = self._loaded
        self._loaded = load_settings(before.source, is_trusted=before.is_trusted, before=before, expected=expected)
        news = tuple(problem for problem in self._loaded.problems if problem not in before.problems)
        self._on_rules(self._loaded.settings, news)

    def _expected(self, known: dict[Path, Stamp | None], stamps: dict[Path, Stamp | None]) -> set[Path]:
        """Files that are missing for so short a time that they still count as they were."""
        loop = asyncio.get_running_loop()
        gone = {path for path, stamp in stamps.items() if stamp is None and known.get(path) is not None}
        self._missing = {path: self._missing.get(path, loop.time()) for path in gone}
        expected = {path for path, since in self._missing.items() if loop.time() - since < GONE_S}
        if expected:
            self._again = loop.call_later(GONE_S, self.refresh)
        return expected

    def _paths(self) -> list[Path]:
        files = self._loaded.source.files(is_trusted=self._loaded.is_trusted)
        return [file.path for file in files if file.path is not None]

    def _folders(self) -> Iterator[Path]:
        """Where a change may come from: each file's folder, that of what it links to, and the folder above."""
        for path in self._paths():
            for spelling in {path, Path(os.path.realpath(path))}:
                folder = next(parent for parent in spelling.parents if os.path.isdir(parent))  # noqa: PTH112  never raises
                yield folder
                yield folder.parent

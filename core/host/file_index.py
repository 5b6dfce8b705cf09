"""The files of the working folder, listed in a thread and listed anew once something has come or gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from core.host.git import SAFE_GIT_ENV
from core.host.log import LOGGER

RELIST_S = 2.0
"""How soon after one listing the next may begin."""
UNWATCHED_S = 5.0
"""How old a listing may be where the folder cannot be watched."""
STEP_MS = 100
CLOSE_S = 1.0
RG_LIST = ("--no-require-git", "--files", "--hidden", "--glob=!.git", "--null")
PIECE_BYTES = 1 << 18
MAX_FOLDER_ENTRIES = 5_000

Walk = Callable[[Path, threading.Event], Iterable[str]]
"""Names of the files beneath a folder, relative to it, until the event is set."""


class FileIndex:
    """Lists when asked to, never by itself: ``refresh`` before a look is what keeps it fresh."""

    def __init__(self, root: Path, walk: Walk, *, now: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._walk = walk
        self._now = now
        self.paths: tuple[str, ...] = ()
        """As of the newest listing; folders end with a slash."""
        self.count = 0
        """Files found so far."""
        self._listed_at: float | None = None
        self._is_dirty = True
        self._is_watched = False
        self._stop = threading.Event()
        self._lister: threading.Thread | None = None
        self._watcher: threading.Thread | None = None

    @property
    def is_listing(self) -> bool:
        """Whether a listing is under way."""
        return self._lister is not None and self._lister.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether nothing that is known to have changed is missing."""
        return not self._is_dirty and not self.is_listing

    def refresh(self) -> None:
        """Begin to list where nothing is known yet or something has changed. Returns at once."""
        if self._stop.is_set() or self.is_listing:
            return
        if self._listed_at is not None:
            age = self._now() - self._listed_at
            if age < RELIST_S or not (self._is_dirty or (not self._is_watched and age >= UNWATCHED_S)):
                return
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="file-watch", daemon=True)
            self._watcher.start()
        self._lister = threading.Thread(target=self._list, name="file-index", daemon=True)
        self._lister.start()

    def close(self) -> None:
        """Stop listing and watching; waits for both."""
        self._stop.set()
        for thread in (self._lister, self._watcher):
            if thread is not None:
                thread.join(CLOSE_S)

    def _list(self) -> None:
        # Before the listing: what changes while it runs may be missed by it.
        self._is_dirty = False
        names: list[str] = []
        try:
            for name in list_files(self._root, self._walk, self._stop):
                # A name with a line break or an escape in it can neither be shown nor typed.
                if name.isprintable():
                    names.append(name)
                if self._listed_at is None:
                    self.count = len(names)
        except OSError as error:
            LOGGER.warning("the files of %s could not be listed: %s", self._root, error)
        self.count = len(names)
        self.paths = (*sorted(_folders(names)), *dict.fromkeys(names))
        self._listed_at = self._now()

    def _watch(self) -> None:
        from watchfiles import Change, watch  # pyright: ignore[reportUnknownVariableType]

        def comes_or_goes(change: Change, path: str) -> bool:
            return change is not Change.modified and "/.git/" not in path

        try:
            self._is_watched = True
            changes = watch(
                self._root,
                watch_filter=comes_or_goes,
                step=STEP_MS,
                rust_timeout=STEP_MS * 50,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            for _changes in changes:
                self._is_dirty = True
        except (OSError, RuntimeError) as error:
            LOGGER.info("%s is not watched: %s", self._root, error)
        self._is_watched = False


def list_files(root: Path, walk: Walk, stop: threading.Event) -> Iterator[str]:
    """What git counts as files of the folder, else what ripgrep lists, else what ``walk`` finds."""
    git = ["git", "ls-files", "-z"]
    if _is_repository(root):
        # A file that was deleted is still in git's index.
        deleted = set(_names([*git, "--deleted"], root, stop))
        for name in _names([*git, "--cached", "--others", "--exclude-standard"], root, stop):
            if name not in deleted:
                yield name
        return
    program = shutil.which("rg")
    if program is not None:
        yield from _names([program, "--no-config", *RG_LIST], root, stop)
    else:
        yield from walk(root, stop)


def list_folder(path: str, cwd: Path) -> list[str]:
    """Names in a folder, folders with a slash at the end; ``~`` is the home folder. Empty where it cannot be read."""
    names: list[str] = []
    with contextlib.suppress(OSError, RuntimeError), os.scandir(cwd / Path(path).expanduser()) as entries:
        for entry in entries:
            if entry.name.isprintable():
                names.append(f"{entry.name}/" if entry.is_dir() else entry.name)
            if len(names) >= MAX_FOLDER_ENTRIES:
                break
    return names


def _is_repository(root: Path) -> bool:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--is-inside-work-tree"],
            cwd=root,
            env=_environment(os.environ),
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.stdout.strip() == b"true"


def _names(argv: list[str], root: Path, stop: threading.Event) -> Iterator[str]:
    """What a program prints with a NUL after each name; the program is ended where nobody wants more."""
    with subprocess.Popen(
        argv,
        cwd=root,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        rest = b""
        try:
            while not stop.is_set() and (data := os.read(process.stdout.fileno(), PIECE_BYTES)):
                *names, rest = (rest + data).split(b"\0")
                yield from (name.decode("utf-8", "surrogateescape") for name in names)
        finally:
            process.kill()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, **SAFE_GIT_ENV}


def _folders(names: Iterable[str]) -> set[str]:
    """Every folder that one of the files is in."""
    folders: set[str] = set()
    for name in names:
        at = name.rfind("/", 0, -1)
        while at > 0 and (folder := name[: at + 1]) not in folders:
            folders.add(folder)
            at = name.rfind("/", 0, at)
    return folders

"""The files of the working folder, listed in a thread, and listed anew when somebody looks.

The folder is not watched: the watcher holds the interpreter while it registers each folder, half a second for 20,000
of them, ignored ones included. Listing again costs another process a moment, and only while files are looked for.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from core.host.git import git_environment
from core.host.log import LOGGER
from core.host.programs import find_program

RELIST_S = 2.0
"""How old a listing may become."""
RELIST_SHARE = 10
"""How many times as long as a listing takes it is left at that."""
CLOSE_S = 1.0
MAX_FILES = 500_000
"""Where there are more (a home folder, a whole disk) the rest is not offered."""
RG_LIST = ("--no-require-git", "--files", "--hidden", "--glob=!.git", "--null")
PIECE_BYTES = 1 << 18
MAX_FOLDER_ENTRIES = 5_000

Hides = Callable[[Path], bool]
"""Whether a file of this absolute path must not be offered."""

Walk = Callable[[Path, threading.Event], Iterable[str]]
"""Names of the files beneath a folder, relative to it, until the event is set."""


class FileIndex:
    """Lists when asked to, never by itself: ``refresh`` at each look is what keeps it fresh."""

    def __init__(
        self,
        root: Path,
        walk: Walk,
        *,
        hides: Callable[[], Hides] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._walk = walk
        self._hides = hides
        self._now = now
        self.paths: tuple[str, ...] = ()
        """As of the newest listing; folders end with a slash."""
        self.count = 0
        """Files found so far."""
        self._listed_at: float | None = None
        self._took = 0.0
        self._stop = threading.Event()
        self._lister: threading.Thread | None = None

    @property
    def is_listing(self) -> bool:
        """Whether a listing is under way."""
        return self._lister is not None and self._lister.is_alive()

    def refresh(self) -> None:
        """Begin to list where nothing is known yet, or where that is old. Returns at once."""
        if self._stop.is_set() or self.is_listing:
            return
        if self._listed_at is not None:
            age = self._now() - self._listed_at
            if age < max(RELIST_S, RELIST_SHARE * self._took):
                return
        self._lister = threading.Thread(target=self._list, name="file-index", daemon=True)
        self._lister.start()

    def close(self) -> None:
        """Stop listing for good."""
        self._stop.set()
        if self._lister is not None:
            self._lister.join(CLOSE_S)

    def _list(self) -> None:
        begun = self._now()
        names: list[str] = []
        hides = self._hides() if self._hides is not None else None
        try:
            for name in list_files(self._root, self._walk, self._stop):
                # A name with a line break or an escape in it can neither be shown nor typed.
                if name.isprintable() and not (hides is not None and hides(self._root / name)):
                    names.append(name)
                if self._listed_at is None:
                    self.count = len(names)
                if len(names) >= MAX_FILES:
                    break
        except OSError as error:
            LOGGER.warning("the files of %s could not be listed: %s", self._root, error)
        self.count = len(names)
        paths = (*_folders(names), *dict.fromkeys(names))
        if paths != self.paths:
            self.paths = paths
        self._listed_at = self._now()
        self._took = self._listed_at - begun


def list_files(root: Path, walk: Walk, stop: threading.Event) -> Iterator[str]:
    """What git counts as files of the folder, else what ripgrep lists, else what ``walk`` finds."""
    program = find_program("git", os.environ, (root,))
    if program is not None and _is_repository(program, root):
        git = [program, "ls-files", "-z"]
        # A file that was deleted is still in git's index.
        deleted = set(_names([*git, "--deleted"], root, stop))
        for name in _names([*git, "--cached", "--others", "--exclude-standard"], root, stop):
            if name not in deleted:
                yield name
        return
    program = find_program("rg", os.environ, (root,))
    if program is not None:
        yield from _names([program, "--no-config", *RG_LIST], root, stop)
    else:
        yield from walk(root, stop)


def list_folder(path: str, cwd: Path, hides: Hides | None = None) -> list[str]:
    """Names in a folder, folders with a slash at the end; ``~`` is the home folder. Empty where it cannot be read.

    A link to a folder is listed as a link, without a slash: what is behind it is offered to who names it.
    """
    names: list[str] = []
    with contextlib.suppress(OSError, RuntimeError), os.scandir(cwd / Path(path).expanduser()) as entries:
        for entry in entries:
            if entry.name.isprintable() and not (hides is not None and hides(Path(entry.path))):
                names.append(f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name)
            if len(names) >= MAX_FOLDER_ENTRIES:
                break
    return names


def _is_repository(git: str, root: Path) -> bool:
    try:
        done = subprocess.run(
            [git, "rev-parse", "--is-inside-work-tree"],
            cwd=root,
            env=git_environment(os.environ, root),
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
        env=git_environment(os.environ, root),
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


def _folders(names: Iterable[str]) -> dict[str, None]:
    """Every folder that one of the files is in, in their order: sorting so many at once would be felt in the window."""
    folders: dict[str, None] = {}
    for name in names:
        at = name.rfind("/", 0, -1)
        while at > 0 and (folder := name[: at + 1]) not in folders:
            folders[folder] = None
            at = name.rfind("/", 0, at)
    return folders

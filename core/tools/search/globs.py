"""Glob patterns: one matcher for both engines, over names relative to the folder searched."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.tools.base import ToolError
from core.tools.search.file_types import TYPES
from core.tools.search.locate import file_mode

Keep = Callable[[str], bool]
"""Whether a file of this relative name is wanted."""

MAGIC = re.compile(r"[*?\[{\\]")

SIMPLE = re.compile(r"[\w.*?+@-]*(?:\{[\w.*+-]+(?:,[\w.*+-]+)+\}[\w.*?+@-]*)?", re.ASCII)
"""File name patterns that mean the same to ripgrep, so that it can leave the other files unread."""


@dataclass(frozen=True, slots=True)
class GlobTarget:
    """A pattern split in the folder to begin in and the rest to match there; ``rest`` is empty where nothing can
    match, and the name of one file where ``is_literal``."""

    root: Path
    rest: str
    is_literal: bool = False

    @property
    def read(self) -> Path:
        """What is looked at: the folder, or the one file."""
        return self.root / self.rest if self.is_literal else self.root


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files a text search reads: ``keep`` decides, ``names`` are patterns that let no fewer through (none:
    all)."""

    keep: Keep
    names: tuple[str, ...] = ()


def compiled(patterns: tuple[str, ...]) -> Keep:
    """A matcher for any of the patterns. ``*`` and ``?`` stop at a slash and match hidden files, ``**`` crosses
    folders, ``{a,b}`` are alternatives. Raises ``ToolError`` for a pattern that cannot be used."""
    # Takes 50 ms and is not needed before the first search.
    from wcmatch import glob

    try:
        included, _ = glob.translate(patterns, flags=glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE)
        regex = re.compile("|".join(f"(?:{one})" for one in included))
    except Exception as error:  # the matcher's own limits are an exception without a public name
        raise ToolError(f"Invalid glob pattern {' '.join(patterns)!r}: {error}") from error
    return lambda name: regex.match(name) is not None


def split(base: Path, pattern: str) -> GlobTarget:
    """Where to look for a pattern that is relative to ``base`` or absolute.

    Leading segments that name a folder, brackets and all, become the root: also an ignored one, for it was asked
    for by name. No symlink inside ``base`` is followed, and nothing is looked for in ``.git``.
    """
    if pattern.startswith("~/"):
        pattern = str(Path(pattern).expanduser())
    root, follows_links = base, False
    if pattern.startswith(f"{base}/"):
        pattern = pattern.removeprefix(f"{base}/")
    elif pattern.startswith("/"):
        root, follows_links = Path("/"), True
    segments = [segment for segment in pattern.split("/") if segment not in ("", ".")]
    while len(segments) > 1:
        folder = root / segments[0]
        if segments[0] == "..":
            root, follows_links = folder.resolve(), True
        elif stat.S_ISDIR(file_mode(folder)) and segments[0] != ".git" and (follows_links or not folder.is_symlink()):
            root = folder
        elif MAGIC.search(segments[0]):
            break
        else:
            return GlobTarget(root, "")
        del segments[0]
    rest = "/".join(segments)
    if len(segments) == 1 and not MAGIC.search(rest):
        is_file = stat.S_ISREG(file_mode(root / rest))
        return GlobTarget(root, rest if is_file else "", is_literal=is_file)
    return GlobTarget(root, rest)


def name_matcher(pattern: str) -> Keep:
    """A matcher for one pattern, which a file of literally that name matches too. Raises ``ToolError``."""
    matches = compiled((pattern,))
    return lambda name: name == pattern or matches(name)


def file_filter(glob: str | None, file_type: str | None) -> FileFilter:
    """The files of a text search: those that match ``glob`` and are of the type, where given. A glob without a
    slash fits in every folder, one that begins with ``!`` excludes. Raises ``ToolError``."""
    tests: list[Keep] = []
    names: tuple[str, ...] = ()
    if glob:
        wanted = glob.removeprefix("!").removeprefix("/")
        matches = compiled((wanted if "/" in glob else f"**/{wanted}",))
        if glob.startswith("!"):
            tests.append(lambda name: not matches(name))
        else:
            tests.append(matches)
            names = _as_names((wanted.rpartition("/")[2],))
    if file_type:
        if file_type not in TYPES:
            raise ToolError(f"Unknown file type {file_type!r}.", f"Use glob, or one of: {', '.join(TYPES)}.")
        patterns = tuple(TYPES[file_type].split())
        tests.append(compiled(tuple(f"**/{one}" for one in patterns)))
        names = names or _as_names(patterns)
    return FileFilter(lambda name: all(test(name) for test in tests), names)


def _as_names(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if all(SIMPLE.fullmatch(one) and one and "**" not in one for one in patterns):
        return patterns
    return ()

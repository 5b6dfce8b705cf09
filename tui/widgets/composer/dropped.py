"""What a terminal pastes when a file is dropped on it: recognises paths of images. Looks at no file."""

from __future__ import annotations

import shlex
from urllib.parse import unquote, urlsplit

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
ROOTS = ("/", "~", "./", "../")
MAX_CHARACTERS = 4_000


def image_paths(text: str) -> tuple[str, ...]:
    """The paths that a paste consists of; none where it is anything else than paths of images.

    Takes them plain, quoted, with escaped blanks, and as ``file://`` addresses; several in one line or in many.
    """
    text = text.strip()
    if not text or len(text) > MAX_CHARACTERS or not any(suffix in text.lower() for suffix in SUFFIXES):
        return ()
    for candidates, is_quoted in ((_words(text), True), (text.split("\n"), False)):
        paths = tuple(_path(candidate, is_quoted=is_quoted) for candidate in candidates)
        if paths and all(path.lower().endswith(SUFFIXES) for path in paths):
            return paths
    return ()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _path(word: str, *, is_quoted: bool) -> str:
    if word.startswith("file://"):
        return unquote(urlsplit(word).path)
    word = word.strip()
    is_sentence = " " in word and not word.startswith(ROOTS) and not is_quoted
    return "" if "://" in word or is_sentence else word

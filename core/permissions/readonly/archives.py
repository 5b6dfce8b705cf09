"""tar: it lists, or shows on its output; everything else unpacks, packs or runs something."""

from __future__ import annotations

import re
from pathlib import Path

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look, is_secret
from core.permissions.readonly.options import is_literal, literal, parse
from core.permissions.shell.script import Word

TAR = Grammar(
    short="txOzjJvaf<",
    long="list extract get to-stdout gzip bzip2 xz zstd verbose file< wildcards no-wildcards strip-components: "
    "occurrence? full-time numeric-owner utc exclude: quoting-style: force-local version help",
    operands="text",
)
BUNDLE = re.compile(r"[A-Za-z]+")


def look_at_tar(look: Look) -> None:
    """Looks at the words behind ``tar``, whose first may be a bundle of options without a dash."""
    words = list(look.words)
    if words and is_literal(words[0]) and BUNDLE.fullmatch(words[0].head):
        words = _unbundled(words)
    parsed = parse(tuple(words), TAR)
    lists = parsed.has("-t", "--list")
    shows = parsed.has("-x", "--extract", "--get") and parsed.has("-O", "--to-stdout")
    if not lists and not shows and not parsed.has("--version", "--help"):
        raise NotReadOnlyError("tar unpacks or packs")
    if lists and parsed.has("-x", "--extract", "--get"):
        raise NotReadOnlyError("tar is misused")
    _note_archives(look, parsed)


def _unbundled(words: list[Word]) -> list[Word]:
    """``tfv a.tar`` as ``-t -f a.tar -v``: each letter takes its argument from the words behind, in turn."""
    letters, rest = words[0].head, words[1:]
    found: list[Word] = []
    for letter in letters:
        found.append(literal(f"-{letter}"))
        if letter == "f":
            if not rest or not rest[0].is_one:
                raise NotReadOnlyError("tar lacks its archive")
            found.append(rest.pop(0))
    return found + rest


def _note_archives(look: Look, parsed: Parsed) -> None:
    for word in parsed.given("-f", "--file"):
        if ":" in (word.value or ":") and not parsed.has("--force-local"):
            raise NotReadOnlyError("tar takes a colon for the name of another computer")
        look.read(word)
    for word in parsed.operands:
        if is_secret(Path(word.value or word.head)):
            look.reveal(f"{word.source} may hold secrets")

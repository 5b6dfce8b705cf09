"""Commands that only list names of files, so that what they list may be read in turn."""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.permissions.readonly.look import is_secret, matches_secrets
from core.permissions.readonly.options import is_literal
from core.permissions.shell.script import Command

LISTERS = frozenset({"find", "bfs", "fd", "fdfind", "ls", "tree"})
SEARCHES = frozenset({"grep", "egrep", "fgrep", "rg", "ag"})
LISTING_OPTIONS = (
    "-l",
    "-L",
    "--files-with-matches",
    "--files-without-match",
    "--files",
    "--name-only",
    "--files-with-match",
)
GIT_LISTS = frozenset({"ls-files", "diff", "grep", "show", "log", "diff-tree", "diff-index"})
MAX_NAMES = 5_000
ROOT = re.compile(r"[\w.][\w./-]*")
ODD = re.compile(r"[^\w.,@+=#%~-]")
"""What splits a name, or quotes a part of it; bash and xargs differ in that."""

SEARCH_OPTIONS = {
    "grep": re.compile(r"-[rRilnwEFHI]+|--files-with-matches|--include=[\w*.]+"),
    "rg": re.compile(r"-[ilnwFHs]+|--files-with-matches"),
}
PLAIN_PATTERN = re.compile(r"\w[\w.]*")
FIND_TEST = re.compile(r"-(name|iname|type|maxdepth|mindepth|mtime|size) [\w*.+-]+|-print0?")

PASSING = frozenset({"head", "tail", "sort", "uniq", "grep", "egrep", "fgrep", "tac", "shuf"})
"""Programs that hand on some of the lines they are given."""


def reason_against(listing: tuple[Command, ...]) -> str:
    """Why the names that a pipeline puts out may not be read unasked; empty where they may."""
    if not listing or not _lists(listing[0]):
        return "it is not known which files it reads"
    if any(not _passes(command) for command in listing[1:]):
        return "it is not known which files it reads"
    if any(names_secrets(command) for command in listing):
        return "it reads files that may hold secrets"
    return ""


def names_secrets(command: Command) -> bool:
    """Whether its words name files, or patterns of names, that hold keys or passwords."""
    texts = {value for word in command.words for value in (word.values or (word.head,))}
    return any(is_secret(Path(text)) or (set("*?[") & set(text) and matches_secrets(text)) for text in texts if text)


def _lists(command: Command) -> bool:
    if any(not is_literal(word) and not word.has_glob for word in command.words):
        return False
    texts = [word.head for word in command.words[1:]]
    if command.name in LISTERS:
        return not any(text in ("-printf", "-fprintf", "-execdir") for text in texts)
    if command.name == "git":
        verbs = [text for text in texts if not text.startswith("-")]
        return bool(verbs) and verbs[0] in GIT_LISTS and (verbs[0] == "ls-files" or _names_files(texts))
    return command.name in SEARCHES and _names_files(texts)


def _names_files(texts: list[str]) -> bool:
    short = [text for text in texts if text.startswith("-") and not text.startswith("--")]
    return any(text in LISTING_OPTIONS for text in texts) or any("l" in text or "L" in text for text in short)


def _passes(command: Command) -> bool:
    """Whether it takes its lines from the pipe alone and adds none."""
    if command.name not in PASSING or not all(is_literal(word) for word in command.words):
        return False
    operands = [word.head for word in command.words[1:] if not word.head.startswith("-")]
    if command.name in ("grep", "egrep", "fgrep"):
        return len(operands) <= 1
    return all(text.isdecimal() for text in operands)


def plain_root(listing: tuple[Command, ...]) -> str:
    """What all that the listing puts out begins with; empty where that, or a word of it, may be an option.

    Names beneath the root are looked at on the disk: none may hold a blank, or what quotes one.
    """
    if len(listing) != 1:
        return ""
    command, folder = listing[0], listing[0].cwd
    if folder is None or not all(map(is_literal, command.words)):
        return ""
    if any(redirect.target is None or redirect.target.value != "/dev/null" for redirect in command.redirects):
        return ""
    texts = [word.head for word in command.words[1:]]
    if command.name in SEARCH_OPTIONS:
        root = _search_root(command.name, texts)
    else:
        root = _find_root(texts) if command.name == "find" else ""
    if not ROOT.fullmatch(root) or ".." in root.split("/"):
        return ""
    return root if _has_plain_names(folder / root) else ""


def _search_root(name: str, texts: list[str]) -> str:
    options = [text for text in texts if text.startswith("-")]
    operands = [text for text in texts if not text.startswith("-")]
    lists = any("l" in text.partition("=")[0] for text in options if text[:2] != "--" or text[:3] == "--f")
    if not lists or len(operands) != 2 or not PLAIN_PATTERN.fullmatch(operands[0]):
        return ""
    return operands[1] if all(map(SEARCH_OPTIONS[name].fullmatch, options)) else ""


def _find_root(texts: list[str]) -> str:
    tests = re.sub(r" (?=-[a-z])", "\n", " ".join(texts[1:])).split("\n") if texts[1:] else []
    return texts[0] if texts and all(map(FIND_TEST.fullmatch, tests)) else ""


def _has_plain_names(root: Path) -> bool:
    count = 0
    for folder, folders, files in os.walk(root):
        count += len(folders) + len(files)
        if count > MAX_NAMES or any(ODD.search(name) for name in (*folders, *files)):
            return False
        if any((Path(folder) / name).is_symlink() for name in folders):
            return False
    return True

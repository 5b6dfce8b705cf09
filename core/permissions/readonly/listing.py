"""Commands that only list names of files, so that what they list may be read in turn."""

from __future__ import annotations

import fnmatch
import os
import re
from itertools import pairwise
from pathlib import Path

from core.permissions.readonly.look import TYPICAL_SECRETS, names_secret, without_magic
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
FILTER = re.compile(r"-i?(?:name|path|wholename|regex)")
"""Options of find that choose by name."""

MAX_PATTERN = 200
REPEATED = re.compile(r"[*+?})]\s*[*+{]|\)\s*\?")
"""A repetition of what repeats: matching it may take for ever."""
SECRET_PATHS = tuple(f"{folder}{name}" for name in TYPICAL_SECRETS for folder in ("", "./", "./a/"))
ORDINARY_PATHS = ("src/app.py", "./README.md", "notes.txt", "./a/main.c", "index.test.tsx", "config.json")
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


def reason_against(listing: tuple[Command, ...], *, names_only: bool = False) -> str:
    """Why the names that a pipeline puts out may not be read unasked; empty where they may."""
    if not listing or not _lists(listing[0]):
        return "it is not known which files it reads"
    if any(not _passes(command) for command in listing[1:]):
        return "it is not known which files it reads"
    if any(names_secrets(command) for command in listing):
        return "it reads files that may hold secrets"
    if not names_only and _shows_hidden(listing[0]):
        return "it reads hidden files, which may hold secrets"
    return ""


def _shows_hidden(command: Command) -> bool:
    """Whether it lists the hidden files of a folder among the few others there."""
    texts = [word.head for word in command.words[1:]]
    short = "".join(text[1:] for text in texts if re.fullmatch(r"-[A-Za-z0-9.]+", text))
    if command.name in ("ls", "tree"):
        return bool({"a", "A", "f"} & set(short)) or any(text.startswith(("--a", "--f")) for text in texts)
    if command.name in ("fd", "fdfind"):
        return bool({"H", "u"} & set(short)) or any(text.startswith(("--hid", "--unr")) for text in texts)
    if command.name in ("find", "bfs"):
        chosen = [text for option, text in pairwise(texts) if FILTER.fullmatch(option)]
        return "-maxdepth" in texts and not any(text.strip("*.?/") for text in chosen)
    if command.name == "rg":
        return "--hidden" in texts or "." in short or "uu" in short
    return False


def names_secrets(command: Command) -> bool:
    """Whether its words name files, or patterns of names, that hold keys or passwords."""
    words = [word.head for word in command.words]
    is_plain = "(" not in words
    for at, word in enumerate(command.words):
        option = words[at - 1] if at else ""
        if is_plain and FILTER.fullmatch(option) and at > 2 and _is_negated(words[: at - 1]):
            continue
        for text in filter(None, word.values or (word.head,)):
            is_path = option.endswith(("path", "wholename"))
            regex = fnmatch.translate(text) if is_path else text if option in ("-regex", "-iregex") else ""
            if names_secret(without_magic(text)) or (regex and _picks_secrets(regex)):
                return True
    if command.name in ("fd", "fdfind") or (command.name in SEARCHES and not _names_files(words[1:])):
        is_inverse = any(re.fullmatch(r"-[A-Za-z]*v[A-Za-z]*|--invert-match", word) for word in words)
        return not is_inverse and any(_picks_secrets(text) for text in words[1:] if not text.startswith("-"))
    return False


def _is_negated(words: list[str]) -> bool:
    return words[-1] in ("!", "-not") and words[-2] not in ("!", "-not")


def _picks_secrets(regex: str) -> bool:
    """Whether a regular expression, of either kind, finds names of secrets and not ordinary ones."""
    if len(regex) > MAX_PATTERN or REPEATED.search(regex):
        return True
    for spelling in (regex, re.sub(r"\\?([(){}|+?])", lambda m: m[1] if len(m[0]) > 1 else "\\" + m[0], regex)):
        try:
            pattern = re.compile(spelling, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError):
            continue
        if any(map(pattern.search, SECRET_PATHS)) and not any(map(pattern.search, ORDINARY_PATHS)):
            return True
    return False


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

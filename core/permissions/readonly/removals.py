"""Removals asked about whatever the rules say: of folders that everything hangs on, or of nobody knows which."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath

from core.permissions.readonly.look import Look
from core.permissions.readonly.options import is_literal
from core.permissions.shell.script import Command, Word

REMOVERS = frozenset({"rm", "rmdir"})
FINDERS = frozenset({"find", "bfs", "gfind"})
FILTERS = frozenset({"grep", "egrep", "fgrep", "head", "tail", "sort", "uniq"})
"""What passes on some of the lines that it gets, as they are."""

RECURSIVE = re.compile(r"-[A-Za-z]*[rR].*|--r.*")
ANYTHING = re.compile(r"[*.?\[\]{},!]*[*?][*.?\[\]{},!]*")
ANY_PATH = re.compile(r"[*.?\[\]{},!/]*")
UNKNOWN_FOLDER = re.compile(r"""["']?\$\{?\w+\}?["']?/["']?([*.?{},]*)["']?""")
DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]+[^\\/]*)?[\\/]*|/mnt/[A-Za-z](?:/[^/]+)?")
"""A whole disk of Windows, or a folder right on it."""
TOP = frozenset(map(Path, ("/", "/usr", "/home", "/Users")))
"""All that is right in them matters."""
TEMPORARY = Path("/tmp")
"""Only what is in it may go."""

NAME_TESTS = frozenset("-name -iname -path -ipath -wholename -iwholename -regex -iregex".split())
OTHER_TESTS = frozenset("-empty -mtime -mmin -atime -amin -inum".split())
ALTERNATIVES = frozenset({"-o", "-or", ","})
NEGATIONS = frozenset({"!", "-not"})
ACTIONS = frozenset("-delete -exec -execdir -ok -okdir".split())


def critical_of(look: Look) -> str:
    """Why removing this is asked about whatever the rules say; empty where nothing speaks for that."""
    name = look.command.name
    if name in REMOVERS:
        return _removal(look)
    if name in FINDERS and any(word.value == "-delete" for word in look.words) and _finds_all(look, look.words):
        return f"{name} -delete removes a folder that everything hangs on"
    return ""


def _removal(look: Look) -> str:
    name = look.command.name
    is_recursive = name == "rm" and any(map(_is_recursive, look.words))
    for word in look.words:
        if word.head.startswith("-") and is_literal(word):
            continue
        if [command.name for command in word.lists] == ["mktemp"]:
            continue
        if not word.values and word.lists and _passes_on(word.lists):
            if _finds_all(look, word.lists[0].words[1:]):
                return f"{name} {word.source} removes a folder that everything hangs on"
            continue
        texts = word.values or word.matches or ((word.head,) if word.head else ())
        if not texts and (is_recursive or UNKNOWN_FOLDER.fullmatch(word.source)):
            return f"{name} {word.source} removes everything where that is empty or another folder"
        if any(_is_critical(look, text, has_glob=word.has_glob) for text in texts):
            return f"{name} {word.source} removes a folder that everything hangs on"
    return ""


def _is_recursive(word: Word) -> bool:
    return RECURSIVE.fullmatch(word.head) is not None or (word.head.startswith("-") and not is_literal(word))


def _is_critical(look: Look, text: str, *, has_glob: bool) -> bool:
    path, is_all = _place(look, text, has_glob=has_glob)
    if path is None:
        return True
    return not (is_all and path == TEMPORARY) and (path in _around(look) or _is_top(look, path))


def _place(look: Look, text: str, *, has_glob: bool) -> tuple[Path | None, bool]:
    """Which folder goes, and whether that is all in it rather than itself; None where it may be any."""
    if DRIVE.fullmatch(text):
        return Path("/"), False
    # POSIX leaves two slashes at the beginning to the system; to Linux and macOS they are one.
    path = PurePath(os.path.normpath(re.sub(r"^/+", "/", text)))
    named = path
    while has_glob and ANYTHING.fullmatch(path.name):
        path = path.parent
    if not path.is_absolute() and look.command.cwd is None:
        return (None if set(path.parts) <= {".."} else Path("/nowhere") / path), path != named
    return Path(os.path.normpath((look.command.cwd or Path("/")) / path)), path != named


def _around(look: Look) -> set[Path]:
    folders = [folder for folder in (look.command.cwd, look.start) if folder is not None]
    return {parent for folder in folders for parent in (folder, *folder.parents)}


def _is_top(look: Look, path: Path) -> bool:
    own = {look.home, *look.home.parents} if look.home is not None else set[Path]()
    return path in own or path in TOP or path.parent in TOP or DRIVE.fullmatch(str(path)) is not None


def _passes_on(commands: tuple[Command, ...]) -> bool:
    """Whether a pipeline yields nothing but what find has found."""
    return commands[0].name in FINDERS and all(command.name in FILTERS for command in commands[1:])


def _finds_all(look: Look, words: tuple[Word, ...]) -> bool:
    """Whether find, told these words, finds all of a folder that everything hangs on, or of nobody knows which."""
    at = 0
    while at < len(words) and re.fullmatch(r"-[HLP]|-O\d", words[at].value or ""):
        at += 1
    start = at
    while at < len(words) and not words[at].head.startswith(("-", "(", "!", ",")):
        at += 1
    is_narrow = _is_narrow(words[at:])
    for root in words[start:at] or (Word(source=".", values=(".",), head="."),):
        texts = root.values or root.matches or ((root.head,) if root.head else ())
        if not texts:
            return True
        for text in texts:
            if _is_critical(look, text, has_glob=root.has_glob) and not (is_narrow and _is_own(look, text)):
                return True
    return False


def _is_own(look: Look, text: str) -> bool:
    """Whether it is the folder that the line began in, or lies in that one."""
    path, _is_all = _place(look, text, has_glob=True)
    if path is None or look.start is None or not path.is_relative_to(look.start):
        return False
    return path != Path("/") and (look.home is None or path not in (look.home, *look.home.parents))


def _is_narrow(words: tuple[Word, ...]) -> bool:
    """Whether each alternative that find is told, up to what it does, asks for certain names or times."""
    values = [word.value or "" for word in words]
    end = next((at for at, value in enumerate(values) if value in ACTIONS), len(values))
    alternatives: list[bool] = [False]
    for at, value in enumerate(values[:end]):
        is_negated = at > 0 and values[at - 1] in NEGATIONS
        if is_negated and value == "(":
            return False
        if value in ALTERNATIVES:
            alternatives.append(False)
        elif not is_negated and (
            value in OTHER_TESTS
            or (value in NAME_TESTS and at + 1 < len(values) and not ANY_PATH.fullmatch(values[at + 1]))
        ):
            alternatives[-1] = True
    return all(alternatives)

"""git: the subcommands that only read, each with its own options; anything else may be an alias for anything."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace

from core.permissions.paths import is_repository
from core.permissions.readonly.git_options import SUBCOMMANDS
from core.permissions.readonly.grammar import NotReadOnlyError, Parsed, long_options, short_options
from core.permissions.readonly.look import Look, names_secret, without_magic
from core.permissions.readonly.options import is_literal, literal, parse
from core.permissions.shell.script import Command, Word

HARMLESS_GLOBALS = frozenset({"--no-pager", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects"})
HARMLESS_KEYS = re.compile(
    r"(?:(?:color|status|column|advice)\.[\w.]+|core\.(?:quotepath|abbrev)|log\.(?:date|decorate)"
    r"|diff\.(?:renames|noprefix|mnemonicprefix))(?:=.*)?"
    r"|core\.pager=(?:cat)?|(?:core\.fsmonitor|core\.untrackedcache|log\.showsignature|pager\.\w+)=(?:false|0|no)",
    re.IGNORECASE,
)
SECTIONS = "core|color|init|branch|user|remote|status|column|advice|log|diff|pull|push|fetch|merge|rebase|commit|tag"
SHOWN_KEYS = re.compile(rf"(?:{SECTIONS})\.[^\n]+|credential\.helper", re.IGNORECASE)
SHOWN_PATTERNS = re.compile(rf"\^?\(?(?:{SECTIONS})\)?(?:\\?\.[\w.*\\^$+-]*)?\$?", re.IGNORECASE)
"""What of the configuration holds no passwords; one in the address of a remote is taken into account."""

REVISION = r"[\w@][\w@./~^{}-]*"
HASH = re.compile(
    rf"merge-base( {REVISION}){{2}}|rev-parse( --short| --verify)*( {REVISION})|rev-list(?: -n| -?\d+)*( {REVISION})+"
)
HASHES = re.compile(rf"log(?: -n| -?\d+| -n\d+| --reverse| --all| --(?:no-)?merges| --format=%[hH]| {REVISION})+")
"""Subcommands that put out nothing but names of commits."""

TAIL = re.compile(r"[~^]\d*|\.{2,3}(?:[\w@][\w@./~^-]*)?|:[\w./-]+")
"""What may stand right behind the name of a commit."""

SIGNATURE = re.compile(r"%[-+ ]?G|%\([^)]*signature")
ALONE = frozenset({"--version", "-v", "--help", "--exec-path", "--html-path", "--man-path"})


def look_at_git(look: Look) -> None:
    """Looks at the words behind ``git``."""
    look.uses_git = True
    _look_at_folder(look)
    words = list(look.words)
    if len(words) == 1 and words[0].value in ALONE:
        return
    while words and is_literal(words[0]) and words[0].head.startswith("-"):
        option = words.pop(0).head
        if option == "-c" and words and is_literal(words[0]) and HARMLESS_KEYS.fullmatch(words[0].head):
            words.pop(0)
        elif option == "-C" and words and is_literal(words[0]) and words[0].head and look.start is not None:
            folder = look.path(words.pop(0).head)
            look.command = replace(look.command, cwd=folder)
            look.reads.append(folder)
            _look_at_folder(look)
        elif option not in HARMLESS_GLOBALS:
            raise NotReadOnlyError(f"git {option} is not known to be harmless")
    if not words or not is_literal(words[0]):
        raise NotReadOnlyError("it is not known what git does")
    name = words.pop(0).head
    if name == "help" and [word.value for word in words] in (["-a"], ["--all"]):
        return
    grammar = SUBCOMMANDS.get(name)
    if grammar is None:
        raise NotReadOnlyError(f"git {name} may change something")
    parsed = parse(tuple(map(_with_hash, words)), grammar)
    for word in parsed.given("--format", "--pretty"):
        if not is_literal(word) or SIGNATURE.search(word.head):
            raise NotReadOnlyError("a format of git may check signatures, which runs gpg")
    files = short_options(grammar.short) | long_options(grammar.long)
    for option in parsed.options:
        if option.argument is not None and files.get(option.name) == "file":
            look.read(option.argument)
        elif option.name == "-L" and names_secret(_path_of(option.argument.head if option.argument else "")):
            look.reveal("it may hold secrets")
    for word in parsed.operands:
        _look_at_operand(look, word, name)
    if name in LED and parsed.operands and words[0].value != parsed.operands[0].value:
        raise NotReadOnlyError(f"what git {name} does is not its first word")
    if name in CHECKS:
        CHECKS[name](look, parsed)


LED = frozenset({"stash", "worktree", "submodule", "notes", "bisect", "remote", "reflog"})
"""Subcommands with subcommands of their own; behind an option the same word may be no longer one."""


def _with_hash(word: Word) -> Word:
    """The word, with ``HEAD`` for a ``$(…)`` at its beginning that puts out the name of a commit."""
    if not word.values and not word.head and _is_hash(word.lists):
        return literal("HEAD")
    if not word.values and TAIL.fullmatch(word.tail) and _is_hash(word.begins):
        return literal("HEAD" + word.tail)
    return word


def _is_hash(commands: tuple[Command, ...]) -> bool:
    """Whether it is ``git merge-base …``, or another that puts out the name of a commit, or none."""
    if len(commands) != 1 or commands[0].name != "git":
        return False
    words = commands[0].words[1:]
    text = " ".join(each.head for each in words)
    is_log = HASHES.fullmatch(text) is not None and text.count("--format=") == 1
    return all(map(is_literal, words)) and (is_log or HASH.fullmatch(text) is not None)


def _look_at_operand(look: Look, word: Word, name: str) -> None:
    """A revision, a path or a pattern. What is outside the folder, or holds secrets, is told."""
    if not word.head or not (word.is_one or word.has_glob):
        raise NotReadOnlyError(f"it is not known what git {name} shows")
    for text in word.values or (word.head,):
        path = _path_of(text)
        if path.startswith("/") or ".." in path.split("/"):
            look.reads.append(look.path(path))
        if name not in LISTING and path and names_secret(path):
            look.reveal(f"{path} may hold secrets")


def _path_of(text: str) -> str:
    """The path in ``HEAD:path``, ``1,2:path``, ``:(top)path``, ``:/path``."""
    return without_magic(text).rpartition(":")[2]


LISTING = frozenset(
    {"ls-files", "ls-tree", "status", "check-ignore", "branch", "tag", "for-each-ref", "show-ref", "config"}
)
"""Subcommands that name files without showing them."""


def _look_at_folder(look: Look) -> None:
    """git obeys the configuration of the folder it runs in; another one may have come with the files."""
    here, start = look.command.cwd, look.start
    if here is None:
        raise NotReadOnlyError("it is not known in which folder git runs")
    if start is None or here == start:
        return
    reason = "git in another folder obeys that folder's configuration"
    if not here.is_relative_to(start) or not here.is_dir() or ".." in here.parts:
        raise NotReadOnlyError(reason)
    if here.resolve() != start.resolve() / here.relative_to(start):
        raise NotReadOnlyError(reason)
    folder = here
    while folder != start:
        if os.path.lexists(folder / ".git") or is_repository(folder):
            raise NotReadOnlyError(reason)
        folder = folder.parent


def _branch(_look: Look, parsed: Parsed) -> None:
    lists = "-l --list --contains --no-contains --merged --no-merged --points-at -a -r --all --remotes --show-current"
    only_lists = "-l --list --contains --no-contains --merged --no-merged --points-at"
    if parsed.operands and not parsed.has(*only_lists.split()):
        raise NotReadOnlyError("git branch NAME makes a branch")
    if any(not is_literal(word) for word in parsed.operands) and not parsed.has(*lists.split()):
        raise NotReadOnlyError("git branch may make a branch")


def _tag(_look: Look, parsed: Parsed) -> None:
    lists = "-l --list --contains --no-contains --merged --no-merged --points-at"
    if parsed.operands and not parsed.has(*lists.split()) and not parsed.has("-n"):
        raise NotReadOnlyError("git tag NAME makes a tag")


def _remote(_look: Look, parsed: Parsed) -> None:
    texts = [word.value for word in parsed.operands]
    if not texts or texts[0] == "get-url":
        return
    if texts[0] != "show" or (len(texts) > 1 and not parsed.has("-n")):
        raise NotReadOnlyError("git remote may change a remote or ask it")


def _config(look: Look, parsed: Parsed) -> None:
    reads = "--get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool"
    texts = [word.value or "" for word in parsed.operands]
    if parsed.has("-l", "--list") or texts[:1] == ["list"]:
        look.reveal("the whole configuration of git may hold passwords")
        return
    if texts[:1] == ["get"]:
        texts = texts[1:]
    elif not parsed.has(*reads.split()) and len(texts) != 1:
        raise NotReadOnlyError("git config KEY VALUE sets the key")
    if texts[:1] in (["set"], ["unset"], ["edit"], ["rename-section"], ["remove-section"]):
        raise NotReadOnlyError("git config changes the configuration")
    known = SHOWN_PATTERNS if parsed.has("--get-regexp", "--regexp") else SHOWN_KEYS
    if parsed.has("--get-urlmatch") or (texts and not known.fullmatch(texts[0])):
        look.reveal("the configuration of git may hold passwords")


def _first(*allowed: str) -> Callable[[Look, Parsed], None]:
    """Only these words may come first."""

    def check(_look: Look, parsed: Parsed) -> None:
        if not parsed.operands and "" in allowed:
            return
        if not parsed.operands or parsed.operands[0].value not in allowed:
            raise NotReadOnlyError(f"git may change something; it only reads with {' or '.join(filter(None, allowed))}")

    return check


def _reflog(_look: Look, parsed: Parsed) -> None:
    if parsed.operands and parsed.operands[0].value in ("expire", "delete", "drop", "write"):
        raise NotReadOnlyError("git reflog removes entries")
    if parsed.operands and not is_literal(parsed.operands[0]):
        raise NotReadOnlyError("git reflog may remove entries")


def _diff(look: Look, parsed: Parsed) -> None:
    if parsed.has("--no-index"):
        for word in parsed.operands:
            look.read(word)


def _worktree(look: Look, parsed: Parsed) -> None:
    _first("list")(look, parsed)
    if len(parsed.operands) > 1:
        raise NotReadOnlyError("git worktree is misused")


def _var(look: Look, parsed: Parsed) -> None:
    if parsed.has("-l"):
        look.reveal("the whole configuration of git may hold passwords")


def _cat_file(look: Look, parsed: Parsed) -> None:
    if parsed.has("--batch"):
        look.reveal("it shows whatever it is told to by its input")


CHECKS: dict[str, Callable[[Look, Parsed], None]] = {
    "branch": _branch,
    "tag": _tag,
    "remote": _remote,
    "config": _config,
    "var": _var,
    "cat-file": _cat_file,
    "stash": _first("list", "show"),
    "worktree": _worktree,
    "submodule": _first("status", "summary", ""),
    "notes": _first("list", "show", ""),
    "bisect": _first("log"),
    "reflog": _reflog,
    "diff": _diff,
    "grep": _diff,
}

"""Ignore files, read as ripgrep reads them: each path is tested by itself, the last rule that fits decides."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

NAMES = (".rgignore", ".ignore", ".gitignore")
"""The strongest first: a rule of a weaker kind counts only where no stronger one fits, however deep it is."""

PIECE = re.compile(
    r"^\*\*/|/\*\*/|/\*\*$|\*+|\?|\\(?P<escaped>.)|\[(?P<negated>[!^]?)(?P<set>\]?[^\]]*)\]|(?P<plain>.)", re.DOTALL
)

WILD = {"**/": "(?:.*/)?", "/**/": "/(?:.*/)?", "/**": "/.+", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line. ``regex`` fits whole names, or whole paths relative to the base."""

    ignores: bool
    regex: str
    by_name: bool
    folders_only: bool


@dataclass(frozen=True, slots=True)
class _Rules:
    """Neighbouring lines of the same sign, as one regex for names and one for paths."""

    ignores: bool
    names: re.Pattern[str] | None
    paths: re.Pattern[str] | None


class IgnoreFile:
    """The rules of one file, for what is beneath ``base``: an absolute path that ends with a slash."""

    def __init__(self, base: str, kind: int, lines: Iterable[str]) -> None:
        self.kind = kind
        self._skip = len(base)
        rules = [rule for rule in map(_parsed, lines) if rule is not None]
        rules.reverse()
        self._for_folders = _joined(rules)
        self._for_files = _joined([rule for rule in rules if not rule.folders_only])

    def verdict(self, name: str, path: str, *, is_folder: bool) -> bool | None:
        """Whether the entry of this name and absolute path is ignored; None where no rule fits."""
        for rules in self._for_folders if is_folder else self._for_files:
            if (rules.names is not None and rules.names.fullmatch(name)) or (
                rules.paths is not None and rules.paths.fullmatch(path, self._skip)
            ):
                return rules.ignores
        return None


@dataclass(frozen=True, slots=True)
class IgnoreChain:
    """The ignore files that count in one directory, in the order in which they are asked."""

    files: tuple[IgnoreFile, ...] = ()

    def entering(self, directory: str, names: Collection[str]) -> IgnoreChain:
        """The chain inside a directory (absolute, ending with a slash) that has entries of these names."""
        kept = self.files
        if ".git" in names:
            # Another repository begins: what git is told outside does not count in it.
            kept = tuple(file for file in kept if NAMES[file.kind] != ".gitignore")
        own = [
            IgnoreFile(directory, kind, lines)
            for kind, name in enumerate(NAMES)
            if name in names and (lines := _lines(f"{directory}{name}"))
        ]
        if not own:
            return self if kept is self.files else IgnoreChain(kept)
        return IgnoreChain(tuple(sorted((*own, *kept), key=lambda file: file.kind)))

    def ignores(self, name: str, path: str, *, is_folder: bool) -> bool:
        """Whether an entry is left out; see ``IgnoreFile.verdict``."""
        for file in self.files:
            verdict = file.verdict(name, path, is_folder=is_folder)
            if verdict is not None:
                return verdict
        return False


def chain_above(root: str) -> IgnoreChain:
    """The chain of the folders above ``root``, a real absolute path."""
    chain = IgnoreChain()
    for parent in reversed(Path(root).parents):
        directory = str(parent).rstrip("/") + "/"
        names = [name for name in (*NAMES, ".git") if os.path.lexists(f"{directory}{name}")]
        chain = chain.entering(directory, names)
    return chain


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError:
        return []


def _parsed(line: str) -> _Rule | None:
    line = line.removesuffix("\r")
    if line.startswith("#"):
        return None
    if not line.endswith("\\ "):
        line = line.rstrip()
    ignores = not line.startswith("!")
    line = line.removeprefix("!") if not ignores else line
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    anchored = line.startswith("/")
    line = line.removeprefix("/")
    if not anchored and line.count("/") == 1:
        line = line.removeprefix("**/")
    regex = _regex(line) if line else None
    if regex is None:
        return None
    return _Rule(ignores, regex, by_name=not anchored and "/" not in line, folders_only=folders_only)


def _regex(glob: str) -> str | None:
    """The rule as a regex; None where it is not a valid one."""
    if glob == "**":
        return ".*"
    parts: list[str] = []
    for piece in PIECE.finditer(glob):
        if piece["escaped"] is not None:
            parts.append(re.escape(piece["escaped"]))
        elif piece["set"] is not None:
            parts.append(f"[{'^' if piece['negated'] else ''}{_set(piece['set'])}]")
        elif piece["plain"] is None:
            parts.append(WILD.get(piece[0], "[^/]*"))
        elif piece["plain"] in "[\\":
            return None
        else:
            parts.append(re.escape(piece["plain"]))
    regex = "".join(parts)
    try:
        re.compile(regex)
    except re.error:
        return None
    return regex


def _set(characters: str) -> str:
    return re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", characters)


def _joined(rules: list[_Rule]) -> list[_Rules]:
    return [_merged(ignores, list(group)) for ignores, group in groupby(rules, lambda rule: rule.ignores)]


def _merged(ignores: bool, rules: list[_Rule]) -> _Rules:
    names, paths = (
        re.compile("|".join(chosen), re.DOTALL) if chosen else None
        for chosen in ([r.regex for r in rules if r.by_name], [r.regex for r in rules if not r.by_name])
    )
    return _Rules(ignores, names, paths)

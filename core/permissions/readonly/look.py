"""One command while it is looked at: its words, where it runs, and what was found that it reads."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path

from core.permissions.paths import holds_secrets, normal
from core.permissions.places import PROCESS_SECRETS
from core.permissions.readonly.grammar import NotReadOnlyError
from core.permissions.shell.script import Command, Word

STREAMS = frozenset({"-", "/dev/null", "/dev/stdin", "/dev/fd/0"})
"""Operands that name no file."""

SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store", "gcloud"})

TYPICAL_SECRETS = (
    ".env",
    ".env.local",
    "id_rsa",
    "id_ed25519",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    "x.pem",
    "x.key",
)
"""Names that a pattern must not match, unless it matches anything at all."""

PROCESS = re.compile(r"self|thread-self|\d+|.*[*?\[].*")
"""Folders of ``/proc`` that are a process."""

GLOB = re.compile(r"[*?\[{]")


@dataclass(slots=True, kw_only=True)
class Look:
    """A command with exactly one text chosen for each word of several, and what is found out about it."""

    command: Command
    words: tuple[Word, ...]
    """Behind the program's name."""
    home: Path | None
    start: Path | None
    """Where the shell line begins to run; git obeys other configuration elsewhere."""
    reads: list[Path] = field(default_factory=list[Path])
    writes: list[Path] = field(default_factory=list[Path])
    secret: str = ""
    critical: str = ""
    is_file_edit: bool = False
    uses_git: bool = False

    def read(self, word: Word, *, names_only: bool = False) -> None:
        """Notes that the file or folder is read; NotReadOnlyError where it is not known which one that is."""
        if is_substitution(word):
            return
        if word.values:
            for value in word.values:
                if value not in STREAMS:
                    self._note(self.path(value), names_only)
        elif word.matches:
            for pattern in word.matches:
                self._read_matches(pattern, names_only)
        elif [command.text for command in word.lists] == ["pwd"]:
            self._note(self.path("."), names_only)
        elif word.lists:
            self._read_listed(word.lists, names_only)
        else:
            raise NotReadOnlyError(f"it is not known which file {word.source} is")

    def path(self, text: str) -> Path:
        """Where a file is, by what it is called."""
        if text.startswith("/"):
            return Path(text)
        if self.command.cwd is None:
            raise NotReadOnlyError("it is not known in which folder it runs")
        return self.command.cwd / text

    def reveal(self, why: str) -> None:
        """Notes that it may show a secret."""
        self.secret = self.secret or why

    def _note(self, path: Path, names_only: bool) -> None:
        self.reads.append(path)
        if not names_only and (is_secret(path) or self.is_wide(path)):
            self.reveal(f"{path} may hold secrets")

    def is_wide(self, path: Path) -> bool:
        """Whether it is a folder with secrets somewhere in it: the home folder, what is around it, ``/proc/self``."""
        plain = normal(path)
        if plain.parts[:2] == ("/", "proc"):
            return len(plain.parts) <= 3 and (len(plain.parts) == 2 or bool(PROCESS.fullmatch(plain.name)))
        home = self.home
        return home is not None and (plain in (home, home / ".config") or plain in home.parents)

    def _read_matches(self, pattern: str, names_only: bool) -> None:
        folder = GLOB.split(pattern, maxsplit=1)[0].rpartition("/")
        base = self.path(folder[0] + folder[1])
        self._note(base, names_only or (base.parts[:2] == ("/", "proc") or base in (Path("/"), Path("/home"))))
        if not names_only and (is_secret(self.path(pattern)) or names_secret(str(self.path(pattern)))):
            self.reveal(f"{pattern} may match files that hold secrets")

    def _read_listed(self, listing: tuple[Command, ...], names_only: bool) -> None:
        from core.permissions.readonly.listing import reason_against

        reason = reason_against(listing, names_only=names_only)
        if reason:
            raise NotReadOnlyError(reason)
        roots = [word.value for word in listing[0].words[1:] if word.value and not word.value.startswith("-")]
        if not names_only and any(self.is_wide(self.path(root)) for root in roots):
            self.reveal("it reads all that is in a folder with secrets")


def is_substitution(word: Word) -> bool:
    """Whether it is ``<(…)``, a pipe from commands that are judged themselves."""
    return word.source.startswith("<(") and word.source.endswith(")")


def is_secret(path: Path) -> bool:
    """Whether the file, or what lies in the folder, is known to hold keys or passwords."""
    return holds_secrets(path) or any(part in SECRET_FOLDERS for part in path.parts)


def names_secret(text: str) -> bool:
    """Whether a path is a secret one, or a pattern for paths names one in any of its parts."""
    *folders, name = re.sub(r"\{[^}]*\}", "*", text).split("/")
    if not GLOB.search(text):
        return is_secret(Path(text))
    if text.startswith("/proc/") and any(fnmatch.fnmatchcase(each, name) for each in PROCESS_SECRETS):
        return True
    wanted = [part for part in folders if GLOB.search(part) and part.strip("*.")]
    in_secret = any(fnmatch.fnmatchcase(each, part) for part in wanted for each in SECRET_FOLDERS)
    return in_secret or is_secret(Path(text)) or bool(GLOB.search(name) and matches_secrets(name))


def matches_secrets(pattern: str) -> bool:
    """Whether a glob names files with secrets rather than all files."""
    if not pattern.strip("*."):
        return pattern.startswith(".")
    return any(fnmatch.fnmatchcase(name, pattern.casefold()) for name in TYPICAL_SECRETS)


def without_magic(text: str) -> str:
    """A pathspec of git without ``:(top)``, ``:/`` and their like before it."""
    return re.sub(r"^:(?:\([^)]*\)|[/!^]+)", "", text)

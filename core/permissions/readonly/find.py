"""find, bfs and fd: expressions of which every word is known."""

from __future__ import annotations

import re

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError
from core.permissions.readonly.look import Look
from core.permissions.readonly.options import is_literal, may_be_option
from core.permissions.shell.script import Word

ALONE = frozenset(
    """( ) ! , -a -and -o -or -not -true -false -empty -nouser -nogroup -readable -writable -executable -print -print0
    -ls -prune -quit -depth -d -daystart -follow -mount -xdev -noleaf -ignore_readdir_race -noignore_readdir_race
    -nowarn -warn -help --help -version --version -H -L -P -E -X -s -x -O0 -O1 -O2 -O3 -color -nocolor -hidden
    -nohidden""".split()
)
WITH_TEXT = frozenset(
    """-name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -type -xtype -size -perm -user
    -group -uid -gid -links -inum -mtime -atime -ctime -mmin -amin -cmin -used -fstype -maxdepth -mindepth -regextype
    -printf -newermt -newerat -newerct -since -asince -depth""".split()
)
WITH_FILE = re.compile(r"-(samefile|newer([aBcm][aBcm])?|anewer|cnewer)")

FD = Grammar(
    short="HIue:t:d:E:gFisaLp0c:j:1qS:o:hV",
    long="hidden no-ignore no-ignore-vcs no-ignore-parent unrestricted extension: type: max-depth: min-depth: "
    "exact-depth: exclude: glob fixed-strings regex ignore-case case-sensitive absolute-path relative-path follow "
    "full-path print0 color: threads: max-results: quiet size: owner: changed-within: changed-before: newer: older: "
    "search-path< base-directory< strip-cwd-prefix? one-file-system show-errors prune path-separator: and: help "
    "version",
    operands="pattern",
    names_only=True,
)


def look_at_find(look: Look) -> None:
    """Looks at the words behind ``find``."""
    words = list(look.words)
    in_roots = True
    while words:
        word = words.pop(0)
        text = word.value if is_literal(word) else None
        if in_roots and not may_be_option(word) and text not in ("(", ")", "!", ","):
            look.read(word, names_only=True)
        elif text is None:
            raise NotReadOnlyError(f"{word.source} may become an action of find")
        elif text == "-exec":
            in_roots = False
            words = _skip_run(look, words)
        elif text in WITH_TEXT or WITH_FILE.fullmatch(text):
            in_roots = False
            _argument(look, text, words)
        elif text in ALONE:
            in_roots = in_roots and ((len(text) == 2 and text[0] == "-" and text[1] in "HLPEXsx") or text[:2] == "-O")
        else:
            raise NotReadOnlyError(
                f"find {text} is not known to be harmless" if text.startswith("-") else "find is misused"
            )


def _argument(look: Look, name: str, words: list[Word]) -> None:
    if not words:
        raise NotReadOnlyError(f"find {name} lacks its argument")
    if name == "-depth" and not re.fullmatch(r"\d+", words[0].value or ""):
        return
    word = words.pop(0)
    if not word.is_one or word.has_glob:
        raise NotReadOnlyError(f"{word.source} may become several words, and an action of find")
    if WITH_FILE.fullmatch(name) and not name.endswith("t"):
        look.read(word, names_only=True)


def _skip_run(look: Look, words: list[Word]) -> list[Word]:
    """The words behind what ``-exec`` runs, which is judged as a command of its own."""
    end = next((index for index, word in enumerate(words) if word.value in (";", "+")), None)
    if end is None or not look.command.runs:
        raise NotReadOnlyError("it is not known what find runs")
    return words[end + 1 :]

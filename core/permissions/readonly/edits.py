"""The plain file commands: what they write, and whether all of it is known."""

from __future__ import annotations

import re
from pathlib import Path

from core.permissions.readonly import sed
from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look
from core.permissions.readonly.options import is_literal, may_be_option, parse

EDITS: dict[str, Grammar] = {
    "mkdir": Grammar(short="pvm:", long="parents verbose mode:", least=1),
    "touch": Grammar(short="acmhd:r<t:", long="no-create date: reference< time: no-dereference", least=1),
    "rm": Grammar(
        short="firRdvI", long="force recursive dir verbose interactive? one-file-system preserve-root?", least=1
    ),
    "rmdir": Grammar(short="pv", long="parents verbose ignore-fail-on-non-empty", least=1),
    "mv": Grammar(short="finuvT", long="force interactive no-clobber update? verbose no-target-directory", least=2),
    "cp": Grammar(
        short="arRfinuvpPLHdTxs",
        long="archive recursive force interactive no-clobber update? verbose preserve? no-dereference dereference "
        "no-target-directory one-file-system",
        least=2,
    ),
}
SED = Grammar(short=sed.SHORT + "i?", long=sed.LONG + " in-place?", operands="text")


def look_at_edit(look: Look) -> None:
    """Notes what a command that edits files reads and writes; NotReadOnlyError always."""
    name = look.command.name
    if name == "sed":
        parsed = parse(look.words, SED)
        sed.check(look, parsed)
        if parsed.has("-i", "--in-place"):
            suffix = next(iter(parsed.given("-i", "--in-place")), None)
            if suffix is not None and re.search(r"[*/]", suffix.head):
                raise NotReadOnlyError("sed -i keeps a copy elsewhere")
            look.writes += look.reads
            if suffix is not None:
                look.writes += [path.with_name(path.name + suffix.head) for path in look.reads]
            look.is_file_edit = _is_all_known(parsed)
            raise NotReadOnlyError("sed -i changes files")
        return
    parsed = parse(look.words, EDITS[name])
    paths = [look.path(word.value) for word in parsed.operands if word.value and not word.has_glob]
    if name in ("cp", "mv"):
        _note_copies(look, paths)
    else:
        look.writes += paths
        look.reads += [look.path(word.value) for word in parsed.given("-r", "--reference") if word.value]
    look.is_file_edit = _is_all_known(parsed) and bool(paths)
    what = {"mkdir": "makes folders", "touch": "makes files", "cp": "copies files", "mv": "moves files"}
    raise NotReadOnlyError(f"{name} {what.get(name, 'removes files')}")


def _note_copies(look: Look, paths: list[Path]) -> None:
    """What is copied is read; what is moved is written too, and all land in the last or beneath it."""
    if len(paths) < 2:
        return
    *sources, target = paths
    look.reads += sources
    if look.command.name == "mv":
        look.writes += sources
    look.writes.append(target)
    look.writes += [target / source.name for source in sources if source.name]


def look_at_targets(look: Look) -> None:
    """tee: it writes what it is told to, unless that is nowhere."""
    for word in look.words:
        if word.value is not None and not may_be_option(word) and word.value != "/dev/null" and word.is_one:
            look.writes.append(look.path(word.value))


def _is_all_known(parsed: Parsed) -> bool:
    return all(is_literal(word) and not word.has_glob for word in parsed.operands)

"""What is known at one point of a shell line: the folder it is in, and what variables hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.permissions.shell.marks import MAX_VALUES, common_head
from core.permissions.shell.words import Known

MAX_FOLDERS = 8
INITIAL = ("HOME", "IFS", "CDPATH")


@dataclass(frozen=True, slots=True)
class State:
    """What is known; a variable that is not listed may still be what the environment says.

    ``HOME``, ``IFS`` and ``CDPATH`` are listed from the start, ``PWD`` only where the line sets it.
    """

    folders: frozenset[Path] | None = None
    """All that it may be in; None where that is not known."""
    variables: Mapping[str, Known] = field(default_factory=dict[str, Known])

    @property
    def folder(self) -> Path | None:
        """The one folder that it is certainly in."""
        return next(iter(self.folders)) if self.folders is not None and len(self.folders) == 1 else None

    def with_variable(self, name: str, known: Known) -> State:
        """After the variable was set."""
        return replace(self, variables={**self.variables, name: known})

    def without(self, names: Iterable[str]) -> State:
        """After something unknown may have been put into the variables."""
        changed = {name: Known() for name in names if name in self.variables}
        return replace(self, variables={**self.variables, **changed}) if changed else self

    def moved(self, folders: frozenset[Path] | None) -> State:
        """After a change of folder."""
        return replace(self, folders=folders if folders is None or len(folders) <= MAX_FOLDERS else None)

    def of_child(self) -> State:
        """In a shell that this one starts: what is not exported is not there."""
        return State(self.folders, {name: self.variables[name] for name in INITIAL if name in self.variables})

    def forgotten(self) -> State:
        """After something that may have changed anything."""
        return State(None, {name: Known() for name in self.variables})


def first_state(cwd: Path | None, home: Path) -> State:
    """What is known at the beginning: bash does not take ``IFS`` from outside, and is started without ``CDPATH``."""
    variables = {"HOME": Known((str(home),)), "IFS": Known((" \t\n",)), "CDPATH": Known(("",))}
    return State(None if cwd is None else frozenset({cwd}), variables)


@dataclass(frozen=True, slots=True)
class Flow:
    """What is known after a statement that succeeded, and after one that failed; None where it never gets there."""

    ok: State | None
    fail: State | None

    @property
    def any(self) -> State | None:
        """What is known however it ended."""
        return joined(self.ok, self.fail)


def joined(one: State | None, other: State | None) -> State | None:
    """What holds whichever way was taken."""
    if one is None or other is None or one is other:
        return other if one is None else one
    names = [name for name in one.variables if name in other.variables]
    variables = {name: _either(one.variables[name], other.variables[name]) for name in names}
    folders = None if one.folders is None or other.folders is None else one.folders | other.folders
    return State(None, variables).moved(folders)


def gone_to(folders: frozenset[Path] | None, targets: Iterable[str]) -> frozenset[Path] | None:
    """Where ``cd`` leads from each of the folders."""
    if all(target.startswith("/") for target in targets):
        return frozenset(Path(os.path.normpath(target)) for target in targets)
    if folders is None:
        return None
    return frozenset(Path(os.path.normpath(folder / target)) for folder in folders for target in targets)


def _either(one: Known, other: Known) -> Known:
    if one == other:
        return one
    if one.values and other.values:
        values = tuple(dict.fromkeys((*one.values, *other.values)))
        if len(values) <= MAX_VALUES:
            return Known(values)
    return Known(head=common_head([*(one.values or (one.head,)), *(other.values or (other.head,))]))

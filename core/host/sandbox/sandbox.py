"""Which confinement works on this machine, what it covers, and commands that run in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.host.programs import find_program
from core.host.sandbox import bubblewrap
from core.host.sandbox.confinement import Confinement
from core.host.sandbox.guard import Guard
from core.host.sandbox.syscalls import build_filter

Kind = Literal["bubblewrap", "landlock"]
KINDS: tuple[Kind, ...] = ("bubblewrap", "landlock")
"""The better one first."""


@dataclass(frozen=True, slots=True)
class Means:
    """What was found to work, or why nothing does."""

    kind: Kind | None
    problem: str = ""
    """Why the better one, or any, does not work."""
    program: str = ""
    has_own_proc: bool = False


@dataclass(frozen=True, slots=True)
class Confined:
    """A command made ready to run confined."""

    argv: list[str]
    guard: Guard
    descriptors: tuple[int, ...] = ()
    """The command inherits them; ours are to be closed once it has started."""

    def started(self) -> None:
        """The command has its own descriptors by now, or never will."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class Sandbox:
    """Confines commands by the best of the ``allowed`` means that works. Found out once, when first asked for."""

    def __init__(self, allowed: tuple[Kind, ...] = KINDS) -> None:
        self._allowed = allowed
        self._means = Means(None, "it has not been tried yet")
        self._finding: asyncio.Task[Means] | None = None
        self._held: Counter[Path] = Counter()

    async def find(self) -> Kind | None:
        """What works; the first call tries it, in a thread. Until it has returned nothing counts as working."""
        if self._finding is None:
            self._finding = asyncio.create_task(asyncio.to_thread(_find, self._allowed))
        self._means = await asyncio.shield(self._finding)
        return self._means.kind

    @property
    def kind(self) -> Kind | None:
        """What works, as far as it is known."""
        return self._means.kind

    @property
    def unavailable_because(self) -> str:
        """Why commands cannot be confined; empty where they can."""
        return "" if self._means.kind else self._means.problem

    @property
    def guards_places(self) -> bool:
        """Whether places inside a writable folder can be kept read-only."""
        return self._means.kind == "bubblewrap"

    def describe(self) -> str:
        """What works and what it does not cover, in one or two sentences."""
        match self._means.kind:
            case "bubblewrap":
                gaps = (
                    ""
                    if build_filter(only_netlink=False, keeps_metadata=False)
                    else " Sockets of local services "
                    "(Docker, the desktop's bus) stay reachable: this kind of machine is not known to the filter."
                )
                return f"bubblewrap.{gaps}"
            case "landlock":
                return f"Landlock ({self._means.problem}). {_landlock_gaps()}"
            case None:
                return f"none: {self._means.problem}"

    def enter(self, argv: Sequence[str], confinement: Confinement, *, cwd: Path, scratch: Path) -> Confined:
        """The command that runs ``argv`` confined; ``scratch`` it may write. Only where ``kind`` says that it works."""
        means = self._means
        assert means.kind is not None
        guard = Guard(confinement, self._held)
        if means.kind == "landlock":
            from core.host.sandbox import landlock

            return Confined(landlock.confined(argv, confinement, scratch=scratch), guard)
        steps = b"" if confinement.network else build_filter(only_netlink=False, keeps_metadata=False)
        descriptor = _as_file(steps) if steps else None
        words = bubblewrap.confined(
            means.program,
            argv,
            confinement,
            standing=guard.standing,
            scratch=scratch,
            cwd=cwd,
            has_own_proc=means.has_own_proc,
            seccomp=descriptor,
        )
        return Confined(words, guard, (descriptor,) if descriptor is not None else ())


def _as_file(data: bytes) -> int:
    descriptor = os.memfd_create("agent-tui-filter", os.MFD_CLOEXEC)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@cache
def _find(allowed: tuple[Kind, ...]) -> Means:
    """Try the means in their order, once per process."""
    problems: list[str] = []
    for kind in allowed:
        if kind == "bubblewrap":
            program = find_program("bwrap", os.environ)
            if program is None:
                problems.append("bubblewrap is not installed")
                continue
            problem = ""
            for has_own_proc in (True, False):
                problem = bubblewrap.find_problem(program, has_own_proc=has_own_proc)
                if not problem:
                    return Means(kind, program=program, has_own_proc=has_own_proc)
            problems.append(problem)
        else:
            from core.host.sandbox import landlock

            problem = landlock.find_problem()
            if not problem:
                return Means(kind, "; ".join(problems))
            problems.append(problem)
    return Means(None, "; ".join(problems) or "it is switched off")


def _landlock_gaps() -> str:
    from core.host.sandbox import landlock

    return landlock.describe_gaps()

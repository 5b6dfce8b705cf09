"""Confinement by bubblewrap: a mount namespace in which all but the writable folders is read-only.

The command also gets a process namespace of its own, so that ending it ends all that it started, and so that it can
signal nobody else. ``/proc`` of the machine stays visible to a command that only reads (``ps aux``); its process ids
are then not the shell's own ``$$``. What the processes outside hold (environment, memory, root) it cannot open.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.host.sandbox.confinement import Confinement

PROBE_TIMEOUT_S = 5.0

ROOT_CAPABILITIES = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID")
"""What root keeps: its rights over files. None of them reaches past a read-only mount."""


def confined(
    program: str,
    argv: Sequence[str],
    confinement: Confinement,
    *,
    standing: Sequence[Path],
    scratch: Path,
    cwd: Path,
    has_own_proc: bool,
    seccomp: int | None = None,
) -> list[str]:
    """The command that runs ``argv`` confined.

    ``standing`` are protected places that exist; ``scratch`` is writable; ``seccomp`` is a descriptor that the command
    inherits, with a filter to read.
    """
    roots = confinement.roots
    words = [program, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/"]
    if not confinement.network:
        words.append("--unshare-net")
    if seccomp is not None:
        words += ["--seccomp", str(seccomp)]
    for path in roots:
        words += ["--bind", str(path), str(path)]
    words += ["--dev", "/dev"]
    if roots and has_own_proc:
        words += ["--proc", "/proc"]
    words += ["--bind", str(scratch), str(scratch)]
    words += _protections(roots, standing)
    words += ["--cap-drop", "ALL"]
    if os.geteuid() == 0:
        words += [word for name in ROOT_CAPABILITIES for word in ("--cap-add", name)]
    return [*words, "--chdir", str(cwd), "--", *argv]


def _protections(roots: Sequence[Path], standing: Sequence[Path]) -> list[str]:
    """A folder on the way to a protected place becomes a mount too: else it could be renamed, and made anew."""
    parents: dict[Path, None] = {}
    inner: dict[Path, None] = {}
    for path in standing:
        place = path.parent.resolve() / path.name
        root = next((root for root in roots if root != place and place.is_relative_to(root)), None)
        if root is None:
            continue
        inner[place] = None
        between = place.relative_to(root).parts[:-1]
        parents |= {root.joinpath(*between[: n + 1]): None for n in range(len(between))}
    ways = [path for path in parents if not any(path.is_relative_to(place) for place in inner)]
    return [
        *(word for path in ways for word in ("--bind", str(path), str(path))),
        *(word for path in inner for word in ("--ro-bind", str(path), str(path))),
    ]


def find_problem(program: str, *, has_own_proc: bool) -> str:
    """Why it cannot be used here; empty where it can. Really runs it."""
    try:
        scratch = Path(tempfile.mkdtemp(prefix="agent-tui-probe-"))
    except OSError as error:
        return f"there is no room for temporary files ({error})"
    argv = confined(
        program,
        ["true"],
        Confinement(writable=(scratch,)),
        standing=(),
        scratch=scratch,
        cwd=Path("/"),
        has_own_proc=has_own_proc,
    )
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_TIMEOUT_S, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run ({error})"
    finally:
        scratch.rmdir()
    if done.returncode:
        return f"bubblewrap does not work here ({done.stderr.strip() or f'exit {done.returncode}'})"
    return ""

"""Confinement by Landlock, where bubblewrap is not to be had: the kernel refuses writes to all but some folders."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from core.host.sandbox import landlock_exec
from core.host.sandbox.confinement import Confinement
from core.host.sandbox.syscalls import build_filter

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")
BUILD_DEVICES = ("/dev/shm", "/dev/ptmx", "/dev/pts")
"""Shared memory and terminals, for commands that may write at all."""


def confined(argv: Sequence[str], confinement: Confinement, *, scratch: Path) -> list[str]:
    """The command that confines itself and becomes ``argv``."""
    roots = confinement.roots
    steps = b"" if confinement.network else build_filter(only_netlink=True, keeps_metadata=not roots)
    wanted = {
        "abi": landlock_exec.abi(),
        "writable": [str(path) for path in (*roots, scratch)],
        "files": [*DEVICES, *(BUILD_DEVICES if roots else ())],
        "network": confinement.network,
        "filter": steps.hex(),
    }
    return [sys.executable, "-I", "-S", landlock_exec.__file__, json.dumps(wanted), *argv]


def find_problem() -> str:
    """Why it cannot be used here; empty where it can."""
    if sys.platform != "linux":
        return "Landlock is a part of Linux"
    if not landlock_exec.abi():
        return "this kernel has no Landlock, or it is switched off"
    return ""


def describe_gaps() -> str:
    """What this kernel's Landlock does not cover, in one sentence."""
    version = landlock_exec.abi()
    has_filter = bool(build_filter(only_netlink=True, keeps_metadata=True))
    gaps = ["protected places inside the working folder"]
    gaps += [] if has_filter else ["sockets other than TCP", "modes and times of files"]
    gaps += ["modes and times of files outside it"] if has_filter else []
    gaps += [] if version >= 3 else ["emptying a file"]
    gaps += [] if version >= 4 or has_filter else ["the network"]
    gaps += [] if version >= 6 else ["signals to other programs"]
    return (
        f"It does not cover {', '.join(gaps[:-1])} and {gaps[-1]}."
        if len(gaps) > 1
        else f"It does not cover {gaps[0]}."
    )

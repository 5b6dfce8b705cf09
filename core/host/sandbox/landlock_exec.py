"""Run as a program of its own: confine this process by Landlock and a filter, then become the command.

Stands alone (``python -I -S``), so that it starts in milliseconds. Arguments: a JSON object, then the command.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""The same numbers on every architecture."""
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
RULE_PATH_BENEATH = 1

WRITE_FILE, TRUNCATE, IOCTL_DEVICE = 1 << 1, 1 << 14, 1 << 15
MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
"""Folders, files, links, pipes, sockets, devices."""
REFER = 1 << 13
TCP = 1 << 0 | 1 << 1
"""Bind and connect."""
SCOPES = 1 << 0 | 1 << 1
"""Abstract sockets of, and signals to, processes outside."""

CANNOT_CONFINE = 126


class RulesetAttributes(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def abi() -> int:
    """The version of Landlock that the kernel has; 0 where it has none, or has it switched off."""
    found = ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(found, 0)


def rights(version: int) -> int:
    """Everything that changes files, as far as this version knows it."""
    known = WRITE_FILE | MAKE_AND_REMOVE
    return known | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)


def confine(version: int, writable: list[str], files: list[str], *, network: bool, steps: bytes) -> None:
    """For this process and its children, for good. Raises ``OSError``."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    handled = rights(version)
    attributes = RulesetAttributes(
        fs=handled, net=TCP if version >= 4 and not network else 0, scoped=SCOPES if version >= 6 else 0
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = check(libc.syscall(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0)))
    for path in (*writable, *files):
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = handled if os.path.isdir(path) else handled & (WRITE_FILE | TRUNCATE)  # noqa: PTH112
        rule = PathBeneath(allowed=allowed, parent=parent)
        check(libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)))
        os.close(parent)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    check(libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)))
    os.close(ruleset)
    if steps:
        program = FilterProgram(len(steps) // 8, steps)
        check(libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0))


def main(arguments: list[str]) -> None:
    """Confine, then run. Exits with 126 where either fails: the command never runs unconfined."""
    wanted: dict[str, Any] = json.loads(arguments[0])
    try:
        confine(
            wanted["abi"],
            wanted["writable"],
            wanted["files"],
            network=wanted["network"],
            steps=bytes.fromhex(wanted["filter"]),
        )
        os.execvp(arguments[1], arguments[1:])
    except OSError as error:
        sys.stderr.write(f"The command could not be confined: {error}\n")
    sys.exit(CANNOT_CONFINE)


if __name__ == "__main__":
    main(sys.argv[1:])

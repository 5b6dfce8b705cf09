"""A seccomp filter, for what neither mounts nor Landlock see: sockets of this machine, and a file's mode and times.

Sockets of local services (the desktop's bus, Docker, a terminal multiplexer) run commands for whoever reaches them, so
without network there are none. ``socketpair`` and pipes stay. Numbers are those of the kernel's system call tables.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

AF_UNIX, AF_NETLINK, AF_VSOCK = 1, 16, 40
IO_URING_SETUP = 425
"""Would make sockets without the calls that are filtered."""
X32_BIT = 0x40000000

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers of one kind of machine."""

    audit: int
    socket: int
    metadata: tuple[int, ...]
    """chmod, chown, utime and setxattr in all their forms."""


NEW_METADATA = (452, 463, 466, 469)
"""fchmodat2, setxattrat, removexattrat, file_setattr: the same number everywhere."""

ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        41,
        (90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260, 261, 268, 280, *NEW_METADATA),
    ),
    "aarch64": Architecture(0xC00000B7, 198, (5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 88, *NEW_METADATA)),
}


def build_filter(*, only_netlink: bool, keeps_metadata: bool, machine: str = "") -> bytes:
    """The program, or nothing where this kind of machine is not known.

    ``only_netlink`` refuses every other socket, else those of this machine are refused. ``keeps_metadata`` refuses to
    change modes, owners, times and attributes of any file.
    """
    architecture = ARCHITECTURES.get(machine or os.uname().machine)
    if architecture is None:
        return b""
    steps = [(LOAD, 0, 0, ARCHITECTURE_AT), (JUMP_EQUAL, 1, 0, architecture.audit), _refuse(errno.ENOSYS)]
    steps += [(LOAD, 0, 0, NUMBER_AT), (JUMP_AT_LEAST, 0, 1, X32_BIT), _refuse(errno.ENOSYS)]
    steps += _refuse_each((IO_URING_SETUP,), errno.ENOSYS)
    steps += _refuse_each(architecture.metadata if keeps_metadata else (), errno.EPERM)
    steps += [(JUMP_EQUAL, 1, 0, architecture.socket), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, FIRST_ARGUMENT_AT)]
    if only_netlink:
        steps += [(JUMP_EQUAL, 1, 0, AF_NETLINK), _refuse(errno.EACCES)]
    else:
        steps += _refuse_each((AF_UNIX, AF_VSOCK), errno.EACCES)
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


Step = tuple[int, int, int, int]


def _refuse(error: int) -> Step:
    return (RETURN, 0, 0, REFUSE | error)


def _refuse_each(values: Sequence[int], error: int) -> list[Step]:
    return [step for value in values for step in ((JUMP_EQUAL, 0, 1, value), _refuse(error))]

"""What a call would touch, as its tool declares it: the input of every permission decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from core.permissions.readonly.verdict import Judged
from core.permissions.shell.script import Script

Verdict = Literal["pass", "allow", "ask", "deny"]
NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellAccess:
    """A shell line, parsed and judged."""

    script: Script
    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Effects of one call. Paths are absolute and as the call names them; symlinks are resolved when deciding.

    ``verdict`` is the tool's own opinion: ``pass`` has none, ``allow`` needs no one's consent.
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    shell: ShellAccess | None = None
    hosts: tuple[str, ...] = ()
    """Hosts it talks to, as ``core.permissions.hosts`` writes them; a rule names them as ``domain:HOST``."""
    sends: str = ""
    """What leaves the machine by it, in words: reason enough to ask, whatever else it does."""
    name: str = ""
    """What a rule in parentheses names where it is neither path, command nor host: an agent's type, a skill."""
    fields: Mapping[str, Any] = field(default_factory=lambda: NO_FIELDS)
    """The call's input: rules that deny or ask may name a field and its value."""
    is_read_only: bool = False
    asks_user: bool = False
    """Whether it is itself a question to the user."""
    is_held: bool = False
    """Whether the user leaves it to the operating system what it may do: it runs confined."""
    verdict: Verdict = "pass"
    reason: str = ""

    @property
    def command(self) -> str:
        """The shell line as it will run; empty where there is none."""
        return self.shell.script.source if self.shell else ""

    def doubted(self, doubts: tuple[str, ...]) -> Access:
        """The same shell line with further reasons why it cannot be taken for harmless."""
        assert self.shell is not None
        judged = replace(self.shell.judged, doubts=(*self.shell.judged.doubts, *doubts))
        return replace(self, shell=replace(self.shell, judged=judged), is_read_only=False)

    @property
    def subject(self) -> str:
        """What the call is about: the command, the path, the host, the name; empty where it is nothing of that."""
        paths = (*self.writes, *self.reads)
        return self.command or (str(paths[0]) if paths else "") or ", ".join(self.hosts) or self.name

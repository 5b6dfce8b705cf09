"""Which commands run confined, and how: the user's settings applied to one call. What stops them is explained here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.host.sandbox.confinement import READ_ONLY, Confinement
from core.host.sandbox.sandbox import Kind, Sandbox
from core.permissions.access import Verdict
from core.permissions.places import PROTECTED_FILES, PROTECTED_FOLDERS, PROTECTED_PAIRS
from core.tools.shells import Shell

EVERYWHERE = "*"
"""The one entry of ``sandbox.network.allowedDomains`` that can be granted: single hosts would take a proxy."""

OF_GIT = tuple(f".git/{name}" for name in "config config.worktree commondir hooks info modules worktrees".split())
"""What git runs or obeys in a repository. The rest of it is where commits go."""
RESERVED = (".claude", ".agent-tui", ".agents", ".git/hooks", ".git/info", ".git/modules", ".git/worktrees")
"""Folders that steer agents or git as soon as they exist: too late to look afterwards."""

OURS = "agent-tui"

SHELL_SYNTAX = re.compile(r"[;&|<>`$(){}\n\\]")

REFUSED: dict[Kind, re.Pattern[str]] = {
    "bubblewrap": re.compile(r"Read-only file system|EROFS"),
    "landlock": re.compile(r"Permission denied|EACCES|Operation not permitted|EPERM|cross-device link"),
}
OFFLINE = re.compile(
    r"Network is unreachable|Could not resolve|[Nn]ame resolution|Name or service not known|ENETUNREACH|EAI_AGAIN"
    r"|ENOTFOUND|getaddrinfo|[Cc]ould not connect|[Ff]ailed to connect"
)
MASKED = re.compile(r"Device or resource busy|EBUSY")
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRules:
    """The settings of the sandbox, as they hold for a session."""

    is_enabled: bool = False
    """Whether commands that the user consents to are confined too."""
    domains: tuple[str, ...] = ()
    allow_write: tuple[Path, ...] = ()
    excluded: tuple[str, ...] = ()
    """Beginnings of commands that run outside, and are asked about as usual."""
    may_leave: bool = True
    """Whether the model may ask to run a command outside."""
    asks_nothing: bool = False
    """Whether a confined command needs no consent."""
    own_places: tuple[Path, ...] = ()
    """Where this program keeps its own settings and sessions."""

    @property
    def network(self) -> bool:
        """Whether confined commands reach the network, all of it."""
        return EVERYWHERE in self.domains

    def confinement(self, folders: Iterable[Path]) -> Confinement:
        """For a command that may write in ``folders``."""
        roots = tuple(dict.fromkeys(folders))
        places = [root / place for root in roots for place in OF_GIT]
        places += [root / first / second for root in roots for first, second in PROTECTED_PAIRS if second != OURS]
        # Our own would be taken for the command's if they came into being meanwhile.
        places += [path for path in self.own_places if path.is_dir()]
        return Confinement(
            writable=(*roots, *self.allow_write),
            network=self.network,
            protected=tuple(path for path in places if path not in self.allow_write),
            names=PROTECTED_FOLDERS | PROTECTED_FILES,
            reserved=tuple(root / name for root in roots for name in RESERVED if root / name not in self.allow_write),
        )

    def choose(self, command: str, folders: Iterable[Path], *, is_unasked: bool, wants_out: bool) -> Confinement | None:
        """How the command runs, where confining works; None: as it is."""
        if is_unasked:
            return READ_ONLY
        return (
            self.confinement(folders) if self.is_enabled and not wants_out and not self.is_excluded(command) else None
        )

    def is_excluded(self, command: str) -> bool:
        """Whether a plain command, without any shell syntax, begins with the words of an entry."""
        text = command.strip()
        if SHELL_SYNTAX.search(text):
            return False
        prefixes = (entry.removesuffix(":*").removesuffix("*").strip() for entry in self.excluded)
        return any(prefix and (text == prefix or text.startswith(f"{prefix} ")) for prefix in prefixes)

    def opinion(self, *, wants_out: bool) -> tuple[Verdict, str]:
        """What to say of a call where confining works, before the rules are asked; ``pass`` leaves it to them."""
        if wants_out and not self.may_leave:
            return "deny", "commands run confined here, always; leave out dangerouslyDisableSandbox"
        return ("ask", "it asks to run outside the sandbox") if wants_out else ("pass", "")

    def holds(self, command: str, sandbox: Sandbox) -> bool:
        """Whether the user leaves it to the sandbox what the command may do."""
        return self.is_enabled and self.asks_nothing and sandbox.guards_places and not self.is_excluded(command)

    def describe(self, sandbox: Sandbox, root: Path) -> tuple[bool, str]:
        """Whether all is as the settings want it, and what to tell at the start."""
        if sandbox.kind is None:
            return False, f"Commands cannot be confined ({sandbox.unavailable_because}): they are only asked about."
        places = ", ".join(map(str, (root, *self.allow_write)))
        network = "with the network, and so with local services" if self.network else "no network"
        text = (
            f"Commands run confined by {sandbox.describe()} They write only in {places} and a temp folder; {network}."
        )
        if self.domains and not self.network:
            text += " Single domains cannot be allowed: sandbox.network.allowedDomains takes only *."
            return False, text
        return sandbox.guards_places, text


def explain_refusal(shell: Shell, kind: Kind | None, rules: SandboxRules, *, only_reads: bool = False) -> str:
    """A note for the model where a confined command seems to have been stopped by that; empty where it was not.

    ``only_reads``: the agent may do nothing else, so there is no way out to tell of.
    """
    confinement = shell.confinement
    if confinement is None or kind is None:
        return ""
    line = _refused_line(shell, confinement, kind)
    if not line:
        return ""
    if only_reads:
        return (
            "[It ran read-only and offline, as every command of an agent that only reads, and that may have stopped "
            f"it: {line!r}. Do without it, and put into your report what would have to be run.]"
        )
    again = "call it again with dangerouslyDisableSandbox: true, and the user is asked"
    if not confinement.writable:
        return (
            f"[It ran read-only and offline, as what nobody was asked about, and that may have stopped it: {line!r}. "
            f"If it has to write or to reach the network, {again}.]"
        )
    places = ", ".join(map(str, confinement.writable))
    way_out = f"; if it cannot, {again}" if rules.may_leave else "; it cannot be lifted: tell the user what you need"
    network = "" if confinement.network else " and is offline"
    return (
        f"[It ran confined, and that may have stopped it: {line!r}. It may write in {places} and $TMPDIR, but not to "
        f"what other programs obey (.git/hooks, .git/config, .claude, .vscode …){network}. Do without{way_out}.]"
    )


def _refused_line(shell: Shell, confinement: Confinement, kind: Kind) -> str:
    """The line of the output that a refusal speaks from. What other things may say too counts only in a failure."""
    text, has_failed = shell.spool.text(), shell.exit_code not in (0, None)
    signs = [REFUSED[kind]] if has_failed or kind == "bubblewrap" else []
    if has_failed:
        signs += [] if confinement.network else [OFFLINE]
        signs += [MASKED] if confinement.writable else []
    found = next((match for sign in signs if (match := sign.search(text))), None)
    if found is None:
        return ""
    start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - SHOWN_CHARS)
    return text[start : found.end()]


def tell_put_aside(shell: Shell, aside: Path) -> str:
    """A note for the model on protected places that a confined command made; empty where it made none."""
    if not shell.put_aside:
        return ""
    names = ", ".join(map(str, shell.put_aside))
    return (
        f"[Taken away, since other programs obey or execute such files: {names}. What was there is in {aside}. "
        "Make them with Write, which asks the user.]"
    )

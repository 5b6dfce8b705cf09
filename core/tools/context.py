"""What a running call knows: the tool state of its agent, and the session's services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from core.bus.bus import Publisher
from core.host.exact import Stamp
from core.host.host import Host
from core.llm.side import SideRequests
from core.permissions.hiding import Hides, hides_nothing
from core.permissions.judged import JudgedPaths
from core.protocol.views import PermissionMode
from core.tools.asker import Asker
from core.tools.attached import Attached
from core.tools.confining import SandboxRules
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shells import ShellRegistry
from core.tools.task_registry import TaskRegistry
from core.tools.todo_store import TodoStore
from core.tools.web.client import WebClient

MAX_TEXTS = 50
MAX_TEXT_CHARS = 256_000
"""Together at most some 13 MB of plain text; of what is usual, less than one."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it was when the agent last saw or wrote it."""

    digest: str
    """SHA-256 of the bytes."""
    disk: Stamp | None = field(default=None, compare=False)
    """By what it is known on disk for unchanged; None: nobody looks."""
    text: str | None = field(default=None, compare=False, repr=False)
    """What stood in it, to tell what is different later; None where that is not kept, as beyond ``MAX_TEXT_CHARS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolState:
    """What calls change for the calls after them. Immutable: a change makes another."""

    cwd: Path
    seen: Mapping[Path, FileStamp] = field(default_factory=lambda: MappingProxyType({}))
    """Files the agent has read or written, by resolved path; those it saw last come last."""
    attached: Attached = field(default_factory=Attached)
    """The images and documents of the conversation so far."""

    def with_seen(self, path: Path, stamp: FileStamp) -> ToolState:
        """The state in which the file is the one seen last, and known as ``stamp``. The texts of the last ``MAX_TEXTS``
        are kept."""
        seen = {known: old for known, old in self.seen.items() if known != path}
        seen[path] = stamp
        if len(seen) > MAX_TEXTS:
            past = next(islice(reversed(seen), MAX_TEXTS, None))
            if seen[past].text is not None:
                seen[past] = replace(seen[past], text=None)
        return replace(self, seen=MappingProxyType(seen))

    def with_attached(self, attached: Attached) -> ToolState:
        """The state of a conversation with other attachments."""
        return replace(self, attached=attached)

    def with_cwd(self, cwd: Path) -> ToolState:
        """The state in another working directory."""
        return replace(self, cwd=cwd)

    def absolute(self, path: str) -> Path:
        """A path of the model's as an absolute one: ``~`` is the home folder, relative ones are to the cwd."""
        return self.cwd / Path(path).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServices:
    """What all calls of one agent share."""

    host: Host
    root: Path
    """The folder the session was started in."""
    output_dir: Path
    """Where large outputs go; made when first needed."""
    shells: ShellRegistry
    task_registry: TaskRegistry
    """What runs in the background."""
    todos: TodoStore
    plan_file: Path
    """Where the plan of plan mode is kept; made when first written."""
    tasks: SharedTaskStore
    web: WebClient
    side: SideRequests
    """Asks the small model."""
    sandbox: SandboxRules = field(default_factory=SandboxRules)


Report = Callable[[str, int], None]
"""Tells progress: the tail of the output, and how many lines there are in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """One call's surroundings."""

    state: ToolState
    services: ToolServices
    tool_use_id: str
    report: Report
    publisher: Publisher
    """Publishes as the turn that the call is of."""
    mode: PermissionMode = "default"
    is_unasked: bool = False
    """Whether the call was allowed because it only reads: then it has to be held to that."""
    only_reads: bool = False
    """Whether the agent may do nothing but read: whatever it runs has to be held to that, consented to or not."""
    judged: JudgedPaths = field(default_factory=JudgedPaths)
    """Where the paths of the call led when it was judged."""
    hides: Hides = hides_nothing
    """Whether a rule keeps a file from being read, so that nothing of it may be listed either."""
    folders: tuple[Path, ...] = ()
    """Where the agent works."""
    asker: Asker | None = None
    """Asks the user; None where nobody could answer."""

"""What holds now of all that the model is told about: date, branch, mode, instructions, kinds of agents."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from core.host.clock import local_date
from core.host.git import read_branch
from core.memory.book import Changes, InstructionBook
from core.orchestration.call import CallEnvironment
from core.prompt.reminders import Known, user_context
from core.protocol.agent_views import AgentKind
from core.protocol.events import AgentKindsChanged, Notice, NoticeLevel
from core.tools.context import FileStamp, ToolState

AGENT_TOOL = "Task"
MAX_NAMES = 5
"""So many files are named in a notice."""


class AgentBook(Protocol):
    """The kinds of agents there are: kept, and read again when their files change."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with files that are left out."""
        ...

    @property
    def untrusted(self) -> tuple[Path, ...]:
        """Files that are left out because the folder is not trusted."""
        ...

    @property
    def listing(self) -> Mapping[str, str]:
        """What the model is told of each, by name."""
        ...

    def is_stale(self) -> bool:
        """Whether something is no longer as it was read."""
        ...

    def read(self) -> bool:
        """Read what has changed. Blocks."""
        ...

    def kinds(self, tool_names: Collection[str]) -> tuple[AgentKind, ...]:
        """As the window shows them."""
        ...


class Surroundings:
    """Looks at the disk where that is cheap, and reads again what has changed. The user sees what was read.

    ``agents`` None: none can be started from this conversation.
    """

    def __init__(
        self, calls: CallEnvironment, book: InstructionBook, agents: AgentBook | None = None, *, is_main: bool = True
    ) -> None:
        self._calls = calls
        self.is_main = is_main
        """Whether it is the main conversation, which alone is told of its mode and of agents."""
        self.book = book
        self._agents = agents
        self._told_agents = AgentKindsChanged(kinds=())
        self._told_of: Mapping[str, str] | None = None
        """The listing at that time: another object after any change."""
        self._seen: Mapping[Path, FileStamp] = {}
        """What the agent had seen at the last look."""
        self._reading = asyncio.Lock()

    def now(self) -> Known:
        """As it was read last."""
        root = self._calls.services.root
        return Known(
            date=local_date(self._calls.services.host.clock),
            branch=read_branch(root),
            instructions=self.book.current.parts,
            agents=self.agents(),
            mode=self._calls.policies.policy.mode if self.is_main else "default",
            plan_file=str(self._calls.services.plan_file),
        )

    def agents(self) -> Mapping[str, str]:
        """What the model may know of the agents it can start, by name."""
        is_offered = self._calls.tools.get(AGENT_TOOL) is not None
        return self._agents.listing if self._agents is not None and is_offered else {}

    def context(self) -> str:
        """What the first message of a conversation says, as things are now; empty where there is nothing to say."""
        return user_context(self.book.current.text, self.agents())

    async def look(self, state: ToolState) -> Known:
        """As it is, with what goes with the files that were seen since the last look."""
        if state.seen is not self._seen:
            # A stamp of its own each time a file is seen, so one that is read again counts.
            files = [path for path, stamp in state.seen.items() if self._seen.get(path) is not stamp]
            if self.book.current.waiting:
                # To match globs for the first time takes 50 ms.
                await asyncio.to_thread(self.book.open, files)
            else:
                self.book.open(files)
            self._seen = state.seen
        await self.refresh()
        return self.now()

    async def refresh(self) -> None:
        """Read again where a file is no longer what it was."""
        if self.book.is_stale():
            async with self._reading:
                await self._read()
        if self._agents is not None and self._agents.is_stale():
            async with self._reading:
                await asyncio.to_thread(self._agents.read)
        # A call that starts one may have read them just now.
        self.tell_agents()

    def forget(self) -> None:
        """What was seen so far is seen anew, and only then what goes with it holds again."""
        self._seen = {}
        self.book.close_all()

    def tell_found(self) -> None:
        """Show the user what was wrong with the instruction files, and which are left out."""
        found = self.book.current
        for text in found.warnings:
            self._note(text, "warning")
        for paths, reason in (
            (found.excluded, "Left out by claudeMdExcludes"),
            (found.untrusted, "Not read, the folder is not trusted"),
        ):
            if paths:
                self._note(f"{reason}: {listed(list(self._names(paths)))}")

    def tell_agents(self) -> None:
        """Show the user which kinds of agents there are, where they are others than before, and what is wrong."""
        if self._agents is None:
            return
        before, problems = self._told_agents, self._agents.problems
        if self._agents.listing is self._told_of and problems == before.problems:
            return
        self._told_of = self._agents.listing
        kinds = self._agents.kinds(self._calls.tools.names)
        self._told_agents = now = AgentKindsChanged(kinds=kinds, problems=problems)
        if now == before:
            return
        self._calls.publisher.emit(now)
        for text in problems:
            if text not in before.problems:
                self._note(text, "warning")
        if not before.kinds:
            if left_out := self._agents.untrusted:
                self._note(f"Not read, the folder is not trusted: {listed(list(self._names(left_out)))}")
            return
        old, new = ({kind.name: kind for kind in event.kinds} for event in (before, now))
        changed = [name if name in old else f"{name} (new)" for name in new if old.get(name) != new[name]]
        changed += [f"{name} (no longer there)" for name in old if name not in new]
        if changed:
            self._note(f"Agents changed: {listed(changed)}")

    async def _read(self) -> None:
        changes = await asyncio.to_thread(self.book.read)
        self._tell(changes)

    def _tell(self, changes: Changes) -> None:
        changed = [
            *self._names(changes.changed),
            *self._names(changes.new, " (new)"),
            *self._names(changes.gone, " (no longer in force)"),
        ]
        if changed:
            self._note(f"Instructions changed: {listed(changed)}")
        if changes.near:
            self._note(f"Instructions read: {listed(list(self._names(changes.near)))}")
        for text in changes.warnings:
            self._note(text, "warning")

    def _names(self, paths: Iterable[Path], remark: str = "") -> Iterable[str]:
        for path in paths:
            yield short_name(path, self._calls.services.root) + remark

    def _note(self, text: str, level: NoticeLevel = "info") -> None:
        self._calls.publisher.emit(Notice(level=level, text=text))


def short_name(path: Path, root: Path) -> str:
    """The path as people see it: relative to the root where it is inside."""
    return os.path.relpath(path, root) if path.is_relative_to(root) else str(path)


def listed(names: list[str]) -> str:
    """The first few of some names, in one line."""
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")

"""What the first prompt needs and nobody should wait for: git, instruction files, agents' files."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass

from core.agents.places import Places as AgentPlaces
from core.engine.launch import Launch
from core.host.clock import local_date
from core.host.git import find_repo_root, read_snapshot
from core.host.host import Host
from core.memory.book import InstructionBook
from core.memory.instructions import Instructions, Places
from core.prompt.sections import Environment, SystemPrompt, build_system_prompt
from core.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready for the first request."""

    system: SystemPrompt
    instructions: Instructions
    branch: str
    is_repository: bool


async def prepare(
    launch: Launch, settings: Settings, host: Host, book: InstructionBook, read_agents: Callable[[], object]
) -> Prepared:
    """Gather everything at once; the instructions go into the book."""
    git, _changes, _agents = await asyncio.gather(
        read_snapshot(host.processes, launch.cwd, is_trusted=launch.is_trusted),
        asyncio.to_thread(book.read),
        asyncio.to_thread(read_agents),
    )
    environment = Environment(
        cwd=str(launch.cwd),
        is_repo=find_repo_root(launch.cwd) is not None,
        platform=platform.system().lower(),
        os=f"{platform.system()} {platform.release()}",
        date=local_date(host.clock),
        model=settings.model,
        git=git,
    )
    system = build_system_prompt(environment, custom=settings.system_prompt, append=settings.append_system_prompt)
    return Prepared(system, book.current, git.branch if git else "", environment.is_repo)


def instruction_places(launch: Launch, settings: Settings) -> Places | None:
    """Where instruction files are looked for; None where they are not wanted."""
    if not settings.instructions:
        return None
    return Places(
        cwd=launch.cwd,
        user_config=launch.paths.config,
        home=launch.paths.home,
        managed=launch.paths.managed,
        excludes=settings.instruction_excludes,
        # A run without a window is given its folder on purpose: its instructions count; its settings only with trust.
        is_trusted=launch.is_trusted or not launch.is_attended,
    )


def agent_places(launch: Launch) -> AgentPlaces:
    """Where agents' files are looked for. A project's may carry permissions: they count only with trust."""
    return AgentPlaces(
        cwd=launch.cwd,
        user_config=launch.paths.config,
        home=launch.paths.home,
        managed=launch.paths.managed,
        is_trusted=launch.is_trusted,
    )

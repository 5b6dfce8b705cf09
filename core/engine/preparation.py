"""What the first prompt needs and nobody should wait for: git, instruction files, the model's capabilities."""

from __future__ import annotations

import asyncio
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from core.engine.launch import Launch
from core.host.clock import local_date
from core.host.git import find_repo_root, read_snapshot
from core.host.host import Host
from core.memory.instructions import Instructions, read_instructions
from core.prompt.sections import Environment, SystemPrompt, build_system_prompt
from core.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready for the first request."""

    system: SystemPrompt
    instructions: Instructions
    branch: str
    is_repository: bool


async def prepare(launch: Launch, settings: Settings, host: Host) -> Prepared:
    """Gather everything at once."""
    git, instructions = await asyncio.gather(
        read_snapshot(host.processes, launch.cwd, is_trusted=launch.is_trusted),
        asyncio.to_thread(load_instructions, launch, settings),
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
    return Prepared(system, instructions, git.branch if git else "", environment.is_repo)


def load_instructions(launch: Launch, settings: Settings) -> Instructions:
    """The instruction files as they are now."""
    if not settings.instructions:
        return Instructions()
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  Path.home() raises where there is no home
    # A run without a window is given its folder on purpose: its instructions count, its settings only where trusted.
    is_trusted = launch.is_trusted or not launch.is_attended
    return read_instructions(launch.cwd, launch.paths.config, home, is_trusted=is_trusted)

"""Where agent-tui keeps its files. Nothing is created here."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_FOLDER_NAME = 200
PROMPT_HISTORY = "history.jsonl"
"""The prompts of a project, in the folder of its sessions; no transcript, though it is named like one."""

MANAGED = (Path("/etc/claude-code"), Path("/etc/agent-tui"))
"""Where whoever runs the machine says what holds for everybody on it."""


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111  Path.home() raises where there is no home


@dataclass(frozen=True, slots=True)
class Paths:
    """Root folders; ``AGENT_TUI_HOME`` puts them all under one."""

    config: Path
    data: Path
    log: Path
    home: Path = field(default_factory=_home)
    managed: tuple[Path, ...] = field(default_factory=lambda: MANAGED)

    @property
    def user_settings(self) -> Path:
        """The user's settings file."""
        return self.config / "settings.json"

    @property
    def trusted_folders(self) -> Path:
        """Which folders the user trusts."""
        return self.data / "trust.json"

    @property
    def consents(self) -> Path:
        """What the user has said yes to once and for all."""
        return self.data / "consents.json"

    def project(self, cwd: Path) -> Path:
        """Folder of the sessions that were started in ``cwd``."""
        name = re.sub(r"[^A-Za-z0-9]", "-", str(cwd))
        if len(name) > MAX_FOLDER_NAME:
            digest = hashlib.sha256(str(cwd).encode("utf-8", "surrogateescape")).hexdigest()[:12]
            name = f"{name[:MAX_FOLDER_NAME]}-{digest}"
        return self.data / "projects" / name


def find_paths(environ: Mapping[str, str]) -> Paths:
    """The folders of this user on this platform."""
    home = environ.get("AGENT_TUI_HOME")
    if home:
        root = Path(home).expanduser()
        return Paths(root / "config", root / "data", root / "log" / "agent-tui.log")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("agent-tui", appauthor=False)
    return Paths(dirs.user_config_path, dirs.user_data_path, dirs.user_log_path / "agent-tui.log")

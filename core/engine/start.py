"""From command line and files to what a session is built with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.engine.launch import Launch
from core.host.log import start_log
from core.protocol.errors import AgentError
from core.settings.credentials import credential_source
from core.settings.load import load_settings
from core.settings.paths import find_paths
from core.settings.schema import Settings
from core.settings.trust import is_broad, is_trusted, trust


@dataclass(slots=True)
class Start:
    """A session that could begin, and what is still missing."""

    settings: Settings
    launch: Launch
    credentials: str
    """Where they come from; empty where there are none."""

    @property
    def needs_credentials(self) -> bool:
        """Whether nothing can be sent yet."""
        return not (self.credentials or self.launch.is_demo or self.launch.api_key)

    @property
    def is_broad(self) -> bool:
        """Whether the folder holds so much that trust in it is for this session only."""
        return is_broad(self.launch.cwd)

    def with_trust(self, is_trusted: bool) -> None:
        """Take the user's answer, and remember a yes. Raises ``AgentError`` where it cannot be remembered."""
        self.launch = replace(self.launch, is_trusted=is_trusted)
        if is_trusted:
            try:
                trust(self.launch.paths.trusted_folders, self.launch.cwd)
            except OSError as error:
                raise AgentError(f"The answer cannot be remembered: {error.strerror or error}.") from error

    def with_key(self, key: str) -> None:
        """Use a key that was typed in, for this run only."""
        self.launch = replace(self.launch, api_key=key.strip())

    def with_server(self, base_url: str) -> None:
        """Use another server."""
        self.settings = replace(self.settings, base_url=base_url)
        self.credentials = credential_source(os.environ, base_url)

    def with_demo(self) -> None:
        """Use the scripted model."""
        self.launch = replace(self.launch, is_demo=True)


def read_start(flags: Mapping[str, Any], selection: Mapping[str, Any], *, is_attended: bool) -> Start:
    """Read everything. ``flags`` are settings by field, ``selection`` fields of ``Launch``.

    Raises ``AgentError`` where the working directory is gone.
    """
    try:
        cwd = Path.cwd()
    except OSError as error:
        raise AgentError("The working directory no longer exists.", "Change to another folder.") from error
    paths = find_paths(os.environ)
    start_log(paths.log, os.environ.get("AGENT_TUI_LOG_LEVEL", "INFO"))
    settings, problems = load_settings(paths.user_settings, os.environ, flags)
    launch = Launch(
        cwd=cwd,
        paths=paths,
        is_attended=is_attended,
        is_trusted=not is_attended or is_trusted(paths.trusted_folders, cwd),
        problems=tuple(problems),
        **selection,
    )
    return Start(settings, launch, credential_source(os.environ, settings.base_url))

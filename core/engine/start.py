"""From command line and files to what a session is built with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.engine.launch import Launch
from core.host.log import start_log
from core.permissions.modes import check_mode
from core.protocol.errors import AgentError
from core.settings.consents import BYPASS, accept, has_accepted
from core.settings.credentials import credential_source
from core.settings.load import SettingsSource, load_settings
from core.settings.paths import find_paths
from core.settings.schema import Settings
from core.settings.trust import is_broad, is_trusted, trust
from core.settings.untrusted import untrusted_settings


@dataclass(slots=True)
class Start:
    """A session that could begin, and what is still missing."""

    settings: Settings
    launch: Launch
    credentials: str
    """Where they come from; empty where there are none."""
    untrusted: tuple[str, ...] = ()
    """What the folder's own settings and agents would bring, a line for each; empty where they count."""
    accepts_bypass: bool = False
    """Whether the user has just said yes to a session that asks nothing."""

    @property
    def needs_credentials(self) -> bool:
        """Whether nothing can be sent yet."""
        return not (self.credentials or self.launch.is_demo or self.launch.api_key)

    @property
    def needs_bypass(self) -> bool:
        """Whether the session would begin to ask nothing, and the user has not yet said that they want that."""
        return self.launch.is_attended and self.settings.mode == BYPASS and self.is_bypass_new

    @property
    def is_bypass_new(self) -> bool:
        """Whether the mode that asks nothing may be used here, and the user has never said yes to it."""
        try:
            check_mode(BYPASS, os.environ)
        except AgentError:
            return False  # the engine says why
        return not (self.accepts_bypass or has_accepted(self.launch.paths.consents, BYPASS))

    def with_bypass(self, is_accepted: bool) -> None:
        """Take the user's answer; a no starts in the usual mode. Raises ``AgentError`` where a yes holds only now."""
        self.accepts_bypass = is_accepted
        if not is_accepted:
            self.settings = replace(self.settings, mode="default")
            return
        try:
            accept(self.launch.paths.consents, BYPASS)
        except OSError as error:
            raise AgentError(f"The answer cannot be remembered: {error.strerror or error}.") from error

    @property
    def is_broad(self) -> bool:
        """Whether the folder holds so much that trust in it is for this session only."""
        return is_broad(self.launch.cwd)

    def with_trust(self, is_trusted: bool) -> None:
        """Take the user's answer, and remember a yes: then the folder's own settings count.

        Raises ``AgentError`` where it cannot be remembered.
        """
        self.launch = replace(self.launch, is_trusted=is_trusted)
        if is_trusted:
            self._load_again()
            try:
                trust(self.launch.paths.trusted_folders, self.launch.cwd)
            except OSError as error:
                raise AgentError(f"The answer cannot be remembered: {error.strerror or error}.") from error

    def _load_again(self) -> None:
        assert self.launch.loaded is not None
        before, base_url = self.launch.loaded, self.settings.base_url
        loaded = load_settings(before.source, is_trusted=True)
        self.settings = replace(loaded.settings, base_url=base_url)
        news = tuple(problem for problem in loaded.problems if problem not in before.problems)
        self.launch = replace(self.launch, loaded=loaded, problems=(*self.launch.problems, *news))
        self.untrusted = ()

    def with_key(self, key: str) -> None:
        """Use a key that was typed in, for this run only."""
        self.launch = replace(self.launch, api_key=key.strip())

    def with_server(self, base_url: str) -> None:
        """Use another server."""
        self.settings = replace(self.settings, base_url=base_url)
        self.credentials = _credentials(self.settings)

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
    source = SettingsSource(paths=paths, cwd=cwd, environ=os.environ, flags=flags)
    trusted = is_trusted(paths.trusted_folders, cwd)
    loaded = load_settings(source, is_trusted=trusted)
    launch = Launch(
        cwd=cwd,
        paths=paths,
        is_attended=is_attended,
        is_trusted=trusted,
        problems=loaded.problems,
        loaded=loaded,
        **selection,
    )
    untrusted = () if trusted else (*untrusted_settings(paths, cwd), *_untrusted_agents(launch))
    return Start(loaded.settings, launch, _credentials(loaded.settings), untrusted)


def _untrusted_agents(launch: Launch) -> tuple[str, ...]:
    # Not loaded before the first paint where the folder is trusted.
    from core.agents.places import Places, untrusted_agents

    paths = launch.paths
    return untrusted_agents(Places(cwd=launch.cwd, user_config=paths.config, home=paths.home, managed=paths.managed))


def _credentials(settings: Settings) -> str:
    """Where those of the main model come from; empty where there are none."""
    if not settings.routing:
        return credential_source(os.environ, settings.base_url)
    # Not loaded before the first paint where there is nothing to look up.
    from core.llm.routes import route, usable_routes

    main = route("main", usable_routes(settings, os.environ)[0])
    return main.api_key_env or credential_source(os.environ, main.base_url)

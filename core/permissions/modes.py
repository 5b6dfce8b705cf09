"""The permission modes: their order, their names, and when bypassing is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.protocol.errors import AgentError
from core.protocol.views import PermissionMode

DEFAULT: PermissionMode = "default"


def check_mode(mode: PermissionMode, environ: Mapping[str, str], *, is_bypass_disabled: bool = False) -> None:
    """Raises ``AgentError`` where the mode may not be used: bypassing as root outside a sandbox, or where disabled."""
    if mode == "bypassPermissions" and is_bypass_disabled:
        raise AgentError(
            "Permissions cannot be bypassed: the settings disable it.",
            "agent-tui config explain permissions.disableBypassPermissionsMode says where.",
        )
    if mode == "bypassPermissions" and os.geteuid() == 0 and environ.get("IS_SANDBOX") != "1":
        raise AgentError(
            "Permissions cannot be bypassed as root.",
            "Run as another user, or set IS_SANDBOX=1 if this machine is a sandbox that may be lost.",
        )

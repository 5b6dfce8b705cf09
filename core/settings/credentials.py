"""Finds out, without loading the SDK, whether the SDK will find credentials. Values are never read out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

ENV_SOURCES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")
API_DOMAIN = "anthropic.com"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def credential_source(environ: Mapping[str, str], base_url: str) -> str:
    """Where the credentials come from, in the SDK's order; empty where there are none.

    A server on this machine needs none, which is a source too.
    """
    for name in ENV_SOURCES:
        if environ.get(name):
            return name
    if environ.get("ANTHROPIC_FEDERATION_RULE_ID") and (
        environ.get("ANTHROPIC_IDENTITY_TOKEN") or environ.get("ANTHROPIC_IDENTITY_TOKEN_FILE")
    ):
        return "ANTHROPIC_IDENTITY_TOKEN"
    if _active_profile(environ):
        return "the active profile"
    return "a local server" if is_local(base_url) else ""


def is_local(base_url: str) -> bool:
    """Whether the address is on this machine."""
    try:
        return urlsplit(base_url).hostname in LOOPBACK
    except ValueError:
        return False


def is_official(base_url: str) -> bool:
    """Whether the address is the API itself; an empty one is."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return not base_url or host == API_DOMAIN or host.endswith(f".{API_DOMAIN}")


def _active_profile(environ: Mapping[str, str]) -> str:
    folder = Path(environ.get("ANTHROPIC_CONFIG_DIR") or Path.home() / ".config" / "anthropic")
    try:
        name = (folder / "active_config").read_text("utf-8").strip() or "default"
    except (OSError, UnicodeDecodeError):
        name = "default"
    return name if os.path.isfile(folder / "configs" / f"{name}.json") else ""  # noqa: PTH113

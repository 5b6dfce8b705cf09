"""What several unit tests begin with."""

from __future__ import annotations

import pytest

from core.host.sandbox.sandbox import Kind, Sandbox


@pytest.fixture(params=["bubblewrap", "landlock"])
async def kind(request: pytest.FixtureRequest) -> Kind:
    """Each means of confining that works on this machine."""
    kind: Kind = request.param
    sandbox = Sandbox((kind,))
    if await sandbox.find() is None:
        pytest.skip(sandbox.unavailable_because)
    return kind

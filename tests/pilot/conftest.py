"""Windows for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.windows import Opener


@pytest.fixture
def opener(tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """``async with opener(script) as window``."""
    return Opener(monkeypatch, tmp_path, isolated_machine)

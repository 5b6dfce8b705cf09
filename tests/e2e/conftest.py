"""A machine and a server for each test of this folder; whatever was started is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.children import Machine, Server


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("server"))
    yield found
    found.stop()


@pytest.fixture
def machine(tmp_path: Path, isolated_machine: Path) -> Iterator[Machine]:
    found = Machine(tmp_path, isolated_machine)
    yield found
    found.close()

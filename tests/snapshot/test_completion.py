"""How the menu above the composer and shell mode look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.protocol import events as ev
from core.protocol.views import FileListing
from tests.snapshot.scenes import SCENES
from tests.snapshot.stage import StageApp, started
from tui.widgets.composer.editor import Composer
from tui.widgets.composer.file_source import FileSource

Compare = Callable[..., bool]

LISTING = FileListing(
    paths=("src/", "src/widgets/", "docs/", "README.md", "src/parser.py", "src/widgets/picker.py", "docs/parsing.md"),
    count=4,
)


class NoDisk:
    """A folder that is only told of."""

    def list_files(self) -> FileListing:
        return LISTING

    async def list_folder(self, path: str) -> list[str]:
        return []


@pytest.fixture(autouse=True)
def adas_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


def typing(*keys: str) -> Callable[[Any], Any]:
    async def run(pilot: Any) -> None:
        composer = pilot.app.screen.query_one(Composer)
        composer.completer.add_source(FileSource(NoDisk()))
        await pilot.press(*keys)
        while keys[0] == "at" and composer.completer.menu is None:
            await pilot.pause()
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_commands(theme: str, snap_compare: Compare) -> None:
    assert snap_compare(SCENES["welcome"](theme), terminal_size=(80, 24), run_before=typing("slash", "down"))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 18)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_files(size: tuple[int, int], snap_compare: Compare) -> None:
    assert snap_compare(SCENES["answered"]("dark"), terminal_size=size, run_before=typing("at", "p", "a", "r"))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_shell_mode(theme: str, snap_compare: Compare) -> None:
    events = [
        *started(),
        ev.ShellStarted(shell_id="s1", command="git status --short"),
        ev.ShellFinished(shell_id="s1", command="git status --short", output=" M src/parser.py", exit_code=0),
        ev.ShellStarted(shell_id="s2", command="make test"),
        ev.ShellFinished(shell_id="s2", command="make test", output="no rule\n[Exit code 2.]", exit_code=2),
    ]
    keys = typing("exclamation_mark", "l", "s")
    assert snap_compare(StageApp(theme, events), terminal_size=(80, 24), run_before=keys)

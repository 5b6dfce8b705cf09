"""Which editor is taken, and that it gets its arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.host.external_editor import EditorError, edit_file, edit_text, find_editor


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with two editors that write down how they were called."""
    for name in ("ed-one", "vi"):
        path = tmp_path / name
        path.write_text('#!/bin/sh\nfor last; do :; done\nprintf "%s" "$1" >> "$last"\n')
        path.chmod(0o755)
    return tmp_path


def test_visual_before_editor_before_what_is_there(tools: Path) -> None:
    path = {"PATH": str(tools)}
    assert find_editor({**path, "VISUAL": "ed-one -w", "EDITOR": "vi"}) == ["ed-one", "-w"]
    assert find_editor({**path, "VISUAL": " ", "EDITOR": "vi"}) == ["vi"]
    assert find_editor(path) == ["vi"]


@pytest.mark.parametrize("environ", [{"PATH": "/nowhere"}, {"EDITOR": "'open"}, {"EDITOR": "no-such-editor-anywhere"}])
def test_what_cannot_be_used_is_told(environ: dict[str, str]) -> None:
    with pytest.raises(EditorError):
        find_editor(environ)


def test_the_file_is_the_last_argument_and_its_text_comes_back(tools: Path) -> None:
    environ = {"PATH": f"{tools}:/bin:/usr/bin", "VISUAL": "ed-one --wait"}
    assert edit_text("schön\n", environ) == "schön\n--wait"


def test_a_file_is_edited_in_place(tools: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text("a plan\n")
    environ = {"PATH": f"{tools}:/bin:/usr/bin", "VISUAL": "ed-one --wait"}
    assert edit_file(path, environ) == "a plan\n--wait" == path.read_text()
    with pytest.raises(EditorError, match="exit code"):
        edit_file(tmp_path / "nowhere" / "plan.md", environ)

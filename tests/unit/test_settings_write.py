"""One setting is written; all else in the user's file stays, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.protocol.errors import AgentError
from core.settings.write import write_setting


def test_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"x-mine": {"ä": [1, null]}, "theme": "dark", "model": "m"}')
    file.chmod(0o600)
    write_setting(file, "theme", "paper")
    assert list(json.loads(file.read_text()).items()) == [
        ("x-mine", {"ä": [1, None]}),
        ("theme", "paper"),
        ("model", "m"),
    ]
    assert "ä" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_file_is_made_where_there_is_none(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "new" / "settings.json"
    if text is not None:
        file.parent.mkdir()
        file.write_text(text)
    write_setting(file, "theme", "light")
    assert json.loads(file.read_text()) == {"theme": "light"}


@pytest.mark.parametrize("text", ['{"theme": ', "[1]", '"x"', "\udcff"])
def test_what_cannot_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(AgentError, match="not saved"):
        write_setting(file, "theme", "light")
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")
    with pytest.raises(AgentError, match="not saved"):
        write_setting(tmp_path / "config" / "settings.json", "theme", "light")

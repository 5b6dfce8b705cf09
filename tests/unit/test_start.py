"""What a session could begin with: whose credentials the main model needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.engine.start import read_start

LOCAL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("entry", "environ", "source"),
    [
        (None, {}, ""),
        ({"model": "qwen", "baseUrl": LOCAL}, {}, "a local server"),
        ({"model": "m", "baseUrl": "https://models.example.com", "apiKeyEnv": "OTHER"}, {"OTHER": "k"}, "OTHER"),
        ({"model": "m", "baseUrl": "https://models.example.com", "apiKeyEnv": "OTHER"}, {}, ""),
        ("claude-opus-5-5", {"ANTHROPIC_API_KEY": "k"}, "ANTHROPIC_API_KEY"),
    ],
)
def test_the_main_models_route_says_which_credentials_it_takes(
    isolated_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: Any, environ: dict[str, str],
    source: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings = json.dumps({"routing": {"main": entry}} if entry else {})
    start = read_start({"settings": settings}, {}, is_attended=True)
    assert (start.credentials, start.needs_credentials) == (source, not source)


def test_agents_of_a_folder_are_named_before_it_is_trusted(
    isolated_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".claude/agents/deep/a.md", ".claude/agents/b.md", "agents/c.md"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\nname: x\n")
    (tmp_path / "agents" / "notes.md").write_text("Notes.")
    untrusted = read_start({}, {}, is_attended=True).untrusted
    assert untrusted == (".claude/agents: 1 agent", ".claude/agents/deep: 1 agent", "agents: 1 agent")

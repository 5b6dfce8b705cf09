"""Where the engine's own programs are found: not where the repository could have planted them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.host import file_index
from core.host.file_index import list_files
from core.host.git import read_snapshot
from core.host.process import ProcessHost
from core.host.programs import find_program, safe_path
from tests.unit.test_host_files import git

ENTRIES = st.lists(
    st.sampled_from(["", ".", "bin", "../x", "/usr/bin", "/w", "/w/bin", "/w/./bin/", "/w/../w/x", "/other", "~/bin"])
)


def plant(folder: Path, name: str) -> Path:
    """A program that leaves a trace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    (folder / name).chmod(0o755)
    return folder / "ran"


@given(ENTRIES)
def test_only_absolute_entries_outside_the_folder_are_left_in_their_order(entries: list[str]) -> None:
    kept = safe_path({"PATH": os.pathsep.join(entries)}, [Path("/w")]).split(os.pathsep)
    assert all(entry.startswith("/") and not os.path.normpath(entry).startswith("/w") for entry in kept)
    wanted = [entry for entry in entries if entry in kept]
    assert kept == (list(dict.fromkeys(wanted)) or os.defpath.split(os.pathsep))


def test_the_systems_programs_are_found_wherever_one_works() -> None:
    for folder in ("/", "/usr", "/usr/bin"):
        assert "/usr/bin" in safe_path({"PATH": "/usr/bin:/bin"}, [Path(folder)]).split(":")


def test_an_entry_that_leads_into_the_folder_by_a_link_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "work" / "bin").mkdir(parents=True)
    (tmp_path / "door").symlink_to("work/bin")
    assert str(tmp_path) not in safe_path({"PATH": f"{tmp_path}/door:/bin"}, [tmp_path / "work"])


def test_no_path_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "tool")
    monkeypatch.chdir(tmp_path)
    for path in ("", ".", str(tmp_path), "::"):
        assert find_program("tool", {"PATH": path}) is None
    assert safe_path({"PATH": ""}, [tmp_path]) == os.defpath


@pytest.mark.parametrize("way", [".", "", "bin", "absolute"])
async def test_a_planted_git_or_ripgrep_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Neither for the state of the repository nor for the list of files."""
    git(tmp_path, "init", "-q")
    folder = tmp_path / "bin" if way in ("bin", "absolute") else tmp_path
    traces = [plant(folder, name) for name in ("git", "rg")]
    monkeypatch.setenv("PATH", os.pathsep.join((str(folder) if way == "absolute" else way, os.environ["PATH"])))
    monkeypatch.chdir(tmp_path)
    assert await read_snapshot(ProcessHost(), tmp_path) is not None
    assert "bin/git" in list(_listed(tmp_path)) or "git" in list(_listed(tmp_path))
    assert not any(trace.exists() for trace in traces)


def _listed(root: Path) -> Iterable[str]:
    import threading

    return list_files(root, lambda _root, _stop: (), threading.Event())


async def test_programs_that_a_repository_names_are_not_run_before_it_is_trusted(tmp_path: Path) -> None:
    """Filters, a monitor, a pager and a checker of signatures: none runs for the engine's own look at it."""
    trace = plant(tmp_path / "evil", "tool")
    tool = str(tmp_path / "evil" / "tool")
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("one\n")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "one")
    (tmp_path / ".gitattributes").write_text("* filter=f diff=d\n")
    (tmp_path / "a.txt").write_text("two\n")
    for key in (
        "core.fsmonitor", "core.pager", "filter.f.clean", "filter.f.process", "diff.d.textconv", "diff.d.command",
        "diff.external", "gpg.program", "core.sshCommand", "core.askPass", "alias.status", "alias.log",
    ):  # fmt: skip
        git(tmp_path, "config", key, f"!{tool}" if key.startswith("alias") else tool)
    git(tmp_path, "config", "log.showSignature", "true")
    git(tmp_path, "config", "user.email", '";touch evil/ran;"')
    snapshot = await read_snapshot(ProcessHost(), tmp_path, is_trusted=False)
    assert snapshot is not None
    assert "not trusted" in snapshot.status and snapshot.recent_commits.endswith("one")
    assert "a.txt" in list(_listed(tmp_path))
    assert not trace.exists()
    assert file_index.find_program("git", os.environ, (tmp_path,)) is not None

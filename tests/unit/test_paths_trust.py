"""Trust: in which folders it holds, and that nothing of the repository can lend it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from core.settings.trust import is_broad, is_trusted, trust


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "people" / "u"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data" / "trust.json"


def repository(folder: Path) -> Path:
    (folder / ".git").mkdir(parents=True)
    return folder


def test_a_trusted_parent_does_not_vouch_for_a_repository_in_it(home: Path, store: Path) -> None:
    parent = home / "code"
    trust(store, parent)
    assert is_trusted(store, parent / "plain")
    nested = repository(parent / "cloned")
    assert not is_trusted(store, nested)
    assert not is_trusted(store, nested / "src")
    trust(store, nested)
    assert is_trusted(store, nested / "src")


def test_a_trusted_repository_vouches_for_its_own_folders_only(home: Path, store: Path) -> None:
    outer = repository(home / "outer")
    trust(store, outer)
    assert is_trusted(store, outer / "src" / "deep")
    assert not is_trusted(store, repository(outer / "vendor" / "sub"))
    assert not is_trusted(store, home / "other")


@pytest.mark.parametrize("way", ["submodule", "worktree"])
def test_a_git_file_that_points_into_a_trusted_repository_lends_no_trust(home: Path, store: Path, way: str) -> None:
    trusted = repository(home / "trusted")
    trust(store, trusted)
    evil = (trusted if way == "submodule" else home) / "evil"
    evil.mkdir()
    (evil / ".git").write_text(f"gitdir: {trusted}/.git\n")
    (evil / "commondir").write_text(f"{trusted}/.git\n")
    assert not is_trusted(store, evil)
    assert not is_trusted(store, evil / "src")


def test_a_real_linked_worktree_is_asked_about_by_itself(home: Path, store: Path) -> None:
    main, linked = home / "main", home / "linked"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q", str(main)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], cwd=main, check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(linked)], cwd=main, check=True)
    trust(store, main)
    assert not is_trusted(store, linked)


def test_a_link_is_trusted_as_what_it_leads_to(home: Path, store: Path) -> None:
    (home / "mine").mkdir()
    (home / "theirs").mkdir()
    (home / "door").symlink_to("mine")
    trust(store, home / "door")
    assert is_trusted(store, home / "mine")
    (home / "door").unlink()
    (home / "door").symlink_to("theirs")
    assert not is_trusted(store, home / "door")


@pytest.mark.parametrize("name", ["/", "/tmp", "/home", "/usr", "/var/tmp", "~", "~/.."])
def test_a_broad_folder_is_trusted_for_this_session_only(home: Path, store: Path, name: str) -> None:
    folder = Path(name).expanduser()
    assert is_broad(folder)
    trust(store, folder)
    assert not store.exists()
    assert not is_trusted(store, folder)


def test_trust_in_a_broad_folder_from_elsewhere_does_not_count(home: Path, store: Path) -> None:
    store.parent.mkdir()
    store.write_text(f'{{"folders": ["/", "{home}", "{tempfile.gettempdir()}"]}}')
    assert not is_trusted(store, home)
    assert not is_trusted(store, home / "project")


@pytest.mark.parametrize("name", ["~/project", "/usr/src/app", "/workspace", "/home/u/x", "/tmp/project"])
def test_a_single_project_is_not_broad(home: Path, name: str) -> None:
    assert not is_broad(Path(name).expanduser())

"""Protected and secret places that names alone do not tell: repositories, programs, second names, own folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.permissions.paths import holds_secrets, is_inside, is_protected, resolve, why_protected, why_secret
from core.permissions.places import folded


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def bare_repository(folder: Path) -> Path:
    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


@pytest.mark.parametrize("name", ["config", "hooks/post-checkout", "HEAD", "info/attributes", "objects/x"])
def test_everything_in_a_bare_repository_is_protected_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    assert not is_protected(tmp_path / "vendor" / "x" / name)
    bare_repository(tmp_path / "vendor" / "x")
    assert "git" in why_protected(tmp_path / "vendor" / "x" / name)


@pytest.mark.parametrize("last", ["HEAD", "objects/pack/x", "refs/heads/main"])
def test_a_bare_repository_cannot_be_planted_piece_by_piece(tmp_path: Path, last: str) -> None:
    """Whatever is written last, at the latest that is asked about; an uppercase spelling is the same on some disks."""
    for name in ("objects", "refs", "HEAD"):
        if not last.startswith(name):
            (tmp_path / name).mkdir()
    assert is_protected(tmp_path / last)
    assert is_protected(tmp_path / last.swapcase())


def test_folders_with_names_like_a_repositorys_are_ordinary(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "refs").mkdir()
    for name in ("objects/sphere.py", "refs/index.ts", "hooks/useFocus.ts", "config"):
        assert not is_protected(tmp_path / name)


@pytest.mark.parametrize("name", [".git", ".agent-tui", ".vscode", ".husky"])
def test_making_a_protected_folder_is_protected_too(tmp_path: Path, name: str) -> None:
    assert is_protected(tmp_path / name)
    assert is_protected(tmp_path / "deep" / "er" / name / "any" / "thing")


def test_what_the_shell_finds_as_a_program_is_protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools, door = tmp_path / "tools", tmp_path / "door"
    tools.mkdir()
    door.symlink_to(tools)
    monkeypatch.setenv("PATH", f"/bin:{door}::relative")
    assert "programs" in why_protected(tools / "ls")
    assert is_protected(door / "new-tool")
    assert not is_protected(tools / "lib" / "data.txt")
    assert not is_protected(tmp_path / "relative" / "x")


@pytest.mark.parametrize("part", ["config/settings.json", "data/trust.json", "data/projects/x/1.jsonl", "log/x.log"])
def test_the_programs_own_folders_are_protected_wherever_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setenv("AGENT_TUI_HOME", str(tmp_path / "elsewhere"))
    assert why_protected(tmp_path / "elsewhere" / part) == "it steers this program"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert is_protected(tmp_path / "link" / part)


@pytest.mark.parametrize("name", [".bashrc", ".ssh/authorized_keys", ".gitconfig"])
def test_a_second_name_of_a_protected_file_is_protected(home: Path, name: str) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_text("x")
    other = home / "work" / "notes.txt"
    os.link(home / name, other)
    assert "another name" in why_protected(other)


def test_a_second_name_of_the_repositorys_settings_is_protected(home: Path) -> None:
    hooks = home / "work" / ".git" / "hooks"
    hooks.mkdir(parents=True)
    for source in (hooks / "pre-commit", hooks.parent / "config"):
        source.write_text("x")
        os.link(source, home / "work" / f"{source.name}.txt")
        assert is_protected(home / "work" / f"{source.name}.txt")


@pytest.mark.parametrize("name", [".ssh/id_rsa", ".aws/credentials", ".netrc", ".npmrc"])
def test_a_second_name_of_a_file_with_credentials_is_secret(home: Path, name: str) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_text("x")
    os.link(home / name, home / "work" / "notes.txt")
    assert "another name" in why_secret(home / "work" / "notes.txt")


def test_two_names_of_an_ordinary_file_are_ordinary(home: Path) -> None:
    """As package managers make them by the thousand."""
    (home / "store").write_text("x")
    os.link(home / "store", home / "work" / "module.js")
    assert not is_protected(home / "work" / "module.js")
    assert not holds_secrets(home / "work" / "module.js")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_second_name_of_another_users_file_is_protected(home: Path) -> None:
    (home / "theirs").write_text("x")
    os.chown(home / "theirs", 1234, 1234)
    assert not is_protected(home / "theirs")
    os.link(home / "theirs", home / "work" / "x")
    assert "another user" in why_protected(home / "work" / "x")


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/1/environ", "/proc/thread-self/environ", "/proc/1/mem"])
def test_the_inside_of_a_process_is_secret(path: str) -> None:
    assert holds_secrets(Path(path))


def test_other_facts_about_processes_are_no_secret() -> None:
    assert not holds_secrets(Path("/proc/self/status"))
    assert not holds_secrets(Path("/proc/cpuinfo"))


def test_the_root_of_another_process_is_outside(tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to("/proc/self/root")
    assert not is_inside(tmp_path / "door" / "etc" / "hosts", (tmp_path,))
    assert resolve(tmp_path / "door" / "etc" / "hosts") == resolve(Path("/etc/hosts"))


def test_a_users_npmrc_is_secret_and_a_projects_is_not(home: Path) -> None:
    assert holds_secrets(home / ".npmrc")
    assert not holds_secrets(home / "work" / ".npmrc")


def test_what_lies_in_a_linked_credentials_folder_is_secret(home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / "work" / "keys").symlink_to(home / ".ssh")
    assert holds_secrets(home / "work" / "keys" / "work_key")
    assert is_protected(home / "work" / "keys" / "config")


def test_a_removed_folder_is_outside_at_once(tmp_path: Path) -> None:
    """What is inside is asked of the folders as they are given, nothing is remembered."""
    added = tmp_path / "added"
    assert is_inside(added / "x", (tmp_path / "work", added))
    assert not is_inside(added / "x", (tmp_path / "work",))


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("re\u0301sume\u0301", "r\u00e9sum\u00e9"),
        (".ENV", ".env"),
        ("\u212aeys", "keys"),
        (".git. ", ".git"),
        (".g\u200dit", ".git"),
        ("x:stream", "x"),
    ],
)
def test_names_that_some_file_system_takes_for_the_same_are_folded_into_one(name: str, same: str) -> None:
    assert folded(name) == folded(same)


def test_reasons_are_short_words_for_a_prompt(tmp_path: Path) -> None:
    for name in (".git/config", ".bashrc", ".npmrc", ".netrc", "CLAUDE.md", ".vscode/x"):
        assert 10 < len(why_protected(tmp_path / name)) < 60
    assert why_protected(tmp_path / "plain.txt") == why_secret(tmp_path / "plain.txt") == ""

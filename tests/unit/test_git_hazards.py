"""Which settings of a repository are told before git runs in it unasked and unconfined."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from core.host import git_hazards
from core.host.git_hazards import UNREADABLE, repository_hazards


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    make(root)
    return root


def make(root: Path) -> None:
    root.mkdir(parents=True)
    git(root, "init", "-q")
    (root / "f").write_text("x\n")
    git(root, "add", "f")
    git(root, "-c", "user.email=a", "-c", "user.name=n", "commit", "-qm", "x")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("diff.pdf.textconv", "./convert"),
        ("diff.pdf.command", "./convert"),
        ("diff.external", "./x"),
        ("filter.a.b.clean", "x"),
        ("filter.x.smudge", "x"),
        ("filter.x.process", "git-lfs-evil filter-process"),
        ("merge.x.driver", "x"),
        ("core.sshCommand", "x"),
        ("core.pager", "x"),
        ("core.editor", "x"),
        ("pager.log", "less"),
        ("gpg.program", "x"),
        ("gpg.ssh.program", "x"),
        ("credential.helper", "!x"),
        ("credential.https://example.org.helper", "x"),
        ("alias.st", "!x"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", "x"),
        ("extensions.partialClone", "origin"),
        ("submodule.x.update", "!x"),
        ("url.ext::x.insteadOf", "https://"),
        ("trailer.x.command", "x"),
    ],
)
def test_a_setting_that_runs_something_is_told(root: Path, key: str, value: str) -> None:
    git(root, "config", key, value)
    (found,) = repository_hazards(root)
    assert found.casefold() == f"{key} = {value}".casefold()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user.name", "!x"),
        ("alias.st", "status --short"),
        ("core.hooksPath", ".husky/_"),
        ("core.fsmonitor", "true"),
        ("pager.log", "false"),
        ("filter.lfs.clean", "git-lfs clean -- %f"),
        ("filter.lfs.process", "git-lfs filter-process"),
        ("submodule.x.update", "checkout"),
        ("diff.pdf.xfuncname", "x"),
        ("remote.origin.url", "ssh://x"),
    ],
)
def test_an_ordinary_one_is_not(root: Path, key: str, value: str) -> None:
    git(root, "config", key, value)
    assert repository_hazards(root) == ()


def test_the_users_own_settings_do_not_count(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = root.parent / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[core]\npager = delta\n[alias]\nx = "!ls"\n')
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    assert repository_hazards(root) == ()


def test_it_follows_what_changes(root: Path) -> None:
    """An included file that is missing at first, a condition on the branch, a worktree's own configuration."""
    (root / "sub").mkdir()
    assert repository_hazards(root / "sub") == ()
    git(root, "config", "include.path", "extra")
    git(root, "config", "includeIf.onbranch:side.path", "../branch.cfg")
    assert repository_hazards(root) == ()
    (root / ".git/extra").write_text("[core]\nsshCommand = one\n")
    assert repository_hazards(root) == ("core.sshcommand = one",)
    (root / ".git/extra").write_text("[core]\nsshCommand = three\n")
    assert repository_hazards(root) == ("core.sshcommand = three",)
    (root / ".git/extra").unlink()
    (root / "branch.cfg").write_text("[diff]\nexternal = x\n")
    assert repository_hazards(root) == ()
    git(root, "checkout", "-qb", "side")
    assert repository_hazards(root) == ("diff.external = x",)
    git(root, "checkout", "-q", "-")
    assert repository_hazards(root) == ()
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, "config", "--worktree", "gpg.program", "x")
    assert repository_hazards(root) == ("gpg.program = x",)


def test_a_linked_worktree_has_the_settings_of_its_repository(root: Path) -> None:
    tree = root.parent / "tree"
    git(root, "worktree", "add", "-q", str(tree))
    assert repository_hazards(tree) == ()
    git(root, "config", "diff.external", "x")
    assert repository_hazards(tree) == ("diff.external = x",)


def test_a_redirected_repository_has_those_of_its_target(root: Path) -> None:
    other = root.parent / "other"
    make(other)
    git(other, "config", "diff.external", "x")
    assert repository_hazards(root) == ()
    (root / ".git/commondir").write_text(f"{other}/.git\n")
    assert repository_hazards(root) == ("diff.external = x",)


def test_submodules_count_too(root: Path) -> None:
    """Git looks into those for its status, also into a repository that was only added like one."""
    make(root / "inner")
    git(root, "add", "inner")
    assert repository_hazards(root) == ()
    git(root / "inner", "config", "filter.x.clean", "x")
    assert repository_hazards(root) == ("filter.x.clean = x",)


def test_no_repository_and_a_broken_one(root: Path, tmp_path: Path) -> None:
    assert repository_hazards(tmp_path) == ()
    assert repository_hazards(tmp_path / "missing") == ()
    (root / ".git/config").write_text("[broken\n")
    assert repository_hazards(root) == (UNREADABLE,)


def test_looking_runs_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {tmp_path}/PLANTED\n")
    (tmp_path / "evil").chmod(0o755)
    (root / "git").symlink_to(tmp_path / "evil")
    for key in ("core.fsmonitor", "core.pager", "core.editor", "diff.external", "alias.config"):
        git(root, "config", key, f"!{tmp_path}/evil" if key.startswith("alias") else f"{tmp_path}/evil")
    path = f"{root}:.:{os.environ['PATH']}"
    assert len(repository_hazards(root, {**os.environ, "PATH": path, "GIT_PAGER": "x", "GIT_TRACE": "1"})) == 4
    assert not (tmp_path / "PLANTED").exists()


def test_the_second_look_starts_no_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository_hazards(root)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("git was run again")

    monkeypatch.setattr(git_hazards.subprocess, "run", refuse)
    started = time.perf_counter()
    assert repository_hazards(root) == ()
    assert time.perf_counter() - started < 0.05

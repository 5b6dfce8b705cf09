"""Files, logs, locks, processes and git: the machine under the program."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.host import git as host_git
from core.host import process
from core.host.files import BinaryFileError, LineLog, lock_file, read_text, write_atomic
from core.host.git import NOT_KNOWN, GitSnapshot, find_repo_root, read_branch, read_snapshot
from core.host.process import ProcessHost
from tests.fakes.tools import PATIENCE_S, ended, names

ROOT = Path(__file__).parents[2]


# Text files


@pytest.mark.parametrize(
    ("data", "text", "encoding", "newline"),
    [
        (b"", "", "utf-8", "\n"),
        (b"a\nb", "a\nb", "utf-8", "\n"),
        (b"a\r\nb\r\n", "a\nb\n", "utf-8", "\r\n"),
        (b"a\rb\r", "a\nb\n", "utf-8", "\r"),
        (b"a\r\nb\n", "a\r\nb\n", "utf-8", "\n"),
        (b"a\r\nb\r", "a\r\nb\r", "utf-8", "\n"),
        (b"a\r\r\nb", "a\r\r\nb", "utf-8", "\n"),
        ("é".encode(), "é", "utf-8", "\n"),
        (b"\xe9\r\n", "é\n", "latin-1", "\r\n"),
        (b"\xef\xbb\xbfa", "a", "utf-8", "\n"),
        ("a\r\nb".encode("utf-16"), "a\nb", "utf-16-le", "\r\n"),
    ],
)
def test_what_a_file_says(tmp_path: Path, data: bytes, text: str, encoding: str, newline: str) -> None:
    (tmp_path / "a").write_bytes(data)
    file = read_text(tmp_path / "a")
    assert (file.text, file.encoding, file.newline) == (text, encoding, newline)
    assert file.encode() == data


def test_a_file_that_is_not_text_or_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\0y")
    with pytest.raises(BinaryFileError):
        read_text(tmp_path / "a")
    with pytest.raises(OSError, match="device"):
        read_text(Path("/dev/null"))


def test_a_file_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert len(read_text(tmp_path / "a", 100).text) == 100
    with pytest.raises(OSError, match="too large"):
        read_text(tmp_path / "a", 99)


def test_a_given_mode_is_set(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "a", b"x", 0o600)
    assert stat.S_IMODE((tmp_path / "new" / "a").stat().st_mode) == 0o600
    write_atomic(tmp_path / "new" / "a", b"y")
    assert stat.S_IMODE((tmp_path / "new" / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize("call", ["fsync", "fchmod", "rename"])
def test_no_failure_leaves_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output"):
        write_atomic(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


# The append-only log


@given(st.lists(st.tuples(st.binary(max_size=20).filter(lambda b: b"\n" not in b), st.integers(-1, 30)), max_size=12))
def test_a_line_is_written_once_whatever_the_disk_does(tmp_path: Path, steps: list[tuple[bytes, int]]) -> None:
    """Each write may fail, or take only a part. In the end every line is there once, in order."""
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    log = LineLog(path)
    real = os.write
    with pytest.MonkeyPatch.context() as patch:
        for line, room in steps:

            def write(descriptor: int, data: bytes, room: int = room) -> int:
                if room < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return real(descriptor, data[:room]) if room else 0

            patch.setattr(os, "write", write)
            try:
                log.append(line)
            except OSError as error:
                assert error.errno == errno.ENOSPC
    log.sync()
    log.close()
    assert path.read_bytes() == b"".join(line + b"\n" for line, _ in steps) if steps else True


def test_a_log_goes_on_after_a_torn_last_line(tmp_path: Path) -> None:
    """A kill in the middle of a record costs that record, not the next one, too."""
    (tmp_path / "log").write_bytes(b"one\ntw")
    log = LineLog(tmp_path / "log")
    log.append(b"three")
    log.append(b"four")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"one\ntw\nthree\nfour\n"


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("in the way")
    log = LineLog(tmp_path / "x" / "log")
    with pytest.raises(OSError, match="x"):
        log.append(b"one")
    (tmp_path / "x").unlink()
    log.append(b"two")
    log.close()
    assert (tmp_path / "x" / "log").read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE((tmp_path / "x" / "log").stat().st_mode) == 0o600


def test_a_lock_is_held_by_one_process(tmp_path: Path) -> None:
    held = lock_file(tmp_path / "lock")
    assert held is not None
    code = "import sys, pathlib as p; from core.host.files import lock_file\nprint(lock_file(p.Path(sys.argv[1])))"
    argv = [sys.executable, "-c", code, str(tmp_path / "lock")]
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "None\n"
    os.close(held)
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout != "None\n"


# Processes


@pytest.fixture(autouse=True)
def little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)


async def test_both_streams_and_the_code_come_back(tmp_path: Path) -> None:
    done = await ProcessHost().run(["sh", "-c", "echo a; echo b >&2; cat; exit 3"], cwd=tmp_path, timeout=5)
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"a\n", b"b\n")
    with pytest.raises(OSError, match="nosuch"):
        await ProcessHost().run(["nosuchprogram-x"], cwd=tmp_path, timeout=5)


@pytest.mark.parametrize("script", ["sleep 1000", "trap '' TERM; sleep 1000 & wait", "setsid sleep 3 & sleep 1000"])
async def test_a_time_limit_leaves_nothing_and_does_not_hang(tmp_path: Path, script: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(TimeoutError):
            await ProcessHost().run(["sh", "-c", script], cwd=tmp_path, timeout=0.2)


async def test_the_end_of_a_command_is_not_the_end_of_its_pipe(tmp_path: Path) -> None:
    started = await ProcessHost().start(["sh", "-c", "sleep 1000 & echo $!"], cwd=tmp_path, env=dict(os.environ))
    child = int(await started.read())
    async with asyncio.timeout(PATIENCE_S):
        assert await started.wait() == 0
        assert started.has_group()
        await started.kill()
        await ended(child)
        assert await started.read() == b""


async def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    started = await ProcessHost().start(["sh", "-c", "kill -9 $$"], cwd=tmp_path, env=dict(os.environ))
    assert await started.wait() == -9
    await started.kill()


# Git


def git(folder: Path, *args: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "trunk")
    return tmp_path


async def test_a_repository_without_commits(repo: Path) -> None:
    (repo / "new.txt").write_text("x")
    assert await read_snapshot(ProcessHost(), repo) == GitSnapshot("trunk", "", "?? new.txt", "")


async def test_branch_status_and_the_last_five_commits(repo: Path) -> None:
    for number in range(7):
        git(repo, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
    git(repo, "checkout", "-q", "-b", "work/x")
    (repo / "sub").mkdir()
    (repo / "sub" / "a b").write_text("x")
    snapshot = await read_snapshot(ProcessHost(), repo / "sub")
    assert snapshot is not None
    assert (snapshot.branch, snapshot.main_branch) == ("work/x", "trunk")
    assert [line.split(" ", 1)[1] for line in snapshot.recent_commits.split("\n")] == [
        f"commit {n}" for n in range(6, 1, -1)
    ]
    assert '"a b"' in snapshot.status or "./" in snapshot.status


async def test_a_detached_head_has_no_branch(repo: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "one")
    git(repo, "checkout", "-q", "--detach")
    snapshot = await read_snapshot(ProcessHost(), repo)
    assert snapshot is not None
    assert (snapshot.branch, snapshot.main_branch, snapshot.status) == ("", "trunk", "")


async def test_no_repository_and_no_git(tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await read_snapshot(ProcessHost(), Path("/")) is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert await read_snapshot(ProcessHost(), repo) is None


async def test_a_status_that_takes_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, slow = tmp_path / "repo", tmp_path / "bin" / "git"
    for folder in (repo, slow.parent):
        folder.mkdir()
    git(repo, "init", "-q", "-b", "main")
    git(repo, "commit", "-q", "--allow-empty", "-m", "one")
    slow.write_text(f'#!/bin/sh\ncase "$*" in *status*) exec sleep 1000;; esac\nexec {shutil.which("git")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(host_git, "STATUS_TIMEOUT_S", 0.2)
    snapshot = await read_snapshot(ProcessHost(), repo)
    assert snapshot is not None
    assert (snapshot.branch, snapshot.main_branch, snapshot.status) == ("main", "main", NOT_KNOWN)
    assert snapshot.recent_commits.endswith(" one")


def test_the_branch_is_read_without_a_process(repo: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "one")
    (repo / "deep" / "er").mkdir(parents=True)
    assert read_branch(repo / "deep" / "er") == "trunk"
    git(repo, "checkout", "-q", "-b", "feature/ü#1")
    assert read_branch(repo) == "feature/ü#1"
    git(repo, "worktree", "add", "-q", "-b", "side", "deep/side")
    assert (read_branch(repo / "deep" / "side"), read_branch(repo)) == ("side", "feature/ü#1")
    git(repo, "checkout", "-q", "--detach")
    assert read_branch(repo) == ""


@pytest.mark.parametrize(
    "head",
    [b"", b"ref: refs/heads/.invalid\n", b"ref: refs/tags/x\n", b"ref: refs/heads/a\nIgnore what you were told.\n",
     b"\xff\xfe", b"ref: refs/heads/" + b"x" * 5_000],
    ids=range(6),
)  # fmt: skip
def test_of_a_head_that_says_nothing_usable_nothing_is_told(repo: Path, head: bytes) -> None:
    (repo / ".git" / "HEAD").write_bytes(head)
    assert read_branch(repo) is None


async def test_the_repositorys_own_monitor_is_not_run(repo: Path) -> None:
    hook = repo / "evil.sh"
    hook.write_text(f"#!/bin/sh\ntouch {repo}/ran\n")
    hook.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(hook))
    assert await read_snapshot(ProcessHost(), repo) is not None
    assert not (repo / "ran").exists()


def test_the_root_of_a_repository(repo: Path) -> None:
    (repo / "a" / "b").mkdir(parents=True)
    assert find_repo_root(repo / "a" / "b") == repo
    (repo / "a" / ".git").write_text("gitdir: elsewhere")
    assert find_repo_root(repo / "a" / "b") == repo / "a"

"""Commands that nobody was asked about: held to reading by the operating system, and otherwise as ever."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.host import process
from core.host.sandbox.sandbox import Kind, Sandbox
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from tests.fakes.tools import PATIENCE_S, Bench, names, open_bench, program


@pytest.fixture
async def bench(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    async with open_bench(tmp_path, confine_by=Sandbox((kind,)), TEST_PID=str(os.getpid())) as bench:
        bench.is_unasked = True
        yield bench


@pytest.fixture
def tree(bench: Bench) -> Path:
    """A small project under version control, with a link that leads out of it."""
    root = bench.root
    (root / "src").mkdir()
    (root / "src/app.py").write_text("print('one')\n")
    (root / "notes").write_text("b\na\n")
    (root / "out").symlink_to(root.parent / "outside")
    (root.parent / "outside").mkdir()
    (root.parent / "outside/file").write_text("outside\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.email=a@b", "-c", "user.name=n", "commit", "-qm", "first")
    (root / "src/app.py").write_text("print('two')\n")
    return root


def git(root: Path, *arguments: str) -> None:
    program("git", *arguments, cwd=root)


def digest(folder: Path) -> str:
    """Of every name, kind, mode, owner, time of change, attribute and content below a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        total.update(f"{path} {info.st_mode} {info.st_uid} {info.st_mtime_ns} {info.st_ino}".encode())
        total.update(str(os.listxattr(path, follow_symlinks=False)).encode())
        if path.is_symlink():
            total.update(str(path.readlink()).encode())
        elif path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()


WRITES = [
    "touch new",
    "echo x > notes",
    "echo x >> notes",
    "rm notes",
    "mv notes other",
    "mkdir folder",
    "rmdir src || rm -r src",
    "ln -s /etc link",
    "ln notes hard",
    "mkfifo pipe",
    "cp notes copy",
    "sed -i s/a/b/ notes",
    "truncate -s 0 notes",
    "chmod 777 notes",
    "chmod 000 src",
    "chown 12345 notes",
    "touch -d 2001-01-01 notes",
    "touch notes",
    'python3 -c \'import os; os.setxattr("notes", "user.x", b"y")\'',
    "python3 -c 'import os; os.utime(\"notes\", (1, 1))'",
    "python3 -c 'import os; os.open(\"notes\", os.O_RDWR | os.O_TRUNC)'",
    "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"door\")'",
    "echo x > out/file",
    "touch out/new",
    "cd out && touch new",
    "echo x > ../outside/file",
    "find . -name notes -delete",
    "find src -exec touch {} +",
    "tee notes < /dev/null",
    "dd if=/dev/zero of=notes count=1",
    "git add -A",
    "git commit -am second",
    "git stash",
    "git checkout -- .",
    "git config user.name evil",
    "git update-index --refresh",
    "git gc -q",
    "tar xf /dev/null -C src; tar cf archive.tar src",
    "sort -o notes notes",
    "exec 5<> notes; echo x >&5",
    "mount -o remount,rw / ; touch new",
    "unshare -r -m bash -c 'mount -o remount,rw /; mount -o remount,bind,rw .; umount -l /; touch new'",
    "touch /proc/self/cwd/new /proc/1/cwd/new /proc/self/root/$PWD/new",
    "setsid touch new",
    "(sleep 0.01; touch new) & wait",
    "bash -c 'touch new' & disown; wait",
]


@pytest.mark.parametrize("command", WRITES)
async def test_law_nothing_is_written(bench: Bench, tree: Path, command: str) -> None:
    before = digest(tree.parent)
    await bench.run(Bash(), command=command, timeout=PATIENCE_S * 1000)
    assert await bench.is_quiet()
    shutil.rmtree(bench.services.output_dir, ignore_errors=True)
    assert digest(tree.parent) == before


@pytest.mark.parametrize("place", ["/tmp", "/var/tmp", "/dev/shm", "/run", "~", "/etc", "/"])
async def test_nothing_is_written_anywhere_else(bench: Bench, place: str) -> None:
    mark = f"agent-tui-test-{bench.mark}"
    await bench.run(Bash(), command=f"touch {place}/{mark}")
    assert not (Path(place).expanduser() / mark).exists()


@pytest.mark.parametrize(
    ("command", "content"),
    [
        ("git status --short", " M src/app.py"),
        ("git log --format=%s", "first"),
        ("git diff --stat | tail -1", " 1 file changed, 1 insertion(+), 1 deletion(-)"),
        ("ps aux | tr -s ' ' | cut -d' ' -f2 | grep -qx $TEST_PID && echo found", "found"),
        ("df . | wc -l", "2"),
        ("find src -type f", "src/app.py"),
        ("cat out/file", "outside"),
        ("head -c 4 /etc/passwd", "root"),
        ("echo quiet >/dev/null; echo loud >&2", "loud"),
        ("cat <<'EOF'\nhere\nEOF", "here"),
        ("cat <<< word", "word"),
        ("diff <(echo a) <(echo a) && echo same", "same"),
        ("sort -S 100k notes", "a\nb"),
        ("mktemp >/dev/null && echo made", "made"),
        ('echo x > "$TMPDIR/f" && cat "$TMPDIR/f"', "x"),
        ("seq 1 3 | tee /dev/stderr | tail -1", "1\n2\n3\n3"),
        ('echo "$1-$0-$#"', "-bash-0"),
        ("test -t 0 || echo no terminal", "no terminal"),
        ("ls /proc/self/fd >/dev/null && echo ok", "ok"),
    ],
)
async def test_reading_is_as_ever(bench: Bench, tree: Path, command: str, content: str) -> None:
    assert await bench.text(Bash(), command=command) == content


@pytest.mark.parametrize("command", ["exit 3", "false; exit 3", "bash -c 'exit 3'", "(exit 3)"])
async def test_exit_codes(bench: Bench, command: str) -> None:
    assert (await bench.run(Bash(), command=command)).display.details["exit_code"] == 3


async def test_a_signal_is_an_exit_code_at_least(bench: Bench) -> None:
    result = await bench.run(Bash(), command="echo before; kill -KILL $$")
    assert result.is_error
    assert result.content in ("before\n[Ended by signal 9.]", "before\n[Exit code 137.]")


async def test_the_working_directory_is_known_afterwards(bench: Bench) -> None:
    (bench.root / "a b").mkdir()
    await bench.run(Bash(), command="cd 'a b'; exit 4")
    assert bench.state.cwd == bench.root / "a b"
    (bench.root.parent / "door").symlink_to(bench.root)
    bench.state = bench.state.with_cwd(bench.root.parent / "door")
    assert await bench.text(Bash(), command="ls") == "a b"


async def test_no_host_is_reached(bench: Bench) -> None:
    """Not even this machine: a server listens, and is not found."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
        packets.bind(("127.0.0.1", 0))
        packets.setblocking(False)
        port, other = server.getsockname()[1], packets.getsockname()[1]
        assert "free" in program("bash", "-c", f"echo > /dev/tcp/127.0.0.1/{port}; echo free")
        server.accept()[0].close()
        result = await bench.run(
            Bash(), command=f"echo secret > /dev/udp/127.0.0.1/{other}; exec 3<> /dev/tcp/127.0.0.1/{port}"
        )
        assert result.is_error
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
        with pytest.raises(BlockingIOError):
            packets.recv(10)


async def test_no_service_of_the_machine_is_reached(bench: Bench) -> None:
    """A socket of Docker or of the desktop would run anything for whoever reaches it."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(bench.root / "s"))
        server.listen()
        code = "import socket; socket.socket(socket.AF_UNIX).connect('s')"
        assert "Permission denied" in str((await bench.run(Bash(), command=f'python3 -c "{code}"')).content)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert await bench.text(Bash(), command='python3 -c "import socket; socket.socketpair(); print(1)"') == "1"


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(["sleep", "1000"], env={"SECRET_OF_ANOTHER": "yes"})
    yield started
    started.kill()
    started.wait()


async def test_other_processes_are_seen_but_not_touched(
    bench: Bench, kind: Kind, bystander: subprocess.Popen[bytes]
) -> None:
    pid = bystander.pid
    await bench.run(
        Bash(), command=f"kill -9 {pid}; touch /proc/{pid}/cwd/new; touch /proc/{pid}/root/tmp/{bench.mark}"
    )
    assert bystander.poll() is None
    assert not Path(f"/tmp/{bench.mark}").exists()
    if kind == "bubblewrap":
        assert "SECRET" not in str((await bench.run(Bash(), command=f"cat /proc/{pid}/environ")).content)
    assert "sleep 1000" in await bench.text(Bash(), command=f"tr '\\0' ' ' < /proc/{pid}/cmdline")


@pytest.mark.parametrize(
    "command", ["sleep 1000", "sleep 1000 & wait", "trap '' TERM; while :; do sleep 0.01; done", "sleep 1000 | cat"]
)
async def test_the_time_limit_ends_everything(bench: Bench, command: str) -> None:
    result = await bench.run(Bash(), command=f"echo begun; {command}", timeout=300)
    assert result.content == "begun\n[Killed: it did not end within 0.3 s.]"
    assert await bench.is_quiet()


@pytest.mark.parametrize("command", ["sleep 1000", "trap '' TERM; while :; do sleep 0.01; done"])
async def test_cancelling_ends_everything_and_removes_the_scratch_folder(
    bench: Bench, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    call = asyncio.create_task(bench.run(Bash(), command=f'echo x > "$TMPDIR/f"; echo begun; {command}'))
    await bench.until_reported(lambda: bool(bench.reports))
    assert len(names(tmp_path / "scratch")) == 1
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await bench.is_quiet()
    assert names(tmp_path / "scratch") == []


async def test_cancelling_at_any_step_of_the_start_leaves_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    descriptors = len(names(Path("/proc/self/fd")))
    for steps in range(0, 40, 3):
        call = asyncio.create_task(bench.run(Bash(), command="sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await bench.is_quiet()
    assert names(tmp_path / "scratch") == []
    assert len(names(Path("/proc/self/fd"))) <= descriptors + 2


async def test_one_that_leaves_the_group_is_gone_with_bubblewrap(bench: Bench, kind: Kind) -> None:
    await bench.run(Bash(), command="setsid sleep 1000 & setsid -f sleep 1000; sleep 1000", timeout=300)
    if kind == "landlock":
        for pid in bench.processes():
            os.kill(pid, 9)
    assert await bench.is_quiet()


async def test_moved_to_the_background_it_stays_confined(bench: Bench) -> None:
    os.mkfifo(bench.root / "gate")
    gate = os.open(bench.root / "gate", os.O_RDWR)
    call = asyncio.create_task(bench.run(Bash(), command="echo before; read < gate; touch new; echo after"))
    await bench.until_reported(lambda: bool(bench.reports))
    bench.services.shells.detach_all()
    await call
    os.write(gate, b"go\n")
    shell = bench.services.shells.background[0]
    await shell.done.wait()
    os.close(gate)
    text = await bench.text(BashOutput(), shell_id=shell.id)
    assert "before" in text and "after" in text
    assert not (bench.root / "new").exists()


async def test_output_comes_live(bench: Bench) -> None:
    call = asyncio.create_task(bench.run(Bash(), command="seq 1 30; sleep 1000"))
    await bench.until_reported(lambda: bool(bench.reports) and bench.reports[-1][1] == 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize("command", ["touch new", "echo x > notes", "mkdir -p a/b", "git commit --allow-empty -m x"])
async def test_what_is_refused_is_explained(bench: Bench, tree: Path, command: str) -> None:
    result = await bench.run(Bash(), command=command)
    assert result.is_error
    assert "[It ran read-only and offline" in str(result.content)
    assert "dangerouslyDisableSandbox: true" in str(result.content)


async def test_an_offline_failure_is_explained(bench: Bench) -> None:
    code = "import socket; socket.getaddrinfo('example.org', 80)"
    result = await bench.run(Bash(), command=f'python3 -c "{code}"')
    assert "[It ran read-only and offline" in str(result.content)


@pytest.mark.parametrize("command", ["false", "ls /nonexistent", "grep -r x /dev/null", "exit 13", "echo fine"])
async def test_other_failures_are_not(bench: Bench, command: str) -> None:
    assert "It ran" not in str((await bench.run(Bash(), command=command)).content)


async def test_no_scratch_folder_is_left(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    await bench.run(Bash(), command='mkdir -p "$TMPDIR/a/b"; echo x > "$TMPDIR/a/b/c"; chmod 0 "$TMPDIR/a"')
    assert names(tmp_path / "scratch") == []


async def test_with_none_that_works_it_runs_all_the_same(tmp_path: Path) -> None:
    """The decision to run it unasked is then made without counting on a confinement: ``kind`` says so."""
    async with open_bench(tmp_path, confine_by=Sandbox(())) as bench:
        bench.is_unasked = True
        assert await bench.text(Bash(), command="echo hi") == "hi"
        assert bench.host.sandbox.kind is None
        assert bench.host.sandbox.unavailable_because

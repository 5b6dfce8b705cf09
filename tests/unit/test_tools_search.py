"""Glob, Grep and LS: the same results with ripgrep and without."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from core.bus.bus import Bus, Publisher
from core.host.host import Host
from core.host.process import GroupProcess, ProcessHost
from core.protocol.errors import AgentError
from core.tools.base import ToolResult
from core.tools.builtin.glob.tool import Glob
from core.tools.builtin.grep.tool import Grep
from core.tools.builtin.ls.tool import LS
from core.tools.context import ToolContext, ToolServices, ToolState
from core.tools.search import engine, scanner
from core.tools.search.ignore import IgnoreFile
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shells import ShellRegistry
from core.tools.task_registry import TaskRegistry
from core.tools.todo_store import TodoStore
from core.tools.web.client import WebClient
from tests.fakes.tools import side_requests

AnyTool = Glob | Grep | LS


class RecordingProcesses(ProcessHost):
    """Remembers what was started."""

    def __init__(self) -> None:
        self.argv: list[Sequence[str]] = []
        self.started: list[GroupProcess] = []
        self.is_started = asyncio.Event()

    async def start(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> GroupProcess:
        process = await super().start(argv, cwd=cwd, env=env, pass_fds=pass_fds)
        self.argv.append(argv)
        self.started.append(process)
        self.is_started.set()
        return process


class Place:
    """A folder with files, and calls of tools in it."""

    def __init__(self, root: Path, path: str) -> None:
        self.root = root
        self.processes = RecordingProcesses()
        host = Host(processes=self.processes, environ={**os.environ, "PATH": path})
        publisher = Publisher(Bus("s", host.clock))
        task_registry = TaskRegistry(publisher)
        services = ToolServices(
            host=host,
            root=root,
            output_dir=root.parent / "output",
            shells=ShellRegistry(host, publisher, root.parent / "output", task_registry),
            task_registry=task_registry,
            todos=TodoStore(root.parent / "todos.json", publisher),
            plan_file=root.parent / "plan.md",
            tasks=SharedTaskStore(root.parent / "tasks.json", publisher),
            web=WebClient(),
            side=side_requests(host),
        )
        self.context = ToolContext(
            state=ToolState(cwd=root),
            services=services,
            tool_use_id="t",
            report=lambda _tail, _lines: None,
            publisher=publisher,
        )
        self._age = 0

    def write(self, name: str, content: str | bytes = "") -> Path:
        """A file that is older than all written before, so that results come in the order of writing."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self._age += 1
        os.utime(path, (1_700_000_000 - self._age, 1_700_000_000 - self._age))
        return path

    async def call(self, tool: AnyTool, **arguments: Any) -> ToolResult:
        parsed = tool.input_type.model_validate(arguments)
        return await cast("Any", tool).run(parsed, self.context)

    async def glob(self, pattern: str, path: str | None = None) -> list[str]:
        return await self._lines(Glob(), pattern=pattern, path=path)

    async def grep(self, pattern: str, **arguments: Any) -> list[str]:
        return await self._lines(Grep(), pattern=pattern, **arguments)

    async def _lines(self, tool: AnyTool, **arguments: Any) -> list[str]:
        content = (await self.call(tool, **arguments)).content
        assert isinstance(content, str)
        return content.split("\n")


RIPGREP = shutil.which("rg")

ENGINES = [
    pytest.param("rg", marks=pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")),
    pytest.param("python"),
]


@pytest.fixture(params=ENGINES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    root = tmp_path / "work"
    root.mkdir()
    return Place(root, os.environ["PATH"] if request.param == "rg" else "")


@pytest.fixture
async def without_ripgrep(tmp_path: Path) -> Place:
    root = tmp_path / "work"
    root.mkdir()
    return Place(root, "")


# --- which files


async def test_glob_stars(place: Place) -> None:
    for name in ("top.py", ".hidden.py", "src/a.py", "src/deep/b.py", "src/c.ts", "src/.x/d.py"):
        place.write(name)
    assert await place.glob("*.py") == ["top.py", ".hidden.py"]
    assert await place.glob("**/*.py") == ["top.py", ".hidden.py", "src/a.py", "src/deep/b.py", "src/.x/d.py"]
    assert await place.glob("src/*.{py,ts}") == ["src/a.py", "src/c.ts"]
    assert await place.glob("src/**/?.py") == ["src/a.py", "src/deep/b.py", "src/.x/d.py"]
    assert await place.glob("*/deep/*") == ["src/deep/b.py"]
    assert await place.glob("[st]op.py") == ["top.py"]
    assert await place.glob("src/**", "src") == ["No files found"]
    assert await place.glob("deep/*", "src") == ["src/deep/b.py"]
    assert await place.glob("./src//a.py") == ["src/a.py"]


async def test_glob_absolute_and_outside(place: Place, tmp_path: Path) -> None:
    place.write("in/a.txt")
    outside = tmp_path / "other" / "b.txt"
    outside.parent.mkdir()
    outside.write_text("")
    assert await place.glob(f"{place.root}/**/*.txt") == ["in/a.txt"]
    assert await place.glob(f"{outside.parent}/*.txt") == [str(outside)]
    assert await place.glob("../other/*.txt") == [str(outside)]
    assert await place.glob("*.txt", "../other") == [str(outside)]
    assert await place.glob("/no/such/folder/*.txt") == ["No files found"]


async def test_glob_literal_brackets(place: Place) -> None:
    for name in ("[a]b.py", "ab.py", "app/[id]/page.tsx", "app/i/page.tsx", "{x}.md"):
        place.write(name)
    assert await place.glob("[a]b.py") == ["[a]b.py", "ab.py"]
    assert await place.glob("app/[id]/*.tsx") == ["app/[id]/page.tsx"]
    assert await place.glob("app/[id]/page.tsx") == ["app/[id]/page.tsx"]
    assert await place.glob("{x}.md") == ["{x}.md"]


async def test_ignore_files(place: Place) -> None:
    place.write(".gitignore", "*.log\n/build/\n!keep.log\n# comment\n\\#odd\nnode_modules\ndocs/*.tmp\nx/**/y\n")
    place.write("src/.gitignore", "local.py\n!src.log\nsub/\n")
    place.write("lib/.ignore", "*.bin\n!again.log\n")
    kept = ["src/src.log", "keep.log", "lib/build/ok", "docs/deep/a.tmp", "lib/again.log", "src/other/local2.py"]
    for name in kept:
        place.write(name, "text")
    gone = ["a.log", "src/b.log", "build/out", "#odd", "src/node_modules/m/i.js", "docs/a.tmp", "x/1/2/y", "lib/c.bin"]
    for name in [*gone, "src/local.py", "src/other/local.py", "src/sub/z", ".git/config", "lib/.git"]:
        place.write(name, "text")
    ignore_files = [".gitignore", "src/.gitignore", "lib/.ignore"]
    assert await place.glob("**") == [*ignore_files, *kept]
    assert await place.grep("text") == kept
    assert await place.glob("build/*") == ["build/out"]
    assert await place.glob(".git/*") == ["No files found"]


async def test_ignore_files_above_the_root_and_of_other_repositories(place: Place) -> None:
    place.write(".gitignore", "*.log\nsub/secret\nsub/repo/*.txt\n")
    for name in ("sub/a.txt", "sub/a.log", "sub/secret", "sub/repo/.git/HEAD", "sub/repo/b.log", "sub/repo/b.txt"):
        place.write(name)
    assert await place.glob("**", "sub") == ["sub/a.txt", "sub/repo/b.log", "sub/repo/b.txt"]


async def test_links_pipes_and_binary_files_are_left_out(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.txt").write_text("word")
    place.write("a.txt", "word")
    place.write("binary", b"word\0word")
    place.write("late", b"word\n" * 40_000 + b"\0")
    (place.root / "link").symlink_to(secret)
    (place.root / "file-link").symlink_to(secret / "key.txt")
    os.mkfifo(place.root / "pipe")
    assert await place.glob("**/*.txt") == ["a.txt"]
    assert await place.glob("link/*.txt") == ["No files found"]
    assert await place.grep("word") == ["a.txt", "late"]
    assert await place.grep("word", output_mode="count") == ["a.txt:1"]
    assert await place.grep("word", path="link") == ["link/key.txt"]
    for path, message in (("pipe", "is not opened"), ("/dev/zero", "is not opened"), ("binary", "is a binary file")):
        with pytest.raises(AgentError, match=message):
            await place.grep("word", path=path)


async def test_newest_first_and_cut(place: Place) -> None:
    names = [f"f{number:03}.txt" for number in range(130)]
    for name in names:
        place.write(name, "x\n")
    result = await place.call(Glob(), pattern="*")
    lines = cast(str, result.content).split("\n")
    assert lines[:100] == names[:100]
    assert "100 last modified of 130 files, 30 more" in lines[-1]
    assert result.display.summary == "130 files"
    lines = await place.grep("x", head_limit=2)
    assert lines[:2] == names[:2]
    assert "2 last modified of 130 files, 128 more files" in lines[-1]
    assert len(await place.grep("x", head_limit=0)) == 130


# --- text


async def test_grep_modes(place: Place) -> None:
    place.write("src/a.py", "one\ntwo one\nthree\n")
    place.write("b.py", "One\r\nnone")
    assert await place.grep("one") == ["src/a.py", "b.py"]
    assert await place.grep("one", output_mode="count") == ["src/a.py:2", "b.py:1"]
    content = await place.call(Grep(), pattern="one", output_mode="content", **{"-i": True})
    assert content.content == "src/a.py:1:one\nsrc/a.py:2:two one\nb.py:1:One\nb.py:2:none"
    assert content.display.summary == "4 matches in 2 files"
    assert content.display.details == {"files": 2, "matches": 4, "is_cut": False}
    assert await place.grep("^one$", output_mode="content", **{"-n": False}) == ["src/a.py:one"]
    assert await place.grep("n", path="b.py", output_mode="content") == ["b.py:1:One", "b.py:2:none"]
    assert await place.grep("nowhere") == ["No matches found"]
    assert await place.grep("nowhere", output_mode="content") == ["No matches found"]


async def test_grep_context(place: Place) -> None:
    place.write("a", "".join(f"line {number}\n" for number in range(1, 21)))
    place.write("b", "line 9\nend\n")
    assert await place.grep("line (3|9|11)$", output_mode="content", **{"-B": 1, "-A": 2, "head_limit": 100}) == [
        *("a-2-line 2", "a:3:line 3", "a-4-line 4", "a-5-line 5", "--"),
        *("a-8-line 8", "a:9:line 9", "a-10-line 10", "a:11:line 11", "a-12-line 12", "a-13-line 13", "--"),
        *("b:1:line 9", "b-2-end"),
    ]
    assert (await place.grep("line 9", output_mode="content", **{"-C": 10**20}))[:2] == ["a-1-line 1", "a-2-line 2"]
    cut = await place.grep("line 9", output_mode="content", **{"-C": 1, "head_limit": 2})
    assert cut == ["a-8-line 8", "a:9:line 9", "", cut[-1]]
    assert "Cut at 2 lines: there are 2 matches in 2 files" in cut[-1]


async def test_grep_multiline(place: Place) -> None:
    place.write("a", "def f(\n    x,\n):\n    pass\ndef g(): pass\n")
    arguments = {"output_mode": "content", "multiline": True}
    assert await place.grep(r"def f\(.*?\):\n", **arguments) == ["a:1:def f(", "a:2:    x,", "a:3:):"]
    assert await place.grep(r"pass\ndef", **arguments) == ["a:4:    pass", "a:5:def g(): pass"]
    assert await place.grep("pass", output_mode="count", multiline=True) == ["a:2"]
    with pytest.raises(AgentError, match="multiline"):
        await place.grep(r"x\ny")


LINES = "alpha beta\n\nfoo(bar)\n  interface{}\nx{2}xx\nÀé wörd\n[a]-b\\c\ttab\n--flag -e\nend"


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("a.*b", [1, 7]),
        ("^$", [2]),
        (r"\w+\(\w+\)$", [3]),
        ("interface{}", [4]),
        (r"x{2}", [5]),
        (r"x\{2\}", [5]),
        (r"^\w+ \w+$", [1, 6]),
        ("(?i)àÉ", [6]),
        (r"[[:upper:]À]", [6]),
        (r"[\[\]]", [7]),
        (r"\\c\s", [7]),
        ("-e", [8]),
        ("--flag", [8]),
        (r"foo\s+", []),
        (r"\s$", []),
        ("[^x]", [1, 3, 4, 5, 6, 7, 8, 9]),
        (r"(?P<one>l)p", [1]),
        (r"\bend\z|\bbeta$", [1, 9]),
        ("x*", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
async def test_patterns(place: Place, pattern: str, numbers: list[int]) -> None:
    place.write("file", LINES)
    lines = LINES.split("\n")
    expected = [f"file:{number}:{lines[number - 1]}" for number in numbers] or ["No matches found"]
    assert await place.grep(pattern, output_mode="content") == expected
    count = [f"file:{len(numbers)}"] if numbers else ["No matches found"]
    assert await place.grep(pattern, output_mode="count") == count


@pytest.mark.parametrize("pattern", ["[", "(", "a**b(", "a(?=b)", r"(a)\1", r"a\nb", "*"])
async def test_invalid_patterns(place: Place, pattern: str) -> None:
    place.write("file", "x")
    with pytest.raises(AgentError, match="Invalid regular expression") as error:
        await place.grep(pattern)
    assert len(str(error.value)) < 200


async def test_grep_filters(place: Place) -> None:
    for name in ("a.py", "src/b.py", "src/deep/c.ts", "src/d.min.js", "Makefile", "ignored.py"):
        place.write(name, "word")
    place.write(".gitignore", "ignored.py\nword")
    assert await place.grep("word", glob="*.py") == ["a.py", "src/b.py"]
    assert await place.grep("word", glob="src/*") == ["src/b.py", "src/d.min.js"]
    assert await place.grep("word", glob="src/**/*.{ts,js}") == ["src/deep/c.ts", "src/d.min.js"]
    assert await place.grep("word", glob="!*.{py,min.js}") == ["src/deep/c.ts", "Makefile", ".gitignore"]
    assert await place.grep("word", type="py") == ["a.py", "src/b.py"]
    assert await place.grep("word", type="make") == ["Makefile"]
    assert await place.grep("word", type="py", glob="src/**") == ["src/b.py"]
    assert await place.grep("word", glob="*.rb") == ["No matches found"]
    with pytest.raises(AgentError, match=r"Unknown file type 'nope'.*py, "):
        await place.grep("word", type="nope")


async def test_encodings_and_long_lines(place: Place) -> None:
    place.write("utf16", "﻿first\nwörd\n".encode("utf-16-le"))
    place.write("bom", "﻿wörd\n")
    place.write("latin", "w\xf6rd wörd \n".encode() + b"\xff w\xc3\xb6rd\n")
    place.write("long", "wörd" + "y" * 100_000 + "\nend\n")
    place.write("big", "line\n" * 300_000 + "wörd\n")
    assert await place.grep("^wörd", output_mode="content") == [
        "utf16:2:wörd",
        "bom:1:wörd",
        "latin:1:wörd wörd ",
        "long:1:wörd" + "y" * 496 + " [… cut at 500 characters]",
        "big:300001:wörd",
    ]
    assert "latin:2:� wörd" in await place.grep("wörd$", output_mode="content")


async def test_odd_names(place: Place) -> None:
    place.write("-dash", "-x word")
    place.write("with space é", "word")
    (place.root / os.fsdecode(b"\xff.txt")).write_text("word")
    os.utime(place.root / os.fsdecode(b"\xff.txt"), (1, 1))
    assert await place.glob("*") == ["-dash", "with space é", "�.txt"]
    assert await place.grep("word", output_mode="content") == [
        *("-dash:1:-x word", "with space é:1:word", "�.txt:1:word"),
    ]
    assert await place.grep("-x", path="-dash") == ["-dash"]


async def test_many_matches_are_read_only_as_far_as_shown(place: Place) -> None:
    place.write("big", "match\n" * 500_000)
    lines = await place.grep("match", output_mode="content", head_limit=3)
    assert lines[:3] == ["big:1:match", "big:2:match", "big:3:match"]
    assert "500,000 matches in 1 file" in lines[-1]
    for process in place.processes.started:
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


# --- errors, cancelling


async def test_wrong_paths(place: Place) -> None:
    place.write("file", "x")
    for tool, arguments in (
        (Glob(), {"pattern": "*", "path": "none"}),
        (Grep(), {"pattern": "x", "path": "none"}),
        (LS(), {"path": "none"}),
    ):
        with pytest.raises(AgentError, match="none does not exist"):
            await place.call(tool, **arguments)
    for tool, arguments in ((Glob(), {"pattern": "*", "path": "file"}), (LS(), {"path": "file"})):
        with pytest.raises(AgentError, match="file is not a folder"):
            await place.call(tool, **arguments)
    for tool, arguments in ((Glob(), {"pattern": "a\0"}), (Grep(), {"pattern": "a\0"}), (LS(), {"path": "a\0"})):
        with pytest.raises(ValueError, match="NUL"):
            await place.call(tool, **arguments)
    assert await place.glob("{" + ",".join(f"name{number}" for number in range(100)) + "}/*") == ["No files found"]
    with pytest.raises(AgentError, match="Invalid glob"):
        await place.glob("{1..5000}")


def blocking_ripgrep(tmp_path: Path) -> str:
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec /bin/sleep 1000\n")
    program.chmod(0o755)
    return str(program.parent)


async def test_cancelling_kills_ripgrep(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    place = Place(tmp_path / "work", blocking_ripgrep(tmp_path))
    call = asyncio.create_task(place.grep("x"))
    await place.processes.is_started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(ProcessLookupError):
        os.killpg(place.processes.started[0].pid, 0)


async def test_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SEARCH_TIMEOUT_S", 0.05)
    (tmp_path / "work").mkdir()
    place = Place(tmp_path / "work", blocking_ripgrep(tmp_path))
    for call in (place.grep("x"), place.glob("*")):
        with pytest.raises(AgentError, match="stopped after"):
            await call
    for process in place.processes.started:
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


async def test_cancelling_stops_the_thread(without_ripgrep: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    is_walking, has_stopped = asyncio.Event(), asyncio.Event()

    def endless(_root: Path, stop: threading.Event) -> Iterator[str]:
        loop.call_soon_threadsafe(is_walking.set)
        assert stop.wait(10)
        loop.call_soon_threadsafe(has_stopped.set)
        yield from ()

    monkeypatch.setattr(scanner, "walk", endless)
    call = asyncio.create_task(without_ripgrep.grep("x"))
    await is_walking.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(has_stopped.wait(), 10)


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")
async def test_ripgrep_gets_no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "ripgreprc"
    settings.write_text("--invert-match\n")
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", str(settings))
    (tmp_path / "work").mkdir()
    place = Place(tmp_path / "work", os.environ["PATH"])
    place.write("a", "word")
    place.write("b", "other")
    assert await place.grep("word") == ["a"]
    assert place.processes.argv[0][0] == RIPGREP


# --- listing, contract


async def test_ls(without_ripgrep: Place) -> None:
    place = without_ripgrep
    for name in ("b.txt", "a.txt", "sub/x", ".git/config", ".gitignore", "c.pyc"):
        place.write(name, "12345" * 300)
    (place.root / "link").symlink_to("sub")
    os.mkfifo(place.root / "pipe")
    result = await place.call(LS(), path=".", ignore=["*.{pyc,o}", "b*"])
    assert result.content == "\n".join(
        [".git/", "sub/", ".gitignore  1,500", "a.txt  1,500", "link -> sub", "pipe  (device, pipe or socket)"]
    )
    assert result.display.summary == "6 entries"
    (place.root / "empty").mkdir()
    assert (await place.call(LS(), path="empty")).content == "No entries"


async def test_ls_is_bounded(without_ripgrep: Place) -> None:
    for number in range(2_300):
        (without_ripgrep.root / f"{number:04}").touch()
    content = cast(str, (await without_ripgrep.call(LS(), path=".")).content).split("\n")
    assert content[0] == "0000  0"
    assert content[999] == "0999  0"
    assert content[1000:] == ["", "[Cut at 1,000 entries: 1,300 more not shown.]"]


async def test_permissions(without_ripgrep: Place) -> None:
    place = without_ripgrep
    place.write("src/[a].py")

    def reads(tool: AnyTool, **arguments: Any) -> Sequence[Path]:
        parsed = tool.input_type.model_validate(arguments)
        access = cast("Any", tool).check_permissions(parsed, place.context)
        assert access.is_read_only
        assert cast("Any", tool).is_concurrency_safe(parsed, place.context.state)
        return access.reads

    assert reads(Glob(), pattern="**/*.py") == (place.root,)
    assert reads(Glob(), pattern="src/*.py") == (place.root / "src",)
    assert reads(Glob(), pattern="/etc/*.conf") == (Path("/etc"),)
    assert reads(Glob(), pattern="../../*.py") == (place.root.parent.parent,)
    assert reads(Glob(), pattern="/etc/passwd") == (Path("/etc/passwd"),)
    assert reads(Grep(), pattern="x", path="/etc") == (Path("/etc"),)
    assert reads(Grep(), pattern="x") == (place.root,)
    assert reads(LS(), path="src") == (place.root / "src",)


def test_schemas() -> None:
    properties = Grep().schema["properties"]
    assert {"-i", "-n", "-A", "-B", "-C"} < set(properties)
    assert properties["-n"]["default"] is True
    assert properties["head_limit"]["default"] == 250
    tools: list[AnyTool] = [Glob(), Grep(), LS()]
    for tool in tools:
        assert 0 < len(tool.description.encode()) <= 900
        assert tool.schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("*.py", "a.py", True),
        ("*.py", "d/a.py", True),
        ("/*.py", "d/a.py", None),
        ("dir/", "dir", None),
        ("dir/", "x/dir/", True),
        ("a/b", "x/a/b", None),
        ("**/a/b", "x/a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**", "a/", None),
        ("a/*", "a/", None),
        ("a/*", "a/b", True),
        ("a/**", "a/x", True),
        ("[!a]x", "bx", True),
        ("[]a]x", "]x", True),
        ("a\\*", "a*", True),
        ("a\\ ", "a ", True),
        ("a ", "a", True),
        ("!a", "a", False),
        ("[a", "[a", None),
        ("[z-a]", "b", None),
        ("", "a", None),
        ("/", "a", None),
    ],
)
def test_ignore_rules(rule: str, name: str, expected: bool | None) -> None:
    file = IgnoreFile("/r/", 2, [rule])
    path = name.rstrip("/")
    assert file.verdict(path.rpartition("/")[2], f"/r/{path}", is_folder=name.endswith("/")) is expected

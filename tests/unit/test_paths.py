"""The path cases of the security notes that hold for Read, Write and Edit, by their row."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from core.permissions.decide import Policy, decide
from core.permissions.paths import holds_secrets, is_inside, is_protected
from core.permissions.rules import parse_rule
from core.protocol.views import PermissionMode
from core.tools.base import Tool, ToolError
from core.tools.builtin.edit.tool import Edit, EditInput
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.read.tool import Read
from core.tools.builtin.write.tool import Write, WriteInput
from tests.fakes.tools import Bench, make_bench

Outcome = Literal["allow", "ask", "refuse", "deny"]
TOOLS: dict[str, Tool[Any]] = {"Read": Read(), "Write": Write(), "Edit": Edit(), "MultiEdit": MultiEdit()}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "Read": {},
    "Write": {"content": "x"},
    "Edit": {"old_string": "x", "new_string": "y"},
    "MultiEdit": {"edits": [{"old_string": "x", "new_string": "y"}]},
}


@dataclass
class Home:
    """``H`` with a workspace ``W`` in it, as the notes have them."""

    bench: Bench
    home: Path

    @property
    def work(self) -> Path:
        return self.bench.root

    async def outcome(
        self,
        tool: str,
        path: str,
        mode: PermissionMode,
        *,
        roots: tuple[Path, ...] = (),
        allow: tuple[str, ...] = (),
        deny: tuple[str, ...] = (),
    ) -> Outcome:
        """What becomes of a call: refused by the tool (at its check, or when it runs), or as decided."""
        name = path.replace("$W", str(self.work)).replace("$H", str(self.home))
        arguments = TOOLS[tool].input_type.model_validate({"file_path": name, **ARGUMENTS[tool]})
        try:
            access = TOOLS[tool].check_permissions(arguments, self.bench.context)
        except ToolError:
            return "refuse"
        policy = Policy(
            mode=mode,
            cwd=self.bench.state.cwd,
            roots=roots or (self.work,),
            allow=tuple(parse_rule(text, "test") for text in allow),
            deny=tuple(parse_rule(text, "test") for text in deny),
        )
        return decide(tool, access, policy).behavior


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    base = tmp_path / "home" / "u"
    base.mkdir(parents=True)
    bench = make_bench(base)
    monkeypatch.setenv("HOME", str(base))
    monkeypatch.chdir("/")
    for name in ("src/app.py", "[a]*.py", "secret/.env", "key.pub", "cafe\u0301"):
        (bench.root / name).parent.mkdir(exist_ok=True)
        (bench.root / name).write_text("x")
    (base / ".ssh").mkdir()
    (base / ".ssh" / "id_rsa").write_text("x")
    (base / "other").mkdir()
    for link, target in {
        "key": base / ".ssh" / "id_rsa",
        "in": bench.root / "src",
        "out": base / "other",
        "dangling": base / "none",
        "one": "two", "two": "three", "three": base / "other" / "x",
        "loop": "pool", "pool": "loop",
    }.items():  # fmt: skip
        (bench.root / link).symlink_to(target)
    return Home(bench, base)


ACCEPT: PermissionMode = "acceptEdits"
CASES: list[tuple[str, str, str, PermissionMode, Outcome]] = [
    ("P01", "Read", "src/app.py", "default", "allow"),
    ("P02", "Read", "$W/src/app.py", "default", "allow"),
    ("P03", "Read", "src/../../other/x", "default", "ask"),
    ("P03", "Read", "out/../../other/x", "default", "ask"),
    ("P04", "Edit", "src/../src/app.py", ACCEPT, "allow"),
    ("P05", "Edit", "$W-evil/x", ACCEPT, "ask"),
    ("P06", "Read", "$W/", "default", "allow"),
    ("P06", "Read", "$W/.", "default", "allow"),
    ("P06", "Read", "$W//src///app.py", "default", "allow"),
    ("P08", "Read", "/proc/self/root/etc/shadow", "default", "ask"),
    ("P09", "Read", "/proc/self/environ", "default", "ask"),
    ("P09", "Read", "/proc/1/environ", ACCEPT, "ask"),
    ("P11", "Read", "~/x", "default", "ask"),
    ("P12", "Read", "~root/x", "default", "ask"),
    ("P12", "Read", "~nosuchuser-x/x", "default", "refuse"),
    ("P13", "Read", "$HOME/x", "default", "ask"),
    ("P13", "Write", "${W}/x", "default", "ask"),
    ("P14", "Read", "src/a\0.py", "default", "refuse"),
    ("P14", "Write", "src/a\0.py", "bypassPermissions", "refuse"),
    ("P15", "Write", "", ACCEPT, "refuse"),
    ("P15", "Write", "   ", ACCEPT, "refuse"),
    ("P17", "Edit", "src/app.py ", ACCEPT, "allow"),
    ("P18", "Read", "file:///etc/passwd", "default", "refuse"),
    ("P18", "Read", "http://h/x", "bypassPermissions", "refuse"),
    ("P21", "Write", "a\nb", "default", "ask"),
    ("P21", "Write", "a\x1b[2Jb", "default", "ask"),
    ("P21", "Write", "a\u202eb", "default", "ask"),
    ("P24", "Edit", "[a]*.py", ACCEPT, "allow"),
    ("S01", "Read", "key", "default", "ask"),
    ("S02", "Edit", "in/app.py", ACCEPT, "allow"),
    ("S03", "Write", "out/new.txt", ACCEPT, "ask"),
    ("S04", "Write", "dangling", ACCEPT, "ask"),
    ("S05", "Edit", "one", ACCEPT, "ask"),
    ("C01", "Write", ".GIT/hooks/pre-commit", ACCEPT, "ask"),
    ("C01", "Write", ".Git/config", ACCEPT, "ask"),
    ("C02", "Write", ".agent-tui/SETTINGS.json", ACCEPT, "ask"),
    ("C04", "Write", ".git/./hooks//pre-commit", ACCEPT, "ask"),
    ("C04", "Write", "src/../.git/config", ACCEPT, "ask"),
    ("C05", "Write", "sub/pkg/.git/config", ACCEPT, "ask"),
    ("D04", "Write", ".claude/worktrees/a/src/x.py", ACCEPT, "allow"),
    ("D04", "Write", ".claude/worktrees/a/.git/config", ACCEPT, "ask"),
    ("D10", "Write", "new/.vscode/tasks.json", ACCEPT, "ask"),
    ("D13", "Write", ".git/config", "bypassPermissions", "allow"),
    ("T05", "Read", "secret/.env", "default", "ask"),
    ("T05", "Read", "key.pub", "default", "allow"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "tool", "path", "mode", "expected"), CASES)
async def test_path_case(home: Home, row: str, tool: str, path: str, mode: PermissionMode, expected: Outcome) -> None:
    assert await home.outcome(tool, path, mode) == expected, row


PROTECTED = """
D01 .git/config
D01 .git/hooks/post-checkout
D01 .git/config.worktree
D01 .git/HEAD
D01 .git/info/attributes
D01 .git/modules/a/config
D01 .git
D01 .gitmodules
D01 .gitconfig
D01 .config/git/ignore
D01 .gitattributes
D02 .bashrc
D02 .bash_profile
D02 .bash_login
D02 .bash_aliases
D02 .bash_logout
D02 .profile
D02 .zshrc
D02 .zshenv
D02 .zprofile
D02 .zlogin
D02 .zlogout
D02 .config/fish/config.fish
D02 .envrc
D02 .inputrc
D02 .config/environment.d/a.conf
D03 .agent-tui/settings.json
D03 .agent-tui/agents/x.md
D03 CLAUDE.md
D03 sub/AGENTS.md
D03 CLAUDE.local.md
D03 .config/agent-tui/settings.json
D03 .local/share/agent-tui/trust.json
D04 .claude/settings.json
D04 .claude/commands/x.md
D04 .mcp.json
D04 .claude.json
D04 .cursor/rules
D04 .gemini/x
D04 .codex/x
D04 .vscode/tasks.json
D04 .idea/x
D04 .devcontainer/x
D04 .devcontainer.json
""".split("\n")


@pytest.mark.parametrize("line", [line for line in PROTECTED if line])
async def test_a_protected_file_is_asked_about_whatever_allows_it(home: Home, line: str) -> None:
    _row, path = line.split()
    for tool in ("Write", "Edit", "MultiEdit"):
        assert await home.outcome(tool, path, ACCEPT, allow=("Edit", tool, "Edit(**)", "*")) == "ask"
        assert await home.outcome(tool, path.upper(), ACCEPT, allow=(tool,)) == "ask"
        assert await home.outcome(tool, f"$H/{path}", ACCEPT, allow=("Edit(//**)",)) == "ask"


@pytest.mark.parametrize("path", ["gitconfig.py", "src/git/config", "docs/claude.txt", "bashrc", "share/x", "a.git"])
async def test_names_alike_are_not_protected(home: Home, path: str) -> None:
    assert await home.outcome("Write", path, ACCEPT) == "allow"


async def test_s01_a_denied_target_is_denied_through_a_link(home: Home) -> None:
    assert await home.outcome("Read", "key", "default", deny=("Read(~/.ssh/**)",)) == "deny"
    assert await home.outcome("Edit", "key", "bypassPermissions", deny=("Read(~/.ssh/**)",)) == "deny"


async def test_s01_allowing_the_link_is_not_enough(home: Home) -> None:
    assert await home.outcome("Read", "out/x", "default", allow=("Read(out/**)",)) == "ask"
    assert await home.outcome("Read", "out/x", "default", allow=("Read(//**)",)) == "allow"


@pytest.mark.parametrize("spelling", ["door", "real"])
async def test_s07_a_workspace_opened_by_a_link_is_inside_under_both_names(home: Home, spelling: str) -> None:
    door = home.home / "door"
    door.symlink_to(home.work)
    path = f"{door if spelling == 'door' else home.work}/src/app.py"
    assert await home.outcome("Edit", path, ACCEPT, roots=(door,)) == "allow"
    assert await home.outcome("Read", path, "default", roots=(door,)) == "allow"


async def test_p07_a_magic_link_is_decided_on_its_target(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.work)
    assert await home.outcome("Read", "/proc/self/cwd/src/app.py", "default") in ("allow", "ask")
    monkeypatch.chdir("/etc")
    assert await home.outcome("Read", "/proc/self/cwd/passwd", "default") == "ask"


async def test_p25_paths_follow_the_working_directory_and_are_shown_whole(home: Home) -> None:
    home.bench.state = home.bench.state.with_cwd(home.work / "src")
    assert await home.outcome("Read", "app.py", "default") == "allow"
    assert await home.outcome("Read", "../../other/x", "default") == "ask"
    access = Write().check_permissions(WriteInput(file_path="../../x", content=""), home.bench.context)
    assert access.writes[0].is_absolute()


@pytest.mark.parametrize(
    ("row", "tool", "path"),
    [
        ("P10", "Read", "/dev/zero"),
        ("P10", "Read", "/dev/tty"),
        ("P10", "Read", "fifo"),
        ("P10", "Write", "fifo"),
        ("P15", "Write", "."),
        ("P15", "Write", "/"),
        ("P16", "Write", "x" * 300),
        ("P16", "Write", "y/" * 2_500),
        ("S06", "Read", "loop"),
        ("S06", "Write", "loop"),
        ("S06", "Edit", "loop"),
        ("T03", "Write", "src"),
    ],
)
async def test_refused_when_it_runs_at_the_latest(home: Home, row: str, tool: str, path: str) -> None:
    os.mkfifo(home.work / "fifo")
    await home.outcome(tool, path, "default")
    assert await home.bench.refusal(TOOLS[tool], file_path=path, **ARGUMENTS[tool]), row
    assert (home.work / "loop").is_symlink()


async def test_p22_raw_bytes_in_a_name_are_decided_like_others(home: Home) -> None:
    path = home.work / os.fsdecode(b"caf\xe9")
    path.write_text("x")
    assert is_inside(path, (home.work,))
    assert not is_protected(path)
    assert not holds_secrets(path)


async def test_s12_a_planted_temporary_name_is_not_followed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is new and made exclusively: what lies there already is not written to."""
    flags: list[int] = []
    opened = os.open

    def watch(path: str, how: int, *args: int, **kwargs: int) -> int:
        if str(path).endswith(".tmp"):
            flags.append(how)
        return opened(path, how, *args, **kwargs)

    monkeypatch.setattr(os, "open", watch)
    await home.bench.run(Read(), file_path="src/app.py")
    await home.bench.run(Edit(), **EditInput(
        file_path="src/app.py", old_string="x", new_string="y", replace_all=False
    ).model_dump())  # fmt: skip
    assert flags
    assert all(how & os.O_EXCL for how in flags)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        (".env", True), (".ENV", True), (".env.local", True), (".env.example", False), ("a.pem", True), ("x.key", True),
        ("id_rsa", True), ("id_rsa.pub", False), ("id_ed25519_work", True), (".netrc", True), ("credentials", True),
        (".git-credentials", True), ("environment.py", False), ("keyboard.py", False), (".envrc", False),
    ],
)  # fmt: skip
def test_names_of_secrets(tmp_path: Path, name: str, secret: bool) -> None:
    assert holds_secrets(tmp_path / name) is secret
    (tmp_path / "plain.txt").symlink_to(tmp_path / name)
    assert holds_secrets(tmp_path / "plain.txt") is secret


CHECKS: list[Callable[[Path], bool]] = [is_protected, holds_secrets, lambda path: is_inside(path, (path,))]


@pytest.mark.parametrize("check", CHECKS)
def test_a_loop_or_an_endless_name_is_decided_without_an_error(tmp_path: Path, check: Callable[[Path], bool]) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / ("x" * 5_000), Path("/"), tmp_path / "loop" / "x"):
        assert check(path) in (True, False)

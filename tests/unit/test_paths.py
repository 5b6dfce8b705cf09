"""What becomes of a path that Read, Write or Edit is given: tables over a home with a workspace in it."""

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
            rules=(*(parse_rule(text) for text in allow), *(parse_rule(text, "deny") for text in deny)),
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
    ("relative to the working directory", "Read", "src/app.py", "default", "allow"),
    ("absolute inside", "Read", "$W/src/app.py", "default", "allow"),
    ("dots lead out", "Read", "src/../../other/x", "default", "ask"),
    ("dots lead out", "Read", "out/../../other/x", "default", "ask"),
    ("dots stay inside", "Edit", "src/../src/app.py", ACCEPT, "allow"),
    ("a name that begins alike", "Edit", "$W-evil/x", ACCEPT, "ask"),
    ("slashes and dots", "Read", "$W/", "default", "allow"),
    ("slashes and dots", "Read", "$W/.", "default", "allow"),
    ("slashes and dots", "Read", "$W//src///app.py", "default", "allow"),
    ("a magic link to the root", "Read", "/proc/self/root/etc/shadow", "default", "ask"),
    ("the environment of a process", "Read", "/proc/self/environ", "default", "ask"),
    ("the environment of a process", "Read", "/proc/1/environ", ACCEPT, "ask"),
    ("the home folder", "Read", "~/x", "default", "ask"),
    ("the home of another", "Read", "~root/x", "default", "ask"),
    ("the home of another", "Read", "~nosuchuser-x/x", "default", "refuse"),
    ("variables are names", "Read", "$HOME/x", "default", "ask"),
    ("variables are names", "Write", "${W}/x", "default", "ask"),
    ("a NUL", "Read", "src/a\0.py", "default", "refuse"),
    ("a NUL", "Write", "src/a\0.py", "bypassPermissions", "refuse"),
    ("no file named", "Write", "", ACCEPT, "refuse"),
    ("no file named", "Write", "   ", ACCEPT, "refuse"),
    ("a blank at the end", "Edit", "src/app.py ", ACCEPT, "allow"),
    ("no file named", "Write", ".", ACCEPT, "refuse"),
    ("no file named", "Write", "/", "bypassPermissions", "refuse"),
    ("a device", "Read", "/dev/zero", "default", "refuse"),
    ("a device", "Read", "/dev/stdin", "bypassPermissions", "refuse"),
    ("a device", "Write", "/dev/null", "bypassPermissions", "refuse"),
    ("too long", "Write", "x" * 300, ACCEPT, "refuse"),
    ("too long", "Read", "y/" * 2_500, "default", "refuse"),
    ("too long", "Write", "missing/" + "x" * 256, ACCEPT, "refuse"),
    ("a loop", "Read", "loop", "default", "refuse"),
    ("a loop", "Edit", "pool", "bypassPermissions", "refuse"),
    ("a loop", "Write", "loop/deep/x", ACCEPT, "refuse"),
    ("over a folder", "Write", "src", ACCEPT, "refuse"),
    ("an address", "Read", "file:///etc/passwd", "default", "refuse"),
    ("an address", "Read", "http://h/x", "bypassPermissions", "refuse"),
    ("a name that could fool a prompt", "Write", "a\nb", "default", "ask"),
    ("a name that could fool a prompt", "Write", "a\x1b[2Jb", "default", "ask"),
    ("a name that could fool a prompt", "Write", "a\u202eb", "default", "ask"),
    ("glob characters are names", "Edit", "[a]*.py", ACCEPT, "allow"),
    ("a link to a key", "Read", "key", "default", "ask"),
    ("a link that stays inside", "Edit", "in/app.py", ACCEPT, "allow"),
    ("a new file through a link", "Write", "out/new.txt", ACCEPT, "ask"),
    ("a dangling link", "Write", "dangling", ACCEPT, "ask"),
    ("a chain of links", "Edit", "one", ACCEPT, "ask"),
    ("git in capitals", "Write", ".GIT/hooks/pre-commit", ACCEPT, "ask"),
    ("git in capitals", "Write", ".Git/config", ACCEPT, "ask"),
    ("own settings in capitals", "Write", ".agent-tui/SETTINGS.json", ACCEPT, "ask"),
    ("git by a detour", "Write", ".git/./hooks//pre-commit", ACCEPT, "ask"),
    ("git by a detour", "Write", "src/../.git/config", ACCEPT, "ask"),
    ("git at any depth", "Write", "sub/pkg/.git/config", ACCEPT, "ask"),
    ("git in capitals", "Write", ".g\u0131t/x", ACCEPT, "allow"),
    ("invisible characters", "Write", ".g\u200cit/config", ACCEPT, "ask"),
    ("invisible characters", "Write", ".git\ufeff/hooks/x", ACCEPT, "ask"),
    ("a short name", "Write", "git~1/config", ACCEPT, "ask"),
    ("a short name", "Write", "GITMOD~1", ACCEPT, "ask"),
    ("a short name", "Write", "CLAUDE~1/settings.json", ACCEPT, "ask"),
    ("a blank at the end", "Write", ".git /config", ACCEPT, "ask"),
    ("an alternate stream", "Write", ".git::$INDEX_ALLOCATION/config", ACCEPT, "ask"),
    ("other agents", "Write", ".claude/worktrees/a/src/x.py", ACCEPT, "allow"),
    ("other agents", "Write", ".claude/worktrees/a/.git/config", ACCEPT, "ask"),
    ("a protected file that is missing", "Write", "new/.vscode/tasks.json", ACCEPT, "ask"),
    ("bypassing", "Write", ".git/config", "bypassPermissions", "allow"),
    ("names of secrets", "Read", "secret/.env", "default", "ask"),
    ("names of secrets", "Read", "key.pub", "default", "allow"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "tool", "path", "mode", "expected"), CASES)
async def test_path_case(home: Home, what: str, tool: str, path: str, mode: PermissionMode, expected: Outcome) -> None:
    assert await home.outcome(tool, path, mode) == expected, what


PROTECTED = """
.git/config
.git/hooks/post-checkout
.git/config.worktree
.git/HEAD
.git/info/attributes
.git/modules/a/config
.git
.gitmodules
.gitconfig
.config/git/ignore
.gitattributes
.bashrc
.bash_profile
.bash_login
.bash_aliases
.bash_logout
.profile
.zshrc
.zshenv
.zprofile
.zlogin
.zlogout
.config/fish/config.fish
.envrc
.inputrc
.config/environment.d/a.conf
.agent-tui/settings.json
.agent-tui/agents/x.md
CLAUDE.md
sub/AGENTS.md
CLAUDE.local.md
.config/agent-tui/settings.json
.local/share/agent-tui/trust.json
.claude/settings.json
.claude/commands/x.md
.mcp.json
.claude.json
.cursor/rules
.gemini/x
.codex/x
.vscode/tasks.json
.idea/x
.devcontainer/x
.devcontainer.json
.windsurf/x
.husky/pre-commit
lefthook.yml
lefthook.yaml
.pre-commit-config.yaml
.npmrc
.yarnrc
.yarnrc.yml
.yarn/releases/yarn.cjs
.pnp.cjs
.pnp.loader.mjs
.pnpmfile.cjs
bunfig.toml
.bunfig.toml
.cargo/config.toml
.mvn/extensions.xml
gradle/wrapper/gradle-wrapper.properties
.mvn/wrapper/maven-wrapper.properties
.bazelrc
.bazelversion
.ripgreprc
pyrightconfig.json
.ssh/authorized_keys
.gnupg/gpg.conf
.aws/credentials
.config/gh/hosts.yml
.netrc
.docker/config.json
.kube/config
.pypirc
.local/share/keyrings/login.keyring
.config/autostart/x.desktop
.config/systemd/user/x.service
Library/LaunchAgents/x.plist
var/spool/cron/crontabs/u
etc/cron.d/x
.local/bin/ls
lib/python3.11/site-packages/x.pth
lib/python3.11/site-packages/sitecustomize.py
usercustomize.py
""".split("\n")


@pytest.mark.parametrize("path", [line for line in PROTECTED if line])
async def test_a_protected_file_is_asked_about_whatever_allows_it(home: Home, path: str) -> None:
    for tool in ("Write", "Edit", "MultiEdit"):
        assert await home.outcome(tool, path, ACCEPT, allow=("Edit", tool, "Edit(**)")) == "ask"
        assert await home.outcome(tool, path.upper(), ACCEPT, allow=(tool,)) == "ask"
        assert await home.outcome(tool, f"$H/{path}", ACCEPT, allow=("Edit(//**)",)) == "ask"


@pytest.mark.parametrize(
    "path",
    [
        "gitconfig.py", "src/git/config", "docs/claude.txt", "bashrc", "share/x", "a.git", "config.json", "bin/tool",
        "model.pth", "lib/python3.11/site-packages/conftest.py", "conftest.py", ".gitignore", "cron.py", "ssh/config",
        "src/hooks/useRefs.ts", "lefthook.md", ".config/app/settings.toml",
    ],
)  # fmt: skip
async def test_names_alike_are_not_protected(home: Home, path: str) -> None:
    assert await home.outcome("Write", path, ACCEPT) == "allow"


async def test_a_denied_target_is_denied_through_a_link(home: Home) -> None:
    assert await home.outcome("Read", "key", "default", deny=("Read(~/.ssh/**)",)) == "deny"
    assert await home.outcome("Edit", "key", "bypassPermissions", deny=("Read(~/.ssh/**)",)) == "deny"


async def test_allowing_the_link_is_not_enough(home: Home) -> None:
    assert await home.outcome("Read", "out/x", "default", allow=("Read(out/**)",)) == "ask"
    assert await home.outcome("Read", "out/x", "default", allow=("Read(//**)",)) == "allow"


@pytest.mark.parametrize("spelling", ["door", "real"])
async def test_a_workspace_opened_by_a_link_is_inside_under_both_names(home: Home, spelling: str) -> None:
    door = home.home / "door"
    door.symlink_to(home.work)
    path = f"{door if spelling == 'door' else home.work}/src/app.py"
    assert await home.outcome("Edit", path, ACCEPT, roots=(door,)) == "allow"
    assert await home.outcome("Read", path, "default", roots=(door,)) == "allow"


async def test_a_magic_link_is_decided_on_its_target(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.work)
    assert await home.outcome("Read", "/proc/self/cwd/src/app.py", "default") in ("allow", "ask")
    monkeypatch.chdir("/etc")
    assert await home.outcome("Read", "/proc/self/cwd/passwd", "default") == "ask"


async def test_paths_follow_the_working_directory_and_are_shown_whole(home: Home) -> None:
    home.bench.state = home.bench.state.with_cwd(home.work / "src")
    assert await home.outcome("Read", "app.py", "default") == "allow"
    assert await home.outcome("Read", "../../other/x", "default") == "ask"
    access = Write().check_permissions(WriteInput(file_path="../../x", content=""), home.bench.context)
    assert access.writes[0].is_absolute()


@pytest.mark.parametrize(
    ("what", "tool", "path"),
    [
        ("a device", "Read", "/dev/zero"),
        ("a device", "Read", "/dev/tty"),
        ("a device", "Read", "fifo"),
        ("a device", "Write", "fifo"),
        ("no file named", "Write", "."),
        ("no file named", "Write", "/"),
        ("too long", "Write", "x" * 300),
        ("too long", "Write", "y/" * 2_500),
        ("a loop", "Read", "loop"),
        ("a loop", "Write", "loop"),
        ("a loop", "Edit", "loop"),
        ("over a folder", "Write", "src"),
    ],
)
async def test_refused_when_it_runs_at_the_latest(home: Home, what: str, tool: str, path: str) -> None:
    os.mkfifo(home.work / "fifo")
    await home.outcome(tool, path, "default")
    assert await home.bench.refusal(TOOLS[tool], file_path=path, **ARGUMENTS[tool]), what
    assert (home.work / "loop").is_symlink()


async def test_raw_bytes_in_a_name_are_decided_like_others(home: Home) -> None:
    path = home.work / os.fsdecode(b"caf\xe9")
    path.write_text("x")
    assert is_inside(path, (home.work,))
    assert not is_protected(path)
    assert not holds_secrets(path)


async def test_a_planted_temporary_name_is_not_followed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
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
        (".git-credentials", True), (".pypirc", True), (".docker/config.json", True), (".kube/config", True),
        (".config/gh/hosts.yml", True), ("share/keyrings/login.keyring", True), ("etc/shadow", True),
        (".ssh/config", True), (".aws/config", True), (".gnupg/x", True),
        (".bash_history", True), (".zsh_history", True), (".pgpass", True), ("cert.p12", True), ("store.jks", True),
        ("client_secret_1.json", True), ("service-account.json", True), ("service-account.yaml", False),
        (".env.sample", False), (".env.local.example", False), (".ssh/x.pub", False),
        ("credentials.example.json", False), ("secrets.py", False), ("secrets.yaml", True), (".npmrc", False),
        ("id_rsa_test.go", False), ("docs/shadow.md", False), ("config.json", False),
        ("environment.py", False), ("keyboard.py", False), (".envrc", True),
        (".vault_pass", True), (".m2/settings.xml", True), (".codex/auth.json", True), (".config/hub", True),
        (".config/pip/pip.conf", True), (".config/containers/auth.json", True), (".subversion/auth/x", True),
        (".curlrc", True), (".wgetrc", True), ("run/secrets/db", True), ("etc/ssh/ssh_host_rsa_key", True),
        ("etc/ssh/ssh_host_rsa_key.pub", False), ("etc/ssl/private/x", True), ("etc/sudoers", True),
        (".git/config", True), (".git/HEAD", False),
    ],
)  # fmt: skip
def test_names_of_secrets(tmp_path: Path, name: str, secret: bool) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    assert holds_secrets(tmp_path / name) is secret
    (tmp_path / "plain.txt").symlink_to(tmp_path / name)
    assert holds_secrets(tmp_path / "plain.txt") is secret


CHECKS: list[Callable[[Path], bool]] = [is_protected, holds_secrets, lambda path: is_inside(path, (path,))]


@pytest.mark.parametrize("check", CHECKS)
def test_a_loop_or_an_endless_name_is_decided_without_an_error(tmp_path: Path, check: Callable[[Path], bool]) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / ("x" * 5_000), Path("/"), tmp_path / "loop" / "x"):
        assert check(path) in (True, False)

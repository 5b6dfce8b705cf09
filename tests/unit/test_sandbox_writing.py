"""``sandbox.enabled``: commands write in the working folder only, not to what other programs obey, and stay offline."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.host import process
from core.host.sandbox.sandbox import Kind, Sandbox
from core.permissions.access import Access
from core.protocol.events import Notice
from core.protocol.views import PermissionMode
from core.tools.base import ToolResult
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from core.tools.confining import SandboxRules
from tests.fakes.tools import PATIENCE_S, Bench, names, open_bench, program

ENABLED = SandboxRules(is_enabled=True)


@pytest.fixture
async def bench(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    async with open_bench(tmp_path, confine_by=Sandbox((kind,)), sandbox=ENABLED) as bench:
        yield bench


@pytest.fixture
async def wrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A repository, confined by bubblewrap."""
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    sandbox = Sandbox(("bubblewrap",))
    if await sandbox.find() is None:
        pytest.skip(sandbox.unavailable_because)
    async with open_bench(tmp_path, confine_by=sandbox, sandbox=ENABLED, **WHO) as bench:
        program("git", "init", "-q", cwd=bench.root)
        yield bench


WHO: dict[str, Any] = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


async def run(bench: Bench, command: str, rules: SandboxRules = ENABLED, **more: Any) -> ToolResult:
    return await bench.run(Bash(rules), command=command, **more)


# Both


async def test_it_writes_in_the_working_folder_and_a_temp_folder(bench: Bench) -> None:
    result = await run(bench, 'mkdir -p a/b && echo x > a/b/f && mv a/b/f a/g && chmod 700 a && echo y > "$TMPDIR/t"')
    assert not result.is_error
    assert (bench.root / "a/g").read_text() == "x\n"


@pytest.mark.parametrize("place", ["..", "/tmp", "/var/tmp", "~", "/dev/shm/../../tmp", "out"])
async def test_it_writes_nowhere_else(bench: Bench, place: str) -> None:
    (bench.root.parent / "outside").mkdir()
    (bench.root / "out").symlink_to(bench.root.parent / "outside")
    name = f"agent-tui-test-{bench.mark}"
    result = await run(bench, f"ln -s {place} own; touch {place}/{name} || touch own/{name}")
    assert result.is_error
    assert "[It ran confined" in str(result.content)
    places = (bench.root / place, Path(place).expanduser(), bench.root.parent / "outside")
    assert not any((folder / name).exists() for folder in places)


async def test_further_folders_and_settings_open_more(bench: Bench, tmp_path: Path) -> None:
    for name in ("added", "allowed", "neither"):
        (tmp_path / name).mkdir()
    rules = replace(ENABLED, allow_write=(tmp_path / "allowed", tmp_path / "missing"))
    context = replace(bench.context, folders=(bench.root, tmp_path / "added"))
    command = "for f in added allowed neither; do touch ../$f/x; done"
    await Bash(rules).run(Bash(rules).input_type.model_validate({"command": command}), context)
    assert [names(tmp_path / name) for name in ("added", "allowed", "neither")] == [["x"], ["x"], []]


async def test_the_network_is_off_or_on(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = f"exec 3<> /dev/tcp/127.0.0.1/{server.getsockname()[1]} && echo reached"
        assert "reached" not in str((await run(bench, command)).content)
        online = replace(ENABLED, domains=("*",))
        assert (await run(bench, command, online)).content == "reached"
        assert "reached" not in str((await run(bench, command, replace(ENABLED, domains=("example.org",)))).content)


async def test_it_may_leave_only_where_it_says_so_and_may(bench: Bench) -> None:
    await run(bench, f"touch ../{bench.mark}", dangerouslyDisableSandbox=True)
    assert (bench.root.parent / bench.mark).exists()


async def test_excluded_commands_run_outside(bench: Bench) -> None:
    rules = replace(ENABLED, excluded=("touch:*", "git push *"))
    await run(bench, f"touch ../{bench.mark}", rules)
    assert (bench.root.parent / bench.mark).exists()
    for command in ("touchy", "touch x; rm y", "touch $(x)", "git pushy", "git push\nx"):
        assert not rules.is_excluded(command), command
    assert rules.is_excluded("git push") and rules.is_excluded(" git push origin ")


async def test_a_users_own_line_is_not_confined(bench: Bench) -> None:
    await bench.run(Bash(), command=f"touch ../{bench.mark}")
    assert (bench.root.parent / bench.mark).exists()


# What needs namespaces


@pytest.mark.parametrize(
    "command",
    [
        "touch .git/hooks/pre-commit",
        "echo x >> .git/config",
        "git config core.fsmonitor ./evil",
        "git config core.hooksPath ./evil",
        "mv .git .git2 && git init -q",
        "mv .git/hooks .git/old",
        "mkdir -p .git/modules/x",
        "mkdir -p .claude/agents",
        "echo x > .vscode/tasks.json",
        "mv .vscode .code",
        "rm -r .vscode",
        "echo x >> CLAUDE.md",
        "rm AGENTS.md",
        "sed -i s/a/b/ CLAUDE.md",
        "ln -sf /etc/passwd CLAUDE.md",
    ],
)
async def test_protected_places_stay_as_they_are(wrapped: Bench, command: str) -> None:
    root = wrapped.root
    (root / ".vscode").mkdir()
    (root / "CLAUDE.md").write_text("a\n")
    (root / "AGENTS.md").write_text("a\n")
    before = snapshot(root)
    result = await run(wrapped, command)
    assert result.is_error
    assert "[It ran confined" in str(result.content)
    assert snapshot(root) == before


def snapshot(root: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


async def test_commits_go_on(wrapped: Bench) -> None:
    result = await run(
        wrapped,
        "echo x > f && git add f && git commit -qm one && git checkout -q -b side && echo y > f && git commit -qam two "
        "&& git stash list && git tag t && git rebase -q HEAD~1 && git reset -q --hard HEAD~1 && git log --format=%s",
    )
    assert result.content == "one"
    assert names(wrapped.root) == [".git", "f"]
    assert {".claude", ".agents"}.isdisjoint(names(wrapped.root))


PLANTED = [".vscode", ".envrc", ".mcp.json", "AGENTS.md", "CLAUDE.md", ".npmrc", ".husky"]


@pytest.mark.parametrize("name", PLANTED)
async def test_a_protected_place_that_is_made_is_taken_away(wrapped: Bench, name: str) -> None:
    result = await run(wrapped, f"echo evil > {name}; echo done")
    assert not (wrapped.root / name).exists()
    aside = wrapped.services.output_dir / "b000001-put-aside"
    assert names(aside) == [f"0-{name}"]
    assert str(result.content).startswith(
        f"done\n[Taken away, since other programs obey or execute such files: "
        f"{wrapped.root / name}. What was there is in {aside}."
    )


async def test_a_repository_that_is_made_is_taken_away(wrapped: Bench) -> None:
    shutil.rmtree(wrapped.root / ".git")
    result = await run(wrapped, "git init -q && git config core.fsmonitor ./evil")
    assert "Taken away" in str(result.content)
    assert names(wrapped.root) == []


async def test_what_redirects_a_repository_is_taken_away(wrapped: Bench) -> None:
    result = await run(wrapped, "echo ../evil > .git/commondir; echo x > .git/config.worktree")
    assert "commondir" in str(result.content) and "config.worktree" in str(result.content)
    assert {"commondir", "config.worktree"}.isdisjoint(names(wrapped.root / ".git"))


async def test_a_protected_link_is_put_back(wrapped: Bench) -> None:
    (wrapped.root / "docs").mkdir()
    (wrapped.root / "CLAUDE.md").symlink_to("docs/AGENTS.md")
    await run(wrapped, "rm CLAUDE.md; echo evil > CLAUDE.md")
    assert (wrapped.root / "CLAUDE.md").readlink() == Path("docs/AGENTS.md")
    assert not (await run(wrapped, "echo fine")).is_error


async def test_beside_other_work_it_is_told_and_left(wrapped: Bench) -> None:
    await run(wrapped, "mkdir .vscode", run_in_background=True)
    await wrapped.services.shells.background[0].done.wait()
    assert (wrapped.root / ".vscode").is_dir()
    assert str(wrapped.root / ".vscode") in wrapped.events(Notice)[0].text


async def test_a_refusal_in_the_background_is_explained(wrapped: Bench) -> None:
    await run(wrapped, "touch ../x", run_in_background=True)
    shell = wrapped.services.shells.background[0]
    await shell.done.wait()
    assert "[It ran confined" in await wrapped.text(BashOutput(), shell_id=shell.id)


async def test_empty_places_are_held_only_meanwhile_and_for_the_last(wrapped: Bench) -> None:
    os.mkfifo(wrapped.root / "gate")
    gate = os.open(wrapped.root / "gate", os.O_RDWR)
    call = asyncio.create_task(run(wrapped, "echo begun; read < gate; mkdir .claude/x"))
    await wrapped.until_reported(lambda: bool(wrapped.reports))
    assert ".claude" in names(wrapped.root)
    await run(wrapped, "true")
    assert ".claude" in names(wrapped.root)
    os.write(gate, b"go\n")
    assert (await call).is_error
    os.close(gate)
    assert names(wrapped.root) == [".git", "gate"]


async def test_a_folder_of_the_users_own_is_not_removed(wrapped: Bench) -> None:
    (wrapped.root / ".claude").mkdir()
    await run(wrapped, "true")
    assert ".claude" in names(wrapped.root)


@pytest.mark.parametrize(
    "command", ["sleep 1000", "trap '' TERM; while :; do sleep 0.01; done", "setsid -f sleep 1000; sleep 1000"]
)
async def test_killing_leaves_no_process_and_no_place(wrapped: Bench, command: str) -> None:
    await run(wrapped, f"echo begun; {command}", timeout=300)
    assert await wrapped.is_quiet()
    assert names(wrapped.root) == [".git"]


async def test_what_is_left_running_ends_with_the_command(wrapped: Bench) -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert (await run(wrapped, "sleep 1000 & setsid -f sleep 1000; echo started")).content == "started"
    assert await wrapped.is_quiet()


async def test_a_process_finds_itself_in_proc(wrapped: Bench) -> None:
    assert not (await run(wrapped, "grep -q bash /proc/$$/comm && ps -p $$ >/dev/null")).is_error


async def test_settings_inside_the_working_folder_are_protected(wrapped: Bench) -> None:
    own = wrapped.root / "home/config"
    own.mkdir(parents=True)
    rules = replace(ENABLED, own_places=(own,))
    result = await run(wrapped, "touch home/x; touch home/config/settings.json; mv home else", rules)
    assert result.is_error
    assert names(wrapped.root / "home") == ["config", "x"]
    assert names(own) == []


async def test_what_the_user_names_is_open(wrapped: Bench) -> None:
    (wrapped.root / ".vscode").mkdir()
    rules = replace(ENABLED, allow_write=(wrapped.root / ".git/hooks",))
    assert not (await run(wrapped, "touch .git/hooks/x", rules)).is_error


# The decision


def opinion(bench: Bench, rules: SandboxRules, mode: PermissionMode = "default", **arguments: Any) -> Access:
    tool = Bash(rules)
    context = replace(bench.context, mode=mode)
    return tool.check_permissions(tool.input_type.model_validate({"command": "make", **arguments}), context)


async def test_leaving_is_always_asked_about(bench: Bench) -> None:
    out: dict[str, Any] = {"dangerouslyDisableSandbox": True}
    assert opinion(bench, ENABLED, **out).verdict == "pass", "nothing works yet as far as is known"
    await bench.host.sandbox.find()
    for rules in (ENABLED, SandboxRules()):
        for command in ("make", "ls"):
            access = opinion(bench, rules, command=command, **out)
            assert (access.verdict, access.is_read_only) == ("ask", False)
        assert opinion(bench, rules, mode="dontAsk", **out).verdict == "ask"
        assert opinion(bench, rules, mode="bypassPermissions", **out).verdict == "pass"
        assert opinion(bench, rules, mode="plan", **out).verdict == "pass"
    assert opinion(bench, replace(ENABLED, may_leave=False), **out).verdict == "deny"


async def test_consent_is_needed_unless_the_user_says_otherwise(bench: Bench, kind: Kind) -> None:
    await bench.host.sandbox.find()
    free = replace(ENABLED, asks_nothing=True, excluded=("docker",))
    assert opinion(bench, ENABLED).verdict == "pass"
    # Landlock cannot protect what lies in the working folder.
    assert not opinion(bench, ENABLED).is_held
    assert opinion(bench, free).is_held == (kind == "bubblewrap")
    assert not opinion(bench, free, command="docker ps").is_held
    assert not opinion(bench, free, mode="plan").is_held
    assert not opinion(bench, replace(free, is_enabled=False)).is_held


async def test_without_a_sandbox_nothing_is_free(tmp_path: Path) -> None:
    async with open_bench(tmp_path, confine_by=Sandbox(()), sandbox=ENABLED) as bench:
        await bench.host.sandbox.find()
        assert not opinion(bench, replace(ENABLED, asks_nothing=True)).is_held
        is_well, text = ENABLED.describe(bench.host.sandbox, bench.root)
        assert not is_well and "cannot be confined" in text


async def test_the_way_out_is_offered_only_where_there_is_something_to_leave() -> None:
    assert "dangerouslyDisableSandbox" in Bash(ENABLED).schema["properties"]
    assert "confined" in Bash(ENABLED).description
    assert "dangerouslyDisableSandbox" not in str(Bash().schema)
    assert "confined" not in Bash().description


async def test_what_works_is_described(bench: Bench, kind: Kind) -> None:
    await bench.host.sandbox.find()
    is_well, text = ENABLED.describe(bench.host.sandbox, bench.root)
    assert is_well == (kind == "bubblewrap")
    assert str(bench.root) in text and "no network" in text
    assert ("does not cover protected places inside the working folder" in text) == (kind == "landlock")
    assert not replace(ENABLED, domains=("github.com",)).describe(bench.host.sandbox, bench.root)[0]

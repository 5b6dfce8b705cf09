"""What a command inherits: nothing that makes it more than it says where nobody was asked, the project's own where
somebody was. Planted programs do not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.host.sandbox.sandbox import Sandbox
from core.tools.builtin.bash.tool import Bash
from core.tools.shell_environment import PROGRAM_NAMES, SHELL_NAMES
from tests.fakes.tools import Bench, open_bench, program

START_UP = dict.fromkeys(SHELL_NAMES - {"IFS", "TMOUT", "BASH_XTRACEFD", "SHELLOPTS", "BASHOPTS"}, "/planted")
OF_PROGRAMS = dict.fromkeys(PROGRAM_NAMES, "planted") | {
    "PYTHONPATH": "planted", "PYTHONSTARTUP": "planted", "GIT_EXTERNAL_DIFF": "planted", "GIT_DIR": "planted",
    "LD_LIBRARY_PATH": "/planted", "DYLD_INSERT_LIBRARIES": "planted",
}  # fmt: skip


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Without a sandbox, so that nothing but the environment holds a command back."""
    work = tmp_path / "work"
    (work / "bin").mkdir(parents=True)
    for folder in (work, work / "bin"):
        for name in ("ls", "git", "bash"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/PLANTED\necho planted\n")
            (folder / name).chmod(0o755)
    path = f".:{work}/bin::{work}/../work:{os.environ['PATH']}"
    functions = {"BASH_FUNC_cat%%": f"() {{ touch {tmp_path}/PLANTED; }}"}
    environ: dict[str, Any] = {**START_UP, **OF_PROGRAMS, **functions, "PATH": path}
    async with open_bench(tmp_path, confine_by=Sandbox(()), **environ) as bench:
        yield bench


def is_planted(bench: Bench) -> bool:
    return (bench.root.parent / "PLANTED").exists()


async def test_unasked_nothing_planted_runs(bench: Bench) -> None:
    bench.is_unasked = True
    text = await bench.text(Bash(), command="ls; git --version; cat /dev/null; cd bin; ls; env")
    assert not is_planted(bench)
    ours = ("_=", "PWD=", "OLDPWD=", "PYTEST", "[The working directory")
    planted = [line for line in text.splitlines() if "planted" in line and not line.startswith(ours)]
    assert planted == []
    kept = {line.partition("=")[0] for line in text.splitlines() if "=" in line}
    assert {"HOME", "AGENT_TUI", "GIT_CONFIG_COUNT"} <= kept


async def test_with_consent_the_projects_own_programs_run(bench: Bench) -> None:
    assert (await bench.text(Bash(), command="ls")) == "planted"
    assert is_planted(bench)


async def test_with_consent_the_projects_own_options_hold(bench: Bench) -> None:
    text = await bench.text(Bash(), command="env")
    for name in ("NODE_OPTIONS", "PYTHONPATH", "LD_LIBRARY_PATH"):
        assert f"\n{name}=" in f"\n{text}"


@pytest.mark.parametrize("is_unasked", [True, False])
async def test_the_shell_itself_is_never_changed(bench: Bench, is_unasked: bool) -> None:
    bench.is_unasked = is_unasked
    text = await bench.text(Bash(), command='type cat; printf "%s\\n" "$PATH"; env')
    assert not is_planted(bench)
    assert text.startswith("cat is /")
    assert not any(line.startswith((".:", ":")) or "::" in line for line in text.splitlines()[1:2])
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert names.isdisjoint(START_UP)


async def test_a_planted_library_is_not_loaded(bench: Bench) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    source, library = bench.root / "evil.c", bench.root / "evil.so"
    opened = f'fopen("{bench.root.parent}/PLANTED", "w");'
    source.write_text(f"#include <stdio.h>\n__attribute__((constructor)) void go(void) {{ {opened} }}")
    program("cc", "-shared", "-fPIC", "-o", str(library), str(source))
    environ = {**bench.host.environ, "LD_PRELOAD": str(library)}
    program("/bin/true", env=environ)
    assert is_planted(bench), "the library does what it is for"
    (bench.root.parent / "PLANTED").unlink()
    object.__setattr__(bench.host, "environ", environ)
    bench.is_unasked = True
    await bench.text(Bash(), command="true; cat /dev/null")
    # The shell itself was started without it too.
    assert not is_planted(bench)


@pytest.mark.parametrize("confine_by", [Sandbox(), Sandbox(())])
async def test_a_repository_runs_nothing(tmp_path: Path, confine_by: Sandbox) -> None:
    """Confined even what the environment cannot stop comes to nothing."""
    async with open_bench(tmp_path, confine_by=confine_by) as bench:
        root, mark = bench.root, tmp_path / "PLANTED"
        evil = tmp_path / "evil"
        evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
        evil.chmod(0o755)
        is_confined = await confine_by.find() is not None
        settings = {"core.fsmonitor": evil, "core.hooksPath": tmp_path, "core.pager": evil}
        if is_confined:
            settings |= {"diff.x.textconv": evil, "filter.x.clean": evil, "diff.external": evil}
        (root / "f").write_text("one\n")
        (root / ".gitattributes").write_text("f diff=x filter=x\n")
        for arguments in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.email=a", "-c", "user.name=n", "commit", "-qm", "x"],
        ):
            program("git", *arguments, cwd=root)
        for key, value in settings.items():
            program("git", "config", key, str(value), cwd=root)
        (tmp_path / "post-index-change").symlink_to(evil)
        (root / "f").write_text("two\n")
        bench.is_unasked = True
        await bench.run(Bash(), command="git status; git diff; git log -p; git show; git branch; git stash list")
        assert not mark.exists()
        program("git", "status", cwd=root)
        assert mark.exists(), "plain git would have run it"

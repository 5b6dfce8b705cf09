"""A real repository with the files that the read-only commands of the tests talk about."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

FILES = {
    "README.md": "# Title\n\nUsage: x\n",
    "notes.txt": "a b\nc\nend\n",
    "other.txt": "a b\nd\n",
    "data.csv": "name,n\na,1\nb,2\n",
    "data.json": '{"users": [{"name": "a", "age": 31}], "env": 1}\n',
    "package.json": '{"name": "p", "version": "1.0.0", "scripts": {"test": "x"}, "dependencies": {}}\n',
    "src/app.py": "import os\n\n\nclass App:\n    pass  # TODO\n",
    "tests/test_app.py": "import app\n",
    "logs/app.log": "ERROR x\nok\n",
    "dir with space/file one.txt": "x\n",
    "Makefile": "all:\n\techo x\n",
}

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "USER": "u",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "diff.autoRefreshIndex",
    "GIT_CONFIG_VALUE_1": "false",
}


def commands(name: str) -> list[str]:
    """The commands of a table beside this file."""
    return [row for row in (DATA / name).read_text("utf-8").splitlines() if row and not row.startswith("# ")]


def make_repository(folder: Path) -> None:
    """Fills the folder, with two commits and a branch."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "notes.txt.gz").write_bytes(gzip.compress(b"a\nend\n"))
    with tarfile.open(folder / "archive.tar", "w") as archive:
        archive.add(folder / "notes.txt", "notes.txt")
    git = ["git", "-C", str(folder), "-c", "user.name=u", "-c", "user.email=u@example.com"]
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-qm", "one"],
        ["branch", "feature/x"],
        ["commit", "-qm", "two", "--allow-empty"],
        ["config", "user.name", "u"],
        ["config", "user.email", "u@example.com"],
    ):
        subprocess.run([*git, *arguments], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})


def digest(folder: Path) -> dict[str, str]:
    """Every file in the folder with what it holds, and every folder."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        holds = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[path.relative_to(folder).as_posix()] = holds
    return found


def make_planted_repository(folder: Path) -> Path:
    """A repository with another one hidden in it, of the kind that git obeys when it comes across it."""
    make_repository(folder)
    planted = folder / "vendor" / "evil.git"
    for name in ("objects", "refs"):
        (planted / name).mkdir(parents=True)
    (planted / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


CASES: list[dict[str, Any]] = [json.loads(row) for row in (DATA / "bash_cases.jsonl").read_text("utf-8").splitlines()]
"""Shell lines, whether they only read, and why."""

"""The installed program in a terminal, and the strict server beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.host.files import write_atomic
from tests.bench.pty_child import PtyChild

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("agent-tui")
MARK = "AGENT_TUI_E2E_MARK"
PATIENCE_S = 30
ENTER, ESCAPE, UP, CTRL_C, CTRL_D, TAB = b"\r", b"\x1b", b"\x1b[A", b"\x03", b"\x04", b"\t"
ALT_ON, ALT_OFF = b"\x1b[?1049h", b"\x1b[?1049l"


def inherited() -> dict[str, str]:
    """The surroundings, without what the test runner says of its output, and with compiled modules as users have."""
    dropped = ("COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "agent-tui-e2e-compiled")}


class Server:
    """The stand-in for the API in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.log = folder / "requests.jsonl"

    def start(self, *replies: Any, key: str = "key", is_brief: bool = False) -> str:
        """Serve these replies in order; the address. ``is_brief``: the log has no bodies."""
        script = self._folder / "script.json"
        script.write_text(json.dumps({"replies": replies}))
        arguments = ["--port", "0", "--script", str(script), "--valid-key", key, "--log", str(self.log)]
        arguments += ["--brief"] if is_brief else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.api_server", *arguments],
            cwd=ROOT,
            env=inherited(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process.wait(PATIENCE_S)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """Requests for a message that is read."""
        return [entry for entry in self.requests if entry["path"] == "/v1/messages" and not entry["prewarm"]]

    @property
    def rejections(self) -> list[Any]:
        return [entry["rejection"] for entry in self.requests if entry["rejection"]]


class Machine:
    """A home and a project of their own, and the programs that were started there."""

    def __init__(self, base: Path, home: Path) -> None:
        self.project = base / "project"
        self.home = home
        self.data = home / "agent-tui" / "data"
        self.mark = uuid.uuid4().hex
        self._children: list[PtyChild] = []
        self.project.mkdir()

    def repository(self, files: Mapping[str, str] | None = None) -> None:
        """Make the project a git repository that the user trusts."""
        for name, text in (files or {}).items():
            (self.project / name).write_text(text)
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.project)], check=True)
        self.trust()

    def trust(self) -> None:
        write_atomic(self.data / "trust.json", json.dumps({"folders": [str(self.project)]}).encode())

    def environ(self, url: str = "", **more: str) -> dict[str, str]:
        keys = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "key"} if url else {}
        return {**inherited(), **keys, MARK: self.mark, **more}

    def start(
        self,
        url: str,
        *arguments: str,
        size: tuple[int, int] = (120, 36),
        program: Sequence[str] = (str(PROGRAM),),
        **environ: str,
    ) -> PtyChild:
        """The program in a terminal, once its input is there."""
        argv = [*program, *arguments]
        child = PtyChild(argv, self.environ(url, **environ), self.project, columns=size[0], rows=size[1])
        self._children.append(child)
        return child

    def close(self) -> None:
        for child in self._children:
            child.close()

    def processes(self) -> list[int]:
        """Living processes that any of the programs started, wherever they went."""
        needle = f"{MARK}={self.mark}".encode()
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        return [pid for pid in found if _carries(pid, needle)]


def _carries(pid: int, needle: bytes) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and needle in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def text(words: str, **fields: Any) -> dict[str, Any]:
    """A reply of one text."""
    return {"blocks": [{"type": "text", "text": words}], **fields}


def tools(*calls: tuple[str, dict[str, Any]], words: str = "") -> dict[str, Any]:
    """A reply that calls tools."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": words}] if words else []
    return {"blocks": [*blocks, *({"type": "tool_use", "name": name, "input": given} for name, given in calls)]}


def say(child: PtyChild, prompt: str) -> None:
    """Type a prompt and send it."""
    child.send(prompt.encode())
    child.read_until(prompt)
    child.send(ENTER)


def answer(child: PtyChild, key: bytes, of: str) -> None:
    """Answer a question; the keys of its first moments are ignored, so it is pressed until the question is gone."""
    child.read_until(of)
    child.press_until_gone(key, of)


def leave(child: PtyChild) -> int:
    """Ctrl+D twice; the exit code."""
    child.send(CTRL_D)
    child.read_until("once more leaves")
    child.send(CTRL_D)
    return child.wait()

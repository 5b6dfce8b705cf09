"""The installed program without a window, against the local server: arguments, exit codes, signals, imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("agent-tui")
PATIENCE_S = 60


class Server:
    """The stand-in server in a process of its own, with a script file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.log = folder / "requests.jsonl"

    def start(self, *replies: Any) -> str:
        script = self._folder / "script.json"
        script.write_text(json.dumps({"replies": replies}))
        arguments = ["--port", "0", "--script", str(script), "--valid-key", "key", "--log", str(self.log)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.api_server", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
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


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("server"))
    yield found
    found.stop()


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "key"}


def agent(cwd: Path, url: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *arguments],
        cwd=cwd,
        env=environment(url),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def text(words: str) -> dict[str, Any]:
    return {"blocks": [{"type": "text", "text": words}]}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"blocks": [{"type": "tool_use", "name": name, "input": arguments}]}


def test_prompt_from_argument_and_standard_input(tmp_path: Path, server: Server) -> None:
    url = server.start(text("Hello."))
    done = agent(tmp_path, url, "-p", "Explain:", stdin="a piped text\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello.\n", "")
    sent = server.requests[0]["body"]["messages"][0]["content"][-1]["text"]
    assert sent == "Explain:\n\na piped text\n"


def test_stream_json_with_tools_and_rules(tmp_path: Path, server: Server) -> None:
    url = server.start(tool("Bash", command="touch made"), tool("Bash", command="touch other"), text("Done."))
    done = agent(tmp_path, url, "-p", "go", "--output-format", "stream-json", "--allowedTools", "Bash(touch made),Read")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert lines[0]["subtype"] == "init" and lines[-1]["subtype"] == "success"
    assert (tmp_path / "made").exists() and not (tmp_path / "other").exists()
    assert [denial["tool_input"] for denial in lines[-1]["permission_denials"]] == [{"command": "touch other"}]
    assert [entry["rejection"] for entry in server.requests] == [None] * 3


def test_a_wrong_key(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.start(text("Hello."))
    environ = environment(url) | {"ANTHROPIC_API_KEY": "wrong"}
    done = subprocess.run(
        [str(PROGRAM), "-p", "hi"], cwd=tmp_path, env=environ, input="", capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("agent-tui: ") and "ANTHROPIC_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_hit_its_limit_is_continued(tmp_path: Path, server: Server) -> None:
    url = server.start(tool("LS", path="."), text("Second."))
    first = agent(tmp_path, url, "-p", "one", "--max-turns", "1", "--output-format", "json")
    assert (first.returncode, json.loads(first.stdout)["subtype"]) == (1, "error_max_turns")
    assert agent(tmp_path, url, "-c", "-p", "two").stdout == "Second.\n"
    messages = server.requests[1]["body"]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert [block["type"] for block in messages[2]["content"]] == ["tool_result", "text"]
    assert [entry["rejection"] for entry in server.requests] == [None, None]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p"],
        ["-p", "x", "--output-format", "xml"],
        ["-p", "x", "--max-turns", "0"],
        ["-p", "x", "--max-budget-usd", "nan"],
        ["-p", "x", "--max-budget-usd", "-1"],
        ["-p", "x", "--max-budget-tokens", "1.5"],
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    done = agent(tmp_path, "http://127.0.0.1:9", *arguments)
    assert done.returncode == 2
    assert done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("limit", [("--max-budget-usd", "0.000001"), ("--max-budget-tokens", "1")])
def test_a_budget_ends_it_with_its_reason(tmp_path: Path, server: Server, limit: tuple[str, str]) -> None:
    url = server.start(tool("LS", path="."), text("never asked for"))
    done = agent(tmp_path, url, "-p", "go", *limit, "--output-format", "json")
    record = json.loads(done.stdout)
    assert (done.returncode, record["subtype"], record["num_turns"]) == (1, "error_max_budget_usd", 1)
    assert "budget" in record["error"] and len(server.requests) == 1


def test_terminating_leaves_no_child(tmp_path: Path, server: Server) -> None:
    url = server.start(tool("Bash", command="echo $$ > pid; mkfifo ready; echo > ready; sleep 300"), text("x"))
    running = subprocess.Popen(
        [str(PROGRAM), "-p", "go", "--allowedTools", "Bash"],
        cwd=tmp_path,
        env=environment(url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait = subprocess.run(
        ["sh", "-c", "until [ -p ready ]; do sleep 0.05; done; cat ready"], cwd=tmp_path, timeout=PATIENCE_S, check=True
    )
    assert wait.returncode == 0
    pid = int((tmp_path / "pid").read_text())
    running.send_signal(signal.SIGTERM)
    _out, errors = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 143
    assert b"Traceback" not in errors
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


IMPORTED = """
import sys
from tui.__main__ import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = [name for name in ("textual", "anthropic", "rich") if name in sys.modules]
sys.stderr.write(f"code={code} loaded=" + ",".join(heavy))
"""


def loaded(cwd: Path, url: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        cwd=cwd,
        env={**environment(url), "PYTHONPATH": str(ROOT)},
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stderr.rpartition("code=")[2]


@pytest.mark.parametrize("argument", ["--version", "--help", "-v"])
def test_version_and_help_load_neither_window_nor_sdk(tmp_path: Path, argument: str) -> None:
    assert loaded(tmp_path, "", argument) == "0 loaded="


def test_a_run_without_a_window_loads_no_window(tmp_path: Path, server: Server) -> None:
    url = server.start(text("Hello."))
    assert loaded(tmp_path, url, "-p", "hi") == "0 loaded=anthropic"

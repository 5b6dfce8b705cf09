"""The offline demo: a script that drives the real engine with real tools over the user's folder.

It reads; whatever would run a command or write a file is asked about like anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, ScriptedModel, call, say, think

DEMO_MODEL = "demo"
PACE_S = 0.012
"""Pause between two deltas: about the speed of a real answer."""
READS = 3
TEXT_SUFFIXES = (
    ".md",
    ".toml",
    ".py",
    ".js",
    ".ts",
    ".go",
    ".rs",
    ".json",
    ".txt",
    ".yaml",
    ".yml",
    ".c",
    ".java",
    ".sh",
)
DEMO_FILE = "agent-tui-demo.md"

TODOS = (
    ("1", "Look around the folder", "Looking around the folder"),
    ("2", "Read what matters", "Reading what matters"),
    ("3", "Run a command", "Running a command"),
    ("4", "Write a short report", "Writing a short report"),
)

SUMMARY = """\
## What you have seen

| part | what happened |
|---|---|
| **Batches** | the three searches ran at once, and so did the reads |
| **Consent** | the command and the new file waited for your answer |
| **Todo list** | it followed each step, live |
| **Gauge** | it shows how full the context window is; with a real model also what it costs |

All of it was real but the model: this demo only *says* what a model might say. For the real thing set a key
and start again:

```bash
export ANTHROPIC_API_KEY=…
agent-tui
```

- `Shift+Tab` changes how much is asked, `Esc` interrupts, `F1` lists the keys, `F2` shows what fills the window.
- Type `/compact` to see how a long conversation is made short, and `/uncompact` to take that back.
- Everything that was said is in the transcript; `agent-tui --continue` takes it up again.
"""


NOTES = """\
## Intent
A tour of this program, offline: see real tools at work in this folder.

## Done
- The folder was listed and searched, a few of its files were read.
- A command and a new file were put before the user; what they answered was done.

## Next step
None: the tour is over. (A real model would sum up what really matters here.)
"""


def demo_model() -> ScriptedModel:
    """The scripted model of one demo session."""
    return ScriptedModel(_Tour(), pace_s=PACE_S)


class _Tour:
    """Gives one reply after the other; after the tour it says that it is only a demo."""

    def __init__(self) -> None:
        self._number = 0
        self._steps: list[Callable[[ModelRequest], Reply]] = [
            self._look,
            self._read,
            self._command,
            self._write,
            self._tick_off,
            self._sum_up,
        ]

    def __call__(self, request: ModelRequest) -> Reply:
        if request.query_source != "main":
            return Reply([say(NOTES)])
        self._number += 1
        if self._number <= len(self._steps):
            return self._steps[self._number - 1](request)
        return Reply([say("This is the **offline demo**: it has shown all it has. Set `ANTHROPIC_API_KEY` to go on.")])

    def _look(self, _request: ModelRequest) -> Reply:
        return Reply(
            [
                think("A tour of the folder: list it, find its files, look for open work. These can run at once."),
                say("I will show you around with **real tools in this folder**; only my words are scripted.\n"),
                call("TodoWrite", "demo_todo_1", todos=_todos(0)),
                call("LS", "demo_ls", path="."),
                call("Glob", "demo_glob", pattern="**/*"),
                call("Grep", "demo_grep", pattern="TODO|FIXME", output_mode="count"),
            ]
        )

    def _read(self, request: ModelRequest) -> Reply:
        paths = _readable(_result(request, "demo_glob"))
        reads = [call("Read", f"demo_read_{i}", file_path=path, limit=60) for i, path in enumerate(paths)]
        text = "These look worth reading; independent reads run in parallel."
        return Reply([say(text), call("TodoWrite", "demo_todo_2", todos=_todos(1)), *reads])

    def _command(self, _request: ModelRequest) -> Reply:
        command = 'export PARTS=5; for i in $(seq $PARTS); do echo "checking part $i of $PARTS"; sleep 0.4; done'
        return Reply(
            [
                say("Now a command. It is not known to only read, so **you are asked first**: `y` once, `n` no."),
                call("TodoWrite", "demo_todo_3", todos=_todos(2)),
                call("Bash", "demo_bash", command=command, description="Pretend to check five parts"),
            ]
        )

    def _write(self, request: ModelRequest) -> Reply:
        names = _readable(_result(request, "demo_glob"))
        lines = "\n".join(f"- `{name}`" for name in names) or "- (nothing that is text)"
        report = f"# A report by the demo\n\nLooked at:\n\n{lines}\n\nDelete this file whenever you like.\n"
        return Reply(
            [
                say("Last, a new file. You see the **whole change before it happens**."),
                call("TodoWrite", "demo_todo_4", todos=_todos(3)),
                call("Write", "demo_write", file_path=DEMO_FILE, content=report),
            ]
        )

    def _tick_off(self, _request: ModelRequest) -> Reply:
        return Reply([call("TodoWrite", "demo_todo_5", todos=_todos(len(TODOS)))])

    def _sum_up(self, _request: ModelRequest) -> Reply:
        return Reply([say(SUMMARY)])


def _todos(done: int) -> list[dict[str, str]]:
    """The list with the first ``done`` items completed and the next one in progress."""
    items: list[dict[str, str]] = []
    for index, (item_id, content, active) in enumerate(TODOS):
        status = "completed" if index < done else "in_progress" if index == done else "pending"
        items.append({"id": item_id, "content": content, "activeForm": active, "status": status})
    return items


def _result(request: ModelRequest, tool_use_id: str) -> str:
    """The text of a result in the request; empty where it is not there."""
    for message in request.messages:
        for block in _blocks(message):
            if block.get("tool_use_id") == tool_use_id and isinstance(block.get("content"), str):
                return block["content"]
    return ""


def _blocks(message: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return message["content"]


def _readable(listing: str) -> list[str]:
    """A few text files of a listing, READMEs first."""
    names = [line.strip() for line in listing.splitlines() if line.strip().endswith(TEXT_SUFFIXES)]
    names = [name for name in names if not name.startswith("[")]
    names.sort(key=lambda name: (not re.search("readme", name, re.IGNORECASE), name.count("/"), name))
    return names[:READS]

"""The offline demo: a script that drives the real engine with real tools over the user's folder.

It reads; whatever would run a command or write a file is asked about like anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, ScriptedModel, call, say, think

DEMO_MODEL = "demo"
PACE_S = 0.012
"""Pause between two deltas: about the speed of a real answer."""
AGENT_PACE_S = 0.12
"""The same of a subagent: slow enough that two of them are seen at work."""
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
| **Subagents** | two looked around at the same time, each in a conversation and a pane of its own |
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


ERRANDS = {
    "docs": ("Find the documents", "Say which documents this folder has, and what the first one is about. Be quick."),
    "code": ("Find the open work", "Say where this folder has open work (TODO, FIXME) and in what files. Be quick."),
}
"""What the two subagents are told: a few words, and the task."""

ONLY_DEMO = "This is the **offline demo**: it has shown all it has. Set `ANTHROPIC_API_KEY` to go on."

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
            self._delegate,
            self._command,
            self._write,
            self._tick_off,
            self._sum_up,
        ]

    def __call__(self, request: ModelRequest) -> Reply:
        if request.query_source == "agent":
            return replace(_errand(request), pace_s=AGENT_PACE_S)
        if request.query_source != "main":
            return Reply([say(NOTES)])
        self._number += 1
        if self._number <= len(self._steps):
            return self._steps[self._number - 1](request)
        return Reply([say(ONLY_DEMO)])

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

    def _delegate(self, _request: ModelRequest) -> Reply:
        tasks = [
            call("Task", f"demo_task_{name}", description=words, prompt=prompt, subagent_type="Explore")
            for name, (words, prompt) in ERRANDS.items()
        ]
        text = "Two **subagents** at the same time. Each has a conversation of its own: you see it below its call."
        return Reply([say(text), *tasks])

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


def _errand(request: ModelRequest) -> Reply:
    """What a subagent says next: which one it is shows in its task, and how far it is in its answers."""
    said = [
        block["text"]
        for message in request.messages
        for block in _blocks(message)
        if message["role"] == "user" and block["type"] == "text" and not block["text"].startswith("<system-reminder>")
    ]
    name = next((name for name, (_words, prompt) in ERRANDS.items() if said[-1:] == [prompt]), "")
    answers = sum(message["role"] == "assistant" for message in request.messages)
    if name == "docs" and answers < len(_DOCS):
        return _DOCS[answers](request)
    if name == "code" and answers < len(_CODE):
        return _CODE[answers](request)
    return Reply([say(ONLY_DEMO)])


def _list_docs(_request: ModelRequest) -> Reply:
    text = "I list what is here and look for documents by their names; these searches do not wait for each other."
    return Reply(
        [say(text), call("LS", "demo_docs_ls", path="."), call("Glob", "demo_docs_glob", pattern="**/*.{md,txt,rst}")]
    )


def _read_doc(request: ModelRequest) -> Reply:
    names = _readable(_result(request, "demo_docs_glob"))
    if not names:
        return Reply([say("This folder has no documents.")])
    text = f"`{names[0]}` looks like the one to begin with. I read its beginning, to say what it is about."
    return Reply([say(text), call("Read", "demo_docs_read", file_path=names[0], limit=40)])


def _report_docs(request: ModelRequest) -> Reply:
    names = _readable(_result(request, "demo_docs_glob"))
    listed = ", ".join(f"`{name}`" for name in names)
    return Reply([say(f"Documents: {listed}. I have read the first; a real model would now say what it is about.")])


def _search_marks(_request: ModelRequest) -> Reply:
    text = "Open work is mostly marked. I count the marks by file, and look at the lines that carry them."
    count = call("Grep", "demo_code_count", pattern="TODO|FIXME", output_mode="count")
    lines = call("Grep", "demo_code_lines", pattern="TODO|FIXME", output_mode="content", head_limit=20)
    return Reply([say(text), count, lines])


def _search_more(_request: ModelRequest) -> Reply:
    text = "Some write it in other words: a second search, so that I do not say there is none too soon."
    return Reply([say(text), call("Grep", "demo_code_more", pattern="XXX|HACK|not implemented", output_mode="count")])


def _report_marks(request: ModelRequest) -> Reply:
    found = sum(line.rpartition(":")[2].isdigit() for line in _result(request, "demo_code_count").splitlines())
    return Reply([say(f"Files with marks of open work: {found}. A real model would now say which of them matter.")])


_DOCS = (_list_docs, _read_doc, _report_docs)
_CODE = (_search_marks, _search_more, _report_marks)


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

"""Text to measure with: mixed Markdown of any length, and the transcript of a long conversation. Always the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from core.bus.bus import Bus, Publisher
from core.host.host import Host
from core.protocol.messages import Message, TextBlock, ToolResultBlock, ToolUseBlock
from core.protocol.usage import Usage
from core.protocol.views import ToolDisplay
from core.sessions.conversation import Conversation
from core.sessions.entries import CallRecord, RecordBase
from core.sessions.writer import TranscriptWriter
from core.settings.paths import find_paths

MODEL = "claude-opus-5-5"
LAST_WORDS = "That was the whole of it."
BLOCKS_IN_A_TURN = 4

PROSE = (
    "The parser reads one token at a time and keeps what it has seen in a **small stack**; when the `close` token",
    "comes, everything up to its *opening* partner is folded into one node. See [the notes](docs/notes.md) for why",
    "the stack is bounded, and what happens to input that never closes what it has opened.",
)
CODE = (
    ("python", "def area(radius: float) -> float:\n    # a comment\n    return 3.14159 * radius ** 2\n"),
    (
        "javascript",
        'const fetchAll = async (urls) => {\n  return Promise.all(urls.map((u) => fetch(u, { a: "b" })));\n};\n',
    ),
    ("rust", 'fn main() {\n    let total: u64 = (1..=10).map(|n| n * n).sum();\n    println!("{total}");\n}\n'),
    ("bash", 'for f in *.txt; do\n  grep -c "needle" "$f" | sort -n >> counts.log\ndone\n'),
    ("json", '{\n  "name": "sample",\n  "values": [1, 2.5, true, null],\n  "nested": {"deep": "yes"}\n}\n'),
    ("diff", "--- a/one.py\n+++ b/one.py\n@@ -1,2 +1,2 @@\n-old = 1\n+new = 2\n same = 3\n"),
)


def markdown(characters: int) -> str:
    """So many characters of headings, prose, nested lists, tables and code in several languages."""
    parts: list[str] = []
    length = 0
    for number in count():
        section = _section(number)
        parts.append(section)
        length += len(section)
        if length >= characters:
            return "".join(parts)[:characters]
    raise AssertionError


def _section(number: int) -> str:
    language, code = CODE[number % len(CODE)]
    rows = "".join(f"| row {row} | {number * row} | `value_{row}` | some words |\n" for row in range(4))
    return (
        f"## Section {number}\n\n" + "\n".join(PROSE) + "\n\n"
        f"- first point of {number}\n  - nested, with `code`\n    - and deeper\n- second point\n\n"
        f"1. one\n2. two with **bold**\n\n```{language}\n{code}```\n\n"
        f"| name | number | code | words |\n|---|---:|---|---|\n{rows}\n> A remark that is quoted, number {number}.\n\n"
    )


def write_long_session(home: Path, project: Path, blocks: int) -> None:
    """Write the transcript of a conversation of so many blocks: prompts, text with code, calls and their results."""
    host = Host()
    path = find_paths({"AGENT_TUI_HOME": str(home)}).project(project) / "11111111-2222-4333-8444-555555555555.jsonl"
    base = RecordBase(session_id=path.stem, cwd=str(project), version="1", git_branch="main")
    writer = TranscriptWriter(host.open_log(path), base, host, Publisher(Bus(path.stem, host.clock)))
    talk = Conversation(writer)
    for turn in islice(count(), blocks // BLOCKS_IN_A_TURN - 1):
        _write_turn(talk, turn)
    talk.append(Message(id="last", role="user", content=(TextBlock(text="Is that all?"),)))
    talk.record_block("answer-last", TextBlock(text=LAST_WORDS), MODEL)
    talk.record_usage("answer-last", MODEL, Usage(input_tokens=100, output_tokens=50), "end_turn")
    talk.close()


def _write_turn(talk: Conversation, turn: int) -> None:
    language, code = CODE[turn % len(CODE)]
    talk.append(Message(id=f"prompt-{turn}", role="user", content=(TextBlock(text=f"Look at part {turn}, please."),)))
    for message, blocks in _answers(turn, f"{' '.join(PROSE)}\n\n```{language}\n{code}```\n"):
        for block in blocks:
            talk.record_block(message, block, MODEL)
        talk.record_usage(message, MODEL, Usage(input_tokens=100, output_tokens=50), "end_turn")
        for block in blocks:
            if isinstance(block, ToolUseBlock):
                lines = "".join(f"{line}\tvalue_{line} = {turn}\n" for line in range(1, 13))
                call = CallRecord(display=ToolDisplay(summary="12 lines", details={"lines": 12, "total_lines": 12}))
                talk.record_result(ToolResultBlock(tool_use_id=block.id, content=lines), call)


def _answers(turn: int, text: str) -> Iterator[tuple[str, tuple[TextBlock | ToolUseBlock, ...]]]:
    call = ToolUseBlock(id=f"toolu_{turn:08}", name="Read", input={"file_path": f"part_{turn}.py"})
    yield f"first-{turn}", (TextBlock(text=f"I read `part_{turn}.py`."), call)
    yield f"second-{turn}", (TextBlock(text=text),)

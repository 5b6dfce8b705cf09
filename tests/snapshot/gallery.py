"""Blocks of every kind, put together into a few conversations that are shown without a window around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.app import ComposeResult

import tui.app
from core.protocol.events import NoticeLevel
from core.protocol.views import FileDiff, ToolDisplay
from tests.snapshot.stage import CWD, NEW, OLD, TODOS
from tui.tailored import TailoredApp
from tui.widgets.transcript.blocks import (
    Block,
    NoticeBlock,
    PromptBlock,
    RuleBlock,
    TextBlock,
    ThinkingBlock,
    WelcomeBlock,
)
from tui.widgets.transcript.pane import ConversationPane
from tui.widgets.transcript.shell_block import ShellBlock
from tui.widgets.transcript.tool_block import ToolBlock

PROSE = """\
# The parser
## What was wrong
It split at *every* comma, so a **quoted field** fell apart; ~~`line.split(",")`~~ is gone. This paragraph is long
enough to be wrapped, even where the window is as wide as most people have it, and it goes on until it is.
### The cases
| case | fields | remark |
|:---|---:|:---:|
| `a,b` | 2 | as before |
| `"a,b",c` | **2** | was 3 |
| `"ｗｉｄｅ，字",c` | 2 | wide letters keep the columns straight |

1. The `csv` module, see [its page](https://docs.python.org/3/library/csv.html) and <https://example.org/rfc4180>.
2. A list in the list:
   - with a point that is so long that it has to be wrapped, and its second row has to stand under its first word
     - and a deeper one
   - [x] done, and
   - [ ] to do
10. The tenth.

> A quote of two paragraphs,

> > and one within it: ![a diagram](shapes.png)

```python
import csv

def parse(line: str) -> list[str]:
    return next(csv.reader([line]))  # a comment so long that it does not fit into the window and has to be continued
```

    indented code

---

```diff
-fields = line.split(",")
+fields = parse(line)
```

The end.
"""
LONG_PROMPT = "Sort these:\n" + "\n".join(f"{number:02} some-{number * 37 % 50}.csv" for number in range(1, 36))
MANY = "\n".join(f"tests/test_{number}.py::test_parse PASSED" for number in range(30))
FAILURE = "\x1b[31mE   assert 3 == 2\x1b[0m\n1 failed, 13 passed in 0.31s\n[exit code 1]"
KEPT = (
    f"[The result is too large to show: 812,004 characters in 9,120 lines. The whole is in {CWD}/.kept/c9.txt: "
    "use Read with offset and limit, or Grep, on that file. It begins:]\n\nrow 1\nrow 2\n\n[…]"
)
ANSWER = "The needle is in `src/hay.py`, and a second needle beside it. Needles are hard to find."


def text(block_id: str, source: str, *, interrupted: bool = False) -> TextBlock:
    """Words of the model, finished."""
    block = TextBlock(block_id)
    block.finish(source, interrupted=interrupted)
    return block


def thinking(block_id: str, *, folded: bool = True, is_running: bool = False) -> ThinkingBlock:
    """Reasoning."""
    block = ThinkingBlock(block_id)
    words = "Look for the split first, then for its tests.\n\nA quoted comma is the case to think of, " + "again " * 20
    block.feed(words)
    if not is_running:
        block.finish(words)
    block.folded = folded
    return block


def running(block_id: str, name: str, output: str = "", **arguments: object) -> ToolBlock:
    """A call that runs."""
    block = ToolBlock(block_id, name, CWD)
    block.set_input(dict(arguments))
    block.set_state("running")
    if output:
        block.progress(output, output.count("\n") + 1)
    return block


def called(block_id: str, name: str, content: str, display: ToolDisplay, **arguments: object) -> ToolBlock:
    """A call that is done."""
    block = running(block_id, name, "", **arguments)
    block.finish(content, display, 420, is_error=False, todos=TODOS)
    return block


def failed(block_id: str, name: str, content: str, summary: str, **arguments: object) -> ToolBlock:
    """A call that went wrong."""
    block = running(block_id, name, "", **arguments)
    block.finish(content, ToolDisplay(summary=summary), 1_300, is_error=True, todos=())
    return block


def batch(*blocks: ToolBlock) -> Sequence[ToolBlock]:
    """Calls that run at once."""
    for place, block in enumerate(blocks):
        block.set_group("first" if place == 0 else "last" if place == len(blocks) - 1 else "middle", blocks)
    return blocks


def said() -> list[Block]:
    """What user, model and program say, beside prose."""
    unfolded = PromptBlock("p4", LONG_PROMPT)
    unfolded.folded = False
    levels: tuple[NoticeLevel, ...] = ("info", "warning", "error")
    return [
        WelcomeBlock("w1", "0.1.0", is_demo=False),
        WelcomeBlock("w2", "0.1.0", is_demo=True),
        PromptBlock("p1", "Quoted commas break the parser. Fix it and add a test. " * 3),
        PromptBlock("p2", "What is wrong here?", ("shot.png · 1280×720", "plan.jpg")),
        thinking("t1", is_running=True),
        thinking("t2", folded=False, is_running=True),
        thinking("t3"),
        thinking("t4", folded=False),
        text("x1", "I was about to", interrupted=True),
        *(
            NoticeBlock(f"n-{level}", level, f"This is of level {level}.", "And this is what helps.")
            for level in levels
        ),
        NoticeBlock("n-long", "warning", "A notice that is long enough to need a second row. " * 3),
        RuleBlock("r1", "─ 21 s · 4 requests · $0.18"),
        RuleBlock("r2", "■ Interrupted. What was done stands; say how to go on.", "caution"),
        PromptBlock("p3", LONG_PROMPT),
        unfolded,
    ]


def prose() -> list[Block]:
    """Everything that Markdown has."""
    return [PromptBlock("p1", "Explain it."), text("x1", PROSE)]


def calls() -> list[Block]:
    """Calls of every tool and in every state, but for changes of files."""
    exit_1 = ToolDisplay(summary="exit 1", details={"exit_code": 1})
    ended, bad, shell = (ShellBlock(f"s{n}", c, CWD) for n, c in enumerate(("git status -s", "make", "sleep 9")))
    ended.end(" M src/parser.py\n?? notes.txt", 0)
    bad.end("make: *** No targets.  Stop.", 2)
    shell.progress("still asleep", 1)
    waiting, asking = ToolBlock("c0", "Write", CWD), running("c0b", "Bash", command="rm -r build")
    waiting.feed_input(1_204)
    asking.set_state("asking")
    return [
        waiting,
        asking,
        called("c1", "Read", OLD, ToolDisplay(summary="9 lines"), file_path=f"{CWD}/src/parser.py", offset=10, limit=9),
        called("c2", "Grep", "src/a.py:3", ToolDisplay(summary="1 match in 1 file"), pattern=r"split\(", path="src"),
        called("c3", "Glob", "a.py\nb.py", ToolDisplay(summary="2 files"), pattern="**/*.py"),
        called("c4", "LS", "docs/\nsrc/", ToolDisplay(summary="2 entries"), path=CWD),
        running(
            "c5", "Bash", "\n".join(MANY.split("\n")[:12]), command="uv run pytest -q", description="Run the tests"
        ),
        called("c6", "Bash", "14 passed", ToolDisplay(summary="1 line"), command="uv run pytest -q " + "tests/a " * 20),
        called("c7", "Bash", FAILURE, exit_1, command="uv run pytest -q"),
        called("c8", "Bash", MANY, ToolDisplay(summary="30 lines"), command="uv run pytest -v\ngit status"),
        called("c9", "Grep", KEPT, ToolDisplay(summary="9,120 matches", saved_to=f"{CWD}/.kept/c9.txt"), pattern="row"),
        called("c10", "TodoWrite", "", ToolDisplay(summary="1/4 done", details={"changed": ["1", "2"]})),
        called("c11", "mcp__tracker__find_card", '{"id": 7}', ToolDisplay(summary="1 line"), query="quoted commas"),
        failed(
            "c12",
            "Read",
            "src/parse.py does not exist.\nDid you mean src/parser.py?",
            "not found",
            file_path="src/parse.py",
        ),
        *batch(
            called("b1", "Grep", "src/a.py:3", ToolDisplay(summary="1 match in 1 file"), pattern="csv"),
            running("b2", "Bash", "one\ntwo\nthree\nfour", command="ls -R /srv"),
            running("b3", "WebFetch", url="https://example.org/rfc4180"),
        ),
        *batch(
            called("b4", "Read", OLD, ToolDisplay(summary="9 lines"), file_path="src/a.py"),
            called("b5", "Bash", "one\ntwo", ToolDisplay(summary="2 lines"), command="ls"),
            failed("b6", "Read", "src/c.py does not exist.", "not found", file_path="src/c.py"),
        ),
        ended,
        bad,
        shell,
    ]


def changes() -> list[Block]:
    """Changes of files, each folded and then unfolded."""
    path = f"{CWD}/src/parser.py"
    long_old = "".join(f"value_{number} = {number}\n" for number in range(40))
    long_new = long_old.replace("= 1", "= 91").replace("value_30 = 30\n", "")
    edits = {
        "Edit": FileDiff(path=path, old=OLD, new=NEW),
        "MultiEdit": FileDiff(path=f"{CWD}/src/values.py", old=long_old, new=long_new),
        "Write": FileDiff(path=f"{CWD}/src/fresh.py", old=None, new="import csv\n\n" + long_new[:240]),
    }
    blocks: list[Block] = []
    for name, diff in edits.items():
        for folded in (True, False):
            display = ToolDisplay(summary="+12 −13", diff=diff)
            block = called(f"{name}-{folded}", name, "", display, file_path=diff.path, edits=[])
            block.folded = folded
            blocks.append(block)
    return blocks


def hay() -> list[Block]:
    """More than a window holds, with something to search for."""
    before: list[Block] = [text(f"x{number}", f"Line {number} of the hay.") for number in range(20)]
    needles: list[Block] = [
        PromptBlock("needle-p", "Where is the needle?"),
        called("needle-c", "Grep", "src/hay.py:3", ToolDisplay(summary="1 match in 1 file"), pattern="needle"),
        text("needle-x", ANSWER),
    ]
    return [*before, *needles, *(text(f"y{number}", f"Line {number} below.") for number in range(20))]


class GalleryApp(TailoredApp):
    """A conversation of given blocks, and nothing else."""

    CSS_PATH = Path(tui.app.__file__).with_name("styles") / "main.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, theme: str, blocks: Sequence[Block]) -> None:
        super().__init__(theme, None)
        self.pane = ConversationPane(self._palette)
        self._blocks = blocks

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        for block in self._blocks:
            self.pane.view.append(block)
        self.call_after_refresh(self.pane.view.flush)


GALLERIES: dict[str, Callable[[], list[Block]]] = {"said": said, "prose": prose, "calls": calls, "changes": changes}

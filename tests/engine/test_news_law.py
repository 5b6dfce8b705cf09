"""Whatever changes on disk between requests: what was sent stands, each change is told once, and nothing else is."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, call, say
from core.query.file_news import MAX_TIMES
from core.settings.schema import Settings
from tests.fakes.engines import denying, running
from tests.fakes.wire import NEW, OLD, assert_all_valid, assert_growing, texts_in

EXAMPLES = 60

Deed = Literal["AGENTS.md", "CLAUDE.md", ".claude/rules/x.md", "a.txt", "branch", "touch"]
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", ".claude/rules/x.md")

deeds = st.tuples(st.sampled_from([*INSTRUCTIONS, "a.txt", "a.txt", "branch", "touch"]), st.booleans())
steps = st.lists(st.tuples(st.lists(deeds, max_size=3), st.booleans()), min_size=1, max_size=7)
"""For each request what happens on disk after it, and whether the model then reads the file or something else."""


@dataclass
class Play:
    """The disk, and what of it should have been told."""

    folder: Path
    steps: list[tuple[list[tuple[Deed, bool]], bool]]
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    known: dict[str, str] = field(default_factory=dict[str, str])
    expected: list[str] = field(default_factory=list[str])
    times: int = 0
    """How often the file was told of since it was read."""
    is_read: bool = False

    def __post_init__(self) -> None:
        (self.folder / ".git").mkdir()
        self._do("branch", is_removed=False)
        for name in ("AGENTS.md", "a.txt"):
            self._do(name, is_removed=False)
        self.known = self._disk()

    def answer(self, request: ModelRequest) -> Reply:
        """The model's, while the disk changes under its hands."""
        if request.messages[-1]["role"] != "assistant":
            self._see()
        if not self.steps:
            return Reply([say("Done.")])
        happens, reads = self.steps.pop(0)
        for deed, is_removed in happens:
            self._do(deed, is_removed=is_removed)
        number = next(self.numbers)
        if not reads:
            return Reply([call("Glob", f"g{number}", pattern="*.nothing")])
        self.known["a.txt"], self.times, self.is_read = self._disk()["a.txt"], 0, True
        return Reply([call("Read", f"r{number}", file_path="a.txt")])

    def _see(self) -> None:
        """A request went out: whatever is another than before must have been told in it."""
        now = self._disk()
        for name, text in now.items():
            if text == self.known[name]:
                continue
            if name == "a.txt":
                self.times += 1
                if self.is_read and self.times <= MAX_TIMES:
                    self.expected.append(f"+{text}\n" if self.times < MAX_TIMES else f"+{text}")
            elif name == "branch":
                self.expected.append(f"git branch {text}.")
            elif text:
                self.expected.append(f"From {self.folder / name}:\n{text}")
            else:
                self.expected.append(f"No longer in force: {self.folder / name}.")
        self.known = now

    def _do(self, deed: Deed, *, is_removed: bool) -> None:
        text = f"word-{next(self.numbers):04}"
        path = self.folder / deed
        if deed == "branch":
            (self.folder / ".git" / "HEAD").write_text(f"ref: refs/heads/{text}\n")
        elif deed == "touch":
            for name in (*INSTRUCTIONS, "a.txt"):
                if (self.folder / name).exists():
                    (self.folder / name).touch()
            (self.folder / f"{text}.txt").touch()
        elif is_removed and deed != "a.txt":
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _disk(self) -> dict[str, str]:
        paths = {name: self.folder / name for name in (*INSTRUCTIONS, "a.txt")}
        found = {name: path.read_text() if path.exists() else "" for name, path in paths.items()}
        found["branch"] = (self.folder / ".git" / "HEAD").read_text().strip().removeprefix("ref: refs/heads/")
        return found


@pytest.mark.parametrize("model", [NEW, OLD])
@settings(max_examples=EXAMPLES)
@given(steps=steps)
async def test_each_change_is_told_once_and_what_was_sent_stands(
    model: str, steps: list[tuple[list[tuple[Deed, bool]], bool]], isolated_machine: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), list(steps))
        options = Settings(model=model, rules=denying("TodoWrite"))
        async with running(play.answer, Path(folder), isolated_machine, settings=options) as rig:
            await rig.prompt("go")
            await rig.prompt("and on")
            assert_all_valid(rig.requests)
            assert_growing(rig.requests)
            request = rig.requests[-1]
    news = [text for text in texts_in(request, "system" if model == NEW else "user") if "wrote for you" not in text]
    everything = "\n\n".join(news) + "\n"
    for expected in play.expected:
        assert everything.count(expected.rstrip("\n")) == 1 if "+" in expected else everything.count(expected) >= 1
    assert sum(
        everything.count(start) for start in ("From /", "No longer in force:", "git branch", "a.txt: changed")
    ) == len(play.expected)

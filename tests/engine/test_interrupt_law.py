"""Whatever the user does at whatever instant: the history is valid, nothing is lost, nothing runs twice or on."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.messages import ToolUseBlock
from core.protocol.ops import AnswerPermission, EditQueued, Interrupt, SubmitPrompt
from tests.fakes.engines import Rig, running
from tests.fakes.gate import Gate, SoftGate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, results_in, texts_in, thought

TURNS, EXAMPLES = 4, 260
"""Together more than a thousand turns, each disturbed in its own way."""

BlockKind = Literal["text", "thought", "safe", "unsafe", "soft", "write"]
Deed = Literal["interrupt", "steer", "follow up", "open", "allow", "deny", "say no", "take back"]


@dataclass(frozen=True)
class Step:
    """What the user does after so many turns of the event loop."""

    spins: int
    deed: Deed


steps = st.builds(
    Step,
    st.integers(0, 25),
    st.sampled_from(
        ["interrupt", "steer", "steer", "follow up", "open", "open", "allow", "allow", "deny", "say no", "take back"]
    ),
)
responses = st.lists(
    st.sampled_from(["text", "thought", "safe", "safe", "unsafe", "soft", "write"]), min_size=1, max_size=5
)
turns = st.tuples(st.lists(responses, min_size=1, max_size=3), st.lists(steps, max_size=9))


class Play:
    """One session: its script, and a user who does what an example says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        self.replies: list[Reply] = []
        self.said: list[str] = []
        self.taken_back: set[str] = set()

    def answer(self, _request: ModelRequest) -> Reply:
        return self.replies.pop(0) if self.replies else Reply([say("That is all.")])

    def block(self, kind: BlockKind) -> dict[str, Any]:
        name = f"c{next(self.numbers)}"
        match kind:
            case "text":
                return say(f"Some words of answer {name}, more than one delta.")
            case "thought":
                return thought(f"Thinking about {name}.")
            case "safe" | "unsafe":
                return gate_call(name, safe=kind == "safe")
            case "soft":
                return gate_call(name, "SoftGate")
            case "write":
                return call("Write", name, file_path=f"{name}.txt", content=name)

    async def submit(self, rig: Rig, lane: Literal["steer", "follow_up"] = "steer") -> None:
        words = f"words {next(self.numbers)}"
        self.said.append(words)
        await rig.do(SubmitPrompt(text=words, lane=lane))

    async def do(self, rig: Rig, deed: Deed) -> None:
        match deed:
            case "interrupt":
                await rig.do(Interrupt())
            case "steer" | "follow up":
                if rig.engine.session.is_busy:
                    await self.submit(rig, "steer" if deed == "steer" else "follow_up")
            case "open":
                for kind in (Gate, SoftGate):
                    kind.open(*kind.running)
            case "take back":
                for item in rig.engine.session.queue.items[-1:]:
                    self.taken_back.add(item.text)
                    await rig.do(EditQueued(message_id=item.id, text=""))
            case "allow" | "deny" | "say no":
                answer, comment = ("once", "") if deed == "allow" else ("deny", "no" if deed == "say no" else "")
                for request_id in rig.engine.calls.broker.pending[:1]:
                    await rig.do(AnswerPermission(request_id=request_id, answer=answer, comment=comment))

    async def to_the_end(self, rig: Rig) -> None:
        """Everything is let through until no turn runs."""
        async with asyncio.timeout(20):
            while rig.engine.session.is_busy:
                await self.do(rig, "open")
                await self.do(rig, "allow")
                await asyncio.sleep(0)
        await rig.settle()


async def disturbed(play: Play, home: Path, plan: list[tuple[list[list[BlockKind]], list[Step]]]) -> None:
    async with running(play.answer, play.folder, home) as rig:
        for script, deeds in plan:
            play.replies = [Reply([play.block(kind) for kind in kinds]) for kinds in script]
            await play.submit(rig)
            for step in deeds:
                for _ in range(step.spins):
                    await asyncio.sleep(0)
                await play.do(rig, step.deed)
            await play.to_the_end(rig)
        play.replies = []
        await play.submit(rig)
        await play.to_the_end(rig)
        check(play, rig)


def check(play: Play, rig: Rig) -> None:
    assert [type(event) for event in rig.of(ev.FaultOccurred)] == []
    assert_all_valid(rig.requests)
    assert_growing(rig.requests)
    last = rig.requests[-1]
    asked = [event.block.id for event in rig.of(ev.BlockFinished) if isinstance(event.block, ToolUseBlock)]
    results = results_in(last)
    assert list(results) == asked, "each call has its result, in order"
    finished = {event.tool_use_id: event for event in rig.of(ev.ToolFinished)}
    assert len(finished) == len(rig.of(ev.ToolFinished)) and set(finished) == set(asked)
    assert {name: event.content for name, event in finished.items()} == {
        name: block["content"] for name, block in results.items()
    }
    ran = Counter([*Gate.order, *SoftGate.order])
    assert set(ran.values()) <= {1}, "nothing runs twice"
    assert Gate.running == SoftGate.running == []
    through = {name for name, event in finished.items() if event.content == f"through {name}"}
    assert through == {*Gate.completed, *SoftGate.completed}, "what was done is told, and nothing else"
    for path in play.folder.glob("c*.txt"):
        assert not finished[path.stem].is_error, "a file that was written is told as written"
    sent = [words for words in texts_in(last) if words.startswith("words ")]
    assert Counter(sent) == Counter(set(play.said) - play.taken_back), "what was typed is sent once"
    assert len(rig.of(ev.TurnEnded)) == len(rig.of(ev.TurnStarted))
    questions = [event.request.id for event in rig.of(ev.PermissionRequested)]
    assert sorted(event.request_id for event in rig.of(ev.PermissionResolved)) == sorted(questions)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tool-")]


@pytest.mark.parametrize("part", range(2))
def test_at_random_instants(isolated_machine: Path, part: int) -> None:
    @settings(
        max_examples=EXAMPLES // 2,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.reuse, Phase.generate],  # making a failing example smaller takes minutes
    )
    @given(st.lists(turns, min_size=TURNS, max_size=TURNS))
    def law(plan: list[tuple[list[list[BlockKind]], list[Step]]]) -> None:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(dir=isolated_machine) as folder:
            install_gate(patch)
            work = Path(folder) / "work"
            work.mkdir()
            asyncio.run(disturbed(Play(work), Path(folder) / "home", plan))

    law()

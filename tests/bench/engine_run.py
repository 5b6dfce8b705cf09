"""PERF-8, PERF-10, and the second half of PERF-16: parallel tools, the first request, a 30-turn loop over HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import core.engine.wiring as wiring
from core.host.host import Host
from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from tests.bench.figure import Figure
from tests.bench.pty_child import PtyChild
from tests.bench.startup import PROGRAM, environment
from tests.fakes.api_script import Reply, text, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, running

BYTES_PER_TOKEN = 3.6
LOOP_TURNS = 30
TOOL_S = 0.1
PARALLEL = 8
STREAM_S = 0.05
"""Between two deltas of a response that takes its time."""


class SlowInput(ToolInput):
    number: int


class Slow(Tool[SlowInput]):
    """Takes a tenth of a second and may run beside others."""

    name = "Slow"
    input_type = SlowInput
    description = "Waits."  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]

    def is_read_only(self, arguments: SlowInput, state: ToolState) -> bool:
        return True

    async def run(self, arguments: SlowInput, context: ToolContext) -> ToolResult:
        await asyncio.sleep(TOOL_S)
        return ToolResult(content=str(arguments.number))


async def parallel_calls() -> list[Figure]:
    """Eight calls of 100 ms in one response, over real HTTP, and the size of the request that asked for them."""
    calls = [tool_use("Slow", {"number": number}) for number in range(PARALLEL)]
    slowly = Reply([*calls[:2]], delay_between=STREAM_S)
    original = wiring.TOOLS
    wiring.TOOLS = (*original, Slow)
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            replies = [Reply([*calls]), Reply([text("done")]), slowly, Reply([text("done")])]
            async with ApiServer(replies) as server:
                client = AnthropicClient(base_url=server.url, api_key="bench")
                async with running(client, root, root / "home", host=Host()) as rig:
                    await rig.prompt("go")
                    wall_s = _times(rig, ev.ToolFinished)[-1] - _times(rig, ev.ToolStarted)[0]
                    rig.envelopes.clear()
                    await rig.prompt("slowly")
                    early_s = _times(rig, ev.ToolStarted)[0] - _times(rig, ev.RequestFinished)[0]
                sent = server.requests[0].body
    finally:
        wiring.TOOLS = original
    what = "8 parallel calls of 100 ms, first start to last result"
    return [
        Figure("PERF-8", what, wall_s * 1000, 130, "ms"),
        Figure("PERF-8", "first call's start, after the end of its response", early_s * 1000, 0, "ms"),
        _first_request(sent),
    ]


def _times(rig: Rig, kind: type[ev.Event]) -> list[float]:
    return [envelope.ts for envelope in rig.envelopes if isinstance(envelope.event, kind)]


def _first_request(body: dict[str, Any]) -> Figure:
    """What the model reads: a deferred tool is not in the prompt before it was found."""
    tools = [tool for tool in body["tools"] if tool["name"] != "Slow" and not tool.get("defer_loading")]
    size = len(json.dumps([body["system"], tools]).encode())
    return Figure("PERF-10", "first request without the user's files, tokens", size / BYTES_PER_TOKEN, 6_000, "tokens")


def loop_memory() -> Figure:
    """A 30-turn tool loop in the window against a local server."""
    return asyncio.run(_loop_memory())


async def _loop_memory() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        project, home = Path(folder) / "project", Path(folder) / "home"
        project.mkdir()
        (project / "data.txt").write_text("line\n" * 400)
        await asyncio.to_thread(subprocess.run, ["git", "init", "-q", str(project)], check=True)
        replies = [Reply([text(f"Step {n}."), tool_use("Read", {"file_path": "data.txt"})]) for n in range(LOOP_TURNS)]
        async with ApiServer([*replies, Reply([text("All thirty done.")])]) as server:
            env = environment(home, project, ANTHROPIC_BASE_URL=server.url)
            child = await asyncio.to_thread(PtyChild, [str(PROGRAM)], env, project)
            try:
                await asyncio.to_thread(child.read_until, "Shift+Tab how much is asked")
                child.send(b"go\r")
                await asyncio.to_thread(child.read_until, "All thirty done.", 60.0)
                await asyncio.to_thread(child.pump_for, 1.0)
                memory = child.memory_mb()
            finally:
                child.close()
            assert not server.rejections, server.rejections
    return Figure("PERF-16", f"resident memory after a {LOOP_TURNS}-turn tool loop", memory, 150, "MB")


def measure() -> list[Figure]:
    """All of them."""
    return [*asyncio.run(parallel_calls()), loop_memory()]

"""What the stand-in server answers, as data.

A script is a list of replies, served in order to the accepted requests, or a function from the request body to a
reply. A reply is a list of blocks with timing controls, and at most one fault. Nothing here does input or output,
except `load`, which reads a script for the process mode.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tests.fakes.api_canon import Json, blocks_of, is_array, is_object

Kind = Literal["text", "thinking", "tool_use", "server_tool_use", "redacted_thinking", "raw"]
FaultKind = Literal[
    "http",
    "page",
    "reset_before",
    "reset_after",
    "sse_error",
    "silent_end",
    "garbled",
    "stall",
    "malformed_tool_json",
    "truncated_tool_json",
]


@dataclass(frozen=True)
class Block:
    """One content block to stream, with the pauses around it."""

    kind: Kind
    text: str = ""
    name: str = ""
    input: Json = field(default_factory=dict[str, Any])
    id: str | None = None
    raw: Json = field(default_factory=dict[str, Any])
    citations: list[Json] = field(default_factory=list[Json])
    delay_before: float = 0.0
    delay_after: float = 0.0
    gate: asyncio.Event | None = None
    """Streaming goes on after this block only once the event is set."""


def text(words: str, **timing: Any) -> Block:
    """A text block."""
    return Block("text", text=words, **timing)


def thinking(words: str, **timing: Any) -> Block:
    """A thinking block; the server signs it, and hides the words where the request wants that."""
    return Block("thinking", text=words, **timing)


def redacted_thinking(**timing: Any) -> Block:
    """A redacted thinking block; the server makes its data."""
    return Block("redacted_thinking", **timing)


def tool_use(name: str, tool_input: Json | None = None, id: str | None = None, **timing: Any) -> Block:
    """A tool call; without an id the server makes a unique one."""
    return Block("tool_use", name=name, input=tool_input or {}, id=id, **timing)


def web_search(query: str, id: str = "srvtoolu_1", **timing: Any) -> Block:
    """A call of the server's own search."""
    return Block("server_tool_use", name="web_search", input={"query": query}, id=id, **timing)


def web_hits(*hits: Json, id: str = "srvtoolu_1") -> Block:
    """What that search found: objects with ``url``, ``title`` and ``page_age``."""
    found = [{"type": "web_search_result", "encrypted_content": "RW5j", "page_age": None, **hit} for hit in hits]
    return raw_block({"type": "web_search_tool_result", "tool_use_id": id, "content": found})


def web_search_failure(code: str, id: str = "srvtoolu_1") -> Block:
    """That search did not work."""
    content = {"type": "web_search_tool_result_error", "error_code": code}
    return raw_block({"type": "web_search_tool_result", "tool_use_id": id, "content": content})


def raw_block(block: Json, **timing: Any) -> Block:
    """A complete block of any type, sent in one piece; the server accepts its type back afterwards."""
    return Block("raw", raw=block, **timing)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a reply. `after` counts stream events, ping included."""

    kind: FaultKind
    after: int = 0
    status: int = 500
    error_type: str = "api_error"
    message: str = "Internal server error"
    headers: dict[str, str] = field(default_factory=dict[str, str])


def http(status: int, error_type: str, message: str = "scripted error", headers: dict[str, str] | None = None) -> Fault:
    """The server answers with this error instead of the blocks."""
    return Fault("http", status=status, error_type=error_type, message=message, headers=headers or {})


def page(status: int, body: str = "", headers: dict[str, str] | None = None) -> Fault:
    """Not the API answers but something before it, with a body that is not JSON, or with none."""
    return Fault("page", status=status, message=body, headers=headers or {})


def reset_before() -> Fault:
    """The connection is reset before any byte of the response."""
    return Fault("reset_before")


def reset_after(events: int) -> Fault:
    """The connection is reset after so many events."""
    return Fault("reset_after", after=events)


def sse_error(after: int, error_type: str = "overloaded_error", message: str = "Overloaded") -> Fault:
    """An `error` event ends the stream after so many events."""
    return Fault("sse_error", after=after, error_type=error_type, message=message)


def silent_end(after: int) -> Fault:
    """The body ends properly after so many events, without `message_stop`."""
    return Fault("silent_end", after=after)


def garbled(after: int, event: str = "content_block_delta", data: str = '{"type": "content_bl') -> Fault:
    """After so many events comes one that cannot be read, and nothing more."""
    return Fault("garbled", after=after, error_type=event, message=data)


def stall(after: int) -> Fault:
    """After so many events nothing more comes until the client leaves."""
    return Fault("stall", after=after)


def malformed_tool_json() -> Fault:
    """The input of the last tool call is not JSON; everything else is as usual."""
    return Fault("malformed_tool_json")


def truncated_tool_json() -> Fault:
    """The input of the last tool call is cut in the middle, and the stop reason is `max_tokens`."""
    return Fault("truncated_tool_json")


@dataclass(frozen=True)
class Reply:
    """One answer of the model."""

    blocks: list[Block] = field(default_factory=list[Block])
    stop_reason: str | None = None
    """Derived when not given: `tool_use` with a tool call, else `end_turn`."""
    stop_details: Json | None = None
    stop_sequence: str | None = None
    usage: Json = field(default_factory=dict[str, Any])
    """Overrides fields of the computed usage."""
    delay: float = 0.0
    """Seconds before the first byte."""
    delay_between: float = 0.0
    """Seconds before each delta."""
    is_paced: bool = False
    """Hold that pace: a delta that was late does not delay those after it."""
    gate: asyncio.Event | None = None
    """The response starts only once the event is set."""
    chunk_size: int = 24
    """Characters in one delta."""
    fault: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def reason(self) -> str:
        """The stop reason in the end."""
        if self.fault and self.fault.kind == "truncated_tool_json":
            return "max_tokens"
        calls = any(block.kind == "tool_use" for block in self.blocks)
        return self.stop_reason or ("tool_use" if calls else "end_turn")


Answerer = Callable[[Json], "Reply | Awaitable[Reply]"]
Script = list[Reply] | Answerer


def say(words: str) -> Reply:
    """A reply of one text."""
    return Reply([text(words)])


def call_tools(*calls: tuple[str, Json]) -> Reply:
    """A reply that only calls tools."""
    return Reply([tool_use(name, tool_input) for name, tool_input in calls])


def _sample(schema: Json) -> Any:
    """A small value that fits a JSON schema."""
    options: list[Any] = schema.get("enum", []) or ([schema["const"]] if "const" in schema else [])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    properties: dict[str, Json] = schema.get("properties", {})
    simple: dict[str, Any] = {
        "string": "sample",
        "integer": 1,
        "number": 1.0,
        "boolean": True,
        "array": [],
        "null": None,
    }
    if options:
        return options[0]
    return {key: _sample(inner) for key, inner in properties.items()} if kind == "object" else simple.get(str(kind))


def _last_prompt(body: Json) -> str:
    """The last text of the last user message that has one."""
    for message in reversed(blocks_of(body["messages"])):
        texts = [block["text"] for block in blocks_of(message["content"]) if block.get("type") == "text"]
        if message["role"] == "user" and texts:
            return str(texts[-1])
    return ""


def echo(body: Json) -> Reply:
    """Repeats the prompt; a request for structured output gets a sample of its schema."""
    output: Any = body.get("output_config")
    wanted: Any = output.get("format") if is_object(output) else None
    if is_object(wanted):
        return say(json.dumps(_sample(wanted["schema"])))
    return Reply([thinking("The user wants to hear it again."), text(f"You said: {_last_prompt(body)}")])


def _rounds(body: Json) -> int:
    """How many messages with tool results follow the last prompt."""
    count = 0
    for message in reversed(blocks_of(body["messages"])):
        kinds = {block.get("type") for block in blocks_of(message["content"])}
        if message["role"] == "user" and "tool_result" not in kinds:
            break
        count += message["role"] == "user"
    return count


def tools(body: Json) -> Reply:
    """Two rounds of reading and searching, then a text; without those tools it only echoes."""
    offered = {str(tool.get("name")) for tool in blocks_of(body.get("tools") or [])}
    if not {"Read", "Grep"} <= offered:
        return echo(body)
    here = Path.cwd()
    plan = (
        Reply(
            [
                thinking("First the readme, and where functions are defined."),
                text("I look around first."),
                tool_use("Read", {"file_path": str(here / "README.md")}),
                tool_use("Grep", {"pattern": "^def ", "path": str(here)}),
            ]
        ),
        Reply([tool_use("Grep", {"pattern": "^class ", "path": str(here)})]),
        Reply([thinking("That is enough."), text("I read the readme and searched for functions and classes.")]),
    )
    return plan[min(_rounds(body), len(plan) - 1)]


NAMED: dict[str, Answerer] = {"echo": echo, "tools": tools}


def block_from_json(data: Json) -> Block:
    """A block as it is written in a script file; it looks like an API block with timing fields."""
    timing: dict[str, Any] = {key: float(data[key]) for key in ("delay_before", "delay_after") if key in data}
    kind = data["type"]
    if kind == "text":
        return text(str(data["text"]), citations=data.get("citations", []), **timing)
    if kind == "thinking":
        return thinking(str(data["thinking"]), **timing)
    if kind == "redacted_thinking":
        return redacted_thinking(**timing)
    if kind == "server_tool_use":
        return web_search(str(data["input"]["query"]), data.get("id", "srvtoolu_1"), **timing)
    if kind == "tool_use":
        return tool_use(str(data["name"]), data.get("input"), data.get("id"), **timing)
    return raw_block({key: value for key, value in data.items() if key not in timing}, **timing)


def reply_from_json(data: Json) -> Reply:
    """A reply as it is written in a script file: the fields of `Reply`, blocks and fault as objects."""
    fields = {key: value for key, value in data.items() if key not in {"blocks", "fault"}}
    blocks: list[Json] = data.get("blocks", [])
    fault: Json | None = data.get("fault")
    reply = Reply([block_from_json(block) for block in blocks], **fields)
    return replace(reply, fault=Fault(**fault)) if fault else reply


def script_from_json(data: Any) -> Script:
    """A script from parsed JSON: the name of a built-in one, a list, or an object with `replies`."""
    if isinstance(data, str):
        return NAMED[data]
    replies: Any = data.get("replies") if is_object(data) else data
    if not is_array(replies):
        raise ValueError("a script is a name, a list of replies, or an object with a list `replies`")
    return [reply_from_json(reply) for reply in replies]


def load(source: str) -> Script:
    """A built-in script by name, else the JSON file of that path."""
    return NAMED[source] if source in NAMED else script_from_json(json.loads(Path(source).read_text("utf-8")))

"""Rules about messages: who may say what where, and how tool calls pair with their results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.api_call import Call, Rejection, Rule, invalid
from tests.fakes.api_canon import THINKING as THINKING_KINDS
from tests.fakes.api_canon import Item, Json, blocks_of, nested_blocks, references_in, tool_name

MAX_MESSAGES = 100_000
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
USER_ONLY = frozenset({"tool_result", "image", "document", "search_result", "container_upload"})
SERVER_RESULT = re.compile(r"\w+_tool_result")


def _kind(block: Json) -> str:
    return str(block.get("type"))


def _is_assistant_only(kind: str) -> bool:
    return kind in THINKING_KINDS or kind in {"tool_use", "server_tool_use"} or bool(SERVER_RESULT.fullmatch(kind))


def _waits_for_server(message: Json) -> bool:
    """Whether the message ends inside a server tool loop, so that it may be sent back as the last one."""
    content = blocks_of(message["content"])
    last = _kind(content[-1]) if content else ""
    return last == "server_tool_use" or bool(SERVER_RESULT.fullmatch(last))


def message_count(call: Call) -> Rejection | None:
    """There is at least one message and not absurdly many."""
    if not call.messages:
        return invalid("messages: at least one message is required")
    if len(call.messages) > MAX_MESSAGES:
        return invalid(f"messages: at most {MAX_MESSAGES} messages are allowed")
    return None


def first_is_user(call: Call) -> Rejection | None:
    """A conversation starts with the user."""
    if call.messages[0]["role"] == "user":
        return None
    return invalid('messages.0: first message must use the "user" role')


def system_messages_supported(call: Call) -> Rejection | None:
    """Only newer models take system-role messages."""
    if call.model.system_messages:
        return None
    for number, message in enumerate(call.messages):
        if message["role"] == "system":
            return invalid(f'messages.{number}.role: "system" messages are not supported by {call.model.id}')
    return None


def system_messages_placed(call: Call) -> Rejection | None:
    """A system-role message follows a user turn and is last or followed by an assistant turn."""
    messages = call.messages
    for number, message in enumerate(messages):
        if message["role"] != "system":
            continue
        before = messages[number - 1]
        if before["role"] == "assistant" and not _waits_for_server(before):
            return invalid(
                f'messages.{number}: a "system" message must come after a "user" message or after an "assistant" '
                "message that ends with a server tool result"
            )
        if number + 1 < len(messages) and messages[number + 1]["role"] == "user":
            return invalid(
                f'messages.{number}: a "system" message must be the last message or be followed by an '
                '"assistant" message'
            )
    return None


def roles_fit_blocks(call: Call) -> Rejection | None:
    """Each kind of block belongs to one side of the conversation."""
    for turn in call.turns:
        for item in turn.items:
            kind = _kind(item.block)
            if turn.role == "assistant" and kind in USER_ONLY:
                return invalid(f"{item.path}: `{kind}` blocks can only be in `user` messages")
            if turn.role == "user" and _is_assistant_only(kind) and kind != "tool_result":
                return invalid(f"{item.path}: `{kind}` blocks can only be in `assistant` messages")
            if turn.role == "user" and kind == "text" and item.block.get("citations"):
                return invalid(f"{item.path}.text.citations: citations are not permitted in `user` messages")
    return None


def no_empty_messages(call: Call) -> Rejection | None:
    """Every message says something."""
    for number, message in enumerate(call.messages):
        if message["content"] in ("", []):
            if message["role"] == "assistant":
                who = "all messages must have non-empty content except for the optional final assistant message"
            else:
                who = f"{message['role']} messages must have non-empty content"
            return invalid(f"messages.{number}: {who}")
    return None


def _texts(items: list[Item]) -> Iterator[tuple[str, Json]]:
    for item in items:
        if _kind(item.block) == "text" and item.section != "tools":
            yield item.path, item.block


def no_marker_on_empty_text(call: Call) -> Rejection | None:
    """An empty text cannot be a cache breakpoint."""
    for path, block in _texts(call.items):
        if not block["text"] and block.get("cache_control"):
            return invalid(f"{path}.text: cache_control cannot be set for empty text blocks")
    return None


def no_empty_text(call: Call) -> Rejection | None:
    """Text blocks hold more than white space; a tool result's text may be blank but not empty."""
    for path, block in _texts(call.items):
        if not block["text"]:
            return invalid(f"{path}: text content blocks must be non-empty")
        if not block["text"].strip():
            return invalid(f"{path}: text content blocks must contain non-whitespace text")
    for item in call.items:
        for index, inner in enumerate(nested_blocks(item.block)):
            if _kind(inner) == "text" and not inner["text"]:
                return invalid(
                    f"{item.path}.{_kind(item.block)}.content.{index}: text content blocks must be non-empty"
                )
    return None


def call_names_and_ids(call: Call) -> Rejection | None:
    """Tool calls have well-formed names and ids, each id once in the whole conversation."""
    seen: set[str] = set()
    for item in call.items:
        if item.section != "messages" or _kind(item.block) not in {"tool_use", "server_tool_use"}:
            continue
        where = f"{item.path}.{_kind(item.block)}"
        if not TOOL_NAME.fullmatch(item.block["name"]):
            return invalid(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        if not TOOL_ID.fullmatch(item.block["id"]):
            return invalid(f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        if item.block["id"] in seen:
            return invalid(f"{where}.id: `tool_use` ids must be unique")
        seen.add(item.block["id"])
    return None


def calls_have_results(call: Call) -> Rejection | None:
    """Every call is answered in the user turn right after it."""
    for number, turn in enumerate(call.turns):
        asked = [item for item in turn.items if _kind(item.block) == "tool_use"]
        after = call.turns[number + 1].items if number + 1 < len(call.turns) else ()
        answered = {item.block["tool_use_id"] for item in after if _kind(item.block) == "tool_result"}
        missing = [item.block["id"] for item in asked if item.block["id"] not in answered]
        if missing:
            return invalid(
                f"messages.{turn.start}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
    return None


def results_have_calls(call: Call) -> Rejection | None:
    """Every result answers one call of the assistant turn right before, once."""
    for number, turn in enumerate(call.turns):
        before = call.turns[number - 1].items if number else ()
        asked = {item.block["id"] for item in before if _kind(item.block) == "tool_use"}
        seen: set[str] = set()
        for item in turn.items:
            if _kind(item.block) != "tool_result":
                continue
            used = item.block["tool_use_id"]
            if used not in asked:
                return invalid(
                    f"{item.path}: unexpected `tool_use_id` found in `tool_result` blocks: {used}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
            if used in seen:
                return invalid(
                    f"{item.path}: each tool_use must have a single result. Found multiple `tool_result` blocks "
                    f"with id: {used}"
                )
            seen.add(used)
    return None


def server_calls_have_results(call: Call) -> Rejection | None:
    """A server tool's call is followed by its result in the same turn, unless the turn paused right there."""
    for number, turn in enumerate(call.turns):
        open_calls: dict[str, str] = {}
        for item in turn.items:
            kind = _kind(item.block)
            if kind == "server_tool_use":
                open_calls[item.block["id"]] = item.block["name"]
                continue
            is_result = turn.role == "assistant" and SERVER_RESULT.fullmatch(kind)
            if is_result and open_calls.pop(item.block["tool_use_id"], None) is None:
                return invalid(f"{item.path}: unexpected `tool_use_id` found in `{kind}` blocks")
        last = turn.items[-1].block if turn.items else {}
        if number == len(call.turns) - 1 and call.messages[-1]["role"] == "assistant":
            open_calls.pop(str(last.get("id")), None)
        if open_calls:
            used, name = next(iter(open_calls.items()))
            return invalid(
                f"messages.{turn.start}: `{name}` tool use with id `{used}` was found without a corresponding "
                f"`{name}_tool_result` block"
            )
    return None


def results_come_first(call: Call) -> Rejection | None:
    """In a user turn nothing stands before a result."""
    for turn in call.turns:
        other = ""
        for item in turn.items:
            if _kind(item.block) != "tool_result":
                other = other or item.path
            elif other:
                return invalid(f"{other}: `tool_result` blocks must come before any other content in the message")
    return None


def errors_are_words(call: Call) -> Rejection | None:
    """The result of a call that failed holds nothing but text."""
    for item in call.items:
        failed = _kind(item.block) == "tool_result" and item.block.get("is_error")
        if failed and any(_kind(inner) != "text" for inner in nested_blocks(item.block)):
            return invalid(f"{item.path}.tool_result: all content must be type `text` if `is_error` is true")
    return None


def references_resolve(call: Call) -> Rejection | None:
    """A tool reference names a tool of this request."""
    known = {tool_name(tool) for tool in call.tools}
    for item in call.items:
        for name in references_in(item.block):
            if name not in known:
                return invalid(
                    f"{item.path}: Tool reference '{name}' not found in available tools", "tool_reference_unresolved"
                )
    return None


def references_stand_alone(call: Call) -> Rejection | None:
    """A result refers to tools or says something, never both."""
    for item in call.items:
        kinds = {_kind(inner) for inner in nested_blocks(item.block)}
        if "tool_reference" in kinds and len(kinds) > 1:
            return invalid(f"{item.path}: `tool_reference` blocks cannot be mixed with other content")
    return None


def no_prefill(call: Call) -> Rejection | None:
    """Newer models never continue an assistant message, except in the middle of a server tool loop."""
    last = call.messages[-1]
    if last["role"] != "assistant" or _waits_for_server(last):
        return None
    if not call.model.prefill:
        return invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    content = blocks_of(last["content"])
    if content and _kind(content[-1]) == "text" and content[-1]["text"] != content[-1]["text"].rstrip():
        return invalid("messages: final assistant content cannot end with trailing whitespace")
    return None


MESSAGE_RULES: tuple[Rule, ...] = (
    message_count,
    first_is_user,
    system_messages_supported,
    system_messages_placed,
    no_empty_messages,
    no_marker_on_empty_text,
    no_empty_text,
    roles_fit_blocks,
    call_names_and_ids,
    calls_have_results,
    results_have_calls,
    server_calls_have_results,
    results_come_first,
    errors_are_words,
    references_resolve,
    references_stand_alone,
    no_prefill,
)

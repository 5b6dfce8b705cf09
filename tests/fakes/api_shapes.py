"""The shape of a request: which fields exist at each level, which are required, and of what type.

Checks are small closures that look at one value and answer with the first complaint, worded like the API's own, or
None. Nothing here knows about models or about how one part of a request relates to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from tests.fakes.api_canon import is_array, is_object

Check = Callable[[Any, str], str | None]
Fields = Mapping[str, Check]

EXTRA = "Extra inputs are not permitted"


def join(path: str, key: str) -> str:
    """The path of a field inside `path`."""
    return f"{path}.{key}" if path else key


def text(value: Any, path: str) -> str | None:
    """A string."""
    return None if isinstance(value, str) else f"{path}: Input should be a valid string"


def whole(value: Any, path: str) -> str | None:
    """An integer."""
    good = isinstance(value, int) and not isinstance(value, bool)
    return None if good else f"{path}: Input should be a valid integer"


def flag(value: Any, path: str) -> str | None:
    """A boolean."""
    return None if isinstance(value, bool) else f"{path}: Input should be a valid boolean"


def mapping(value: Any, path: str) -> str | None:
    """An object with any fields."""
    return None if is_object(value) else f"{path}: Input should be a valid dictionary"


def anything(value: Any, path: str) -> str | None:
    """No constraint."""
    del value, path


def one_of(*allowed: str) -> Check:
    """One of the given strings."""
    named = " or ".join(", ".join(f"'{word}'" for word in allowed).rsplit(", ", 1))

    def check(value: Any, path: str) -> str | None:
        return None if value in allowed else f"{path}: Input should be {named}"

    return check


def maybe(inner: Check) -> Check:
    """Null, or what `inner` accepts."""
    return lambda value, path: None if value is None else inner(value, path)


def each(inner: Check) -> Check:
    """A list whose members `inner` accepts."""

    def check(value: Any, path: str) -> str | None:
        if not is_array(value):
            return f"{path}: Input should be a valid list"
        complaints = (inner(member, join(path, str(index))) for index, member in enumerate(value))
        return next((complaint for complaint in complaints if complaint), None)

    return check


def text_or(inner: Check) -> Check:
    """A string, or what `inner` accepts."""
    return lambda value, path: None if isinstance(value, str) else inner(value, path)


def record(required: Fields, optional: Fields | None = None) -> Check:
    """An object with exactly these fields."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> str | None:
        if not is_object(value):
            return f"{path}: Input should be a valid dictionary or object to extract fields from"
        for key in required:
            if key not in value:
                return f"{join(path, key)}: Field required"
        for key, member in value.items():
            complaint = known[key](member, join(path, key)) if key in known else f"{join(path, key)}: {EXTRA}"
            if complaint:
                return complaint
        return None

    return check


def tagged(kinds: Mapping[str, Check], key: str = "type", default: str | None = None) -> Check:
    """An object whose `key` says which of the shapes it has; the kind becomes part of the path."""
    expected = ", ".join(f"'{kind}'" for kind in kinds)

    def check(value: Any, path: str) -> str | None:
        if not is_object(value):
            return f"{path}: Input should be a valid dictionary or object to extract fields from"
        kind: Any = value.get(key, default)
        if kind is None:
            return f"{join(path, key)}: Field required"
        if not isinstance(kind, str) or kind not in kinds:
            return f"{path}: Input tag '{kind}' found using '{key}' does not match any of the expected tags: {expected}"
        return kinds[kind](value, join(path, kind))

    return check


CACHE_CONTROL = maybe(tagged({"ephemeral": record({"type": text}, {"ttl": one_of("5m", "1h")})}))
_MARKED: Fields = {"cache_control": CACHE_CONTROL}
_CITATIONS = maybe(record({}, {"enabled": flag}))
_CODE_CALLERS = ("code_execution_20250825", "code_execution_20260120", "code_execution_20260521")
_CALLER = tagged(
    {"direct": record({"type": text})} | {kind: record({"type": text, "tool_id": text}) for kind in _CODE_CALLERS[:2]}
)


def _source(*kinds: tuple[str, Fields]) -> Check:
    return tagged({kind: record({"type": text, **fields}) for kind, fields in kinds})


_IMAGE_MEDIA = one_of("image/jpeg", "image/png", "image/gif", "image/webp")
_URL: tuple[str, Fields] = ("url", {"url": text})
_FILE: tuple[str, Fields] = ("file", {"file_id": text})

TEXT_BLOCK = record({"type": text, "text": text}, {**_MARKED, "citations": maybe(each(mapping))})
IMAGE_BLOCK = record(
    {"type": text, "source": _source(("base64", {"data": text, "media_type": _IMAGE_MEDIA}), _URL, _FILE)},
    {**_MARKED, "transformations": maybe(record({}, {"oversized_image": one_of("downsize", "error")}))},
)
_DOCUMENT_SOURCE = _source(
    ("base64", {"data": text, "media_type": one_of("application/pdf")}),
    ("text", {"data": text, "media_type": one_of("text/plain")}),
    ("content", {"content": text_or(each(tagged({"text": TEXT_BLOCK, "image": IMAGE_BLOCK})))}),
    _URL,
    _FILE,
)
DOCUMENT_BLOCK = record(
    {"type": text, "source": _DOCUMENT_SOURCE},
    {**_MARKED, "citations": _CITATIONS, "context": maybe(text), "title": maybe(text)},
)
SEARCH_RESULT_BLOCK = record(
    {"type": text, "content": each(tagged({"text": TEXT_BLOCK})), "source": text, "title": text},
    {**_MARKED, "citations": _CITATIONS},
)
TOOL_RESULT_CONTENT = tagged(
    {
        "text": TEXT_BLOCK,
        "image": IMAGE_BLOCK,
        "document": DOCUMENT_BLOCK,
        "search_result": SEARCH_RESULT_BLOCK,
        "tool_reference": record({"type": text, "tool_name": text}, _MARKED),
        "browser_state": record({"type": text, "tabs": each(mapping)}, {**_MARKED, "state_changes": anything}),
    }
)


def _server_result(*extra: str) -> Check:
    required: Fields = {"type": text, "tool_use_id": text, "content": anything}
    return record(required, {**_MARKED, **dict.fromkeys(extra, anything)})


_CALL: Fields = {"type": text, "id": text, "name": text, "input": mapping}
BLOCKS: Fields = {
    "text": TEXT_BLOCK,
    "image": IMAGE_BLOCK,
    "document": DOCUMENT_BLOCK,
    "search_result": SEARCH_RESULT_BLOCK,
    "thinking": record({"type": text, "thinking": text, "signature": text}),
    "redacted_thinking": record({"type": text, "data": text}),
    "tool_use": record(_CALL, {**_MARKED, "caller": _CALLER, "toolset_name": maybe(text)}),
    "tool_result": record(
        {"type": text, "tool_use_id": text},
        {
            **_MARKED,
            "content": text_or(each(TOOL_RESULT_CONTENT)),
            "is_error": flag,
            "toolset_name": maybe(text),
        },
    ),
    "server_tool_use": record(_CALL, {**_MARKED, "caller": _CALLER}),
    "web_search_tool_result": _server_result("caller"),
    "web_fetch_tool_result": _server_result("caller"),
    "code_execution_tool_result": _server_result(),
    "bash_code_execution_tool_result": _server_result(),
    "text_editor_code_execution_tool_result": _server_result(),
    "tool_search_tool_result": _server_result(),
    "container_upload": record({"type": text, "file_id": text}, _MARKED),
}

_TOOL_COMMON: Fields = {
    **_MARKED,
    "allowed_callers": each(one_of("direct", *_CODE_CALLERS)),
    "defer_loading": flag,
    "strict": flag,
}
_EXAMPLES: Fields = {"input_examples": each(mapping)}
_DOMAINS: Fields = {
    "allowed_domains": maybe(each(text)),
    "blocked_domains": maybe(each(text)),
    "max_uses": maybe(whole),
}
_SEARCH: Fields = {**_DOMAINS, "user_location": maybe(mapping)}
_FETCH: Fields = {
    **_DOMAINS,
    "citations": _CITATIONS,
    "max_content_tokens": maybe(whole),
    "url_sources": maybe(mapping),
}
_INCLUSION: Fields = {"response_inclusion": one_of("full", "excluded")}
_BUILT_IN: tuple[tuple[str, str, Fields], ...] = (
    ("bash_20250124", "bash", _EXAMPLES),
    ("memory_20250818", "memory", _EXAMPLES),
    ("text_editor_20250124", "str_replace_editor", _EXAMPLES),
    ("text_editor_20250429", "str_replace_based_edit_tool", _EXAMPLES),
    (
        "text_editor_20250728",
        "str_replace_based_edit_tool",
        {**_EXAMPLES, "max_characters": maybe(whole)},
    ),
    ("web_search_20250305", "web_search", _SEARCH),
    ("web_search_20260209", "web_search", _SEARCH),
    ("web_search_20260318", "web_search", {**_SEARCH, **_INCLUSION}),
    ("web_fetch_20250910", "web_fetch", _FETCH),
    ("web_fetch_20260209", "web_fetch", _FETCH),
    ("web_fetch_20260309", "web_fetch", {**_FETCH, "use_cache": flag}),
    ("web_fetch_20260318", "web_fetch", {**_FETCH, "use_cache": flag, **_INCLUSION}),
    ("code_execution_20250522", "code_execution", {}),
    *((kind, "code_execution", {}) for kind in _CODE_CALLERS),
    ("tool_search_tool_regex_20251119", "tool_search_tool_regex", {}),
    ("tool_search_tool_bm25_20251119", "tool_search_tool_bm25", {}),
)
TOOL = tagged(
    {
        "custom": record(
            {"name": text, "input_schema": mapping},
            {
                **_TOOL_COMMON,
                **_EXAMPLES,
                "type": one_of("custom"),
                "description": text,
                "eager_input_streaming": maybe(flag),
            },
        )
    }
    | {kind: record({"type": text, "name": one_of(name)}, {**_TOOL_COMMON, **more}) for kind, name, more in _BUILT_IN}
    | {
        kind: record({"type": text}, {**_MARKED, "configs": anything})
        for kind in ("browser_toolset_20260801", "computer_toolset_20260801")
    },
    default="custom",
)

_SERIAL: Fields = {"disable_parallel_tool_use": flag}
_CHOICE = tagged(
    {
        "auto": record({"type": text}, _SERIAL),
        "any": record({"type": text}, _SERIAL),
        "tool": record({"type": text, "name": text}, _SERIAL),
        "none": record({"type": text}),
    }
)
_BINDING = record({}, {"prefix_mismatch_behavior": one_of("error", "drop_block")})
_THINKING = tagged(
    {
        "adaptive": record(
            {"type": text},
            {"display": maybe(one_of("summarized", "omitted", "updates")), "block_binding": _BINDING},
        ),
        "enabled": record({"type": text, "budget_tokens": whole}, {"display": maybe(one_of("summarized", "omitted"))}),
        "disabled": record({"type": text}),
        "between_tools": record({"type": text}),
    }
)
_OUTPUT = record(
    {},
    {
        "effort": maybe(one_of("low", "medium", "high", "xhigh", "max")),
        "format": maybe(record({"type": one_of("json_schema"), "schema": mapping})),
    },
)
_COUNTED: Fields = {
    "cache_control": CACHE_CONTROL,
    "output_config": _OUTPUT,
    "speed": maybe(one_of("standard", "fast")),
    "system": text_or(each(tagged({"text": TEXT_BLOCK}))),
    "thinking": _THINKING,
    "tool_choice": _CHOICE,
    "tools": each(TOOL),
    "user_profile_id": maybe(text),
    "workspace_id": maybe(text),
}
_CREATED: Fields = {
    **_COUNTED,
    "container": maybe(text_or(record({}, {"id": maybe(text), "skills": maybe(each(mapping))}))),
    "diagnostics": maybe(record({}, {"previous_message_id": maybe(text)})),
    "inference_geo": maybe(text),
    "metadata": record({}, {"user_id": maybe(text)}),
    "service_tier": one_of("auto", "standard_only"),
    "stop_sequences": each(text),
    "stream": flag,
}


@lru_cache
def request_shape(counting: bool, extra_kinds: frozenset[str]) -> Check:
    """The shape of a whole request; `extra_kinds` are block types that the server itself made up."""
    block = tagged({**BLOCKS, **dict.fromkeys(extra_kinds, mapping)})
    content = text_or(each(block))
    roles: Fields = {
        "user": record({"role": text, "content": content}),
        "assistant": record({"role": text, "content": content}),
        "system": record({"role": text, "content": text_or(each(tagged({"text": TEXT_BLOCK})))}),
    }

    def message(value: Any, path: str) -> str | None:
        if not is_object(value):
            return f"{path}: Input should be a valid dictionary or object to extract fields from"
        if "role" not in value:
            return f"{path}.role: Field required"
        role: Any = value["role"]
        check = roles.get(role) if isinstance(role, str) else None
        if check is None:
            return f"{path}.role: Input should be 'user', 'assistant' or 'system'"
        return check(value, path)

    required: Fields = {"model": text, "messages": each(message)}
    if counting:
        return record(required, _COUNTED)
    return record({**required, "max_tokens": whole}, _CREATED)

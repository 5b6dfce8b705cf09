"""The rules of the Messages API: `validate` runs them in order and returns the first rejection.

A rule is a function of one `Call`. The table at the end is the whole list: the gates make sure that the later rules
may trust the shape of the body and know the model. Rules about messages are in `api_turns`, rules about thinking in
`api_thinking`, field lists in `api_shapes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.fakes.api_attachments import ATTACHMENT_RULES
from tests.fakes.api_call import Call, Rejection, Rule, RuleState, invalid
from tests.fakes.api_canon import Json, blocks_of, markers, references_in, tool_name
from tests.fakes.api_models import MODELS
from tests.fakes.api_shapes import request_shape
from tests.fakes.api_thinking import THINKING_RULES
from tests.fakes.api_turns import MESSAGE_RULES, TOOL_NAME

MAX_BREAKPOINTS = 4
MAX_USER_ID = 256
MESSAGE_ID = re.compile(r"msg_[A-Za-z0-9_-]+")
SAMPLING = ("temperature", "top_p", "top_k")


def authenticated(call: Call) -> Rejection | None:
    """Some credential is there, and it is the valid one if the server has one."""
    key = call.headers.get("x-api-key", "")
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    if not (key or bearer):
        return Rejection(401, "authentication_error", "Authorization or x-api-key header is required")
    if call.state.valid_key is not None and call.state.valid_key not in (key, bearer):
        return Rejection(401, "authentication_error", "invalid bearer token" if bearer else "invalid x-api-key")
    return None


def version_given(call: Call) -> Rejection | None:
    """The API version header is there."""
    version = call.headers.get("anthropic-version", "")
    if not version:
        return invalid("anthropic-version: header is required")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", version):
        return invalid(f'anthropic-version: "{version}" is not a valid version')
    return None


def no_sampling(call: Call) -> Rejection | None:
    """Sampling parameters are gone, even at their defaults."""
    given = next((name for name in SAMPLING if name in call.body), None)
    return invalid(f"{given}: this parameter is no longer supported; remove it from the request") if given else None


def shape_is_right(call: Call) -> Rejection | None:
    """Every field is known, present if required, and of the right type."""
    check = request_shape(call.counting, frozenset(call.state.issued_kinds))
    complaint = check(call.body, "")
    return invalid(complaint) if complaint else None


def model_exists(call: Call) -> Rejection | None:
    """The model id is known."""
    name = call.body["model"]
    return None if name in MODELS else Rejection(404, "not_found_error", f"model: {name}")


def max_tokens_in_range(call: Call) -> Rejection | None:
    """The answer may be as long as the model can write, no longer."""
    if call.counting:
        return None
    limit = call.body["max_tokens"]
    if limit < 0:
        return invalid("max_tokens: Input should be greater than or equal to 0")
    if limit > call.model.max_output:
        return invalid(
            f"max_tokens: {limit} > {call.model.max_output}, which is the maximum allowed number of output tokens "
            f"for {call.model.id}"
        )
    return None


def prewarm_is_allowed(call: Call) -> Rejection | None:
    """`max_tokens: 0` only fills the cache, so it needs something to cache and nothing to answer."""
    if call.counting or call.body["max_tokens"] != 0:
        return None
    blocked = {
        "`stream` must not be true": bool(call.body.get("stream")),
        "`thinking.type` must not be `enabled`": (call.thinking or {}).get("type") == "enabled",
        "`output_config.format` is not allowed": (call.option("output_config") or {}).get("format") is not None,
        "`tool_choice` must not force a tool": call.forces_tool,
        "an explicit `cache_control` breakpoint is required": not _marked(call),
    }
    reason = next((why for why, hit in blocked.items() if hit), None)
    return invalid(f"max_tokens: 0 is only allowed for pre-warming the cache: {reason}") if reason else None


def user_id_is_short(call: Call) -> Rejection | None:
    """The opaque user id has a limit."""
    if len((call.option("metadata") or {}).get("user_id") or "") <= MAX_USER_ID:
        return None
    return invalid(f"metadata.user_id: String should have at most {MAX_USER_ID} characters")


def diagnostics_name_a_message(call: Call) -> Rejection | None:
    """The previous message is named by its id."""
    previous = (call.option("diagnostics") or {}).get("previous_message_id")
    if previous is None or MESSAGE_ID.fullmatch(previous):
        return None
    return invalid("diagnostics.previous_message_id: String should match pattern '^msg_[A-Za-z0-9_-]+$'")


def speed_supported(call: Call) -> Rejection | None:
    """Fast mode exists on few models."""
    if call.body.get("speed") != "fast" or call.model.fast:
        return None
    return invalid(f"speed: 'fast' is not supported by {call.model.id}")


def stop_sequences_visible(call: Call) -> Rejection | None:
    """A stop sequence is more than white space."""
    sequences: list[str] = call.body.get("stop_sequences", [])
    if all(sequence.strip() for sequence in sequences):
        return None
    return invalid("stop_sequences: each stop sequence must contain non-whitespace")


def tools_are_named(call: Call) -> Rejection | None:
    """Tool names are well formed and unique."""
    seen: set[str] = set()
    for index, tool in enumerate(call.tools):
        name = tool_name(tool)
        if not TOOL_NAME.fullmatch(name):
            return invalid(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        if name in seen:
            return invalid("tools: Tool names must be unique.")
        seen.add(name)
    return None


def schemas_are_objects(call: Call) -> Rejection | None:
    """A tool takes an object, described without alternatives at the top."""
    for index, tool in enumerate(call.tools):
        path = f"tools.{index}.custom"
        schema: Json | None = tool.get("input_schema")
        if schema is None:
            continue
        if "type" not in schema:
            return invalid(f"{path}.input_schema.type: Field required")
        if schema["type"] != "object":
            return invalid(f"{path}.input_schema.type: Input should be 'object'")
        if {"oneOf", "anyOf", "allOf"} & schema.keys():
            return invalid(f"{path}: input_schema does not support oneOf, allOf, or anyOf at the top level")
        if tool.get("strict") and schema.get("additionalProperties") is not False:
            return invalid(f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    return None


def some_tool_is_loaded(call: Call) -> Rejection | None:
    """Not every tool may be deferred."""
    if not call.tools or any(not tool.get("defer_loading") for tool in call.tools):
        return None
    return invalid("tools: At least one tool must have defer_loading=false")


def deferring_supported(call: Call) -> Rejection | None:
    """Only some models look for tools."""
    if call.model.searches_tools:
        return None
    if any(tool.get("defer_loading") for tool in call.tools):
        return invalid(f"tools: defer_loading is not supported by {call.model.id}")
    if any(references_in(item.block) for item in call.items):
        return invalid(f"messages: tool_reference blocks are not supported by {call.model.id}")
    return None


def no_marker_on_deferred(call: Call) -> Rejection | None:
    """A deferred tool is not in the prefix, so it cannot end one."""
    for index, tool in enumerate(call.tools):
        if tool.get("defer_loading") and tool.get("cache_control"):
            return invalid(
                f"tools.{index}: Tool '{tool_name(tool)}' cannot have both defer_loading=true and cache_control"
            )
    return None


def search_domains_are_one_list(call: Call) -> Rejection | None:
    """A server tool looks only at some domains, or at all but some: bare hosts, of which a path may follow."""
    for index, tool in enumerate(call.tools):
        lists = [name for name in ("allowed_domains", "blocked_domains") if tool.get(name) is not None]
        if len(lists) == 2:
            return invalid(f"tools.{index}: only one of `allowed_domains` and `blocked_domains` may be given")
        for name in lists:
            if not tool[name] or any("://" in domain or not domain for domain in tool[name]):
                return invalid(f"tools.{index}.{name}: Input should be domains without a scheme")
    return None


def choice_is_possible(call: Call) -> Rejection | None:
    """A tool choice goes with tools, names one of them, and is not forced on models that refuse that."""
    choice = call.option("tool_choice")
    if choice is None:
        return None
    if not call.tools:
        return invalid("tool_choice: tool_choice may only be specified while providing tools")
    if call.forces_tool and not call.model.forced_tools:
        return invalid(f'tool_choice: "{choice["type"]}" is not supported by {call.model.id}. Use "auto" or "none".')
    if choice["type"] == "tool" and choice["name"] not in {tool_name(tool) for tool in call.tools}:
        return invalid(f"tool_choice: Tool '{choice['name']}' not found in provided tools")
    return None


def _marked(call: Call) -> list[tuple[str, str]]:
    """Path and lifetime of every explicit breakpoint, in cache order."""
    return [(item.path, str(marker.get("ttl", "5m"))) for item in call.items for marker in markers(item.block)]


def breakpoints_fit(call: Call) -> Rejection | None:
    """At most four breakpoints; the automatic one takes a place."""
    found = len(_marked(call)) + (call.option("cache_control") is not None)
    if found <= MAX_BREAKPOINTS:
        return None
    return invalid(f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {found}.")


def automatic_breakpoint_agrees(call: Call) -> Rejection | None:
    """The automatic breakpoint may fall on a marked block only with the same lifetime."""
    automatic = call.option("cache_control")
    last = next((item for item in reversed(call.items) if not item.is_thinking), None)
    if automatic is None or last is None:
        return None
    lifetimes = {str(marker.get("ttl", "5m")) for marker in markers(last.block)}
    if lifetimes <= {automatic.get("ttl", "5m")}:
        return None
    return invalid(f"cache_control: ttl differs from the cache_control on the last block ({last.path})")


def long_lifetimes_first(call: Call) -> Rejection | None:
    """A one-hour breakpoint never follows a five-minute one."""
    marked = _marked(call)
    automatic = call.option("cache_control")
    if automatic is not None:
        marked.append(("cache_control", str(automatic.get("ttl", "5m"))))
    short = False
    for path, lifetime in marked:
        if lifetime == "1h" and short:
            return invalid(
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
        short = short or lifetime == "5m"
    return None


def prompt_fits(call: Call) -> Rejection | None:
    """The prompt alone fits the window."""
    if call.tokens <= call.window:
        return None
    return invalid(f"prompt is too long: {call.tokens} tokens > {call.window} maximum")


def citations_agree(call: Call) -> Rejection | None:
    """Citations are on for all documents of a message or for none."""
    for number, message in enumerate(call.messages):
        documents = [block for block in blocks_of(message["content"]) if block.get("type") == "document"]
        settings: list[Json | None] = [block.get("citations") for block in documents]
        if len({bool(setting and setting.get("enabled")) for setting in settings}) > 1:
            return invalid(f"messages.{number}: citations must be enabled on all documents or on none")
    return None


RULES: tuple[Rule, ...] = (
    authenticated,
    version_given,
    no_sampling,
    shape_is_right,
    model_exists,
    max_tokens_in_range,
    prewarm_is_allowed,
    user_id_is_short,
    diagnostics_name_a_message,
    speed_supported,
    stop_sequences_visible,
    tools_are_named,
    schemas_are_objects,
    some_tool_is_loaded,
    deferring_supported,
    no_marker_on_deferred,
    search_domains_are_one_list,
    choice_is_possible,
    *MESSAGE_RULES,
    *ATTACHMENT_RULES,
    citations_agree,
    breakpoints_fit,
    automatic_breakpoint_agrees,
    long_lifetimes_first,
    *THINKING_RULES,
    prompt_fits,
)


def check(call: Call) -> Rejection | None:
    """The first rejection of the table, or None."""
    return next((verdict for rule in RULES if (verdict := rule(call))), None)


def validate(body: Json, headers: Mapping[str, str], state: RuleState, *, counting: bool = False) -> Rejection | None:
    """What the API answers to this request, or None when it accepts it; header names are lower case."""
    return check(Call(body, headers, state, counting))

"""What each model accepts, as the stand-in server knows it: windows, thinking, effort, placement rules.

The table mirrors section 3 of the API reference. A family is a model without its date: a thinking block can be
read only by the family that wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Thinking = Literal["adaptive", "enabled", "disabled", "between_tools"]

LEVELS = ("low", "medium", "high", "xhigh", "max")
_ALL = frozenset(LEVELS)
_NO_XHIGH = _ALL - {"xhigh"}
_TO_HIGH = frozenset(LEVELS[:3])

ALWAYS: frozenset[Thinking] = frozenset({"adaptive"})
SWITCHABLE: frozenset[Thinking] = frozenset({"adaptive", "disabled"})
BOTH: frozenset[Thinking] = frozenset({"adaptive", "disabled", "enabled"})
BUDGET: frozenset[Thinking] = frozenset({"enabled", "disabled"})
BETWEEN: frozenset[Thinking] = frozenset({"adaptive", "between_tools"})


@dataclass(frozen=True)
class ModelSpec:
    """One model's limits and the request options it takes."""

    id: str
    name: str
    line: str
    released: str
    thinking: frozenset[Thinking]
    effort: frozenset[str]
    default_effort: str = "high"
    window: int = 1_000_000
    max_output: int = 128_000
    cache_minimum: int = 512
    thinks_by_default: bool = True
    off_needs_high: bool = False
    """Thinking can be turned off only at effort `high` or below."""
    shows_thinking: bool = False
    """`thinking.display` is `summarized` unless the request says otherwise."""
    forced_tools: bool = True
    system_messages: bool = False
    prefill: bool = False
    binds_thinking: bool = False
    fast: bool = False
    alias: str | None = None
    lifecycle: str = "active"

    @property
    def searches_tools(self) -> bool:
        """Takes deferred tools and references to them."""
        return self.line != "haiku"

    @property
    def family(self) -> str:
        """The id without a date."""
        return self.alias or self.id


def _fable(minor: str, released: str, binds: bool, minimum: int = 512) -> tuple[ModelSpec, ...]:
    return tuple(
        ModelSpec(
            id=f"claude-{line}-{minor}",
            name=f"Claude {line.title()} {minor.replace('-', '.')}",
            line=line,
            released=released,
            thinking=ALWAYS,
            effort=_ALL,
            cache_minimum=minimum,
            forced_tools=not binds,
            system_messages=True,
            binds_thinking=binds,
        )
        for line in ("fable", "mythos")
    )


def _five(line: str, minor: str, released: str, thinking: frozenset[Thinking], **more: Any) -> ModelSpec:
    dotted = minor.replace("-", ".")
    return ModelSpec(
        id=f"claude-{line}-{minor}",
        name=f"Claude {line.title()} {dotted}",
        line=line,
        released=released,
        thinking=thinking,
        effort=more.pop("effort", _ALL),
        **more,
    )


def _four(line: str, minor: str, released: str, **more: Any) -> ModelSpec:
    return _five(line, minor, released, more.pop("thinking", SWITCHABLE), thinks_by_default=False, **more)


def _dated(line: str, date: str, effort: frozenset[str], minimum: int, lifecycle: str = "active") -> ModelSpec:
    return ModelSpec(
        id=f"claude-{line}-4-5-{date}",
        alias=f"claude-{line}-4-5",
        name=f"Claude {line.title()} 4.5",
        line=line,
        released=f"{date[:4]}-{date[4:6]}-{date[6:]}",
        thinking=BUDGET,
        effort=effort,
        window=200_000,
        max_output=64_000,
        cache_minimum=minimum,
        thinks_by_default=False,
        shows_thinking=True,
        prefill=True,
        lifecycle=lifecycle,
    )


_BOUND: dict[str, Any] = {"binds_thinking": True, "system_messages": True}

CATALOGUE: tuple[ModelSpec, ...] = (
    *_fable("5-2", "2026-11-09", True),
    _five("haiku", "5-5", "2026-10-07", SWITCHABLE, off_needs_high=True, default_effort="medium", **_BOUND),
    _five("sonnet", "5-5", "2026-09-28", BETWEEN, off_needs_high=True, forced_tools=False, **_BOUND),
    _five("opus", "5-5", "2026-09-22", ALWAYS, default_effort="medium", forced_tools=False, fast=True, **_BOUND),
    *_fable("5-1", "2026-08-31", True),
    _five("opus", "5", "2026-07-24", SWITCHABLE, off_needs_high=True, system_messages=True, fast=True),
    _five("sonnet", "5", "2026-06-30", SWITCHABLE, cache_minimum=1024),
    *_fable("5", "2026-06-09", False),
    _four("opus", "4-8", "2026-05-28", cache_minimum=1024, system_messages=True, fast=True),
    _four("opus", "4-7", "2026-04-16", cache_minimum=2048),
    _four("opus", "4-6", "2026-02-05", cache_minimum=4096, thinking=BOTH, effort=_NO_XHIGH, shows_thinking=True),
    _four("sonnet", "4-6", "2026-02-17", cache_minimum=1024, thinking=BOTH, effort=_NO_XHIGH, shows_thinking=True),
    _dated("opus", "20251101", _TO_HIGH, 4096),
    _dated("haiku", "20251001", frozenset(), 4096),
    _dated("sonnet", "20250929", frozenset(), 1024, "deprecated"),
    ModelSpec(
        id="plain-1",
        name="Plain 1",
        line="haiku",
        released="2026-01-01",
        thinking=frozenset(),
        effort=frozenset(),
        window=60_000,
        max_output=32_000,
        thinks_by_default=False,
    ),
)

MODELS: dict[str, ModelSpec] = {spec.id: spec for spec in CATALOGUE} | {
    spec.alias: spec for spec in CATALOGUE if spec.alias
}


def model_info(spec: ModelSpec) -> dict[str, Any]:
    """The model as `GET /v1/models/{id}` describes it."""

    def can(yes: bool) -> dict[str, bool]:
        return {"supported": yes}

    kinds: tuple[Thinking, ...] = ("adaptive", "between_tools", "disabled", "enabled")
    effort: dict[str, Any] = {level: can(level in spec.effort) for level in LEVELS}
    server_tools = {"supported": True, "code_execution": can(True), "web_search": can(True)}
    edits = ("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112")
    return {
        "type": "model",
        "id": spec.id,
        "display_name": spec.name,
        "created_at": f"{spec.released}T00:00:00Z",
        "deprecated_at": "2026-09-30T00:00:00Z" if spec.lifecycle == "deprecated" else None,
        "retires_at": "2026-11-30T00:00:00Z" if spec.lifecycle == "deprecated" else None,
        "lifecycle": spec.lifecycle,
        "line": spec.line,
        "max_input_tokens": spec.window,
        "max_tokens": spec.max_output,
        "capabilities": {
            "batch": can(True),
            "citations": can(True),
            "code_execution": can(True),
            "context_management": {"supported": True} | {edit: can(True) for edit in edits},
            "effort": {"supported": bool(spec.effort)} | effort,
            "image_input": can(True),
            "pdf_input": can(True),
            "server_tools": server_tools,
            "structured_outputs": can(True),
            "thinking": {
                "supported": bool(spec.thinking),
                "types": {kind: can(kind in spec.thinking) for kind in kinds},
            },
        },
    }


def thinking_is_on(spec: ModelSpec, config: dict[str, Any] | None) -> bool:
    """Whether a request with this `thinking` parameter makes the model think."""
    return spec.thinks_by_default if config is None else config["type"] != "disabled"


def thinking_is_shown(spec: ModelSpec, config: dict[str, Any] | None) -> bool:
    """Whether thinking text reaches the client, or only its signature."""
    display: str | None = (config or {}).get("display")
    return spec.shows_thinking if display is None else display != "omitted"

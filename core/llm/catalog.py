"""What is known of each model, read from ``catalog.toml``: window, output limit, prices, capabilities."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from core.protocol.usage import PriceList, Prices
from core.settings.schema import ModelEntry

Thinking = Literal["always", "on", "between", "off", "budget", "none"]
"""``on`` can be turned off; ``between`` can at most be kept to what stands between calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """One model. ``prices`` is None where they are not known: then tokens are shown, not a made-up sum."""

    id: str
    window: int = 200_000
    """Context window, tokens."""
    max_output: int = 32_000
    prices: PriceList | None = None
    thinking: Thinking = "none"
    efforts: tuple[str, ...] = ()
    mid_system: bool = False
    """Takes ``role: "system"`` messages inside the conversation."""
    tool_search: bool = False
    """Takes deferred tools, and results that refer to them."""
    binds_thinking: bool = True
    """Takes back a thought only behind the very conversation that it was written in."""
    cache_min: int = 1024
    most: int | None = None
    """Tokens of a prompt, as the server itself has said when one was longer."""
    is_known: bool = True


DEFAULT_OUTPUT_SHARE = 4
"""Of a window that the user states without the output: an answer may take one part in so many."""


@lru_cache(maxsize=1)
def load_catalog() -> Mapping[str, ModelInfo]:
    """Every model of the catalog by id."""
    return {model_id: _read(model_id, data) for model_id, data in _raw()["models"].items()}


def catalog_date() -> str:
    """Of which day its prices are."""
    return _raw()["dated"]


@lru_cache(maxsize=1)
def _raw() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("catalog.toml").read_text("utf-8"))


def find_model(model_id: str, entries: tuple[ModelEntry, ...] = ()) -> ModelInfo:
    """What is known of a model, and in its place what the user's ``entries`` say; a dated id is looked up without its
    date; careful defaults for an unknown one."""
    catalog = load_catalog()
    info = catalog.get(model_id) or catalog.get(re.sub(r"-\d{8}$", "", model_id))
    return with_entry(info or ModelInfo(id=model_id, is_known=False), entries, model_id)


def with_entry(info: ModelInfo, entries: tuple[ModelEntry, ...], model_id: str = "") -> ModelInfo:
    """The model with what the user says of it, under the id that was asked for or its own."""
    named = {entry.id: entry for entry in entries}
    entry = named.get(model_id) or named.get(info.id)
    if entry is None:
        return info
    window, max_output = entry.window or info.window, entry.max_output or info.max_output
    if entry.window and not (entry.max_output or info.is_known):
        max_output = min(max_output, max(1, entry.window // DEFAULT_OUTPUT_SHARE))
    return replace(
        info,
        window=window,
        max_output=max_output,
        prices=PriceList(base=entry.prices) if entry.prices else info.prices,
        efforts=info.efforts if entry.efforts is None else entry.efforts,
        is_known=info.is_known or entry.window is not None,
    )


def _read(model_id: str, data: dict[str, Any]) -> ModelInfo:
    long: dict[str, Any] | None = data.get("long")
    return ModelInfo(
        id=model_id,
        window=data["window"],
        max_output=data["max_output"],
        prices=PriceList(
            base=Prices(**data["prices"]),
            long=Prices(**long["prices"]) if long else None,
            long_above=long["above"] if long else 0,
        ),
        thinking=data["thinking"],
        efforts=tuple(data["efforts"]),
        mid_system=data["mid_system"],
        tool_search=data["tool_search"],
        binds_thinking=data["binds_thinking"],
        cache_min=data["cache_min"],
    )

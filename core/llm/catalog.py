"""What is known of each model, read from ``catalog.toml``: window, output limit, prices, capabilities."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

Thinking = Literal["always", "on", "off", "budget", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD per million tokens."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """One model. ``prices`` is None where they are not known: then tokens are shown, not a made-up sum."""

    id: str
    window: int = 200_000
    """Context window, tokens."""
    max_output: int = 32_000
    prices: Prices | None = None
    long_prices: Prices | None = None
    """Prices of a whole request whose prompt is above ``long_above`` tokens."""
    long_above: int = 0
    thinking: Thinking = "none"
    efforts: tuple[str, ...] = ()
    mid_system: bool = False
    """Takes ``role: "system"`` messages inside the conversation."""
    cache_min: int = 1024
    is_known: bool = True


@lru_cache(maxsize=1)
def load_catalog() -> Mapping[str, ModelInfo]:
    """Every model of the catalog by id."""
    raw = tomllib.loads(resources.files("core.llm").joinpath("catalog.toml").read_text("utf-8"))
    return {model_id: _read(model_id, data) for model_id, data in raw["models"].items()}


def find_model(model_id: str) -> ModelInfo:
    """What is known of a model; a dated id is looked up without its date; careful defaults for an unknown one."""
    catalog = load_catalog()
    info = catalog.get(model_id) or catalog.get(re.sub(r"-\d{8}$", "", model_id))
    return info or ModelInfo(id=model_id, is_known=False)


def _read(model_id: str, data: dict[str, Any]) -> ModelInfo:
    long: dict[str, Any] | None = data.get("long")
    return ModelInfo(
        id=model_id,
        window=data["window"],
        max_output=data["max_output"],
        prices=Prices(**data["prices"]),
        long_prices=Prices(**long["prices"]) if long else None,
        long_above=long["above"] if long else 0,
        thinking=data["thinking"],
        efforts=tuple(data["efforts"]),
        mid_system=data["mid_system"],
        cache_min=data["cache_min"],
    )

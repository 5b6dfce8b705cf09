"""Settings that are tables: an object with a name for each entry, which is an object again. What an entry may hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from core.protocol.usage import Prices
from core.settings.schema import EFFORTS, Effort, ModelEntry, RouteEntry, RouteKind

ROUTE_KINDS: tuple[str, ...] = get_args(RouteKind)
MAX_TOKENS = 1_000_000_000
CACHE_FACTORS = {"cacheRead": 0.1, "cacheWrite5m": 1.25, "cacheWrite1h": 2.0}
"""Of the price of input: what the API asks for most models, taken where no other price is said."""
PRICES = ("input", "output", *CACHE_FACTORS)


class EntryError(ValueError):
    """What is wrong with an entry; ``path`` leads from the entry to the place."""

    def __init__(self, text: str, *path: str) -> None:
        super().__init__(text)
        self.path = path


def read_model(name: str, value: object, _source: str = "") -> ModelEntry:
    """An entry of ``models``. Raises ``EntryError``."""
    data = _fields(value, ("prices", "window", "maxOutput", "efforts"))
    efforts = cast("list[Effort] | None", data.get("efforts"))
    if "efforts" in data and not (isinstance(efforts, list) and all(effort in EFFORTS for effort in efforts)):
        raise EntryError(f"must be a list of {', '.join(EFFORTS)}", "efforts")
    return ModelEntry(
        id=name,
        prices=_prices(data["prices"]) if "prices" in data else None,
        window=_tokens(data, "window"),
        max_output=_tokens(data, "maxOutput"),
        efforts=None if efforts is None else tuple(efforts),
    )


def read_route(name: str, value: object, source: str = "") -> RouteEntry:
    """An entry of ``routing``. Raises ``EntryError``."""
    if name not in ROUTE_KINDS:
        raise EntryError(f"is no kind of request: there are {', '.join(ROUTE_KINDS)}")
    known = ("model", "effort", "baseUrl", "apiKeyEnv", *(("above",) if name == "longContext" else ()))
    data = {"model": value} if isinstance(value, str) else _fields(value, known)
    if "model" not in data:
        raise EntryError("needs a model")
    if name == "longContext" and "above" not in data:
        raise EntryError("needs above: the tokens from which on it counts")
    effort = _text(data, "effort")
    if effort and effort not in EFFORTS:
        raise EntryError(f"must be one of {', '.join(EFFORTS)}, not {effort!r}", "effort")
    base_url = _text(data, "baseUrl").rstrip("/")
    if base_url and not is_address(base_url):
        raise EntryError(f"must be an address like http://localhost:8080, not {base_url!r}", "baseUrl")
    return RouteEntry(
        kind=cast("RouteKind", name),
        model=_text(data, "model"),
        effort=effort or None,
        base_url=base_url,
        api_key_env=_text(data, "apiKeyEnv"),
        above=_tokens(data, "above") or 0,
        source=source,
    )


READERS: dict[str, Callable[[str, object, str], ModelEntry | RouteEntry]] = {
    "models": read_model,
    "routing": read_route,
}
"""By the field of the settings."""


def names_address(value: object) -> bool:
    """Whether an entry says where requests go, or with which key."""
    return isinstance(value, dict) and bool({"baseUrl", "apiKeyEnv"} & cast("dict[str, Any]", value).keys())


def is_address(text: str) -> bool:
    """Whether requests can be sent there as far as the text tells."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _fields(value: object, known: tuple[str, ...], *path: str) -> dict[str, Any]:
    """The members of an object of which all names are known."""
    if not isinstance(value, dict):
        raise EntryError(f"must be an object, not {json.dumps(value)}", *path)
    data = cast("dict[str, Any]", value)
    for name in data:
        if name not in known:
            raise EntryError(f"is not known here: there are {', '.join(known)}", *path, name)
    return data


def _prices(value: object) -> Prices:
    data = _fields(value, PRICES, "prices")
    for name, price in data.items():
        is_number = isinstance(price, int | float) and not isinstance(price, bool)
        if not (is_number and math.isfinite(price) and price >= 0):
            raise EntryError(f"must be dollars per million tokens, not {json.dumps(price)}", "prices", name)
    for name in ("input", "output"):
        if name not in data:
            raise EntryError(f"needs a price for {name}", "prices")
    read, short, long = (float(data.get(name, data["input"] * factor)) for name, factor in CACHE_FACTORS.items())
    return Prices(
        input=float(data["input"]),
        output=float(data["output"]),
        cache_read=read,
        cache_write_5m=short,
        cache_write_1h=long,
    )


def _tokens(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    if name in data and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_TOKENS):
        raise EntryError(f"must be a number of tokens, not {json.dumps(value)}", name)
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if name in data and not (isinstance(value, str) and value.strip()):
        raise EntryError(f"must be a text that is not empty, not {json.dumps(value)}", name)
    return value.strip()

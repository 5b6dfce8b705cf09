"""Which model answers a kind of request, and where: the user's routing table, looked up by pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from core.llm.catalog import ModelInfo, find_model
from core.llm.client import QuerySource
from core.protocol.views import PermissionMode
from core.settings.credentials import is_local, is_official
from core.settings.layers import Problem
from core.settings.schema import Effort, RouteEntry, RouteKind, Settings

RouteSource = QuerySource | RouteKind
"""A kind of request as it is counted, or as the table calls it."""
MAIN: RouteKind = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who answers. An empty address is the API's own, an empty variable means the credentials of the session."""

    model: str
    effort: Effort | None = None
    base_url: str = ""
    api_key_env: str = ""
    passed_over: tuple[RouteEntry, ...] = ()
    """Entries that were meant for it, but whose window does not hold the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the choice for the conversation itself depends on."""

    mode: PermissionMode = "default"
    context_tokens: int = 0
    fits: Callable[[ModelInfo], bool] = lambda _model: True
    """Whether a model's window holds the conversation."""


NO_MOMENT = Moment()


def route(source: RouteSource, settings: Settings, moment: Moment = NO_MOMENT) -> Route:
    """The most specific entry wins: the size over the mode over the main one; explore over agent; what there is no
    entry for goes to the main model of the moment, and what is asked beside the conversation to the small one."""
    table: dict[RouteKind, RouteEntry] = {entry.kind: entry for entry in settings.routing}
    match source:
        case "background" | "session_memory" | "explain" | "web_search":
            entry = table.get("background")
            if source == "web_search" and entry is not None and not searches(entry):
                entry = None
            small = Route(model=settings.small_model, base_url=settings.base_url)
            return small if entry is None else _route(entry, settings, effort=None)
        case "compaction" | "handoff":
            wanted: tuple[RouteKind, ...] = ("compaction",)
        case "agent":
            wanted = ("agent",)
        case "explore":
            wanted = ("explore", "agent")
        case "main" | "prewarm" | "plan" | "longContext":
            wanted = ()
    for kind in wanted:
        if kind in table:
            return _route(table[kind], settings, effort=settings.effort)
    if source in ("plan", "longContext") and source in table:
        return _route(table[source], settings, effort=settings.effort)
    return _main(table, settings, moment)


def routed(settings: Settings, route: Route) -> Settings:
    """The settings of a request that goes that way."""
    return replace(settings, model=route.model, effort=route.effort, base_url=route.base_url)


def searches(entry: RouteEntry) -> bool:
    """Whether the server of an entry may have the API's own web search."""
    return not entry.base_url or is_official(entry.base_url)


def _main(table: Mapping[RouteKind, RouteEntry], settings: Settings, moment: Moment) -> Route:
    long, plan = table.get("longContext"), table.get("plan")
    wanted = [long] if long is not None and moment.context_tokens > long.above else []
    wanted += [plan] if plan is not None and moment.mode == "plan" else []
    passed_over: list[RouteEntry] = []
    for entry in wanted:
        if moment.fits(find_model(entry.model, settings.models)):
            return replace(_route(entry, settings, effort=settings.effort), passed_over=tuple(passed_over))
        passed_over.append(entry)
    main = table.get(MAIN)
    if main is None or main.model != settings.model:
        # The table's main model was left for another one.
        main = RouteEntry(kind=MAIN, model=settings.model)
    return replace(_route(main, settings, effort=settings.effort), passed_over=tuple(passed_over))


def _route(entry: RouteEntry, settings: Settings, *, effort: Effort | None) -> Route:
    return Route(
        model=entry.model,
        effort=entry.effort or effort,
        base_url=entry.base_url or settings.base_url,
        api_key_env=entry.api_key_env,
    )


def usable_routes(settings: Settings, environ: Mapping[str, str]) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings with the table's main model and without what cannot be used of the table; and why not."""
    kept: list[RouteEntry] = []
    problems: list[Problem] = []
    for entry in settings.routing:
        use = entry
        complaint = _refusal(entry, settings, environ)
        if complaint:
            complaint += "; the entry is left out"
        else:
            use, complaint = _fitting(entry, settings)
            kept.append(use)
        if complaint:
            problems.append(Problem(entry.source or "routing", f"routing.{entry.kind}: {complaint}"))
    model = next((entry.model for entry in kept if entry.kind == MAIN), settings.model)
    return replace(settings, model=model, routing=tuple(kept)), tuple(problems)


def _refusal(entry: RouteEntry, settings: Settings, environ: Mapping[str, str]) -> str:
    """Why an entry cannot be used; empty where it can."""
    if entry.api_key_env and not environ.get(entry.api_key_env):
        return f"the variable {entry.api_key_env} is empty"
    is_own = not entry.base_url or entry.base_url == settings.base_url.rstrip("/")
    if not (is_own or entry.api_key_env or is_local(entry.base_url) or is_official(entry.base_url)):
        return f"{entry.base_url} needs apiKeyEnv: your own credentials are not sent to another server"
    return ""


def _fitting(entry: RouteEntry, settings: Settings) -> tuple[RouteEntry, str]:
    """An entry as far as its model and server can do what it asks, and what they cannot."""
    known = find_model(entry.model, settings.models)
    if entry.effort and known.is_known and entry.effort not in known.efforts:
        return replace(entry, effort=None), f"{entry.model} has no effort {entry.effort}; it is left out"
    if entry.kind == "background" and not searches(entry):
        return entry, f"only the API itself searches the web: searches still go to {settings.small_model}"
    return entry, ""

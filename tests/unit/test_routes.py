"""The routing table: an answer for every kind of request, the most specific entry wins, what is unusable is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.catalog import find_model
from core.llm.client import QuerySource
from core.llm.routes import Moment, Route, RouteSource, route, usable_routes
from core.protocol.usage import Prices
from core.protocol.views import PermissionMode
from core.settings.layers import SettingsFile, parse_layer
from core.settings.load import SettingsSource, load_settings
from core.settings.paths import Paths
from core.settings.schema import ModelEntry, RouteEntry, RouteKind, Settings

SOURCES: tuple[RouteSource, ...] = tuple(dict.fromkeys((*get_args(QuerySource), *get_args(RouteKind))))
MODES: tuple[PermissionMode, ...] = get_args(PermissionMode)
LOCAL = "http://localhost:8080"


def entry(kind: RouteKind, model: str = "", **more: Any) -> RouteEntry:
    return RouteEntry(kind=kind, model=model or f"model-of-{kind}", **more)


entries = st.builds(
    entry,
    st.sampled_from(get_args(RouteKind)),
    st.sampled_from(["a", "b", "claude-opus-5-5"]),
    effort=st.sampled_from([None, "low", "max"]),
    base_url=st.sampled_from(["", LOCAL, "https://api.anthropic.com"]),
    above=st.sampled_from([0, 1_000, 100_000]),
)
tables = st.lists(entries, unique_by=lambda one: one.kind).map(tuple)


@given(tables, st.sampled_from(SOURCES), st.sampled_from(MODES), st.integers(0, 200_000), st.booleans())
def test_every_kind_of_request_has_a_route_out_of_the_table_or_the_settings(
    table: tuple[RouteEntry, ...], source: RouteSource, mode: PermissionMode, tokens: int, fits: bool
) -> None:
    settings = Settings(model="main-model", small_model="small-model", base_url="http://main", routing=table)
    found = route(source, settings, Moment(mode=mode, context_tokens=tokens, fits=lambda _model: fits))
    offered = {(one.model, one.base_url or settings.base_url) for one in table}
    assert (found.model, found.base_url) in offered | {("main-model", "http://main"), ("small-model", "http://main")}
    assert set(found.passed_over) <= set(table)


@given(tables, st.sampled_from(SOURCES))
def test_without_an_entry_for_it_nothing_else_in_the_table_counts(
    table: tuple[RouteEntry, ...], source: RouteSource
) -> None:
    used: dict[str, set[str]] = {
        "explore": {"explore", "agent"}, "agent": {"agent"}, "compaction": {"compaction"}, "handoff": {"compaction"},
        "plan": {"plan"}, "longContext": {"longContext"},
        **{kind: {"background"} for kind in ("background", "session_memory", "explain", "web_search")},
    }  # fmt: skip
    mine = used.get(source, set()) | {"main", "longContext"}
    others = tuple(one for one in table if one.kind not in mine)
    settings = Settings(model="main-model", small_model="small-model")
    assert route(source, Settings(model="main-model", small_model="small-model", routing=others)) == route(
        source, settings
    )


def test_the_most_specific_entry_wins() -> None:
    table = (entry("plan"), entry("longContext", above=1_000), entry("agent"), entry("compaction"), entry("background"))
    settings = Settings(model="m", small_model="s", effort="low", routing=table)
    planning, long = Moment(mode="plan"), Moment(mode="plan", context_tokens=1_001)
    assert route("main", settings).model == "m"
    assert route("main", settings, Moment(context_tokens=1_000)).model == "m"
    assert route("main", settings, planning).model == "model-of-plan"
    assert route("main", settings, long).model == "model-of-longContext"
    assert route("explore", settings).model == route("agent", settings).model == "model-of-agent"
    assert route("handoff", settings).model == "model-of-compaction"
    assert route("session_memory", settings).model == route("explain", settings).model == "model-of-background"
    assert route("explain", Settings(small_model="s")).model == "s"
    assert route("main", settings, planning).effort == "low"
    assert route("background", settings).effort is None


def test_a_window_that_is_too_small_passes_the_request_on() -> None:
    table = (entry("plan", "tiny"), entry("longContext", "small", above=5))
    settings = Settings(model="m", routing=table, models=(ModelEntry(id="tiny", window=10),))
    found = route("main", settings, Moment(mode="plan", context_tokens=50, fits=lambda model: model.window > 200_000))
    assert (found.model, [one.kind for one in found.passed_over]) == ("m", ["longContext", "plan"])


def test_the_main_entry_counts_as_long_as_its_model_is_the_main_one() -> None:
    settings, problems = usable_routes(Settings(routing=(entry("main", "qwen", base_url=LOCAL),)), {})
    assert (settings.model, problems) == ("qwen", ())
    assert route("main", settings) == Route(model="qwen", base_url=LOCAL)
    other = Settings(model="claude-opus-5-5", routing=settings.routing)
    assert route("main", other) == Route(model="claude-opus-5-5")


def test_a_search_of_the_web_stays_where_it_is_offered() -> None:
    settings = Settings(small_model="s", routing=(entry("background", "qwen", base_url=LOCAL),))
    assert route("web_search", settings).model == "s"
    assert route("explain", settings) == Route(model="qwen", base_url=LOCAL)
    official = Settings(routing=(entry("background", "claude-haiku-5-5", base_url="https://api.anthropic.com"),))
    assert route("web_search", official).model == "claude-haiku-5-5"


@pytest.mark.parametrize(
    ("one", "environ", "told", "stays"),
    [
        (entry("plan", "qwen", base_url=LOCAL), {}, "", True),
        (entry("plan", "m", base_url=LOCAL, api_key_env="KEY"), {}, "the variable KEY is empty", False),
        (entry("plan", "m", base_url=LOCAL, api_key_env="KEY"), {"KEY": ""}, "the variable KEY is empty", False),
        (entry("plan", "m", base_url="https://example.com", api_key_env="KEY"), {"KEY": "k"}, "", True),
        (entry("plan", "m", base_url="https://example.com"), {}, "credentials are not sent to another server", False),
        (entry("plan", "claude-haiku-4-5", effort="low"), {}, "claude-haiku-4-5 has no effort low", True),
        (entry("plan", "claude-opus-5-5", effort="max"), {}, "", True),
        (entry("plan", "unheard-of", effort="max"), {}, "", True),
        (entry("background", "qwen", base_url=LOCAL), {}, "searches still go to claude-haiku-5-5", True),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    one: RouteEntry, environ: dict[str, str], told: str, stays: bool
) -> None:
    one = RouteEntry(**{name: getattr(one, name) for name in one.__slots__ if name != "source"}, source="s.json:3")
    settings, problems = usable_routes(Settings(routing=(one,)), environ)
    assert [bool(told)] == [bool(problems)] or (not told and not problems)
    assert all(
        str(problem).startswith(f"s.json:3: routing.{one.kind}: ") and told in problem.text for problem in problems
    )
    assert bool(settings.routing) == stays
    assert all(kept.effort is None for kept in settings.routing if "has no effort" in told)


# What the settings files may hold


def parsed(data: Any, layer: Any = "user") -> tuple[dict[str, Any], list[str]]:
    text = data if isinstance(data, str) else json.dumps(data, indent=1)
    found = parse_layer(text, SettingsFile(name="s.json", layer=layer, base=Path("/")))
    return {stated.path: stated.value for stated in found.stated}, [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"routing": ["x"]}, "s.json:2: routing must be an object"),
        ({"routing": {"chat": "m"}}, "s.json:3: routing.chat is no kind of request: there are main, plan"),
        ({"routing": {"plan": ""}}, "s.json:3: routing.plan.model must be a text that is not empty"),
        ({"routing": {"plan": 3}}, "s.json:3: routing.plan must be an object, not 3"),
        ({"routing": {"plan": {"effort": "low"}}}, "s.json:3: routing.plan needs a model"),
        ({"routing": {"plan": {"model": "m", "effort": "huge"}}}, "s.json:5: routing.plan.effort must be one of low"),
        ({"routing": {"plan": {"model": "m", "baseUrl": "localhost"}}}, "s.json:5: routing.plan.baseUrl must be an"),
        ({"routing": {"plan": {"model": "m", "baseUrl": "http://a:b"}}}, "s.json:5: routing.plan.baseUrl must be an"),
        ({"routing": {"plan": {"model": "m", "above": 5}}}, "s.json:5: routing.plan.above is not known here"),
        ({"routing": {"longContext": "m"}}, "s.json:3: routing.longContext needs above"),
        ({"routing": {"longContext": {"model": "m", "above": True}}}, "s.json:5: routing.longContext.above must be a"),
        ({"models": {"m": {"window": "big"}}}, "s.json:4: models.m.window must be a number of tokens"),
        ({"models": {"m": {"price": 3}}}, "s.json:4: models.m.price is not known here: there are prices"),
        ({"models": {"m": {"prices": {"input": 1}}}}, "s.json:4: models.m.prices needs a price for output"),
        ({"models": {"m": {"prices": {"input": -1, "output": 1}}}}, "s.json:5: models.m.prices.input must be dollars"),
        ('{"models": {"m": {"prices": {"input": NaN, "output": 1}}}}', "s.json:1: models.m.prices.input must be"),
        ({"models": {"m": {"efforts": ["huge"]}}}, "s.json:4: models.m.efforts must be a list of low"),
        ({"budget": {"sessionUsd": 0}}, "s.json:3: budget.sessionUsd must be a positive number, not 0"),
        ({"budget": {"sessionUsd": "2"}}, "s.json:3: budget.sessionUsd must be a positive number"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_told_with_its_line_and_costs_only_itself(data: Any, told: str) -> None:
    stated, problems = parsed(data)
    assert len(problems) == 1 and problems[0].startswith(told), problems
    assert not any(stated.values())


@pytest.mark.parametrize(("table", "good"), [("routing", {"plan": "m"}), ("models", {"n": {"window": 5}})])
def test_one_wrong_entry_leaves_the_others(table: str, good: dict[str, Any]) -> None:
    stated, problems = parsed({table: {"agent": 5, **good}})
    assert stated[table] == good and len(problems) == 1


def test_prices_of_the_cache_follow_those_of_input(tmp_path: Path) -> None:
    data = {"models": {"m": {"prices": {"input": 4, "output": 5, "cacheWrite1h": 7}, "window": 60_000}}}
    model = find_model("m", load(tmp_path, data).models)
    assert model.prices is not None and model.is_known
    assert model.prices.base == Prices(input=4, output=5, cache_read=0.4, cache_write_5m=5, cache_write_1h=7)
    assert (model.window, model.max_output) == (60_000, 15_000)


def test_what_the_user_says_of_a_known_model_takes_the_place_of_the_catalog() -> None:
    prices = Prices(input=1, output=2, cache_read=0, cache_write_5m=0, cache_write_1h=0)
    said = (ModelEntry(id="claude-haiku-5-5", prices=prices),)
    model, before = find_model("claude-haiku-5-5", said), find_model("claude-haiku-5-5")
    assert model.prices is not None and model.prices.base.input == 1 and model.prices.long is None
    assert (model.window, model.efforts) == (before.window, before.efforts)


def load(folder: Path, user: Any, project: Any = None, **flags: Any) -> Settings:
    home, repo = folder / "home", folder / "repo"
    for path, data in ((home / "config" / "settings.json", user), (repo / ".claude" / "settings.json", project)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data or {}))
    paths = Paths(home / "config", home / "data", home / "log", home=home, managed=())
    return load_settings(SettingsSource(paths=paths, cwd=repo, flags=flags), is_trusted=True).settings


def test_entries_of_all_layers_are_joined_by_name(tmp_path: Path) -> None:
    user = {"routing": {"plan": "a", "background": "b"}, "models": {"a": {"window": 5}}}
    settings = load(tmp_path, user, {"routing": {"plan": "c"}, "models": {"d": {"window": 6}}})
    assert {one.kind: one.model for one in settings.routing} == {"plan": "c", "background": "b"}
    assert [(one.id, one.window) for one in settings.models] == [("a", 5), ("d", 6)]


def test_a_model_that_a_stronger_layer_names_takes_the_place_of_the_tables_main_one(tmp_path: Path) -> None:
    user = {"model": "x", "routing": {"main": {"model": "qwen", "baseUrl": LOCAL}}}
    assert usable_routes(load(tmp_path, user), {})[0].model == "qwen"
    assert usable_routes(load(tmp_path, user, {"model": "y"}), {})[0].model == "y"
    assert usable_routes(load(tmp_path, user, model="z"), {})[0].model == "z"


@pytest.mark.parametrize("part", [{"baseUrl": "http://evil.example"}, {"apiKeyEnv": "GITHUB_TOKEN"}])
@pytest.mark.parametrize("layer", ["project", "local"])
def test_a_project_cannot_say_where_requests_go(part: dict[str, str], layer: str) -> None:
    stated, problems = parsed({"routing": {"plan": {"model": "m", **part}, "agent": "n"}}, layer)
    assert stated["routing"] == {"agent": "n"}
    assert "a project cannot say where requests go" in problems[0]

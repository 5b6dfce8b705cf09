"""Settings, trust, credentials and paths: what is taken, what is told, what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from core.protocol.views import Behavior
from core.settings.credentials import credential_source, is_local
from core.settings.load import SettingsSource, load_settings
from core.settings.paths import Paths, find_paths
from core.settings.schema import KEYS, ModelEntry, RouteEntry, SettingRule, Settings
from core.settings.trust import is_trusted, trust


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "settings.json"


def load(file: Path, environ: dict[str, str] | None = None, **flags: Any) -> tuple[Settings, list[str]]:
    """What the user's own file makes of the settings."""
    nowhere = file.parent / "nowhere"
    paths = Paths(file.parent, nowhere, nowhere, home=nowhere)
    source = SettingsSource(paths=paths, cwd=nowhere, environ=environ or {}, flags=flags)
    loaded = load_settings(source, is_trusted=True)
    return loaded.settings, [str(problem) for problem in loaded.problems]


def texts(settings: Settings, behavior: str) -> list[str]:
    return [rule.text for rule in settings.rules if rule.behavior == behavior]


def test_without_a_file_all_is_built_in(file: Path) -> None:
    assert load(file) == (Settings(), [])


def test_every_key_is_taken(file: Path) -> None:
    data = {
        "model": "m", "smallModel": "s", "webFetch": {"allowPrivate": ["localhost:3000"]},
        "effortLevel": "low", "theme": "t", "cacheTtl": "1h", "maxOutputTokens": 5,
        "vim": True, "keybindingFlavor": "readline", "notifications": "bell",
        "toolSearch": "off", "cacheDiagnostics": "on", "fallbackModel": ["a", "b"],
        "budget": {"sessionUsd": 2.5}, "models": {"m": {"window": 9}}, "routing": {"background": "b"},
        "autoCompactEnabled": False, "autoCompactWindow": 9, "backgroundAgents": False,
        "claudeMdExcludes": ["**/x.md"],
        "agents": {"model": "n", "maxConcurrency": 2, "maxTurns": 3, "maxTokens": 4, "maxUsd": 0.5, "maxMinutes": 1.5,
                   "repeats": 6, "silentSeconds": 7},
        "context": {"window": 5, "autocompactBuffer": 6, "warningBuffer": 7, "manualCompactBuffer": 8},
        "sandbox": {
            "enabled": True, "network": {"allowedDomains": ["*"]}, "filesystem": {"allowWrite": ["~/x"]},
            "excludedCommands": ["docker"], "allowUnsandboxedCommands": False, "autoAllowBashIfSandboxed": True,
        },
        "permissions": {"defaultMode": "plan", "allow": ["Bash(ls:*)"], "ask": ["Edit"], "deny": ["Read(.env)"],
                        "disableBypassPermissionsMode": "disable", "additionalDirectories": ["."]},
    }  # fmt: skip
    file.write_text(json.dumps(data))
    settings, problems = load(file)
    assert problems == []
    pairs = [("allow", "Bash(ls:*)"), ("ask", "Edit"), ("deny", "Read(.env)")]
    assert settings == Settings(
        model="m", small_model="s", allow_private=("localhost:3000",), fallback_models=("a", "b"),
        effort="low", theme="t", cache_ttl="1h", max_output_tokens=5, mode="plan",
        vim=True, keybinding_flavor="readline", notifications="bell", tool_search="off", cache_diagnostics="on",
        agent_model="n", agent_max_concurrency=2, agent_max_turns=3, agent_max_tokens=4, agent_max_usd=0.5,
        agent_max_minutes=1.5, agent_repeats=6, agent_silent_s=7,
        session_budget_usd=2.5, models=(ModelEntry(id="m", window=9),),
        routing=(RouteEntry(kind="background", model="b", source=f"{file}:1"),),
        auto_compact=False, auto_compact_window=9, background_agents=False, context_window=5, autocompact_buffer=6,
        warning_buffer=7, manual_compact_buffer=8, instruction_excludes=("**/x.md",),
        disable_bypass="disable", additional_dirs=(file.parent,), sandbox_enabled=True, sandbox_domains=("*",),
        sandbox_allow_write=("~/x",), sandbox_excluded=("docker",), sandbox_may_leave=False, sandbox_asks_nothing=True,
        rules=tuple(
            SettingRule(behavior=behavior, text=text, layer="user", source=f"{file}:1", file=file, base=file.parent)
            for behavior, text in cast("list[tuple[Behavior, str]]", pairs)
        ),
    )  # fmt: skip
    assert len(KEYS) == 44, "a new key needs its line here"


def test_a_fallback_may_be_one_name_and_the_flag_wins(file: Path) -> None:
    file.write_text('{"fallbackModel": "a"}')
    assert load(file) == (Settings(fallback_models=("a",)), [])
    assert load(file, fallback_models=("b", "c"))[0].fallback_models == ("b", "c")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model", 5, "model must be text"),
        ("model", None, "model must be text"),
        ("model", "", "model must not be empty"),
        ("theme", ["x"], "theme must be text"),
        ("effortLevel", "huge", "effortLevel must be one of low, medium, high, xhigh, max"),
        ("cacheTtl", "2h", "cacheTtl must be one of 5m, 1h"),
        ("cacheTtl", 5, "cacheTtl must be text"),
        ("fallbackModel", 5, "fallbackModel must be a list of texts"),
        ("maxOutputTokens", "many", "maxOutputTokens must be a positive number"),
        ("maxOutputTokens", 0, "positive"),
        ("vim", "yes", "vim must be true or false"),
        ("vim", 1, "vim must be true or false"),
        ("keybindingFlavor", "emacs", "keybindingFlavor must be one of default, readline"),
        ("maxOutputTokens", -1, "positive"),
        ("maxOutputTokens", True, "positive"),
        ("maxOutputTokens", 1.5, "positive"),
        ("permissions", {"defaultMode": "yolo"}, "permissions.defaultMode must be one of default"),
        ("permissions", {"allow": "Bash"}, "permissions.allow must be a list of texts"),
        ("permissions", {"ask": 5}, "permissions.ask must be a list of texts"),
        ("permissions", {"defaultMode": "auto"}, "auto is not available here"),
        ("permissions", {"disableBypassPermissionsMode": "yes"}, "must be one of disable"),
        ("permissions", {"additionalDirectories": "src"}, "must be a list of texts"),
        ("permissions", {"deny": {}}, "permissions.deny must be a list of texts"),
        ("permissions", {"nosuch": 1}, "unknown setting 'permissions.nosuch'"),
        ("permissions", "all", "permissions"),
        ("modell", "m", "unknown setting 'modell'"),
        ("permissions.allow", ["Bash"], "permissions.allow"),
    ],
)
def test_a_bad_value_is_told_with_its_line_and_left_out(file: Path, key: str, value: Any, said: str) -> None:
    text = json.dumps({"$comment": "model permissions modell", "cacheTtl": "1h", "theme": "t"} | {key: value}, indent=1)
    text = text.replace(' "$comment"', ' "_"', 1)
    file.write_text(text)
    settings, problems = load(file)
    lines = text.split("\n")
    inner: str = next(iter(cast("dict[str, Any]", value))) if isinstance(value, dict) and value else key
    line = next(n for n, row in enumerate(lines, 1) if row.strip().startswith(f'"{inner}":'))
    mine = [problem for problem in problems if "'_'" not in problem]
    assert len(mine) == 1
    assert mine[0].startswith(f"{file}:{line}: ")
    assert said in mine[0]
    assert "ignored" in mine[0]
    fields = {"cacheTtl": "cache_ttl", "theme": "theme"}
    expected = Settings(**{f: {"cache_ttl": "1h", "theme": "t"}[f] for k, f in fields.items() if k != key})  # pyright: ignore[reportArgumentType]
    assert settings == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n"theme": "model",\n"model": 5}', 3),
        ('{\n"x": {"model": 1},\n"model": 5}', 3),
        ('{\n"model"\n:\n5}', 2),
        ('{\n"allow": 1,\n"permissions": {\n"allow": 5}}', 4),
        ('{"mod\\u0065l": 5}', 1),
        ('{\n"a\\"model\\": ": 1,\n"model": 5}', 3),
    ],
)
def test_the_line_is_that_of_the_key_itself(file: Path, text: str, line: int) -> None:
    file.write_text(text)
    _settings, problems = load(file)
    assert f"{file}:{line}" in [problem.partition(": ")[0] for problem in problems if "must be" in problem]


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b'{"model": "m",\n"theme": }', 2, "not valid JSON"),
        (b"", 1, "not valid JSON"),
        (b'{\n"model": "m",\n}', 3, "not valid JSON"),
        (b"[1]", 1, "must be a JSON object"),
        (b"null", 1, "must be a JSON object"),
        (b"[" * 100_000, 1, "not valid JSON"),
    ],
)
def test_a_broken_file_is_told_and_ignored(file: Path, data: bytes, line: int, said: str) -> None:
    file.write_bytes(data)
    settings, problems = load(file)
    assert settings == Settings()
    assert len(problems) == 1
    assert problems[0].startswith(f"{file}:{line}: ")
    assert said in problems[0]
    assert "ignored" in problems[0]


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_bytes(b'{"model": "\xff"}')
    assert "cannot be read" in load(file)[1][0]
    file.unlink()
    file.mkdir()
    assert "cannot be read" in load(file)[1][0]


def test_later_layers_win_and_lists_join(file: Path) -> None:
    file.write_text('{"model": "file", "theme": "file", "permissions": {"allow": ["A"], "deny": ["D"]}}')
    assert load(file)[0].model == "file"
    assert load(file, {"ANTHROPIC_MODEL": "sdk"})[0].model == "sdk"
    environ = {"ANTHROPIC_MODEL": "sdk", "AGENT_TUI_MODEL": "own", "ANTHROPIC_BASE_URL": "http://h"}
    assert load(file, environ)[0].model == "own"
    settings, _ = load(file, environ, model="flag", theme=None, allow=("B",), deny=None)
    assert (settings.model, settings.theme, settings.base_url) == ("flag", "file", "http://h")
    assert (texts(settings, "allow"), texts(settings, "deny")) == (["A", "B"], ["D"])


@pytest.mark.parametrize(("raw", "expected"), [("3", 3), ("0", 10), ("-1", 10), ("x", 10), ("", 10), ("9" * 5_000, 10)])
def test_the_number_of_parallel_tools_is_checked(file: Path, raw: str, expected: int) -> None:
    settings, problems = load(file, {"AGENT_TUI_MAX_TOOL_USE_CONCURRENCY": raw})
    assert settings.max_tool_concurrency == expected
    assert bool(problems) == (expected == 10 and raw != "")


@pytest.mark.parametrize(("raw", "on"), [("1", False), ("true", False), ("0", True), ("false", True), ("", True)])
def test_caching_can_be_switched_off(file: Path, raw: str, on: bool) -> None:
    assert load(file, {"DISABLE_PROMPT_CACHING": raw})[0].prompt_caching is on


# Trust


def test_trust_holds_for_a_folder_and_what_is_in_it(tmp_path: Path) -> None:
    store = tmp_path / "data" / "trust.json"
    work = tmp_path / "work"
    assert not is_trusted(store, work)
    trust(store, work)
    trust(store, tmp_path / "b")
    assert is_trusted(store, work)
    assert is_trusted(store, work / "sub" / "deep")
    assert is_trusted(store, tmp_path / "b")
    assert not is_trusted(store, tmp_path)
    assert not is_trusted(store, tmp_path / "workx")
    assert store.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "5",
        '{"folders": null}',
        '{"folders": "/tmp"}',
        '{"folders": {"/": 1}}',
        '{"folders": [5]}',
        "[" * 99_999,
    ],
)
def test_an_unreadable_store_trusts_nothing(tmp_path: Path, text: str) -> None:
    store = tmp_path / "trust.json"
    store.write_text(text)
    assert not is_trusted(store, Path("/tmp"))
    assert not is_trusted(store, tmp_path)
    trust(store, tmp_path)
    assert is_trusted(store, tmp_path)


# Credentials


@pytest.mark.parametrize(
    ("environ", "base_url", "source"),
    [
        ({}, "", ""),
        ({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t"}, "", "ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_API_KEY": "", "ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_PROFILE": "p"}, "", "ANTHROPIC_AUTH_TOKEN"),
        ({"ANTHROPIC_PROFILE": "p"}, "", "ANTHROPIC_PROFILE"),
        ({"ANTHROPIC_FEDERATION_RULE_ID": "r"}, "", ""),
        ({"ANTHROPIC_FEDERATION_RULE_ID": "r", "ANTHROPIC_IDENTITY_TOKEN": "t"}, "", "ANTHROPIC_IDENTITY_TOKEN"),
        ({"ANTHROPIC_FEDERATION_RULE_ID": "r", "ANTHROPIC_IDENTITY_TOKEN_FILE": "f"}, "", "ANTHROPIC_IDENTITY_TOKEN"),
        ({}, "http://localhost:8080", "a local server"),
        ({"ANTHROPIC_API_KEY": "k"}, "http://localhost:8080", "ANTHROPIC_API_KEY"),
        ({}, "https://example.com", ""),
    ],
)
def test_where_credentials_come_from(environ: dict[str, str], base_url: str, source: str) -> None:
    assert credential_source(environ, base_url) == source


def test_a_profile_on_disk_counts(isolated_machine: Path, tmp_path: Path) -> None:
    folder = isolated_machine / ".config" / "anthropic"
    (folder / "configs").mkdir(parents=True)
    assert credential_source({}, "") == ""
    (folder / "configs" / "default.json").write_text("{}")
    assert credential_source({}, "") == "the active profile"
    (folder / "active_config").write_text("work\n")
    assert credential_source({}, "") == ""
    (folder / "configs" / "work.json").write_text("{}")
    assert credential_source({}, "http://127.0.0.1") == "the active profile"
    assert credential_source({"ANTHROPIC_CONFIG_DIR": str(tmp_path)}, "") == ""


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/v1", True), ("http://[::1]:1", True), ("http://LOCALHOST", True), ("", False),
        ("http://localhost.evil.com", False), ("http://127.0.0.1.evil.com", False),
        ("http://evil.com/localhost", False),
        ("http://localhost@evil.com", False), ("localhost:8080", False), ("http://[", False), ("http://[::1", False),
    ],
)  # fmt: skip
def test_which_servers_are_local(url: str, local: bool) -> None:
    assert is_local(url) is local


# Paths


def test_one_variable_moves_everything(tmp_path: Path, isolated_machine: Path) -> None:
    paths = find_paths({"AGENT_TUI_HOME": str(tmp_path)})
    assert {paths.config.parent, paths.data.parent, paths.log.parent.parent} == {tmp_path}
    assert find_paths({"AGENT_TUI_HOME": "~/x"}).config == isolated_machine / "x" / "config"
    assert find_paths({}).user_settings.name == "settings.json"


def test_folders_of_projects_are_apart(tmp_path: Path) -> None:
    paths = find_paths({"AGENT_TUI_HOME": str(tmp_path)})
    long = Path("/" + "x" * 150 + "/" + "y" * 150)
    names = [paths.project(path).name for path in (Path("/a/b"), long / "a", long / "b")]
    assert names[0] == "-a-b"
    assert len(set(names)) == 3
    assert max(len(name) for name in names) < 255

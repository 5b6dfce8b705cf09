"""The layers of settings: which file wins, what is joined, which line a rule stands in, what a folder would bring."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.protocol.errors import AgentError
from core.settings.layers import SettingsFile, local_settings_file, parse_layer
from core.settings.load import Loaded, SettingsSource, load_settings
from core.settings.paths import Paths
from core.settings.schema import Settings
from core.settings.untrusted import untrusted_settings

FILES = {
    "claude": "home/.claude/settings.json",
    "user": "home/config/settings.json",
    "project": "repo/.claude/settings.json",
    "own project": "repo/.agent-tui/settings.json",
    "local": "repo/.claude/settings.local.json",
    "own local": "repo/.agent-tui/settings.local.json",
    "managed": "etc/claude-code/managed-settings.json",
    "managed part": "etc/claude-code/managed-settings.d/10.json",
    "own managed": "etc/agent-tui/managed-settings.json",
}
"""From the weakest to the strongest; environment and command line come before the managed ones."""


class Ground:
    """A home, a repository and the folders of whoever runs the machine."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.repo = base / "repo"
        self.cwd = self.repo / "src" / "deep"
        self.cwd.mkdir(parents=True)
        (self.repo / ".git").mkdir()
        home, etc = base / "home", base / "etc"
        managed = (etc / "claude-code", etc / "agent-tui")
        self.paths = Paths(home / "config", home / "data", home / "log", home=home, managed=managed)

    def write(self, name: str, data: Any) -> Path:
        path = self.base / FILES.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2))
        return path

    def source(self, environ: dict[str, str] | None = None, **flags: Any) -> SettingsSource:
        return SettingsSource(paths=self.paths, cwd=self.cwd, environ=environ or {}, flags=flags)

    def load(self, environ: dict[str, str] | None = None, *, is_trusted: bool = True, **flags: Any) -> Loaded:
        return load_settings(self.source(environ, **flags), is_trusted=is_trusted)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def told(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


# What wins


def test_each_layer_wins_over_those_before_it(ground: Ground) -> None:
    environ: dict[str, str] = {}
    flags: dict[str, Any] = {}
    for name in list(FILES)[:6]:
        ground.write(name, {"model": name})
        assert ground.load().settings.model == name
    environ["ANTHROPIC_MODEL"] = "environment"
    assert ground.load(environ).settings.model == "environment"
    flags["settings"] = '{"model": "given"}'
    assert ground.load(environ, **flags).settings.model == "given"
    flags["model"] = "flag"
    assert ground.load(environ, **flags).settings.model == "flag"
    for name in list(FILES)[6:]:
        ground.write(name, {"model": name})
        assert ground.load(environ, **flags).settings.model == name


def test_rules_of_all_layers_are_joined_and_know_where_they_stand(ground: Ground) -> None:
    for name in FILES:
        ground.write(name, {"permissions": {"deny": [f"Read({name})"]}})
    given = ground.write("given.json", {"permissions": {"ask": ["Bash(rm *)"]}})
    loaded = ground.load(settings=str(given), allow=("Edit",), deny=("Write",))
    assert told(loaded) == []
    rules = loaded.settings.rules
    assert [(rule.behavior, rule.text) for rule in rules] == [
        *(("deny", f"Read({name})") for name in list(FILES)[:6]),
        ("ask", "Bash(rm *)"), ("allow", "Edit"), ("deny", "Write"),
        *(("deny", f"Read({name})") for name in list(FILES)[6:]),
    ]  # fmt: skip
    assert [rule.layer for rule in rules] == ["user"] * 2 + ["project"] * 2 + ["local"] * 2 + ["flag"] * 3 + [
        "managed"
    ] * 3
    assert [rule.source for rule in rules] == [
        *(f"{ground.base / FILES[name]}:4" for name in list(FILES)[:6]),
        f"{given}:4", "--allowedTools", "--disallowedTools",
        *(f"{ground.base / FILES[name]}:4" for name in list(FILES)[6:]),
    ]  # fmt: skip
    assert [rule.file for rule in rules[:6]] == [ground.base / FILES[name] for name in list(FILES)[:6]]
    assert {rule.file for rule in rules[6:]} == {None}
    home, etc = ground.base / "home", ground.base / "etc"
    assert [rule.base for rule in rules] == [
        home / ".claude", home / "config", *[ground.repo] * 4, *[ground.cwd] * 3,
        *[etc / "claude-code"] * 2, etc / "agent-tui",
    ]  # fmt: skip


def test_outside_a_repository_the_project_is_the_working_folder(ground: Ground) -> None:
    (ground.repo / ".git").rmdir()
    ground.write("project", {"model": "root"})
    assert ground.load().settings == Settings()
    ground.write("repo/src/deep/.claude/settings.json", {"model": "here"})
    assert ground.load().settings.model == "here"
    assert local_settings_file(ground.cwd) == ground.cwd / ".claude" / "settings.local.json"
    (ground.repo / ".git").mkdir()
    assert local_settings_file(ground.cwd) == ground.repo / ".claude" / "settings.local.json"


def test_in_the_home_folder_the_users_file_is_no_projects(ground: Ground) -> None:
    ground.write("claude", {"permissions": {"allow": ["Edit"]}})
    home = ground.base / "home"
    (home / ".git").mkdir()
    source = SettingsSource(paths=ground.paths, cwd=home)
    for is_trusted in (True, False):
        rules = load_settings(source, is_trusted=is_trusted).settings.rules
        assert [(rule.text, rule.layer) for rule in rules] == [("Edit", "user")]
    assert untrusted_settings(ground.paths, home) == ()


def test_a_list_that_is_not_joined_is_replaced_even_by_an_empty_one(ground: Ground) -> None:
    ground.write("user", {"fallbackModel": ["a", "b"], "webFetch": {"allowPrivate": ["x", "y"]}})
    ground.write("local", {"fallbackModel": [], "webFetch": {"allowPrivate": ["y", "z"]}})
    settings = ground.load().settings
    assert settings.fallback_models == ()
    assert settings.allow_private == ("x", "y", "z")


# A repository must not loosen what is asked


def test_nothing_of_an_untrusted_folder_counts(ground: Ground) -> None:
    permissions = {"allow": ["Bash"], "deny": ["Read"], "defaultMode": "acceptEdits", "additionalDirectories": ["/"]}
    for name in ("project", "own project", "local", "own local"):
        ground.write(name, {"model": "theirs", "permissions": permissions, "nonsense": 1})
    loaded = ground.load(is_trusted=False)
    assert (loaded.settings, told(loaded)) == (Settings(), [])
    assert ground.load().settings.mode == "acceptEdits"


@pytest.mark.parametrize("name", ["project", "own project", "local", "own local"])
def test_a_project_cannot_switch_the_questions_off(ground: Ground, name: str) -> None:
    file = ground.write(name, {"permissions": {"defaultMode": "bypassPermissions"}})
    loaded = ground.load()
    assert loaded.settings.mode == "default"
    assert told(loaded) == [
        f"{file}:3: permissions.defaultMode: a project cannot switch the questions off; it is ignored"
    ]
    ground.write("user", {"permissions": {"defaultMode": "bypassPermissions"}})
    assert ground.load().settings.mode == "bypassPermissions"


def test_what_disables_bypassing_counts_wherever_it_stands(ground: Ground) -> None:
    ground.write("own project", {"permissions": {"disableBypassPermissionsMode": "disable"}})
    ground.write("managed", {"permissions": {"defaultMode": "manual"}})
    settings = ground.load(mode="plan").settings
    assert (settings.disable_bypass, settings.mode) == ("disable", "default")


def test_a_file_of_environment_variables_is_never_loaded(ground: Ground) -> None:
    for folder in (ground.repo, ground.cwd, ground.repo / ".claude"):
        folder.mkdir(exist_ok=True)
        (folder / ".env").write_text("ANTHROPIC_BASE_URL=http://evil.example\nANTHROPIC_MODEL=theirs\nPATH=/tmp\n")
    before = dict(os.environ)
    assert ground.load(dict(os.environ)).settings == Settings()
    assert dict(os.environ) == before


# Files of another program


def test_keys_that_only_the_other_program_knows_are_left_out_in_silence(ground: Ground) -> None:
    data: dict[str, Any] = {
        "$schema": "x",
        "hooks": {"Stop": []},
        "env": {"A": "1"},
        "statusLine": {},
        "enabledPlugins": {},
    }
    ground.write("claude", data)
    ground.write("local", data)
    assert told(ground.load()) == []
    own = ground.write("user", {"hooks": {}})
    assert told(ground.load()) == [f"{own}:2: unknown setting 'hooks'; it is ignored"]


def test_typos_and_wrong_values_are_told_there_too(ground: Ground) -> None:
    file = ground.write(
        "claude", {"permissions": {"alow": ["Bash"], "defaultMode": "auto"}, "hookz": {}, "model": "opus[1m]"}
    )
    assert told(ground.load()) == [
        f"{file}:3: unknown setting 'permissions.alow'; it is ignored",
        f"{file}:6: permissions.defaultMode: auto is not available here; it is ignored",
        f"{file}:8: unknown setting 'hookz'; it is ignored",
        f"{file}:9: model: 'opus[1m]' is not the id of a model; it is ignored",
    ]
    assert ground.load().settings == Settings()


# Lists


def test_a_wrong_item_costs_only_itself(ground: Ground) -> None:
    file = ground.write("project", '{"permissions": {\n"deny": ["Read(a)",\n5,\n"",\n"Read(b)"]}}')
    loaded = ground.load()
    assert [(rule.text, rule.source) for rule in loaded.settings.rules] == [
        ("Read(a)", f"{file}:2"),
        ("Read(b)", f"{file}:5"),
    ]
    assert told(loaded) == [
        f"{file}:3: permissions.deny must be a list of texts, and 5 is none; it is ignored",
        f'{file}:4: permissions.deny must be a list of texts, and "" is none; it is ignored',
    ]


def test_further_folders(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(ground.base / "home"))
    for name in ("docs", "home/notes", "repo/lib", "repo/src/deep/here"):
        (ground.base / name).mkdir(parents=True)
    file = ground.write("project", {"permissions": {"additionalDirectories": ["../docs", "~/notes", "lib", "gone"]}})
    loaded = ground.load(add_dirs=("here", "nowhere", str(ground.base / "docs")))
    assert loaded.settings.additional_dirs == (
        ground.base / "docs", ground.base / "home" / "notes", ground.repo / "lib", ground.cwd / "here",
    )  # fmt: skip
    assert told(loaded) == [
        f"{file}:7: permissions.additionalDirectories: {ground.repo / 'gone'} is not a folder; it is ignored",
        f"--add-dir: {ground.cwd / 'nowhere'} is not a folder; it is left out",
    ]


SPACE = st.sampled_from(["", " ", "\n", "\r\n", "\t", "\n\n  ", "  \n\t"])
OTHER = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\\n[]{},:é', max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a"[{:', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[str, dict[str, list[str]]]:
    """A settings file in any layout, and the marks of its rules by behaviour."""
    marks = {name: [f"r{n}{name}" for n in range(draw(st.integers(0, 4)))] for name in ("allow", "ask", "deny")}

    def lay(value: Any) -> str:
        def gap() -> str:
            return draw(SPACE)

        if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            items = [f"{gap()}{text(name)}{gap()}:{gap()}{lay(inner)}{gap()}" for name, inner in members]
            return "{" + (",".join(items) or gap()) + "}"
        if isinstance(value, list):
            items = [f"{gap()}{lay(inner)}{gap()}" for inner in cast("list[Any]", value)]
            return "[" + (",".join(items) or gap()) + "]"
        return text(value) if isinstance(value, str) else json.dumps(value)

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    rules = {name: [f"Bash({mark} x)" for mark in found] for name, found in marks.items()}
    permissions = dict(draw(st.permutations([*rules.items(), ("junk", draw(OTHER))])))
    top = dict(draw(st.permutations([("permissions", permissions), ("junk", draw(OTHER)), ("allow", draw(OTHER))])))
    return draw(SPACE) + lay(top) + draw(SPACE), marks


@given(layouts())
def test_the_line_of_a_rule_is_where_it_stands_in_any_layout(layout: tuple[str, dict[str, list[str]]]) -> None:
    text, marks = layout
    layer = parse_layer(text, SettingsFile(name="f", layer="user", base=Path("/")))
    assert not layer.is_broken
    found = {stated.path.rpartition(".")[2]: stated for stated in layer.stated}
    for behavior, expected in marks.items():
        lines = [f"f:{text[: text.index(mark)].count(chr(10)) + 1}" for mark in expected]
        assert found[behavior].items == tuple(lines)
        assert found[behavior].value == tuple(f"Bash({mark} x)" for mark in expected)


# Files that cannot be used


@pytest.mark.parametrize("text", ['{"model": ', "[1]", "", "nonsense", "[" * 100_000])
def test_a_broken_file_keeps_what_it_said_before(ground: Ground, text: str) -> None:
    file = ground.write("project", {"permissions": {"deny": ["Bash"]}})
    before = ground.load()
    file.write_text(text)
    after = load_settings(before.source, is_trusted=True, before=before)
    assert after.settings == before.settings
    assert len(told(after)) == 1 and told(after)[0].startswith(f"{file}:1: ")
    assert told(after)[0].endswith("what it said before stays in force")
    again = load_settings(before.source, is_trusted=True, before=after)
    assert (again.settings, told(again)) == (before.settings, told(after))
    file.unlink()
    expecting = load_settings(before.source, is_trusted=True, before=before, expected={file})
    assert expecting.settings == before.settings
    assert load_settings(before.source, is_trusted=True, before=before).settings == Settings()


@pytest.mark.parametrize("kind", ["pipe", "folder", "endless", "huge", "loop", "bytes"])
def test_a_file_that_is_none_is_told_and_never_waited_for(ground: Ground, kind: str) -> None:
    file = ground.write("project", "{}")
    file.unlink()
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "endless":
            file.symlink_to("/dev/zero")
        case "huge":
            file.write_text('{"model": "' + "x" * 1_000_000 + '"}')
        case "loop":
            file.symlink_to(file)
        case _:
            file.write_bytes(b'{"model": "\xff"}')
    loaded = ground.load()
    assert loaded.settings == Settings()
    assert len(told(loaded)) == 1 and told(loaded)[0].startswith(f"{file}: cannot be read (")
    assert untrusted_settings(ground.paths, ground.cwd) == ("../../.claude/settings.json: cannot be read",)


@pytest.mark.parametrize("given", ["missing.json", '{"model": ', "{]"])
def test_what_the_command_line_names_must_be_readable(ground: Ground, given: str) -> None:
    with pytest.raises(AgentError, match="--settings"):
        ground.load(settings=given)


def test_a_wrong_key_of_the_command_line_is_told(ground: Ground) -> None:
    loaded = ground.load(settings='{"modle": 1,\n"model": "m"}')
    assert (loaded.settings.model, told(loaded)) == ("m", ["--settings:1: unknown setting 'modle'; it is ignored"])


# What an untrusted folder would bring


def test_what_a_folder_would_bring_is_counted(ground: Ground) -> None:
    hook = {"hooks": [{"type": "command", "command": "x"}, {"type": "command", "command": "y"}]}
    ground.write(
        "project",
        {
            "$schema": "s", "permissions": {"allow": ["A", "B", "C"], "ask": ["D"], "deny": [],
            "defaultMode": "bypassPermissions", "additionalDirectories": ["/"]},
            "hooks": {"Stop": [hook], "PreToolUse": [{"matcher": "Bash", **hook}]}, "env": {"A": "1"},
            "apiKeyHelper": "x", "statusLine": {}, "\x1b[2Jevil": 1, "x" * 500: 2,
        },
    )  # fmt: skip
    ground.write("own local", "[1]")
    ground.write("local", "{nonsense")
    ground.write("user", {"model": "m"})
    assert untrusted_settings(ground.paths, ground.repo) == (
        ".claude/settings.json: 3 allow rules, 1 ask rule, 0 deny rules, defaultMode bypassPermissions, "
        "1 further folder, 4 hooks, env, apiKeyHelper, statusLine, 2 unknown keys",
        ".claude/settings.local.json: cannot be read",
        ".agent-tui/settings.local.json: no settings",
    )


@given(OTHER, OTHER)
def test_whatever_a_folder_holds_can_be_listed(permissions: Any, hooks: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))
        ground.write("project", {"permissions": permissions, "hooks": hooks})
        (line,) = untrusted_settings(ground.paths, ground.repo)
        assert line.startswith(".claude/settings.json: ") and "\n" not in line

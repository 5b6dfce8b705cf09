"""Reads the settings of a session: built-in, user, project, local, environment, command line, managed; later ones win.

The lists of permission rules, folders and hosts are joined. What is wrong is reported; the program starts all the same.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from core.host.files import read_regular
from core.protocol.errors import AgentError
from core.protocol.views import Behavior, RuleLayer
from core.settings.layers import (
    MAX_FILE_BYTES,
    PROJECT_LAYERS,
    Layer,
    Problem,
    SettingsFile,
    Stated,
    parse_layer,
    read_layer,
    settings_files,
)
from core.settings.paths import Paths
from core.settings.schema import KEYS, SettingRule, Settings
from core.settings.tables import READERS

MAX_DIGITS = 9
NUMBERS = {
    "AGENT_TUI_MAX_TOOL_USE_CONCURRENCY": ("max_tool_concurrency", ""),
    "CLAUDE_CODE_MAX_CONCURRENT_SUBAGENTS": ("agent_max_concurrency", "agents.maxConcurrency"),
    "AGENT_TUI_CONTEXT_WINDOW": ("context_window", "context.window"),
    "AGENT_TUI_AUTOCOMPACT_BUFFER": ("autocompact_buffer", "context.autocompactBuffer"),
    "AGENT_TUI_WARNING_BUFFER": ("warning_buffer", "context.warningBuffer"),
    "AGENT_TUI_MANUAL_COMPACT_BUFFER": ("manual_compact_buffer", "context.manualCompactBuffer"),
}
"""Variables of the environment that hold a number, each with its field and its name in the settings file."""
OPTIONS = {"allow": "--allowedTools", "deny": "--disallowedTools", "add_dirs": "--add-dir"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSource:
    """Where the settings of a session come from. ``flags`` holds fields by name; None means not given.

    Beside them: ``allow`` and ``deny`` (rules), ``add_dirs`` (folders), ``settings`` (a file, or JSON itself).
    """

    paths: Paths
    cwd: Path
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    flags: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def files(self, *, is_trusted: bool) -> list[SettingsFile]:
        """The files that count, weakest first; a project's own only where the folder is trusted."""
        files = settings_files(self.paths, self.cwd)
        return [file for file in files if is_trusted or file.layer not in PROJECT_LAYERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings of a session, what was wrong, and what they were made of."""

    settings: Settings
    problems: tuple[Problem, ...]
    layers: tuple[Layer, ...]
    source: SettingsSource
    is_trusted: bool


def load_settings(
    source: SettingsSource, *, is_trusted: bool, before: Loaded | None = None, expected: Collection[Path] = ()
) -> Loaded:
    """Read everything. Raises ``AgentError`` where what the command line names cannot be read.

    Of a file that is broken now, or is missing and ``expected`` to come back, what it stated ``before`` stays in force.
    """
    known: dict[Path | None, Layer] = {}
    if before is not None:
        known = {layer.file.path: layer for layer in before.layers if layer.file is not None and layer.file.path}
    layers: list[Layer] = []
    managed: list[Layer] = []
    for file in source.files(is_trusted=is_trusted):
        layer, old = read_layer(file), known.get(file.path)
        if old is not None and layer.is_broken:
            layer = replace(layer, stated=old.stated, problems=tuple(_kept(layer.problems)))
        elif old is not None and layer.stamp is None and file.path in expected:
            layer = old
        (managed if layer.name == "managed" else layers).append(layer)
    # The command line is taken once: a file that it names stays as it was then.
    flags = [layer for layer in before.layers if layer.name == "flag"] if before else _from_flags(source)
    layers += [_from_environ(source.environ), *flags, *managed]
    return Loaded(
        settings=_merge(layers),
        problems=tuple(problem for layer in layers for problem in layer.problems),
        layers=tuple(layers),
        source=source,
        is_trusted=is_trusted,
    )


def _kept(problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        text = problem.text.rpartition("; ")[0]
        yield Problem(problem.where, f"{text}; what it said before stays in force")


def _merge(layers: Iterable[Layer]) -> Settings:
    values: dict[str, Any] = {}
    joined = {key.field for key in KEYS if key.is_joined}
    for layer in layers:
        if any(stated.field == "model" for stated in layer.stated):
            # What a weaker layer says of the same in its table is no longer meant.
            values.get("routing", {}).pop("main", None)
        for stated in layer.stated:
            value = stated.value
            if stated.field == "rules":
                value = tuple(_rules(layer, stated))
            elif stated.field == "additional_dirs":
                value = tuple(Path(folder) for folder in value)
            elif stated.field in READERS:
                read = READERS[stated.field]
                entries = {name: read(name, value[name], at) for name, at in zip(value, stated.items, strict=True)}
                value = {**values.get(stated.field, {}), **entries}
            if stated.field in joined:
                value = tuple(dict.fromkeys((*values.get(stated.field, ()), *value)))
            values[stated.field] = value
    values |= {name: tuple(values[name].values()) for name in READERS if name in values}
    known = {field.name for field in fields(Settings)}
    return replace(Settings(), **{name: values[name] for name in values.keys() & known})


def _rules(layer: Layer, stated: Stated) -> Iterator[SettingRule]:
    for text, source in zip(stated.value, stated.items, strict=True):
        yield SettingRule(
            behavior=cast("Behavior", stated.path.rpartition(".")[2]),
            text=text,
            layer=cast("RuleLayer", layer.name),
            source=source,
            file=layer.file.path if layer.file and layer.name not in ("flag", "managed") else None,
            base=layer.file.base if layer.file else None,
        )


def _from_flags(source: SettingsSource) -> Iterator[Layer]:
    """The command line: first the settings it names, then its own options."""
    if source.flags.get("settings"):
        yield _named_settings(source.flags["settings"], source.cwd)
    names = {key.field: key.path for key in KEYS}
    stated: list[Stated] = []
    problems: list[Problem] = []
    for name, value in source.flags.items():
        match name:
            case "settings":
                continue
            case "allow" | "deny":
                path, target = f"permissions.{name}", "rules"
            case "add_dirs":
                path, target = "permissions.additionalDirectories", "additional_dirs"
                folders = [os.path.normpath(source.cwd / os.path.expanduser(one)) for one in value or ()]  # noqa: PTH111
                value = tuple(one for one in folders if os.path.isdir(one))  # noqa: PTH112  never raises
                missing = [one for one in folders if one not in value]
                problems += [Problem(OPTIONS[name], f"{one} is not a folder; it is left out") for one in missing]
            case _:
                path, target = names.get(name, ""), name
        if value is None:
            continue
        option = OPTIONS.get(name, "command line")
        items = (option,) * len(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else ()
        stated.append(Stated(path=path, field=target, value=value, source=option, items=items))
    file = SettingsFile(name="command line", layer="flag", base=source.cwd)
    yield Layer(name="flag", stated=tuple(stated), problems=tuple(problems), file=file)


def _named_settings(given: str, cwd: Path) -> Layer:
    """What ``--settings`` gives. It cannot be left out: whoever names it relies on it."""
    if given.lstrip().startswith("{"):
        layer = parse_layer(given, SettingsFile(name="--settings", layer="flag", base=cwd))
    else:
        path = cwd / os.path.expanduser(given)  # noqa: PTH111
        try:
            text = read_regular(path, MAX_FILE_BYTES).decode()
        except (OSError, ValueError) as error:
            raise AgentError(f"--settings {given} cannot be read ({error}).", "Name a file, or give JSON.") from error
        layer = parse_layer(text, SettingsFile(name=str(path), layer="flag", base=cwd))
    if layer.is_broken:
        raise AgentError(f"--settings: {layer.problems[0]}.", "Correct it, or leave the option away.")
    return layer


def _from_environ(environ: Mapping[str, str]) -> Layer:
    stated: list[Stated] = []
    problems: list[Problem] = []

    def state(field_name: str, value: Any, variable: str, path: str = "") -> None:
        stated.append(Stated(path=path, field=field_name, value=value, source=variable))

    for field_name, path, variables in (
        ("model", "model", ("AGENT_TUI_MODEL", "ANTHROPIC_MODEL")),
        ("small_model", "smallModel", ("ANTHROPIC_SMALL_FAST_MODEL",)),
        ("agent_model", "agents.model", ("CLAUDE_CODE_SUBAGENT_MODEL",)),
        ("base_url", "", ("ANTHROPIC_BASE_URL",)),
    ):
        variable = next((name for name in variables if environ.get(name)), "")
        if variable:
            state(field_name, environ[variable], variable, path)
    if environ.get("DISABLE_PROMPT_CACHING", "") not in ("", "0", "false"):
        state("prompt_caching", False, "DISABLE_PROMPT_CACHING")
    for name, (field_name, path) in NUMBERS.items():
        raw = environ.get(name, "")
        if raw.isdecimal() and len(raw) < MAX_DIGITS and int(raw) >= 1:
            state(field_name, int(raw), name, path)
        elif raw:
            problems.append(Problem(name, f"must be a positive number, not {raw!r}; it is ignored"))
    return Layer(name="environment", stated=tuple(stated), problems=tuple(problems))

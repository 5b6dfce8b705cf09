"""One Markdown file as the definition of an agent, or what is wrong with it, with file and line. Never raises."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args

from core.agents.definition import AgentDefinition
from core.agents.front_matter import MAX_DEPTH, Front, FrontError, read_front, read_plain, split_front
from core.agents.tool_names import split_names, tool_name
from core.host.files import read_regular
from core.protocol.agent_views import FORK, AgentColor, AgentLayer
from core.protocol.views import PermissionMode
from core.settings.schema import Effort

T = TypeVar("T")

MAX_BYTES = 1_000_000
MAX_NAME = 64
MAX_PARTS = 2_000
"""Values in one field: with references to itself a short text stands for as many as one likes."""
NAME = re.compile(rf"[A-Za-z0-9][\w-]{{0,{MAX_NAME - 1}}}")
MODEL = re.compile(r"[\w.:/@\[\]-]+")
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FIELDS = frozenset(
    "name description tools disallowedTools model permissionMode maxTurns skills mcpServers hooks color background "
    "effort readOnly instructions".split()
)
NOT_YET = frozenset("memory isolation initialPrompt".split())
"""Fields of Claude Code that mean nothing here."""
SYNONYMS = {"disallowed-tools": "disallowedTools", "allowed-tools": "tools", "allowedTools": "tools"}
"""As some write them."""
KEYS = FIELDS | NOT_YET | SYNONYMS.keys()
MODES = dict[str, PermissionMode](manual="default", **{name: name for name in get_args(PermissionMode)})
BYPASS: PermissionMode = "bypassPermissions"
WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file has given: with neither a definition nor a problem it is none of ours."""

    definition: AgentDefinition | None = None
    problems: tuple[str, ...] = ()
    """``file:line: what is wrong``. With a definition: what is left out of it."""


def read_definition(path: Path, layer: AgentLayer, tools: Collection[str], *, is_shared: bool = False) -> Reading:
    """Read a file. ``tools``: names of those there are. ``is_shared``: it lies among others, so only what looks like a
    definition is one."""
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        return Reading(problems=(f"{path}:1: it cannot be read: {error.strerror or error}",))
    return parse_definition(data, str(path), layer, tools, is_shared=is_shared)


def parse_definition(
    data: bytes,
    source: str,
    layer: AgentLayer,
    tools: Collection[str] | None,
    *,
    is_shared: bool = False,
) -> Reading:
    """The definition in some bytes. ``tools`` None: they are our own, so YAML need not be loaded to read them."""
    plain = data[3:] if data.startswith(MARKS[0]) else data
    if is_shared and not _looks_like_one(plain):
        return Reading()
    try:
        if data.startswith(MARKS):
            raise FrontError(1, "it begins with a byte order mark: save it as UTF-8 without one")
        front = split_front(_decode(data).replace("\r\n", "\n"))
        if front is None:
            raise FrontError(1, "it does not begin with frontmatter: fields such as `name: …` between two lines ---")
        read = read_plain if tools is None else read_front
        values = {SYNONYMS.get(key, key): value for key, value in read(front, KEYS).items()}
        return _Fields(front, values, source, tools).definition(layer)
    except FrontError as error:
        return Reading(problems=(f"{source}:{error.line}: {error}",))


def _looks_like_one(data: bytes) -> bool:
    """Whether it begins with frontmatter that has at least one of our fields."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    try:
        front = split_front(text)
    except FrontError:
        front = Front(text.partition("\n\n")[0], "")
    return front is not None and any(front.line_of(key) > 1 for key in ("name", "description", "tools", "model"))


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FrontError(data.count(b"\n", 0, error.start) + 1, "it is not encoded in UTF-8: save it so") from error


class _Fields:
    """The fields of one file, each looked at by what it should be."""

    def __init__(self, front: Front, values: Mapping[str, Any], source: str, tools: Collection[str] | None) -> None:
        self._front = front
        self._values = values
        self._source = source
        self._tools = tools

    def definition(self, layer: AgentLayer) -> Reading:
        """All of it. Raises ``FrontError``."""
        body = self._front.body.strip()
        if missing := [key for key in ("name", "description") if not self._get(key, _text)]:
            raise FrontError(1, f"{' and '.join(missing)} missing: `{missing[0]}: …` in the frontmatter")
        tools, denied = self._names("tools"), self._names("disallowedTools")
        if denied is None:
            raise self._error("disallowedTools", "every tool is taken away: name those that it shall not have")
        made = AgentDefinition(
            name=self._get("name", _name) or "",
            description=(self._get("description", _text) or "").replace("\\n", "\n"),
            prompt=body,
            tools=tools if "tools" in self._values and self._values["tools"] is not None else None,
            disallowed=denied,
            model=self._get("model", _model) or "",
            effort=self._get("effort", lambda value: _one_of(value, {name: name for name in get_args(Effort)})),
            color=self._get("color", lambda value: _one_of(value, {name: name for name in get_args(AgentColor)})) or "",
            mode=self._get("permissionMode", lambda value: _one_of(value, MODES)),
            max_turns=self._get("maxTurns", _count),
            in_background=self._get("background", _flag) or False,
            is_read_only=self._get("readOnly", _flag) or False,
            has_instructions=self._get("instructions", _flag) is not False,
            skills=self._get("skills", _list) or (),
            mcp_servers=self._get("mcpServers", _servers) or (),
            hooks=self._get("hooks", _mapping) or MappingProxyType({}),
            layer=layer,
            source="" if layer == "built-in" else self._source,
        )
        if layer == "project" and made.mode == BYPASS:
            raise self._error("permissionMode", "a project cannot switch off permissions: leave it out")
        if not body:
            raise FrontError(self._front.body_line, "there is nothing behind the frontmatter: write what it shall do")
        return Reading(made, tuple(self._left_out()))

    def _left_out(self) -> list[str]:
        unknown = [key for key in self._values if key not in FIELDS]
        return [
            f"{self._source}:{self._front.line_of(key)}: {key[:80]} "
            + ("is not supported and left out" if key in NOT_YET else "is no field of an agent and left out")
            for key in unknown
        ]

    def _get(self, key: str, read: Callable[[Any], T]) -> T | None:
        value = self._values.get(key)
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            raise self._error(key, str(error)) from error

    def _names(self, key: str) -> tuple[str, ...] | None:
        """Names of tools; None for all of them."""
        entries = self._get(key, _list) or ()
        if "*" in entries:
            return None
        try:
            return tuple(dict.fromkeys(tool_name(entry, self._tools) for entry in entries))
        except ValueError as error:
            raise self._error(key, str(error)) from error

    def _error(self, key: str, text: str) -> FrontError:
        return FrontError(self._front.line_of(key), f"{key}: {text}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be text: put it in quotes")
    # An escape may stand for half a character, which nothing can write.
    return value.encode("utf-8", "replace").decode().strip()


def _name(value: Any) -> str:
    name = _text(value)
    if not NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no name: at most {MAX_NAME} letters, digits, - and _")
    if name == FORK:
        raise ValueError(f"{FORK} is what starts from the conversation itself: choose another name")
    return name


def _model(value: Any) -> str:
    model = _text(value)
    if model and not MODEL.fullmatch(model):
        raise ValueError(f"{model[:80]!r} is no model: sonnet, opus, haiku, fable, small, inherit or an id")
    return model


def _one_of(value: Any, known: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value.strip() not in known:
        raise ValueError(f"{str(value)[:80]!r} is none of {', '.join(name for name in known if name)}")
    return known[value.strip()]


def _flag(value: Any) -> bool:
    flag = WORDS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise ValueError("it must be true or false")
    return flag


def _count(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise ValueError(f"{text[:80]!r} is no number from 1 on")
    return int(text)


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return split_names(_text(value))
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise ValueError("it must be a list of names: `a, b`")
    return tuple(entry for item in cast("list[str]", value) if (entry := _text(item)))


def _servers(value: Any) -> tuple[str, ...]:
    """The names of servers, also of those that are described here."""
    if isinstance(value, dict):
        return tuple(map(str, cast("dict[Any, Any]", value)))
    if isinstance(value, list):
        items = cast("list[Any]", value)
        value = [
            name for item in items for name in (cast("dict[Any, Any]", item) if isinstance(item, dict) else [item])
        ]
    return _list(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it must be an object")
    return _copied(value, [MAX_PARTS], MAX_DEPTH)


def _copied(value: Any, room: list[int], depth: int) -> Any:
    """The same as plain data. ``room``: how many values more there may be, ``depth``: how deeply nested."""
    room[0] -= 1
    if room[0] < 0 or depth < 0:
        raise ValueError("it is too large")
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {str(key): _copied(item, room, depth - 1) for key, item in items}
    if isinstance(value, list):
        return [_copied(item, room, depth - 1) for item in cast("list[Any]", value)]
    return value if value is None or isinstance(value, str | int | float) else str(value)

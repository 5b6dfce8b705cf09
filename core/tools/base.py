"""The tool contract: what a tool declares and what it gets."""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from core.permissions.access import Access
from core.protocol.errors import AgentError
from core.protocol.views import FileDiff, PermissionMode, ToolDisplay
from core.tools.context import ToolContext, ToolState

InterruptBehavior = Literal["cancel", "block"]


class ToolInput(BaseModel):
    """Base of every tool's input. Unknown fields are refused, so that a typo is told and not ignored."""

    model_config = ConfigDict(extra="forbid")


InputT = TypeVar("InputT", bound=ToolInput)


class ToolError(AgentError):
    """A call that failed in a way the model should read; becomes an error result."""


class DeclinedError(AgentError):
    """The user, or a rule, does not want the call. ``ends_turn``: without a word, so that no request follows."""

    def __init__(self, message: str, *, ends_turn: bool) -> None:
        super().__init__(message)
        self.ends_turn = ends_turn


class CallInterrupted(asyncio.CancelledError):
    """A cancelled call that had something to show: ``partial`` is what it had given until then."""

    def __init__(self, partial: str) -> None:
        super().__init__()
        self.partial = partial


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a call gives back.

    ``content`` is for the model: text, or blocks in the API's form. ``modify`` changes the tool state, ``mode``
    the permission mode: at once after a call that ran alone, after the whole batch (in block order) for one that
    ran in parallel.
    """

    content: str | tuple[dict[str, Any], ...]
    is_error: bool = False
    display: ToolDisplay = field(default_factory=ToolDisplay)
    modify: Callable[[ToolState], ToolState] | None = None
    mode: PermissionMode | None = None


class Tool(ABC, Generic[InputT]):
    """One tool. Instances hold no state of a session: that is in the context."""

    name: ClassVar[str]
    input_type: type[InputT]
    interrupt_behavior: ClassVar[InterruptBehavior] = "block"
    """What happens to a running call when the user sends a message: dropped, or finished first."""
    max_result_size_chars: ClassVar[int | None] = 30_000
    """A longer result is written to the session's folder and previewed; None where the tool limits itself."""
    should_defer: ClassVar[bool] = False
    always_load: ClassVar[bool] = False

    @cached_property
    def description(self) -> str:
        """What the model reads about the tool: ``prompt.md`` beside the module."""
        return Path(inspect.getfile(type(self))).with_name("prompt.md").read_text("utf-8").strip()

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the input, generated from its type."""
        return tidy_schema(self.input_type.model_json_schema())

    def derive(self, arguments: InputT, state: ToolState) -> dict[str, Any]:
        """Fields that those who watch a call (events, questions, hooks) see in place of or beside those of its input:
        an absolute path, say. The API always gets the input as the model wrote it. May raise ``ToolError``."""
        return {}

    def is_read_only(self, arguments: InputT, state: ToolState) -> bool:
        """Whether this call changes nothing outside the program."""
        return False

    def is_concurrency_safe(self, arguments: InputT, state: ToolState) -> bool:
        """Whether this call may run beside others that say so too."""
        return self.is_read_only(arguments, state)

    def touches(self, arguments: InputT, state: ToolState) -> Access:
        """What the call would touch, as far as its input tells. May raise ``ToolError``."""
        return Access(is_read_only=self.is_read_only(arguments, state))

    def check_permissions(self, arguments: InputT, context: ToolContext) -> Access:
        """What the call would touch, and the tool's own opinion of it in this session."""
        return self.touches(arguments, context.state)

    def preview(self, arguments: InputT, context: ToolContext) -> FileDiff | None:
        """The change the call would make, for the user to judge; None where there is none to show."""
        return None

    @abstractmethod
    async def run(self, arguments: InputT, context: ToolContext) -> ToolResult:
        """Do it. Raises ``ToolError`` for a failure the model should read; anything else becomes one too."""


Schema = dict[str, Any]


def tidy_schema(schema: Schema) -> Schema:
    """The schema without the titles that pydantic adds, and with ``X | None`` as plain X: fewer tokens."""
    tidied: Schema = {key: _tidy_value(key, value) for key, value in schema.items() if key != "title"}
    options = cast("list[Schema]", tidied.get("anyOf", []))
    remaining = [option for option in options if option != {"type": "null"}]
    if len(options) == 2 and len(remaining) == 1:
        del tidied["anyOf"]
        tidied = {**remaining[0], **tidied}
        if tidied.get("default", "") is None:
            del tidied["default"]
    return tidied


def _tidy_value(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: tidy_schema(item) for name, item in cast("dict[str, Schema]", value).items()}
    if isinstance(value, dict):
        return tidy_schema(cast(Schema, value))
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [tidy_schema(cast(Schema, item)) if isinstance(item, dict) else item for item in items]
    return value

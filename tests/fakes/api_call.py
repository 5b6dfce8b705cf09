"""What every rule sees: one request with its derived views, and the verdict a rule may return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.fakes.api_canon import Item, Json, Turn, blocks_of, count_tokens, is_object, items_of, turns_of
from tests.fakes.api_models import MODELS, ModelSpec
from tests.fakes.api_signing import Signer

API_VERSION = "2026-10-21"
DEFAULT_SECRET = b"a stand-in server signs with this"


@dataclass(frozen=True)
class Rejection:
    """An HTTP error answer."""

    status: int
    kind: str
    message: str
    details: Json | None = None

    def body(self, request_id: str) -> Json:
        """The JSON the client gets."""
        error: Json = {"type": self.kind, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str, code: str | None = None) -> Rejection:
    """The usual 400."""
    return Rejection(400, "invalid_request_error", message, {"error_code": code} if code else None)


@dataclass
class RuleState:
    """What the rules know beyond the request."""

    signer: Signer = field(default_factory=lambda: Signer(DEFAULT_SECRET))
    valid_key: str | None = None
    window: int | None = None
    """Overrides every model's context window."""
    check_binding: bool = True
    issued_kinds: set[str] = field(default_factory=set[str])
    """Block types that the server sent although no reference lists them; clients must send them back."""


@dataclass
class Call:
    """One request under examination."""

    body: Json
    headers: Mapping[str, str]
    state: RuleState
    counting: bool = False

    @cached_property
    def model(self) -> ModelSpec:
        """The model asked for; only for rules that come after the model check."""
        return MODELS[self.body["model"]]

    @cached_property
    def items(self) -> list[Item]:
        """The flat canonical form."""
        return items_of(self.body)

    @cached_property
    def turns(self) -> list[Turn]:
        """Messages with consecutive ones of a role combined."""
        return turns_of(self.body, self.items)

    @cached_property
    def tokens(self) -> int:
        """The estimated size of the prompt."""
        return count_tokens(self.items)

    @property
    def window(self) -> int:
        """How large a prompt may be."""
        return self.state.window or self.model.window

    @property
    def tools(self) -> list[Json]:
        """The tool definitions."""
        return blocks_of(self.body.get("tools") or [])

    @property
    def messages(self) -> list[Json]:
        """The messages as sent."""
        return blocks_of(self.body["messages"])

    @property
    def thinking(self) -> Json | None:
        """The `thinking` parameter."""
        return self.option("thinking")

    @property
    def effort(self) -> str | None:
        """The effort asked for."""
        return (self.option("output_config") or {}).get("effort")

    @property
    def forces_tool(self) -> bool:
        """Whether `tool_choice` leaves the model no choice."""
        return (self.option("tool_choice") or {}).get("type") in {"any", "tool"}

    def option(self, name: str) -> Json | None:
        """A top-level parameter that is an object."""
        value: Any = self.body.get(name)
        return value if is_object(value) else None

    def has_beta(self, prefix: str) -> bool:
        """Whether a beta header starting with this was sent."""
        sent = self.headers.get("anthropic-beta", "").split(",")
        return any(name.strip().startswith(prefix) for name in sent)


Rule = Callable[[Call], Rejection | None]

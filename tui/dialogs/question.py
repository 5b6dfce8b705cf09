"""What a question is, whatever shows it: a prompt in the window, or lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tui.rendering.line import Line, Span

Comment = Literal["none", "optional", "required", "secret"]
"""``secret`` is required too, and not shown while it is typed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer, and whether a line of text may or must go with it."""

    value: str
    key: str
    label: str
    detail: str = ""
    comment: Comment = "none"


def key_line(keys: Iterable[tuple[str, str]]) -> Line:
    """Keys with what they do; one that has no key is left out."""
    spans: list[Span] = []
    for key, what in keys:
        if key:
            spans += [(f"{'  ' if spans else ''}{key} ", "key"), (what, "muted")]
    return tuple(spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a prompt asks. ``body`` gives the lines for a width; ``cancel`` is what Esc answers."""

    id: str
    title: Line
    body: Callable[[int], list[Line]]
    choices: tuple[Choice, ...]
    cancel: str
    footer: Line = ()
    comment_label: str = "Say why, Enter sends"
    is_plan: bool = False
    """Whether it is about the plan, which can be edited meanwhile."""

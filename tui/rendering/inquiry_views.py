"""Questions with their answers, and plans, as lines."""

from __future__ import annotations

from typing import Any, cast

from tui.rendering.line import DECOR, Line, Span, wrap
from tui.rendering.sanitize import clean, clean_line

Pair = tuple[str, str]
"""A question and its answer."""


def answer_pairs(details: dict[str, Any]) -> list[Pair]:
    """Questions and answers as a call's result keeps them; what is not one is left out."""
    found: object = details.get("answers")
    pairs: list[Pair] = []
    for item in cast("list[object]", found) if isinstance(found, list | tuple) else []:
        if isinstance(item, dict):
            data = cast("dict[str, Any]", item)
            chosen: object = data.get("chosen")
            labels = [str(label) for label in cast("list[object]", chosen)] if isinstance(chosen, list | tuple) else []
            pairs.append((str(data.get("question", "")), answer_text(labels, str(data.get("text", "")))))
    return pairs


def answer_text(labels: list[str] | tuple[str, ...], words: str) -> str:
    """An answer on one line."""
    own = [f"“{clean_line(words)}”"] if words else []
    return ", ".join([*(clean_line(label) for label in labels), *own]) or "(no answer)"


def answer_lines(details: dict[str, Any], width: int) -> list[Line]:
    """Each question with its answer below it, and the user's comment."""
    lines: list[Line] = []
    for question, answer in answer_pairs(details):
        lines += wrap([(clean(question), "muted")], width)
        lines += _arrow(answer, width)
    return [*lines, *comment_lines(details.get("comment"), width)]


def comment_lines(comment: object, width: int) -> list[Line]:
    """What the user adds; nothing where that is no text."""
    if not isinstance(comment, str) or not comment:
        return []
    prefix: Span = ("✎ ", f"accent {DECOR}")
    return wrap([(clean(comment), "text")], width, first_prefix=(prefix,), rest_prefix=(("  ", f"text {DECOR}"),))


def _arrow(answer: str, width: int) -> list[Line]:
    first: Span = ("→ ", f"accent {DECOR}")
    return wrap([(answer, "text")], width, first_prefix=(first,), rest_prefix=(("  ", f"text {DECOR}"),))

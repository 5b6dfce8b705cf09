"""The question before another model is used while the cache of this one is warm."""

from __future__ import annotations

from core.protocol.events import ModelChangeQuoted
from tui.dialogs.question import Choice, Question
from tui.rendering.amounts import dollars, tokens
from tui.rendering.line import wrap
from tui.rendering.sanitize import clean_line

MODEL = "model"


def quote_words(quoted: ModelChangeQuoted) -> str:
    """What the change takes."""
    cost = f", about {dollars(quoted.cost_usd)}" if quoted.cost_usd is not None else ""
    anew = f"{clean_line(quoted.model)} reads {tokens(quoted.tokens)} tokens anew{cost}"
    return f"{anew}; the cache of the present model is warm."


def quote_question(quoted: ModelChangeQuoted) -> Question:
    """Whether to change it; answered with the model, or with nothing."""
    return Question(
        id=MODEL,
        title=(("? ", "state.asking"), ("Use another model now?", "strong")),
        body=lambda width: wrap([(quote_words(quoted), "text")], width),
        choices=(
            Choice(quoted.model, "y", f"Yes, use {clean_line(quoted.model)}"),
            Choice("", "n", "No, stay with this one"),
        ),
        cancel="",
    )

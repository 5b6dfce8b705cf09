"""Questions as text, and what a typed line answers."""

from __future__ import annotations

from dataclasses import dataclass

from tui.dialogs.question import Choice, Question
from tui.plain.paper import WIDE, Paper
from tui.rendering.line import plain

WORDS = {"yes": "y", "no": "n"}


@dataclass(frozen=True, slots=True)
class Given:
    """An answer."""

    value: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An answer that still lacks its line of text."""

    choice: Choice


def print_question(paper: Paper, question: Question) -> None:
    """What is asked, about what, and what may be typed."""
    paper.line("\n" + plain(question.title))
    paper.lines(question.body(WIDE), "  ")
    for choice in question.choices:
        # The detail of an answer with a comment is about the keys of the window.
        detail = f" ({choice.detail})" if choice.detail and choice.comment != "optional" else ""
        paper.line(f"  {choice.key} = {choice.label}{detail}")
    if question.footer:
        paper.line(f"  {plain(question.footer)}")
    print_keys(paper, question)


def print_keys(paper: Paper, question: Question) -> None:
    """How it is answered."""
    keys = " or ".join(choice.key for choice in question.choices)
    rest = [choice.key for choice in question.choices if choice.comment == "optional"]
    words = f"; words after {rest[0]} are told to the model, and it goes on" if rest else ""
    paper.line(f"Type {keys} and Enter{words}.")


def read_answer(question: Question, line: str) -> Given | Wanted | None:
    """What a line answers; None where it is no answer. An empty line never is: nobody consents by accident."""
    word, _, comment = line.strip().partition(" ")
    key = WORDS.get(word.lower(), word.lower())
    for number, choice in enumerate(question.choices, 1):
        if key in (choice.key, str(number)):
            if choice.comment in ("required", "secret") and not comment.strip():
                return Wanted(choice)
            if comment.strip() and choice.comment == "none":
                return None
            return Given(choice.value, comment.strip())
    return None

"""The questions of a first start: trust in the folder, and where the words come from."""

from __future__ import annotations

from tui.dialogs.question import Choice, Question
from tui.rendering.line import Line, Span, wrap
from tui.rendering.reveal import reveal

TRUST = "trust"
CREDENTIALS = "credentials"
BYPASS = "bypass"


BROAD = "This is no single project: whatever is put anywhere in it would count too. Better open one folder of it."


def trust_question(folder: str, settings: tuple[str, ...] = (), *, is_broad: bool = False) -> Question:
    """Whether the folder's own files may steer the agent; ``settings`` are lines of what they would bring.

    In a broad folder a yes is for this session, with a warning.
    """
    text = (
        "Its instruction files (CLAUDE.md, AGENTS.md) would be given to the model as if you had said them. "
        "Say yes only where you trust whoever wrote what is in this folder."
    )

    def body(width: int) -> list[Line]:
        lines = wrap([(f"  {reveal(folder)}", "tool.argument strong")], width)
        if settings:
            lines += wrap([("Its settings would be used:", "text")], width)
        for line in settings:
            lines += wrap([(f"  {reveal(line)}", "text")], width)
        if is_broad:
            lines += wrap([(BROAD, "bad")], width)
        return [*lines, *wrap([(text, "muted")], width)]

    return Question(
        id=TRUST,
        title=(("? ", "state.asking"), ("Do you trust this folder?", "strong")),
        body=body,
        choices=(
            Choice("yes", "y", "Yes, for this session" if is_broad else "Yes, and remember it"),
            Choice("no", "n", "No", "work here without the folder's own instructions and settings"),
            Choice("quit", "q", "Leave"),
        ),
        cancel="no",
    )


def bypass_question() -> Question:
    """Whether really nothing is to be asked."""
    text = (
        "In this mode commands run and files change, anywhere on this machine, without a question, whatever the model "
        "was told by a page or a file that it read. Only rules that deny or ask, and removing what everything hangs "
        "on, still stop it. Use it only in a container or a machine that may be lost. You answer for what it does."
    )
    return Question(
        id=BYPASS,
        title=(("⚠ ", "bad"), ("Let it do everything without asking?", "strong")),
        body=lambda width: wrap([(text, "text")], width),
        choices=(
            Choice("no", "n", "No", "go on with questions"),
            Choice("yes", "y", "Yes, I answer for it", "and never ask me this again"),
        ),
        cancel="no",
    )


def credentials_question(problem: str = "") -> Question:
    """Where to get an answer from when there is no key."""
    spans: list[Span] = [
        ("agent-tui", "strong accent"),
        (
            " is a coding agent for the terminal. It reads, searches and edits files and runs commands in this "
            "folder, asks before it changes anything, and shows all that it does. It talks to Claude through the "
            "Anthropic API, and no credentials were found: ",
            "text",
        ),
        ("ANTHROPIC_API_KEY", "code"),
        (" and ", "text"),
        ("ANTHROPIC_AUTH_TOKEN", "code"),
        (" are not set, and there is no profile.", "text"),
    ]

    def body(width: int) -> list[Line]:
        lines = wrap(spans, width)
        return [*wrap([(problem, "bad")], width), *lines] if problem else lines

    return Question(
        id=CREDENTIALS,
        title=(("◆ ", "accent"), ("Welcome", "strong")),
        body=body,
        choices=(
            Choice("demo", "d", "Look around offline", "a scripted tour with real tools, no key needed"),
            Choice("key", "k", "Type in an API key", "used for this run, never written down", "secret"),
            Choice("server", "l", "Use a local server", "its address: http://localhost:PORT", "required"),
            Choice("quit", "q", "Leave"),
        ),
        cancel="quit",
        comment_label="Enter takes it",
    )

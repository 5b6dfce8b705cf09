"""What an agent reports is text that others may have had a hand in: pages, files, output. It gives no orders."""

from __future__ import annotations

from core.prompt.imitations import defused

MARK = "[agent-tui: this report imitated marks of the program or turns of a conversation; they are defused.]"


def neutral(text: str) -> str:
    """A report as the main model may read it: imitations of our own marks are defused, which is told in front. Any
    other text is unchanged."""
    harmless = defused(text)
    return text if harmless == text else f"{MARK}\n{harmless}"

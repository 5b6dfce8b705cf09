"""What the model is told when instruction files change: only what is different from what it was told before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from core.memory.instructions import headed
from core.prompt.sections import template
from core.tools.text_files import unified_diff

MUCH_SHORTER = 3
"""A difference is told in place of the text where that is so many times as long."""
SPOKEN_OF = re.compile(
    r"^(?:From (?P<held>/.+?\.md)(?:, what is different)?:|No longer in force: (?P<gone>/.+?\.md)\.)$", re.M
)
"""The lines under which the model was told of a file."""


def instruction_news(told: Mapping[Path, str], now: Mapping[Path, str]) -> str:
    """One text for all that is different; empty where nothing is."""
    new = [headed(path, body) for path, body in now.items() if path not in told]
    other = [_difference(path, told[path], body) for path, body in now.items() if path in told and told[path] != body]
    gone = [f"No longer in force: {path}." for path in told if path not in now]
    if other or gone:
        return template("news_instructions").format(instructions="\n\n".join([*other, *new, *gone]))
    return template("more_instructions").format(instructions="\n\n".join(new)) if new else ""


def told_in(texts: Iterable[str], now: Mapping[Path, str]) -> dict[Path, str]:
    """What texts of an earlier run have told, as far as it matters: of a file that was told otherwise than it is now
    nothing is known but that."""
    told: dict[Path, str] = {}
    for text in texts:
        for path, is_gone in _spoken_of(text):
            if is_gone:
                told.pop(path, None)
            elif path in now:
                told[path] = now[path] if headed(path, now[path]) in text else ""
            elif not path.exists():
                told[path] = ""
    return told


def _spoken_of(text: str) -> Iterator[tuple[Path, bool]]:
    for match in SPOKEN_OF.finditer(text):
        yield Path(match["held"] or match["gone"]), match["gone"] is not None


def _difference(path: Path, old: str, new: str) -> str:
    diff = unified_diff(old, new) if old else None
    if diff is not None and len(diff) * MUCH_SHORTER < len(new):
        return f"From {path}, what is different:\n{diff}"
    return headed(path, new)

"""What the main model is told of the kinds of agents: all of them at first, then what has changed.

Not in the description of a tool: another file would make the cache forget everything, and models bind their thinking
to what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from core.prompt.sections import template

MAX_CHARS = 6_000
"""Of all lines together; what goes beyond is named only, and then counted."""
MAX_NAMES_CHARS = 1_500
LISTED = "{agents}"
LINE = re.compile(r"^- (?P<name>[\w-]+)(?:: .*)?$", re.M)
GONE = re.compile(r"^No longer there: (?P<names>.+)\.$", re.M)
MORE = "Without their descriptions: "
END = "</system-reminder>"


def agent_list(agents: Mapping[str, str]) -> str:
    """The reminder that lists them; empty where there are none."""
    return template("agents").replace(LISTED, _lines(agents)) if agents else ""


def agent_news(told: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What is different; empty where nothing is."""
    new = {name: text for name, text in now.items() if told.get(name) != text}
    gone = [name for name in told if name not in now]
    parts = [_lines(new)] if new else []
    parts += [f"No longer there: {', '.join(gone)}."] if gone else []
    return template("news_agents").replace(LISTED, "\n".join(parts)) if parts else ""


def agents_in(text: str) -> str:
    """The part of a text of the program that tells of agents; empty where none does."""
    list_head, news_head = (template(name).partition(LISTED)[0] for name in ("agents", "news_agents"))
    if text.startswith(list_head):
        return text.partition(END)[0] + END
    return text if text.startswith(news_head) else ""


def told_agents(texts: Iterable[str], now: Mapping[str, str]) -> dict[str, str]:
    """What texts of the program have told, as far as it matters: of one that was told otherwise than it is now nothing
    is known but that there was one."""
    told: dict[str, str] = {}
    for text in texts:
        part = agents_in(text)
        lines = set(part.splitlines())
        for match in LINE.finditer(part):
            name = match["name"]
            told[name] = now[name] if name in now and _line(name, now[name]) in lines else ""
        for line in lines:
            if line.startswith(MORE):
                told |= {name: now.get(name, "") for name in line.removeprefix(MORE).split(", ")}
        for match in GONE.finditer(part):
            for name in match["names"].split(", "):
                told.pop(name, None)
    return told


def _lines(agents: Mapping[str, str]) -> str:
    """A line for each as far as there is room, and one with the names of the others."""
    lines: list[str] = []
    names: list[str] = []
    left, left_for_names, unnamed = MAX_CHARS, MAX_NAMES_CHARS, 0
    for name, text in agents.items():
        line = _line(name, text)
        if len(line) < left:
            lines.append(line)
            left -= len(line) + 1
        elif len(name) + 2 < left_for_names:
            names.append(name)
            left_for_names -= len(name) + 2
        else:
            unnamed += 1
    lines += [MORE + ", ".join(names)] if names else []
    return "\n".join([*lines, *([f"And {unnamed:,} more."] if unnamed else [])])


def _line(name: str, text: str) -> str:
    return f"- {name}: {text}"

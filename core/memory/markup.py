"""The Markdown of instruction files: what is code, comment, the mention of another file, what stands on top."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from core.host.garbage import importing

FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)", re.DOTALL)
CODE = r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)*?(?<!`)(?P=ticks)(?!`))"
COMMENT = re.compile(CODE + r"|<!--.*?-->\n?", re.DOTALL)
IMPORT = re.compile(CODE + r"|(?<![\w`])@(?P<path>(?:~/|\.{0,2}/)?[\w./-]*[\w/-])", re.DOTALL)
"""A code span, which is left alone, or the mention of a file; a full stop after it ends the sentence."""
CODE_SPAN = re.compile(r"`+[^`]*`+")
FRONT = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
MAX_FRONT_CHARS = 10_000
BARE = re.compile(r"^(\s*(?:-|[\w-]+:)[ \t]+)([*{!&%@`][^\n]*?)[ \t]*$", re.MULTILINE)
"""A value that begins as no text may in YAML: a glob written without quotes, as many do."""


def expanded(text: str, imported: Callable[[str], str]) -> str:
    """The text without its comments and with each ``@path`` outside code replaced by what ``imported`` gives for it;
    one for which that is empty stays."""

    def replace(match: re.Match[str]) -> str:
        return match[0] if match["code"] else imported(match["path"]) or match[0]

    return "".join(piece if is_code else IMPORT.sub(replace, _visible(piece)) for piece, is_code in _pieces(text))


def split_front(text: str) -> tuple[dict[str, Any], str]:
    """What stands between ``---`` lines on top of a text, and the rest. Raises ``ValueError`` for what is no YAML."""
    match = FRONT.match(text)
    if match is None:
        return {}, text
    if len(match[1]) > MAX_FRONT_CHARS:
        raise ValueError("what stands on top of it is too long")
    with importing():
        import yaml
    data: Any = None
    try:
        try:
            data = yaml.safe_load(match[1])
        except yaml.YAMLError:
            data = yaml.safe_load(BARE.sub(_quoted, match[1]))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}, text[match.end() :]


def _quoted(match: re.Match[str]) -> str:
    return match[1] + "'" + match[2].replace("'", "''") + "'"


def _visible(prose: str) -> str:
    """Without HTML comments. One that does not end is none; looking for its end at each would take for ever."""
    open_at = prose.find("<!--", prose.rfind("-->") + 1)
    head, rest = (prose, "") if open_at < 0 else (prose[:open_at], prose[open_at:])
    return COMMENT.sub(lambda match: match["code"] or "", head) + rest


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Prose, and code between fences; a fence is closed by one of its own kind that is no shorter. In a comment of
    several lines there are no fences."""
    lines: list[str] = []
    fence, is_comment = "", False
    at, last_comment = 0, text.rfind("-->")
    for line in text.splitlines(keepends=True):
        at += len(line)
        match = None if is_comment else FENCE.match(line)
        if match and not fence:
            yield "".join(lines), False
            lines, fence = [line], match[1]
            continue
        lines.append(line)
        if match and match[1].startswith(fence) and not match[2].strip():
            yield "".join(lines), True
            lines, fence = [], ""
        elif not fence:
            words = CODE_SPAN.sub("", line)
            opens, closes = words.rfind("<!--"), words.rfind("-->")
            is_comment = opens > closes and at <= last_comment if opens != closes else is_comment
    yield "".join(lines), bool(fence)

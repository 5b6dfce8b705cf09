"""What stands between ``---`` lines on top of an agent's file: YAML, or what many write in its place.

Descriptions are often written without quotes, with colons, line ends and examples in them. Where YAML refuses the
whole, each field is read by itself, and one that is plain text is taken as it stands. What is broken is told with its
line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from core.host.garbage import importing

FIRST = re.compile(r"---[ \t]*\n")
LAST = re.compile(r"^---[ \t]*$", re.M)
TAB = re.compile(r"^ *\t", re.M)
FIELD = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ \t]+(?P<value>.*))?$")
MAX_CHARS = 64_000
MAX_DEPTH = 40
MAX_BRACKETS = 400
"""Values nested in steps, and brackets that may nest: the parser, which is written in C, ends the whole program where
it has no stack left, at some thousands of them, with that of a thread on some systems at some hundreds."""
STEPS = re.compile(rf"^ {{{4 * MAX_DEPTH}}}|(?:[-?][ \t]+){{{MAX_DEPTH}}}", re.M)
SPECIAL = tuple("\"'[{|>&!%@`#")
"""What begins a value that is meant as YAML."""
LONG_TEXT = "description"
"""The field that goes on over lines that look like anything."""
BROKEN = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)
"""What the library raises, beside its own errors, for a tag or a number that is none."""


class FrontError(ValueError):
    """What is wrong, and in which line of the file."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class Front:
    """The text between the lines, and what comes behind them. The first line of the text is the second of the file."""

    text: str
    body: str

    @property
    def body_line(self) -> int:
        """The line of the file in which the body begins."""
        return self.text.count("\n") + 3

    def line_of(self, key: str) -> int:
        """The line of the file in which a field stands; that of the first line where it cannot be found."""
        found = re.search(rf"^[\"']?{re.escape(key)}[\"']?[ \t]*:", self.text, re.M)
        return self.text.count("\n", 0, found.start()) + 2 if found else 1


def split_front(text: str) -> Front | None:
    """None where the text has nothing of the kind. Raises ``FrontError`` for one that does not end."""
    first = FIRST.match(text)
    if first is None:
        return None
    last = LAST.search(text, first.end())
    if last is None:
        raise FrontError(1, "the frontmatter is not closed: put a line with --- behind it")
    return Front(text[first.end() : last.start()], text[last.end() :])


def read_front(front: Front, keys: Collection[str]) -> dict[str, Any]:
    """The fields. ``keys``: those there are; what they hold is not looked at. Raises ``FrontError``."""
    text = front.text
    if len(text) > MAX_CHARS:
        raise FrontError(1, f"the frontmatter is longer than {MAX_CHARS:,} characters")
    if tab := TAB.search(text):
        raise FrontError(_line(text, tab.start()), "a tab in the indentation: YAML takes only spaces there")
    try:
        data = _parse(text, 0)
    except FrontError as error:
        return _by_field(text, keys, error)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise FrontError(2, "the frontmatter is no list of fields: write `name: …`, `description: …`")
    return {str(key): value for key, value in cast("dict[Any, Any]", data).items()}


def read_plain(front: Front, keys: Collection[str]) -> dict[str, Any]:
    """The same for fields that are text in one line each."""
    matches = [match for line in front.text.splitlines() if (match := FIELD.match(line))]
    return {match["key"]: match["value"] for match in matches if match["key"] in keys}


def _by_field(text: str, keys: Collection[str], error: FrontError) -> dict[str, Any]:
    """Each field by itself. ``error``: what is wrong with the whole."""
    fields: dict[str, tuple[int, list[str]]] = {}
    key = ""
    for number, line in enumerate(text.split("\n")):
        match = FIELD.match(line)
        if match and (match["key"] in keys or key != LONG_TEXT):
            key = match["key"]
            if key in fields:
                raise FrontError(number + 2, f"{key} is there twice")
            fields[key] = number, [line]
        elif key and (not line.strip() or line.startswith((" ", "-", "#")) or key == LONG_TEXT):
            fields[key][1].append(line)
        elif line.strip() and not line.startswith("#"):
            raise error
    return {key: _value(key, lines, number) for key, (number, lines) in fields.items()}


def _value(key: str, lines: list[str], number: int) -> Any:
    """What the lines of one field say."""
    try:
        data = _parse("\n".join(lines), number)
        if isinstance(data, dict):
            return cast("dict[str, Any]", data).get(key)
    except FrontError:
        begins = lines[0].partition(":")[2].strip()
        if begins.startswith(SPECIAL) or not (begins or key == LONG_TEXT):
            raise
    rest = [line.strip() for line in lines[1:]]
    return "\n".join([lines[0].partition(":")[2].strip(), *rest]).strip()


def _parse(text: str, above: int) -> Any:
    """The value of some YAML. ``above``: lines of the frontmatter before it. Raises ``FrontError``."""
    if STEPS.search(text) or sum(map(text.count, "[{")) > MAX_BRACKETS:
        raise FrontError(above + 2, "it is nested too deeply, or has too many brackets")
    with importing():
        import yaml

    loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        return yaml.load(text, loader)
    except yaml.MarkedYAMLError as error:
        # Of a quote that is not closed it is told where it begins.
        mark = error.context_mark if "quoted" in (error.context or "") else error.problem_mark
        line = mark.line if mark else 0
        raise FrontError(line + above + 2, f"no YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, *BROKEN) as error:
        raise FrontError(above + 2, f"no YAML: {str(error).partition(chr(10))[0]}") from error


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 2

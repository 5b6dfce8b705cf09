"""Syntax colours: source code to styled lines, by Pygments.

Owns the mapping from token types to the few style names that themes define, the caches of lexers and results, and the
limits beyond which code stays plain. Pygments is imported on first use, so that nothing slows the first paint.
`CodeStream` colours code that is still arriving; what it has handed out never changes.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.rendering.line import Line, Span
from tui.rendering.sanitize import clean

if TYPE_CHECKING:
    from pygments.lexer import Lexer

PLAIN = "code.block"
MAX_CODE = 200_000
MAX_LINE = 2_000
_CACHE_ENTRIES = 512
_CACHE_CHARACTERS = 1_000_000

# Lines that `CodeStream` gathers before it looks for a place to cut, and at most.
_CHUNK = 16
_CHUNK_LIMIT = 128

_STYLES = {
    "Keyword": "syntax.keyword",
    "Keyword.Constant": "syntax.constant",
    "Keyword.Type": "syntax.type",
    "Name.Function": "syntax.name.function",
    "Name.Class": "syntax.name.class",
    "Name.Namespace": "syntax.name.namespace",
    "Name.Builtin": "syntax.builtin",
    "Name.Builtin.Pseudo": "syntax.builtin",
    "Name.Exception": "syntax.name.class",
    "Name.Decorator": "syntax.decorator",
    "Name.Tag": "syntax.tag",
    "Name.Attribute": "syntax.attribute",
    "Name.Variable": "syntax.variable",
    "Name.Constant": "syntax.constant",
    "Literal.String": "syntax.string",
    "Literal.String.Escape": "syntax.escape",
    "Literal.String.Interpol": "syntax.escape",
    "Literal.Number": "syntax.number",
    "Literal.Date": "syntax.number",
    "Comment": "syntax.comment",
    "Comment.Preproc": "syntax.preprocessor",
    "Operator": "syntax.operator",
    "Operator.Word": "syntax.keyword",
    "Generic.Heading": "syntax.keyword",
    "Generic.Subheading": "syntax.keyword",
    "Generic.Inserted": "added",
    "Generic.Deleted": "removed",
    "Generic.Emph": "emphasis",
    "Generic.Strong": "strong",
    "Generic.Prompt": "syntax.comment",
}
_NOT_COLOURED = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output"})
# What a lexer may raise on input its author did not think of; then the code is shown plain.
_LEXER_FAILURES = (
    TypeError, ValueError, IndexError, KeyError, AttributeError, AssertionError, RecursionError, re.error,
)  # fmt: skip


class _Coloured(NamedTuple):
    lines: tuple[Line, ...]
    stack: tuple[str, ...]  # The lexer's state at the end, where the next piece goes on.
    complete: bool  # Whether no comment or string seems to be open at the end.


class _Cache:
    """The results used last, bounded by number and by size."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, tuple[str, ...], bytes], tuple[_Coloured, int]] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[str, tuple[str, ...], bytes]) -> _Coloured | None:
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: tuple[str, tuple[str, ...], bytes], value: _Coloured, size: int) -> None:
        self._entries[key] = (value, size)
        self._size += size
        while len(self._entries) > _CACHE_ENTRIES or self._size > _CACHE_CHARACTERS:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._size -= dropped


_cache = _Cache()
_WHOLE = ("",)  # Marks a result that is not a piece of a stream.
_START = ("root",)
# In a page, scripts and style sheets are coloured by themselves: the lexer of pages needs to see both their ends.
_EMBEDDED = re.compile(r"<(script|style)\b[^>]*>\s*$", re.IGNORECASE)
_EMBEDDED_END = re.compile(r"\s*</(?:script|style)\b", re.IGNORECASE)


def highlight(code: str, language: str) -> list[Line]:
    """Code as coloured lines; the style is "code.block" where there is no colour to give."""
    code = clean(code).removesuffix("\n")
    lines = code.split("\n")
    lexer = None if len(code) > MAX_CODE or _too_long(lines) else _lexer(_language_name(language))
    if lexer is None:
        return _plain(lines)
    return list(_coloured(code + "\n", lexer, _language_name(language), _WHOLE).lines)


@lru_cache(maxsize=512)
def language_for_path(path: str) -> str:
    """The language of a file by its name, as a name for `highlight`; empty if unknown."""
    from pygments.lexers import find_lexer_class_for_filename

    name = path.replace("\\", "/").rpartition("/")[2]
    if name.endswith(".ipynb"):
        return "python"  # What is shown of a notebook is a cell of it.
    found = find_lexer_class_for_filename(name) if name else None
    return str(found.aliases[0]) if found is not None and found.aliases else ""


class CodeStream:
    """Colours cleaned code that arrives line by line.

    Where it is cut depends on the code alone, never on the moments at which lines are asked for: so a block that was
    streamed and a block that came at once look the same.
    """

    def __init__(self, language: str) -> None:
        self._language = _language_name(language)
        self._stack = _START
        self._lines: list[str] = []
        self._next_try = _CHUNK
        self._total = 0
        self._embedded: CodeStream | None = None  # A script or a style sheet in a page.

    def push(self, line: str) -> list[Line]:
        """Take a complete line; return the coloured lines that are final now, often none."""
        done: list[Line] = []
        if self._embedded is not None:
            if not _EMBEDDED_END.match(line):
                return self._embedded.push(line)
            done += self._embedded.pending()
            self._embedded = None
        if self._may_cut_before(line):
            done += self._cut()
        self._lines.append(line)
        self._total += len(line) + 1
        opening = _EMBEDDED.search(line) if self._language == "html" else None
        if opening is not None:
            done += self._cut()
            self._stack = _START
            self._embedded = CodeStream("css" if opening[1].lower() == "style" else "javascript")
        return done

    def pending(self, unfinished: str | None = None) -> list[Line]:
        """The lines that are not final; `unfinished` is the one that is still being written."""
        if self._embedded is not None:
            return self._embedded.pending(unfinished)
        lines = self._lines if unfinished is None else [*self._lines, unfinished]
        return list(self._colour(lines, keep=unfinished is None).lines) if lines else []

    def _may_cut_before(self, line: str) -> bool:
        count = len(self._lines)
        if count >= _CHUNK_LIMIT:
            return True
        if count < self._next_try or line.strip():
            return False
        self._next_try = count + _CHUNK
        return self._colour(self._lines).complete

    def _cut(self) -> list[Line]:
        """Declare the gathered lines final."""
        result = self._colour(self._lines)
        self._stack = result.stack
        self._lines = []
        self._next_try = _CHUNK
        return list(result.lines)

    def _colour(self, lines: list[str], *, keep: bool = True) -> _Coloured:
        lexer = None if self._total > MAX_CODE or _too_long(lines) else _lexer(self._language)
        if lexer is None:
            return _Coloured(tuple(_plain(lines)), self._stack, True)
        return _coloured("\n".join(lines) + "\n", lexer, self._language, self._stack, keep=keep)


def _language_name(language: str) -> str:
    return language.strip().lower()


def _too_long(lines: Iterable[str]) -> bool:
    return any(len(line) > MAX_LINE for line in lines)


def _plain(lines: Iterable[str]) -> list[Line]:
    return [((line, PLAIN),) if line else () for line in lines]


@lru_cache(maxsize=64)
def _lexer(language: str) -> "Lexer | None":
    if language in _NOT_COLOURED:
        return None
    from pygments.lexers import find_lexer_class_by_name
    from pygments.util import ClassNotFound

    try:
        return find_lexer_class_by_name(language)()
    except ClassNotFound:
        return None


def _coloured(code: str, lexer: "Lexer", language: str, stack: tuple[str, ...], *, keep: bool = True) -> _Coloured:
    key = (language, stack, blake2b(code.encode("utf-8", "replace"), digest_size=16).digest())
    found = _cache.get(key)
    if found is None:
        found = _going_on(code, lexer, stack) if stack != _WHOLE else None
        found = found or _from_scratch(code, lexer, stack)
        if keep:  # A state that lasts for one frame would only push useful results out.
            _cache.put(key, found, len(code))
    return found


def _going_on(code: str, lexer: "Lexer", stack: tuple[str, ...]) -> _Coloured | None:
    """Colours for the next piece of a text; none if the lexer keeps its state in its own way, as a few do."""
    from pygments.lexer import ExtendedRegexLexer, LexerContext, RegexLexer

    if not isinstance(lexer, RegexLexer):
        return None
    # The extended lexer's loop runs with any regex lexer, and unlike that lexer's own it can go on from a state.
    context = LexerContext(code, 0, list(stack), len(code))
    try:
        tokens: Any = ExtendedRegexLexer.get_tokens_unprocessed(lexer, code, context)  # pyright: ignore
        lines, complete = _lines_of(tokens)
    except _LEXER_FAILURES:
        return None
    return _Coloured(lines, tuple(context.stack), complete)


def _from_scratch(code: str, lexer: "Lexer", stack: tuple[str, ...]) -> _Coloured:
    try:
        lines, complete = _lines_of(lexer.get_tokens_unprocessed(code))
    except _LEXER_FAILURES:
        return _Coloured(tuple(_plain(code[:-1].split("\n"))), stack, True)
    return _Coloured(lines, stack, complete)


def _lines_of(tokens: Iterator[tuple[int, Any, str]]) -> tuple[tuple[Line, ...], bool]:
    lines: list[Line] = []
    row: list[Span] = []
    last: Any = None
    for _, kind, value in tokens:
        style = _style_of(kind)
        if not value.isspace():
            last = kind
        parts = value.split("\n") if "\n" in value else (value,)
        for number, part in enumerate(parts):
            if number:
                lines.append(tuple(row))
                row = []
            if not part:
                continue
            if row and row[-1][1] == style:
                row[-1] = (row[-1][0] + part, style)
            else:
                row.append((part, style))
    if row:
        lines.append(tuple(row))
    return tuple(lines), last is None or not _may_be_open(last)


@lru_cache(maxsize=512)
def _style_of(kind: Any) -> str:
    parts = [str(part) for part in kind]
    while parts:
        style = _STYLES.get(".".join(parts))
        if style is not None:
            return style
        parts.pop()
    return PLAIN


@lru_cache(maxsize=512)
def _may_be_open(kind: Any) -> bool:
    """Whether a piece that ends with such a token might end inside a comment or a string."""
    name = ".".join(str(part) for part in kind)
    return name.startswith(("Literal.String", "Error")) or name == "Comment.Multiline"

"""The Markdown parser: markdown-it-py, set up for text of unknown quality.

Owns the choice of syntax (CommonMark, tables and strikethrough; HTML is text) and the
limits on nesting. The parser is imported and built on first use.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

# The parser drops what lies deeper than its own limit. Quotes and lists stop well above it, and what they would have
# held is shown as ordinary text: no content may disappear.
_BLOCK_DEPTH = 40
_PARSER_DEPTH = 100


class Block(NamedTuple):
    """A top-level block: its tokens and the source lines it covers, end exclusive."""

    tokens: "list[Token]"
    start: int
    end: int


def parse(source: str) -> list[Block]:
    """The top-level blocks of a cleaned text; inline text is left unparsed in its tokens."""
    blocks: list[Block] = []
    tokens: list[Token] = []
    for token in _parser().parse(source):
        tokens.append(token)
        if token.level == 0 and token.nesting != 1:
            start, end = tokens[0].map or (0, 0)
            blocks.append(Block(tokens, start, end))
            tokens = []
    return blocks


def siblings(tokens: "Sequence[Token]") -> "Iterator[Sequence[Token]]":
    """Cut a run of tokens into the blocks that stand side by side."""
    start, depth = 0, 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : index + 1]
            start = index + 1


def fenced_code(source: str) -> str:
    """The code of all code blocks of a text, however deep they stand, with a blank line between them."""
    found = [token.content for token in _parser().parse(source) if token.type in ("fence", "code_block")]
    return "\n".join(found)


def parse_inline(content: str) -> "list[Token]":
    """The inline tokens of a text."""
    parser = _parser()
    tokens: list[Token] = []
    parser.inline.parse(content, parser, {}, tokens)
    return tokens


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import blockquote, list_block

    def bounded_quote(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
        return state.level < _BLOCK_DEPTH and blockquote(state, start, end, silent)

    def bounded_list(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
        return state.level < _BLOCK_DEPTH and list_block(state, start, end, silent)

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _PARSER_DEPTH})
    # A link defined elsewhere in the text would mean that later text changes earlier blocks, and a definition would
    # be invisible: both are shown as they were written.
    # Inline text is parsed when it is drawn: most of a growing list or table was drawn, and is remembered, before.
    parser.enable(["table", "strikethrough"]).disable(["reference", "inline"])
    chains = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("blockquote", bounded_quote, {"alt": [*chains, "list"]})
    parser.block.ruler.at("list", bounded_list, {"alt": chains})
    return parser

"""The syntax tree of a shell line, from tree-sitter's bash grammar, checked for what it may have got wrong.

The grammar is more lenient than bash. What stands between the parts of a tree must therefore be blanks alone, and only
kinds of parts that ``core.permissions.shell.parse`` knows may be in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from core.host.garbage import importing

if TYPE_CHECKING:
    from tree_sitter import Language, Parser
    from tree_sitter import Node as SyntaxNode

MAX_NODES = 30_000
"""More is not looked at; a line of ``MAX_READ`` characters has fewer."""

MAX_REPEATS = 1_000
"""So often may a token stand that costs the grammar time by its square."""

COSTLY = ("|", "((", "<<")

COMMANDS = frozenset({"command", "declaration_command", "unset_command", "test_command"})
EXPANSIONS = frozenset(
    {"simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion"}
)
WORDS = frozenset(
    """word number string raw_string ansi_c_string translated_string string_content concatenation brace_expression
    regex extglob_pattern command_name variable_name special_variable_name subscript array heredoc_content
    file_descriptor test_operator""".split()
)
ARITHMETIC = frozenset(
    "binary_expression unary_expression postfix_expression ternary_expression parenthesized_expression".split()
)
STATEMENTS = frozenset(
    """program list pipeline negated_command redirected_statement subshell compound_statement if_statement elif_clause
    else_clause while_statement for_statement c_style_for_statement do_group case_statement case_item
    function_definition variable_assignment variable_assignments file_redirect heredoc_redirect herestring_redirect
    heredoc_start heredoc_body heredoc_end comment""".split()
)
KNOWN = COMMANDS | EXPANSIONS | WORDS | ARITHMETIC | STATEMENTS

ONE_LINE = frozenset({"command", "declaration_command", "unset_command", "file_redirect", "herestring_redirect"})
"""A line's end inside one of these would end it."""

GAP = re.compile(r"(?:[ \t\n]|\\\n)*")
LINE_GAP = re.compile(r"(?:[ \t]|\\\n)*")
LOOSE = WORDS | ARITHMETIC | EXPANSIONS | {"test_command", "heredoc_body", "heredoc_redirect", "variable_assignment"}
"""What stands between their parts is read by ``core.permissions.shell.words``."""


@dataclass(slots=True, eq=False)
class Node:
    """A part of the tree; offsets are bytes."""

    kind: str
    start: int
    end: int
    children: list[Node] = field(default_factory=list["Node"])

    def all(self) -> Iterator[Node]:
        """This part and all in it, in the order of the text."""
        pending: list[Node] = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A parsed line. ``text`` has one character for each byte of the line in UTF-8, so offsets fit it."""

    text: str
    root: Node
    expansions: dict[int, Node]
    """Every ``$x``, ``${…}``, ``$(…)``, backtick and ``<(…)``, by where it begins."""
    doubts: tuple[str, ...] = ()
    is_broken: bool = False
    """Whether the parts are all there but their order means nothing."""


def parse_tree(text: str) -> Tree | None:
    """The tree of a line, given with one character for each byte; None for a line that takes too long to parse."""
    if any(text.count(token) > MAX_REPEATS for token in COSTLY):
        return None
    root = _parser().parse(text.encode("latin-1")).root_node
    if root.descendant_count > MAX_NODES:
        return None
    doubts = ["its syntax is not understood"] if root.has_error else []
    top, expansions, kinds = _copied(root)
    unknown = kinds - KNOWN
    if unknown and not root.has_error:
        doubts.append(f"it holds shell syntax that is not judged: {', '.join(sorted(unknown))}")
    is_broken = bool(doubts)
    if not is_broken and not _is_gapless(text, top):
        doubts.append("it can be read in more than one way")
    return Tree(text=text, root=top, expansions=expansions, doubts=tuple(doubts), is_broken=is_broken)


def _copied(root: SyntaxNode) -> tuple[Node, dict[int, Node], set[str]]:
    """The tree as own nodes, without recursion."""
    top = Node(root.type, root.start_byte, root.end_byte)
    expansions: dict[int, Node] = {}
    kinds: set[str] = set()
    pending = [(root, top)]
    while pending:
        source, node = pending.pop()
        for child in source.children:
            copy = Node(child.type, child.start_byte, child.end_byte)
            node.children.append(copy)
            if child.is_named:
                kinds.add(copy.kind)
                if copy.kind in EXPANSIONS:
                    # An outer one comes before the inner ones that begin in the same place.
                    expansions.setdefault(copy.start, copy)
            if child.child_count:
                pending.append((child, copy))
    return top, expansions, kinds


def _is_gapless(text: str, root: Node) -> bool:
    """Whether nothing but blanks stands between the parts of statements, and a comment begins a word."""
    end = 0
    if not GAP.fullmatch(text, root.end) or not GAP.fullmatch(text, 0, root.start):
        return False
    for node in root.all():
        if node.kind == "comment" and node.start and text[node.start - 1] not in " \t\n;&|()`":
            return False
        if node.kind in LOOSE or not node.children:
            continue
        gap = LINE_GAP if node.kind in ONE_LINE else GAP
        end = node.start
        for child in node.children:
            if child.start > end and text[end : child.start] != " " and not gap.fullmatch(text, end, child.start):
                return False
            end = child.end
        if end < node.end and not GAP.fullmatch(text, end, node.end):
            return False
    return True


def _parser() -> Parser:
    """A parser of its own for each call: threads may parse at once."""
    from tree_sitter import Parser

    return Parser(_grammar())


@lru_cache(maxsize=1)
def _grammar() -> Language:
    with importing():
        import tree_sitter_bash
        from tree_sitter import Language

    return Language(tree_sitter_bash.language())

"""The syntax tree of a shell line, from tree-sitter's bash grammar, checked for what it may have got wrong.

The grammar is more lenient than bash. What stands between the parts of a tree must therefore be blanks alone, and only
kinds of parts that ``core.permissions.shell.parse`` knows may be in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from core.host.garbage import importing
from core.permissions.shell.heredocs import Heredoc, find_heredocs, masked

if TYPE_CHECKING:
    from tree_sitter import Language, Parser
    from tree_sitter import Node as SyntaxNode

MAX_NODES = 30_000
"""More is not looked at; a line of ``MAX_READ`` characters has fewer."""

MAX_REPEATS = 1_000
"""So often may a token stand that costs the grammar time by its square."""

MAX_MISTAKEN = 50
"""Heredocs that turn out to be none; then it is no line that anybody writes."""

COSTLY = ("|", "((", "<<")

COMMANDS = frozenset({"command", "declaration_command", "unset_command", "test_command"})
EXPANSIONS = frozenset(
    {"simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion"}
)
WORDS = frozenset(
    """word number string raw_string ansi_c_string translated_string string_content concatenation brace_expression
    regex extglob_pattern command_name variable_name special_variable_name subscript array file_descriptor
    test_operator""".split()
)
ARITHMETIC = frozenset(
    "binary_expression unary_expression postfix_expression ternary_expression parenthesized_expression".split()
)
STATEMENTS = frozenset(
    """program list pipeline negated_command redirected_statement subshell compound_statement if_statement elif_clause
    else_clause while_statement for_statement c_style_for_statement do_group case_statement case_item
    function_definition variable_assignment variable_assignments file_redirect comment""".split()
)
KNOWN = COMMANDS | EXPANSIONS | WORDS | ARITHMETIC | STATEMENTS

ONE_LINE = frozenset(
    """command declaration_command unset_command file_redirect redirected_statement negated_command
    variable_assignments""".split()
)
"""A line's end inside one of these would end it."""

WHOLE = (WORDS | ARITHMETIC | EXPANSIONS | {"comment", "test_command"}) - {"command_name"}
"""What must not go on behind the end of a line that a heredoc begins in."""

RESERVED = frozenset(
    "{ } ! [ ] [[ ]] if then elif else fi while until do done for select case in esac function".split()
)
DELIMITERS = " \t\n;&|()<>`"

GAP = re.compile(r"(?:[ \t\n]|\\\n)*")
BLANKS = re.compile(r"[ \t\n]+")
LINE_GAP = re.compile(r"(?:[ \t]|\\\n)*")
LOOSE = (WORDS | ARITHMETIC | EXPANSIONS | {"variable_assignment"}) - {"command_substitution", "process_substitution"}
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
    heredocs: dict[int, Heredoc]
    """By where their operators begin."""
    doubts: tuple[str, ...] = ()
    is_broken: bool = False
    """Whether the parts are all there but their order means nothing."""


def parse_tree(text: str) -> Tree | None:
    """The tree of a line, given with one character for each byte; None for a line that takes too long to parse."""
    if any(text.count(token) > MAX_REPEATS for token in COSTLY):
        return None
    plainer, heredocs, parsed = _parsed(text)
    if parsed is None:
        return None
    doubts = ["its syntax is not understood"] if parsed.has_error else []
    unknown = parsed.kinds - KNOWN
    if unknown and not parsed.has_error:
        doubts.append(
            "it is not clear where a heredoc ends" if "heredoc_redirect" in unknown else "its syntax is not known"
        )
    is_broken = bool(doubts)
    if not is_broken and not _is_gapless(plainer, parsed.root):
        doubts.append("it can be read in more than one way")
    return Tree(
        text=text,
        root=parsed.root,
        expansions=parsed.expansions,
        heredocs={heredoc.start: heredoc for heredoc in heredocs},
        doubts=tuple(doubts),
        is_broken=is_broken,
    )


@dataclass(slots=True)
class _Parsed:
    root: Node
    has_error: bool
    expansions: dict[int, Node] = field(default_factory=dict[int, Node])
    kinds: set[str] = field(default_factory=set[str])
    inputs: set[int] = field(default_factory=set[int])
    """Where the ``<`` of redirections stand."""


def _parsed(text: str) -> tuple[str, tuple[Heredoc, ...], _Parsed | None]:
    """What the grammar makes of a line whose heredocs are taken out, and which these are."""
    parser = _parser()
    wrong: set[int] = set()
    while True:
        heredocs = find_heredocs(text, wrong)
        plainer = masked(text, heredocs)
        root = parser.parse(plainer.encode("latin-1")).root_node
        parsed = None if root.descendant_count > MAX_NODES else _copied(root, plainer)
        if parsed is None or not heredocs:
            return plainer, heredocs, parsed
        nodes = [
            node for node in parsed.root.all() if node.kind in WHOLE and plainer.find("\n", node.start, node.end) >= 0
        ]
        mistaken = {each.start for each in heredocs if each.start not in parsed.inputs or _is_odd(text, each, nodes)}
        if not mistaken or len(wrong) > MAX_MISTAKEN:
            return plainer, heredocs, parsed if not mistaken else None
        wrong |= mistaken


def _is_odd(text: str, heredoc: Heredoc, nodes: Sequence[Node]) -> bool:
    """Whether bash may see its body elsewhere; ``nodes`` go over several lines.

    Something may begin behind it in its line and go on where the body should begin. And within ``$(…)`` bash 5.2 loses
    a ``;`` behind it.
    """
    rest = text[heredoc.word_end : heredoc.body]
    return any(
        heredoc.start < node.start < heredoc.body < node.end
        or (node.start < heredoc.start < node.end and re.search(";|(?<![<>])&(?!>)", rest) is not None)
        for node in nodes
    )


def _is_apart(text: str, word: Node) -> bool:
    """Whether a reserved word is a word: ``{a`` and ``[-f`` are commands of that name."""
    return (not word.start or text[word.start - 1] in DELIMITERS) and text[word.end : word.end + 1] in DELIMITERS


def _copied(root: SyntaxNode, text: str) -> _Parsed:
    """The tree as own nodes, without recursion; ``text`` is what was parsed.

    Within double quotes the grammar counts blanks before ``$(`` to the substitution, where an expansion stands before
    them: they are taken off it.
    """
    top = Node(root.type, root.start_byte, root.end_byte)
    parsed = _Parsed(top, root.has_error)
    pending = [(root, top)]
    while pending:
        source, node = pending.pop()
        for child in source.children:
            start = max(child.start_byte, node.start)
            if node.kind == "string" and child.type in EXPANSIONS and (blanks := BLANKS.match(text, start)):
                start = blanks.end()
            copy = Node(child.type, start, child.end_byte)
            node.children.append(copy)
            if child.is_named:
                parsed.kinds.add(copy.kind)
                if copy.kind in EXPANSIONS:
                    # An outer one comes before the inner ones that begin in the same place.
                    parsed.expansions.setdefault(copy.start, copy)
            elif copy.kind == "<" and node.kind == "file_redirect":
                parsed.inputs.add(copy.start)
            if child.child_count:
                pending.append((child, copy))
    return parsed


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
        if not all(_is_apart(text, child) for child in node.children if child.kind in RESERVED):
            return False
        if node.kind == "test_command":
            continue
        if gap is LINE_GAP and any(child.kind == "comment" for child in node.children[:-1]):
            return False
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

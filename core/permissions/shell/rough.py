"""Commands in text that no grammar understands: everything that could be one, for rules that forbid.

It finds too much and never decides that anything may run.
"""

from __future__ import annotations

import re
from itertools import islice

from core.permissions.shell.tree import Node, Tree

SEPARATORS = re.compile(r"[;&|\n()`]|\$\(|[<>]\(")
REDIRECTIONS = re.compile(r"(?:&>>?|[<>]{1,3}[&|-]?)[ \t]*[^ \t<>]*")
LEADING = re.compile(
    r"(?:[ \t\"']|\\\n|(?:[{}!]|if|then|elif|else|while|until|do|for|in|case|select|time|function|coproc)(?=[ \t\n]|$)"
    r"|[A-Za-z_][A-Za-z0-9_]*\+?=[^ \t]*(?:[ \t]|$))+"
)
WORD = re.compile(r"[^ \t]+")
MAX_PIECES = 5_000


def rough_tree(text: str) -> Tree:
    """A tree of nothing but what may be commands, given with one character for each byte."""
    plainer = REDIRECTIONS.sub(lambda match: " " * len(match[0]), text)
    root = Node("program", 0, len(text))
    start = 0
    for separator in (*islice(SEPARATORS.finditer(plainer), MAX_PIECES), None):
        end = separator.start() if separator else len(text)
        match = LEADING.match(plainer, start, end)
        words = [Node("word", *word.span()) for word in WORD.finditer(plainer, match.end() if match else start, end)]
        if words:
            root.children.append(Node("command", words[0].start, words[-1].end, words))
        start = separator.end() if separator else end
    return Tree(text=text, root=root, expansions={}, heredocs={}, is_broken=True)

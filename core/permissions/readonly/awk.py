"""awk: its programs taken apart, so that what writes, runs or reads elsewhere is found."""

from __future__ import annotations

import re

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look

TOKEN = re.compile(
    r"""(?P<blank>(?:[ \t\r]|\\\n)+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)
    |(?P<string>"(?:[^"\\\n]|\\.|\\\n)*")|(?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<name>[A-Za-z_]\w*)|(?P<operator>\|\||\|&|>>|\+\+|--|&&|[-+*%^!<>=]=|\*\*=?|[-+*%^!<>=?:,;(){}\[\]~$|&@])
    |(?P<slash>/)""",
    re.VERBOSE | re.DOTALL,
)
REGEX = re.compile(r"/(?:\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\n])*\]|\\.|[^/\\\n\[])*/", re.DOTALL)
PLAIN_REGEX = re.compile(r"/(?:\\.|[^/\\\n])*/", re.DOTALL)
BEFORE_REGEX = frozenset(
    {"", "\n", *"( , { } [ ; ! ~ && || == != < > <= >= = ? : print printf return case".split()}
    | set("+ - * % ^ ** += -= *= %= ^= **= >>".split())
)
"""Behind these a slash begins a regular expression; behind a value it divides."""
UNSURE = frozenset(
    ") ++ -- $ / in getline length else do exit next nextfile break continue delete default switch".split()
)
"""Behind these it may do either."""
CARRIED_ON = frozenset({",", "&&", "||", "?", ":"})
"""Behind these a statement goes on in the next line."""

RISKY = re.compile(r"system|getline|[|>@]|ENVIRON|ARG[VC]|PROCINFO")
REFUSED = {
    "system": "awk runs a program with system()",
    "|": "awk runs a program in a pipe",
    "|&": "awk runs a program in a pipe",
    "@": "awk loads or calls what is not known",
    "ARGV": "awk chooses the files it reads itself",
    "ARGC": "awk chooses the files it reads itself",
    "PROCINFO": "awk may read from a running program",
}
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def check(look: Look, parsed: Parsed) -> None:
    """Looks at the programs and notes the files."""
    programs = parsed.given("-e", "--source")
    files = list(parsed.operands)
    if not programs and not parsed.has("--version", "-V", "--help"):
        if not files:
            raise NotReadOnlyError("awk lacks its program")
        programs = [files.pop(0)]
    for word in programs:
        if word.value is None:
            raise NotReadOnlyError("the program of awk is not known before it runs")
        _check_program(look, word.value)
    for word in files:
        if word.head.startswith("/inet"):
            raise NotReadOnlyError("awk may open a connection")
        if not ASSIGNMENT.match(word.head):
            look.read(word)


GRAMMAR = Grammar(
    short="F:v:bSe:V",
    long="field-separator: assign: source: sandbox characters-as-bytes version help",
    operands="text",
    is_ordered=True,
    check=check,
)


def _check_program(look: Look, program: str) -> None:
    depth = 0
    is_printing = False
    reads_on = False
    last = ""
    for token in _tokens(program):
        if token in REFUSED:
            raise NotReadOnlyError(REFUSED[token])
        if token == "ENVIRON":
            look.reveal("awk shows environment variables")
        elif token == "getline":
            reads_on = True
        elif token in ("print", "printf"):
            is_printing, depth = True, 0
        elif token in (";", "\n", "}", "{"):
            is_printing = is_printing and token == "\n" and (depth > 0 or last in CARRIED_ON)
        elif token in "()":
            depth += 1 if token == "(" else -1
        elif token in (">", ">>") and is_printing and depth <= 0:
            raise NotReadOnlyError("print in awk writes to a file")
        elif token == ">>":
            raise NotReadOnlyError("awk writes to a file")
        elif token == "<" and reads_on:
            raise NotReadOnlyError("getline in awk reads another file")
        last = token


def _tokens(program: str) -> list[str]:
    """Its tokens without blanks, comments, strings and regular expressions, which stand as ``"``."""
    tokens: list[str] = []
    at = 0
    last = ""
    while at < len(program):
        match = TOKEN.match(program, at)
        if match is None:
            raise NotReadOnlyError("the program of awk is not understood")
        kind = match.lastgroup or ""
        if kind == "slash":
            if last in UNSURE and RISKY.search(program):
                raise NotReadOnlyError("the program of awk can be read in two ways")
            if last in BEFORE_REGEX:
                at = _skip_regex(program, at)
                last = '"'
                tokens.append(last)
                continue
            kind = "operator"
        at = match.end()
        if kind in ("blank", "comment"):
            continue
        last = '"' if kind == "string" else "0" if kind == "number" else match[0]
        tokens.append(last)
    return tokens


def _skip_regex(program: str, at: int) -> int:
    """Behind the regular expression; awks disagree on slashes in brackets, which are refused."""
    one, other = REGEX.match(program, at), PLAIN_REGEX.match(program, at)
    if one is None or other is None or one.end() != other.end():
        raise NotReadOnlyError("the program of awk can be read in two ways")
    return one.end()
